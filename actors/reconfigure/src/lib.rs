//! How all hosts of a shared VG make a change together, or none of them: the machines, pure.
//!
//! ```text
//!  asked ─▶ locking ─▶ proposing ─▶ voting ─▶ preparing ─▶ applying ─▶ committing ─▶ ended
//!            VG ex      PROPOSE      VOTE*     PREPARE,     the gate,   COMMIT,       END
//!                                              READY*       the write   DONE*
//!              └───────────┴───────────┴──────────┴── ABANDON, undo, DONE* ──────────▶ ended
//! ```
//!
//! | module | is |
//! |---|---|
//! | [`change`] | all that one host has of one change: what a shell drives |
//! | [`coordinator`] | the machine of the host that was asked |
//! | [`participant`] | the machine of every host that is asked, the coordinator's included |
//! | [`judge`] | who reads the metadata under the VG lock because nobody knows |
//! | [`decision`] | what survivors know when the coordinator leaves |
//! | [`roll`] | who takes part, and what was heard of each |
//! | [`membership`] | who is in the group, whether it is quorate, whom this host knows |
//! | [`word`] | what members tell one another |
//! | [`wire`] | what that looks like in bytes, and what is refused |
//! | [`record`] | what is on disk before anybody sees it, and what a new life makes of that |
//! | [`effect`] | what a shell is to do |
//! | [`kind`] | the kinds of changes, as data |
//!
//! **The write to the metadata is the commit.** A message only tells of it; who does not know reads the metadata under the
//! VG lock. So nothing that was delivered, and nothing that was not, is ever taken for the decision by itself, except where
//! [`decision`] shows that all survivors know the same.
//!
//! Time is an event: a machine asks for a timer with [`effect::Effect::Arm`] and is told when that is over. A timer whose
//! state has passed is told in vain. A shell tells timers that are due before anything else that has come meanwhile.
//!
//! The machines do nothing themselves: they take an event and add effects to a list, which the shell carries out in order.
//! This crate has no dependency that could do I/O, and its tests play the machines as they are: `tests/machines/`.
#![forbid(unsafe_code)]

pub mod change;
pub mod coordinator;
pub mod decision;
pub mod effect;
pub mod judge;
pub mod kind;
pub mod member;
pub mod membership;
pub mod participant;
pub mod record;
pub mod roll;
pub mod wire;
pub mod word;
