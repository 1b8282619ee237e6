//! Recorded conversations of lvm commands with the lvmetad of lvm2 2.02.188: each reply must be the same.
//!
//! Masked are the daemon's pid and when an update began. Lists and dumps are compared as sets: C has them in the order of its
//! hash tables.

use std::collections::BTreeMap;

use lvmwarden_protocol::config_text::{self, Content, Section};
use serde_json::Value;

use super::support::Bare;

/// Returns a reply in a form in which the order of lists does not count.
fn normalised(reply: &str) -> String {
    let masked: String = reply
        .lines()
        .filter(|line| !line.starts_with("daemon_pid = ") && !line.starts_with("update_begin = "))
        .flat_map(|line| [line, "\n"])
        .collect();
    let mut fields = config_text::parse(masked.as_bytes()).unwrap();
    let is_dump = fields.find("vgid_to_vgname").is_some();
    if !is_dump && fields.section("physical_volumes").or(fields.section("volume_groups")).is_none() {
        return masked;
    }
    if is_dump {
        // Those with other names keep their places.
        fields.nodes.sort_by(|one, other| one.name.cmp(&other.name));
    }
    for node in &mut fields.nodes {
        let is_list = is_dump || matches!(&*node.name, b"physical_volumes" | b"volume_groups");
        if let (Content::Section(section), true) = (&mut node.content, is_list) {
            sort(section, is_dump);
        }
    }
    let mut out = bytes::BytesMut::new();
    fields.write(&mut out);
    String::from_utf8(out.to_vec()).unwrap()
}

/// Entries of a VG's metadata have an order; those of a mapping have not.
fn sort(section: &mut Section<'_>, is_dump: bool) {
    let is_mapping = section.nodes.iter().all(|node| matches!(node.content, Content::Value(_)));
    if !is_dump || is_mapping {
        section.nodes.sort_by(|one, other| one.name.cmp(&other.name));
    }
}

#[track_caller]
fn assert_replayed(recording: &str, replies: usize) {
    let (mut daemon, mut asked) = (Bare::default(), BTreeMap::new());
    let mut seen = 0;
    for line in recording.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let (connection, message) = (line["conn"].as_i64().unwrap(), line["msg"].as_str().unwrap());
        if line["dir"] == "c2s" {
            asked.insert(connection, message.to_owned());
            continue;
        }
        let request = asked.remove(&connection).unwrap();
        let reply = daemon.ask(&request);
        assert_eq!(normalised(&reply), normalised(message), "reply {seen} to {request}");
        let trailing = |text: &str| text.len() - text.trim_end_matches('\n').len();
        assert_eq!(trailing(&reply), trailing(message), "{request}");
        seen += 1;
    }
    assert_eq!(seen, replies);
}

macro_rules! recordings {
    ($($name:ident: $replies:literal;)*) => {$(
        #[test]
        fn $name() {
            assert_replayed(
                include_str!(concat!(
                    "../../../../../protocol/tests/fixtures/lvmetad-2.02.188/metad_", stringify!($name), ".jsonl"
                )),
                $replies,
            );
        }
    )*};
}

recordings! {
    cfgrestore: 103;
    create: 130;
    ctl: 167;
    device_gone: 233;
    export_import: 150;
    new_uuids: 195;
    remove: 145;
    reshape: 262;
}
