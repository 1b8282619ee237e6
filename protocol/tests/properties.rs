//! Properties of the wire formats on generated messages: arbitrary bytes, almost-messages, and trees of our own.

use std::borrow::Cow;

use bytes::BytesMut;
use lvmwarden_protocol::config_text::{self, Content, Node, Scalar, Section, Value};
use lvmwarden_protocol::poll::Request;
use proptest::prelude::*;

#[path = "../fuzz/properties/api.rs"]
mod api_properties;
#[path = "../fuzz/properties/config_text.rs"]
mod config_text_properties;
#[path = "../fuzz/properties/lock_requests.rs"]
mod lock_request_properties;
#[path = "../fuzz/properties/requests.rs"]
mod request_properties;

/// Pieces of messages: strung together at random they parse often enough, and fail in many places.
const PIECES: &[&[u8]] = &[
    b"a",
    b"b",
    b"/",
    b"=",
    b"=",
    b"=",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b"\"",
    b"'",
    b"\\",
    b" ",
    b"\n",
    b"#",
    b"\0",
    b"\xff",
    b"1",
    b"-",
    b"+",
    b".",
    b"0x1",
    b"1.5e5",
    b"08",
    b"99999999999999999999",
    b" creation_time=",
    b" a/b ",
    b" c { ",
    b" } ",
    b" x=[1, \"y\" 'z',]",
    b"\n##\n",
    b" s=\"t\\\"u\" ",
    b" request=\"pvmove\" ",
    b" request=progress_info ",
    b" request=\"merge\" ",
    b" lvid=\"A\" ",
    b" vgname=\"vg\" ",
    b" lvname=\"lv\" ",
    b" interval=\"+15\" ",
    b" abort=1 ",
    b" sysdir=\"/etc/lvm\" ",
    b" cmdline='pvmove \"' ",
    b" response=\"OK\" ",
    b" response=\"finished\" ",
    b" reason=\"retcode\" ",
    b" value=5 ",
    b" protocol=\"lvmpolld\" ",
    b" version=1 ",
    b" poll { } abort { } ",
    b" request=\"lock_lv\" ",
    b" request=\"start_vg\" ",
    b" request=\"init_vg\" ",
    b" cmd=\"vgs\" ",
    b" pid=7 ",
    b" mode=\"sh\" ",
    b" opts=\"persistent,adopt_onlyrepair\" ",
    b" vg_name=\"vg\" ",
    b" vg_lock_type=\"sanlock\" ",
    b" vg_lock_args=\"1.0.0:lvmlock\" ",
    b" lv_uuid=\"U\" ",
    b" lv_lock_args=\"none\" ",
    b" max_retries=-1 ",
    b" host_id=4294967296 ",
    b" protocol=\"lvmlockd\" ",
    b" result=-16 ",
    b" op=7 ",
    b" op=23 ",
    b" op_result=-210 ",
    b" lm_result=0 ",
    b" dump_len=5 ",
    b" owner_host_id=2 ",
    b" ls_generation=3 ",
    b" prev_generation=3 ",
    b" result_flags=\"NO_LOCKSPACES,NO_GL_LS\" ",
];

/// Pieces of calls of the JSON API.
const CALL_PIECES: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\"",
    b"\\",
    b"\0",
    b"\n",
    b"\xff",
    b"1e400",
    b"\"\\ud800\"",
    b"\"method\":\"org.lvmwarden.Poll.",
    b"\"parameters\":{",
    b"\"id\":\"018f0000-0000-7000-8000-000000000001\"",
    b"{\"method\":\"org.lvmwarden.Poll.List\"}\n",
    b"{\"method\":\"org.lvmwarden.Poll.Show\",\"parameters\":{",
    b"{\"method\":\"org.lvmwarden.Poll.Watch\",\"more\":true}\0",
    b"{\"method\":\"org.lvmwarden.Events.Subscribe\",\"more\":true,\"parameters\":{\"cursor\":\"a:1\"}}\n",
    b"}}\0",
    b"}}\n",
];

fn almost_message() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(PIECES), 0..24).prop_map(|pieces| pieces.concat())
}

fn text(first: std::ops::RangeInclusive<u8>, len: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![first, prop::sample::select(b" \"'\\#={}[],!\n\t".as_slice())], len)
}

fn scalar() -> impl Strategy<Value = Scalar<'static>> {
    prop_oneof![
        any::<i64>().prop_map(Scalar::Int),
        // Sixty-fourths have no more than the six decimals that are printed.
        any::<i32>().prop_map(|number| Scalar::Float(f64::from(number) / 64.0)),
        text(1..=255, 0..12).prop_map(|text| Scalar::String(Cow::Owned(text))),
    ]
}

fn named(content: impl Strategy<Value = Content<'static>>) -> impl Strategy<Value = Node<'static>> {
    let name = text(1..=255, 0..6).prop_map(|mut name| {
        name.retain(|&byte| byte != b'/');
        Cow::Owned(name)
    });
    (name, content).prop_map(|(name, content)| Node { name, content })
}

fn tree() -> impl Strategy<Value = Section<'static>> {
    let value =
        prop::collection::vec(scalar(), 0..4).prop_map(|all| Content::Value(Value::from_elements(all)));
    let content = value.prop_recursive(5, 40, 5, |inner| {
        prop::collection::vec(named(inner), 0..5).prop_map(|nodes| Content::Section(Section { nodes }))
    });
    prop::collection::vec(named(content), 1..6).prop_map(|nodes| Section { nodes })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_tree_that_is_printed_parses_to_itself(tree in tree()) {
        let mut printed = BytesMut::new();
        tree.write(&mut printed);
        prop_assert_eq!(config_text::parse(&printed), Ok(tree));
    }

    #[test]
    fn arbitrary_bytes_never_panic(message in prop::collection::vec(any::<u8>(), 0..200)) {
        config_text_properties::config_text_survives_printing(&message);
        request_properties::requests_survive_writing(&message);
        lock_request_properties::lock_requests_survive_writing(&message);
        api_properties::calls_survive_writing(&message);
    }

    #[test]
    fn config_text_survives_printing(message in almost_message()) {
        config_text_properties::config_text_survives_printing(&message);
    }

    #[test]
    fn calls_survive_writing(pieces in prop::collection::vec(prop::sample::select(CALL_PIECES), 0..16)) {
        api_properties::calls_survive_writing(&pieces.concat());
    }

    #[test]
    fn requests_survive_writing(message in almost_message()) {
        request_properties::requests_survive_writing(&message);
    }

    #[test]
    fn lock_requests_survive_writing(message in almost_message()) {
        lock_request_properties::lock_requests_survive_writing(&message);
    }

    #[test]
    fn a_start_request_survives_writing_whatever_its_texts_are(
        names in prop::array::uniform2("[a-zA-Z0-9+_][a-zA-Z0-9+_.-]{0,20}"),
        texts in prop::array::uniform2("\\PC{1,20}"),
        cmdline in "[^\0]{1,20}",
        interval in "[+]?[0-9]{1,12}[^\0-]{0,5}",
        flags in any::<[bool; 2]>(),
    ) {
        let json = serde_json::json!({
            "kind": "pvmove", "abort": flags[0], "handle_missing_pvs": flags[1],
            "lvid": texts[0], "vgname": names[0], "lvname": names[1], "interval": interval,
            "sysdir": texts[1], "devicesfile": null, "cmdline": cmdline,
        });
        let request = Request::Start(serde_json::from_value(json).expect("a request as it is stored"));
        prop_assert_eq!(Request::parse(&request.to_bytes()), Ok(request));
    }
}
