//! The list of keys: each is declared once, and everything that is said of a key comes from there.
//!
//! ```text
//!                        ┌─▶ Config: a struct for each section, with its defaults
//!   sections! { … } ─────┤
//!     (this file)        └─▶ keys(visitor) ─┬─▶ reading a file            (mod.rs)
//!                                           ├─▶ what a reload takes on    (changes.rs)
//!                                           ├─▶ what is not the default   (changes.rs)
//!                                           └─▶ the commented file, and from it the manual page (default_file.rs)
//! ```
//!
//! A key is a field: its remarks are what administrators read, then come its type, its default, the kind of value, and
//! whether a reload takes a new value on. A key without a default shows an example instead.

use std::net::SocketAddr;
use std::path::PathBuf;

use lvmwarden_actors::roles::lock::lock_manager::sanlock::KILL_PROGRAM;
use lvmwarden_actors::roles::poll::operation::state::Mode;
use lvmwarden_actors::roles::poll::operation::turns::{Rules, Window};
use lvmwarden_protocol::api::reconfigure::Kind as ChangeKind;
use lvmwarden_protocol::lock::LockType;
use lvmwarden_protocol::lock::info::InfoFormat;
use slog::Level;

use super::kinds::{self, Group, Kind};
use super::{Fill, Reconcile, Role, Transport};
use crate::daemon::logging::Format;

/// When a new value of a key is in force in a daemon that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TakenOn {
    /// As soon as the file is read again.
    Reload,
    /// By the next start.
    Restart,
}

/// What is known of one key.
pub(super) struct Key<T> {
    /// Its name in its section.
    pub(super) name: &'static str,
    /// What it is for: the lines of its remarks.
    pub(super) remarks: &'static [&'static str],
    /// What its values are.
    pub(super) kind: Kind<T>,
    /// When a new value is in force.
    pub(super) taken_on: TakenOn,
    /// A value as it would be written, for a key that is not set by default.
    pub(super) example: Option<&'static str>,
    /// Returns its value in a configuration.
    pub(super) get: fn(&Config) -> &T,
    /// Returns the place of its value in a configuration.
    pub(super) get_mut: fn(&mut Config) -> &mut T,
}

