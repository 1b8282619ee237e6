//! How clients may talk, and what becomes of those who do otherwise.

use std::future::poll_fn;
use std::task::Poll;

use super::*;
use crate::foundation::door::text_session::HALF_MESSAGE_DEADLINE;

const INFO: &str = "org.lvmwarden.Service.Info";

#[tokio::test]
async fn a_newline_is_answered_with_a_newline_and_a_nul_with_a_nul() {
    let (served, ()) = Fixture::new(9)
        .talk(ROOT, async |mut client| {
            for (end, other) in [('\n', '\0'), ('\0', '\n'), ('\n', '\0')] {
                client.send(&format!("{{\"method\":\"{INFO}\"}}{end}")).await;
                let answer = client.next().await;
                assert!(answer.ends_with(end) && !answer.contains(other), "{answer:?}");
            }
        })
        .await;
    served.unwrap();
}

#[tokio::test]
async fn calls_that_come_at_once_are_answered_in_their_order() {
    let (served, ()) = Fixture::new(9)
        .talk(ROOT, async |mut client| {
            let other = "org.lvmwarden.Events.Recent";
            client.send(&[INFO, other, INFO].map(|method| call(method, &json!({}))).concat()).await;
            for field in ["pid", "events", "pid"] {
                assert!(client.reply().await["parameters"].get(field).is_some(), "{field}");
            }
        })
        .await;
    served.unwrap();
}

#[tokio::test]
async fn a_oneway_call_is_carried_out_and_not_answered() {
    let fixture = Fixture::new(9);
    let (served, ()) = fixture
        .talk(ROOT, async |mut client| {
            for (method, parameters) in [
                ("org.lvmwarden.Supervisor.SetLogLevel", json!({"level": "debug"})),
                ("org.lvmwarden.Supervisor.SetLogLevel", json!({"level": "wrong"})),
                ("org.example.Nothing", json!({})),
            ] {
                let call = json!({"method": method, "parameters": parameters, "oneway": true});
                client.send(&format!("{call}\0")).await;
            }
            assert!(client.call(INFO, json!({})).await["parameters"]["pid"].is_number());
        })
        .await;
    served.unwrap();
    assert_eq!(fixture.told(), ["log debug"]);
}

/// `printf '…' | nc -N -U` asks in this way.
#[tokio::test]
async fn a_client_that_has_shut_down_its_side_is_still_answered() {
    let (served, ()) = Fixture::new(9)
        .talk(ROOT, async |mut client| {
            client.send(&call(INFO, &json!({}))).await;
            client.stream.shutdown().await.unwrap();
            assert!(client.reply().await["parameters"]["pid"].is_number());
            assert_eq!(client.next().await, "");
        })
        .await;
    served.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_too_large_is_answered_with_the_limit_and_ends_the_connection() {
    let (served, ()) = Fixture::new(9)
        .talk(ROOT, async |mut client| {
            let (mut from, mut to) = client.stream.split();
            let message = vec![b'x'; 2 * Call::MAX_BYTES];
            let mut answer = String::new();
            let (_, read) = tokio::join!(to.write_all(&message), from.read_to_string(&mut answer));
            read.unwrap();
            let expected = json!({
                "error": "org.lvmwarden.Service.MessageTooLarge",
                "parameters": {"limit_bytes": Call::MAX_BYTES}
            });
            assert_eq!(answer, format!("{expected}\0"));
        })
        .await;
    assert!(matches!(served, Err(CodecError::TooLarge { .. })), "{served:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_message_is_answered_with_the_reason_and_ends_the_connection() {
    for nonsense in ["no json\n", "[1, 2]\n", "{\"method\": 7}\n", "{}\n", "\u{1}\n"] {
        let (served, ()) = Fixture::new(9)
            .talk(ROOT, async |mut client| {
                client.send(nonsense).await;
                let answer = client.next().await;
                assert!(answer.contains("org.lvmwarden.Service.InvalidMessage"), "{nonsense}: {answer}");
                assert_eq!(client.next().await, "");
            })
            .await;
        assert!(matches!(served, Err(CodecError::Invalid(_))), "{served:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn half_a_message_is_waited_for_no_longer_than_its_deadline() {
    let begin = Instant::now();
    let (served, ()) = Fixture::new(9)
        .talk(ROOT, async |mut client| {
            client.send("{\"method\":").await;
            assert_eq!(client.next().await, "");
        })
        .await;
    served.unwrap_err();
    assert_eq!(begin.elapsed().as_secs(), HALF_MESSAGE_DEADLINE.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_client_may_be_silent_for_as_long_as_it_likes() {
    let (served, ()) = Fixture::new(9)
        .talk(ROOT, async |mut client| {
            for _ in 0..2 {
                tokio::time::sleep(TEST_DEADLINE / 3).await;
                assert!(client.call(INFO, json!({})).await["parameters"]["pid"].is_number());
            }
        })
        .await;
    served.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_its_replies_is_dropped() {
    let begin = Instant::now();
    let fixture = Fixture::new(1000);
    fixture.publish(0..1000);
    let (served, client) = fixture
        .talk(ROOT, async |mut client| {
            let calls = call("org.lvmwarden.Events.Recent", &json!({})).repeat(10);
            client.send(&calls).await;
            client
        })
        .await;
    drop(client);
    served.unwrap_err();
    assert_eq!(begin.elapsed().as_secs(), WRITE_DEADLINE.as_secs());
}

#[tokio::test(start_paused = true)]
async fn sessions_end_with_the_daemon_and_idle_ones_at_once() {
    let fixture = Fixture::new(9);
    let begin = Instant::now();
    let (served, ()) = fixture
        .talk(ROOT, async |mut client| {
            client.call(INFO, json!({})).await;
            fixture.closing.cancel();
            assert_eq!(client.next().await, "");
        })
        .await;
    served.unwrap();
    assert_eq!(begin.elapsed(), Duration::ZERO);
}

/// 150 connections that asked for all events and did not read cost 2.5 GB.
#[tokio::test]
async fn who_asks_for_much_and_does_not_read_is_busy_for_itself_alone() {
    let fixture = Fixture::new(1000);
    fixture.publish(0..1000);
    let recent = call("org.lvmwarden.Events.Recent", &json!({})).repeat(10);
    let pairs: Vec<_> = (0..60).map(|_| UnixStream::pair().unwrap()).collect();
    let (mut ours, mut theirs): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    let sessions = theirs
        .iter_mut()
        .map(|stream| Box::pin(fixture.service.serve(MEMBER, Connection::new(stream), &fixture.closing)));
    let mut sessions: Vec<_> = sessions.collect();
    let deaf = poll_fn(|context| {
        sessions.retain_mut(|session| session.as_mut().poll(context).is_pending());
        Poll::<()>::Pending
    });
    for stream in &mut ours {
        stream.write_all(recent.as_bytes()).await.unwrap();
    }
    let other = Client { uid: 1001, permission: Permission::Watch };
    let asking = fixture.talk(other, async |mut client| {
        let mut most = 0;
        for _ in 0..50 {
            let reply = client.call("org.lvmwarden.Events.Recent", json!({})).await;
            assert!(reply["parameters"]["events"].is_array(), "{reply}");
            most = most.max(fixture.service.context.outgoing.taken(MEMBER.uid));
        }
        most
    });
    tokio::select! {
        (served, most) = asking => {
            served.unwrap();
            assert!((1..=outgoing::UID_BYTES).contains(&most), "{most}");
        }
        () = deaf => unreachable!("it never ends"),
    }
}
