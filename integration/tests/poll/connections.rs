//! P-24 to P-29: coming, going and misbehaving of clients and daemons.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use lvmwarden_integration::client::HELLO_REPLY;
use lvmwarden_integration::daemon::Flavour;
use lvmwarden_integration::site::Site;
use lvmwarden_integration::{both_daemons, wait};

both_daemons![
    p24_the_idle_timeout_waits_for_clients_and_polling,
    p24_without_timeout_an_idle_daemon_stays,
    p25_a_stale_socket_is_replaced,
    p25_a_socket_in_use_is_left_alone,
    p25_a_stale_socket_that_others_may_use_is_left_alone,
    p26_a_second_daemon_on_one_pid_file_exits_13,
    p27_a_message_above_16_mib_costs_its_sender_alone,
    p28_half_a_message_and_a_close_do_nothing,
    p29_silent_connections_block_nobody,
];

const HELLO: &str = "request=\"hello\"\n";

fn p24_the_idle_timeout_waits_for_clients_and_polling(flavour: Flavour) {
    let site = Site::new();
    let mut daemon = site.daemon(flavour).option("-t").option("1").start();
    let mut client = daemon.client();
    std::thread::sleep(Duration::from_millis(2500));
    assert_eq!(client.ask(HELLO), HELLO_REPLY, "it stays while a client is connected");
    client.ask(site.pvmove("pvmove0").start());
    drop(client);
    let start = site.lvm.await_start();
    std::thread::sleep(Duration::from_millis(2500));
    assert!(!daemon.has_ended(), "it stays while a child polls");
    site.lvm.tell_exit(&start, 0);
    assert_eq!(daemon.await_end(wait::SOON).code(), Some(0));
    assert!(!site.socket().exists());
}

fn p24_without_timeout_an_idle_daemon_stays(flavour: Flavour) {
    let site = Site::new();
    let mut daemon = site.daemon(flavour).option("-t").option("0").start();
    std::thread::sleep(Duration::from_millis(2500));
    assert!(!daemon.has_ended());
}

fn p25_a_stale_socket_is_replaced(flavour: Flavour) {
    let site = Site::new();
    site.daemon(flavour).start().kill();
    assert!(site.socket().exists(), "a killed daemon leaves its socket");
    let daemon = site.daemon(flavour).start();
    assert_eq!(daemon.client().ask(HELLO), HELLO_REPLY);
    assert_eq!(
        fs::metadata(site.socket()).unwrap().permissions().mode() & 0o077,
        0,
        "root alone may connect"
    );
}

fn p25_a_socket_in_use_is_left_alone(flavour: Flavour) {
    let site = Site::new();
    let first = site.daemon(flavour).start();
    let mut second = site.daemon(flavour).pid_file(site.path("other.pid")).start_unready();
    assert!(!second.await_end(wait::SOON).success());
    assert_eq!(first.client().ask(HELLO), HELLO_REPLY);
}

fn p25_a_stale_socket_that_others_may_use_is_left_alone(flavour: Flavour) {
    let site = Site::new();
    drop(UnixListener::bind(site.socket()).unwrap());
    fs::set_permissions(site.socket(), PermissionsExt::from_mode(0o660)).unwrap();
    let mut daemon = site.daemon(flavour).start_unready();
    assert!(!daemon.await_end(wait::SOON).success());
    assert!(site.socket().exists());
}

fn p26_a_second_daemon_on_one_pid_file_exits_13(flavour: Flavour) {
    let site = Site::new();
    let first = site.daemon(flavour).start();
    let mut second = site.daemon(flavour).start_unready();
    assert_eq!(second.await_end(wait::SOON).code(), Some(13));
    assert_eq!(first.client().ask(HELLO), HELLO_REPLY);
    assert_eq!(fs::read_to_string(site.pid_file()).unwrap().trim(), first.pid().to_string());
}

/// lvm2 2.03.16 has no limit and takes any size; upstream 2.03.39 drops the peer, and so do we.
fn p27_a_message_above_16_mib_costs_its_sender_alone(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let mut large = daemon.client();
    let comment = |length: usize| [HELLO.as_bytes(), b"#", &vec![b'x'; length]].concat();
    assert_eq!(large.ask(comment(1 << 20)), HELLO_REPLY, "1 MiB is nothing special");
    if flavour == Flavour::Ours {
        // The daemon may close before it has read everything.
        large.send_raw(&comment(16 << 20)).ok();
        large.await_close(wait::SOON);
    }
    assert_eq!(daemon.client().ask(HELLO), HELLO_REPLY);
}

fn p28_half_a_message_and_a_close_do_nothing(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let start = site.pvmove("pvmove0").start();
    for end in [start.len() / 2, start.len()] {
        let mut client = daemon.client();
        client.send_raw(&start.as_bytes()[..end]).unwrap();
    }
    let mut client = daemon.client();
    client.send_raw(&start.as_bytes()[..10]).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    client.send_raw(&start.as_bytes()[10..]).unwrap();
    client.send_raw(b"\n#").unwrap();
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(daemon.dump(), [], "nothing was asked for yet");
    client.send_raw(b"#\n").unwrap();
    assert_eq!(client.receive(), lvmwarden_integration::client::OK, "a message may come in pieces");
}

fn p29_silent_connections_block_nobody(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let mut silent = daemon.client();
    let mut half = daemon.client();
    half.send_raw(b"request=\"hel").unwrap();
    for _ in 0..10 {
        assert_eq!(daemon.client().ask(HELLO), HELLO_REPLY);
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(silent.ask(HELLO), HELLO_REPLY, "silence is allowed");
}
