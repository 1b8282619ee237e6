//! What lvmetad's clients call VGs and PVs.
//!
//! lvmetad looks at none of these: any text is good, and what is not known is answered as not known. So they are types of
//! their own beside those of [`ids`](crate::ids), which are what LVM lets them be. They go nowhere but into replies, the log
//! and the names of actors: never into a command line or a path.

use std::fmt;
use std::sync::Arc;

/// An id of no text at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("parse an id: it is empty")]
pub struct EmptyId;

/// Declares a type for one kind of non-empty text.
macro_rules! id {
    ($(#[$docs:meta])* $name:ident) => {
        $(#[$docs])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Returns the text; never empty.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<&str> for $name {
            type Error = EmptyId;

            fn try_from(text: &str) -> Result<Self, EmptyId> {
                if text.is_empty() { Err(EmptyId) } else { Ok(Self(text.into())) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

id! {
    /// The UUID of a VG, as lvm sends it; or any other text.
    Vgid
}

id! {
    /// The UUID of a PV, as lvm sends it; or any other text.
    Pvid
}

id! {
    /// The name of a VG, as lvm sends it; or any other text.
    Vgname
}
