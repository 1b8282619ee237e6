//! What neither `std` nor rustix offers as a safe call, and the only unsafe code of the project.
//!
//! Every function here is safe to call: it checks or guarantees itself what its system call demands.
//!
//! | module | is |
//! |---|---|
//! | [`sanlock`], [`dlm`] | lock managers, whose libraries are opened when they are first needed |
//! | [`corosync`] | a cluster's group and quorum, likewise |
//! | [`clock`] | whether somebody keeps the wall clock right |
//! | [`headers`] | what those three believe about C, for the test that asks a compiler |

pub mod clock;
pub mod corosync;
pub mod dlm;
pub mod headers;
mod library;
pub mod sanlock;

pub use library::LibraryError;

use std::fs;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::{mem, ptr};

use rustix::io::FdFlags;
use rustix::process::{Pid, Resource, Rlimit, WaitOptions, chdir, getrlimit, setrlimit, setsid, waitpid};
use tokio::io::Interest;
use tokio::io::unix::{AsyncFd, AsyncFdRegisterError};

use crate::device_mapper::{self, Answer, Ask, DmStatus};

/// More descriptors than a program of ours has open.
const MOST_DESCRIPTORS: u64 = 1 << 20;

/// Prepares what a child does between fork and exec, after `std` has done its part.
///
/// Every descriptor from 3 on is closed by the exec, also those that this program itself inherited. SIGPIPE is ignored:
/// lvmpolld's children have always run so, and `std` has just set it to its default. The limit of open files
/// becomes `open_files`, if given.
pub(crate) fn before_exec(command: &mut Command, open_files: Option<Rlimit>) {
    let prepare = move || {
        close_on_exec_from(3);
        // SAFETY: SIG_IGN is a valid disposition of SIGPIPE, and no handler of ours is involved.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
        if let Some(limit) = open_files {
            setrlimit(Resource::Nofile, limit)?;
        }
        Ok(())
    };
    // SAFETY: the closure runs in the forked child of a program with threads, where only async-signal-safe calls are
    // allowed. It makes three system calls, one through signal(2), which is such a call. It allocates nothing, takes
    // no lock and cannot panic; its error is a plain number.
    unsafe { command.pre_exec(prepare) };
}

