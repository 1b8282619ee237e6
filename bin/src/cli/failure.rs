//! Why a command did not do what was asked, in words that name the thing and say what to do, with the exit code.

use std::fmt::Display;
use std::io;

use lvmwarden_protocol::api::service::Bounded;
use lvmwarden_protocol::api::{
    CallError, InterfaceError as _, Parameters, archive, events, lock, metadata, metrics, poll, reconfigure,
    service, supervisor, varlink_service,
};

use super::client::ClientError;
use super::exit::Exit;
use super::metadata::time;

/// What the user is told at the end of a command that failed.
#[derive(Debug, PartialEq)]
pub(super) struct Failure {
    /// The exit code.
    pub(super) exit: Exit,
    /// What is wrong; empty when there is nobody to tell, or all is told.
    pub(super) message: String,
    /// What to do about it.
    pub(super) advice: Option<String>,
    /// The API's answer, for `--json`: the error's full name and its parameters.
    pub(super) answer: Option<(String, Parameters)>,
}

impl Failure {
    /// Makes one with exit code 1.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self::with(Exit::Failed, message)
    }

    /// Makes one.
    pub(super) fn with(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), advice: None, answer: None }
    }

    /// Makes one that says nothing, because the command has.
    pub(super) fn told(exit: Exit) -> Self {
        Self::with(exit, "")
    }

    /// Adds what to do.
    pub(super) fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }
}

impl From<io::Error> for Failure {
    /// Explains that the text for the user could not be written.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // Whoever reads has seen enough, as `head` does.
            io::ErrorKind::BrokenPipe => Self::told(Exit::Done),
            _ => Self::new(format!("cannot write the output: {error}")),
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        error.about("the daemon")
    }
}

impl ClientError {
    /// Explains the error to the user; `subject` is what the call was about, such as an LV.
    pub(super) fn about(self, subject: impl Display) -> Failure {
        match self {
            Self::Connect { socket, source } => not_connected(&socket.display().to_string(), &source),
            Self::Lost => {
                Failure::with(Exit::Unreachable, "the daemon closed the connection before it answered")
                    .advise("see whether it runs: systemctl status lvmwardend")
            }
            Self::NoAnswer => busy(),
            Self::Garbled(error) => {
                Failure::new(format!("whoever serves the socket does not speak Varlink: {error}"))
                    .advise("see who listens on it: lvmwarden doctor")
            }
            Self::Call(CallError::Unreadable(error)) => {
                Failure::new(format!("the daemon's answer has another form than this program knows: {error}"))
                    .advise("see whether both have the same version: lvmwarden doctor")
            }
            Self::Call(refusal) => {
                let mut failure = refused(&refusal, &subject.to_string());
                if let CallError::Refused { error, parameters } = refusal {
                    failure.answer = Some((error, parameters));
                }
                failure
            }
        }
    }
}

fn not_connected(socket: &str, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::PermissionDenied => Failure::with(Exit::Denied, format!("you may not open {socket}"))
            .advise(
                "root may, and the members of the socket's group may read and watch: try sudo, or see ls -l",
            ),
        io::ErrorKind::NotFound => {
            Failure::with(Exit::Unreachable, format!("the daemon does not run: {socket} does not exist"))
                .advise("start it: systemctl start lvmwardend; or name another socket: --socket PATH")
        }
        io::ErrorKind::ConnectionRefused => {
            Failure::with(Exit::Unreachable, format!("the daemon does not run: nobody listens on {socket}"))
                .advise("start it: systemctl start lvmwardend")
        }
        _ => Failure::with(Exit::Unreachable, format!("cannot connect to {socket}: {error}")),
    }
}

fn busy() -> Failure {
    Failure::with(
        Exit::TimedOut,
        "the daemon is busy and did not answer in time; nothing was changed, or not yet",
    )
    .advise("try again; if it stays so, see its log: journalctl -u lvmwardend")
}

fn too_many(what: Bounded, uid: Option<u32>, limit: u64) -> Failure {
    let (what, see) = match what {
        Bounded::Connections => ("connections to the daemon", "see whose they are: ss -xp"),
        Bounded::WaitingCalls => ("calls that wait for what happens", "see whose they are: ss -xp"),
        Bounded::DryRuns => ("dry runs", "try again when they are done"),
    };
    let (whose, end) = match uid {
        Some(uid) => (format!("user {uid} has"), "end some of yours"),
        None => ("all users together have".to_owned(), "end some that nobody needs"),
    };
    let message = format!("too many: {whose} {limit} {what}, which is as many as there may be");
    Failure::with(Exit::TooMany, message).advise(format!("{end}; {see}"))
}

