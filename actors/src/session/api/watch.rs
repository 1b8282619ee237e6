//! Poll operations as they change: all of them, or one to its end.
//!
//! Each event that concerns an operation makes it be described anew; what is as it was told last is not told again, so
//! that a reader which is slow gets fewer replies and never an old one. An operation that another client has collected
//! in between has its end told from the history.

use std::collections::BTreeSet;
use std::collections::HashMap;

use lvmwarden_protocol::api::events::{Cursor, Event};
use lvmwarden_protocol::api::poll::{
    Error, HistoryStep, Operation, OperationReply, OperationState, Outcome, Watch,
};
use lvmwarden_protocol::api::{CodecError, Reply};
use uuid::Uuid;

use super::ApiService;
use super::connection::Replies;
use super::poll::{list, not_found};
use crate::poll_operation::directory::Directory;

/// How many events are looked at before the operations that they concern.
const PAGE: usize = 100;

/// What one client has been told.
struct Watcher<'a> {
    directory: &'a Directory,
    /// The one operation that is watched; `None`: all.
    only: Option<Uuid>,
    told: HashMap<Uuid, Operation>,
}

impl ApiService {
    pub(super) async fn watch(
        &self,
        directory: &Directory,
        only: Option<Uuid>,
        replies: &mut Replies<'_, '_>,
    ) -> Result<Reply, CodecError> {
        let Ok(_stream) = self.streams.try_acquire() else { return Ok(Reply::error(&Error::Busy)) };
        let mut watcher = Watcher { directory, only, told: HashMap::new() };
        // Taken first: what happens while the operations are described is told afterwards.
        let mut cursor = self.environment.events.position();
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
        let events = &self.environment.events;
        events.wait_after(cursor).await;
        let page = events.after(cursor, PAGE);
        let of = |event: &Event| event.fields.get("op")?.parse().ok();
        (page.gap.is_none().then(|| page.events.iter().filter_map(of).collect()), page.next)
    }
}

impl Watcher<'_> {
    /// Returns those of the concerned operations (`None`: of all) that are not as they were told, and takes them as told.
    async fn changes(&mut self, concerned: Option<&BTreeSet<Uuid>>) -> Result<Vec<Operation>, Error> {
        let now = match (concerned, self.only) {
            (None, None) => list(self.directory).await?.operations,
            (None, Some(only)) => self.one(only).await?.into_iter().collect(),
            (Some(concerned), only) => {
                let mut now = Vec::new();
                for &id in concerned.iter().filter(|id| only.is_none_or(|only| only == **id)) {
                    now.extend(self.one(id).await?);
                }
                now
            }
        };
        if let Some(only) = self.only
            && now.is_empty()
            && self.told.is_empty()
        {
            return Err(not_found(only));
        }
        let mut changes = Vec::new();
        for operation in now {
            if self.told.get(&operation.id) != Some(&operation) {
                self.told.insert(operation.id, operation.clone());
                changes.push(operation);
            }
        }
        Ok(changes)
    }

    /// Describes one operation; `None` when there is nothing new to say of it.
    async fn one(&mut self, id: Uuid) -> Result<Option<Operation>, Error> {
        if let Some(description) = self.directory.find(id).await.map_err(super::poll::busy)? {
            return Ok(Some(description.into()));
        }
        let Some(last) = self.told.remove(&id).filter(|last| last.outcome.is_none()) else { return Ok(None) };
        let outcome = self.end_in_history(id).await?;
        Ok(outcome.map(|outcome| Operation {
            state: OperationState::Ended,
            silent: false,
            outcome: Some(outcome),
            ..last
        }))
    }

    async fn end_in_history(&self, id: Uuid) -> Result<Option<Outcome>, Error> {
        let history = self.directory.history(None).await.map_err(super::poll::busy)?;
        let mut steps = history.into_iter().rev();
        let end = steps.find(|entry| entry.id == id && entry.step == HistoryStep::Ended);
        Ok(end.and_then(|entry| entry.outcome))
    }
}
