//! `libdlm_lt` as a safe interface: locks of the kernel's distributed lock manager.
//!
//! Lockspaces, resources and modes, in dlm's own words; what they are used for is the caller's. This is the library
//! without threads: a call reads the completions of the *whole* lockspace until its own is among them. A lockspace is
//! therefore used by one thread at a time, which `&mut` sees to.
//!
//! Source: dlm 4.2.0, its header, `dlm_lock(3)`, `dlm_create_lockspace(3)`; Linux 6.18, `fs/dlm/user.c`.

pub(super) mod control;
pub(super) mod raw;

use std::collections::HashMap;
use std::ffi::{CString, c_int, c_void};
use std::ptr::{self, NonNull};
use std::sync::{Mutex, PoisonError};
use std::{io, mem};

pub use super::library::LibraryError;
pub use control::{DlmControl, Run, RunState};
use raw::{Functions, Handle, StatusBlock};

/// How many bytes the value of a lock has.
pub const VALUE_BYTES: usize = raw::VALUE_LEN;

/// The library.
#[derive(Clone, Copy)]
pub struct Dlm(&'static Functions);

/// How a lock is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// By name only.
    Null,
    /// Together with other readers.
    ProtectedRead,
    /// Alone.
    Exclusive,
}

/// What is done about the value of a lock when its mode changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Ignored,
    /// It is read when the mode rises.
    Read,
    /// This becomes its value; the mode falls from exclusive.
    Written([u8; VALUE_BYTES]),
}

/// A lockspace that is open. Dropped, it is closed: locks above null mode become orphans of this node.
pub struct Lockspace {
    functions: &'static Functions,
    handle: Handle,
    name: CString,
    /// What the kernel was told to write to, for each lock, until the lockspace is closed.
    locks: HashMap<String, Block>,
}

// SAFETY: the handle is a descriptor in memory of its own; nothing of it belongs to a thread. The blocks are memory that
// only this lockspace knows.
unsafe impl Send for Lockspace {}

impl Dlm {
    /// Opens the library, unless it is open already.
    ///
    /// # Errors
    /// It is absent, or is another library.
    pub fn load() -> Result<Self, LibraryError> {
        Functions::load().map(Self)
    }

    /// Returns the version of the kernel's interface: major, minor, patch.
    ///
    /// # Errors
    /// The kernel has no dlm.
    pub fn kernel_version(self) -> io::Result<(u32, u32, u32)> {
        // The library opens its control device at the first call and keeps it in a variable without a lock. After one
        // call that has not failed it only reads it; every other function that touches it is called after this one.
        static FIRST: Mutex<()> = Mutex::new(());
        let _first = FIRST.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut major, mut minor, mut patch) = (0, 0, 0);
        // SAFETY: all pointers are to numbers that live until the call returns, and are only written to.
        check(unsafe { (self.0.kernel_version)(&raw mut major, &raw mut minor, &raw mut patch) })?;
        Ok((major, minor, patch))
    }

    /// Joins a lockspace, for root only; returns when all nodes agree. `exclusive`: this node must not be in it already.
    ///
    /// # Errors
    /// `EEXIST`: this node is in it already; others.
    pub fn join(self, name: &str, exclusive: bool) -> io::Result<Lockspace> {
        self.kernel_version()?;
        let name = lockspace_name(name)?;
        let flags = if exclusive { raw::NEW_EXCLUSIVE } else { 0 };
        // SAFETY: the name ends with a zero and lives until the call returns.
        let handle = unsafe { (self.0.new_lockspace)(name.as_ptr(), 0o600, flags) };
        self.opened(name, handle)
    }

    /// Opens a lockspace that this node is in.
    ///
    /// # Errors
    /// `ENOENT`: it is not in it; others.
    pub fn open(self, name: &str) -> io::Result<Lockspace> {
        self.kernel_version()?;
        let name = lockspace_name(name)?;
        // SAFETY: the name ends with a zero and lives until the call returns.
        let handle = unsafe { (self.0.open_lockspace)(name.as_ptr()) };
        self.opened(name, handle)
    }

    fn opened(self, name: CString, handle: Handle) -> io::Result<Lockspace> {
        if handle.is_null() {
            return Err(io::Error::last_os_error());
        }
        Ok(Lockspace { functions: self.0, handle, name, locks: HashMap::new() })
    }
}

