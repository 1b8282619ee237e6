//! The parts of the service put together: from configuration and sockets to what the supervision tree is made of.

use std::io;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;
use lvmwarden_actors::foundation::facts::events::Events;
use lvmwarden_actors::foundation::facts::metrics::Metrics;
use lvmwarden_actors::foundation::kernel::DeviceMapper;
use lvmwarden_actors::foundation::store::history::chronicler::HistorySite;
use lvmwarden_actors::foundation::store::history::health::Health;
use lvmwarden_actors::role::Roles;
use lvmwarden_actors::roles::archive::{ArchiveEnvironment, Settings, clock};
use lvmwarden_actors::roles::lock::environment::{LockEnvironment, Starter};
use lvmwarden_actors::roles::lock::host_id::HostId;
use lvmwarden_actors::roles::metadata::announcer::CompleteCommand;
use lvmwarden_actors::roles::metadata::knowledge::Knowledge;
use lvmwarden_actors::roles::metadata::settings::MetadataEnvironment;
use lvmwarden_actors::roles::metadata::sources::block_devices::{BlockDevices, Images};
use lvmwarden_actors::roles::metadata::sources::handle::Sources;
use lvmwarden_actors::roles::metadata::sources::settings::{Lvm, SourcesSettings};
use lvmwarden_actors::roles::poll::environment::PollEnvironment;
use lvmwarden_actors::roles::poll::operation::state::Stop;
use lvmwarden_actors::roles::poll::reconcile::Reconciling;
use lvmwarden_actors::roles::poll::reconcile::plan::Policy;
use lvmwarden_actors::roles::poll::throttle::Knobs;
use lvmwarden_actors::roles::reconfigure::environment::{Limits, ReconfigureEnvironment};
use lvmwarden_actors::roles::reconfigure::locks::LocalLocks;
use lvmwarden_actors::roles::reconfigure::lvm::Lvm as ReconfigureLvm;
use lvmwarden_actors::roles::reconfigure::metrics::ReconfigureMetrics;
use lvmwarden_actors::roles::reconfigure::transport::single::Single;
use lvmwarden_actors::roles::{archive, lock, metadata, poll, reconfigure};
use lvmwarden_actors::service::access::Access;
use lvmwarden_actors::service::{Control, ServiceEnvironment, ServiceInfo};
use lvmwarden_actors::tree::{self, ServiceTree};
use lvmwarden_supervisor::SupervisorSpec;
use lvmwarden_supervisor::process::OsProcesses;
use tokio::sync::watch;

use super::doors::Doors;
use crate::daemon::config::{Config, Fill, Reconcile, Role, Transport};
use crate::daemon::lock_dumps::LockDumps;
use crate::daemon::lock_role::{self, LockRole};
use crate::daemon::place::Place;
use crate::daemon::poll_role::{PollRole, executable, inherited_environment, process_options};
use crate::daemon::sockets::Listening;

/// What tells of the service while it runs.
pub(super) struct Voices {
    /// How clients reach the service as a whole.
    pub(super) control: Arc<dyn Control>,
    /// What happens.
    pub(super) events: Events,
    /// What is counted.
    pub(super) metrics: Arc<Metrics>,
}

/// Returns the roles of the service, those that are turned on with their doors.
///
/// # Errors
/// When the lvm binary cannot be executed, or there are no descriptors left for the sockets.
pub(super) fn roles(
    config: &Config,
    doors: &Doors,
    place: &Place,
    events: &Events,
    metrics: &Arc<Metrics>,
    dumps: LockDumps,
) -> anyhow::Result<Roles> {
    let wire = config.log.wire;
    let socket = |door: &Option<Listening>| {
        let kept = door.as_ref().map(|door| door.listener.try_clone()).transpose();
        kept.context("cannot keep the sockets")
    };
    let poll = match socket(&doors.lvmpolld)? {
        Some(socket) => Some(poll::role::Served {
            environment: poll_environment(config, place, events.clone())?,
            knobs: Knobs::new(sys_directory()),
            reconcile: reconciling(config).map(Arc::new),
            socket,
            wire,
        }),
        None => None,
    };
    let lock = socket(&doors.lvmlockd)?.map(|socket| lock::role::Served {
        environment: lock_environment(config, place, events.clone()),
        socket,
        dumps: Arc::new(dumps),
        wire,
    });
    let metadata = socket(&doors.lvmetad)?.map(|socket| {
        let environment = Arc::<MetadataEnvironment>::default();
        let sources = sources(config, place, &environment.knowledge);
        let (events, on_complete) = (events.clone(), on_complete(config, place));
        metadata::role::Served { environment, socket, wire, sources, events, on_complete }
    });
    let archive = ArchiveEnvironment::new(
        archive_settings(config),
        Arc::new(DeviceMapper::default()),
        clock::is_synchronised,
        events.clone(),
    );
    let reconfigure = config.plays(Role::Reconfigure).then(|| reconfiguring(config, place, events, metrics));
    Ok(Roles {
        poll: Arc::new(poll::role::Poll { served: poll }),
        lock: Arc::new(lock::role::Lock { served: lock }),
        metadata: Arc::new(metadata::role::Metadata { served: metadata }),
        archive: Arc::new(archive::role::Archive { environment: Arc::new(archive) }),
        reconfigure: Arc::new(reconfigure::role::Reconfigure { served: reconfigure.map(Arc::new) }),
    })
}

