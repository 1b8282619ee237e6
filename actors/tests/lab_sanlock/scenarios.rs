//! The tests.

use std::fs;

use crate::disk::{LEASE_MAGIC, LOCKSPACE_MAGIC, Lease, SECTOR_BYTES};
use crate::host::{Lab, wait_for};

type Test = fn();

macro_rules! tests {
    ($($name:ident),* $(,)?) => {
        /// All tests, by name.
        pub(crate) const ALL: &[(&str, Test)] = &[$((stringify!($name), $name)),*];
    };
}

tests![
    a_new_vg_has_its_leases_where_every_other_lock_daemon_looks_for_them,
    the_bytes_on_disk_are_those_of_the_c_daemon,
    leases_of_lvs_are_made_found_and_freed,
    a_lockspace_is_prepared_only_where_its_leases_are,
    two_hosts_share_and_exclude_each_other_and_see_who_holds,
    a_value_passes_from_host_to_host,
    locks_of_a_process_that_was_killed_are_adopted,
    orphans_that_nobody_adopts_are_dropped,
    the_global_lock_is_disabled_and_enabled,
    a_removed_vg_has_no_leases_any_more,
    a_renamed_vg_keeps_the_names_of_its_leases,
    a_rename_that_was_not_finished_is_told_by_the_next_start,
    leases_that_must_not_time_out_are_not_used_by_a_sanlock_that_lets_them,
    the_leases_of_a_vg_are_never_those_of_an_lv,
    a_corrupt_lease_is_repaired_when_asked_for,
    leases_on_a_lost_disk_end_with_the_kill_program,
    a_daemon_that_is_gone_is_an_error,
];

const LV1: &str = "6hwPRQ-ubEX-Ovsh-fj3n-rkGY-SbuK-Gi6Lf1";
const LV2: &str = "6hwPRQ-ubEX-Ovsh-fj3n-rkGY-SbuK-Gi6Lf2";
const LV3: &str = "6hwPRQ-ubEX-Ovsh-fj3n-rkGY-SbuK-Gi6Lf3";
const FIRST: &str = "1.0.0:70254592";
const SECOND: &str = "1.0.0:71303168";
const THIRD: &str = "1.0.0:72351744";

fn a_new_vg_has_its_leases_where_every_other_lock_daemon_looks_for_them() {
    let lab = Lab::new(3);
    let mut host = lab.host(1);
    host.expect("init_vg none true", "error -212: ");
    host.expect("init_vg other true", "error -212: find the device");
    host.expect("init_vg lvmlock false", "\"1.0.0:lvmlock\"");
    let lease = |magic, name: &str| Lease {
        magic,
        sector_bytes: 512,
        lockspace: "lvm_vg".to_owned(),
        name: name.to_owned(),
    };
    let disk = lab.disk();
    assert_eq!(disk.lease(0).magic, LOCKSPACE_MAGIC);
    assert_eq!(disk.lease(0).lockspace, "lvm_vg");
    assert_eq!(disk.lease(65), lease(LEASE_MAGIC, "_GLLK_disabled"));
    assert_eq!(disk.lease(66), lease(LEASE_MAGIC, "VGLK"));
    assert_eq!(disk.names_from(67), ["#unused"; 3]);
    host.expect("init_vg lvmlock true", "\"1.0.0:lvmlock\"");
    assert_eq!(disk.lease(65), lease(LEASE_MAGIC, "GLLK"));
}

/// What lvmlockd 2.03.16 wrote with sanlock 3.8.5, for the same VG and LV: sectors 0 and 1 of the lockspace, and the first
/// ones of global lock, VG lock, LV and an unused lease. All 72 MiB were the same.
const OF_THE_C_DAEMON: &[u8] = include_bytes!("../fixtures/sanlock-3.8.5/lvmlockd-2.03.16-sectors.bin");

fn the_bytes_on_disk_are_those_of_the_c_daemon() {
    let lab = Lab::with_vg(5);
    lab.host(1).expect(&format!("init_lv {LV1} none"), &format!("\"{FIRST}\""));
    let places = [(0, 0), (0, 1), (65, 0), (66, 0), (67, 0), (68, 0)];
    assert_eq!(OF_THE_C_DAEMON.len(), places.len() * SECTOR_BYTES);
    for ((index, sector), expected) in places.into_iter().zip(OF_THE_C_DAEMON.chunks(SECTOR_BYTES)) {
        assert_eq!(lab.disk().sector(index, sector), expected, "sector {sector} of lease {index}");
    }
}

