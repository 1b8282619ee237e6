//! What the lock role hands over.

use std::io;
use std::os::unix::net::UnixListener;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_supervisor::{ChildSpec, OnExceeded, Registry, RestartType, Strategy, SupervisorSpec};
use tokio::sync::watch;

use super::api::LockApi;
use super::directory::Directory;
use super::environment::LockEnvironment;
use super::gauges::LockCounts;
use super::metrics::LockMetrics;
use super::recovery::LockRecovery;
use super::session::{Dumps, Lvmlockd};
use crate::foundation::api::{ApiContext, ApiPart};
use crate::foundation::door::{DoorEnvironment, door};
use crate::foundation::facts::metrics::{AddGauges, Metrics};
use crate::foundation::role::{Branch, Later, Role};

/// How often the actor of one lockspace may crash within a minute before it is given up.
const LOCKSPACE_RESTARTS: u32 = 5;

/// How long all lockspaces together may take to count what they have: less than a scrape has for a role.
const COUNT_DEADLINE: Duration = Duration::from_secs(4);

/// The lock role of a service.
pub struct Lock {
    /// What it is made of; `None`: it is turned off.
    pub served: Option<Served>,
}

/// What the lock role of a service is made of.
pub struct Served {
    /// What all lockspaces share.
    pub environment: Arc<LockEnvironment>,
    /// Where lvm's clients are served.
    pub socket: UnixListener,
    /// Where `info` and `dump` go.
    pub dumps: Arc<dyn Dumps>,
    /// Every message is logged.
    pub wire: bool,
}

impl Role for Lock {
    fn name(&self) -> &'static str {
        "lock"
    }

    fn branch(&self, metrics: &Arc<Metrics>) -> io::Result<Option<Branch>> {
        let Some(served) = &self.served else { return Ok(None) };
        let (gate, recovered) = watch::channel(false);
        let protocol = Lvmlockd {
            lock: Arc::clone(&served.environment),
            dumps: Arc::clone(&served.dumps),
            // The service ends when systemd or the API says so: whoever quits a C daemon means that one alone.
            quit: Arc::default(),
            metrics: LockMetrics::new(Arc::clone(metrics)),
            wire: served.wire,
        };
        let socket = served.socket.try_clone()?;
        let lvmlockd = DoorEnvironment::new(socket, recovered.clone(), Arc::clone(metrics), protocol);
        let supervisor = branch(&served.environment, &gate);
        Ok(Some(Branch { supervisor, doors: vec![door(&lvmlockd)], recovered }))
    }

    fn api(&self, context: &Rc<ApiContext>) -> Option<ApiPart> {
        let lock = self.served.as_ref().map(|served| Arc::clone(&served.environment));
        Some(ApiPart::new(LockApi { lock, context: Rc::clone(context) }))
    }

    fn gauges<'a>(&'a self, registry: &'a Registry) -> Later<'a, Option<AddGauges>> {
        Box::pin(async {
            let counts = self.count(registry).await;
            Some(Box::new(move |registry: &mut _| {
                if let Some(counts) = counts {
                    counts.register(registry);
                }
            }) as AddGauges)
        })
    }

    fn status<'a>(&'a self, registry: &'a Registry) -> Later<'a, Option<String>> {
        Box::pin(async { Some(self.count(registry).await?.in_words()) })
    }

    /// sanlock signals this process every second while a VG is being killed. An end would help nobody: what protects the
    /// VG's LVs is the watchdog, and the locks of the other VGs would be served no more.
    fn why_not_to_end<'a>(&'a self, registry: &'a Registry) -> Later<'a, Option<String>> {
        Box::pin(async {
            let served = self.served.as_ref()?;
            let directory = Directory::new(registry.clone(), Arc::clone(&served.environment));
            let vgs = directory.being_killed().await;
            let example = vgs.first()?;
            Some(format!(
                "the leases of {} are lost while LVs there are locked: deactivate the LVs, then `lvmwarden lock drop {example}`",
                vgs.join(", ")
            ))
        })
    }

    fn problem(&self) -> Later<'_, Option<String>> {
        Box::pin(async { self.served.as_ref()?.environment.kill_program.problem().await })
    }
}

impl Lock {
    async fn count(&self, registry: &Registry) -> Option<LockCounts> {
        let served = self.served.as_ref()?;
        let directory = Directory::new(registry.clone(), Arc::clone(&served.environment));
        Some(directory.count(COUNT_DEADLINE).await)
    }
}

/// Returns the part of the tree that every daemon has which locks; `gate` turns true when clients may be served.
pub fn branch(lock: &Arc<LockEnvironment>, gate: &watch::Sender<bool>) -> SupervisorSpec {
    // One VG whose lockspace keeps crashing must not be felt in another: it is given up alone.
    let lockspaces = SupervisorSpec::new(Strategy::OneForOne)
        .intensity(LOCKSPACE_RESTARTS, Duration::from_mins(1))
        .on_exceeded(OnExceeded::GiveUpChild);
    let recovery = ChildSpec::worker("recovery", {
        let (lock, gate) = (Arc::clone(lock), gate.clone());
        move |link| LockRecovery::new(Arc::clone(&lock), gate.clone(), link)
    })
    .restart(RestartType::Transient);
    // A supervisor that is made anew knows none of its lockspaces: recovery finds them by their connections.
    SupervisorSpec::new(Strategy::RestForOne)
        .child(ChildSpec::supervisor("lockspaces", lockspaces))
        .child(recovery)
}
