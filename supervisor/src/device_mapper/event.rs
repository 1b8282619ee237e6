//! The kernel's word that something has happened to a device.

use std::io;
use std::os::fd::OwnedFd;

use crate::sys::WatchedFd;

/// Returns what ends with the first event after `control`, which is `/dev/mapper/control`, was opened.
///
/// Events are the end of a mirror's copying, of a snapshot's merge or of a resync, a failing disk, a device that is made,
/// renamed or removed: of any device.
///
/// # Errors
/// The descriptor cannot be waited for: before Linux 4.13, or another file.
///
/// # Panics
/// Outside a tokio runtime with I/O enabled.
///
/// # Cancel safety
/// The returned future is cancel-safe. It fails only when the runtime is going down.
///
/// Source: Linux 6.18, `dm-ioctl.c`: `dm_open` takes note of the number of events, and `dm_poll` compares.
pub fn first_event(control: OwnedFd) -> io::Result<impl Future<Output = io::Result<()>> + Send> {
    let control = WatchedFd::new(control).map_err(|(_control, error)| error)?;
    Ok(async move { control.readable().await })
}

#[cfg(test)]
mod tests {
    use std::io::{Write, pipe};
    use std::time::Duration;

    use tokio::time::timeout;

    use super::first_event;

    const SOON: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn it_ends_when_the_descriptor_becomes_readable_and_not_before() {
        let (reader, mut writer) = pipe().unwrap();
        let mut event = std::pin::pin!(first_event(reader.into()).unwrap());
        assert!(timeout(SOON, &mut event).await.is_err(), "nothing has happened");
        writer.write_all(b".").unwrap();
        timeout(Duration::from_secs(10), event).await.expect("something has happened").unwrap();
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_waited_for_is_refused() {
        let file = tempfile::tempfile().unwrap();
        assert!(first_event(file.into()).is_err());
    }
}
