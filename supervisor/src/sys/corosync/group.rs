//! A group of processes: who is in it, and messages that all its members receive in the same order.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ffi::{c_char, c_void};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, RawFd};
use std::ptr;

use super::failure::{Failure, check};
use super::raw::{self, CpgFunctions, CpgModel, Handle, Name};
use super::{Breaker, LibraryError, RingId, borrowed, slice};

/// The library.
#[derive(Clone, Copy)]
pub struct Cpg(&'static CpgFunctions);

/// A connection to CPG. Dropped, it is closed, and this process leaves its group.
pub struct Group {
    functions: &'static CpgFunctions,
    handle: Handle,
    fd: RawFd,
    /// What the library has told in one dispatch and was not asked for yet.
    told: VecDeque<GroupEvent>,
    longest: usize,
}

/// A process in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// Its node.
    pub node: u32,
    /// Its process id there.
    pub pid: u32,
}

/// Why a process is in a group or is not any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It has joined.
    Join,
    /// It has left.
    Leave,
    /// Its node is not heard any more.
    NodeDown,
    /// Its node is heard again.
    NodeUp,
    /// It has died, or its connection is broken.
    ProcessDown,
    /// A number that the headers do not have.
    Other(u32),
}

/// What a group tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupEvent {
    /// A message.
    Delivered {
        /// Who has sent it.
        from: Address,
        /// The message.
        bytes: Vec<u8>,
    },
    /// A message that is longer than the caller wants.
    TooLong {
        /// Who has sent it.
        from: Address,
        /// Its length in bytes.
        bytes: usize,
    },
    /// The group has changed.
    Changed {
        /// Who is in it now.
        members: Vec<Address>,
        /// Who has left, and why.
        left: Vec<(Address, Reason)>,
        /// Who has joined, and why.
        joined: Vec<(Address, Reason)>,
    },
    /// The cluster has changed.
    Ring {
        /// Its configuration.
        ring: RingId,
        /// The nodes in it.
        nodes: Vec<u32>,
    },
}

/// What the callbacks add to: the library calls them on the thread that dispatches, before it returns.
struct Heard {
    events: Vec<GroupEvent>,
    longest: usize,
}

thread_local! {
    static HEARD: RefCell<Heard> = const { RefCell::new(Heard { events: Vec::new(), longest: 0 }) };
}

impl Cpg {
    /// Opens the library, unless it is open already.
    ///
    /// # Errors
    /// It is absent, or is another library.
    pub fn load() -> Result<Self, LibraryError> {
        CpgFunctions::load().map(Self)
    }

    /// Connects to the daemon of this host; messages above `longest` bytes are told without their bytes.
    ///
    /// # Errors
    /// [`Failure::LIBRARY`] when there is none; others.
    pub fn open(self, longest: usize) -> Result<Group, Failure> {
        let mut model = CpgModel {
            model: raw::MODEL_V1,
            deliver: Some(deliver),
            change: Some(change),
            totem_change: Some(totem_change),
            flags: raw::DELIVER_INITIAL_TOTEM_CONF,
        };
        let mut handle = 0;
        // SAFETY: handle and model live until the call returns; the library copies the model, whose functions live for ever.
        // It passes the context on, and nobody reads it.
        check(unsafe {
            (self.0.initialize)(&raw mut handle, raw::MODEL_V1, &raw mut model, ptr::null_mut())
        })?;
        let mut group = Group { functions: self.0, handle, fd: -1, told: VecDeque::new(), longest };
        // SAFETY: the handle is open; the number is only written to.
        check(unsafe { (self.0.fd_get)(handle, &raw mut group.fd) })?;
        Ok(group)
    }
}

impl Group {
    /// Joins the group of this name, of 1 to 128 bytes. This is told like any other change.
    ///
    /// # Errors
    /// [`Failure::TRY_AGAIN`] while the cluster changes; others.
    pub fn join(&mut self, name: &str) -> Result<(), Failure> {
        let name = group_name(name)?;
        // SAFETY: the handle is open; the name lives until the call returns.
        check(unsafe { (self.functions.join)(self.handle, &raw const name) })
    }

