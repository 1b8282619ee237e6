//! Begins changes, finds them, and says what one would come to: what the API calls.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use lvmwarden_protocol::api::reconfigure::{
    Answer, Change, Concern, Error, Goal, Host, OutcomeKind, Phase, PlanReply, Step,
};
use lvmwarden_protocol::ids::VgName;
use lvmwarden_reconfigure::member::Member;
use lvmwarden_reconfigure::membership::Quorum;
use lvmwarden_reconfigure::record::{Memory, Record};
use lvmwarden_reconfigure::word;
use lvmwarden_supervisor::{Registry, StartChild, StartChildError, Supervisor};
use slog::{Logger, warn};
use tokio::sync::oneshot;
use tokio::time::timeout;
use uuid::Uuid;

use super::board::Refused;
use super::change::actor::{Abandon, Beginning, ChangeActor, LookNow, spec};
use super::change::told_of;
use super::checks::{Seen, check};
use super::commands;
use super::described::Description;
use super::devices::{self, Devices};
use super::environment::ReconfigureEnvironment;
use super::goal::{BadGoal, Wanted, machine_kind, vg_of};
use super::lvm::ReadError;
use super::memory::{self, Known};
use super::picture::Picture;
use crate::foundation::error_chain::chain;
use crate::foundation::names;
use crate::foundation::store::journal;

/// The longest that an actor takes to answer: its journal, and some time for a restart.
pub const DEADLINE: Duration = journal::DEADLINE.saturating_add(Duration::from_secs(5));

/// The way to every change of a daemon.
#[derive(Clone)]
pub struct Directory {
    registry: Registry,
    environment: Arc<ReconfigureEnvironment>,
    log: Logger,
}

/// A place on the board, which is given up again unless the change begins.
struct Place<'d> {
    directory: &'d Directory,
    id: String,
    is_kept: bool,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if !self.is_kept {
            self.directory.environment.board.give_up(&self.id);
        }
    }
}

impl From<BadGoal> for Error {
    fn from(BadGoal { field, reason }: BadGoal) -> Self {
        Self::BadGoal { field: field.to_owned(), reason }
    }
}

/// A goal and the VG that it is about, as it is now.
struct Looked {
    wanted: Wanted,
    picture: Picture,
    described: Description,
}

impl Directory {
    /// Makes the directory of the changes below [`names::CHANGES`].
    pub fn new(registry: Registry, environment: Arc<ReconfigureEnvironment>, log: Logger) -> Self {
        Self { registry, environment, log }
    }

    /// Begins a change, or tells the one that has this id; returns when it survives a crash of the daemon.
    ///
    /// # Errors
    /// Those of `Propose`: the change is not there then.
    pub async fn propose(&self, goal: Goal, id: Option<String>, asked_by: String) -> Result<Change, Error> {
        let bad_id = |_| BadGoal::new("id", "it is not a UUID");
        let id = id.map(|id| id.parse::<Uuid>()).transpose().map_err(bad_id)?.unwrap_or_else(Uuid::new_v4);
        Wanted::parse(&goal)?;
        let around = self.environment.around();
        let me = self.member()?;
        if around.membership.quorum() == Quorum::No {
            return Err(Error::NoQuorum {
                reason: "this host is not in the larger part of the cluster".into(),
            });
        }
        let known = Known {
            id,
            goal,
            asked_by: Some(asked_by),
            at: Timestamp::now(),
            coordinator: me,
            described: nothing(),
            machine: Memory::default(),
            undo: Vec::new(),
            writer: None,
            told: None,
        };
        let mut place = match self.environment.board.begin(&id.to_string(), &known.goal.vgname) {
            Ok(()) => Place { directory: self, id: id.to_string(), is_kept: false },
            Err(Refused::Known(change)) if change.goal == known.goal => return Ok(Change::clone(&change)),
            Err(Refused::Known(change)) => {
                let reason = format!("change {id} has another goal: {}", change.goal_text);
                return Err(BadGoal::new("id", reason).into());
            }
            Err(Refused::AlreadyChanging(other)) => {
                return Err(Error::AlreadyChanging { vgname: known.goal.vgname, id: other });
            }
            Err(Refused::Beginning | Refused::TooMany) => return Err(Error::Busy),
        };
        let Looked { wanted, picture, described } = self.look(&known.goal).await?;
        let known = Known { described, ..known };
        let is_reached = known.described.is_reached(&wanted, &picture);
        if is_reached {
            let change = self.is_there(known).await?;
            place.is_kept = true;
            return Ok(change);
        }
        self.begin(known, &mut place).await
    }

    /// Writes down a change whose goal is there already.
    async fn is_there(&self, mut known: Known) -> Result<Change, Error> {
        for record in [Record::Asked, Record::Decided(word::Decision::Committed), Record::Ended] {
            known.machine.remember(record);
        }
        let told = Change { phase: Phase::Ended, hosts: Vec::new(), ..self.first_told(&known) };
        known.told = Some(told.clone());
        if let Err(reason) = memory::store(&self.registry, &known).await {
            warn!(self.log, "a change cannot be written down"; "error" => reason, "next" => "it is refused");
            return Err(Error::Busy);
        }
        self.environment.metrics.ended(known.goal.kind, OutcomeKind::Committed);
        self.environment.board.put(told.clone());
        Ok(told)
    }

