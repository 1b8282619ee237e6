//! Config text, as it comes back. M-09 to M-15, M-64.

use lvmwarden_integration::metad::{MetadSite, OK, refused};

/// Returns how entries of a PV come back.
fn returned(entries: &str) -> String {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    let reply = client.ask(&format!("pv_found pvmeta {{ id=A device=1 {entries} }}"));
    assert!(reply.starts_with(OK), "{entries}: {reply}");
    let shown = client.ask("pv_lookup uuid=A");
    let (_, rest) = shown.split_once("\tdevice=1\n").unwrap();
    rest.strip_suffix("}\n\n\n").unwrap().to_owned()
}

/// M-09.
#[test]
fn an_array_of_one_is_its_element() {
    assert_eq!(returned("x=[\"a\"] y=[] z=[1,2.5,\"s\"]"), "\tx=\"a\"\n\ty=[]\n\tz=[1,2.500000,\"s\"]\n");
}

/// M-10.
#[test]
fn numbers_are_read_as_c_reads_them() {
    assert_eq!(
        returned("x=010 y=+5 creation_time=99999999999999999999"),
        "\tx=8\n\ty=5\n\tcreation_time=1527120000\n"
    );
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    let reply = client.ask("pv_found pvmeta { id=A device=1 x=9223372036854775808 }");
    assert!(reply.starts_with("response = \"token_mismatch\"\n"), "it does not parse: {reply}");
}

/// M-11.
#[test]
fn strings_keep_all_but_escapes() {
    assert_eq!(returned(r#"x="a\"b\\c\n""#), "\tx=\"a\\\"b\\\\c\\\\n\"\n");
}

/// M-12.
#[test]
fn slashes_make_sections_and_the_first_of_a_name_counts() {
    assert_eq!(returned("a/b=1 x=1 x=2 id=B"), "\ta {\n\t\tb=1\n\t}\n\tx=1\n\tx=2\n\tid=\"B\"\n");
}

/// M-13.
#[test]
fn keys_that_need_quotes_have_them() {
    assert_eq!(returned("'a#'=1 'b!'=2 'c\"'=3"), "\t\"a#\"=1\n\t\"b!\"=2\n\t\"c\\\"\"=3\n");
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    client.found("A#!", 1, "");
    assert!(client.ask("pv_list").contains("\n\t\"A#!\" {\n"));
}

/// M-14.
#[test]
fn what_is_no_config_text_is_a_request_without_fields() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    for wrong in ["x=[1 2]", "x=[,1]", "x=[[1]]", "x={a=1}", "x=1e5", "x={"] {
        let reply = client.ask(&format!("vg_list {wrong}"));
        assert!(reply.contains("received = \"NONE\"\n"), "{wrong}: {reply}");
    }
    assert!(client.raw("").contains("received = \"NONE\"\n"));
    for right in ["x=[\"a\" \"b\"]", "x=[1,]", "# a comment\n", "x=[1,\n# a comment\n 2\n]"] {
        assert!(client.ask(&format!("vg_list {right}")).starts_with("response=\"OK\"\n"), "{right}");
    }
}

/// M-15.
#[test]
fn plain_replies_and_trees_look_as_they_ever_did() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    assert_eq!(client.ask("vg_remove"), refused("failed", "need VG UUID"));
    client.found("A", 1, "");
    assert_eq!(
        client.ask("pv_list"),
        "response=\"OK\"\nphysical_volumes {\n\tA {\n\t\tid=\"A\"\n\t\tdevice=1\n\t\tdev_size=9\n\t\tmda0 {\n\t\t\tignore=0\n\t\t}\n\t}\n}\n\n\n"
    );
}

/// M-64. What is too long is dropped with its connection.
#[test]
fn texts_that_ended_the_c_daemon_do_not_end_this_one() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    let siblings = "a=1 ".repeat(1_000_000);
    assert!(client.ask(&format!("pv_found pvmeta {{ id=A device=1 {siblings} }}")).starts_with(OK));
    assert_eq!(client.ask("pv_gone uuid=A"), OK);
    let string = "x".repeat(10 << 20);
    assert!(client.ask(&format!("pv_found pvmeta {{ id=A device=1 x=\"{string}\" }}")).starts_with(OK));
    assert!(client.ask("pv_lookup uuid=A").len() > 10 << 20);
    let mut greedy = site.client().into_inner();
    // It stops reading in the middle.
    let _ = greedy.send_raw(format!("request=\"{}", "x".repeat(20 << 20)).as_bytes());
    greedy.await_close(lvmwarden_integration::wait::SOON);
    assert_eq!(client.ask("pv_gone uuid=A"), OK);
}

/// Section 6.3 of the contract.
#[test]
fn nothing_that_a_client_says_ends_the_daemon() {
    let site = MetadSite::new();
    let (mut daemon, mut client) = site.start();
    for (request, reply) in [
        ("vg_update metadata=1", refused("failed", "vg_update: need VG UUID")),
        ("vg_update metadata { }", refused("failed", "vg_update: need VG UUID")),
        ("vg_update metadata { id=G }", refused("failed", "vg_update: need VG name")),
        ("vg_update vgname=v metadata { id=G }", refused("failed", "vg_update: need VG seqno")),
        (
            "vg_update vgname=v metadata { id=G seqno=0 }",
            refused("failed", "vg_update: failed metadata update"),
        ),
        (
            "vg_update vgname=v metadata { id=G seqno=1 physical_volumes { p { id=A status=[1,2] } } }",
            OK.to_owned(),
        ),
    ] {
        assert_eq!(client.ask(request), reply, "{request}");
    }
    assert!(client.ask("vg_lookup name=v").contains("status=[\"MISSING\",1,2]"));
    let nested =
        format!("pv_found pvmeta {{ id=A device=1 {} x=1 {} }}", "a {".repeat(5000), "}".repeat(5000));
    assert!(client.ask(&nested).contains("token_mismatch"));
    client.ask("pv_found pvmeta { id=A device=1 'a key'=1 }");
    assert!(client.ask("pv_lookup uuid=A").contains("\t\"a key\"=1\n"), "it can be parsed again");
    assert!(!daemon.has_ended());
}
