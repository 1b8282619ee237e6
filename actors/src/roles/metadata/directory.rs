//! What sessions call: takes a request to the cache, and to the actor that has to decide something.

use std::sync::Arc;
use std::time::Duration;

use lvmwarden_protocol::metadata::Vgid;
use lvmwarden_protocol::metadata::{Common, Operation, Reply, Request, SKIP};
use lvmwarden_supervisor::{
    AskError, ChildSpec, Name, Registry, Resolution, Shutdown, StartChild, StopChild, Supervisor,
};
use slog::{Logger, warn};
use tokio::time::{Instant, sleep, timeout};

use super::cache::{Answer, is_change};
use super::cached_vg::actor::{CachedVgActor, Decide};
use super::cached_vg::state::{Decision, Event};
use super::pv_index::Source;
use super::settings::MetadataEnvironment;
use crate::foundation::names;

/// How long a VG may take to decide, restarts of its actor included. It does so without waiting for anything.
const DECIDE_DEADLINE: Duration = Duration::from_secs(5);
/// How many crashes of its actor a request may have caused before it is given up: fewer than the actor may have in a minute.
const ATTEMPTS: u32 = 3;
/// The wait before an actor that is being restarted is asked again.
const RETRY_DELAY: Duration = Duration::from_millis(5);
/// How long the tree may take to start or stop an actor.
const TREE_DEADLINE: Duration = Duration::from_secs(5);

/// Why a VG has not decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Undecided {
    /// Its actor crashed, perhaps because of what was asked.
    Crashed,
    /// Its actor is being started, or takes too long.
    Busy,
    /// Its actor crashes too often.
    GivenUp,
}

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
        let (begin, mut crashes) = (Instant::now(), 0);
        loop {
            let (uuid, why) = match self.try_change(&request, source).await {
                Ok(answer) => return answer,
                Err(undecided) => undecided,
            };
            crashes += u32::from(why == Undecided::Crashed);
            if why == Undecided::GivenUp || crashes == ATTEMPTS || begin.elapsed() >= DECIDE_DEADLINE {
                return self.give_up(&uuid, why);
            }
            // Others change the cache meanwhile: a restart of one VG's actor is not theirs to wait for.
            sleep(RETRY_DELAY).await;
        }
    }

    /// Makes one change, unless the VG that has to decide does not.
    async fn try_change(&self, request: &Request, source: Source) -> Result<Answer, (Vgid, Undecided)> {
        let environment = &self.environment;
        let _one_at_a_time = environment.changing.lock().await;
        let question = environment.cache().question(request, environment.now(source));
        let decision = match question {
            None => None,
            Some((uuid, event)) => self.decide(&uuid, event).await.map_err(|why| (uuid, why))?,
        };
        let mut cache = environment.cache();
        let answer = cache.answer(request.clone(), decision, environment.now(source));
        let comings = cache.take_comings();
        drop(cache);
        environment.knowledge.changed();
        self.follow(comings);
        Ok(answer)
    }

    async fn decide(&self, uuid: &Vgid, event: Event) -> Result<Option<Decision>, Undecided> {
        match self.registry.resolve::<CachedVgActor>(&name_of(uuid)) {
            Resolution::Running(address) => match timeout(DECIDE_DEADLINE, address.send(Decide(event))).await
            {
                Ok(Ok(decision)) => Ok(decision),
                Ok(Err(_closed)) => Err(Undecided::Crashed),
                Err(_) => Err(Undecided::Busy),
            },
            Resolution::Restarting => Err(Undecided::Busy),
            Resolution::GivenUp(_) => Err(Undecided::GivenUp),
            Resolution::Unknown => {
                // It has come a moment ago, or the branch was started anew.
                self.start_actor(uuid).await.map_err(|_| Undecided::Busy)?;
                Err(Undecided::Busy)
            }
        }
    }

    fn give_up(&self, uuid: &Vgid, why: Undecided) -> Answer {
        self.environment.cache().crashed(uuid);
        self.environment.knowledge.changed();
        warn!(self.log, "a VG does not decide"; "vg" => %uuid, "why" => ?why,
              "next" => "nothing is changed; commands are told to read the VG from its disks");
        Reply::failed("the VG cannot be changed in the cache: read it from its disks").into()
    }

    /// Starts and stops actors after VGs that have come and gone; nobody waits for it.
    fn follow(&self, comings: Vec<Vgid>) {
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

    async fn start_actor(&self, uuid: &Vgid) -> Result<(), AskError> {
        let start = StartChild(child(uuid.clone(), Arc::clone(&self.environment)));
        // It may be there already.
        self.registry.ask::<Supervisor, _>(&names::CACHED_VGS, start, TREE_DEADLINE).await.map(|_| ())
    }

    async fn stop_actor(&self, uuid: &Vgid) -> Result<(), AskError> {
        let stop = StopChild(uuid.to_string());
        self.registry.ask::<Supervisor, _>(&names::CACHED_VGS, stop, TREE_DEADLINE).await.map(|_| ())
    }
}

fn name_of(uuid: &Vgid) -> Name {
    names::CACHED_VGS.child(uuid.as_str())
}

fn child(uuid: Vgid, environment: Arc<MetadataEnvironment>) -> ChildSpec {
    ChildSpec::worker(uuid.to_string(), move |link| {
        CachedVgActor::new(uuid.clone(), Arc::clone(&environment), link)
    })
    .shutdown(Shutdown::Brutal)
}