    async fn begin(&self, known: Known, place: &mut Place<'_>) -> Result<Change, Error> {
        let (id, (begun, is_begun)) = (known.id, oneshot::channel());
        let beginning = Some(Beginning { known, begun });
        self.start(id, beginning).await.map_err(|reason| self.unanswered(&reason))?;
        // It is the actor's from now on, whether this client waits or not.
        place.is_kept = true;
        match timeout(DEADLINE, is_begun).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(reason))) => return Err(self.unanswered(&reason)),
            Ok(Err(_)) => return Err(self.unanswered("its actor has crashed")),
            Err(_) => return Err(self.unanswered("the journal does not answer")),
        }
        let change = self.environment.board.find(&id.to_string());
        change.map(|change| Change::clone(&change)).ok_or(Error::Busy)
    }

    fn unanswered(&self, reason: &str) -> Error {
        warn!(self.log, "a change cannot begin"; "error" => reason, "next" => "it is refused");
        Error::Busy
    }

    /// Starts the actor of a change; without a beginning it goes on from the journal, and may be there already.
    ///
    /// # Errors
    /// For the log: the daemon is shutting down, or does not answer; or the actor of one that could not begin has not ended.
    pub async fn start(&self, id: Uuid, beginning: Option<Beginning>) -> Result<(), String> {
        let is_new = beginning.is_some();
        let start = StartChild(spec(id, Arc::clone(&self.environment), beginning));
        match self.registry.ask::<Supervisor, _>(&names::CHANGES, start, DEADLINE).await {
            Ok(Err(StartChildError::AlreadyStarted(_))) if !is_new => Ok(()),
            Ok(Ok(_)) => Ok(()),
            Ok(Err(refused)) => Err(refused.to_string()),
            Err(unreachable) => Err(unreachable.to_string()),
        }
    }

    fn member(&self) -> Result<Member, Error> {
        let around = self.environment.around();
        let me = around.me.filter(|_| around.membership.has_transport());
        let problem = || self.environment.facts().and_then(|facts| facts.problem);
        me.ok_or_else(|| Error::NoTransport {
            reason: problem().unwrap_or_else(|| "this host is not in its group yet".to_owned()),
        })
    }

    fn first_told(&self, known: &Known) -> Change {
        told_of(known, self.environment.name_of(known.coordinator.node))
    }

    /// Reads the VG of a goal, and what the goal is in it.
    async fn look(&self, goal: &Goal) -> Result<Looked, Error> {
        let wanted = Wanted::parse(goal)?;
        let vg = vg_of(goal)?;
        let picture = match self.environment.lvm.read(&vg).await {
            Ok(picture) => picture,
            Err(error @ ReadError::NoVg(_)) => {
                return Err(BadGoal::new("vgname", format!("there is no VG {vg}: {}", chain(&error))).into());
            }
            Err(error @ ReadError::Refused { .. }) => {
                return Err(BadGoal::new("vgname", chain(&error)).into());
            }
            // The goal may be good: lvm cannot be asked.
            Err(error @ ReadError::Run(_)) => return Err(self.unanswered(&chain(&error))),
        };
        if let Some(lock_type) = &picture.lock_type {
            let reason = format!(
                "{vg} is shared, by {lock_type}; this daemon changes only VGs that are not: the way to other hosts is not there yet"
            );
            return Err(Error::NoTransport { reason });
        }
        let described = Description::of(&wanted, &picture)?;
        Ok(Looked { wanted, picture, described })
    }

    /// Says what a change would come to; nothing is locked or changed.
    ///
    /// # Errors
    /// Those of `Plan`.
    pub async fn plan(&self, goal: Goal) -> Result<PlanReply, Error> {
        let me = self.member()?;
        let Looked { wanted, picture, described } = self.look(&goal).await?;
        let settings = &self.environment.settings;
        let devices = devices::look(settings.sys.clone()).await.map_err(|reason| self.unanswered(&reason))?;
        let seen = Seen { picture: &picture, devices: &devices, accepts: &settings.accepts };
        let (concern, objection) = check(goal.kind, &wanted, &described, seen);
        let name = self.environment.name_of(me.node);
        let host = Host {
            node: me.node,
            name: name.clone(),
            concern: if concern == word::Concern::Lv { Concern::Lv } else { Concern::Vg },
            vote: Some(if objection.is_some() { Answer::No } else { Answer::Yes }),
            code: objection.as_ref().map(|(code, _)| word_of(*code)),
            reason: objection.as_ref().map(|(_, reason)| reason.clone()),
            notes: notes(&wanted, &described, &picture),
            state: "asked".to_owned(),
            held_ms: None,
            lagging: false,
            gone: false,
        };
        let vg = vg_of(&goal)?;
        Ok(PlanReply {
            would: objection.is_none(),
            goal_text: described.in_words(goal.kind, &goal.vgname, &wanted),
            hosts: vec![host],
            steps: steps(&name, &goal, &vg, &wanted, &described, &devices),
            expected_hold_ms: 0,
        })
    }

    /// Has a change abandoned.
    ///
    /// # Errors
    /// `NotFound`, `TooLate` and `Busy`.
    pub async fn abandon(&self, id: &str) -> Result<(), Error> {
        let change = self.find(id)?;
        let too_late = |phase| Error::TooLate { id: change.id.clone(), phase };
        if change.phase == Phase::Ended {
            return Err(too_late(Phase::Ended));
        }
        let name = names::CHANGES.child(&change.id);
        match self.registry.ask::<ChangeActor, _>(&name, Abandon, DEADLINE).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(too_late(self.find(id).map_or(Phase::Ended, |change| change.phase))),
            Err(error) => Err(self.unanswered(&chain(&error))),
        }
    }

    /// Has a change in doubt looked at now, and returns it.
    ///
    /// # Errors
    /// `NotFound` and `Busy`.
    pub async fn judge(&self, id: &str) -> Result<Change, Error> {
        let change = self.find(id)?;
        if change.phase != Phase::Ended {
            let name = names::CHANGES.child(&change.id);
            let asked = self.registry.ask::<ChangeActor, _>(&name, LookNow, DEADLINE).await;
            asked.map_err(|error| self.unanswered(&chain(&error)))?;
        }
        self.find(id)
    }

    /// Returns a change.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn find(&self, id: &str) -> Result<Change, Error> {
        let found = self.environment.board.find(id);
        found.map(|change| Change::clone(&change)).ok_or_else(|| Error::NotFound { id: id.to_owned() })
    }

    /// Returns a change when it is over, or as it is at `limit`.
    ///
    /// # Errors
    /// `NotFound`.
    ///
    /// # Cancel safety
    /// Cancel-safe.
    pub async fn wait(&self, id: &str, limit: Option<Duration>) -> Result<Change, Error> {
        let mut watch = self.environment.board.watch();
        let id = self.find(id)?.id;
        let over = async {
            loop {
                watch.borrow_and_update();
                let change = self.find(&id)?;
                if change.phase == Phase::Ended {
                    return Ok(change);
                }
                if watch.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        match limit {
            None => over.await,
            Some(limit) => timeout(limit, over).await.unwrap_or_else(|_| self.find(&id)),
        }
    }
}

/// What is known of a VG that was not read yet.
fn nothing() -> Description {
    Description { vg_uuid: String::new(), seqno: 0, extent_bytes: 0, lvs: Vec::new(), goal_extents: None }
}

/// Returns the API's word for a code.
fn word_of(code: word::Code) -> String {
    super::change::code_word(code).to_owned()
}

fn notes(wanted: &Wanted, described: &Description, picture: &Picture) -> Vec<String> {
    let (Wanted::Resize { .. }, Some(extents)) = (wanted, described.goal_extents) else { return Vec::new() };
    let now = described.lvs.first().map_or(0, |lv| lv.bytes / described.extent_bytes.max(1));
    let more = extents.saturating_sub(now);
    let free = picture.free_extents;
    let lacks =
        (more > free).then(|| format!("{more} extents are wanted, {free} are free in {}", picture.name));
    lacks.into_iter().collect()
}

fn steps(
    host: &str,
    goal: &Goal,
    vg: &VgName,
    wanted: &Wanted,
    described: &Description,
    devices: &Devices,
) -> Vec<Step> {
    let step = |phase, words: Option<commands::Words>| {
        let command = words.map(|words| commands::in_words(&words))?;
        Some(Step { host: host.to_owned(), phase, command: Some(command), note: None })
    };
    let active = described.lvs.iter().filter(|lv| devices.of(&described.vg_uuid, &lv.uuid).is_some());
    let renamed = |name: &String| match wanted {
        Wanted::Rename { new, .. } => new.to_string(),
        Wanted::Resize { .. }
        | Wanted::Refresh(_)
        | Wanted::Activate(_)
        | Wanted::Deactivate(_)
        | Wanted::Tag { .. } => name.clone(),
    };
    let active: Vec<String> = active.map(|lv| renamed(&lv.name)).collect();
    let follows = machine_kind(goal.kind).terms().follows;
    let mut refresh = step(Phase::Committing, commands::refresher(vg, &active)).filter(|_| follows);
    if let (Some(refresh), Wanted::Resize { .. } | Wanted::Rename { .. }) = (&mut refresh, wanted) {
        refresh.note = Some("only where the device is not as the metadata say by then".to_owned());
    }
    let steps = [
        step(Phase::Preparing, commands::preparer(vg, wanted)),
        step(Phase::Applying, commands::writer(vg, wanted, described)),
        refresh,
    ];
    steps.into_iter().flatten().collect()
}

/// Returns who has asked, in words.
pub fn asker(uid: u32) -> String {
    if uid == 0 { "root".to_owned() } else { format!("uid {uid}") }
}
