//! The tests.

use std::collections::BTreeSet;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::cluster::{Cluster, settle, wait_for};
use crate::deaths::{
    all_agree_when_a_corosync_is_killed_or_paused_in_the_middle, survivors_agree_wherever_a_participant_dies,
    survivors_agree_wherever_the_coordinator_dies,
};
use crate::member::{FOREIGN_BYTES, Member, Told};

type Test = fn();

macro_rules! tests {
    ($($name:ident),* $(,)?) => {
        /// All tests, by name.
        pub(crate) const ALL: &[(&str, Test)] = &[$((stringify!($name), $name)),*];
    };
}

tests![
    all_hear_the_same_in_the_same_order_and_see_who_comes_and_goes,
    a_corosync_that_is_killed_is_a_loss_and_the_group_is_joined_again,
    a_paused_host_comes_back_as_the_same_member,
    a_stopped_corosync_is_a_loss_when_something_is_sent,
    a_call_that_waits_for_a_stopped_corosync_is_broken_off,
    whoever_does_not_listen_leaves_the_group,
    a_library_that_is_not_there_is_named_and_looked_for_again,
    survivors_agree_wherever_the_coordinator_dies,
    survivors_agree_wherever_a_participant_dies,
    all_agree_when_a_corosync_is_killed_or_paused_in_the_middle,
];

const FLOOD: usize = 1500;

fn all_hear_the_same_in_the_same_order_and_see_who_comes_and_goes() {
    let cluster = Cluster::new();
    let mut members = cluster.members();
    let names: Vec<_> = members.iter().map(Member::name).collect();
    for (member, id) in members.iter_mut().zip(1..) {
        let told = member.told_from(0);
        assert_eq!(told[0].text, format!("joined {}", member.name()));
        assert!(told[1].text.starts_with("view +"), "{}", told[1].text);
        assert!(told[1].text.contains(&format!("+{}", member.name())), "{}", told[1].text);
        assert_eq!(member.call("node"), format!("Some({id})"));
        assert_eq!(member.call("problem"), "none");
    }
    for member in &mut members {
        let from = member.name();
        member.ask(&format!("flood {FLOOD} {from}"));
    }
    for member in &mut members {
        assert_eq!(member.answer(), "done");
    }
    let heard = |member: &Member| member.texts(0, "heard ");
    wait_for("all messages", || members.iter().all(|member| heard(member).len() == 3 * FLOOD));
    let order = heard(&members[0]);
    assert!(members.iter().all(|member| heard(member) == order));
    for name in &names {
        let own = |text: &&String| text.starts_with(&format!("heard {name} "));
        let expected = (0..FLOOD).map(|number| format!("heard {name} {name}:{number}"));
        assert!(order.iter().filter(own).cloned().eq(expected), "{name}");
    }
    too_long(&cluster, &mut members);
    come_and_go(&cluster, members);
}

fn too_long(cluster: &Cluster, members: &mut [Member]) {
    assert_eq!(members[0].call("send_bytes 65537"), "the message of 65537 bytes is longer than 65536");
    assert_eq!(members[0].call("send_bytes 65536"), "sent");
    let from = format!("heard {} 65536 bytes", members[0].name());
    for member in &*members {
        member.wait(0, &from);
    }
    // Another program in the group knows no limit.
    for (bytes, dropped) in [(100_000, 1), (1_000_000, 2)] {
        let stranger = Member::start_with(&cluster.nodes[1], 0, |command| {
            command.env(FOREIGN_BYTES, bytes.to_string());
        });
        assert_eq!(stranger.answer(), "done");
        for member in &mut *members {
            wait_for("a dropped message", || member.call("dropped") == dropped.to_string());
        }
    }
    assert_eq!(members[2].call("send after"), "sent");
    for member in &*members {
        member.wait(0, &format!("heard {} after", members[2].name()));
    }
}

fn come_and_go(cluster: &Cluster, mut members: Vec<Member>) {
    let counts: Vec<_> = members.iter().map(Member::count).collect();
    let mut killed = members.pop().unwrap();
    let start = Instant::now();
    killed.kill();
    for (member, count) in members.iter().zip(&counts) {
        member.wait(*count, &format!("view -{}", killed.name()));
    }
    println!("measured: a killed member is gone for all after {:?}", start.elapsed());
    let counts: Vec<_> = members.iter().map(Member::count).collect();
    let again = Member::start(&cluster.nodes[2], 20_000);
    for (member, count) in members.iter().zip(&counts) {
        member.wait(*count, &format!("view +{}", again.name()));
        // Nobody's cluster has changed.
        assert_eq!(member.texts(*count, "ring"), [""; 0]);
    }
    members.push(again);
    settle(&members);
    let count = members[2].count();
    assert_eq!(members[0].call("leave"), "ended");
    members[2].wait(count, &format!("view -{}", members[0].name()));
    assert_eq!(members[0].texts(0, "lost"), [""; 0]);
}