/// Words an error that the daemon answered with.
fn refused(refusal: &CallError, subject: &str) -> Failure {
    if let Some(error) = poll::Error::from_refusal(refusal) {
        return poll_error(&error, subject);
    }
    if let Some(error) = supervisor::Error::from_refusal(refusal) {
        return match error {
            supervisor::Error::UnknownName { name } => {
                Failure::new(format!("nothing below the root of the tree is called {name}"))
                    .advise("see the names: lvmwarden tree")
            }
            supervisor::Error::BadLevel { level, permitted } => {
                Failure::new(format!("there is no log level {level}"))
                    .advise(format!("there are {}", permitted.join(", ")))
            }
            supervisor::Error::Busy => busy(),
        };
    }
    if let Some(error) = archive::Error::from_refusal(refusal) {
        return match error {
            archive::Error::Off => Failure::new("the archive janitor is turned off")
                .advise("see what it would remove: lvmwarden archive plan; turn it on: archive_janitor.enabled in lvmwarden.toml"),
            archive::Error::Busy => Failure::with(Exit::TimedOut, "another pass over the archive is under way")
                .advise("see whether it comes to its end: lvmwarden archive status"),
            archive::Error::Failed { reason } => Failure::new(format!("the pass was not finished: failed to {reason}"))
                .advise("what is gone is gone, and the next pass goes on; see also journalctl -u lvmwardend"),
        };
    }
    if let Some(error) = lock::Error::from_refusal(refusal) {
        return lock_error(error);
    }
    if let Some(error) = metadata::Error::from_refusal(refusal) {
        return metadata_error(error);
    }
    if let Some(error) = reconfigure::Error::from_refusal(refusal) {
        return reconfigure_error(error);
    }
    if let Some(error) = varlink_service::Error::from_refusal(refusal) {
        return varlink_error(&error);
    }
    if let Some(error) = service::Error::from_refusal(refusal) {
        return match error {
            service::Error::InvalidMessage { reason } => {
                Failure::new(format!("the daemon could not read the call: {reason}"))
            }
            service::Error::MessageTooLarge { limit_bytes } => {
                Failure::new(format!("the call, or the answer to it, is larger than {limit_bytes} bytes"))
            }
            service::Error::StillNeeded { reason } => {
                Failure::new(format!("the daemon does not end: {reason}"))
            }
            service::Error::TooMany { what, uid, limit } => too_many(what, uid, limit),
            service::Error::Busy => busy(),
        };
    }
    if events::Error::from_refusal(refusal).is_some() || metrics::Error::from_refusal(refusal).is_some() {
        return busy();
    }
    Failure::new(format!("failed to {refusal}"))
}

fn lock_error(error: lock::Error) -> Failure {
    match error {
        lock::Error::NotServed => Failure::new("the daemon does not hold locks, or not without polling")
            .advise(
                "turn it on: service.roles = [\"poll\", \"lock\"] in lvmwarden.toml, and end lvmlockd before",
            ),
        lock::Error::NotStarted { vgname } => {
            Failure::new(format!("VG {vgname} has no lockspace on this host"))
                .advise(format!("start it: lvmwarden lock start {vgname}"))
        }
        lock::Error::Refused { vgname, code, reason } => {
            Failure::new(format!("the lockspace of VG {vgname} is as it was: {reason} ({code})"))
                .advise(format!("see who holds what: lvmwarden lock show {vgname}"))
        }
        lock::Error::Busy => busy(),
    }
}

