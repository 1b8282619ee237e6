//! What the reconfigure role hands over.

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_reconfigure::membership::Quorum;
use lvmwarden_supervisor::{ChildSpec, OnExceeded, Registry, RestartType, Strategy, SupervisorSpec};
use tokio::sync::watch;

use super::api::ReconfigureApi;
use super::environment::ReconfigureEnvironment;
use super::group::Group;
use super::metrics;
use super::recovery::Recovery;
use crate::foundation::api::{ApiContext, ApiPart};
use crate::foundation::facts::metrics::{AddGauges, Metrics};
use crate::foundation::role::{Branch, Later, Role};

/// How often the actor of one change may crash within a minute before it is given up.
const CHANGE_RESTARTS: u32 = 5;

/// The reconfigure role of a service.
pub struct Reconfigure {
    /// What its parts share; `None`: it is turned off.
    pub served: Option<Arc<ReconfigureEnvironment>>,
}

impl Role for Reconfigure {
    fn name(&self) -> &'static str {
        "reconfigure"
    }

    fn branch(&self, _: &Arc<Metrics>) -> io::Result<Option<Branch>> {
        let Some(environment) = &self.served else { return Ok(None) };
        let (gate, recovered) = watch::channel(false);
        Ok(Some(Branch { supervisor: branch(environment, &gate), doors: Vec::new(), recovered }))
    }

    fn api(&self, context: &Rc<ApiContext>) -> Option<ApiPart> {
        let environment = self.served.clone();
        Some(ApiPart::new(ReconfigureApi { environment, context: Rc::clone(context) }))
    }

    fn gauges<'a>(&'a self, _: &'a Registry) -> Later<'a, Option<AddGauges>> {
        Box::pin(async {
            let Some(environment) = &self.served else {
                return Some(Box::new(|_: &mut _| {}) as AddGauges);
            };
            let membership = environment.around().membership;
            let members = i64::try_from(membership.members().count()).unwrap_or(i64::MAX);
            let is_quorate = membership.quorum() == Quorum::Yes;
            let numbers = environment.board.numbers();
            Some(metrics::gauges(numbers, members, is_quorate, membership.has_transport()))
        })
    }

    fn status<'a>(&'a self, _: &'a Registry) -> Later<'a, Option<String>> {
        Box::pin(async {
            let unfinished = self.served.as_ref()?.board.unfinished();
            let (kind, vgname) = unfinished.first()?;
            let more = if unfinished.len() > 1 {
                format!(", and {} more", unfinished.len() - 1)
            } else {
                String::new()
            };
            Some(format!("changing {vgname} ({}){more}", kind.as_str()))
        })
    }
}

/// Returns the role's part of the tree; `gate` turns true when what an earlier life has left behind is known.
fn branch(environment: &Arc<ReconfigureEnvironment>, gate: &watch::Sender<bool>) -> SupervisorSpec {
    let (joins, joined) = watch::channel(false);
    // One change that keeps crashing must not be felt by another: it is given up alone.
    let changes = SupervisorSpec::new(Strategy::OneForOne)
        .intensity(CHANGE_RESTARTS, Duration::from_mins(1))
        .on_exceeded(OnExceeded::GiveUpChild);
    let group = ChildSpec::worker("group", {
        let environment = Arc::clone(environment);
        move |link| Group::new(Arc::clone(&environment), joins.clone(), link)
    });
    let recovery = ChildSpec::worker("recovery", {
        let (environment, gate) = (Arc::clone(environment), gate.clone());
        move |link| Recovery::new(Arc::clone(&environment), joined.clone(), gate.clone(), link)
    })
    .restart(RestartType::Transient);
    // A supervisor that is made anew knows none of its changes: recovery finds them in the journal.
    SupervisorSpec::new(Strategy::RestForOne)
        .child(ChildSpec::supervisor("changes", changes))
        .child(group)
        .child(recovery)
}
