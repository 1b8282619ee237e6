//! A session at the end of a socket pair, in front of a service that repeats what it is told.
//!
//! Where the clock is paused, it jumps to the next deadline as soon as both ends wait: that is sound because nothing but
//! the two ends is at work.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lvmwarden_protocol::framing::{MAX_MESSAGE_BYTES, TERMINATOR};
use slog::{Drain, Never, OwnedKVList, Record, o};
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep};

use super::*;

/// No test takes nearly as long.
const TEST_DEADLINE: Duration = Duration::from_secs(30);

/// Answers every message with itself, in brackets.
struct Echo;

impl Service for Echo {
    async fn answer(&self, message: Bytes) -> Bytes {
        [b"[", message.as_ref(), b"]"].concat().into()
    }
}

/// Answers every message with so much that no socket buffer takes it.
struct Flood;

impl Service for Flood {
    async fn answer(&self, _message: Bytes) -> Bytes {
        vec![b'x'; MAX_MESSAGE_BYTES].into()
    }
}

/// Lets `client` talk to a session; returns how the session ended, and what the client returned.
async fn talk<T>(
    service: impl Service,
    client: impl AsyncFnOnce(UnixStream) -> T,
) -> (Result<(), FramingError>, T) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let both = async { tokio::join!(serve(theirs, &service), client(ours)) };
    LocalSet::new().run_until(both).await
}

/// As [`talk`], on a clock that runs.
async fn talk_in_time<T>(client: impl AsyncFnOnce(UnixStream) -> T) -> (Result<(), FramingError>, T) {
    timeout(TEST_DEADLINE, talk(Echo, client)).await.expect("client or session waits for ever")
}

async fn read_exactly(client: &mut UnixStream, expected: &[u8]) {
    let mut read = vec![0; expected.len()];
    client.read_exact(&mut read).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&read), String::from_utf8_lossy(expected));
}

/// Waits until the session has closed the connection.
async fn read_end(client: &mut UnixStream) {
    let mut rest = Vec::new();
    match client.read_to_end(&mut rest).await {
        Ok(_) => assert_eq!(rest, b""),
        // What the session had not read when it closed.
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
    }
}

#[tokio::test]
async fn requests_are_answered_one_after_the_other_until_the_client_closes() {
    let (served, ()) = talk_in_time(async |mut client| {
        for text in ["one", "two", "", "three\n##"] {
            client.write_all(format!("{text}\n##\n").as_bytes()).await.unwrap();
            read_exactly(&mut client, format!("[{text}]\n##\n").as_bytes()).await;
        }
    })
    .await;
    served.unwrap();
}

#[tokio::test]
async fn a_client_that_closes_without_a_word_is_no_error() {
    let (served, ()) = talk_in_time(async |client| drop(client)).await;
    served.unwrap();
}

#[tokio::test]
async fn a_message_may_come_byte_by_byte() {
    let (served, ()) = talk_in_time(async |mut client| {
        for byte in b"slow\n##\n" {
            client.write_all(&[*byte]).await.unwrap();
            sleep(Duration::from_millis(1)).await;
        }
        read_exactly(&mut client, b"[slow]\n##\n").await;
        client.write_all(b"quick\n##\n").await.unwrap();
        read_exactly(&mut client, b"[quick]\n##\n").await;
    })
    .await;
    served.unwrap();
}

#[tokio::test]
async fn a_message_may_be_larger_than_what_is_read_at_once() {
    let (served, ()) = talk_in_time(async |mut client| {
        let text = "x".repeat(3 * READ_BYTES);
        client.write_all(format!("{text}\n##\n").as_bytes()).await.unwrap();
        read_exactly(&mut client, format!("[{text}]\n##\n").as_bytes()).await;
    })
    .await;
    served.unwrap();
}

/// The dump of upstream's test-suite asks in this way.
#[tokio::test]
async fn a_client_that_has_shut_down_its_side_is_still_answered() {
    let (served, ()) = talk_in_time(async |mut client| {
        client.write_all(b"dump\n##\n").await.unwrap();
        client.shutdown().await.unwrap();
        read_exactly(&mut client, b"[dump]\n##\n").await;
        read_end(&mut client).await;
    })
    .await;
    served.unwrap();
}

