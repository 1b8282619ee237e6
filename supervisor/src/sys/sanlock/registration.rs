//! A program's own connection to the daemon, for which it holds leases.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use rustix::io::FdFlags;

use super::convert::name;
use super::{Lease, Refusal, Sanlock, Sharing, c_string, check, raw, resource};

/// A connection that was registered: leases are held for it until it is closed.
///
/// A lease that it holds when it is dropped, or when the program dies, becomes an orphan: for other hosts it is held by
/// this host still. The daemon takes one request at a time on it.
pub struct Registration {
    sanlock: Sanlock,
    socket: OwnedFd,
    owner: [u8; raw::NAME_LEN],
}

/// What is done about a lease whose holder on this host has died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Orphans {
    /// It is in the way: -117.
    InTheWay,
    /// It is taken over, where there is one in that mode.
    TakenOver,
    /// Nothing else will do: -2 where there is none.
    Only,
}

impl Sanlock {
    /// Makes a connection and registers it; the daemon shows `owner`, up to 48 bytes, as its name.
    ///
    /// # Errors
    /// The daemon does not run.
    pub fn register(self, owner: &str) -> Result<Registration, Refusal> {
        let owner = name(owner)?;
        // SAFETY: the function takes nothing.
        let answer = unsafe { (self.0.register)() };
        check(answer)?;
        // SAFETY: an answer of 0 or more is a socket that was made for the caller, and nobody else closes it.
        let socket = unsafe { OwnedFd::from_raw_fd(answer) };
        // Who inherited it would keep the leases alive after this program's end.
        rustix::io::fcntl_setfd(&socket, FdFlags::CLOEXEC).map_err(|error| Refusal(-error.raw_os_error()))?;
        Ok(Registration { sanlock: self, socket, owner })
    }
}

impl Registration {
    /// Keeps the daemon from ending this program with SIGKILL: it sends SIGTERM instead, each second, up to a hundred times.
    ///
    /// SIGTERM is not to be restricted as well: the daemon sends SIGKILL in its place, whatever is said about that one.
    ///
    /// Source: sanlock 3.8.5, seen with each of the two flags and with both, with a kill program and a lost disk.
    ///
    /// # Errors
    /// It refuses.
    pub fn restrict_kill(&mut self) -> Result<(), Refusal> {
        // SAFETY: the socket is open and registered.
        check(unsafe { (self.sanlock.0.restrict)(self.socket.as_raw_fd(), raw::RESTRICT_SIGKILL) }).map(drop)
    }

    /// Has the daemon run `program` with `arguments`, which it splits at blanks, when the leases can no longer be kept;
    /// both up to 126 bytes.
    ///
    /// # Errors
    /// -36: too long; others: it refuses.
    pub fn kill_program(&mut self, program: &str, arguments: &str) -> Result<(), Refusal> {
        // The library would cut them off and say nothing: it keeps one byte more than the zero at the end.
        if program.len().max(arguments.len()) > raw::HELPER_LEN - 2 {
            return Err(Refusal(-libc::ENAMETOOLONG));
        }
        let (program, arguments) = (c_string(program)?, c_string(arguments)?);
        let arguments = arguments.as_ptr().cast_mut();
        // SAFETY: the socket is open and registered. Both strings end with a zero, live until the call returns, and are
        // only read.
        let answer =
            unsafe { (self.sanlock.0.killpath)(self.socket.as_raw_fd(), 0, program.as_ptr(), arguments) };
        check(answer).map(drop)
    }