/// Returns what the sessions of the API share.
pub(super) fn environment(
    config: &Config,
    doors: &Doors,
    place: &Place,
    voices: Voices,
    roles: &Roles,
) -> Arc<ServiceEnvironment> {
    let has_history = roles.poll.served.is_some() || roles.lock.served.is_some();
    let history = has_history.then(|| {
        let (directory, events, keeping) =
            (place.history.clone(), voices.events.clone(), voices.events.keep());
        let (keep, health) = (config.history.keep, Health::default());
        Arc::new(HistorySite { directory, keep, health, events, keeping })
    });
    let names = config.service.roles.iter().map(|role| role.as_str().to_owned()).collect();
    let info = ServiceInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: Timestamp::now(),
        instance: place.instance.to_string_lossy().into_owned(),
        roles: names,
    };
    Arc::new(ServiceEnvironment {
        info,
        control: voices.control,
        events: voices.events,
        metrics: voices.metrics,
        access: Access { group: doors.group },
        roles: roles.all(),
        history,
    })
}

/// Returns where the kernel's knobs are: `LVMWARDEN_SYS_DIR` gives a test other ones than the host's.
fn sys_directory() -> PathBuf {
    let directory = std::env::var_os("LVMWARDEN_SYS_DIR").filter(|directory| !directory.is_empty());
    directory.map_or_else(|| "/sys".into(), PathBuf::from)
}

fn reconciling(config: &Config) -> Option<Reconciling> {
    let resume = match config.poll.reconcile {
        Reconcile::Resume => true,
        Reconcile::Report => false,
        Reconcile::Off => return None,
    };
    Some(Reconciling::new(Policy { resume, at_once: config.poll.reconcile_at_once as usize }))
}

fn archive_settings(config: &Config) -> Settings {
    Settings {
        enabled: config.archive_janitor.enabled,
        directory: config.archive_janitor.directory.clone(),
        limits: lvmwarden_protocol::api::archive::Limits {
            files_per_vg: config.archive_janitor.files_per_vg,
            bytes_per_vg: config.archive_janitor.bytes_per_vg.into(),
            age_days: config.archive_janitor.age_days,
            keep_newest: config.archive_janitor.keep_newest,
        },
        period: Duration::from_mins(config.archive_janitor.period_minutes.into()),
    }
}

fn poll_environment(config: &Config, place: &Place, events: Events) -> anyhow::Result<Arc<PollEnvironment>> {
    let role = PollRole {
        binary: executable(&config.poll.binary)?,
        verbose: false,
        mode: config.poll.mode,
        // No file system is kept busy.
        directory: Some("/".into()),
        on_stop: Stop::LeaveChild,
        starts_at_once: config.poll.starts_at_once as usize,
        rules: config.poll.rules(),
        interval_seconds: config.poll.interval_seconds,
        events,
    };
    Ok(Arc::new(role.environment(place)))
}

fn lock_environment(config: &Config, place: &Place, events: Events) -> Arc<LockEnvironment> {
    let settings = &config.lock;
    let wait_limit = Duration::from_secs(settings.wait_limit_seconds.into());
    let role = LockRole {
        test: false,
        gl_type: settings.global_type,
        host_id: HostId::Number(settings.host_id),
        io_timeout_seconds: settings.io_timeout_seconds,
        kill_program: settings.kill_program.clone(),
        local_wait: (!wait_limit.is_zero()).then_some(wait_limit),
        memory: lock_role::memory(Some(settings.adopt_file.clone()), true),
        starter: Some(Starter {
            binary: settings.binary.clone(),
            output_dir: place.output.clone(),
            directory: Some("/".into()),
            inherited: inherited_environment(),
            processes: Arc::new(OsProcesses::new(process_options())),
        }),
        events,
    };
    Arc::new(role.environment())
}

