//! The structures, constants and functions of `libsanlock_client`, as its headers declare them.
//!
//! Source: sanlock 3.8.5, `sanlock.h`, `sanlock_admin.h`, `sanlock_resource.h`. A test compiles these headers and
//! compares every size, offset and constant.

use std::ffi::{c_char, c_int};
use std::mem::offset_of;

use super::super::library::library_functions;

pub(super) const NAME_LEN: usize = 48;
pub(super) const PATH_LEN: usize = 1024;
pub(super) const HELPER_LEN: usize = 128;

pub(super) const ALIGN_1M: u32 = 0x10;
pub(super) const ALIGN_2M: u32 = 0x20;
pub(super) const ALIGN_4M: u32 = 0x40;
pub(super) const ALIGN_8M: u32 = 0x80;
pub(super) const SECTOR_512: u32 = 0x100;
pub(super) const SECTOR_4K: u32 = 0x200;

// Those of 4.2 and 5.0; earlier versions pass them over.
pub(super) const LSF_NO_TIMEOUT: u32 = 0x4;
pub(super) const LSF_USING_CAW: u32 = 0x8;
/// For lockspaces and resources.
pub(super) const WRITE_USE_CAW: u32 = 0x2;
pub(super) const WRITE_NO_CAW: u32 = 0x4;

pub(super) const RES_SHARED: u32 = 0x4;
pub(super) const RES_PERSISTENT: u32 = 0x8;

pub(super) const ADD_NODELAY: u32 = 0x2;
pub(super) const REM_UNUSED: u32 = 0x2;
pub(super) const CONFIG_USED_BY_ORPHANS: u32 = 0x4;
pub(super) const RESTRICT_SIGKILL: u32 = 0x2;

pub(super) const ACQUIRE_LVB: u32 = 0x1;
pub(super) const ACQUIRE_ORPHAN: u32 = 0x2;
pub(super) const ACQUIRE_ORPHAN_ONLY: u32 = 0x4;
pub(super) const ACQUIRE_OWNER_NOWAIT: u32 = 0x8;
pub(super) const CONVERT_OWNER_NOWAIT: u32 = 0x8;
pub(super) const REL_RENAME: u32 = 0x2;
pub(super) const REL_ORPHAN: u32 = 0x4;

pub(super) const HOST_MASK: u32 = 0xF;
pub(super) const HOST_UNKNOWN: u32 = 1;
pub(super) const HOST_FREE: u32 = 2;
pub(super) const HOST_LIVE: u32 = 3;
pub(super) const HOST_FAIL: u32 = 4;
pub(super) const HOST_DEAD: u32 = 5;

/// `struct sanlk_disk`
#[repr(C)]
#[derive(Clone)]
pub(super) struct Disk {
    pub(super) path: [u8; PATH_LEN],
    pub(super) offset: u64,
    pub(super) pad1: u32,
    pub(super) pad2: u32,
}

/// `struct sanlk_resource` with the one disk that follows it.
#[repr(C)]
#[derive(Clone)]
pub(super) struct Resource {
    pub(super) lockspace_name: [u8; NAME_LEN],
    pub(super) name: [u8; NAME_LEN],
    pub(super) lver: u64,
    pub(super) data64: u64,
    pub(super) data32: u32,
    pub(super) unused: u32,
    pub(super) flags: u32,
    pub(super) num_disks: u32,
    pub(super) disk: Disk,
}

/// `struct sanlk_options`
#[repr(C)]
pub(super) struct Options {
    pub(super) owner_name: [u8; NAME_LEN],
    pub(super) flags: u32,
    pub(super) len: u32,
}

/// `struct sanlk_lockspace`
#[repr(C)]
#[derive(Clone)]
pub(super) struct Lockspace {
    pub(super) name: [u8; NAME_LEN],
    pub(super) host_id: u64,
    pub(super) flags: u32,
    pub(super) host_id_disk: Disk,
}

/// `struct sanlk_host`; its first field is `host_id` there.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Host {
    pub(super) id: u64,
    pub(super) generation: u64,
    pub(super) timestamp: u64,
    pub(super) io_timeout: u32,
    pub(super) flags: u32,
}

library_functions! {
    /// The functions that are used.
    Functions of "libsanlock_client.so.1" {
        version = c"sanlock_version": fn(u32, *mut u32, *mut u32) -> c_int;
        register = c"sanlock_register": fn() -> c_int;
        restrict = c"sanlock_restrict": fn(c_int, u32) -> c_int;
        killpath = c"sanlock_killpath": fn(c_int, u32, *const c_char, *mut c_char) -> c_int;
        acquire = c"sanlock_acquire": fn(c_int, c_int, u32, c_int, *mut *mut Resource, *mut Options) -> c_int;
        convert = c"sanlock_convert": fn(c_int, c_int, u32, *mut Resource) -> c_int;
        release = c"sanlock_release": fn(c_int, c_int, u32, c_int, *mut *mut Resource) -> c_int;
        set_lvb = c"sanlock_set_lvb": fn(u32, *mut Resource, *mut c_char, c_int) -> c_int;
        get_lvb = c"sanlock_get_lvb": fn(u32, *mut Resource, *mut c_char, c_int) -> c_int;
        add_lockspace = c"sanlock_add_lockspace_timeout": fn(*mut Lockspace, u32, u32) -> c_int;
        rem_lockspace = c"sanlock_rem_lockspace": fn(*mut Lockspace, u32) -> c_int;
        get_lockspaces = c"sanlock_get_lockspaces": fn(*mut *mut Lockspace, *mut c_int, u32) -> c_int;
        get_hosts = c"sanlock_get_hosts": fn(*const c_char, u64, *mut *mut Host, *mut c_int, u32) -> c_int;
        set_config = c"sanlock_set_config": fn(*const c_char, u32, u32, *mut u8) -> c_int;
        align = c"sanlock_align": fn(*mut Disk) -> c_int;
        write_lockspace = c"sanlock_write_lockspace": fn(*mut Lockspace, c_int, u32, u32) -> c_int;
        read_lockspace = c"sanlock_read_lockspace": fn(*mut Lockspace, u32, *mut u32) -> c_int;
        write_resource = c"sanlock_write_resource": fn(*mut Resource, c_int, c_int, u32) -> c_int;
        read_resource = c"sanlock_read_resource": fn(*mut Resource, u32) -> c_int;
        read_owners = c"sanlock_read_resource_owners": fn(*mut Resource, u32, *mut *mut Host, *mut c_int) -> c_int;
    }
}

