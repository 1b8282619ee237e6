//! C-1 to C-9: connections and parsing.

use std::time::Duration;

use lvmwarden_integration::daemon::Flavour;
use lvmwarden_integration::lock_client::ask;
use lvmwarden_integration::lock_daemon::LockSite;
use lvmwarden_integration::lock_tests;

lock_tests![
    c_01_hello_is_answered_at_any_time,
    c_02_an_unknown_request_gets_no_reply,
    c_03_text_that_is_none_gets_no_reply,
    c_04_a_request_may_come_in_pieces,
    c_04_two_requests_in_one_write_are_one,
    c_05_unknown_fields_and_wrong_types_do_no_harm,
    c_06_options_are_found_anywhere_in_the_text,
    c_07_a_wrong_pid_does_no_harm_and_the_first_command_names_the_connection,
    c_08_every_reply_has_an_op_result,
    c_09_a_lock_type_that_is_not_served_or_does_not_fit_is_refused,
];

const HELLO: &str = "request = \"hello\"\n";
const GREETING: &str = "response = \"OK\"\nresult = 0\nprotocol = \"lvmlockd\"\nversion = 1\n\n##\n";
/// Long enough for a reply that should not come.
const A_WHILE: Duration = Duration::from_millis(300);

fn c_01_hello_is_answered_at_any_time(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = site.daemon(flavour).start();
    let mut client = site.client();
    assert_eq!(client.ask(HELLO).0, GREETING);
    assert_eq!(client.result(ask::lock_vg("vg", "sh")), -210);
    assert_eq!(client.ask(HELLO).0, GREETING);
    assert_eq!(client.ask("request=hello").0, GREETING);
}

fn c_02_an_unknown_request_gets_no_reply(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = site.daemon(flavour).start();
    let mut client = site.client();
    for request in ["request=\"lock_pv\"\n", "request=\"\"\n", "request=5\n", "vg_name=\"vg\"\n"] {
        client.send(request);
        client.hears_nothing_for(A_WHILE);
        assert_eq!(client.ask(HELLO).0, GREETING, "{request}");
    }
}

fn c_03_text_that_is_none_gets_no_reply(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = site.daemon(flavour).start();
    let mut client = site.client();
    for request in ["request=\n", "= = =\n", "request=\"hello\" }\n", "\n"] {
        client.send(request);
        client.hears_nothing_for(A_WHILE);
        assert_eq!(client.ask(HELLO).0, GREETING, "{request}");
    }
}

fn c_04_a_request_may_come_in_pieces(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = site.daemon(flavour).start();
    let mut client = site.client();
    for piece in ["request", " = \"hel", "lo\"", "\n", "\n#", "#\n"] {
        client.hears_nothing_for(Duration::from_millis(30));
        client.raw().send_raw(piece.as_bytes()).unwrap();
    }
    assert_eq!(client.receive().0, GREETING);
}

fn c_04_two_requests_in_one_write_are_one(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = site.daemon(flavour).start();
    let mut client = site.client();
    let both = format!("{HELLO}\n##\n{}\n##\n", ask::lock_vg("vg", "sh"));
    client.raw().send_raw(both.as_bytes()).unwrap();
    assert_eq!(client.receive().0, GREETING);
    client.hears_nothing_for(A_WHILE);
}

fn c_05_unknown_fields_and_wrong_types_do_no_harm(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = site.daemon(flavour).options(["-g", "dlm"]).start();
    site.start_vg("vg");
    let mut client = site.client();
    let request =
        format!("{}max_retries=\"abc\" colour=\"red\" mode=\"ex\" pid=7\n", ask::lock_vg("vg", "sh"));
    assert_eq!(client.result(request), 0, "the first of two fields wins");
    assert_eq!(client.info_of("lk", "mode", "sh").len(), 1);
    assert_eq!(client.result(ask::of_vg("lock_vg", "vg", "mode=5\n")), -22);
    assert_eq!(client.result(ask::of_vg("lock_vg", "vg", "")), -22);
}

fn c_06_options_are_found_anywhere_in_the_text(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = site.daemon(flavour).options(["-g", "dlm"]).start();
    let mut client = site.client();
    assert_eq!(client.result(ask::start_vg("vg", "start_init,wait")), 0);
    client.await_started("vg");
    for opts in ["persistent,", "xpersistenty", "none persistent"] {
        assert_eq!(client.result(ask::lock_lv("vg", "lv", "ex", opts)), 0, "{opts}");
        assert_eq!(client.info_of("lk", "flags", "0x1").len(), 1, "{opts}");
        assert_eq!(client.result(ask::lock_lv("vg", "lv", "un", opts)), 0, "{opts}");
    }
    for opts in ["none", "start_init", ""] {
        assert_eq!(client.result(ask::lock_lv("vg", "lv", "ex", opts)), 0, "{opts}");
        assert_eq!(client.info_of("lk", "flags", "0x0").len(), 1, "{opts}");
        assert_eq!(client.result(ask::lock_lv("vg", "lv", "un", opts)), 0, "{opts}");
    }
}

fn c_07_a_wrong_pid_does_no_harm_and_the_first_command_names_the_connection(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = site.daemon(flavour).options(["-g", "dlm"]).start();
    site.start_vg("vg");
    let mut client = site.client();
    assert_eq!(client.result(ask::lock_vg("vg", "sh").replace("pid =1", "pid =4000000")), 0);
    assert_eq!(client.result(ask::lock_lv("vg", "lv", "ex", "none")), 0);
    let own = std::process::id().to_string();
    let named: Vec<_> = client
        .info_of("client", "name", "vgs")
        .into_iter()
        .map(|line| line.value("pid").to_owned())
        .collect();
    assert_eq!(named, [own], "not lvchange, which came later; and the pid is the socket's");
}

fn c_08_every_reply_has_an_op_result(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = site.daemon(flavour).options(["-g", "dlm"]).start();
    let mut client = site.client();
    for keyword in [
        "running_lm",
        "init_vg",
        "init_lv",
        "free_vg",
        "free_lv",
        "busy_vg",
        "start_wait",
        "stop_vg",
        "stop_all",
        "lock_vg",
        "lock_lv",
        "vg_update",
        "query_lock_vg",
        "query_lock_lv",
        "enable_gl",
        "disable_gl",
        "rename_vg_before",
        "rename_vg_final",
        "find_free_lock",
        "kill_vg",
        "drop_vg",
        "refresh_lv",
        "lock_gl",
    ] {
        let answer = client.ask(ask::of_vg(keyword, "vg", ""));
        assert!(
            answer.field("op_result").is_some_and(|result| result.parse::<i32>().is_ok()),
            "{keyword}: {answer:?}"
        );
    }
}

fn c_09_a_lock_type_that_is_not_served_or_does_not_fit_is_refused(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = site.daemon(flavour).options(["-g", "dlm"]).start();
    site.start_vg("vg");
    let mut client = site.client();
    for keyword in ["lock_vg", "init_vg", "start_vg", "busy_vg", "running_lm"] {
        assert_eq!(client.result(ask::of_vg(keyword, "vg", "vg_lock_type=\"idm\"\n")), -93, "{keyword}");
    }
    let request = ask::lock_vg("vg", "sh").replace("vg_lock_type =\"none\"", "vg_lock_type =\"sanlock\"");
    assert_eq!(client.result(request), -22);
    let request = ask::lock_vg("vg", "sh").replace("vg_lock_type =\"none\"", "vg_lock_type =\"dlm\"");
    assert_eq!(client.result(request), 0);
}
