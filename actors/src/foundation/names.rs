//! Names of actors that others ask, as [`tree`](crate::tree) gives them out.

use std::sync::LazyLock;

use lvmwarden_supervisor::Name;

/// The journal.
pub static JOURNAL: LazyLock<Name> = LazyLock::new(|| Name::root().child("journal"));

/// Who writes the history on disk.
pub static CHRONICLER: LazyLock<Name> = LazyLock::new(|| Name::root().child("history").child("chronicler"));

/// The supervisor of all poll operations.
pub static OPERATIONS: LazyLock<Name> = LazyLock::new(|| Name::root().child("poll").child("operations"));

/// Who turns the kernel's knobs that slow copies down.
pub static THROTTLE: LazyLock<Name> = LazyLock::new(|| Name::root().child("poll").child("throttle"));

/// Who finds in LVM's metadata what nobody polls.
pub static RECONCILE: LazyLock<Name> = LazyLock::new(|| Name::root().child("poll").child("reconcile"));

/// The archive janitor.
pub static ARCHIVE_JANITOR: LazyLock<Name> = LazyLock::new(|| Name::root().child("archive").child("janitor"));

/// The supervisor of all lockspaces.
pub static LOCKSPACES: LazyLock<Name> = LazyLock::new(|| Name::root().child("lock").child("lockspaces"));

/// The supervisor of all cached VGs.
pub static CACHED_VGS: LazyLock<Name> = LazyLock::new(|| Name::root().child("metadata").child("cached_vgs"));

/// The supervisor of all changes that hosts make together.
pub static CHANGES: LazyLock<Name> = LazyLock::new(|| Name::root().child("reconfigure").child("changes"));