fn leases_of_lvs_are_made_found_and_freed() {
    let lab = Lab::with_vg(2);
    let mut host = lab.host(1);
    host.expect(&format!("init_lv {LV1} none"), &format!("\"{FIRST}\""));
    host.expect(&format!("init_lv {LV1} none"), "error -17: ");
    host.expect(&format!("init_lv {LV2} {FIRST}"), &format!("\"{SECOND}\""));
    assert_eq!(lab.disk().names_from(67), [LV1, LV2]);
    host.prepare();
    host.expect("find_free_lock", "error -90: ");
    host.expect(&format!("make_lv {LV3}"), "error -90: ");
    // The disk is extended; what is new is zeros.
    lab.disk().resize(67 + 3);
    host.expect("find_free_lock", "()");
    host.expect(&format!("make_lv {LV3}"), &format!("\"{THIRD}\""));
    host.expect(&format!("make_lv {LV3}"), "error -17: ");
    host.expect(&format!("free_lv {LV2} {FIRST}"), "error -221: ");
    host.expect(&format!("free_lv {LV1} {FIRST}"), "()");
    host.expect(&format!("free_lv {LV1} {FIRST}"), "()");
    assert_eq!(lab.disk().names_from(67), ["#unused", LV2, LV3]);
    // The search goes on behind the last find, and round.
    host.expect("find_free_lock", "()");
    host.expect(&format!("make_lv {LV1}"), &format!("\"{FIRST}\""));
}

fn a_lockspace_is_prepared_only_where_its_leases_are() {
    let lab = Lab::new(1);
    let mut host = lab.host(1);
    host.expect("connect 3.0.0:lvmlock 1", "error -212: ");
    for (args, host_id, answer) in [
        ("1.0.0:other", 1, "error -212: find the device"),
        ("1.0.0:lvmlock", 0, "error -213: "),
        ("1.0.0:lvmlock", 2001, "error -213: "),
        // Nothing is on the disk yet.
        ("1.0.0:lvmlock", 1, "error -214: "),
    ] {
        host.expect(&format!("connect {args} {host_id}"), "()");
        host.expect("prepare", answer);
    }
    host.expect("init_vg lvmlock true", "\"1.0.0:lvmlock\"");
    host.expect("prepare", "Prepared { global: Enabled, previous_generation: 0, is_left_behind: false }");
    lab.disk().destroy(65);
    host.expect("prepare", "error -212: ");
}

fn two_hosts_share_and_exclude_each_other_and_see_who_holds() {
    let lab = Lab::with_vg(2);
    lab.host(1).expect(&format!("init_lv {LV1} none"), &format!("\"{FIRST}\""));
    let [mut a, mut b] = lab.two_joined();
    b.wait_until("other_hosts", "OtherHosts { live: 1, unknown: 0 }");
    a.expect("acquire VGLK ex", "Some(");
    b.expect("acquire VGLK ex", "error -11: acquire ex VGLK: another host holds it, held by 1 LIVE host-1");
    b.expect("acquire VGLK sh", "error -11: acquire sh VGLK: another host holds it, held by 1 LIVE host-1");
    let status = a.status();
    assert!(status.contains("lvmlockd") && status.contains("lvm_vg:VGLK:"), "{status}");
    a.expect("convert VGLK sh", "()");
    b.expect("acquire VGLK sh", "Some(");
    b.expect(
        "convert VGLK ex",
        "error -11: convert VGLK to ex: another host holds it, held by 1 LIVE host-1",
    );
    // It is held as before.
    b.expect("release VGLK", "()");
    a.expect("convert VGLK ex", "()");
    a.expect("release VGLK", "()");
    a.expect("release VGLK", "()");
    let lv = |mode: &str, args: &str| format!("acquire {LV1} {mode} {args}");
    b.expect(&lv("ex", FIRST), "None");
    a.expect(&lv("sh", FIRST), "error -11: ");
    a.expect(&lv("ex", "none"), "error -1: ");
    a.expect(&lv("ex", "2.0.0:70254592"), "error -1: ");
    a.expect(&lv("ex", "1.0.0:734003200"), "error -90: ");
    a.expect(&lv("ex", SECOND), "error -226: ");
    b.expect(&format!("release {LV1}"), "()");
    b.expect("leave", "()");
    a.wait_until("other_hosts", "OtherHosts { live: 0, unknown: 0 }");
    a.expect("renewal", "Some(Renewal { age: ");
    a.expect("remains", "[Remains { lockspace: \"lvm_vg\", host_id: 1 }]");
    a.expect("leave", "()");
    a.expect("remains", "[]");
}

