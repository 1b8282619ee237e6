//! The seam between a role and the daemon: what each role hands over, and all that the service knows of it.
//!
//! A role that is turned off is there as well, for the API: it refuses what it would have to do.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use lvmwarden_supervisor::{ChildSpec, Registry, SupervisorSpec};
use tokio::sync::watch;

use super::api::{ApiContext, ApiPart};
use super::facts::metrics::{AddGauges, Metrics};

/// What a role adds to the supervision tree.
pub struct Branch {
    /// Its actors.
    pub supervisor: SupervisorSpec,
    /// Where its clients are served.
    pub doors: Vec<ChildSpec>,
    /// Turns true when what an earlier life has left behind is known.
    pub recovered: watch::Receiver<bool>,
}

/// What is known a little later, on the thread of the actors.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// What the daemon does for LVM: one thing of several.
///
/// What is asked here is answered from the daemon's own memory, and soon.
pub trait Role: Send + Sync + 'static {
    /// Returns its name, as in `service.roles`; its branch of the tree is called so as well.
    fn name(&self) -> &'static str;

    /// Returns what it adds to the supervision tree; `None`: it is turned off.
    ///
    /// # Errors
    /// When there are no descriptors left for its sockets.
    fn branch(&self, metrics: &Arc<Metrics>) -> io::Result<Option<Branch>>;

    /// Returns its part of the JSON API, for the sessions of one instance of the API's door.
    fn api(&self, _context: &Rc<ApiContext>) -> Option<ApiPart> {
        None
    }

    /// Returns what of it is measured at a scrape; `None` where its actors do not answer in time.
    fn gauges<'a>(&'a self, _registry: &'a Registry) -> Later<'a, Option<AddGauges>> {
        Box::pin(async { Some(Box::new(|_: &mut _| {}) as AddGauges) })
    }

    /// Returns what it does now, in a few words for `systemctl status`.
    fn status<'a>(&'a self, _registry: &'a Registry) -> Later<'a, Option<String>> {
        Box::pin(async { None })
    }

    /// Returns why the daemon must not end now, for people.
    fn why_not_to_end<'a>(&'a self, _registry: &'a Registry) -> Later<'a, Option<String>> {
        Box::pin(async { None })
    }

    /// Returns what is wrong with what it needs of the host, for people.
    fn problem(&self) -> Later<'_, Option<String>> {
        Box::pin(async { None })
    }
}
