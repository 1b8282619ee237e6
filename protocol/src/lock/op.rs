//! What a request is called in replies, by number, and in lists, by word.

/// Declares the operations, each with its number and its word.
macro_rules! ops {
    ($($(#[$docs:meta])* $op:ident $number:literal $word:literal,)*) => {
        /// The kind of a request, as replies and lists of locks name it.
        ///
        /// Source: lvm2 2.03.16 and 2.03.39, observed replies and lists.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Op { $($(#[$docs])* $op,)* }

        impl Op {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$op,)*];

            /// Returns the number in the field `op` of replies, which no client reads.
            pub fn number(self) -> i32 {
                match self { $(Self::$op => $number,)* }
            }

            /// Returns the word in lists.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$op => $word,)* }
            }
        }
    };
}

ops! {
    /// `init_vg` and `init_lv`.
    Init 3 "init",
    /// `free_vg` and `free_lv`.
    Free 4 "free",
    /// `start_vg`.
    Start 5 "start",
    /// `stop_vg`.
    Stop 6 "stop",
    /// `lock_gl`, `lock_vg` and `lock_lv`.
    Lock 7 "lock",
    /// `vg_update`.
    Update 8 "update",
    /// `enable_gl`.
    Enable 10 "enable",
    /// `disable_gl`.
    Disable 11 "disable",
    /// `start_wait`.
    StartWait 12 "start_wait",
    /// `stop_all`.
    StopAll 13 "stop_all",
    /// `info`.
    DumpInfo 14 "dump_info",
    /// `dump`.
    DumpLog 15 "dump_log",
    /// `rename_vg_before`.
    RenameBefore 16 "rename_before",
    /// `rename_vg_final`.
    RenameFinal 17 "rename_final",
    /// `running_lm`.
    RunningLm 18 "running_lm",
    /// `find_free_lock`.
    FindFreeLock 19 "find_free_lock",
    /// `kill_vg`.
    KillVg 20 "kill_vg",
    /// `drop_vg`.
    DropVg 21 "drop_vg",
    /// `busy_vg`.
    Busy 22 "busy",
    /// `query_lock_vg` and `query_lock_lv`.
    QueryLock 23 "query_lock",
    /// `refresh_lv`.
    RefreshLv 24 "refresh_lv",
    /// `vg_status`.
    VgStatus 25 "vg_status",
    /// `setlockargs_vg_before`.
    SetLockArgsBefore 28 "setlockargs_before",
    /// `setlockargs_vg_final`.
    SetLockArgsFinal 29 "setlockargs_final",
    /// `set_remote_lv_lock`.
    SetRemoteLvLock 30 "set_remote_lv_lock",
}

impl Op {
    /// Returns the operation with this number.
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.iter().copied().find(|op| i64::from(op.number()) == number)
    }
}
