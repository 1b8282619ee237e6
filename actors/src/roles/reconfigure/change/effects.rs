//! What each effect does. Whatever may take long is begun here, and comes back as an event.

use std::sync::Arc;
use std::time::Duration;

use lvmwarden_reconfigure::change::Event;
use lvmwarden_reconfigure::coordinator::{self, Finding};
use lvmwarden_reconfigure::effect::Effect;
use lvmwarden_reconfigure::participant;
use lvmwarden_reconfigure::wire::{Message, Sender};
use lvmwarden_reconfigure::word::{Cause, Code, Vote, Word};
use lvmwarden_reconfigure::{judge, word};
use slog::{error, warn};
use tokio::time::{Instant, sleep};

use super::shell::Shell;
use crate::foundation::error_chain::chain;
use crate::roles::reconfigure::checks::{Seen, check};
use crate::roles::reconfigure::described::Description;
use crate::roles::reconfigure::devices;
use crate::roles::reconfigure::lvm::ReadError;
use crate::roles::reconfigure::transport::SendError;

/// The first pause before a message is sent again that there was no room for; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(1);

impl Shell {
    /// Carries out an effect that is no record.
    pub(super) async fn execute(&mut self, effect: Effect) {
        match effect {
            Effect::Send(word) => self.send(word).await,
            Effect::Arm(timer) => {
                let due = Instant::now() + self.limit(timer);
                self.timers.insert(timer, due);
            }
            Effect::TakeLocks => self.take_locks(),
            Effect::ReadVg => self.read_vg(),
            // Without a lock manager the child waits at no gate: it is started when that opens.
            Effect::StartWriter => self.results().coordinator(coordinator::Event::GateAsked),
            Effect::OpenGate => self.start_writer().await,
            // Records are written by the shell; the others are for a gate and a guard, which are not there.
            Effect::Record(_) | Effect::ShutGate | Effect::StartRefresher | Effect::TellGuard => {}
            Effect::EndWriter => self.end_writer(),
            Effect::AwaitWriter => self.await_writer(),
            Effect::Look => self.look(),
            Effect::GiveBackLocks | Effect::GiveBackLookLock => {
                self.environment.locks.give_back(self.id, self.vg.clone()).await;
            }
            Effect::Check => self.check(),
            Effect::Prepare => self.prepare(),
            Effect::Refresh => self.refresh(),
            Effect::Release => self.release(),
            Effect::Undo => self.undo(),
            Effect::TakeLookLock => self.take_look_lock(),
            Effect::Conflict(member) => {
                error!(self.log, "another host says the opposite of what was decided here"; "from" => %member,
                       "next" => "nothing is changed: see both hosts");
                self.publish("reconfigure.conflict", vec![("node", member.to_string())]);
            }
            Effect::Ended(outcome) => {
                self.outcome.get_or_insert(outcome);
            }
        }
    }

    /// Sends a word; where there is no room for it within the limit, the group counts as lost.
    async fn send(&mut self, word: Word) {
        let facts = self.environment.facts();
        let from = Sender {
            node: self.me.node,
            pid: self.me.pid,
            name: facts.map_or_else(String::new, |facts| facts.name),
            life: self.environment.life.to_string(),
        };
        let bytes = Message { id: self.id.to_string(), from, word }.to_bytes();
        let (limit, mut pause) = (Instant::now() + self.environment.settings.limits.send, FIRST_PAUSE);
        loop {
            match self.environment.send(bytes.clone()) {
                // Without a transport a change hears itself.
                Ok(()) | Err(SendError::NoTransport) => return,
                Err(SendError::Busy) if Instant::now() < limit => {
                    sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_millis(50));
                }
                Err(error @ (SendError::Busy | SendError::TooLong { .. })) => {
                    warn!(self.log, "a message of a change cannot be sent"; "error" => chain(&error),
                          "next" => "the transport counts as lost");
                    return self.results().tell(Event::TransportLost);
                }
            }
        }
    }

    fn take_locks(&self) {
        let (results, locks) = (self.results(), Arc::clone(&self.environment.locks));
        let taken = locks.take(self.id, self.vg.clone(), self.terms.needs_global);
        tokio::spawn(async move {
            results.coordinator(match taken.await {
                Ok(()) => coordinator::Event::LocksHeld,
                Err(cause) => coordinator::Event::LocksRefused(cause),
            });
        });
    }

    fn take_look_lock(&self) {
        let (results, locks) = (self.results(), Arc::clone(&self.environment.locks));
        let taken = locks.take_to_look(self.id, self.vg.clone());
        tokio::spawn(async move {
            results.judge(match taken.await {
                Ok(()) => judge::Event::Locked,
                Err(_held) => judge::Event::Refused,
            });
        });
    }

    fn read_vg(&self) {
        let (results, environment) = (self.results(), Arc::clone(&self.environment));
        let (vg, wanted, node) = (self.vg.clone(), self.wanted.clone(), self.me.node);
        tokio::spawn(async move {
            let read = match environment.lvm.read(&vg).await {
                Ok(picture) => Description::of(&wanted, &picture)
                    .map_err(|bad| Cause::new(node, Code::NotAsDescribed, bad.reason)),
                Err(error) => Err(Cause::new(node, Code::RefusedByLvm, chain(&error))),
            };
            results.read(read);
        });
    }

    fn check(&self) {
        let (results, environment) = (self.results(), Arc::clone(&self.environment));
        let (vg, wanted, described) = (self.vg.clone(), self.wanted.clone(), self.known.described.clone());
        let (kind, node) = (self.known.goal.kind, self.me.node);
        tokio::spawn(async move {
            let settings = &environment.settings;
            let objection = |code, reason: String| Some(Cause::new(node, code, reason));
            let picture = environment.lvm.read(&vg).await.map_err(|error| chain(&error));
            let devices = devices::look(settings.sys.clone()).await;
            let vote = match (picture, devices) {
                (Ok(picture), Ok(devices)) => {
                    let seen = Seen { picture: &picture, devices: &devices, accepts: &settings.accepts };
                    let (concern, why) = check(kind, &wanted, &described, seen);
                    Vote { concern, objection: why.and_then(|(code, reason)| objection(code, reason)) }
                }
                (Err(reason), _) | (_, Err(reason)) => {
                    Vote { concern: word::Concern::Vg, objection: objection(Code::Internal, reason) }
                }
            };
            results.participant(participant::Event::Checked(vote));
        });
    }

    /// Reads whether the goal is reached.
    ///
    /// Nobody holds a lock between two lvm commands in a VG that is not shared, so others may have written since: what counts is
    /// whether the goal is reached now.
    fn look(&self) {
        let (results, environment) = (self.results(), Arc::clone(&self.environment));
        let (vg, wanted, described) = (self.vg.clone(), self.wanted.clone(), self.known.described.clone());
        let log = self.log.clone();
        tokio::spawn(async move {
            let sys = &environment.settings.sys;
            let finding = match environment.lvm.read(&vg).await {
                Ok(picture) if described.is_reached(&wanted, &picture) => Finding::Applied,
                Ok(_) => Finding::NotApplied,
                Err(ReadError::NoVg(_)) if devices::are_gone(sys.clone(), &described.vg_uuid).await => {
                    Finding::NotApplied
                }
                Err(error) => {
                    warn!(log, "the metadata cannot be read"; "error" => chain(&error), "next" => "read again");
                    Finding::Unreadable
                }
            };
            results.tell(Event::Looked(finding));
        });
    }
}
