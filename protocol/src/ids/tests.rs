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
    assert_eq!(VgName::try_from(""), Err(EmptyName));
    assert!(serde_json::from_str::<VgName>("\"\"").is_err());
    assert_eq!(serde_json::from_str::<VgName>("\"vg\"").expect("a name").as_str(), "vg");
    assert_eq!(serde_json::to_string(&lvid("A")).expect("a plain string"), "\"A\"");
}

#[test]
fn an_lvid_of_the_usual_form_tells_its_uuids() {
    let uuids = Uuids { vg: "DPpn4vovsvqeTV1Rabu0GlwGSFpNYcJ7", lv: "OoiBILRXHSLgtpBR2bznI5T60NXGC4fn" };
    assert_eq!(lvid(RECORDED).uuids(), Some(uuids));
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
