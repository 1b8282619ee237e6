//! The structures, constants and functions of `libcpg` and `libquorum`, as their headers declare them.
//!
//! Source: corosync 3.1.7, `corotypes.h`, `cpg.h`, `quorum.h`. A test compiles the headers and compares every size, offset
//! and constant.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::mem::offset_of;

use super::super::library::library_functions;

pub(super) const MODEL_V1: c_uint = 1;
pub(super) const TYPE_AGREED: c_uint = 2;
pub(super) const DELIVER_INITIAL_TOTEM_CONF: c_uint = 1;
pub(super) const DISPATCH_ONE_NONBLOCKING: c_uint = 4;
pub(super) const TRACK_CHANGES: c_uint = 2;
pub(super) const TRACK_CURRENT: c_uint = 1;
pub(super) const NAME_MAX: usize = 128;
pub(super) const MEMBERS_MAX: usize = 128;

pub(super) const REASON_JOIN: u32 = 1;
pub(super) const REASON_LEAVE: u32 = 2;
pub(super) const REASON_NODE_DOWN: u32 = 3;
pub(super) const REASON_NODE_UP: u32 = 4;
pub(super) const REASON_PROCESS_DOWN: u32 = 5;

/// `cpg_handle_t`, `quorum_handle_t`
pub(super) type Handle = u64;
/// `cs_error_t`, and the other enumerations that have no negative value.
pub(super) type Status = c_uint;

/// `struct cpg_name`
#[repr(C)]
pub(super) struct Name {
    pub(super) length: u32,
    pub(super) value: [c_char; NAME_MAX],
}

/// `struct cpg_address`
#[repr(C)]
pub(super) struct Address {
    pub(super) node: u32,
    pub(super) pid: u32,
    pub(super) reason: u32,
}

/// `struct cpg_ring_id`, `struct quorum_ring_id`
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct RingId {
    pub(super) node: u32,
    pub(super) sequence: u64,
}

/// `cpg_deliver_fn_t`
pub(super) type Deliver = unsafe extern "C" fn(Handle, *const Name, u32, u32, *mut c_void, usize);
/// `cpg_confchg_fn_t`
pub(super) type Change = unsafe extern "C" fn(
    Handle,
    *const Name,
    *const Address,
    usize,
    *const Address,
    usize,
    *const Address,
    usize,
);
/// `cpg_totem_confchg_fn_t`
pub(super) type TotemChange = unsafe extern "C" fn(Handle, RingId, u32, *const u32);
/// `quorum_v1_quorum_notification_fn_t`
pub(super) type QuorumNotification = unsafe extern "C" fn(Handle, u32, RingId, u32, *const u32);
/// `quorum_v1_nodelist_notification_fn_t`
pub(super) type NodesNotification =
    unsafe extern "C" fn(Handle, RingId, u32, *const u32, u32, *const u32, u32, *const u32);

/// `cpg_model_v1_data_t`
#[repr(C)]
pub(super) struct CpgModel {
    pub(super) model: c_uint,
    pub(super) deliver: Option<Deliver>,
    pub(super) change: Option<Change>,
    pub(super) totem_change: Option<TotemChange>,
    pub(super) flags: c_uint,
}

/// `quorum_model_v1_data_t`
#[repr(C)]
pub(super) struct QuorumModel {
    pub(super) model: c_uint,
    pub(super) quorum: Option<QuorumNotification>,
    pub(super) nodes: Option<NodesNotification>,
}

library_functions! {
    /// The functions of `libcpg` that are used.
    CpgFunctions of "libcpg.so.4" {
        initialize = c"cpg_model_initialize": fn(*mut Handle, c_uint, *mut CpgModel, *mut c_void) -> Status;
        finalize = c"cpg_finalize": fn(Handle) -> Status;
        fd_get = c"cpg_fd_get": fn(Handle, *mut c_int) -> Status;
        local_get = c"cpg_local_get": fn(Handle, *mut c_uint) -> Status;
        join = c"cpg_join": fn(Handle, *const Name) -> Status;
        leave = c"cpg_leave": fn(Handle, *const Name) -> Status;
        dispatch = c"cpg_dispatch": fn(Handle, c_uint) -> Status;
        multicast = c"cpg_mcast_joined": fn(Handle, c_uint, *const libc::iovec, c_uint) -> Status;
    }
}

library_functions! {
    /// The functions of `libquorum` that are used.
    QuorumFunctions of "libquorum.so.5" {
        initialize = c"quorum_model_initialize": fn(
            *mut Handle, c_uint, *mut QuorumModel, *mut u32, *mut c_void,
        ) -> Status;
        finalize = c"quorum_finalize": fn(Handle) -> Status;
        fd_get = c"quorum_fd_get": fn(Handle, *mut c_int) -> Status;
        dispatch = c"quorum_dispatch": fn(Handle, c_uint) -> Status;
        track_start = c"quorum_trackstart": fn(Handle, c_uint) -> Status;
    }
}

