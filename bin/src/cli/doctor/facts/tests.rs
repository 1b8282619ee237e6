//! The words of other programs, as they print them on Debian 12.

use super::*;

#[test]
fn lvmconfig_prints_the_last_part_of_each_name() {
    let config = parse_lvmconfig("use_lvmpolld=1\npolling_interval=15\n\tsystem_id=\"host\"\n\n# remark\n");
    let expected = [("use_lvmpolld", "1"), ("polling_interval", "15"), ("system_id", "host")];
    assert_eq!(config, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
}

#[test]
fn the_version_is_that_of_lvm_not_of_its_library() {
    let text = "  LVM version:     2.03.16(2) (2022-05-18)\n  Library version: 1.02.185 (2022-05-18)\n";
    assert_eq!(parse_lvm_version(text).as_deref(), Some("2.03.16(2)"));
    assert_eq!(parse_lvm_version("command not found"), None);
}

#[test]
fn systemctl_prints_a_block_for_each_unit() {
    let text = "MainPID=812\nId=lvmwardend.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n\n\
                Id=lvm2-lvmpolld.socket\nLoadState=masked\nActiveState=inactive\nUnitFileState=masked\n\n\
                MainPID=0\nId=lvm2-lvmpolld.service\nLoadState=not-found\nActiveState=inactive\nUnitFileState=\n";
    let unit = |load: &str, active: &str, file: &str, main_pid| Unit {
        load: load.to_owned(),
        active: active.to_owned(),
        file: file.to_owned(),
        main_pid,
    };
    let expected = [
        ("lvmwardend.service", unit("loaded", "active", "enabled", Some(812))),
        ("lvm2-lvmpolld.socket", unit("masked", "inactive", "masked", None)),
        ("lvm2-lvmpolld.service", unit("not-found", "inactive", "", None)),
    ];
    assert_eq!(parse_units(text), expected.map(|(name, unit)| (name.to_owned(), unit)).into());
}

#[test]
fn only_a_listening_socket_of_this_very_path_is_found() {
    let text = "Num       RefCount Protocol Flags    Type St Inode Path\n\
                0000000000000000: 00000002 00000000 00010000 0001 01 111 /run/lvm/lvmpolld.socket2\n\
                0000000000000000: 00000003 00000000 00000000 0001 03 222 /run/lvm/lvmpolld.socket\n\
                0000000000000000: 00000002 00000000 00010000 0001 01 333 /run/lvm/lvmpolld.socket\n\
                0000000000000000: 00000003 00000000 00000000 0001 03 444\n";
    assert_eq!(listening_inode(text, "/run/lvm/lvmpolld.socket"), Some(333));
    assert_eq!(listening_inode(text, "/run/lvm"), None);
    assert_eq!(listening_inode("", "/run/lvm/lvmpolld.socket"), None);
}