/// Returns what changes share that all hosts of a VG make together.
fn reconfiguring(
    config: &Config,
    place: &Place,
    events: &Events,
    metrics: &Arc<Metrics>,
) -> ReconfigureEnvironment {
    let settings = &config.reconfigure;
    let millis = |millis: u32| Duration::from_millis(millis.into());
    let limits = Limits {
        lock: Duration::from_secs(settings.lock_limit_seconds.into()),
        send: millis(settings.send_limit_ms),
        vote: millis(settings.vote_limit_ms),
        prepare: millis(settings.prepare_limit_ms),
        hold: millis(settings.hold_limit_ms),
        apply_reserve: millis(settings.apply_reserve_ms),
        apply: millis(settings.apply_limit_ms),
        commit: millis(settings.commit_limit_ms),
        doubt: Duration::from_secs(settings.doubt_limit_seconds.into()),
        rounds: settings.rounds_limit,
    };
    let lvm = ReconfigureLvm {
        binary: settings.binary.clone(),
        output_dir: place.changes.clone(),
        inherited: inherited_environment(),
        directory: Some("/".into()),
        processes: Arc::new(OsProcesses::new(process_options())),
        runs: AtomicU64::default(),
    };
    let accepts = settings.accept.clone();
    let settings = reconfigure::environment::Settings { accepts, limits, sys: sys_directory() };
    let metrics = ReconfigureMetrics::new(metrics);
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let open = match config.reconfigure.transport {
        Transport::Auto | Transport::Local => Box::new(move || Single::open(name.clone())),
    };
    ReconfigureEnvironment::new(settings, lvm, Arc::new(LocalLocks), open, events.clone(), metrics)
}

/// Returns the supervision tree; `gate` turns true when clients are served.
///
/// # Errors
/// When there are no descriptors left for the sockets.
pub(super) fn tree(
    doors: &Doors,
    place: &Place,
    environment: &Arc<ServiceEnvironment>,
    gate: watch::Sender<bool>,
) -> io::Result<SupervisorSpec> {
    tree::service(ServiceTree {
        journal_dir: place.journal.clone(),
        gate,
        environment: Arc::clone(environment),
        api: doors.api.listener.try_clone()?,
        metrics: doors.metrics.as_ref().map(TcpListener::try_clone).transpose()?,
    })
}

/// Returns what fills the cache of the metadata role, where the daemon does that itself.
fn sources(config: &Config, place: &Place, knowledge: &Knowledge) -> Option<Arc<Sources>> {
    if config.metadata.fill == Fill::Commands {
        return None;
    }
    let other_disks = std::env::var_os("LVMWARDEN_DISKS_DIR").filter(|directory| !directory.is_empty());
    let settings = match other_disks.map(PathBuf::from) {
        // A test gives it images instead of the host's disks.
        Some(directory) => SourcesSettings {
            run: directory.join("run"),
            backup: directory.join("backup"),
            devices: Arc::new(Images(directory.join("images"))),
            has_uevents: false,
            lvm: None,
        },
        None => SourcesSettings {
            run: "/run/lvm".into(),
            backup: "/etc/lvm/backup".into(),
            devices: Arc::new(BlockDevices { sys: "/sys".into(), dev: "/dev".into() }),
            has_uevents: true,
            lvm: Some(Lvm {
                processes: Arc::new(OsProcesses::new(process_options())),
                binary: config.metadata.binary.clone(),
                output_dir: place.output.clone(),
                inherited: inherited_environment(),
            }),
        },
    };
    Some(Sources::new(settings, knowledge))
}

/// Returns what is run for a VG that is complete, if anything is.
fn on_complete(config: &Config, place: &Place) -> Option<Arc<CompleteCommand>> {
    let words = config.metadata.on_complete.clone();
    let processes = Arc::new(OsProcesses::new(process_options()));
    CompleteCommand::new(words, processes, place.output.clone(), inherited_environment()).map(Arc::new)
}
