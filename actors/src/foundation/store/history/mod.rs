//! The history on disk: what has happened to operations, one story for each, beyond their end and beyond a reboot.
//!
//! ```text
//!  operations ──▶ journal (/run)             journal (/var/lib/lvmwarden)
//!                 the latest steps  ──copy──▶  Chronicle: a Story for each operation
//!                        ▲        Chronicler          ▲
//!                        └────────── Teller ──────────┘
//!                                    (the API)
//! ```
//!
//! Nobody waits for the disk. What happens is a record of the journal on `/run` first, as it always was; its latest steps
//! are the outbox, from which the [`Chronicler`](chronicler::Chronicler) copies to the disk afterwards. While the disk
//! is full, read-only, not mounted yet or does not answer, operations go on, and the copying goes on where it stopped.
//!
//! In order, for a step:
//!
//! 1. its record is durable on `/run`; the chronicler is told, and waits a moment for more;
//! 2. it reads the steps behind the one that it copied last, and appends them as one record: all or nothing;
//! 3. the fold of that record, the [`Chronicle`](chronicle::Chronicle), knows which step came last. There is no other
//!    mark that could be ahead or behind: a crash anywhere copies no step twice and leaves none out.
//!
//! What must never happen: that a poll answer, recovery, or the end of the daemon waits for this disk. What is lost: steps
//! that the outbox had to give up before the disk took them; the stories they may belong to say so.
//!
//! What happens to all else, such as lockspaces, is put down in memory and written to the journal on `/run` by the chronicler, in
//! its own time, and copied from there the same way: the latest [`FactStep`](crate::foundation::facts::keeping::FactStep)s of each.
//!
//! A story without an end whose operation the journal on `/run` does not know is ended at the start of the daemon: the host
//! was restarted, or, within the same boot, that journal is gone.

pub mod chronicle;
pub mod chronicler;
mod disk;
pub mod facts;
pub mod health;
pub mod place;
pub mod story;
pub mod teller;
