//! The actor that hears the group: keeps who is in it, and tells each change what concerns it.
//!
//! What cannot be read, is not from whom it says, or is about a change that is not known here, is dropped and counted. Proposals of
//! other hosts are among these: what a proposal says beside its round is not on the wire yet.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use lvmwarden_reconfigure::change::Event;
use lvmwarden_reconfigure::member::Member;
use lvmwarden_reconfigure::wire::{Message as Wire, Refusal};
use lvmwarden_supervisor::{ChildLink, Stop};
use slog::{Logger, debug, info, warn};
use tokio::sync::watch;
use tokio::time::sleep;
use uuid::Uuid;

use super::environment::ReconfigureEnvironment;
use super::transport::{Opened, TransportEvent};
use crate::foundation::facts::occurrence::Occurrence;

/// The pause before a transport that has ended is opened anew.
const REOPEN_DELAY: Duration = Duration::from_secs(1);

/// The actor.
pub struct Group {
    environment: Arc<ReconfigureEnvironment>,
    /// Turns true with the first view.
    joined: watch::Sender<bool>,
    link: ChildLink,
}

impl Group {
    /// Makes the actor; `joined` turns true with the first view.
    pub fn new(
        environment: Arc<ReconfigureEnvironment>,
        joined: watch::Sender<bool>,
        link: ChildLink,
    ) -> Self {
        Self { environment, joined, link }
    }
}

impl Actor for Group {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let (environment, joined) = (Arc::clone(&self.environment), self.joined.clone());
        ctx.spawn(hear(environment, joined, self.link.log.clone()).into_actor(self));
    }
}

impl Handler<Stop> for Group {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}

async fn hear(environment: Arc<ReconfigureEnvironment>, joined: watch::Sender<bool>, log: Logger) {
    loop {
        let Opened { transport, mut events } = (environment.open)();
        environment.connect(transport);
        while let Some(event) = events.recv().await {
            take(event, &environment, &joined, &log);
        }
        lost("it has ended".to_owned(), &environment, &log);
        sleep(REOPEN_DELAY).await;
    }
}

fn take(
    event: TransportEvent,
    environment: &ReconfigureEnvironment,
    joined: &watch::Sender<bool>,
    log: &Logger,
) {
    match event {
        TransportEvent::Joined(me) => environment.tell_all(None, |around| around.me = Some(me)),
        TransportEvent::ViewChanged { left, joined: came } => {
            let event = Event::ViewChanged(left.clone(), !came.is_empty());
            environment.tell_all(Some(event), |around| {
                around.membership.view_changed(&left, &came);
                // A host knows what it would tell itself.
                if let Some(me) = around.me {
                    around.membership.hello_heard(me);
                }
            });
            for (members, what) in [(left, "reconfigure.member_left"), (came, "reconfigure.member_joined")] {
                for member in members {
                    tell(environment, log, member, what);
                }
            }
            joined.send_replace(true);
        }
        TransportEvent::RingFormed(ring) => {
            environment.tell_all(Some(Event::SurroundingsChanged), |around| {
                around.ring = Some(ring);
                around.membership.ring_formed(ring);
            });
        }
        TransportEvent::QuorumTold(ring, is_quorate) => {
            environment.tell_all(Some(Event::SurroundingsChanged), |around| {
                around.membership.quorum_told(ring, is_quorate);
            });
        }
        TransportEvent::Delivered(from, bytes) => delivered(from, &bytes, environment, log),
        TransportEvent::Lost(why) => lost(why, environment, log),
    }
}

fn tell(environment: &ReconfigureEnvironment, log: &Logger, member: Member, what: &'static str) {
    let name = environment.name_of(member.node);
    info!(log, "the group has changed"; "what" => what, "node" => &name, "member" => %member);
    let more = vec![("node", name), ("member", member.to_string())];
    environment.events.publish(&Occurrence::Reconfigured { subject: "group".into(), what, more });
}

fn lost(why: String, environment: &ReconfigureEnvironment, log: &Logger) {
    warn!(log, "the transport of changes is lost"; "why" => &why, "next" => "join again");
    environment.tell_all(Some(Event::TransportLost), |around| {
        around.membership.lost();
        around.ring = None;
    });
    let (subject, what) = ("group".into(), "reconfigure.transport_lost");
    environment.events.publish(&Occurrence::Reconfigured { subject, what, more: vec![("reason", why)] });
}

fn delivered(from: Member, bytes: &[u8], environment: &ReconfigureEnvironment, log: &Logger) {
    let drop = |reason: &'static str| {
        debug!(log, "a message of the group is dropped"; "from" => %from, "reason" => reason);
        environment.metrics.dropped(reason);
    };
    let message = match Wire::parse(bytes) {
        Ok(message) if message.is_from(from) => message,
        Ok(_) => return drop("forged"),
        Err(refusal) => return drop(word_of(&refusal)),
    };
    let Ok(id) = message.id.parse::<Uuid>() else { return drop("malformed") };
    if !environment.tell(id, Event::Delivered(from, message.word)) {
        // What is said after the end comes late by rights.
        drop("unknown_change");
    }
}

fn word_of(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::TooLong(_) => "too_long",
        Refusal::TooDeep => "too_deep",
        Refusal::Malformed(_) => "malformed",
        Refusal::Version(_) => "version",
        Refusal::UnknownType => "unknown_type",
        Refusal::Unbounded(_) => "unbounded",
    }
}