#[tokio::test]
async fn half_a_message_and_an_end_drop_the_client_without_an_answer() {
    let (served, ()) = talk_in_time(async |mut client| {
        client.write_all(b"whole\n##\n").await.unwrap();
        read_exactly(&mut client, b"[whole]\n##\n").await;
        client.write_all(b"half\n#").await.unwrap();
        client.shutdown().await.unwrap();
        read_end(&mut client).await;
    })
    .await;
    assert!(matches!(served, Err(FramingError::Truncated { received_bytes: 6 })), "{served:?}");
}

/// Returns a message of `bytes` bytes, terminator included.
fn large_message(bytes: usize) -> Vec<u8> {
    let mut message = vec![b'x'; bytes];
    message[bytes - TERMINATOR.len()..].copy_from_slice(TERMINATOR);
    message
}

#[tokio::test]
async fn the_largest_message_is_answered() {
    let (served, ()) = talk_in_time(async |mut client| {
        let (mut from, mut to) = client.split();
        let message = large_message(MAX_MESSAGE_BYTES);
        let mut answer = vec![0; MAX_MESSAGE_BYTES + 2];
        let (sent, received) = tokio::join!(to.write_all(&message), from.read_exact(&mut answer));
        sent.unwrap();
        received.unwrap();
        assert!(answer.starts_with(b"[x") && answer.ends_with(b"x]\n##\n"));
    })
    .await;
    served.unwrap();
}

/// P-27.
#[tokio::test]
async fn a_message_of_one_byte_more_drops_the_client() {
    let (served, ()) = talk_in_time(async |mut client| {
        // The last bytes may find the session gone.
        let _ = client.write_all(&large_message(MAX_MESSAGE_BYTES + 1)).await;
        read_end(&mut client).await;
    })
    .await;
    assert!(matches!(served, Err(FramingError::TooLarge)), "{served:?}");
}

/// P-29.
#[tokio::test(start_paused = true)]
async fn a_client_may_be_silent_for_a_day_between_two_messages() {
    let (served, ()) = talk(Echo, async |mut client| {
        for _ in 0..2 {
            sleep(Duration::from_hours(24)).await;
            client.write_all(b"still here\n##\n").await.unwrap();
            read_exactly(&mut client, b"[still here]\n##\n").await;
        }
    })
    .await;
    served.unwrap();
}

#[tokio::test(start_paused = true)]
async fn half_a_message_is_waited_for_no_longer_than_its_deadline() {
    let begin = Instant::now();
    let (served, ()) = talk(Echo, async |mut client| {
        client.write_all(b"half").await.unwrap();
        read_end(&mut client).await;
    })
    .await;
    assert_eq!(begin.elapsed().as_secs(), HALF_MESSAGE_DEADLINE.as_secs());
    let error = served.unwrap_err();
    assert!(
        matches!(&error, FramingError::Io(cause) if cause.kind() == io::ErrorKind::TimedOut),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_message_that_comes_in_drops_has_the_same_deadline() {
    let (served, sent) = talk(Echo, async |mut client| {
        let mut sent = 0;
        while client.write_all(b"drop ").await.is_ok() {
            sent += 1;
            sleep(Duration::from_secs(9)).await;
        }
        sent
    })
    .await;
    assert!(served.is_err());
    assert_eq!(sent, 7, "one every nine seconds of a minute");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_its_reply_is_dropped() {
    let begin = Instant::now();
    let (served, client) = talk(Flood, async |mut client| {
        client.write_all(b"tell me everything\n##\n").await.unwrap();
        client
    })
    .await;
    drop(client);
    assert_eq!(begin.elapsed().as_secs(), WRITE_DEADLINE.as_secs());
    assert!(served.is_err());
}

struct Count(Arc<AtomicUsize>);

impl Drain for Count {
    type Ok = ();
    type Err = Never;

    fn log(&self, _: &Record<'_>, _: &OwnedKVList) -> Result<(), Never> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[test]
fn of_a_message_only_the_beginning_is_logged() {
    for (message, lines) in [
        (&b"request=\"hello\"\nmore=1\n"[..], 2),
        (&b"\n".repeat(LOGGED_BYTES), LOGGED_BYTES),
        (&b"\n".repeat(10 * LOGGED_BYTES), LOGGED_BYTES + 1),
    ] {
        let count = Arc::new(AtomicUsize::new(0));
        log_message(&Logger::root(Count(Arc::clone(&count)).fuse(), o!()), "<-", message);
        assert_eq!(count.load(Ordering::Relaxed), lines);
    }
}