fn a_value_passes_from_host_to_host() {
    let lab = Lab::with_vg(1);
    let [mut a, mut b] = lab.two_joined();
    a.expect("acquire VGLK ex", "Some(ValueBlock { version: 0, flags: 0, r_version: 0 })");
    a.expect("release VGLK 7", "()");
    b.expect("acquire VGLK ex", "Some(ValueBlock { version: 257, flags: 0, r_version: 7 })");
    b.expect("convert VGLK sh 8", "()");
    a.expect("acquire VGLK sh", "Some(ValueBlock { version: 257, flags: 0, r_version: 8 })");
}

fn locks_of_a_process_that_was_killed_are_adopted() {
    let lab = Lab::with_vg(2);
    lab.host(1).expect(&format!("init_lv {LV1} none"), &format!("\"{FIRST}\""));
    lab.host(1).expect(&format!("init_lv {LV2} none"), &format!("\"{SECOND}\""));
    let [mut a, mut b] = lab.two_joined();
    a.expect(&format!("acquire {LV1} ex {FIRST}"), "None");
    a.expect("acquire VGLK sh", "Some(");
    a.crash();
    b.expect(&format!("acquire {LV1} ex {FIRST}"), "error -11: ");
    a.expect("remains", "[Remains { lockspace: \"lvm_vg\", host_id: 1 }]");
    a.expect("join no", "error -17: ");
    a.expect("join only", "1");
    a.expect(
        "orphans",
        &format!(
            "Some([Leftover {{ resource: Vg, mode: Shared, lv_args: \"\" }}, \
             Leftover {{ resource: Lv(\"{LV1}\"), mode: Exclusive, lv_args: \"{FIRST}\" }}])"
        ),
    );
    a.expect_all(&[
        (&format!("acquire {LV1} ex {FIRST}"), "error -222: "),
        (&format!("acquire {LV1} sh {FIRST} only"), "error -224: "),
        (&format!("acquire {LV1} sh {FIRST} if_there"), "error -224: "),
        (&format!("acquire {LV2} ex {SECOND} only"), "error -223: "),
        ("acquire GLLK ex - only", "error -223: "),
        (&format!("acquire {LV1} ex {FIRST} only"), "None"),
        ("acquire VGLK ex - only", "error -224: "),
        ("acquire VGLK sh - only", "Some("),
        ("orphans", "Some([])"),
        (&format!("acquire {LV2} ex {SECOND} if_there"), "None"),
        ("release VGLK", "()"),
        (&format!("release {LV1}"), "()"),
        (&format!("release {LV2}"), "()"),
    ]);
    b.expect(&format!("acquire {LV1} ex {FIRST}"), "None");
    a.expect("leave", "()");
}

fn orphans_that_nobody_adopts_are_dropped() {
    let lab = Lab::with_vg(1);
    lab.host(1).expect(&format!("init_lv {LV1} none"), &format!("\"{FIRST}\""));
    let [mut a, mut b] = lab.two_joined();
    a.expect(&format!("acquire {LV1} ex {FIRST}"), "None");
    a.crash();
    a.expect("join if_there", "1");
    a.expect("leave", "error -16: ");
    a.expect("drop_orphans", "()");
    a.wait_until("orphans", "Some([])");
    b.wait_until(&format!("acquire {LV1} ex {FIRST}"), "None");
    a.wait_until("leave", "()");
}

fn the_global_lock_is_disabled_and_enabled() {
    let lab = Lab::with_vg(1);
    let mut a = lab.joined(1);
    a.expect_all(&[
        ("read_global", "Enabled"),
        ("acquire GLLK ex", "Some("),
        ("release GLLK", "()"),
        ("write_global false", "()"),
        ("read_global", "Disabled"),
        ("acquire GLLK sh", "error -210: "),
        ("write_global true", "()"),
        ("acquire GLLK sh", "Some("),
    ]);
}

