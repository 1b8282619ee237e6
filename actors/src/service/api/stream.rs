//! What happened, and what happens.

use lvmwarden_protocol::api::events::{
    Cursor, Error, Recent, RecentReply, Request, Subscribe, SubscribeReply,
};
use lvmwarden_protocol::api::varlink_service::Error as VarlinkError;
use lvmwarden_protocol::api::{CodecError, Method, Reply};

use super::Own;
use crate::foundation::api::outgoing::{PAGE_ITEMS, json_bytes, page};
use crate::foundation::api::replies::{Last, Replies};
use crate::foundation::api::{Part, Patience, place};
use crate::foundation::facts::events::Events;

/// How many events a reader is given at once. They are all that is kept for one that does not read, and need no share of what
/// may be on its way: there are no more readers than there may be.
const PAGE: usize = 16;

/// `org.lvmwarden.Events`.
pub(super) struct Happenings(pub(super) Own);

impl Part for Happenings {
    type Request = Request;

    const WATCHING: &'static [&'static str] = &[Recent::NAME, Subscribe::NAME];

    fn patience(request: &Request) -> Patience {
        match request {
            Request::Recent(_) => Patience::Brief,
            Request::Subscribe(_) => Patience::Endless,
        }
    }

    async fn answer(
        &self,
        uid: u32,
        request: Request,
        replies: &mut Replies<'_, '_>,
    ) -> Result<Last<'_>, CodecError> {
        match request {
            Request::Recent(asked) => self.recent(uid, asked, replies).await,
            Request::Subscribe(asked) => Ok(self.subscribe(asked, replies).await?.into()),
        }
    }
}

impl Happenings {
    async fn recent(
        &self,
        uid: u32,
        asked: Recent,
        replies: &Replies<'_, '_>,
    ) -> Result<Last<'_>, CodecError> {
        let before = match place::<Cursor>(asked.page.as_deref()) {
            Ok(before) => before,
            Err(refusal) => return Ok(refusal.into()),
        };
        let events = self.0.environment.events.clone();
        let make = move || recent_page(&events, asked.limit, before.as_ref());
        self.0.context.large::<Recent, _>(uid, replies, Error::Busy, async { Ok(make) }).await
    }

    /// Tells of events and gaps until so many were told as asked for.
    async fn subscribe(&self, asked: Subscribe, replies: &mut Replies<'_, '_>) -> Result<Reply, CodecError> {
        // A stream has a last reply, and each of these is an event.
        if asked.limit == Some(0) {
            return Ok(Reply::error(&VarlinkError::InvalidParameter { parameter: "limit".to_owned() }));
        }
        let events = &self.0.environment.events;
        let mut left = asked.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let mut is_follower = asked.cursor.is_none();
        let mut cursor = asked.cursor.unwrap_or_else(|| events.position());
        loop {
            events.wait_after(&cursor).await;
            let mut page = events.after(&cursor, PAGE.min(left));
            if is_follower {
                page = page.for_follower();
            }
            left -= page.events.len();
            let last = if left == 0 { page.events.pop() } else { None };
            let gap = page.gap.map(SubscribeReply::Gap);
            let told = gap.into_iter().chain(page.events.into_iter().map(SubscribeReply::Event));
            replies.send_all(told.map(|told| Reply::continued::<Subscribe>(&told))).await?;
            if let Some(last) = last {
                return Ok(Reply::last::<Subscribe>(&SubscribeReply::Event(last)));
            }
            (cursor, is_follower) = (page.next, true);
        }
    }
}

/// Returns the latest events of those before a cursor, as many as fit, oldest first.
fn recent_page(events: &Events, limit: Option<u32>, before: Option<&Cursor>) -> RecentReply {
    let at_most =
        limit.map_or(PAGE_ITEMS, |limit| PAGE_ITEMS.min(usize::try_from(limit).unwrap_or(PAGE_ITEMS)));
    let latest = events.latest(at_most + 1, before);
    let has_older = latest.len() > at_most;
    let (mut told, is_cut) = page(latest.into_iter().rev().take(at_most), json_bytes);
    let oldest = told.last().map(|event| event.cursor.to_string());
    told.reverse();
    RecentReply { events: told, next_page: oldest.filter(|_| has_older || is_cut) }
}
