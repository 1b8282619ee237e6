//! What sessions call: takes a request to the cache, and to the actor that has to decide something.

use std::sync::Arc;
use std::time::Duration;

use lvmwarden_protocol::ids::VgUuid;
use lvmwarden_protocol::metadata::{Common, Operation, Reply, Request, SKIP};
use lvmwarden_supervisor::{
    AskError, ChildSpec, Name, Registry, Shutdown, StartChild, StopChild, Supervisor,
};
use slog::{Logger, warn};

use super::cache::{Answer, is_change};
use super::cached_vg::actor::{CachedVgActor, Decide};
use super::cached_vg::state::{Decision, Event};
use super::pv_index::Source;
use super::settings::MetadataEnvironment;
use crate::names;

/// How long a VG may take to decide, restarts of its actor included. It does so without waiting for anything.
const DECIDE_DEADLINE: Duration = Duration::from_secs(5);
/// How long the tree may take to start or stop an actor.
const TREE_DEADLINE: Duration = Duration::from_secs(5);

/// The way to the cached VGs of a daemon.
#[derive(Clone)]
pub struct Directory {
    registry: Registry,
    environment: Arc<MetadataEnvironment>,
    log: Logger,
}

impl Directory {
    /// Makes the directory of the VGs below [`names::CACHED_VGS`].
    pub fn new(registry: Registry, environment: Arc<MetadataEnvironment>, log: Logger) -> Self {
        Self { registry, environment, log }
    }

    /// Answers a request of an lvm command.
    ///
    /// # Cancel safety
    /// A change whose future is dropped has either been made as a whole, or not at all.
    pub async fn answer(&self, request: Request) -> Answer {
        self.answer_from(request, Source::Command).await
    }

    /// Takes what the daemon itself has read from the disks: a PV that was found, with its metadata, or that is gone.
    ///
    /// Whether commands may use the cache is not changed by that: their token says what they filled themselves.
    pub async fn take(&self, operation: Operation) -> Answer {
        let common = Common { token: Some(SKIP.to_owned()), ..Common::default() };
        self.answer_from(Request { operation, common }, Source::Disk).await
    }

    async fn answer_from(&self, request: Request, source: Source) -> Answer {
        let environment = &self.environment;
        if !is_change(&request.operation) {
            return environment.cache().answer(request, None, environment.now(source));
        }
        let _one_at_a_time = environment.changing.lock().await;
        let question = environment.cache().question(&request, environment.now(source));
        let decision = match question {
            None => None,
            Some((uuid, event)) => match self.decide(&uuid, event).await {
                Ok(decision) => decision,
                Err(error) => return self.undecided(&uuid, &error),
            },
        };
        let mut cache = environment.cache();
        let answer = cache.answer(request, decision, environment.now(source));
        let comings = cache.take_comings();
        drop(cache);
        self.follow(comings);
        answer
    }

    async fn decide(&self, uuid: &VgUuid, event: Event) -> Result<Option<Decision>, AskError> {
        let name = name_of(uuid);
        let ask = || self.registry.ask::<CachedVgActor, _>(&name, Decide(event.clone()), DECIDE_DEADLINE);
        match ask().await {
            Err(AskError::Unknown(_)) => {
                // It has come a moment ago, or the branch was started anew.
                self.start_actor(uuid).await?;
                ask().await
            }
            answered => answered,
        }
    }

    fn undecided(&self, uuid: &VgUuid, error: &AskError) -> Answer {
        self.environment.cache().crashed(uuid);
        warn!(self.log, "a VG does not decide"; "vg" => %uuid, "error" => %error,
              "next" => "nothing is changed; commands are told to read the VG from its disks");
        Reply::failed("the VG cannot be changed in the cache: read it from its disks").into()
    }

    /// Starts and stops actors after VGs that have come and gone; nobody waits for it.
    fn follow(&self, comings: Vec<VgUuid>) {
        if comings.is_empty() {
            return;
        }
        let directory = self.clone();
        actix_rt::spawn(async move {
            for uuid in &comings {
                let is_cached = directory.environment.cache().vg(uuid).is_some();
                // An actor that is not there is started when it is asked; one that stays does no harm.
                let _ = if is_cached {
                    directory.start_actor(uuid).await
                } else {
                    directory.stop_actor(uuid).await
                };
            }
        });
    }

    async fn start_actor(&self, uuid: &VgUuid) -> Result<(), AskError> {
        let start = StartChild(child(uuid.clone(), Arc::clone(&self.environment)));
        // It may be there already.
        self.registry.ask::<Supervisor, _>(&names::CACHED_VGS, start, TREE_DEADLINE).await.map(|_| ())
    }

    async fn stop_actor(&self, uuid: &VgUuid) -> Result<(), AskError> {
        let stop = StopChild(uuid.to_string());
        self.registry.ask::<Supervisor, _>(&names::CACHED_VGS, stop, TREE_DEADLINE).await.map(|_| ())
    }
}

fn name_of(uuid: &VgUuid) -> Name {
    names::CACHED_VGS.child(uuid.as_str())
}

fn child(uuid: VgUuid, environment: Arc<MetadataEnvironment>) -> ChildSpec {
    ChildSpec::worker(uuid.to_string(), move |link| {
        CachedVgActor::new(uuid.clone(), Arc::clone(&environment), link)
    })
    .shutdown(Shutdown::Brutal)
}
