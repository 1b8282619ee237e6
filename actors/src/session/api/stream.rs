//! What happened, and what happens.

use lvmwarden_protocol::api::events::{Error, Recent, RecentReply, Subscribe, SubscribeReply};
use lvmwarden_protocol::api::varlink_service::Error as VarlinkError;
use lvmwarden_protocol::api::{CodecError, Reply};

use super::ApiService;
use super::connection::Replies;
use super::dispatch::large_reply;

/// How many events a reader is given before it is looked whether there are more.
const PAGE: usize = 100;

impl ApiService {
    pub(super) async fn recent(&self, asked: Recent) -> Reply {
        let events = self.environment.events.recent(asked.limit);
        large_reply::<Recent, Error>(Ok(RecentReply { events })).await
    }

    /// Tells of events and gaps until so many were told as asked for.
    pub(super) async fn subscribe(
        &self,
        asked: Subscribe,
        replies: &mut Replies<'_, '_>,
    ) -> Result<Reply, CodecError> {
        // A stream has a last reply, and each of these is an event.
        if asked.limit == Some(0) {
            return Ok(Reply::error(&VarlinkError::InvalidParameter { parameter: "limit".to_owned() }));
        }
        let Ok(_stream) = self.streams.try_acquire() else { return Ok(Reply::error(&Error::Busy)) };
        let events = &self.environment.events;
        let mut left = asked.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let mut is_follower = asked.cursor.is_none();
        let mut cursor = asked.cursor.unwrap_or_else(|| events.position());
        loop {
            events.wait_after(&cursor).await;
            let mut page = events.after(&cursor, PAGE.min(left));
            if is_follower {
                page = page.for_follower();
            }
            if let Some(gap) = page.gap {
                replies.send(Reply::continued::<Subscribe>(&SubscribeReply::Gap(gap))).await?;
            }
            for event in page.events {
                left -= 1;
                let event = SubscribeReply::Event(event);
                if left == 0 {
                    return Ok(Reply::last::<Subscribe>(&event));
                }
                replies.send(Reply::continued::<Subscribe>(&event)).await?;
            }
            (cursor, is_follower) = (page.next, true);
        }
    }
}
