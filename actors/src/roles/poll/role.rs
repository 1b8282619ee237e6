//! What the poll role hands over.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::os::unix::net::UnixListener;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_protocol::api::poll::OperationState;
use lvmwarden_protocol::poll::PollOperation;
use lvmwarden_supervisor::{ChildSpec, OnExceeded, Registry, RestartType, Strategy, SupervisorSpec};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use tokio::sync::watch;

use super::api::{PollApi, Serving};
use super::environment::PollEnvironment;
use super::operation::directory::Directory;
use super::reconcile::{Reconciler, Reconciling};
use super::recovery::Recovery;
use super::session::Lvmpolld;
use super::status;
use super::throttle::{Knobs, Throttler};
use crate::foundation::api::{ApiContext, ApiPart};
use crate::foundation::door::{DoorEnvironment, door};
use crate::foundation::facts::metrics::{AddGauges, Metrics};
use crate::foundation::kernel::reader::Reader;
use crate::foundation::role::{Branch, Later, Role};
use crate::foundation::store::history::teller::Teller;

/// How often the actor of one operation may crash within a minute before it is given up.
const OPERATION_RESTARTS: u32 = 5;

/// The poll role of a service.
pub struct Poll {
    /// What it is made of; `None`: it is turned off.
    pub served: Option<Served>,
}

/// What the poll role of a service is made of.
pub struct Served {
    /// What every operation shares.
    pub environment: Arc<PollEnvironment>,
    /// The kernel's knobs that slow copies down.
    pub knobs: Knobs,
    /// How what nobody polls is found and taken up, where that is turned on.
    pub reconcile: Option<Arc<Reconciling>>,
    /// Where lvm's clients are served.
    pub socket: UnixListener,
    /// Every message of theirs is logged.
    pub wire: bool,
}

impl Role for Poll {
    fn name(&self) -> &'static str {
        "poll"
    }

    fn branch(&self, metrics: &Arc<Metrics>) -> io::Result<Option<Branch>> {
        self.served.as_ref().map(|served| served.branch(metrics)).transpose()
    }

    fn api(&self, context: &Rc<ApiContext>) -> Option<ApiPart> {
        let serving = self.served.as_ref().map(|served| Serving {
            poll: Arc::clone(&served.environment),
            knobs: served.knobs.clone(),
            reconciles: served.reconcile.is_some(),
            directory: Directory::new(context.registry.clone(), Arc::clone(&served.environment)),
            teller: Teller::new(context.registry.clone()),
            foreign_paces: RefCell::default(),
            context: Rc::clone(context),
        });
        Some(ApiPart::new(PollApi(serving)))
    }

    fn gauges<'a>(&'a self, registry: &'a Registry) -> Later<'a, Option<AddGauges>> {
        Box::pin(async {
            let (mut operations, mut silent) = (HashMap::new(), 0);
            if let Some(served) = &self.served {
                let directory = Directory::new(registry.clone(), Arc::clone(&served.environment));
                let count = directory.describe_each(|operation| {
                    *operations.entry((operation.request.kind, operation.state)).or_default() += 1;
                    silent += i64::from(operation.silent);
                });
                count.await;
            }
            Some(add_gauges(operations, silent))
        })
    }

    fn status<'a>(&'a self, registry: &'a Registry) -> Later<'a, Option<String>> {
        Box::pin(async {
            let served = self.served.as_ref()?;
            let directory = Directory::new(registry.clone(), Arc::clone(&served.environment));
            Some(status::in_words(&directory.describe().await))
        })
    }
}

impl Served {
    fn branch(&self, metrics: &Arc<Metrics>) -> io::Result<Branch> {
        let (gate, recovered) = watch::channel(false);
        let poll = &self.environment;
        let mut supervisor = branch(poll, &gate).child(self.throttle(&gate));
        if let Some(settings) = &self.reconcile {
            supervisor = supervisor.child(reconcile(poll, settings, &gate));
        }
        let protocol = Lvmpolld { poll: Arc::clone(poll), metrics: Arc::clone(metrics), wire: self.wire };
        let socket = self.socket.try_clone()?;
        let lvmpolld = DoorEnvironment::new(socket, recovered.clone(), Arc::clone(metrics), protocol);
        Ok(Branch { supervisor, doors: vec![door(&lvmpolld)], recovered })
    }

    fn throttle(&self, gate: &watch::Sender<bool>) -> ChildSpec {
        let (knobs, events, gate) = (self.knobs.clone(), self.environment.events.clone(), gate.subscribe());
        ChildSpec::worker("throttle", move |link| {
            Throttler::new(knobs.clone(), events.clone(), gate.clone(), &link)
        })
    }
}

/// Returns the part of the tree that every daemon has which polls; `gate` turns true when clients may be served.
pub fn branch(poll: &Arc<PollEnvironment>, gate: &watch::Sender<bool>) -> SupervisorSpec {
    // One operation that keeps crashing must not be felt by another: it is given up alone, and its clients are told.
    let operations = SupervisorSpec::new(Strategy::OneForOne)
        .intensity(OPERATION_RESTARTS, Duration::from_mins(1))
        .on_exceeded(OnExceeded::GiveUpChild);
    let recovery = ChildSpec::worker("recovery", {
        let (poll, gate) = (Arc::clone(poll), gate.clone());
        move |link| Recovery::new(Arc::clone(&poll), gate.clone(), link)
    })
    .restart(RestartType::Transient);
    let kernel = ChildSpec::worker("kernel", {
        let poll = Arc::clone(poll);
        move |link| Reader::new(Arc::clone(&poll.kernel), poll.watchlist.clone(), link)
    });
    // A supervisor that is made anew knows none of its operations: recovery finds them in the journal.
    SupervisorSpec::new(Strategy::RestForOne)
        .child(ChildSpec::supervisor("operations", operations))
        .child(recovery)
        .child(kernel)
}

fn reconcile(
    poll: &Arc<PollEnvironment>,
    settings: &Arc<Reconciling>,
    gate: &watch::Sender<bool>,
) -> ChildSpec {
    let (poll, settings, gate) = (Arc::clone(poll), Arc::clone(settings), gate.subscribe());
    ChildSpec::worker("reconcile", move |link| {
        Reconciler::new(Arc::clone(&poll), Arc::clone(&settings), gate.clone(), link)
    })
}

fn add_gauges(counts: HashMap<(PollOperation, OperationState), i64>, silent: i64) -> AddGauges {
    Box::new(move |gauges| {
        let operations = Family::<[(&'static str, &'static str); 2], Gauge>::default();
        // Zero where there is none: a series that comes and goes is hard to add up.
        for kind in PollOperation::ALL {
            for state in OperationState::ALL {
                let count = counts.get(&(kind, state)).copied().unwrap_or_default();
                let labels = [("kind", kind.as_str()), ("state", state.as_str())];
                operations.get_or_create(&labels).set(count);
            }
        }
        gauges.register("poll_operations", "Poll operations", operations);
        let help = "Children that have written nothing for too long";
        gauges.register("lvpoll_silent", help, ConstGauge::new(silent));
    })
}
