//! Who may come in, and who may have one more of what there is not enough of for everybody.
//!
//! One rule for all: a bound is divided by user, and root has a share that nobody else can take.
//!
//! | file | is |
//! |---|---|
//! | `shares.rs` | one bound, its shares, and who has how much of it (pure) |
//! | `room.rs` | how many clients a door has room for, and which descriptors are kept for others (pure) |
//! | `shortage.rs` | when a shortage begins and ends, for the log (pure) |
//! | `quota.rs` | a bound whose places are given back when they are dropped |
//!
//! What has such a bound: the connections of each door ([`crate::foundation::door`]), the calls that wait for what happens
//! ([`crate::service::api`]), the dry runs of the archive janitor ([`crate::roles::archive`]), and the plans of changes
//! ([`crate::roles::reconfigure`]).

mod quota;
mod room;
mod shares;
mod shortage;

pub use quota::{Place, Quota};
pub use room::{Entrance, Refusal, Room, verdict};
pub use shares::{Asker, Excess, Occupancy, Shares};
pub use shortage::{Ended, Shortages};

#[cfg(test)]
mod tests;