/// What is done with each key, in the order of the file.
pub(super) trait Visitor {
    /// Begins a section.
    fn section(&mut self, name: &'static str);

    /// Sees a key of the section that has begun.
    fn key<T: PartialEq + Clone>(&mut self, key: Key<T>);
}

macro_rules! sections {
    ($(
        $(#[doc = $of_section:literal])+
        $section:ident: $Section:ident {
            $(
                $(#[doc = $remark:literal])+
                $key:ident: $Type:ty = $default:expr, $kind:expr, $taken_on:ident $(, example $example:literal)?;
            )+
        }
    )+) => {
        $(
            $(#[doc = $of_section])+
            #[derive(Debug, Clone, PartialEq, Eq)]
            pub(crate) struct $Section {
                $( $(#[doc = $remark])+ pub(crate) $key: $Type, )+
            }

            impl Default for $Section {
                fn default() -> Self {
                    Self { $( $key: $default, )+ }
                }
            }
        )+

        /// Every setting: a field for each section of the file.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub(crate) struct Config {
            $( $(#[doc = $of_section])+ pub(crate) $section: $Section, )+
        }

        /// Shows `visitor` each section and key.
        pub(super) fn keys(visitor: &mut impl Visitor) {
            $(
                visitor.section(stringify!($section));
                $(
                    visitor.key(Key::<$Type> {
                        name: stringify!($key),
                        remarks: &[$( $remark, )+],
                        kind: $kind,
                        taken_on: TakenOn::$taken_on,
                        example: None $( .or(Some($example)) )?,
                        get: |config| &config.$section.$key,
                        get_mut: |config| &mut config.$section.$key,
                    });
                )+
            )+
        }
    };
}

sections! {
    /// What the service does.
    service: Service {
        /// What the daemon does for LVM. "poll": it polls pvmoves, conversions and merges, in place of lvmpolld. "lock": it
        /// holds the locks of shared VGs, in place of lvmlockd. "metadata": it remembers the metadata of every VG, in place of
        /// lvmetad, and for whoever asks without a lock and a scan. "reconfigure": it makes changes of VGs that hosts make together
        /// or not at all; so far of VGs that are not shared. [] leaves nothing but the API; lvmwardend-lvmpolld.socket has to be
        /// disabled without "poll", or LVM commands wait there for nobody.
        roles: Vec<Role> = vec![Role::Poll], kinds::roles(), Restart;
    }

    /// What is logged, and how.
    log: Log {
        /// The least severe lines that are written. `lvmwarden log-level` changes it until the next reload or restart.
        level: Level = Level::Info, kinds::one_of(&kinds::LEVELS), Reload;
        /// How a line looks on stderr. "terminal": for people, in colour on a terminal; "journal": with a priority that
        /// systemd's journal understands; "json": an object each; "auto": "journal" under systemd, otherwise "terminal".
        format: Format = Format::Auto, kinds::one_of(&kinds::FORMATS), Restart;
        /// Whether each message of LVM commands is written, at level "trace".
        wire: bool = false, kinds::switch(), Restart;
    }

    /// How operations are polled.
    poll: Poll {
        /// Where LVM commands find the daemon. LVM has this path built in; a socket unit must name the same.
        /// Operations belong to this path: a daemon with another one does not know them.
        socket: PathBuf = "/run/lvm/lvmpolld.socket".into(), kinds::absolute_path(), Restart;
        /// The lvm binary that is started as `lvm lvpoll` for each operation.
        binary: PathBuf = "/usr/sbin/lvm".into(), kinds::absolute_path(), Restart;
        /// Who watches a copy while the kernel makes it. "classic": lvpoll, one process for each operation, which sleeps
        /// between its looks, as with lvmpolld. "events": the daemon, which reads device-mapper when the kernel says that
        /// something happened, and starts lvpoll only when it has something to do; a pvmove of many segments then waits for
        /// the disks alone (docs/performance.md).
        mode: Mode = Mode::Events, kinds::one_of(&kinds::POLL_MODES), Restart;
        /// How often lvpoll looks at an operation that was started through the API without an interval, in seconds.
        /// LVM commands bring their own, `activation/polling_interval` of lvm.conf.
        interval_seconds: u32 = 15, kinds::number(1..=86_400), Reload;
        /// How many lvpoll processes are being started at the same moment; further ones wait for a few milliseconds.
        starts_at_once: u32 = 4, kinds::number(1..=64), Restart;
        /// What is done about a pvmove, a conversion or a merge that LVM's metadata shows and that nobody polls, as after a
        /// crash of the host. "resume": it is polled, as `vgchange --poll y` would. "report": it is told in the events and by
        /// `lvmwarden poll reconcile`. "off": nobody looks. The daemon looks at its start, some times in the first minutes after
        /// a boot, on SIGHUP, and when it is asked; it leaves alone what another process polls.
        reconcile: Reconcile = Reconcile::Resume, kinds::one_of(&kinds::RECONCILE), Restart;
        /// How many of these are in progress at the same time; further ones wait for one of them to end.
        reconcile_at_once: u32 = 4, kinds::number(1..=1000), Restart;
        /// How many copies go on at once in one VG, in mode "events". LVM itself begins a copy; at the end of each segment of a
        /// pvmove the daemon sees whether there is room for its next one, the oldest pvmove first. Conversions and merges are
        /// copied in one piece: they count, and do not wait.
        limit_per_vg: Option<u32> = None, kinds::optional(kinds::number(1..=1000)), Reload, example "2";
        /// How many copies go on at once from or to one PV, in the same way.
        limit_per_pv: Option<u32> = None, kinds::optional(kinds::number(1..=1000)), Reload, example "1";
        /// At which times of the day pvmoves go on to their next segment, in mode "events" and in the time zone of this host.
        /// A segment that is being copied is copied to its end. Without any: always.
        windows: Vec<Window> = Vec::new(), kinds::windows(), Reload;
    }

    /// How the locks of shared VGs are held.
    lock: Lock {
        /// Where LVM commands find the daemon. LVM has this path built in.
        socket: PathBuf = "/run/lvm/lvmlockd.socket".into(), kinds::absolute_path(), Restart;
        /// LVM commands do not look for the daemon unless there is a file of this name; they have it built in.
        pid_file: PathBuf = "/run/lvmlockd.pid".into(), kinds::absolute_path(), Restart;
        /// The locks of LVs, in the form in which a C lvmlockd that is started with --adopt 1 takes them over, and in which it
        /// has left its own for us.
        adopt_file: PathBuf = "/run/lvm/lvmlockd.adopt".into(), kinds::absolute_path(), Restart;
        /// Which lock manager has the global lock. "auto": the one that is used first.
        global_type: Option<LockType> = None, kinds::one_of(&kinds::GLOBAL_TYPES), Restart;
        /// This host's id in the lockspaces of sanlock, where lvm's `local/host_id` says none. 0: there is none.
        host_id: u32 = 0, kinds::number(0..=2000), Restart;
        /// How long a read or write of a lease may take, in seconds, with sanlock; the same on all hosts. 0: as long as sanlock
        /// thinks, 10.
        io_timeout_seconds: u32 = 0, kinds::number(0..=600), Restart;
        /// How long an LVM command waits for a lock that another command of this host holds, in seconds. Past it, the command is
        /// told that the lock is held, and asks again by itself, `lvmlockd_lock_retries` times. 0: for ever, as with the C daemon.
        wait_limit_seconds: u32 = 900, kinds::number(0..=86_400), Restart;
        /// Which lvmlockctl shall understand `lvmlockctl --info`: that of lvm2 up to 2.03.27, or of 2.03.28 and later.
        lvmlockctl: InfoFormat = InfoFormat::WithSysid, kinds::one_of(&kinds::LVMLOCKCTL), Restart;
        /// The lvm binary that `lvmwarden lock start` runs as `lvm vgchange --lock-start`.
        binary: PathBuf = "/usr/sbin/lvm".into(), kinds::absolute_path(), Restart;
        /// What sanlock runs, with the arguments --kill VG, when the leases of a VG are lost: it deactivates the VG's LVs before
        /// the watchdog resets the host, as `global/lvmlockctl_kill_command` says.
        kill_program: PathBuf = KILL_PROGRAM.into(), kinds::kill_program(), Restart;
    }

    /// How metadata is remembered.
    metadata: Metadata {
        /// Where LVM commands before 2.03 find the daemon. LVM has this path built in; a socket unit must name the same.
        socket: PathBuf = "/run/lvm/lvmetad.socket".into(), kinds::absolute_path(), Restart;
        /// Who fills the cache. "disks": the daemon reads the metadata of all PVs that LVM uses, and reads again what has changed,
        /// for hosts with LVM 2.03. "commands": LVM commands before 2.03 bring what they have read.
        fill: Fill = Fill::Disks, kinds::one_of(&kinds::FILL), Restart;
        /// The lvm binary that is asked, as `lvm pvs --all --readonly`, which devices LVM uses: at the start, and when something
        /// happens to a device that is not known.
        binary: PathBuf = "/usr/sbin/lvm".into(), kinds::absolute_path(), Restart;
        /// What is run when all PVs of a VG are there, with the VG's name and its UUID as further words: the program and its
        /// first words, without a shell. It has a minute, may run for four VGs at once, and is run again for a VG that was
        /// incomplete meanwhile, and after a restart of the daemon.
        on_complete: Vec<String> = Vec::new(), kinds::command(), Restart;
    }

    /// How changes are made that all hosts of a VG make together.
    reconfigure: Reconfigure {
        /// How the hosts hear one another. "local": not at all, this host is by itself, and changes only VGs that are not shared.
        /// "auto": as this release can, which is "local".
        transport: Transport = Transport::Auto, kinds::one_of(&kinds::TRANSPORTS), Restart;
        /// The kinds of changes that this host takes part in; others it votes against.
        accept: Vec<ChangeKind> = all_changes(), kinds::changes(), Restart;
        /// The lvm binary that reads VGs and makes changes.
        binary: PathBuf = "/usr/sbin/lvm".into(), kinds::absolute_path(), Restart;
        /// How long a change waits for the locks of its VG, in seconds.
        lock_limit_seconds: u32 = 10, kinds::number(1..=300), Restart;
        /// How long a message may take to be sent, in milliseconds; past it the other hosts count as lost.
        send_limit_ms: u32 = 2000, kinds::number(100..=30_000), Restart;
        /// How long the hosts have to vote, in milliseconds.
        vote_limit_ms: u32 = 10_000, kinds::number(1000..=120_000), Restart;
        /// How long the hosts have to hold I/O, in milliseconds.
        prepare_limit_ms: u32 = 3000, kinds::number(100..=60_000), Restart;
        /// How long I/O is held at most, in milliseconds. Nothing is held in a VG that is not shared.
        hold_limit_ms: u32 = 5000, kinds::number(100..=30_000), Restart;
        /// How much of that must be left when the metadata begin to be written, in milliseconds. It and `prepare_limit_ms` together
        /// are at most `hold_limit_ms`.
        apply_reserve_ms: u32 = 1500, kinds::number(100..=30_000), Restart;
        /// How long the command may take that writes the metadata, activates or deactivates, in milliseconds; then it is ended.
        apply_limit_ms: u32 = 20_000, kinds::number(1000..=600_000), Restart;
        /// How long the hosts have to follow what was decided, in milliseconds. Past it the change is over, and those that lag go
        /// on trying.
        commit_limit_ms: u32 = 30_000, kinds::number(1000..=600_000), Restart;
        /// How long a host that does not know what was decided tries to find out, in seconds.
        doubt_limit_seconds: u32 = 900, kinds::number(10..=86_400), Restart;
        /// How often a change is voted on at most, while hosts come.
        rounds_limit: u32 = 5, kinds::number(1..=50), Restart;
    }

    /// Who may use the API, and where.
    api: Api {
        /// Where `lvmwarden` and other clients of the API find the daemon. A socket unit must name the same.
        socket: PathBuf = "/run/lvmwarden/org.lvmwarden".into(), kinds::absolute_path(), Restart;
        /// Who may connect, as permission bits of the socket. Under systemd the socket unit decides instead. What a
        /// client may ask is another matter: root everything, the group below reading and watching, nobody else anything.
        mode: u32 = 0o660, kinds::mode(), Restart;
        /// The group whose members may read and watch; also the group of the socket. If this host has no such group, the
        /// daemon says so, and only root may ask.
        group: Group = Group::Named("lvmwarden".into()), kinds::group(), Restart;
    }

    /// Where metrics are read.
    metrics: Metrics {
        /// Where Prometheus may read metrics by HTTP. Without it, metrics are told through the API only.
        /// There is no password, hence only addresses of this host itself.
        listen: Option<SocketAddr> = None, kinds::loopback_address(), Restart, example "\"127.0.0.1:9836\"";
    }

    /// What readers of events can come back for.
    events: Events {
        /// How many events are kept in memory for readers that come back: `lvmwarden events --since`.
        keep: u32 = 10_000, kinds::number(1..=100_000), Restart;
    }

    /// What is kept on disk of what has happened.
    history: History {
        /// How many operations are kept on disk with all that has happened to them, in /var/lib/lvmwarden: `lvmwarden poll show`,
        /// `lvmwarden poll history`. The oldest that are over go first.
        keep: u32 = 1000, kinds::number(1..=10_000), Restart;
    }

    /// How the archive of metadata is kept small.
    archive_janitor: ArchiveJanitor {
        /// Whether old copies of metadata, which lvm writes before each change of a VG and does not bound, are removed from the
        /// archive. `lvmwarden archive plan` shows what would be, turned on or not.
        enabled: bool = false, kinds::switch(), Restart;
        /// Where these copies are: `backup/archive_dir` of lvm.conf. Another directory than this one has to be added to
        /// `ReadWritePaths` of lvmwardend.service.
        directory: PathBuf = "/etc/lvm/archive".into(), kinds::absolute_path(), Restart;
        /// How many copies of each VG are kept at most. Where there are more, they are thinned by their age: the older they are,
        /// the farther apart are those that stay.
        files_per_vg: u32 = 500, kinds::number(1..=100_000), Restart;
        /// How large the copies of each VG may be together, in bytes. They are thinned in the same way.
        bytes_per_vg: u32 = 128 * 1024 * 1024, kinds::number(1..=u32::MAX), Restart;
        /// How old a copy may become, in days. Nothing goes for its age while the clock is not known to be synchronised, or the
        /// newest copy of the VG seems over a year old; where nobody can tell, the clock is not known to be synchronised.
        age_days: u32 = 365, kinds::number(1..=36_500), Restart;
        /// How many of the newest good copies of each VG are never removed, whatever the other bounds say. A copy is good if it
        /// was written to its end.
        keep_newest: u32 = 10, kinds::number(1..=10_000), Restart;
        /// The time from one look at the archive to the next, in minutes.
        period_minutes: u32 = 60, kinds::number(1..=10_080), Restart;
    }
}

impl Poll {
    /// Returns when copies go on.
    pub(crate) fn rules(&self) -> Rules {
        Rules { per_vg: self.limit_per_vg, per_pv: self.limit_per_pv, windows: self.windows.clone() }
    }
}

/// Returns the kinds of changes that can be made.
fn all_changes() -> Vec<ChangeKind> {
    use ChangeKind::{Activate, Deactivate, Refresh, RenameLv, Resize, Tag};
    vec![Resize, Refresh, RenameLv, Activate, Deactivate, Tag]
}