impl Lockspace {
    /// Returns whether there is a lock of this name here, in any mode.
    pub fn has(&self, name: &str) -> bool {
        self.locks.contains_key(name)
    }

    /// Makes a lock in null mode, which no other lock is in the way of. `with_value`: it has a value.
    ///
    /// # Errors
    /// There is none.
    pub fn lock_null(&mut self, name: &str, with_value: bool) -> io::Result<()> {
        let block = self.request_null(name, with_value)?;
        self.locks.insert(name.to_owned(), block);
        Ok(())
    }

    /// Takes over a lock in this mode whose holder on this node has died; returns its value where it has one.
    ///
    /// # Errors
    /// `EAGAIN`: there is one in another mode. `ENOENT`: there is none. Others.
    pub fn adopt(
        &mut self,
        name: &str,
        mode: Mode,
        with_value: bool,
    ) -> io::Result<Option<[u8; VALUE_BYTES]>> {
        let (address, length) = resource_name(name)?;
        let block = Block::new();
        let flags = raw::PERSISTENT | raw::ORPHAN | if with_value { raw::VALUE } else { 0 };
        // SAFETY: the handle is open and the block is kept as long as the lock. The name is only read, and is as long as
        // said. The kernel answers at once and completes nothing later; should it ever, the callback does nothing.
        // Without a function for locks in the way it reports none.
        let answer = unsafe {
            (self.functions.lockx)(
                self.handle,
                mode.number(),
                block.status(),
                flags,
                address,
                length,
                0,
                Some(ignore),
                ptr::null_mut(),
                None,
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        check(answer)?;
        self.locks.insert(name.to_owned(), block);
        Ok(if with_value { self.look_at_value(name) } else { None })
    }

    /// Changes the mode of a lock; returns its value where it is to be read and is valid.
    ///
    /// It does not wait for other nodes to give their locks up, and becomes an orphan if this program dies.
    ///
    /// # Errors
    /// `EAGAIN`: a lock of another node is in the way. `ENOENT`: there is no such lock. Others.
    pub fn convert(&mut self, name: &str, mode: Mode, value: Value) -> io::Result<Option<[u8; VALUE_BYTES]>> {
        let block = self.block(name)?;
        let mut flags = raw::CONVERT;
        if mode != Mode::Null {
            flags |= raw::NO_QUEUE | raw::PERSISTENT;
        }
        if value != Value::Ignored {
            flags |= raw::VALUE;
        }
        if let Value::Written(bytes) = value {
            block.set_value(bytes);
        }
        // SAFETY: the handle is open and the block belongs to the lock whose id is in it. A conversion needs no name.
        // There is no callback.
        let answer = unsafe {
            (self.functions.lock_wait)(
                self.handle,
                mode.number(),
                block.status(),
                flags,
                ptr::null(),
                0,
                0,
                ptr::null_mut(),
                None,
                ptr::null_mut(),
            )
        };
        check(answer)?;
        Ok(if value == Value::Read { block.valid_value() } else { None })
    }

    /// Gives a lock up, in whatever mode it is.
    ///
    /// # Errors
    /// `ENOENT`: there is no such lock. Others.
    pub fn unlock(&mut self, name: &str) -> io::Result<()> {
        self.give_up(self.block(name)?)?;
        // The kernel has completed the last thing about this lock.
        self.locks.remove(name);
        Ok(())
    }

    /// Forgets the locks of this lockspace that programs on node `node_id` left behind.
    ///
    /// # Errors
    /// Those of the library.
    pub fn purge(&mut self, node_id: c_int) -> io::Result<()> {
        // SAFETY: the handle is open; the rest is numbers. No process has the id 0: it stands for those that have died.
        check(unsafe { (self.functions.purge)(self.handle, node_id, 0) })
    }

    /// Leaves the lockspace with this node, whatever is locked in it.
    ///
    /// # Errors
    /// Those of the library; it is closed all the same.
    pub fn leave(mut self) -> io::Result<()> {
        // The library frees the handle.
        let handle = mem::replace(&mut self.handle, ptr::null_mut());
        // SAFETY: the handle was open, and nobody has it any more. The name ends with a zero.
        check(unsafe { (self.functions.release_lockspace)(self.name.as_ptr(), handle, 1) })
    }

    /// Reads the value of a lock that was taken over: doing that does not bring it, but a second lock, in null mode.
    fn look_at_value(&mut self, name: &str) -> Option<[u8; VALUE_BYTES]> {
        let block = self.request_null(name, true).ok()?;
        let value = block.valid_value();
        if self.give_up(&block).is_err() {
            // The kernel knows it still.
            mem::forget(block);
        }
        value
    }

    fn request_null(&mut self, name: &str, with_value: bool) -> io::Result<Block> {
        let (address, length) = resource_name(name)?;
        let block = Block::new();
        let flags = raw::EXPEDITE | if with_value { raw::VALUE } else { 0 };
        // SAFETY: the handle is open. The block lives until the call returns, and a block whose lock the kernel has
        // made is kept as long as the lock. The name is only read, and is as long as said. There is no callback.
        let answer = unsafe {
            (self.functions.lock_wait)(
                self.handle,
                raw::MODE_NULL,
                block.status(),
                flags,
                address,
                length,
                0,
                ptr::null_mut(),
                None,
                ptr::null_mut(),
            )
        };
        check(answer)?;
        Ok(block)
    }

    fn block(&self, name: &str) -> io::Result<&Block> {
        self.locks.get(name).ok_or_else(|| io::Error::from_raw_os_error(libc::ENOENT))
    }

    fn give_up(&self, block: &Block) -> io::Result<()> {
        let status = block.status();
        // SAFETY: the handle is open and the block belongs to the lock whose id is in it.
        check(unsafe { (self.functions.unlock_wait)(self.handle, (*status).lock_id, 0, status) })
    }
}

impl Drop for Lockspace {
    fn drop(&mut self) {
        if !self.handle.is_null() {
            // SAFETY: the handle is open, and nobody uses it after this. The blocks are freed later, with the fields.
            unsafe { (self.functions.close_lockspace)(self.handle) };
        }
    }
}

/// What the kernel writes to when something about a lock is complete; at an address that does not change.
struct Block(NonNull<Contents>);

struct Contents {
    status: StatusBlock,
    value: [u8; VALUE_BYTES],
}

impl Block {
    fn new() -> Self {
        let status = StatusBlock { status: 0, lock_id: 0, flags: 0, value: ptr::null_mut() };
        let contents = Box::into_raw(Box::new(Contents { status, value: [0; VALUE_BYTES] }));
        // SAFETY: the pointer was made from a box just now, and nobody else has it.
        unsafe { (*contents).status.value = (&raw mut (*contents).value).cast() };
        Self(NonNull::new(contents).expect("a box is somewhere"))
    }

    fn status(&self) -> *mut StatusBlock {
        // SAFETY: the pointer is to the contents, which live as long as this.
        unsafe { &raw mut (*self.0.as_ptr()).status }
    }

    fn set_value(&self, value: [u8; VALUE_BYTES]) {
        // SAFETY: as above; no call is under way, since each returns when it is complete.
        unsafe { (*self.0.as_ptr()).value = value };
    }

    /// Returns the value, unless it was lost with the node that wrote it last.
    fn valid_value(&self) -> Option<[u8; VALUE_BYTES]> {
        // SAFETY: as above.
        let contents = unsafe { self.0.as_ref() };
        (contents.status.flags & raw::VALUE_NOT_VALID == 0).then_some(contents.value)
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: the pointer is from a box, and was not freed before.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

impl Mode {
    fn number(self) -> u32 {
        match self {
            Self::Null => raw::MODE_NULL,
            Self::ProtectedRead => raw::MODE_PROTECTED_READ,
            Self::Exclusive => raw::MODE_EXCLUSIVE,
        }
    }
}

extern "C" fn ignore(_: *mut c_void) {}

/// Returns what an answer means: below 0 the reason is in `errno`.
fn check(answer: c_int) -> io::Result<()> {
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn lockspace_name(name: &str) -> io::Result<CString> {
    resource_name(name)?;
    CString::new(name).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))
}

/// Returns address and length of a name of 1 to 64 bytes.
fn resource_name(name: &str) -> io::Result<(*const c_void, u32)> {
    match u32::try_from(name.len()) {
        Ok(length @ 1..) if name.len() <= raw::NAME_MAX => Ok((name.as_ptr().cast(), length)),
        _ => Err(io::Error::from_raw_os_error(libc::EINVAL)),
    }
}
