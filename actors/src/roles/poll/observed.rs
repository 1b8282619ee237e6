//! How the actors of the tree fare, as events: what supervisors tell an observer is told to everybody.

use lvmwarden_supervisor::{ExitReason, Name, Next, Observer};

use crate::foundation::facts::events::Events;
use crate::foundation::facts::occurrence::Occurrence;

impl Observer for Events {
    fn ended(&self, name: &Name, reason: &ExitReason, next: Next) {
        self.publish(&Occurrence::ActorEnded {
            name: name.to_string(),
            reason: reason.to_string(),
            is_panic: matches!(reason, ExitReason::Panicked(_)),
            next: next.as_str(),
        });
    }

    fn restarted(&self, name: &Name, restarts: u64) {
        self.publish(&Occurrence::ActorRestarted { name: name.to_string(), restarts });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foundation::facts::metrics::Metrics;

    #[test]
    fn what_a_supervisor_tells_is_an_event() {
        let (events, name) = (Events::new(Metrics::new(), 10), Name::root().child("journal"));
        events.ended(&name, &ExitReason::Panicked("boom".to_owned()), Next::Restart);
        events.ended(&name, &ExitReason::Killed, Next::Nothing);
        events.restarted(&name, 3);
        let told = events.recent(None).into_iter().map(|event| {
            let fields: Vec<_> =
                event.fields.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("{} {} {}", event.kind, event.subject, fields.join(", "))
        });
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                "actor.ended root/journal is_panic=true, next=restart, reason=panicked: boom",
                "actor.ended root/journal is_panic=false, next=nothing, reason=killed",
                "actor.restarted root/journal restarts=3",
            ]
        );
    }
}