    /// Leaves the group of this name.
    ///
    /// # Errors
    /// [`Failure::TRY_AGAIN`] while the cluster changes; others.
    pub fn leave(&mut self, name: &str) -> Result<(), Failure> {
        let name = group_name(name)?;
        // SAFETY: the handle is open; the name lives until the call returns.
        check(unsafe { (self.functions.leave)(self.handle, &raw const name) })
    }

    /// Returns the id of this node.
    ///
    /// # Errors
    /// Those of the library.
    pub fn local_node(&mut self) -> Result<u32, Failure> {
        let mut node = 0;
        // SAFETY: the handle is open; the number is only written to.
        check(unsafe { (self.functions.local_get)(self.handle, &raw mut node) })?;
        Ok(node)
    }

    /// Takes one event, if there is one; does not wait.
    ///
    /// # Errors
    /// [`Failure::LIBRARY`]: the connection is broken; others.
    pub fn dispatch(&mut self) -> Result<Option<GroupEvent>, Failure> {
        if let Some(event) = self.told.pop_front() {
            return Ok(Some(event));
        }
        HEARD.with_borrow_mut(|heard| heard.longest = self.longest);
        // SAFETY: the handle is open. The callbacks take no pointer with them.
        let status = unsafe { (self.functions.dispatch)(self.handle, raw::DISPATCH_ONE_NONBLOCKING) };
        self.told.extend(HEARD.with_borrow_mut(|heard| heard.events.drain(..).collect::<Vec<_>>()));
        match (self.told.pop_front(), check(status)) {
            (Some(event), _) => Ok(Some(event)),
            (None, Ok(()) | Err(Failure::TRY_AGAIN)) => Ok(None),
            (None, Err(failure)) => Err(failure),
        }
    }

    /// Sends a message to all members of the group, this one too. That it is sent does not mean that it will be delivered.
    ///
    /// # Errors
    /// [`Failure::TRY_AGAIN`] while there is no room, or the cluster changes; others.
    pub fn multicast(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let parts = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
        // SAFETY: the handle is open; the library only reads the bytes, before the call returns.
        check(unsafe { (self.functions.multicast)(self.handle, raw::TYPE_AGREED, &raw const parts, 1) })
    }

    /// Returns what breaks this connection from another thread.
    ///
    /// # Errors
    /// There are too many descriptors.
    pub fn breaker(&self) -> io::Result<Breaker> {
        Breaker::of(self.as_fd())
    }
}

impl AsFd for Group {
    /// Becomes readable when there is something to dispatch.
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the library closes its descriptor only when the connection is finalized, in `drop`.
        unsafe { borrowed(self, self.fd) }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // SAFETY: the handle is open, and nobody uses it after this.
        unsafe { (self.functions.finalize)(self.handle) };
    }
}

fn group_name(text: &str) -> Result<Name, Failure> {
    let bytes = text.as_bytes();
    let mut name = Name { length: 0, value: [0; raw::NAME_MAX] };
    let room = name.value.get_mut(..bytes.len()).filter(|room| !room.is_empty());
    for (place, byte) in room.ok_or(Failure::INVALID_PARAM)?.iter_mut().zip(bytes) {
        *place = c_char::from_ne_bytes([*byte]);
    }
    name.length = u32::try_from(bytes.len()).map_err(|_| Failure::INVALID_PARAM)?;
    Ok(name)
}

/// Adds to what was heard, without ever unwinding into C.
fn hear(event: impl FnOnce(usize) -> GroupEvent) {
    let _ = HEARD.try_with(|heard| {
        if let Ok(mut heard) = heard.try_borrow_mut() {
            let event = event(heard.longest);
            heard.events.push(event);
        }
    });
}