/// What this module believes about the C structures and constants, in the words of C.
pub(in super::super) const LAYOUT: &[(&str, u64)] = &[
    ("sizeof(struct sanlk_disk)", size_of::<Disk>() as u64),
    ("offsetof(struct sanlk_disk, offset)", offset_of!(Disk, offset) as u64),
    // The one disk is not part of the C structure, it follows it.
    ("sizeof(struct sanlk_resource)", offset_of!(Resource, disk) as u64),
    ("offsetof(struct sanlk_resource, lockspace_name)", offset_of!(Resource, lockspace_name) as u64),
    ("offsetof(struct sanlk_resource, name)", offset_of!(Resource, name) as u64),
    ("offsetof(struct sanlk_resource, flags)", offset_of!(Resource, flags) as u64),
    ("offsetof(struct sanlk_resource, num_disks)", offset_of!(Resource, num_disks) as u64),
    ("offsetof(struct sanlk_resource, disks)", offset_of!(Resource, disk) as u64),
    ("sizeof(struct sanlk_options)", size_of::<Options>() as u64),
    ("offsetof(struct sanlk_options, owner_name)", offset_of!(Options, owner_name) as u64),
    ("offsetof(struct sanlk_options, flags)", offset_of!(Options, flags) as u64),
    ("sizeof(struct sanlk_lockspace)", size_of::<Lockspace>() as u64),
    ("offsetof(struct sanlk_lockspace, host_id)", offset_of!(Lockspace, host_id) as u64),
    ("offsetof(struct sanlk_lockspace, flags)", offset_of!(Lockspace, flags) as u64),
    ("offsetof(struct sanlk_lockspace, host_id_disk)", offset_of!(Lockspace, host_id_disk) as u64),
    ("sizeof(struct sanlk_host)", size_of::<Host>() as u64),
    ("offsetof(struct sanlk_host, generation)", offset_of!(Host, generation) as u64),
    ("offsetof(struct sanlk_host, timestamp)", offset_of!(Host, timestamp) as u64),
    ("offsetof(struct sanlk_host, io_timeout)", offset_of!(Host, io_timeout) as u64),
    ("offsetof(struct sanlk_host, flags)", offset_of!(Host, flags) as u64),
    ("SANLK_NAME_LEN", NAME_LEN as u64),
    ("SANLK_PATH_LEN", PATH_LEN as u64),
    ("SANLK_HELPER_PATH_LEN", HELPER_LEN as u64),
    ("SANLK_HELPER_ARGS_LEN", HELPER_LEN as u64),
    ("SANLK_RES_ALIGN1M", ALIGN_1M as u64),
    ("SANLK_RES_ALIGN2M", ALIGN_2M as u64),
    ("SANLK_RES_ALIGN4M", ALIGN_4M as u64),
    ("SANLK_RES_ALIGN8M", ALIGN_8M as u64),
    ("SANLK_RES_SECTOR512", SECTOR_512 as u64),
    ("SANLK_RES_SECTOR4K", SECTOR_4K as u64),
    ("SANLK_LSF_ALIGN1M", ALIGN_1M as u64),
    ("SANLK_LSF_ALIGN8M", ALIGN_8M as u64),
    ("SANLK_LSF_SECTOR512", SECTOR_512 as u64),
    ("SANLK_LSF_SECTOR4K", SECTOR_4K as u64),
    ("SANLK_RES_SHARED", RES_SHARED as u64),
    ("SANLK_RES_PERSISTENT", RES_PERSISTENT as u64),
    ("SANLK_REM_UNUSED", REM_UNUSED as u64),
    ("SANLK_CONFIG_USED_BY_ORPHANS", CONFIG_USED_BY_ORPHANS as u64),
    ("SANLK_RESTRICT_SIGKILL", RESTRICT_SIGKILL as u64),
    ("SANLK_ACQUIRE_LVB", ACQUIRE_LVB as u64),
    ("SANLK_ACQUIRE_ORPHAN", ACQUIRE_ORPHAN as u64),
    ("SANLK_ACQUIRE_ORPHAN_ONLY", ACQUIRE_ORPHAN_ONLY as u64),
    ("SANLK_ACQUIRE_OWNER_NOWAIT", ACQUIRE_OWNER_NOWAIT as u64),
    ("SANLK_CONVERT_OWNER_NOWAIT", CONVERT_OWNER_NOWAIT as u64),
    ("SANLK_REL_RENAME", REL_RENAME as u64),
    ("SANLK_REL_ORPHAN", REL_ORPHAN as u64),
    ("SANLK_HOST_MASK", HOST_MASK as u64),
    ("SANLK_HOST_UNKNOWN", HOST_UNKNOWN as u64),
    ("SANLK_HOST_FREE", HOST_FREE as u64),
    ("SANLK_HOST_LIVE", HOST_LIVE as u64),
    ("SANLK_HOST_FAIL", HOST_FAIL as u64),
    ("SANLK_HOST_DEAD", HOST_DEAD as u64),
];