/// Has every descriptor from `first` on closed by an exec, whoever opened it, such as a library that does not say so.
///
/// Async-signal-safe.
fn close_on_exec_from(first: RawFd) {
    let number = libc::c_uint::try_from(first).unwrap_or_default();
    // SAFETY: close_range takes three numbers. With this flag it closes nothing now, it only marks descriptors, so that those
    // which `std` still needs until the exec stay open.
    let marked =
        unsafe { libc::syscall(libc::SYS_close_range, number, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    if marked != 0 {
        // Linux before 5.11.
        mark_each_from(first);
    }
}

fn mark_each_from(first: RawFd) {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(MOST_DESCRIPTORS).min(MOST_DESCRIPTORS);
    for number in first..RawFd::try_from(limit).unwrap_or(RawFd::MAX) {
        // SAFETY: fcntl(2) takes any number, and refuses one that is not open.
        unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
}

/// Locks this program's memory: what is there now at once, what comes later as soon as it is used.
///
/// So no page of the program, its libraries and its data is ever read from a disk or a swap area again; memory that is
/// reserved and not used, as most of a thread's stack, costs nothing. Neither a fork nor an exec passes the locks on.
///
/// # Errors
/// The error of mlockall(2). Nothing is locked then.
///
/// Source: Linux 6.18, `mm/mlock.c`: without `MCL_CURRENT` what is there stays as it is.
pub fn lock_memory() -> io::Result<()> {
    for flags in [libc::MCL_CURRENT, libc::MCL_FUTURE | libc::MCL_ONFAULT] {
        // SAFETY: mlockall takes a number, and changes nothing that a program could see but its speed.
        if unsafe { libc::mlockall(flags) } != 0 {
            let error = io::Error::last_os_error();
            // SAFETY: munlockall takes nothing.
            unsafe { libc::munlockall() };
            return Err(error);
        }
    }
    Ok(())
}

/// Makes sure that the kernel keeps the exits of our children until they are waited for.
///
/// A program can inherit an ignored SIGCHLD, with which the kernel reaps children itself. A handler is left alone.
pub(crate) fn keep_exits_of_children() {
    // SAFETY: zero is a valid value of every field of `sigaction`; it is only written to.
    let mut current: libc::sigaction = unsafe { mem::zeroed() };
    // SAFETY: a null pointer asks for the disposition without changing it; `current` lives long enough to be written.
    let asked = unsafe { libc::sigaction(libc::SIGCHLD, ptr::null(), &raw mut current) };
    if asked == 0 && current.sa_sigaction == libc::SIG_IGN {
        // SAFETY: SIG_DFL is a valid disposition of SIGCHLD, and no handler of ours is replaced.
        unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
    }
}

/// Returns the wait status of a process that its parent has reaped; `None` while it has not ended or is not reaped.
///
/// # Errors
/// The error of ioctl(2): the kernel does not know the question (before Linux 6.13), or kept no answer.
///
/// Source: Linux 6.18, `include/uapi/linux/pidfd.h`, `fs/pidfs.c`; the answer is there since 6.15.
pub(crate) fn exit_of_reaped_process(pidfd: BorrowedFd<'_>) -> io::Result<Option<i32>> {
    // SAFETY: the structure is numbers only, for which zero is a valid value.
    let mut info: libc::pidfd_info = unsafe { mem::zeroed() };
    let exit = u64::from(libc::PIDFD_INFO_EXIT);
    info.mask = exit;
    // SAFETY: the descriptor is open as long as it is borrowed. The size of the structure is part of the request, and
    // the kernel reads and writes no more than that. On a descriptor that is no pidfd the request is refused.
    let asked = unsafe { libc::ioctl(pidfd.as_raw_fd(), libc::PIDFD_GET_INFO, &raw mut info) };
    if asked != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok((info.mask & exit != 0).then_some(info.exit_code))
}

/// The most groups that a process can be in.
///
/// Source: Linux 6.18, `include/uapi/linux/limits.h` (`NGROUPS_MAX`).
const MOST_GROUPS: usize = 65536;

/// Returns the supplementary groups that the peer of a Unix socket had when the connection was made.
///
/// # Errors
/// The error of getsockopt(2): the socket is not connected, or is not a Unix socket (before Linux 4.13 none of them can
/// be asked).
///
/// Source: Linux 6.18, `net/core/sock.c` (`SO_PEERGROUPS`).
pub fn peer_groups(socket: BorrowedFd<'_>) -> io::Result<Vec<u32>> {
    let mut groups: Vec<libc::gid_t> = vec![0; 32];
    loop {
        let mut bytes = libc::socklen_t::try_from(size_of_val(&*groups)).expect("no more than MOST_GROUPS");
        // SAFETY: the descriptor is open as long as it is borrowed. The kernel writes whole group ids to the buffer, at
        // most as many bytes as it is told, which are the buffer's own; and it writes their number to `bytes`.
        let asked = unsafe {
            libc::getsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERGROUPS,
                groups.as_mut_ptr().cast(),
                &raw mut bytes,
            )
        };
        let count = usize::try_from(bytes).expect("32 bits fit") / size_of::<libc::gid_t>();
        if asked == 0 {
            groups.truncate(count);
            return Ok(groups);
        }
        let error = io::Error::last_os_error();
        // Too small a buffer: the kernel has said how large it has to be.
        if error.raw_os_error() != Some(libc::ERANGE) || count <= groups.len() || count > MOST_GROUPS {
            return Err(error);
        }
        groups.resize(count, 0);
    }
}

/// Returns a pidfd on the process that had made the connection `socket`, also when its pid is used again.
///
/// # Errors
/// The error of getsockopt(2): the kernel does not know the question (before Linux 6.5), or the process was reaped (before 6.16).
///
/// Source: Linux 6.18, `net/core/sock.c` (`SO_PEERPIDFD`).
pub(crate) fn peer_pidfd(socket: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let mut pidfd: RawFd = -1;
    let mut bytes = libc::socklen_t::try_from(size_of::<RawFd>()).expect("four fit");
    // SAFETY: the descriptor is open as long as it is borrowed. The kernel writes one descriptor to `pidfd`, whose size it
    // is told.
    let asked = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERPIDFD,
            (&raw mut pidfd).cast(),
            &raw mut bytes,
        )
    };
    if asked != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has made the descriptor for this call (close-on-exec), and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(pidfd) })
}

