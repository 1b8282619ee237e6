//! What the actor writes down, so that its next instance, and the daemon's next life, know it.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use slog::warn;
use tokio::time::sleep;

use super::LockspaceActor;
use crate::foundation::store::journal;
use crate::foundation::store::ledger::Record;
use crate::roles::lock::lock_manager::Resource;
use crate::roles::lock::lockspace::ask::ClientId;
use crate::roles::lock::lockspace::book::{BookRecord, Started};
use crate::roles::lock::lockspace::crash::reconcile;
use crate::roles::lock::lockspace::event::Event;
use crate::roles::lock::lockspace::record::{LockRecord, Remembered, Writing};
use crate::roles::lock::recovery::is_active;

/// How often it is tried to find out which LVs are active.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

type Written = Pin<Box<dyn Future<Output = Result<(), String>>>>;

/// What is to be written down.
#[derive(Default)]
pub(super) struct Unwritten {
    /// It, in order.
    records: Vec<BookRecord>,
    /// Something is being written.
    pub(super) is_under_way: bool,
    /// The next effect waits until all is written.
    pub(super) is_awaited: bool,
}

impl LockspaceActor {
    /// Remembers what has become of a lock; nothing else is done before that is durable, where it has to be.
    pub(super) fn remember(&mut self, record: LockRecord, ctx: &mut Context<Self>) {
        let writing = {
            let mut book = self.environment.book.open();
            let known = book.get(&self.spec.name).map(|booked| booked.locks.writing(&record));
            book.apply_lock(&self.spec.name, &record);
            known.unwrap_or(Writing::Awaited)
        };
        self.write(BookRecord::Lock { lockspace: self.spec.name.to_string(), record }, writing, ctx);
    }

    /// Remembers that the lockspace is about to be joined.
    pub(super) fn remember_start(&mut self, ctx: &mut Context<Self>) {
        let record = BookRecord::Started(Started::of(&self.spec));
        self.environment.book.open().apply(&record);
        self.write(record, Writing::Awaited, ctx);
    }

    /// Remembers that it was left.
    pub(super) fn remember_end(&mut self, ctx: &mut Context<Self>) {
        let record = BookRecord::Left { lockspace: self.spec.name.to_string() };
        self.environment.book.open().apply(&record);
        self.write(record, Writing::Awaited, ctx);
    }

    fn write(&mut self, record: BookRecord, writing: Writing, ctx: &mut Context<Self>) {
        let memory = &self.environment.memory;
        if !memory.journal && memory.adopt_file.is_none() {
            return;
        }
        self.unwritten.is_awaited |= writing == Writing::Awaited;
        self.unwritten.records.push(record);
        self.write_on(ctx);
    }

    /// Writes down what has come together: in order, as one record, when the one before is written.
    fn write_on(&mut self, ctx: &mut Context<Self>) {
        if self.unwritten.is_under_way || self.unwritten.records.is_empty() {
            return;
        }
        self.unwritten.is_under_way = true;
        let records = std::mem::take(&mut self.unwritten.records);
        ctx.spawn(self.written(records).into_actor(self).map(|written, actor, ctx| {
            if let Err(error) = written {
                // Locks go on being served: a host whose memory is full is not one that may lose its storage as well.
                warn!(actor.log, "cannot write down a lock"; "error" => error,
                      "next" => "it is served; a crash of the daemon may leave it behind");
            }
            let unwritten = &mut actor.unwritten;
            unwritten.is_under_way = false;
            // What was awaited is among what was written, unless it came later.
            unwritten.is_awaited &= !unwritten.records.is_empty();
            actor.write_on(ctx);
            actor.enqueue_wanted(ctx);
        }));
    }

    fn written(&self, mut records: Vec<BookRecord>) -> Written {
        let (environment, registry) = (Arc::clone(&self.environment), self.link.registry.clone());
        let concerns_file = records.iter().any(BookRecord::is_of_adopt_file);
        Box::pin(async move {
            if environment.memory.journal {
                let record = match records.len() {
                    1 => records.remove(0),
                    _several => BookRecord::Together { records },
                };
                journal::append(&registry, Record::Locks(record)).await?;
            }
            if let Some(file) = environment.memory.adopt_file.as_ref().filter(|_| concerns_file) {
                file.store(|| environment.book.open().clone()).await?;
            }
            Ok(())
        })
    }

    /// Finds out whether an LV is active: in its own time, and again until that is known.
    pub(super) fn look_for_use(&self, resource: Resource, ctx: &mut Context<Self>) {
        let environment = Arc::clone(&self.environment);
        let looked = async move {
            loop {
                if let Some(active) = environment.devices.active_lvs().await {
                    return active;
                }
                sleep(LOOK_AGAIN).await;
            }
        };
        ctx.spawn(looked.into_actor(self).map(move |active, actor, ctx| {
            let is_active = is_active(&active, actor.spec.vg_uuid, &resource);
            actor.apply(Event::Used(resource, is_active), ctx);
        }));
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

/// Returns the connections that hold something, or rely on what is held.
pub(super) fn clients(remembered: &Remembered) -> BTreeSet<ClientId> {
    let clients = remembered.everybody().filter(|holder| !holder.is_persistent());
    clients.map(|holder| ClientId(holder.client)).collect()
}
