//! What there is to know about each LV beside the metadata: journal, process table and device-mapper, in this order.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_protocol::ids::Lvid;
use lvmwarden_protocol::poll::StartRequest;
use lvmwarden_supervisor::Registry;
use tokio::time::timeout;
use uuid::Uuid;

use super::ASKED_BY;
use super::foreign::{self, Stranger};
use super::plan::{InProgress, Policy, Seen, Standing, plan};
use super::report::Unfinished;
use crate::foundation::error_chain::chain;
use crate::foundation::kernel::copying::{Due, Situation, Subject};
use crate::foundation::store::journal;
use crate::foundation::store::ledger::PollLedger;
use crate::roles::poll::environment::PollEnvironment;
use crate::roles::poll::operation::state::Life;
use crate::roles::poll::recovery::Home;

/// The longest that one look at the process table may take.
const SCAN_DEADLINE: Duration = Duration::from_secs(10);

/// Decides how it stands with each LV, in the same order.
///
/// The metadata was read before: what has begun since is known.
///
/// # Errors
/// What cannot be known, for the log and for clients; nobody is polled then.
pub(super) async fn weigh(
    poll: &PollEnvironment,
    registry: &Registry,
    unfinished: &[Unfinished],
    tried: &HashSet<Lvid>,
    policy: Policy,
) -> Result<Vec<Standing>, String> {
    if unfinished.is_empty() {
        return Ok(Vec::new());
    }
    let requests = journal::read(registry, requests_in_progress).await?;
    let in_progress: Vec<_> = requests.iter().map(|(op, request)| in_progress(*op, request)).collect();
    let strangers = strangers(poll, &requests).await?;
    let subject = |lv: &Unfinished| Subject { operation: lv.kind, lvid: lv.lvid.clone() };
    let looks = poll.kernel.look(unfinished.iter().map(subject).collect()).await;
    let is_active = looks.into_iter().map(|look| look.situation != Situation::Due(Due::Gone));
    let unfinished: Vec<_> = unfinished.iter().cloned().zip(is_active).collect();
    let seen = Seen { unfinished: &unfinished, in_progress: &in_progress, strangers: &strangers, tried };
    Ok(plan(seen, policy))
}

async fn strangers(
    poll: &PollEnvironment,
    requests: &[(Uuid, StartRequest)],
) -> Result<Vec<Stranger>, String> {
    let found = timeout(SCAN_DEADLINE, poll.processes.scan(Arc::new(foreign::may_poll)))
        .await
        .map_err(|_| "the process table takes too long".to_owned())?
        .map_err(|error| chain(&error))?;
    let clients: Vec<_> = requests.iter().filter_map(|(_, request)| request.cmdline.as_ref()).collect();
    let stranger = |process| foreign::read(process, Home::of(poll), &clients);
    Ok(found.iter().filter_map(stranger).collect())
}

fn requests_in_progress(ledger: &PollLedger) -> Vec<(Uuid, StartRequest)> {
    let is_over = |life: &Life| matches!(life, Life::Ended { .. });
    let going_on = ledger.operations().filter(|known| !is_over(&known.life));
    going_on.map(|known| (known.op, known.request.clone())).collect()
}

fn in_progress(op: Uuid, request: &StartRequest) -> InProgress {
    InProgress { op, lvid: request.lvid.clone(), was_found: request.cmdline.as_deref() == Some(ASKED_BY) }
}