unsafe extern "C" fn deliver(
    _: Handle,
    _: *const Name,
    node: u32,
    pid: u32,
    message: *mut c_void,
    length: usize,
) {
    let from = Address { node, pid };
    hear(|longest| {
        if length > longest {
            return GroupEvent::TooLong { from, bytes: length };
        }
        // SAFETY: the library says that there are so many bytes, until this returns.
        let bytes = unsafe { slice(message.cast::<u8>().cast_const(), length) };
        GroupEvent::Delivered { from, bytes: bytes.to_vec() }
    });
}

unsafe extern "C" fn change(
    _: Handle,
    _: *const Name,
    members: *const raw::Address,
    member_count: usize,
    left: *const raw::Address,
    left_count: usize,
    joined: *const raw::Address,
    joined_count: usize,
) {
    // SAFETY: the library says that there are so many of each, until this returns.
    let lists =
        unsafe { [slice(members, member_count), slice(left, left_count), slice(joined, joined_count)] };
    let [members, left, joined] = lists.map(|list| list.iter().map(with_reason).collect::<Vec<_>>());
    let members = members.into_iter().map(|(address, _)| address).collect();
    hear(|_| GroupEvent::Changed { members, left, joined });
}

unsafe extern "C" fn totem_change(_: Handle, ring: raw::RingId, count: u32, nodes: *const u32) {
    // SAFETY: the library says that there are so many, until this returns.
    let nodes = unsafe { slice(nodes, count as usize) }.to_vec();
    hear(|_| GroupEvent::Ring { ring: ring.into(), nodes });
}

fn with_reason(raw: &raw::Address) -> (Address, Reason) {
    let reason = match raw.reason {
        raw::REASON_JOIN => Reason::Join,
        raw::REASON_LEAVE => Reason::Leave,
        raw::REASON_NODE_DOWN => Reason::NodeDown,
        raw::REASON_NODE_UP => Reason::NodeUp,
        raw::REASON_PROCESS_DOWN => Reason::ProcessDown,
        other => Reason::Other(other),
    };
    (Address { node: raw.node, pid: raw.pid }, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_1_to_128_bytes() {
        assert!(group_name("").is_err());
        assert!(group_name(&"x".repeat(129)).is_err());
        let name = group_name("ab").expect("it is short");
        assert_eq!((name.length, name.value[1]), (2, c_char::from_ne_bytes([b'b'])));
        assert_eq!(group_name(&"x".repeat(128)).map(|name| name.length), Ok(128));
    }

    #[test]
    fn a_callback_keeps_the_order_and_leaves_out_what_is_too_long() {
        HEARD.with_borrow_mut(|heard| heard.longest = 3);
        let address = |reason| raw::Address { node: 1, pid: 7, reason };
        let (joined, left) = ([address(raw::REASON_JOIN)], [address(9)]);
        let mut message = *b"abcd";
        let name = ptr::null();
        let ring = raw::RingId { node: 2, sequence: 5 };
        // SAFETY: each pointer is to as many values as said, or is null with none.
        unsafe {
            change(0, name, joined.as_ptr(), 1, left.as_ptr(), 1, ptr::null(), 0);
            totem_change(0, ring, 0, ptr::null());
            deliver(0, name, 1, 7, message.as_mut_ptr().cast(), 3);
            deliver(0, name, 1, 7, message.as_mut_ptr().cast(), 4);
        }
        let from = Address { node: 1, pid: 7 };
        let heard = HEARD.with_borrow_mut(|heard| std::mem::take(&mut heard.events));
        let expected = [
            GroupEvent::Changed { members: vec![from], left: vec![(from, Reason::Other(9))], joined: vec![] },
            GroupEvent::Ring { ring: RingId { node: 2, sequence: 5 }, nodes: vec![] },
            GroupEvent::Delivered { from, bytes: b"abc".to_vec() },
            GroupEvent::TooLong { from, bytes: 4 },
        ];
        assert_eq!(heard, expected);
    }
}
