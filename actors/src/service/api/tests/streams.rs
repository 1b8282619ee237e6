//! Readers of events, quick and slow, and those that go away.

use super::*;

const SUBSCRIBE: &str = "org.lvmwarden.Events.Subscribe";

/// Returns whose refusal an event or reply tells of.
fn uid(event: &Value) -> u32 {
    event["fields"]["uid"].as_str().unwrap_or_else(|| panic!("no event: {event}")).parse().unwrap()
}

impl Fixture {
    /// Has `client` subscribe, and returns when the session waits for what happens.
    async fn follow(&self, client: &mut Talker) {
        client.stream(SUBSCRIBE, json!({})).await;
        while self.service.waiting.all() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

async fn next_uid(client: &mut Talker) -> u32 {
    let reply = client.reply().await;
    assert_eq!(reply["continues"], true, "{reply}");
    uid(&reply["parameters"]["event"])
}

#[tokio::test]
async fn a_reader_is_told_of_what_happens_from_now_on() {
    let fixture = Fixture::new(100);
    fixture.publish(0..3);
    let (served, ()) = fixture
        .talk(ROOT, async |mut client| {
            fixture.follow(&mut client).await;
            for uid in 3..6 {
                fixture.publish(uid..uid + 1);
                assert_eq!(next_uid(&mut client).await, uid);
            }
        })
        .await;
    served.unwrap();
}

#[tokio::test]
async fn a_reader_that_was_away_misses_nothing() {
    let fixture = Fixture::new(1000);
    fixture.publish(0..1);
    let cursor = fixture.events.position();
    fixture.publish(1..500);
    let (served, ()) = fixture
        .talk(MEMBER, async |mut client| {
            client.stream(SUBSCRIBE, json!({"cursor": cursor})).await;
            for expected in 1..500 {
                assert_eq!(next_uid(&mut client).await, expected);
            }
        })
        .await;
    served.unwrap();
}

#[tokio::test]
async fn a_reader_that_was_away_too_long_is_told_how_much_it_has_missed() {
    let fixture = Fixture::new(10);
    fixture.publish(0..1);
    let cursor = fixture.events.position();
    fixture.publish(1..31);
    let (served, ()) = fixture
        .talk(ROOT, async |mut client| {
            client.stream(SUBSCRIBE, json!({"cursor": cursor})).await;
            let reply = client.reply().await;
            let gap = &reply["parameters"]["gap"];
            assert_eq!((&gap["missed"], &gap["because"]), (&json!(20), &json!("expired")), "{reply}");
            for expected in 21..31 {
                assert_eq!(next_uid(&mut client).await, expected);
            }
        })
        .await;
    served.unwrap();
}

#[tokio::test]
async fn a_cursor_of_an_earlier_life_is_answered_with_a_gap_of_unknown_size() {
    let fixture = Fixture::new(10);
    fixture.publish(0..2);
    let (served, ()) = fixture
        .talk(ROOT, async |mut client| {
            client.stream(SUBSCRIBE, json!({"cursor": "another-life:17", "limit": 2})).await;
            let reply = client.reply().await;
            let gap = &reply["parameters"]["gap"];
            assert_eq!((&gap["missed"], &gap["because"]), (&Value::Null, &json!("restarted")), "{reply}");
            assert_eq!(next_uid(&mut client).await, 0);
            let last = client.reply().await;
            assert_eq!((uid(&last["parameters"]["event"]), last.get("continues")), (1, None));
        })
        .await;
    served.unwrap();
}

#[tokio::test]
async fn a_stream_with_a_limit_ends_with_its_last_event_and_the_next_call_is_answered() {
    let fixture = Fixture::new(100);
    let cursor = fixture.events.position();
    fixture.publish(0..5);
    let (served, ()) = fixture
        .talk(ROOT, async |mut client| {
            client.stream(SUBSCRIBE, json!({"cursor": cursor, "limit": 3})).await;
            assert_eq!((next_uid(&mut client).await, next_uid(&mut client).await), (0, 1));
            let last = client.reply().await;
            assert_eq!((uid(&last["parameters"]["event"]), last.get("continues")), (2, None));
            let recent = client.call("org.lvmwarden.Events.Recent", json!({"limit": 1})).await;
            assert_eq!(uid(&recent["parameters"]["events"][0]), 4);
            client.stream(SUBSCRIBE, json!({"limit": 0})).await;
            assert_eq!(client.reply().await["error"], "org.varlink.service.InvalidParameter");
        })
        .await;
    served.unwrap();
}

/// The clock is paused: it jumps as soon as the session can write no more.
#[tokio::test(start_paused = true)]
async fn a_reader_that_never_reads_is_dropped_and_holds_nobody_up() {
    let fixture = Fixture::new(100);
    let begin = Instant::now();
    let (served, client) = fixture
        .talk(ROOT, async |mut client| {
            fixture.follow(&mut client).await;
            for round in 0..200 {
                fixture.publish(round * 100..(round + 1) * 100);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            client
        })
        .await;
    drop(client);
    served.unwrap_err();
    let since_it_was_stuck = WRITE_DEADLINE..WRITE_DEADLINE + Duration::from_secs(1);
    assert!(since_it_was_stuck.contains(&begin.elapsed()), "{:?}", begin.elapsed());
    assert_eq!(fixture.service.waiting.all(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_falls_behind_and_reads_on_is_told_of_the_gap() {
    let fixture = Fixture::new(100);
    let (served, ()) = fixture
        .talk(ROOT, async |mut client| {
            fixture.follow(&mut client).await;
            for round in 0..200 {
                fixture.publish(round * 100..(round + 1) * 100);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let (mut expected, mut gaps) = (0, 0);
            while expected < 20_000 {
                let reply = client.reply().await;
                let gap = &reply["parameters"]["gap"];
                if gap.is_null() {
                    assert_eq!(uid(&reply["parameters"]["event"]), expected);
                    expected += 1;
                } else {
                    assert_eq!(gap["because"], "slow_reader", "{reply}");
                    expected += u32::try_from(gap["missed"].as_u64().unwrap()).unwrap();
                    gaps += 1;
                }
            }
            assert!(gaps > 0, "the socket took everything");
        })
        .await;
    served.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_when_its_client_goes_away_although_nothing_happens() {
    let fixture = Fixture::new(100);
    let (served, ()) = fixture
        .talk(ROOT, async |mut client| {
            fixture.follow(&mut client).await;
        })
        .await;
    served.unwrap();
    assert_eq!(fixture.service.waiting.all(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stream_goes_on_for_a_client_that_has_shut_down_its_side_until_it_is_gone() {
    let fixture = Fixture::new(100);
    let (served, ()) = fixture
        .talk(ROOT, async |mut client| {
            fixture.follow(&mut client).await;
            client.stream.shutdown().await.unwrap();
            for uid in 0..3 {
                tokio::time::sleep(Duration::from_secs(5)).await;
                fixture.publish(uid..uid + 1);
                assert_eq!(next_uid(&mut client).await, uid);
            }
        })
        .await;
    served.unwrap();
}

/// Whoever waits may be bored: it can have no more than its share, and what root needs is left.
#[tokio::test]
async fn a_user_with_all_its_waiting_calls_is_told_so_and_root_waits_nevertheless() {
    let fixture = Fixture::new(100);
    let taken: Vec<_> = (0..WAITING.each())
        .map(|_| fixture.service.waiting.take(WAITING, Asker::of(MEMBER.uid)).unwrap())
        .collect();
    let (served, reply) = fixture
        .talk(MEMBER, async |mut client| {
            client.stream(SUBSCRIBE, json!({})).await;
            client.reply().await
        })
        .await;
    served.unwrap();
    let parameters = json!({"what": "waiting_calls", "uid": MEMBER.uid, "limit": 375});
    assert_eq!(reply, json!({"error": "org.lvmwarden.Service.TooMany", "parameters": parameters}));
    let cursor = fixture.events.position();
    fixture.publish(7..8);
    let (served, reply) = fixture
        .talk(ROOT, async |mut client| {
            client.stream(SUBSCRIBE, json!({"cursor": cursor, "limit": 1})).await;
            client.reply().await
        })
        .await;
    served.unwrap();
    assert_eq!(uid(&reply["parameters"]["event"]), 7);
    drop(taken);
}

#[tokio::test]
async fn a_stream_is_counted_in_metrics_without_its_length() {
    let fixture = Fixture::new(100);
    let cursor = fixture.events.position();
    fixture.publish(0..1);
    let (served, _) = fixture
        .talk(ROOT, async |mut client| {
            client.stream(SUBSCRIBE, json!({"cursor": cursor, "limit": 1})).await;
            client.reply().await
        })
        .await;
    served.unwrap();
    let text = fixture.service.environment.metrics.encode(Snapshot::default());
    assert!(
        text.contains("requests_total{door=\"api\",request=\"org.lvmwarden.Events.Subscribe\"} 1\n"),
        "{text}"
    );
    assert!(!text.contains("duration_seconds_count{door=\"api\""), "{text}");
}