/// What this module believes about the C structures and constants of `libcpg`, in the words of C.
pub(in super::super) const CPG_LAYOUT: &[(&str, u64)] = &[
    ("sizeof(cpg_handle_t)", size_of::<Handle>() as u64),
    ("sizeof(cs_error_t)", size_of::<Status>() as u64),
    ("sizeof(cpg_guarantee_t)", size_of::<c_uint>() as u64),
    ("sizeof(cs_dispatch_flags_t)", size_of::<c_uint>() as u64),
    ("sizeof(struct cpg_name)", size_of::<Name>() as u64),
    ("offsetof(struct cpg_name, length)", offset_of!(Name, length) as u64),
    ("offsetof(struct cpg_name, value)", offset_of!(Name, value) as u64),
    ("sizeof(struct cpg_address)", size_of::<Address>() as u64),
    ("offsetof(struct cpg_address, nodeid)", offset_of!(Address, node) as u64),
    ("offsetof(struct cpg_address, pid)", offset_of!(Address, pid) as u64),
    ("offsetof(struct cpg_address, reason)", offset_of!(Address, reason) as u64),
    ("sizeof(struct cpg_ring_id)", size_of::<RingId>() as u64),
    ("offsetof(struct cpg_ring_id, nodeid)", offset_of!(RingId, node) as u64),
    ("offsetof(struct cpg_ring_id, seq)", offset_of!(RingId, sequence) as u64),
    ("sizeof(cpg_model_v1_data_t)", size_of::<CpgModel>() as u64),
    ("offsetof(cpg_model_v1_data_t, model)", offset_of!(CpgModel, model) as u64),
    ("offsetof(cpg_model_v1_data_t, cpg_deliver_fn)", offset_of!(CpgModel, deliver) as u64),
    ("offsetof(cpg_model_v1_data_t, cpg_confchg_fn)", offset_of!(CpgModel, change) as u64),
    ("offsetof(cpg_model_v1_data_t, cpg_totem_confchg_fn)", offset_of!(CpgModel, totem_change) as u64),
    ("offsetof(cpg_model_v1_data_t, flags)", offset_of!(CpgModel, flags) as u64),
    ("sizeof(((cpg_model_v1_data_t *)0)->model)", size_of::<c_uint>() as u64),
    ("CPG_MODEL_V1", MODEL_V1 as u64),
    ("CPG_MODEL_V1_DELIVER_INITIAL_TOTEM_CONF", DELIVER_INITIAL_TOTEM_CONF as u64),
    ("CPG_TYPE_AGREED", TYPE_AGREED as u64),
    ("CPG_MAX_NAME_LENGTH", NAME_MAX as u64),
    ("CPG_MEMBERS_MAX", MEMBERS_MAX as u64),
    ("CPG_REASON_JOIN", REASON_JOIN as u64),
    ("CPG_REASON_LEAVE", REASON_LEAVE as u64),
    ("CPG_REASON_NODEDOWN", REASON_NODE_DOWN as u64),
    ("CPG_REASON_NODEUP", REASON_NODE_UP as u64),
    ("CPG_REASON_PROCDOWN", REASON_PROCESS_DOWN as u64),
    ("CS_DISPATCH_ONE_NONBLOCKING", DISPATCH_ONE_NONBLOCKING as u64),
    ("CS_TRACK_CURRENT", TRACK_CURRENT as u64),
    ("CS_TRACK_CHANGES", TRACK_CHANGES as u64),
];

/// What this module believes about the C structures and constants of `libquorum`, in the words of C.
pub(in super::super) const QUORUM_LAYOUT: &[(&str, u64)] = &[
    ("sizeof(quorum_handle_t)", size_of::<Handle>() as u64),
    ("sizeof(struct quorum_ring_id)", size_of::<RingId>() as u64),
    ("offsetof(struct quorum_ring_id, nodeid)", offset_of!(RingId, node) as u64),
    ("offsetof(struct quorum_ring_id, seq)", offset_of!(RingId, sequence) as u64),
    ("sizeof(quorum_model_v1_data_t)", size_of::<QuorumModel>() as u64),
    ("offsetof(quorum_model_v1_data_t, model)", offset_of!(QuorumModel, model) as u64),
    ("offsetof(quorum_model_v1_data_t, quorum_notify_fn)", offset_of!(QuorumModel, quorum) as u64),
    ("offsetof(quorum_model_v1_data_t, nodelist_notify_fn)", offset_of!(QuorumModel, nodes) as u64),
    ("QUORUM_MODEL_V1", MODEL_V1 as u64),
];