    /// Acquires a lease that stays with this host, as an orphan, when this program dies; does not wait for the death of
    /// other hosts.
    ///
    /// `with_value`: its value is read too, for [`Sanlock::value`] and [`Sanlock::set_value`].
    ///
    /// # Errors
    /// It is not held.
    pub fn acquire(
        &mut self,
        lease: &Lease<'_>,
        sharing: Sharing,
        with_value: bool,
        orphans: Orphans,
    ) -> Result<(), Refusal> {
        let orphans = match orphans {
            Orphans::InTheWay => 0,
            Orphans::TakenOver => raw::ACQUIRE_ORPHAN,
            // 3.8 tests the wrong flag: without a value it would acquire a lease that is no orphan.
            Orphans::Only => raw::ACQUIRE_ORPHAN_ONLY | raw::ACQUIRE_LVB,
        };
        let value = if with_value { raw::ACQUIRE_LVB } else { 0 };
        let flags = raw::ACQUIRE_OWNER_NOWAIT | value | orphans;
        let mut options = raw::Options { owner_name: self.owner, flags: 0, len: 0 };
        let mut resource = held(lease, sharing)?;
        let mut list = [&raw mut resource];
        // SAFETY: the socket is open and registered, and this is the only call on it. The list has the one entry that
        // is said, a complete structure with its one disk. All of it lives until the call returns.
        let answer = unsafe {
            (self.sanlock.0.acquire)(
                self.socket.as_raw_fd(),
                -1,
                flags,
                1,
                list.as_mut_ptr(),
                &raw mut options,
            )
        };
        check(answer).map(drop)
    }

    /// Changes how a lease is held, without waiting for the death of other hosts.
    ///
    /// # Errors
    /// It is held as before.
    pub fn convert(&mut self, lease: &Lease<'_>, sharing: Sharing) -> Result<(), Refusal> {
        let mut resource = held(lease, sharing)?;
        let flags = raw::CONVERT_OWNER_NOWAIT;
        // SAFETY: the socket is open and registered, and this is the only call on it; the structure is complete and
        // lives until the call returns.
        check(unsafe { (self.sanlock.0.convert)(self.socket.as_raw_fd(), -1, flags, &raw mut resource) })
            .map(drop)
    }

    /// Gives a lease back.
    ///
    /// # Errors
    /// It is not known whether other hosts see it.
    pub fn release(&mut self, lease: &Lease<'_>) -> Result<(), Refusal> {
        self.release_with(0, &[lease])
    }

    /// Gives a lease back and gives it another name, in one write.
    ///
    /// # Errors
    /// It is not known whether other hosts see it.
    pub fn release_renamed(&mut self, lease: &Lease<'_>, name: &str) -> Result<(), Refusal> {
        self.release_with(raw::REL_RENAME, &[lease, &Lease { resource: name, ..*lease }])
    }

    /// Has all orphans of a lockspace given back; that is done some time later.
    ///
    /// # Errors
    /// The daemon refuses.
    pub fn release_orphans(&mut self, lease: &Lease<'_>) -> Result<(), Refusal> {
        self.release_with(raw::REL_ORPHAN, &[&Lease { resource: "", ..*lease }])
    }

    fn release_with(&mut self, flags: u32, leases: &[&Lease<'_>]) -> Result<(), Refusal> {
        let mut resources = leases.iter().map(|lease| resource(lease)).collect::<Result<Vec<_>, _>>()?;
        let mut list: Vec<_> = resources.iter_mut().map(|resource| &raw mut *resource).collect();
        let count = i32::try_from(list.len()).map_err(|_| Refusal(-libc::EINVAL))?;
        // SAFETY: the socket is open and registered, and this is the only call on it. The list has as many entries as
        // said, each a complete structure. All of it lives until the call returns.
        let answer =
            unsafe { (self.sanlock.0.release)(self.socket.as_raw_fd(), -1, flags, count, list.as_mut_ptr()) };
        check(answer).map(drop)
    }
}

fn held(lease: &Lease<'_>, sharing: Sharing) -> Result<raw::Resource, Refusal> {
    let mut resource = resource(lease)?;
    resource.flags |= raw::RES_PERSISTENT;
    if sharing == Sharing::Shared {
        resource.flags |= raw::RES_SHARED;
    }
    Ok(resource)
}