fn a_removed_vg_has_no_leases_any_more() {
    let lab = Lab::with_vg(1);
    let mut a = lab.joined(1);
    a.expect_all(&[
        ("acquire GLLK ex", "Some("),
        ("acquire VGLK ex", "Some("),
        ("free GLLK", "()"),
        ("free VGLK", "()"),
        ("destroy", "()"),
    ]);
    let disk = lab.disk();
    assert_eq!(disk.lease(0).lockspace, "#unused");
    assert_eq!(disk.names_from(65), ["invalid_removed", "invalid_removed", "#unused"]);
}

fn a_renamed_vg_keeps_the_names_of_its_leases() {
    let lab = Lab::with_vg(3);
    let mut a = lab.host(1);
    a.expect(&format!("init_lv {LV1} none"), &format!("\"{FIRST}\""));
    a.expect(&format!("init_lv {LV2} {FIRST}"), &format!("\"{SECOND}\""));
    let disk = lab.rename_disk("new");
    a.expect("rename_vg new-vg", "error -19: find the device");
    a.expect("rename_vg new", "()");
    assert_eq!(disk.lease(0).lockspace, "lvm_new");
    assert_eq!(disk.names_from(65), ["GLLK", "VGLK", LV1, LV2, "#unused"]);
    for index in 65..69 {
        assert_eq!(disk.lease(index).lockspace, "lvm_new");
    }
}

fn a_corrupt_lease_is_repaired_when_asked_for() {
    let lab = Lab::with_vg(1);
    let mut a = lab.joined(1);
    lab.disk().destroy(66);
    a.expect("acquire VGLK ex", "error -226: ");
    a.expect("acquire VGLK ex - no repair", "Some(");
    assert_eq!(lab.disk().lease(66).name, "VGLK");
}

fn leases_on_a_lost_disk_end_with_the_kill_program() {
    let lab = Lab::with_vg(1);
    let mut a = lab.joined(1);
    a.expect("acquire VGLK ex", "Some(");
    lab.disk().resize(0);
    wait_for("the kill program", || fs::read_to_string(lab.killed()).unwrap() == "--kill vg\n");
    let renewal = a.call("renewal");
    let seconds: u64 =
        renewal.strip_prefix("Some(Renewal { age: ").unwrap().split('s').next().unwrap().parse().unwrap();
    assert!(seconds >= 8, "{renewal}");
    assert!(renewal.ends_with("kill_after: 8s, reset_after: 68s })"), "{renewal}");
    // The lockspace is lost, with what is left of it.
    a.expect(&format!("acquire {LV1} ex {FIRST}"), "error -218: ");
}

fn a_daemon_that_is_gone_is_an_error() {
    let lab = Lab::with_vg(1);
    let mut a = lab.joined(1);
    a.end_daemon();
    for call in ["probe", "remains", "prepare", "orphans", "renewal"] {
        a.expect(call, "error -214: ");
    }
    a.expect("acquire VGLK ex", "error -221: acquire ex VGLK: sanlock does not answer");
    a.expect("other_hosts", "error -214: ");
}

fn a_rename_that_was_not_finished_is_told_by_the_next_start() {
    let lab = Lab::with_vg(1);
    lab.rename_disk("new");
    let mut a = lab.host(1);
    a.expect("connect_to new 1.0.0:lvmlock 1", "()");
    a.expect("prepare", "error -212: use ");
    a.expect("rename_vg new", "()");
    a.expect("prepare", "Prepared { global: ");
}

fn leases_that_must_not_time_out_are_not_used_by_a_sanlock_that_lets_them() {
    let lab = Lab::with_vg(1);
    let mut a = lab.host(1);
    a.expect("connect 2.0.0:lvmlock:persist 1", "()");
    a.expect("prepare", "Prepared { global: ");
    a.expect("connect 2.0.0:lvmlock:notimeout 1", "()");
    a.expect("prepare", "error -212: use ");
    a.expect("connect 2.0.0:lvmlock:bogus 1", "error -212: use ");
}

fn the_leases_of_a_vg_are_never_those_of_an_lv() {
    let lab = Lab::with_vg(1);
    let mut a = lab.joined(1);
    a.expect("acquire VGLK ex", "Some(");
    for mib in [0_u64, 65, 66] {
        let args = format!("1.0.0:{}", mib << 20);
        a.expect(&format!("acquire {LV1} ex {args}"), "error -1: ");
        a.expect(&format!("free_lv {LV1} {args}"), "error -1: ");
    }
    assert_eq!(lab.disk().names_from(65), ["GLLK", "VGLK", "#unused"]);
}
