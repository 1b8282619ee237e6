//! `poll pause` and `poll resume`.

use lvmwarden_protocol::api::poll::{Operation, Pause, Resume};

use crate::cli::failure::Failure;
use crate::cli::operation::{lv, state};
use crate::cli::screen::{Screen, plain};
use crate::cli::selection;

/// Has pvmoves wait at the end of the segment that is being copied.
pub(super) fn pause(screen: &mut Screen, texts: &[String]) -> Result<(), Failure> {
    let mut client = screen.connect()?;
    for operation in selection::find(&mut client, texts)? {
        let subject = lv(&operation);
        let answer = client.call(&Pause { id: operation.id }).map_err(|error| error.about(&subject))?;
        screen.answer(&answer, |reply| format!("{}: {}\n", plain(&subject), paused(&reply.operation)))?;
    }
    Ok(())
}

/// Has them go on.
pub(super) fn resume(screen: &mut Screen, texts: &[String]) -> Result<(), Failure> {
    let mut client = screen.connect()?;
    for operation in selection::find(&mut client, texts)? {
        let subject = lv(&operation);
        let answer = client.call(&Resume { id: operation.id }).map_err(|error| error.about(&subject))?;
        screen.answer(&answer, |_| format!("{}: goes on\n", plain(&subject)))?;
    }
    Ok(())
}

/// Says when the pause begins: what the kernel copies it copies to its end.
fn paused(operation: &Operation) -> String {
    match operation.copy {
        _ if operation.hold.is_some() => state(operation).0,
        Some(copy) => format!("pauses when segment {} of {} is copied", copy.segment, copy.segments),
        None => "pauses when the segment in hand is copied".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use lvmwarden_protocol::api::poll::{CopyProgress, Hold, HoldKind, OperationState};

    use super::*;
    use crate::cli::samples::pvmove;

    #[test]
    fn it_is_said_when_the_pause_begins() {
        let copy = CopyProgress {
            done_bytes: 1,
            total_bytes: 4,
            segment: 2,
            segments: 3,
            bytes_per_second: None,
            left_seconds: None,
        };
        let copying = Operation { copy: Some(copy), ..pvmove(1, "vg", None) };
        assert_eq!(paused(&copying), "pauses when segment 2 of 3 is copied");
        assert_eq!(paused(&pvmove(1, "vg", None)), "pauses when the segment in hand is copied");
        let hold = Some(Hold { kind: HoldKind::Paused, until: None });
        assert_eq!(paused(&Operation { state: OperationState::Held, hold, ..copying }), "paused");
    }
}