/// A descriptor that the current tokio runtime watches for becoming readable.
#[derive(Debug)]
pub struct WatchedFd(AsyncFd<OwnedFd>);

impl WatchedFd {
    /// Registers `fd` with the current runtime.
    ///
    /// # Errors
    /// The descriptor, and why it cannot be watched.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O enabled.
    pub fn new(fd: OwnedFd) -> Result<Self, (OwnedFd, io::Error)> {
        // SAFETY: an `OwnedFd` is open, always the same descriptor, and closed only when dropped. It is dropped together
        // with its registration, because this type never gives it away or lets anybody replace it.
        unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }
            .map(Self)
            .map_err(AsyncFdRegisterError::into_parts)
    }

    /// Waits until the descriptor is readable. It is taken to stay so for ever, as a pidfd does.
    ///
    /// # Errors
    /// When the runtime is going down.
    ///
    /// # Cancel safety
    /// Cancel-safe; several tasks may wait at once.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        self.0.readable().await.map(|mut guard| guard.retain_ready())
    }

    /// Waits until `read` does not find that it would block, and returns what it gave then. The descriptor does not block.
    ///
    /// # Errors
    /// That of `read`, or the runtime is going down.
    ///
    /// # Cancel safety
    /// Cancel-safe: nothing waits between the last `read` and the answer.
    pub async fn read_with<T>(&self, mut read: impl FnMut(BorrowedFd<'_>) -> io::Result<T>) -> io::Result<T> {
        self.0.async_io(Interest::READABLE, |fd| read(fd.as_fd())).await
    }
}

impl AsFd for WatchedFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// `DM_TABLE_STATUS`: read and write, a header of 312 bytes, group 0xfd, number 12.
const DM_TABLE_STATUS: libc::Ioctl = libc::_IOWR::<[u8; device_mapper::HEADER_SIZE as usize]>(0xfd, 12);

/// The room for a first answer, in bytes; enough for a hundred targets.
const DM_FIRST_BUFFER_SIZE: u32 = 16 << 10;

/// The room that no answer needs, in bytes: 100,000 targets and more.
const DM_LARGEST_BUFFER_SIZE: u32 = 16 << 20;

/// Reads status or table of the device-mapper device with this uuid, such as `LVM-` and 64 characters.
///
/// `control` is `/dev/mapper/control`, open for reading and writing by root. `None` means that there is no such device.
/// Neither waits for the device's disks nor for a suspended device to be resumed.
///
/// # Errors
/// `InvalidInput` when `uuid` cannot be one; `InvalidData` when the answer is malformed; `OutOfMemory` when it has more
/// than 16 MiB; otherwise the error of ioctl(2), as when `control` is another file.
pub fn device_mapper_status(control: BorrowedFd<'_>, uuid: &str, ask: Ask) -> io::Result<Option<DmStatus>> {
    let mut size = DM_FIRST_BUFFER_SIZE;
    while size <= DM_LARGEST_BUFFER_SIZE {
        let mut buffer = device_mapper::write_status_request(uuid, ask, size)?;
        // SAFETY: the descriptor is open as long as it is borrowed. The header at the start of the buffer tells the
        // kernel the buffer's true length, beyond which it does not write; the kernel demands no alignment.
        let asked = unsafe { libc::ioctl(control.as_raw_fd(), DM_TABLE_STATUS, buffer.as_mut_ptr()) };
        if asked != 0 {
            let error = io::Error::last_os_error();
            return if error.raw_os_error() == Some(libc::ENXIO) { Ok(None) } else { Err(error) };
        }
        match device_mapper::parse_status(&buffer)? {
            Answer::Status(status) => return Ok(Some(status)),
            Answer::BufferFull => size *= 4,
        }
    }
    Err(io::ErrorKind::OutOfMemory.into())
}

