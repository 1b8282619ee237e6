//! P-1 to P-10: hello, what is no request, and the checks of a request to poll.

use lvmwarden_integration::both_daemons;
use lvmwarden_integration::client::{Client, HELLO_REPLY, OK, refusal};
use lvmwarden_integration::daemon::Flavour;
use lvmwarden_integration::fake_lvm::Step;
use lvmwarden_integration::site::Site;

both_daemons![
    p01_hello_names_protocol_and_version,
    p02_unknown_request_is_not_implemented,
    p03_unparsable_request_is_not_implemented_and_the_connection_stays,
    p03_words_may_be_bare_and_spaced,
    p03_of_two_nodes_of_one_name_the_first_counts,
    p04_abort_is_for_pvmove_only,
    p05_interval_must_be_a_string_that_starts_with_a_number,
    p05_interval_is_passed_on_as_it_is,
    p06_names_are_asked_for_in_order,
    p07_another_operation_on_the_same_lv_is_refused,
    p08_the_same_request_again_starts_no_second_child,
    p09_a_finished_operation_gives_way_to_a_new_child,
    p10_the_reply_does_not_wait_for_the_child,
];

const NOT_IMPLEMENTED: &str = "response = \"invalid\"\nreason = \"request not implemented\"\n\n##\n";

fn p01_hello_names_protocol_and_version(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let mut client = daemon.client();
    assert_eq!(client.ask("request = \"hello\"\n"), HELLO_REPLY);
    assert_eq!(client.ask("request=\"hello\"\n"), HELLO_REPLY, "a second time, without spaces");
}

fn p02_unknown_request_is_not_implemented(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let mut client = daemon.client();
    assert_eq!(client.ask("request=\"nonsense\"\n"), NOT_IMPLEMENTED);
    assert_eq!(client.ask("lvid=\"A\"\n"), NOT_IMPLEMENTED, "no request at all");
}

fn p03_unparsable_request_is_not_implemented_and_the_connection_stays(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let mut client = daemon.client();
    for garbage in ["", "{{{", "request=", "request=\"hello", "= = =", "\u{1}\u{2}", "}"] {
        assert_eq!(client.ask(garbage), NOT_IMPLEMENTED, "{garbage:?}");
    }
    assert_eq!(client.ask("request=\"hello\"\n"), HELLO_REPLY);
}

fn p03_words_may_be_bare_and_spaced(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let mut client = daemon.client();
    for spelling in
        ["request=hello\n", "request = hello", "  request  =  \"hello\"  ", "# a comment\nrequest=\"hello\""]
    {
        assert_eq!(client.ask(spelling), HELLO_REPLY, "{spelling:?}");
    }
}

fn p03_of_two_nodes_of_one_name_the_first_counts(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    assert_eq!(daemon.client().ask("request=\"hello\"\nrequest=\"nonsense\"\n"), HELLO_REPLY);
}

fn p04_abort_is_for_pvmove_only(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let mut client = daemon.client();
    let refused = refusal("invalid", "abort only supported with PVMOVE polling operation");
    for kind in ["convert", "merge", "merge_thin"] {
        assert_eq!(client.ask(site.pvmove("lv").kind(kind).abort().start()), refused, "{kind}");
    }
    assert_eq!(client.ask("request=\"convert\"\nabort=1\n"), refused, "it is the first check of all");
    assert_eq!(client.ask(site.pvmove("lv").abort().start()), OK);
}

fn p05_interval_must_be_a_string_that_starts_with_a_number(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let mut client = daemon.client();
    let refused = refusal("invalid", "request requires interval set");
    for interval in
        ["", "interval=15\n", "interval=\"\"\n", "interval=\"x\"\n", "interval=\"-1\"\n", "interval=\"1-\"\n"]
    {
        assert_eq!(ask_pvmove(&mut client, interval), refused, "{interval:?}");
    }
    assert_eq!(client.ask("request=\"pvmove\"\n"), refused, "it comes before the names");
}

fn p05_interval_is_passed_on_as_it_is(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let mut client = daemon.client();
    for (count, interval) in ["15", "0", "+15", "15abc"].iter().enumerate() {
        let names = format!("lvid=\"{count}\"\nvgname=\"vg\"\nlvname=\"lv{count}\"\n");
        assert_eq!(
            client.ask(format!("request=\"pvmove\"\n{names}interval=\"{interval}\"\n")),
            OK,
            "{interval}"
        );
        let start = site.lvm.await_starts(count + 1).pop().unwrap();
        assert_eq!(start.arguments[2..4], ["--interval", interval]);
    }
}

