//! The structures, constants and functions of `libdlm_lt`, as its header declares them.
//!
//! Source: dlm 4.2.0, `libdlm.h`. A test compiles the header and compares every size, offset and constant.

use std::ffi::{c_char, c_int, c_void};
use std::mem::offset_of;

use super::super::library::library_functions;

pub(super) const VALUE_LEN: usize = 32;
pub(super) const NAME_MAX: usize = 64;

pub(super) const NEW_EXCLUSIVE: u32 = 0x8;
pub(super) const VALUE_NOT_VALID: u8 = 0x2;

pub(super) const MODE_NULL: u32 = 0;
pub(super) const MODE_PROTECTED_READ: u32 = 3;
pub(super) const MODE_EXCLUSIVE: u32 = 5;

pub(super) const NO_QUEUE: u32 = 0x1;
pub(super) const CONVERT: u32 = 0x4;
pub(super) const VALUE: u32 = 0x8;
pub(super) const PERSISTENT: u32 = 0x80;
pub(super) const EXPEDITE: u32 = 0x400;
pub(super) const ORPHAN: u32 = 0x4000;

/// `struct dlm_lksb`
#[repr(C)]
pub(super) struct StatusBlock {
    pub(super) status: c_int,
    pub(super) lock_id: u32,
    pub(super) flags: u8,
    pub(super) value: *mut c_char,
}

/// `dlm_lshandle_t`
pub(super) type Handle = *mut c_void;

/// A function that is told of a completion or of a lock in the way.
pub(super) type Callback = unsafe extern "C" fn(*mut c_void);

library_functions! {
    /// The functions that are used.
    Functions of "libdlm_lt.so.3" {
        kernel_version = c"dlm_kernel_version": fn(*mut u32, *mut u32, *mut u32) -> c_int;
        new_lockspace = c"dlm_new_lockspace": fn(*const c_char, libc::mode_t, u32) -> Handle;
        open_lockspace = c"dlm_open_lockspace": fn(*const c_char) -> Handle;
        close_lockspace = c"dlm_close_lockspace": fn(Handle) -> c_int;
        release_lockspace = c"dlm_release_lockspace": fn(*const c_char, Handle, c_int) -> c_int;
        lock_wait = c"dlm_ls_lock_wait": fn(
            Handle, u32, *mut StatusBlock, u32, *const c_void, u32, u32, *mut c_void, Option<Callback>, *mut c_void,
        ) -> c_int;
        lockx = c"dlm_ls_lockx": fn(
            Handle, u32, *mut StatusBlock, u32, *const c_void, u32, u32, Option<Callback>, *mut c_void,
            Option<Callback>, *mut u64, *mut u64,
        ) -> c_int;
        unlock_wait = c"dlm_ls_unlock_wait": fn(Handle, u32, u32, *mut StatusBlock) -> c_int;
        purge = c"dlm_ls_purge": fn(Handle, c_int, c_int) -> c_int;
    }
}

/// What this module believes about the C structure and constants, in the words of C.
pub(in super::super) const LAYOUT: &[(&str, u64)] = &[
    ("sizeof(struct dlm_lksb)", size_of::<StatusBlock>() as u64),
    ("offsetof(struct dlm_lksb, sb_status)", offset_of!(StatusBlock, status) as u64),
    ("offsetof(struct dlm_lksb, sb_lkid)", offset_of!(StatusBlock, lock_id) as u64),
    ("offsetof(struct dlm_lksb, sb_flags)", offset_of!(StatusBlock, flags) as u64),
    ("offsetof(struct dlm_lksb, sb_lvbptr)", offset_of!(StatusBlock, value) as u64),
    ("sizeof(mode_t)", size_of::<libc::mode_t>() as u64),
    ("DLM_LVB_LEN", VALUE_LEN as u64),
    ("DLM_LOCKSPACE_LEN", NAME_MAX as u64),
    ("DLM_RESNAME_MAXLEN", NAME_MAX as u64),
    ("DLM_LSFL_NEWEXCL", NEW_EXCLUSIVE as u64),
    ("DLM_SBF_VALNOTVALID", VALUE_NOT_VALID as u64),
    ("LKM_NLMODE", MODE_NULL as u64),
    ("LKM_PRMODE", MODE_PROTECTED_READ as u64),
    ("LKM_EXMODE", MODE_EXCLUSIVE as u64),
    ("LKF_NOQUEUE", NO_QUEUE as u64),
    ("LKF_CONVERT", CONVERT as u64),
    ("LKF_VALBLK", VALUE as u64),
    ("LKF_PERSISTENT", PERSISTENT as u64),
    ("LKF_EXPEDITE", EXPEDITE as u64),
    ("LKF_ORPHAN", ORPHAN as u64),
];
