//! Lockspaces as actors of a tree: what their clients hear when one is restarted, and what is remembered of them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod daemon;
mod remembering;

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_actors::roles::lock::lock_manager::fake::{FakeCluster, Kind};
use lvmwarden_actors::roles::lock::lock_manager::{Fault, Resource};
use lvmwarden_actors::roles::lock::lockspace::ask::Ask;
use lvmwarden_actors::roles::lock::settle::{Fate, settle};
use lvmwarden_protocol::ids::Lvid;
use lvmwarden_protocol::lock::{LockMode, LockType, ResultCode};
use lvmwarden_supervisor::process::ProcessIdentity;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::time::timeout;

use daemon::{Daemon, LV, SOON, lv, run};

/// A command that asks for the lock of a VG, which is left behind by another daemon as well.
#[expect(clippy::disallowed_methods, reason = "it is no supervised process")]
async fn asker(daemon: &Daemon, cluster: &FakeCluster) -> Child {
    // It ends with the test, however that ends.
    let command = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
    let identity = ProcessIdentity::of(command.id()).unwrap();
    let client = daemon.environment.clients.enter(command.id(), Some(identity));
    assert_eq!(daemon.lock(&client, "vg0", Resource::Vg, LockMode::Exclusive).await, ResultCode::OK);
    cluster.leave_behind(1, "vg0", &Resource::Vg, LockMode::Exclusive);
    command
}