fn p06_names_are_asked_for_in_order(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let mut client = daemon.client();
    let (lvname, lvid) = ("lvname=\"lv\"\n", "lvid=\"A\"\n");
    let mut ask = |names: &str| client.ask(format!("request=\"pvmove\"\ninterval=\"1\"\n{names}"));
    assert_eq!(ask(""), refusal("failed", "request requires lvname set"));
    assert_eq!(ask(lvname), refusal("failed", "request requires lvid set"));
    assert_eq!(ask(&[lvname, lvid].concat()), refusal("failed", "request requires vgname set"));
    assert_eq!(site.lvm.starts().len(), 0);
}

fn p07_another_operation_on_the_same_lv_is_refused(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let mut client = daemon.client();
    let convert = site.pvmove("lv").kind("convert");
    assert_eq!(client.ask(convert.start()), OK);
    let refused = refusal("invalid", "Different operation on LV already in progress");
    for kind in ["pvmove", "merge", "merge_thin"] {
        assert_eq!(client.ask(convert.clone().kind(kind).start()), refused, "{kind}");
    }
    site.lvm.await_start();
    assert_eq!(client.ask(convert.start()), OK);
    assert_eq!(site.lvm.starts().len(), 1);
}

fn p08_the_same_request_again_starts_no_second_child(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let mut client = daemon.client();
    let pvmove = site.pvmove("pvmove0");
    for _ in 0..3 {
        assert_eq!(client.ask(pvmove.start()), OK);
    }
    site.lvm.await_start();
    assert_eq!(daemon.dump()[0].init_requests_count, 3);
    assert_eq!(site.lvm.starts().len(), 1);
}

fn p09_a_finished_operation_gives_way_to_a_new_child(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let mut client = daemon.client();
    let pvmove = site.pvmove("pvmove0");
    site.lvm.script(&pvmove.path(), &[&[Step::Exit(5)], &[]]);
    assert_eq!(client.ask(pvmove.start()), OK);
    daemon.await_state(&pvmove, "finished");
    assert_eq!(client.ask(pvmove.start()), OK);
    site.lvm.await_starts(2);
    let entries = daemon.dump();
    assert_eq!(
        (entries.len(), entries[0].state.as_str(), entries[0].init_requests_count),
        (1, "in_progress", 1)
    );
}

fn p10_the_reply_does_not_wait_for_the_child(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let mut client = daemon.client();
    for kind in ["pvmove", "convert", "merge", "merge_thin"] {
        assert_eq!(client.ask(site.pvmove(kind).kind(kind).start()), OK, "{kind}");
    }
    let starts = site.lvm.await_starts(4);
    assert!(starts.iter().all(lvmwarden_integration::fake_lvm::Start::is_alive));
}

/// The C daemon starts `lvpoll … -x/--abort`. lvm itself never sends such names, and so never notices.
#[test]
fn a_name_that_is_an_option_or_a_path_never_reaches_a_command_line() {
    let site = Site::new();
    let daemon = site.daemon(Flavour::Ours).start();
    let mut client = daemon.client();
    for (field, odd) in [
        ("vgname", "-x"),
        ("vgname", "a/b"),
        ("lvname", "--abort"),
        ("lvname", "../x"),
        ("lvid", "a\nb"),
        ("devicesfile", "../../etc/passwd"),
        ("sysdir", "/a\nb"),
    ] {
        let usual = "lvid=\"A\"\nvgname=\"vg\"\nlvname=\"lv\"\n";
        let answer = client.ask(format!("request=\"pvmove\"\ninterval=\"1\"\n{field}=\"{odd}\"\n{usual}"));
        assert_eq!(
            answer,
            refusal("failed", &format!("request requires {field} as LVM allows it")),
            "{odd:?}"
        );
    }
    assert_eq!(ask_pvmove(&mut client, "interval=\"1\"\n"), OK);
    let start = site.lvm.await_start();
    assert!(start.arguments.iter().any(|word| word == "vg/lv"), "{:?}", start.arguments);
    assert_eq!(site.lvm.starts().len(), 1);
}

fn ask_pvmove(client: &mut Client, interval: &str) -> String {
    client.ask(format!("request=\"pvmove\"\nlvid=\"A\"\nvgname=\"vg\"\nlvname=\"lv\"\n{interval}"))
}
