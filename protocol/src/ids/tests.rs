//! What names promise.

use super::*;

const RECORDED: &str = "DPpn4vovsvqeTV1Rabu0GlwGSFpNYcJ7OoiBILRXHSLgtpBR2bznI5T60NXGC4fn";

fn lvid(text: &str) -> Lvid {
    Lvid::try_from(text).expect("a name that is not empty")
}

fn sysdir(text: &str) -> SystemDir {
    SystemDir::try_from(text).expect("a name that is not empty")
}

#[test]
fn an_empty_name_is_refused_on_the_wire_and_from_a_file() {
    assert_eq!(VgName::try_from(""), Err(InvalidName::Empty));
    assert!(serde_json::from_str::<VgName>("\"\"").is_err());
    assert_eq!(serde_json::from_str::<VgName>("\"vg\"").expect("a name").as_str(), "vg");
    assert_eq!(serde_json::to_string(&lvid("A")).expect("a plain string"), "\"A\"");
}

#[test]
fn names_are_what_lvm_lets_them_be() {
    use InvalidName::{Character, Dots, Hyphen, TooLong};
    for name in ["vg", "A+b.c-d_", "...", ".hidden", "pvmove0", "lv_mimage_1", "0", "+", &"v".repeat(127)] {
        assert!(VgName::try_from(name).is_ok() && LvName::try_from(name).is_ok(), "{name}");
        assert!(DevicesFile::try_from(name).is_ok() && is_lvm_name(name), "{name}");
    }
    for (name, why) in [
        ("-x", Hyphen),
        ("--abort", Hyphen),
        (".", Dots),
        ("..", Dots),
        ("a/b", Character('/')),
        ("../x", Character('/')),
        ("a b", Character(' ')),
        ("a\n", Character('\n')),
        ("a\0", Character('\0')),
        ("\u{1b}[2J", Character('\u{1b}')),
        ("v\u{fc}", Character('\u{fc}')),
        ("[pvmove0]", Character('[')),
        (&"v".repeat(128), TooLong(127)),
    ] {
        assert_eq!(VgName::try_from(name), Err(why), "{name:?}");
        assert_eq!(LvName::try_from(name), Err(why), "{name:?}");
        assert_eq!(DevicesFile::try_from(name), Err(why), "{name:?}");
        assert!(serde_json::from_value::<VgName>(name.into()).is_err(), "{name:?}");
    }
}

#[test]
fn a_pv_is_named_by_the_path_of_its_device_and_no_text_has_control_characters() {
    assert!(PvName::try_from("/dev/disk/by-id/wwn 0x5").is_ok());
    assert_eq!(PvName::try_from("dev/sda"), Err(InvalidName::NotAbsolute));
    assert_eq!(PvName::try_from("--uuid"), Err(InvalidName::NotAbsolute));
    for text in ["/a\nb", "/a\0b", "/\u{9b}1m"] {
        assert!(matches!(PvName::try_from(text), Err(InvalidName::Character(_))), "{text:?}");
        assert!(SystemDir::try_from(text).is_err() && Lvid::try_from(text).is_err(), "{text:?}");
    }
    assert_eq!(Lvid::try_from("x".repeat(129)), Err(InvalidName::TooLong(128)));
    assert_eq!(SystemDir::try_from("/".repeat(4096)), Err(InvalidName::TooLong(4095)));
}

