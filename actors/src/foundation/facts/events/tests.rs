//! What readers of the stream see.

use std::pin::{Pin, pin};
use std::task::{Context, Waker};
use std::time::Duration;

use super::*;

/// Polls a future once.
fn is_ready(future: Pin<&mut impl Future>) -> bool {
    future.poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

fn events(keep: usize) -> Events {
    Events::new(Metrics::new(), keep)
}

fn publish(events: &Events, uids: impl IntoIterator<Item = u32>) {
    for uid in uids {
        events.publish(&Occurrence::ClientRefused { uid });
    }
}

fn uids(events: &[Event]) -> Vec<u32> {
    events.iter().map(|event| event.fields["uid"].parse().unwrap()).collect()
}

#[test]
fn an_event_says_what_happened_and_where_it_stands() {
    let events = events(4);
    publish(&events, [1000]);
    let recent = events.recent(None);
    let [event] = recent.as_slice() else { panic!("{recent:?}") };
    assert_eq!((event.kind.as_str(), event.subject.as_str()), ("client.refused", "service"));
    assert_eq!((event.cursor.number(), &event.cursor), (1, &events.position()));
    let told: Timestamp = event.time.parse().unwrap();
    assert!((Timestamp::now() - told).get_seconds() < 60, "{}", event.time);
}

#[test]
fn the_latest_events_are_given_oldest_first() {
    let events = events(4);
    assert_eq!(events.recent(None), []);
    publish(&events, 1..=6);
    for (limit, expected) in
        [(None, &[3, 4, 5, 6][..]), (Some(9), &[3, 4, 5, 6]), (Some(2), &[5, 6]), (Some(0), &[])]
    {
        assert_eq!(uids(&events.recent(limit)), expected, "{limit:?}");
    }
}

#[test]
fn a_reader_that_was_away_misses_nothing_or_is_told_what() {
    let events = events(4);
    publish(&events, [1]);
    let place = events.position();
    publish(&events, 2..=5);
    let page = events.after(&place, 10);
    assert_eq!((page.gap, uids(&page.events)), (None, vec![2, 3, 4, 5]));
    assert_eq!(page.next, events.position());

    publish(&events, [6]);
    let page = events.after(&place, 10);
    let before = Cursor::new(place.epoch(), 3).unwrap();
    let gap = Gap { after: place, before, missed: Some(1), because: GapCause::Expired };
    assert_eq!((page.gap.as_ref(), uids(&page.events)), (Some(&gap), vec![3, 4, 5, 6]));
    let slow = Gap { because: GapCause::SlowReader, ..gap };
    assert_eq!(page.for_follower().gap, Some(slow));
}

#[test]
fn a_cursor_of_an_earlier_life_is_answered_with_a_gap() {
    let earlier = events(4);
    publish(&earlier, 1..=3);
    let events = events(4);
    publish(&events, 10..=11);
    let page = events.after(&earlier.position(), 10).for_follower();
    let before = events.recent(None)[0].cursor.clone();
    let gap = Gap { after: earlier.position(), before, missed: None, because: GapCause::Restarted };
    assert_eq!((page.gap, uids(&page.events)), (Some(gap), vec![10, 11]));
    assert_eq!(page.next, events.position());
}

#[tokio::test]
async fn a_reader_wakes_when_there_is_something_to_read() {
    let events = events(4);
    publish(&events, [1]);
    let place = events.position();
    let mut waiting = pin!(events.wait_after(&place));
    assert!(!is_ready(waiting.as_mut()));
    let publisher = events.clone();
    std::thread::spawn(move || publish(&publisher, [2])).join().unwrap();
    tokio::time::timeout(Duration::from_mins(1), waiting).await.unwrap();
    assert_eq!(uids(&events.after(&place, 10).events), [2]);
}

#[test]
fn nobody_waits_for_what_is_there_or_for_a_gap() {
    let events = events(4);
    publish(&events, [1]);
    let start = Cursor::new(events.position().epoch(), 0).unwrap();
    let never_given_out = Cursor::new(start.epoch(), 9).unwrap();
    let of_an_earlier_life = Cursor::new("0", 1).unwrap();
    for cursor in [start, never_given_out, of_an_earlier_life] {
        assert!(is_ready(pin!(events.wait_after(&cursor))), "{cursor}");
    }
}