fn a_corosync_that_is_killed_is_a_loss_and_the_group_is_joined_again() {
    let mut cluster = Cluster::new();
    let mut members = cluster.members();
    let name = members[2].name();
    let counts: Vec<_> = members.iter().map(Member::count).collect();
    let start = Instant::now();
    cluster.nodes[2].kill_corosync();
    members[2].wait(counts[2], "lost no connection to corosync");
    println!("measured: the loss of corosync is told after {:?}", start.elapsed());
    assert_eq!(members[2].call("send x"), "there is no transport at the moment");
    wait_for("the reason", || members[2].call("problem").starts_with("cannot connect to corosync: "));
    for (member, count) in members[..2].iter().zip(&counts) {
        member.wait(*count, &format!("view -{name}"));
    }
    println!("measured: a killed corosync is gone for the others after {:?}", start.elapsed());
    settle(&members[..2]);
    let count = members[2].count();
    cluster.nodes[2].start_corosync();
    members[2].wait(count, &format!("joined {name}"));
    settle(&members);
    // What is left alone is not quorate, and its group goes on.
    let count = members[0].count();
    cluster.nodes[1].kill_corosync();
    cluster.nodes[2].kill_corosync();
    let names = [members[0].name()];
    wait_for("the end of the quorum", || {
        let seen = members[0].surroundings();
        seen.members == names && seen.quorum == seen.ring.map(|ring| (ring, false))
    });
    assert_eq!(members[0].call("send alone"), "sent");
    members[0].wait(count, &format!("heard {} alone", names[0]));
    report_rings(&members);
}

fn a_paused_host_comes_back_as_the_same_member() {
    let cluster = Cluster::new();
    let mut members = cluster.members_with(60_000);
    let names: Vec<_> = members.iter().map(Member::name).collect();
    let counts: Vec<_> = members.iter().map(Member::count).collect();
    cluster.nodes[2].pause_corosync(true);
    let start = Instant::now();
    assert_eq!(members[2].call("send old"), "sent");
    for (member, count) in members[..2].iter().zip(&counts) {
        member.wait(*count, &format!("view -{}", names[2]));
    }
    thread::sleep(Duration::from_secs(2));
    assert_eq!(members[0].call("send meanwhile"), "sent");
    cluster.nodes[2].pause_corosync(false);
    settle(&members);
    // It was never told of a loss: the others left, then joined.
    let told = members[2].texts(counts[2], "view");
    assert_eq!(members[2].texts(counts[2], "lost"), [""; 0]);
    let views = told.iter().map(|view| {
        let mut changes: Vec<_> = view.split(' ').skip(1).collect();
        changes.sort_unstable();
        changes.join(" ")
    });
    let expected = ["-", "+"].map(|sign| format!("{sign}{} {sign}{}", names[0], names[1]));
    assert!(views.eq(expected), "{told:?}");
    assert_eq!(members[2].call("send new"), "sent");
    // What it had sent is older than the others' view: if they hear it, then in the next one. Mostly it alone hears it.
    for (member, count) in members[..2].iter().zip(&counts) {
        member.wait(*count, &format!("heard {} new", names[2]));
        let heard = from_member(member, *count, &names[2]);
        assert_eq!(heard[..2], ["-", "+"]);
        assert_eq!(heard[heard.len() - 1], "heard new");
        println!("measured: the others have heard of the paused one: {heard:?}");
    }
    members[2].wait(counts[2], &format!("heard {} new", names[2]));
    let heard = from_member(&members[2], counts[2], &names[2]);
    println!("measured: the paused one has heard of itself: {heard:?}");
    // It has not heard what the others have said meanwhile.
    assert_eq!(members[2].texts(counts[2], &format!("heard {} meanwhile", names[0])), [""; 0]);
    members[1].wait(counts[1], &format!("heard {} meanwhile", names[0]));
    println!("measured: all are together again {:?} after the beginning of the pause", start.elapsed());
    report_rings(&members);
}

fn a_stopped_corosync_is_a_loss_when_something_is_sent() {
    let cluster = Cluster::new();
    let mut members = cluster.members_with(500);
    let names: Vec<_> = members.iter().map(Member::name).collect();
    let counts: Vec<_> = members.iter().map(Member::count).collect();
    cluster.nodes[2].pause_corosync(true);
    let start = Instant::now();
    assert_eq!(members[2].call("send old"), "sent");
    let lost = members[2].wait(counts[2], "lost");
    assert_eq!(lost.text, "lost corosync has delivered no message of this host's for 0.5 s");
    println!("measured: a stopped corosync is a loss after {:?}", start.elapsed());
    assert_eq!(members[2].call("send x"), "there is no transport at the moment");
    cluster.nodes[2].pause_corosync(false);
    members[2].wait(counts[2], &format!("joined {}", names[2]));
    settle(&members);
    assert_eq!(members[2].call("send new"), "sent");
    // What was sent before the loss goes out when corosync does, before this host leaves: in the view that it was sent in.
    for (member, count) in members[..2].iter().zip(&counts) {
        member.wait(*count, &format!("heard {} new", names[2]));
        assert_eq!(from_member(member, *count, &names[2]), ["heard old", "-", "+", "heard new"]);
    }
    members[2].wait(counts[2], &format!("heard {} new", names[2]));
    assert_eq!(members[2].texts(counts[2], &format!("heard {} old", names[2])), [""; 0]);
    report_rings(&members);
}