#[test]
fn a_uuid_has_two_forms_and_is_shown_in_the_one_with_dashes() {
    const DASHED: &str = "QkKrkV-Ds14-R3ZO-jqL0-8cEo-4Gw4-uLX#!3";
    let (dashed, plain) = (LvUuid::try_from(DASHED), LvUuid::try_from(DASHED.replace('-', "")));
    assert_eq!(dashed, plain);
    let uuid = dashed.expect("a UUID");
    assert_eq!((uuid.to_string(), uuid.plain()), (DASHED.to_owned(), DASHED.replace('-', "")));
    assert_eq!(format!("{uuid:?}"), format!("{DASHED:?}"));
    let json = serde_json::to_string(&uuid).expect("a plain string");
    assert_eq!(serde_json::from_str::<LvUuid>(&json).expect("what was written"), uuid);
    for text in [
        "",
        "VGLK",
        "GLLK",
        &DASHED[1..],
        &DASHED.replacen('-', "", 1),
        &DASHED.replace('-', "x"),
        &DASHED.replace('#', "-"),
        &DASHED.replace('#', " "),
        &DASHED.replace("#!", "\u{e9}"),
        &"-".repeat(38),
    ] {
        assert_eq!(LvUuid::try_from(text), Err(InvalidUuid), "{text}");
        assert_eq!(VgUuid::try_from(text), Err(InvalidUuid), "{text}");
        assert_eq!(PvUuid::try_from(text), Err(InvalidUuid), "{text}");
    }
}

#[test]
fn two_uuids_are_64_characters_without_dashes() {
    assert_eq!(Uuids::try_from(RECORDED).map(|uuids| uuids.to_string()), Ok(RECORDED.to_owned()));
    let dashed = "OoiBIL-RXHS-Lgtp-BR2b-znI5-T60N-XGC4fn";
    for text in ["", "A", &RECORDED[1..], &format!("{RECORDED}x"), &dashed.repeat(2), &"\u{e9}".repeat(32)] {
        assert_eq!(Uuids::try_from(text), Err(InvalidUuid), "{text}");
    }
}

#[test]
fn an_lvid_of_the_usual_form_tells_its_uuids() {
    let uuids = lvid(RECORDED).uuids().expect("they are in it");
    assert_eq!(uuids.vg.plain(), "DPpn4vovsvqeTV1Rabu0GlwGSFpNYcJ7");
    assert_eq!(uuids.lv.as_str(), "OoiBIL-RXHS-Lgtp-BR2b-znI5-T60N-XGC4fn");
    assert_eq!(Lvid::from(uuids), lvid(RECORDED));
    assert_eq!(lvid(RECORDED).device_mapper_uuid(), format!("LVM-{RECORDED}"));
}

#[test]
fn an_lvid_of_any_other_form_is_a_name_and_no_more() {
    for text in ["A", &RECORDED[1..], &format!("{RECORDED}x"), &"é".repeat(32), &"-".repeat(64)] {
        assert_eq!(lvid(text).uuids(), None, "{text}");
        assert_eq!(lvid(text).as_str(), text);
    }
}

#[test]
fn an_operation_is_told_by_store_system_dir_and_lvid() {
    let plain = OperationId::new(Store::Poll, None, &lvid("A"));
    assert_eq!((plain.as_str(), plain.to_string().as_str()), ("A", "poll:A"));

    let elsewhere = OperationId::new(Store::Poll, Some(&sysdir("/etc/lvm")), &lvid("A"));
    assert_eq!((elsewhere.as_str(), elsewhere.store()), ("/etc/lvmA", Store::Poll));
    assert_ne!(plain, elsewhere);

    let aborted = OperationId::new(Store::Abort, None, &lvid("A"));
    assert_eq!(aborted.to_string(), "abort:A");
    assert_ne!(plain, aborted);
}

#[test]
fn texts_that_join_alike_are_one_operation_as_in_c() {
    let one = OperationId::new(Store::Poll, Some(&sysdir("/a")), &lvid("bc"));
    let other = OperationId::new(Store::Poll, Some(&sysdir("/ab")), &lvid("c"));
    assert_eq!(one, other);
}

#[test]
fn an_operation_id_comes_back_from_a_file() {
    let id = OperationId::new(Store::Abort, Some(&sysdir("/etc/lvm")), &lvid("A"));
    let json = serde_json::to_string(&id).expect("serializable");
    assert_eq!(json, r#"{"store":"abort","text":"/etc/lvmA"}"#);
    assert_eq!(serde_json::from_str::<OperationId>(&json).expect("what was written"), id);
}
