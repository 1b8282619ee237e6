//! What the metadata role hands over.

use std::io;
use std::os::unix::net::UnixListener;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_supervisor::{ChildSpec, OnExceeded, Registry, Strategy, SupervisorSpec};

use super::announcer::{Announcer, CompleteCommand};
use super::api::MetadataApi;
use super::session::Lvmetad;
use super::settings::MetadataEnvironment;
use super::sources::actor::Filler;
use super::sources::handle::Sources;
use crate::foundation::api::{ApiContext, ApiPart};
use crate::foundation::door::{DoorEnvironment, always_open, door};
use crate::foundation::facts::events::Events;
use crate::foundation::facts::metrics::{AddGauges, Metrics};
use crate::foundation::role::{Branch, Later, Role};

/// How often the actor of one cached VG may crash within a minute before it is given up.
const CACHED_VG_RESTARTS: u32 = 5;

/// The metadata role of a service.
pub struct Metadata {
    /// What it is made of; `None`: it is turned off.
    pub served: Option<Served>,
}

/// What the metadata role of a service is made of.
pub struct Served {
    /// What its parts share.
    pub environment: Arc<MetadataEnvironment>,
    /// Where lvm's clients are served.
    pub socket: UnixListener,
    /// Every message of theirs is logged.
    pub wire: bool,
    /// What fills the cache; `None`: lvm's clients do.
    pub sources: Option<Arc<Sources>>,
    /// Where it is told what becomes of VGs.
    pub events: Events,
    /// What is run for a VG that is complete.
    pub on_complete: Option<Arc<CompleteCommand>>,
}

impl Served {
    fn supervisor(&self) -> SupervisorSpec {
        let announcer = {
            let (metadata, events) = (Arc::clone(&self.environment), self.events.clone());
            let on_complete = self.on_complete.clone();
            ChildSpec::worker("announcer", move |link| {
                Announcer::new(Arc::clone(&metadata), events.clone(), on_complete.clone(), link)
            })
        };
        let branch = branch().child(announcer);
        let Some(sources) = self.sources.clone() else { return branch };
        let metadata = Arc::clone(&self.environment);
        branch.child(ChildSpec::worker("filler", move |link| {
            Filler::new(Arc::clone(&metadata), Arc::clone(&sources), link)
        }))
    }
}

impl Role for Metadata {
    fn name(&self) -> &'static str {
        "metadata"
    }

    fn branch(&self, metrics: &Arc<Metrics>) -> io::Result<Option<Branch>> {
        let Some(served) = &self.served else { return Ok(None) };
        let (metadata, metrics) = (Arc::clone(&served.environment), Arc::clone(metrics));
        let protocol = Lvmetad { metadata, metrics: Arc::clone(&metrics), wire: served.wire };
        let lvmetad = DoorEnvironment::new(served.socket.try_clone()?, always_open(), metrics, protocol);
        Ok(Some(Branch {
            supervisor: served.supervisor(),
            doors: vec![door(&lvmetad)],
            recovered: always_open(),
        }))
    }

    fn api(&self, context: &Rc<ApiContext>) -> Option<ApiPart> {
        let metadata = self.served.as_ref().map(|served| Arc::clone(&served.environment));
        Some(ApiPart::new(MetadataApi { metadata, context: Rc::clone(context) }))
    }

    fn gauges<'a>(&'a self, _: &'a Registry) -> Later<'a, Option<AddGauges>> {
        Box::pin(async {
            let numbers = match &self.served {
                Some(served) => Some(served.environment.numbers().await),
                None => None,
            };
            Some(Box::new(move |gauges: &mut _| {
                if let Some(numbers) = numbers {
                    numbers.register(gauges);
                }
            }) as AddGauges)
        })
    }
}

/// Returns the part of the tree that every daemon has which remembers metadata.
pub fn branch() -> SupervisorSpec {
    // One VG whose actor keeps crashing must not be felt in another: it is given up alone, and read from its disks.
    let cached_vgs = SupervisorSpec::new(Strategy::OneForOne)
        .intensity(CACHED_VG_RESTARTS, Duration::from_mins(1))
        .on_exceeded(OnExceeded::GiveUpChild);
    // So does one that fills the cache or tells of it: what is cached stays.
    let branch = SupervisorSpec::new(Strategy::OneForOne).on_exceeded(OnExceeded::GiveUpChild);
    branch.child(ChildSpec::supervisor("cached_vgs", cached_vgs))
}