/// Returns what a member was told about another, from the `from`th on: what was heard of it, that it left and joined.
fn from_member(member: &Member, from: usize, other: &str) -> Vec<String> {
    let told = member.told_from(from).into_iter();
    told.flat_map(|told| {
        let words: Vec<_> = told.text.split(' ').collect();
        match words[..] {
            ["heard", sender, text] if sender == other => vec![format!("heard {text}")],
            ["view", ref changes @ ..] => {
                let about = changes.iter().filter(|change| &change[1..] == other);
                about.map(|change| change[..1].to_owned()).collect()
            }
            _ => Vec::new(),
        }
    })
    .collect()
}

fn a_call_that_waits_for_a_stopped_corosync_is_broken_off() {
    let cluster = Cluster::new();
    let mut members = cluster.members();
    let names: Vec<_> = members.iter().map(Member::name).collect();
    let count = members[0].count();
    // To leave is a request that waits for its answer.
    cluster.nodes[2].pause_corosync(true);
    let start = Instant::now();
    assert_eq!(members[2].call("send old"), "sent");
    assert_eq!(members[2].call("leave"), "ended");
    println!("measured: a member has left its stopped corosync after {:?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    // A process that dies has said what it has said.
    cluster.nodes[1].pause_corosync(true);
    assert_eq!(members[1].call("send dying"), "sent");
    thread::sleep(Duration::from_millis(100));
    members[1].kill();
    for node in &cluster.nodes[1..] {
        node.pause_corosync(false);
    }
    for name in &names[1..] {
        members[0].wait(count, &format!("view -{name}"));
    }
    for name in &names[1..] {
        println!("measured: {name} was heard so: {:?}", from_member(&members[0], count, name));
    }
    assert_eq!(members[0].call("send last"), "sent");
    members[0].wait(count, &format!("heard {} last", names[0]));
}

fn whoever_does_not_listen_leaves_the_group() {
    let cluster = Cluster::new();
    let mut members = cluster.members();
    let names: Vec<_> = members.iter().map(Member::name).collect();
    let counts: Vec<_> = members.iter().map(Member::count).collect();
    assert_eq!(members[2].call("deaf yes"), "done");
    members[0].ask(&format!("flood 3000 {}", names[0]));
    members[1].wait(counts[1], &format!("view -{}", names[2]));
    assert_eq!(members[0].answer(), "done");
    members[1].wait(counts[1], &format!("heard {0} {0}:2999", names[0]));
    assert_eq!(members[2].call("deaf no"), "done");
    members[2].wait(counts[2], "lost this daemon does not take what is told in its group");
    settle(&members);
}

fn a_library_that_is_not_there_is_named_and_looked_for_again() {
    let mut cluster = Cluster::without_corosync();
    let node = &cluster.nodes[0];
    let libraries = node.path("/tmp/libraries");
    fs::create_dir(&libraries).unwrap();
    // Found before any that the machine may have.
    fs::write(libraries.join("libcpg.so.4"), "").unwrap();
    let path = "/tmp/libraries:/packages/usr/lib/x86_64-linux-gnu";
    let mut member = Member::start_with(node, 20_000, |command| {
        command.env("LD_LIBRARY_PATH", path);
    });
    wait_for("the reason", || member.call("problem").starts_with("cannot use libcpg.so.4: "));
    assert_eq!(member.call("send x"), "there is no transport at the moment");
    fs::remove_file(libraries.join("libcpg.so.4")).unwrap();
    wait_for("another reason", || member.call("problem").starts_with("cannot connect to corosync: "));
    assert_eq!(member.count(), 0);
    cluster.nodes[0].start_corosync();
    member.wait(0, &format!("joined {}", member.name()));
    assert_eq!(member.call("leave"), "ended");
}

/// Prints how far the two services were apart, for each ring that both have told of.
fn report_rings(members: &[Member]) {
    for member in members {
        let told = member.told_from(0);
        let mut rings = BTreeSet::new();
        for ring in told.iter().filter(|told| told.text.starts_with("ring ")) {
            let id = ring.text.trim_start_matches("ring ");
            // One that is told again was told to a new connection.
            if !rings.insert(id) {
                continue;
            }
            let is_same = |told: &&Told| told.text.starts_with(&format!("quorum {id} "));
            if let Some(quorum) = told.iter().find(is_same) {
                let (first, apart) = if quorum.at < ring.at {
                    ("quorum", ring.at.abs_diff(quorum.at))
                } else {
                    ("group", ring.at.abs_diff(quorum.at))
                };
                println!("measured: {} ring {id}: {first} first, {apart:?} apart", member.name());
            } else {
                println!("measured: {} ring {id}: no word of the quorum service", member.name());
            }
        }
    }
}
