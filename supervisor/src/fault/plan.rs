//! What `LVMWARDEN_FAULT` asks for, and the carrying out.

use std::{
    env,
    str::FromStr,
    sync::{LazyLock, Mutex, PoisonError},
};

use thiserror::Error;

/// Faults that have not struck yet; `None` in all but a few test runs.
static PLAN: LazyLock<Option<Mutex<Plan>>> = LazyLock::new(|| {
    let text = env::var("LVMWARDEN_FAULT").ok()?;
    Some(Mutex::new(text.parse().unwrap_or_else(|error| panic!("failed to {error}"))))
});

pub(super) fn strike(point: &str, subject: &str) {
    let Some(plan) = &*PLAN else { return };
    // Bound to a variable so that the lock is free again when the panic comes.
    let action = plan.lock().unwrap_or_else(PoisonError::into_inner).hit(point, subject);
    match action {
        Some(Action::Kill) => {
            let this_process = rustix::process::getpid();
            rustix::process::kill_process(this_process, rustix::process::Signal::KILL)
                .expect("a process may signal itself");
        }
        Some(Action::Panic) => panic!("fault injected at {point} ({subject})"),
        Some(Action::Stall) => loop {
            std::thread::park();
        },
        None => {}
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Plan(Vec<Fault>);

#[derive(Debug, PartialEq, Eq)]
struct Fault {
    action: Action,
    point: String,
    /// Empty: any subject.
    subject_contains: String,
    /// Strikes when this is counted down to 0.
    hits_left: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Kill,
    Panic,
    Stall,
}

#[derive(Debug, PartialEq, Eq, Error)]
#[error(
    "parse fault {0:?} of LVMWARDEN_FAULT: it is not ACTION@POINT[=TEXT][:HIT] with kill, panic or stall"
)]
struct ParseFaultError(String);

impl Plan {
    /// Counts a hit and returns what is to be done now.
    fn hit(&mut self, point: &str, subject: &str) -> Option<Action> {
        let matches = |fault: &Fault| fault.point == point && subject.contains(&fault.subject_contains);
        for fault in self.0.iter_mut().filter(|fault| matches(fault)) {
            fault.hits_left = fault.hits_left.saturating_sub(1);
        }
        let struck = self.0.iter().position(|fault| fault.hits_left == 0 && matches(fault))?;
        Some(self.0.remove(struck).action)
    }
}

impl FromStr for Plan {
    type Err = ParseFaultError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split(';')
            .filter(|fault| !fault.trim().is_empty())
            .map(str::parse)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl FromStr for Fault {
    type Err = ParseFaultError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseFaultError(text.to_owned());
        let (action, place) = text.trim().split_once('@').ok_or_else(error)?;
        let action = match action {
            "kill" => Action::Kill,
            "panic" => Action::Panic,
            "stall" => Action::Stall,
            _ => return Err(error()),
        };
        let with_hit = place.rsplit_once(':').and_then(|(place, hit)| Some((place, hit.parse().ok()?)));
        let (place, hits_left) = with_hit.unwrap_or((place, 1));
        let (point, subject_contains) = place.split_once('=').unwrap_or((place, ""));
        if point.is_empty() || hits_left == 0 {
            return Err(error());
        }
        Ok(Self { action, point: point.to_owned(), subject_contains: subject_contains.to_owned(), hits_left })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_once_at_its_hit_of_its_point_and_subject() {
        let mut plan: Plan = "panic@op.started=vg0:2; kill@journal.synced".parse().unwrap();
        assert_eq!(plan.hit("op.ended", "vg0/lv"), None);
        assert_eq!(plan.hit("op.started", "vg1/lv"), None);
        assert_eq!(plan.hit("op.started", "vg0/lv"), None);
        assert_eq!(plan.hit("op.started", "vg0/lv"), Some(Action::Panic));
        assert_eq!(plan.hit("op.started", "vg0/lv"), None);
        assert_eq!(plan.hit("journal.synced", ""), Some(Action::Kill));
        assert_eq!(plan.hit("journal.synced", ""), None);
    }

    #[test]
    fn of_two_faults_due_at_once_the_second_strikes_at_the_next_hit() {
        let mut plan: Plan = "panic@a;kill@a".parse().unwrap();
        assert_eq!(plan.hit("a", ""), Some(Action::Panic));
        assert_eq!(plan.hit("b", ""), None);
        assert_eq!(plan.hit("a", ""), Some(Action::Kill));
    }

    #[test]
    fn a_text_may_hold_colons() {
        let Plan(faults) = "panic@op=poll:ABC".parse().unwrap();
        let fault = Fault {
            action: Action::Panic,
            point: "op".into(),
            subject_contains: "poll:ABC".into(),
            hits_left: 1,
        };
        assert_eq!(faults, [fault]);
        let Plan(faults) = "panic@op=poll:7:2".parse().unwrap();
        assert_eq!((&*faults[0].subject_contains, faults[0].hits_left), ("poll:7", 2));
    }

    #[test]
    fn what_is_not_a_fault_is_refused() {
        for text in ["panic", "explode@a", "panic@", "panic@a:0", "panic@=x"] {
            assert_eq!(text.parse::<Plan>(), Err(ParseFaultError(text.to_owned())));
        }
        assert_eq!("".parse::<Plan>(), Ok(Plan(Vec::new())));
    }

    #[test]
    fn each_action_has_its_word() {
        for (word, action) in [("kill", Action::Kill), ("panic", Action::Panic), ("stall", Action::Stall)] {
            let mut plan: Plan = format!("{word}@a").parse().unwrap();
            assert_eq!(plan.hit("a", ""), Some(action));
        }
    }
}
