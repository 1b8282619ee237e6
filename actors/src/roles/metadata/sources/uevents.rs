//! What the kernel says of block devices, as it happens.
//!
//! A device that was written to and closed has such a message, because udev watches for that and asks the kernel for one; so
//! has a device that comes or goes. Messages come from the kernel alone: their sender is port 0, which no process can have.
//! (With credentials it would be no surer; and what a message brings about is a read of a device that is known anyway.)
//!
//! Where messages come faster than they are read the kernel drops some and says so: then everything has to be looked at.
//!
//! Source: netlink(7); Linux 6.1, `lib/kobject_uevent.c`.

use std::io;

use lvmwarden_supervisor::sys::WatchedFd;
use rustix::net::netlink::{KOBJECT_UEVENT, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recvfrom, socket_with, sockopt};

use super::device::DeviceNumber;

/// The kernel's own group; udev's is another.
const KERNEL: u32 = 1;
/// More than the longest message.
const MESSAGE_BYTES: usize = 16 * 1024;
/// How much the kernel keeps until it is read, in bytes.
const KEPT_BYTES: usize = 4 * 1024 * 1024;

/// What has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// A block device came, changed, or was written to.
    Changed(DeviceNumber),
    /// A block device is gone.
    Removed(DeviceNumber),
    /// The kernel has dropped messages.
    Dropped,
}

/// The kernel's messages.
#[derive(Debug)]
pub struct Uevents(WatchedFd);

impl Uevents {
    /// Listens from now on. Must be called within the runtime.
    ///
    /// # Errors
    /// That of socket(2) or bind(2).
    pub fn listen() -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, Some(KOBJECT_UEVENT))?;
        // Without the capability the default has to do.
        let _ = sockopt::set_socket_recv_buffer_size_force(&socket, KEPT_BYTES);
        bind(&socket, &SocketAddrNetlink::new(0, KERNEL))?;
        WatchedFd::new(socket).map(Self).map_err(|(_, error)| error)
    }

    /// Returns what happens next to any block device.
    ///
    /// # Errors
    /// The socket is of no use any more.
    ///
    /// # Cancel safety
    /// Cancel-safe: a message is taken in the step that returns it.
    pub async fn next(&self) -> io::Result<Happened> {
        let mut message = vec![0; MESSAGE_BYTES];
        loop {
            let received =
                self.0.read_with(|socket| Ok(recvfrom(socket, &mut message[..], RecvFlags::TRUNC)?));
            match received.await {
                Ok((_, size, sender)) => {
                    let sender = sender.and_then(|sender| SocketAddrNetlink::try_from(sender).ok());
                    let is_kernel =
                        sender.is_some_and(|sender| (sender.pid(), sender.groups()) == (0, KERNEL));
                    if is_kernel && let Some(happened) = message.get(..size).and_then(parse) {
                        return Ok(happened);
                    }
                }
                Err(error) if error.raw_os_error() == Some(rustix::io::Errno::NOBUFS.raw_os_error()) => {
                    return Ok(Happened::Dropped);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// Returns what a message says of a block device: `ACTION@PATH`, then `KEY=VALUE` each, all ended by NUL.
fn parse(message: &[u8]) -> Option<Happened> {
    let mut fields =
        message.split(|byte| *byte == 0).map(|field| std::str::from_utf8(field).unwrap_or_default());
    fields.next().filter(|head| head.contains('@'))?;
    let (mut action, mut major, mut minor, mut is_block) = (None, None, None, false);
    for (key, value) in fields.filter_map(|field| field.split_once('=')) {
        match key {
            "ACTION" => action = Some(value),
            "SUBSYSTEM" => is_block = value == "block",
            "MAJOR" => major = Some(value),
            "MINOR" => minor = Some(value),
            _another => {}
        }
    }
    let device = format!("{}:{}", major?, minor?).parse().ok().filter(|_| is_block)?;
    Some(if action? == "remove" { Happened::Removed(device) } else { Happened::Changed(device) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_block_devices_are_told_and_all_others_are_not() {
        let device = DeviceNumber { major: 254, minor: 16 };
        let message = |action: &str, subsystem: &str| {
            format!(
                "{action}@/devices/virtual/block/vdb\0ACTION={action}\0DEVPATH=/devices/virtual/block/vdb\0\
                 SUBSYSTEM={subsystem}\0MAJOR=254\0MINOR=16\0DEVNAME=vdb\0SEQNUM=1\0"
            )
        };
        assert_eq!(parse(message("change", "block").as_bytes()), Some(Happened::Changed(device)));
        assert_eq!(parse(message("add", "block").as_bytes()), Some(Happened::Changed(device)));
        assert_eq!(parse(message("remove", "block").as_bytes()), Some(Happened::Removed(device)));
        assert_eq!(parse(message("change", "tty").as_bytes()), None);
        for bytes in [
            &b""[..],
            b"libudev\0\xfe\xed",
            b"change@/x\0ACTION=change\0SUBSYSTEM=block\0MAJOR=1\0",
            b"\xff@\0",
        ] {
            assert_eq!(parse(bytes), None);
        }
    }

    #[tokio::test]
    async fn a_process_cannot_speak_for_the_kernel() {
        // In a machine that forbids such sockets there is nothing to be listened to.
        let Ok(uevents) = Uevents::listen() else { return };
        let address = rustix::net::getsockname(&uevents.0).unwrap();
        let flags = SocketFlags::CLOEXEC;
        let liar = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, Some(KOBJECT_UEVENT)).unwrap();
        let lie = b"change@/x\0ACTION=change\0SUBSYSTEM=block\0MAJOR=1\0MINOR=9999\0";
        let address = SocketAddrNetlink::try_from(address).unwrap();
        let _ = rustix::net::sendto(&liar, lie, rustix::net::SendFlags::empty(), &address);
        let lied = DeviceNumber { major: 1, minor: 9999 };
        let heard = tokio::time::timeout(std::time::Duration::from_millis(200), async {
            while !matches!(uevents.next().await, Ok(Happened::Changed(device)) if device == lied) {}
        });
        assert!(heard.await.is_err(), "it was believed");
    }
}
