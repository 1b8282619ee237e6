//! Names of actors that others ask, as [`tree`](crate::tree) gives them out.

use lvmwarden_supervisor::Name;

/// Returns the name of the journal.
pub fn journal() -> Name {
    Name::root().child("journal")
}

/// Returns the name of the supervisor of all poll operations.
pub fn operations() -> Name {
    Name::root().child("poll").child("operations")
}