/// Where a program is after [`fork_into_background`].
#[derive(Debug)]
pub enum Background {
    /// In the program that was started by somebody who waits for it; all that is left is to exit with this code.
    ///
    /// It is 0 when the daemon is ready. When the daemon ended before, it is the daemon's own exit code, or 128 and the
    /// number of the signal that ended it.
    Parent {
        /// The code, 0 to 255.
        exit_code: i32,
    },
    /// In the daemon, which still has its terminal, its directory and its session.
    Child(ReadyPipe),
}

/// The way in which a daemon in the background says that it is ready. Dropped, it says that it never will be.
#[derive(Debug)]
pub struct ReadyPipe(PipeWriter);

impl ReadyPipe {
    /// Leaves session, directory (for `/`) and terminal (for `/dev/null`), then releases the waiting parent.
    ///
    /// Until here errors reach the terminal, and Ctrl-C the daemon.
    ///
    /// # Errors
    /// The error of setsid(2), chdir(2), or of opening `/dev/null`. The parent then waits for this program's end.
    pub fn ready(mut self) -> io::Result<()> {
        setsid()?;
        chdir("/")?;
        let null = fs::File::options().read(true).write(true).open("/dev/null")?;
        rustix::stdio::dup2_stdin(&null)?;
        rustix::stdio::dup2_stdout(&null)?;
        rustix::stdio::dup2_stderr(&null)?;
        // A parent that was killed meanwhile is no reason for the daemon to end.
        let _ = self.0.write_all(b".");
        Ok(())
    }
}

/// Splits the program in two, as a classic daemon does: the parent waits until the child is ready or has ended.
///
/// # Errors
/// `InvalidInput` when other threads exist, since a fork copies only the calling one; otherwise the error of pipe(2),
/// fork(2) or waitpid(2), or of reading `/proc`.
pub fn fork_into_background() -> io::Result<Background> {
    if fs::read_dir("/proc/self/task")?.count() != 1 {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "threads exist already"));
    }
    let (reader, writer) = io::pipe()?;
    // SAFETY: this is the only thread, as checked above, and it is busy here: no lock is held and no state is half
    // changed in the copy that the child goes on with.
    let forked = unsafe { libc::fork() };
    if forked < 0 {
        return Err(io::Error::last_os_error());
    }
    let Some(child) = Pid::from_raw(forked) else {
        return Ok(Background::Child(ReadyPipe(writer)));
    };
    drop(writer);
    Ok(Background::Parent { exit_code: wait_until_ready(reader, child)? })
}

fn wait_until_ready(mut reader: PipeReader, child: Pid) -> io::Result<i32> {
    if reader.read_exact(&mut [0]).is_ok() {
        return Ok(0);
    }
    let waited = rustix::io::retry_on_intr(|| waitpid(Some(child), WaitOptions::empty()))?;
    let (_, status) = waited.expect("without NOHANG it returns when the child has ended");
    Ok(status.exit_status().unwrap_or_else(|| 128 + status.terminating_signal().unwrap_or_default()))
}

/// Takes over a descriptor that whoever started this program has left open for it, such as a socket of systemd.
///
/// It is closed on exec from now on.
///
/// # Errors
/// `EBADF` when nothing is open under that number.
pub fn inherited_descriptor(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: fcntl(2) takes any number and only looks at it.
    if unsafe { libc::fcntl(number, libc::F_GETFD) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is open. It was opened before this program began, so no value of this program owns it;
    // that it is taken once is for the caller, who reads the number out of its environment once.
    let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
    rustix::io::fcntl_setfd(&descriptor, FdFlags::CLOEXEC)?;
    Ok(descriptor)
}

#[cfg(test)]
mod tests {
    use rustix::io::{fcntl_getfd, fcntl_setfd};

    use super::*;

    #[test]
    fn a_descriptor_that_a_library_left_open_for_children_is_closed_by_an_exec_on_old_kernels_too() {
        for mark in [close_on_exec_from, mark_each_from] {
            let (reader, _writer) = io::pipe().expect("a pipe can be made");
            fcntl_setfd(&reader, FdFlags::empty()).expect("it is open");
            mark(reader.as_raw_fd());
            assert_eq!(fcntl_getfd(&reader).expect("it is open"), FdFlags::CLOEXEC);
        }
    }
}
