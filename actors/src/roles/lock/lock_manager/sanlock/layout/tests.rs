//! Names, arguments and places, as tables.

use super::*;
use crate::roles::lock::lockspace::testing::id;

const SMALL: Area = Area { sector_bytes: 512, align_mib: 1 };
const LARGE: Area = Area { sector_bytes: 4096, align_mib: 8 };

#[test]
fn a_lockspace_name_is_cut_where_sanlock_cuts_it() {
    assert_eq!(lockspace_name(&id("vg0")), "lvm_vg0");
    assert_eq!(lockspace_name(&id(&"v".repeat(44))).len(), 48);
    assert_eq!(lockspace_name(&id(&"v".repeat(45))), lockspace_name(&id(&"v".repeat(60))));
}

#[test]
fn dashes_in_names_are_doubled_in_the_device() {
    let of = |vg| device(Path::new("/dev/mapper"), &id(vg), &id("lvmlock"));
    assert_eq!(of("vg"), Path::new("/dev/mapper/vg-lvmlock"));
    assert_eq!(of("my-vg--x"), Path::new("/dev/mapper/my--vg----x-lvmlock"));
}

#[test]
fn lock_arguments_of_a_vg() {
    for (args, lv) in [
        ("1.0.0:lvmlock", Some("lvmlock")),
        ("2.0.0:lvmlock:notimeout:persist", Some("lvmlock")),
        ("1.2.3:other", Some("other")),
        ("3.0.0:lvmlock", None),
        ("lvmlock", None),
        ("none", None),
        ("1.0.0:", None),
        ("", None),
        ("2.0.0:lvmlock:notimeout", Some("lvmlock")),
        ("1.0.0:lvmlock:", None),
        ("2.0.0:lvmlock:unknown", None),
        ("2.0.0:lvmlock:persist:caw", None),
        ("1.0.0:../x", None),
        ("1.0.0:-x", None),
        ("x:lvmlock", None),
    ] {
        let found = lock_lv(args).map_err(|fault| fault.code);
        assert_eq!(found, lv.map(id).ok_or(ResultCode::BAD_ARGS), "{args}");
    }
    assert_eq!(lock_lv(&vg_args(&id("lvmlock"))), Ok(id("lvmlock")));
}

#[test]
fn lock_arguments_of_an_lv() {
    for (args, offset) in [
        ("1.0.0:70254592", Some(70_254_592)),
        ("1.9.9:0", Some(0)),
        ("2.0.0:70254592", None),
        ("none", None),
        ("dlm", None),
        ("1.0.0:", None),
        ("1.0.0:-1", None),
        ("", None),
    ] {
        assert_eq!(lv_offset(args).map_err(|fault| fault.code), offset.ok_or(ResultCode::FAILED), "{args}");
    }
    assert_eq!(lv_offset(&lv_args(first_lv_offset(SMALL))), Ok(70_254_592));
}

#[test]
fn leases_follow_each_other() {
    assert_eq!(global_offset(SMALL), 68_157_440);
    assert_eq!(vg_offset(SMALL), 69_206_016);
    assert_eq!(first_lv_offset(SMALL), 70_254_592);
    assert_eq!(first_lv_offset(LARGE), 67 * 8 * 1024 * 1024);
}

#[test]
fn sizes_come_from_the_sectors_of_the_disk() {
    for (sectors, align_mb, area) in [
        ((512, 512), 0, Some(SMALL)),
        ((512, 512), 4, Some(SMALL)),
        ((4096, 512), 0, Some(LARGE)),
        ((4096, 4096), 8, Some(LARGE)),
        ((4096, 4096), 2, Some(Area { sector_bytes: 4096, align_mib: 2 })),
        ((4096, 4096), 3, Some(LARGE)),
        ((520, 512), 0, None),
    ] {
        assert_eq!(area_for(sectors, align_mb), area, "{sectors:?} {align_mb}");
    }
    assert_eq!(area_of_align(1024 * 1024), SMALL);
    assert_eq!(area_of_align(8 * 1024 * 1024), LARGE);
}

#[test]
fn small_leases_of_large_sectors_have_room_for_fewer_hosts() {
    let of = |align_mib| max_host_id(Area { sector_bytes: 4096, align_mib });
    assert_eq!([of(1), of(2), of(4), of(8)], [250, 500, 1000, 2000]);
    assert_eq!(max_host_id(SMALL), MAX_HOST_ID);
}

#[test]
fn an_lv_has_its_lease_behind_those_of_its_vg_and_nowhere_else() {
    let code = |args: &str, area| lv_lease_offset(args, area).map_err(|fault| fault.code);
    for area in [SMALL, LARGE] {
        for own in [0, global_offset(area), vg_offset(area), first_lv_offset(area) - align(area)] {
            assert_eq!(code(&lv_args(own), area), Err(ResultCode::FAILED), "{own}");
        }
        assert_eq!(code(&lv_args(first_lv_offset(area) + 512), area), Err(ResultCode::FAILED));
        for lvs in [0, 1, 1000] {
            let offset = first_lv_offset(area) + lvs * align(area);
            assert_eq!(code(&lv_args(offset), area), Ok(offset));
        }
    }
}

#[test]
fn words_that_mean_what_every_sanlock_does_are_taken_and_others_are_not() {
    let code = |words| usage_of_words(words).map_err(|fault| fault.code);
    let as_configured = Usage { no_timeout: false, caw: Caw::AsConfigured };
    for words in ["", "timeout", "nopersist,timeout"] {
        assert_eq!(code(words), Ok(as_configured), "{words}");
    }
    assert_eq!(code("timeout,nocaw"), Ok(Usage::PLAIN));
    for words in ["persist", "notimeout", "caw", "timeout,caw"] {
        assert_eq!(code(words), Err(ResultCode::NOT_SUPPORTED), "{words}");
    }
    for words in ["bogus", "timeout,", ",", "timeout persist"] {
        assert_eq!(code(words), Err(ResultCode::BAD_ARGS), "{words}");
    }
}