fn reconfigure_error(error: reconfigure::Error) -> Failure {
    use reconfigure::Error;
    match error {
        Error::NotServed => Failure::new("the daemon makes no changes of VGs")
            .advise("turn it on: add \"reconfigure\" to service.roles in lvmwarden.toml"),
        Error::NoTransport { reason } | Error::NoQuorum { reason } => {
            Failure::new(format!("nothing was changed: {reason}"))
                .advise("see who is in the group: lvmwarden reconfigure members")
        }
        Error::NotShared { vgname } => Failure::new(format!("VG {vgname} is not shared")),
        Error::NotCovered { vgname, hosts } => {
            Failure::new(format!("VG {vgname} is started on hosts without this daemon: {}", hosts.join(", ")))
                .advise(format!("stop it there: lvmwarden lock stop {vgname}; or start lvmwardend there"))
        }
        Error::BadGoal { field, reason } => Failure::new(format!("{field}: {reason}")),
        Error::AlreadyChanging { vgname, id } => {
            Failure::new(format!("another change of VG {vgname} is under way: {id}"))
                .advise(format!("wait for it: lvmwarden reconfigure wait {id}"))
        }
        Error::LockHeld { vgname, holder } => {
            let holder = holder.unwrap_or_else(|| "somebody".to_owned());
            Failure::new(format!("the lock of VG {vgname} is held by {holder}"))
                .advise(format!("see why: lvmwarden lock explain {vgname}"))
        }
        Error::TooLate { id, phase } => {
            Failure::new(format!("change {id} cannot be abandoned any more: it is {}", phase.as_str()))
                .advise(format!("see how it ends: lvmwarden reconfigure wait {id}"))
        }
        Error::NotFound { id } => Failure::new(format!("there is no change {id}, or not any more"))
            .advise("see those that there are: lvmwarden reconfigure list"),
        Error::Busy => busy(),
    }
}

/// Words an error of the interface about VGs.
pub(super) fn metadata_error(error: metadata::Error) -> Failure {
    match error {
        metadata::Error::NotServed => Failure::new("the daemon does not know VGs and LVs")
            .advise("turn it on: add \"metadata\" to service.roles in lvmwarden.toml"),
        metadata::Error::NotFound { vgname, coverage } => match coverage.reading {
            metadata::Reading::Done => Failure::new(format!("there is no VG {vgname}"))
                .advise("see those that there are: lvmwarden metadata vgs"),
            metadata::Reading::Underway => Failure::new(format!(
                "no VG {vgname} is known yet: not all PVs were looked at, since {}",
                time(coverage.since_ms)
            ))
            .advise(format!("wait for it: lvmwarden metadata wait {vgname}")),
        },
        metadata::Error::Ambiguous { vgname, uuids } => Failure::new(format!(
            "several VGs are called {vgname}: {}",
            uuids.join(", ")
        ))
        .advise(format!("name the one that is meant: --uuid {}", uuids.first().map_or("", String::as_str))),
        metadata::Error::CannotRescan { device, reason } => {
            Failure::new(format!("{device} was not read: {reason}"))
        }
        metadata::Error::Busy => busy(),
    }
}

fn poll_error(error: &poll::Error, subject: &str) -> Failure {
    match error {
        poll::Error::NotFound { id } => Failure::new(format!("there is no operation {id}, or not any more"))
            .advise("see those that there are: lvmwarden poll list; and were: lvmwarden poll history"),
        poll::Error::Busy => busy(),
        poll::Error::DifferentOperation => {
            Failure::new(format!("another kind of operation is in progress on {subject}"))
                .advise(format!("see which: lvmwarden poll show {subject}"))
        }
        poll::Error::Failed { reason } => Failure::new(format!("the daemon failed with {subject}: {reason}"))
            .advise("see its log: journalctl -u lvmwardend"),
        poll::Error::CannotPause { reason } => Failure::new(format!("{subject} cannot be paused: {reason}")),
        poll::Error::NotPvmove => {
            Failure::new(format!("{subject} is not a pvmove, which alone can be aborted"))
        }
    }
}

fn varlink_error(error: &varlink_service::Error) -> Failure {
    const OTHER_VERSION: &str = "see whether both have the same version: lvmwarden doctor";
    match error {
        varlink_service::Error::PermissionDenied => Failure::with(Exit::Denied, "you may not do that")
            .advise("only root may change something; the members of the daemon's group may read and watch"),
        varlink_service::Error::InvalidParameter { parameter } => {
            Failure::new(format!("the daemon does not accept the {parameter} that was given"))
        }
        varlink_service::Error::InterfaceNotFound { interface } => {
            Failure::new(format!("the daemon does not know {interface}")).advise(OTHER_VERSION)
        }
        varlink_service::Error::MethodNotFound { method }
        | varlink_service::Error::MethodNotImplemented { method } => {
            Failure::new(format!("the daemon does not know {method}")).advise(OTHER_VERSION)
        }
        varlink_service::Error::ExpectedMore => {
            Failure::new("the daemon gives several answers where this program expects one")
                .advise(OTHER_VERSION)
        }
    }
}