#[test]
fn a_lock_that_somebody_uses_is_not_given_back_by_hand_unless_that_is_forced() {
    run(async {
        let cluster = FakeCluster::new(LockType::Sanlock);
        let daemon = Daemon::with(Arc::new(cluster.host(1)), false).await;
        daemon.start_vg_of("vg0", LockType::Sanlock).await;
        let release = async |which, fate| settle(&daemon.directory, "lvm_vg0", which, fate).await;
        let set_active = |lvs: Option<BTreeSet<Lvid>>| *daemon.lvs.0.lock().unwrap() = lvs;
        let unused = Fate::GivenBackUnused;

        let mut command = asker(&daemon, &cluster).await;
        let told = release(Some(Resource::Vg), unused).await.expect_err("it lives");
        assert!(told.contains(&format!("process {}", command.id())), "{told}");
        command.kill().unwrap();
        command.wait().unwrap();
        assert_eq!(release(Some(Resource::Vg), unused).await, Ok(ResultCode::OK), "it has ended");

        let active = [["v".repeat(32), LV.replace('-', "")].concat().as_str().try_into().unwrap()];
        for (lvs, words) in [(Some(BTreeSet::from(active)), "is active"), (None, "cannot be told")] {
            cluster.leave_behind(1, "vg0", &lv(), LockMode::Shared);
            set_active(lvs);
            for which in [Some(lv()), None] {
                let told = release(which, unused).await.expect_err(words);
                assert!(told.contains(words), "{told}");
            }
            assert_eq!(cluster.holders("vg0", &lv()).len(), 1, "a refusal changes nothing");
            assert_eq!(release(Some(lv()), Fate::GivenBack).await, Ok(ResultCode::OK), "forced");
            while !cluster.holders("vg0", &lv()).is_empty() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        set_active(Some(BTreeSet::new()));
        cluster.leave_behind(1, "vg0", &lv(), LockMode::Shared);
        assert_eq!(release(None, unused).await, Ok(ResultCode::OK), "nobody uses it");
    });
}

#[test]
fn where_the_lock_manager_does_not_tell_what_there_is_nothing_is_given_back_unless_that_is_forced() {
    run(async {
        let cluster = FakeCluster::new(LockType::Dlm);
        let daemon = Daemon::with(Arc::new(cluster.host(1)), false).await;
        daemon.start_vg("vg0").await;
        cluster.leave_behind(1, "vg0", &lv(), LockMode::Shared);
        assert!(settle(&daemon.directory, "lvm_vg0", None, Fate::GivenBackUnused).await.is_err());
        assert_eq!(cluster.holders("vg0", &lv()).len(), 1);
        let forced = settle(&daemon.directory, "lvm_vg0", None, Fate::GivenBack).await;
        assert_eq!((forced, cluster.holders("vg0", &lv()).len()), (Ok(ResultCode::OK), 0));
    });
}

#[test]
fn locks_and_waiters_outlive_their_actor() {
    run(async {
        let daemon = Daemon::start().await;
        daemon.start_vg("vg0").await;
        let (holder, waiter) = (daemon.client(), daemon.client());
        assert_eq!(daemon.lock(&holder, "vg0", Resource::Vg, LockMode::Exclusive).await, ResultCode::OK);
        assert_eq!(daemon.lock(&holder, "vg0", lv(), LockMode::Exclusive).await, ResultCode::OK);
        let waits = daemon.lock(&waiter, "vg0", Resource::Vg, LockMode::Shared);
        let mut waits = Box::pin(waits);
        assert!(timeout(Duration::from_millis(100), &mut waits).await.is_err(), "it is held");
        daemon.restart("vg0").await;
        assert!(timeout(Duration::from_millis(300), &mut waits).await.is_err(), "it is held still");
        assert_eq!(daemon.mode_of("vg0", lv()).await, Some(LockMode::Exclusive));
        assert_eq!(daemon.mode_of("vg0", Resource::Vg).await, Some(LockMode::Exclusive));
        assert_eq!(daemon.lock(&holder, "vg0", Resource::Vg, LockMode::Unlocked).await, ResultCode::OK);
        assert_eq!(timeout(SOON, waits).await.expect("it is free"), ResultCode::OK);
    });
}

#[test]
fn the_locks_of_a_client_that_left_meanwhile_are_given_back() {
    run(async {
        let daemon = Daemon::start().await;
        daemon.start_vg("vg0").await;
        let holder = daemon.client();
        assert_eq!(daemon.lock(&holder, "vg0", Resource::Vg, LockMode::Exclusive).await, ResultCode::OK);
        daemon.environment.clients.leave(holder.id);
        daemon.restart("vg0").await;
        let next = daemon.client();
        assert_eq!(daemon.lock(&next, "vg0", Resource::Vg, LockMode::Exclusive).await, ResultCode::OK);
    });
}

#[test]
fn another_vg_feels_nothing_of_a_restart_and_a_vg_that_was_left_starts_anew() {
    run(async {
        let daemon = Daemon::start().await;
        daemon.start_vg("vg0").await;
        daemon.start_vg("vg1").await;
        let holder = daemon.client();
        assert_eq!(daemon.lock(&holder, "vg1", lv(), LockMode::Exclusive).await, ResultCode::OK);
        daemon.restart("vg0").await;
        assert_eq!(daemon.mode_of("vg1", lv()).await, Some(LockMode::Exclusive));
        for _ in 0..20 {
            let drop = daemon.question(&holder).with(Ask::Drop);
            assert_eq!(daemon.directory.ask("lvm_vg0", drop).await.unwrap().code, ResultCode::OK);
            daemon.start_vg("vg0").await;
        }
    });
}

#[test]
fn a_vg_that_cannot_be_left_at_the_end_keeps_all_others_started() {
    run(async {
        let cluster = FakeCluster::new(LockType::Dlm);
        let daemon = Daemon::with(Arc::new(cluster.host(1)), false).await;
        for vg in ["vg0", "vg1", "vg2", "vg3"] {
            daemon.start_vg(vg).await;
        }
        let before = daemon.directory.lockspaces();
        let busy = Fault::new(ResultCode::BUSY, "leave: the lock manager is busy with it");
        cluster.fail(1, Kind::Leave, busy);
        let refusal = daemon.directory.close().await.expect_err("one cannot be left");
        assert_eq!(refusal.lockspaces(), 1, "{refusal}");
        assert_eq!(daemon.directory.lockspaces(), before);
        for vg in ["vg0", "vg1", "vg2", "vg3"] {
            assert_eq!(cluster.members(vg), [1], "{vg}");
            let client = daemon.client();
            assert_eq!(daemon.lock(&client, vg, Resource::Vg, LockMode::Exclusive).await, ResultCode::OK);
            assert_eq!(daemon.lock(&client, vg, Resource::Vg, LockMode::Unlocked).await, ResultCode::OK);
        }
        let _closed = daemon.directory.close().await.expect("nothing is in the way any more");
        assert_eq!(daemon.directory.lockspaces(), Vec::<String>::new());
    });
}

#[test]
fn nothing_begins_while_the_daemon_is_about_to_end_and_what_waited_is_served_after_a_refusal() {
    run(async {
        let cluster = FakeCluster::new(LockType::Dlm);
        let daemon = Daemon::with(Arc::new(cluster.host(1)), false).await;
        daemon.start_vg("vg0").await;
        let leaving = cluster.hold_up(1, Kind::Leave);
        let directory = daemon.directory.clone();
        let ending = actix_rt::spawn(async move { directory.close().await.map(drop) });
        timeout(SOON, async {
            while !cluster.calls(1).contains(&Kind::Leave) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .expect("it begins to be left");
        let socket = daemon.folder.path().join("socket");
        let mut client = UnixStream::connect(&socket).await.unwrap();
        let start =
            b"request =\"start_vg\"\npid =1\ncmd =\"vgchange\"\nvg_name =\"vg1\"\nvg_lock_type =\"dlm\"\n\
            vg_lock_args =\"1.0.0:test\"\nversion =1\nhost_id =0\nopts =\"wait\"\n\n##\n";
        client.write_all(start).await.unwrap();
        let mut reply = [0; 1024];
        let answered = timeout(Duration::from_millis(300), client.read(&mut reply)).await;
        assert!(answered.is_err(), "no start is answered now");
        cluster.fail(1, Kind::Leave, Fault::new(ResultCode::BUSY, "leave: busy"));
        drop(leaving);
        let refusal = timeout(SOON, ending).await.expect("in time").unwrap();
        assert!(refusal.is_err(), "it could not be left");
        let count = timeout(SOON, client.read(&mut reply)).await.expect("an answer").unwrap();
        let reply = String::from_utf8_lossy(&reply[..count]);
        assert!(reply.contains("op_result = 0"), "{reply}");
    });
}
