//! Poll operations as they change: all of them, or one to its end.
//!
//! Each event that concerns an operation makes it be described anew; what is as it was told last is not told again, so
//! that a reader which is slow gets fewer replies and never an old one. An operation that another client has collected
//! in between has its end told from the history.

use std::collections::BTreeSet;
use std::collections::HashMap;

use lvmwarden_protocol::api::events::Cursor;
use lvmwarden_protocol::api::poll::{Error, Operation, OperationReply, OperationState, Watch};
use lvmwarden_protocol::api::{CodecError, Reply};
use uuid::Uuid;

use super::Serving;
use crate::foundation::api::replies::Replies;
use crate::roles::poll::api::{busy, described, not_found};
use crate::roles::poll::operation::directory::Directory;

/// How many events are looked at before the operations that they concern.
const PAGE: usize = 100;

/// How many operations are described at once.
const PIECE: usize = 100;

/// What one client has been told.
struct Watcher<'a> {
    directory: &'a Directory,
    /// The one operation that is watched; `None`: all.
    only: Option<Uuid>,
    told: HashMap<Uuid, Operation>,
}

impl Serving {
    pub(super) async fn watch(
        &self,
        directory: &Directory,
        only: Option<Uuid>,
        replies: &mut Replies<'_, '_>,
    ) -> Result<Reply, CodecError> {
        let mut watcher = Watcher { directory, only, told: HashMap::new() };
        // Taken first: what happens while the operations are described is told afterwards.
        let mut cursor = self.poll.events.position();
        let mut concerned = None;
        loop {
            let changes = match watcher.changes(concerned.as_ref()).await {
                Ok(changes) => changes,
                Err(error) => return Ok(Reply::error(&error)),
            };
            for operation in changes {
                let is_last = only.is_some() && operation.outcome.is_some();
                let reply = OperationReply { operation };
                if is_last {
                    return Ok(Reply::last::<Watch>(&reply));
                }
                replies.send(Reply::continued::<Watch>(&reply)).await?;
            }
            (concerned, cursor) = self.concerned(&cursor).await;
        }
    }

    /// Waits for events, and returns the operations that they concern (`None`: any may be), and where to go on.
    async fn concerned(&self, cursor: &Cursor) -> (Option<BTreeSet<Uuid>>, Cursor) {
        let events = &self.poll.events;
        events.wait_after(cursor).await;
        events.operations_after(cursor, PAGE)
    }
}

impl Watcher<'_> {
    /// Returns those of the concerned operations (`None`: of all) that are not as they were told, and takes them as told.
    async fn changes(&mut self, concerned: Option<&BTreeSet<Uuid>>) -> Result<Vec<Operation>, Error> {
        let mut changes = Vec::new();
        match (concerned, self.only) {
            (None, None) => {
                let mut listed = BTreeSet::new();
                loop {
                    let piece = described(self.directory, listed.last().copied(), PIECE).await?;
                    let is_last = piece.len() < PIECE;
                    for description in piece {
                        listed.insert(description.op);
                        self.note(description.into(), &mut changes);
                    }
                    if is_last {
                        break;
                    }
                }
                let gone: Vec<Uuid> = self.told.keys().copied().filter(|id| !listed.contains(id)).collect();
                for id in gone {
                    self.look(id, &mut changes).await?;
                }
            }
            (None, Some(only)) => self.look(only, &mut changes).await?,
            (Some(concerned), only) => {
                for &id in concerned.iter().filter(|id| only.is_none_or(|only| only == **id)) {
                    self.look(id, &mut changes).await?;
                }
            }
        }
        if let Some(only) = self.only
            && changes.is_empty()
            && self.told.is_empty()
        {
            return Err(not_found(only));
        }
        Ok(changes)
    }

    /// Adds what there is new to say of one operation.
    async fn look(&mut self, id: Uuid, changes: &mut Vec<Operation>) -> Result<(), Error> {
        if let Some(description) = self.directory.find(id).await.map_err(busy)? {
            self.note(description.into(), changes);
        } else if let Some(last) = self.told.remove(&id).filter(|last| last.outcome.is_none()) {
            let outcome = self.directory.end_of(id).await.map_err(busy)?;
            changes.extend(outcome.map(|outcome| Operation {
                state: OperationState::Ended,
                silent: false,
                blocked: None,
                paused: false,
                hold: None,
                outcome: Some(outcome.into()),
                ..last
            }));
        }
        Ok(())
    }

    /// Adds an operation that is not as it was told, and takes it as told.
    fn note(&mut self, operation: Operation, changes: &mut Vec<Operation>) {
        if self.told.get(&operation.id) != Some(&operation) {
            self.told.insert(operation.id, operation.clone());
            changes.push(operation);
        }
    }
}
