//! `libdlmcontrol` as a safe interface: running a command on all nodes, through `dlm_controld`.
//!
//! Source: dlm 4.2.0, `libdlmcontrol.h`.

use std::ffi::{CStr, CString, c_char, c_int};

use super::super::library::{LibraryError, library_functions};

const COMMAND_LEN: usize = 1024;
const UUID_LEN: usize = 64;
const START_NOT_HERE: u32 = 0x1;
const CHECK_CLEAR: u32 = 0x1;
const STATUS_DONE: u32 = 0x2;
const STATUS_FAILED: u32 = 0x4;

library_functions! {
    /// The functions that are used.
    Functions of "libdlmcontrol.so.3" {
        run_start = c"dlmc_run_start": fn(*mut c_char, c_int, c_int, u32, *mut c_char) -> c_int;
        run_check = c"dlmc_run_check": fn(*mut c_char, c_int, c_int, u32, *mut u32) -> c_int;
    }
}

/// What this module believes about the constants, in the words of C.
pub(in super::super) const LAYOUT: &[(&str, u64)] = &[
    ("DLMC_RUN_COMMAND_LEN", COMMAND_LEN as u64),
    ("DLMC_RUN_UUID_LEN", UUID_LEN as u64),
    ("DLMC_FLAG_RUN_START_NODE_NONE", START_NOT_HERE as u64),
    ("DLMC_FLAG_RUN_CHECK_CLEAR", CHECK_CLEAR as u64),
    ("DLMC_RUN_STATUS_DONE", STATUS_DONE as u64),
    ("DLMC_RUN_STATUS_FAILED", STATUS_FAILED as u64),
];

/// The library of `dlm_controld`'s clients.
#[derive(Clone, Copy)]
pub struct DlmControl(&'static Functions);

/// A command that runs on the other nodes.
#[derive(Debug)]
pub struct Run(CString);

/// How far a command on the other nodes is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// Some nodes have not answered.
    Waiting,
    /// It was done on all of them.
    Done,
    /// It has failed on some.
    Failed,
}

impl DlmControl {
    /// Opens the library, unless it is open already.
    ///
    /// # Errors
    /// It is absent, or is another library.
    pub fn load() -> Result<Self, LibraryError> {
        Functions::load().map(Self)
    }

    /// Starts a command, of up to 1023 bytes, on all nodes but this one.
    ///
    /// # Errors
    /// The negative errno of the library, or of a command that is too long.
    pub fn start(self, command: &str) -> Result<Run, c_int> {
        let bytes = command.as_bytes();
        let mut command = [0_u8; COMMAND_LEN];
        let room = command[..COMMAND_LEN - 1].get_mut(..bytes.len()).ok_or(-libc::ENAMETOOLONG)?;
        room.copy_from_slice(bytes);
        let length = c_int::try_from(bytes.len() + 1).map_err(|_| -libc::ENAMETOOLONG)?;
        let mut uuid = [0_u8; UUID_LEN + 1];
        // SAFETY: the command ends with a zero, which `length` counts. The buffer for the identity has the length that
        // the library fills at most. Both live until the call returns.
        let answer = unsafe {
            (self.0.run_start)(
                command.as_mut_ptr().cast(),
                length,
                0,
                START_NOT_HERE,
                uuid.as_mut_ptr().cast(),
            )
        };
        if answer < 0 {
            return Err(answer);
        }
        Ok(Run(CStr::from_bytes_until_nul(&uuid).map_err(|_| -libc::EINVAL)?.to_owned()))
    }

    /// Asks how far a command is; it is forgotten there once this says that it is over.
    ///
    /// # Errors
    /// The negative errno of the library.
    pub fn check(self, run: &Run) -> Result<RunState, c_int> {
        let length = c_int::try_from(run.0.as_bytes().len()).map_err(|_| -libc::EINVAL)?;
        let mut status = 0;
        let uuid = run.0.as_ptr().cast_mut();
        // SAFETY: the identity ends with a zero and is only read; the number is only written to. Both live until the
        // call returns.
        let answer = unsafe { (self.0.run_check)(uuid, length, 0, CHECK_CLEAR, &raw mut status) };
        if answer < 0 {
            return Err(answer);
        }
        Ok(match status {
            failed if failed & STATUS_FAILED != 0 => RunState::Failed,
            done if done & STATUS_DONE != 0 => RunState::Done,
            _ => RunState::Waiting,
        })
    }
}
