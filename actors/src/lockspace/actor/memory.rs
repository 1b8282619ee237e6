//! What the actor writes down, so that its next instance, and the daemon's next life, know it.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use actix::prelude::*;
use slog::warn;

use super::LockspaceActor;
use crate::journal;
use crate::ledger::Record;
use crate::lockspace::ask::ClientId;
use crate::lockspace::book::{BookRecord, Started};
use crate::lockspace::crash::reconcile;
use crate::lockspace::record::{LockRecord, Remembered};

type Written = Pin<Box<dyn Future<Output = Result<(), String>>>>;

impl LockspaceActor {
    /// Remembers what has become of a lock; nothing else is done before that is durable, where it has to be.
    pub(super) fn remember(&mut self, record: LockRecord, ctx: &mut Context<Self>) {
        self.environment.book.open().apply_lock(&self.spec.name, &record);
        if record.is_durable() {
            self.write(BookRecord::Lock { lockspace: self.spec.name.to_string(), record }, ctx);
        }
    }

    /// Remembers that the lockspace is about to be joined.
    pub(super) fn remember_start(&mut self, ctx: &mut Context<Self>) {
        let record = BookRecord::Started(Started::of(&self.spec));
        self.environment.book.open().apply(&record);
        self.write(record, ctx);
    }

    /// Remembers that it was left.
    pub(super) fn remember_end(&mut self, ctx: &mut Context<Self>) {
        let record = BookRecord::Left { lockspace: self.spec.name.to_string() };
        self.environment.book.open().apply(&record);
        self.write(record, ctx);
    }

    fn write(&mut self, record: BookRecord, ctx: &mut Context<Self>) {
        let memory = &self.environment.memory;
        if !memory.journal && memory.adopt_file.is_none() {
            return;
        }
        self.is_writing = true;
        ctx.spawn(self.written(record).into_actor(self).map(|written, actor, ctx| {
            if let Err(error) = written {
                // Locks go on being served: a host whose memory is full is not one that may lose its storage as well.
                warn!(actor.log, "cannot write down a lock"; "error" => error,
                      "next" => "it is served; a crash of the daemon may leave it behind");
            }
            actor.is_writing = false;
            actor.enqueue_wanted(ctx);
        }));
    }

    fn written(&self, record: BookRecord) -> Written {
        let (environment, registry) = (Arc::clone(&self.environment), self.link.registry.clone());
        Box::pin(async move {
            if environment.memory.journal {
                journal::append(&registry, Record::Locks(record)).await?;
            }
            if let Some(file) = &environment.memory.adopt_file {
                file.store(|| environment.book.open().clone()).await?;
            }
            Ok(())
        })
    }

    /// Compares what is remembered with what the connection holds, after a crash in between: what was acquired for
    /// nobody is given back, and what was given back is forgotten. Returns what is remembered then.
    pub(super) fn reconcile_book(&self) -> Remembered {
        let mut book = self.environment.book.open();
        let mut remembered = book.get(&self.spec.name).map(|booked| booked.locks.clone()).unwrap_or_default();
        let Some(connection) = self.opened.as_ref().map(|opened| &opened.calls) else { return remembered };
        let (records, surplus) = reconcile(&remembered, &connection.held());
        for record in records {
            book.apply_lock(&self.spec.name, &record);
            remembered.apply(&record);
        }
        for call in surplus {
            // In its turn; whoever wants the lock next waits behind it.
            let _ = connection.submit(call);
        }
        remembered
    }
}

/// Returns the connections that hold something.
pub(super) fn clients(remembered: &Remembered) -> BTreeSet<ClientId> {
    let holders = remembered.locks().flat_map(|(_, lock)| &lock.holders);
    let clients = holders.filter(|(_, holder)| !holder.is_persistent());
    clients.map(|(_, holder)| ClientId(holder.client)).collect()
}
