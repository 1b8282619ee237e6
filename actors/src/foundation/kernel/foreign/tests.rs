//! Lines as the kernel wrote them in the lab.

use super::*;

const UUID: &str = "LVM-dKR6EvZf0g4FiXGNkZdTcFUTLVih6P2D0nG58fIjCoXFxhwiQ2CYcPsECjC29nEG";

/// Reads a line as dmsetup prints it, without the device's name.
fn line(text: &str) -> DmStatus {
    let mut words = text.splitn(4, ' ');
    let mut number = || words.next().unwrap().parse().unwrap();
    let (start_sector, length_sectors) = (number(), number());
    let kind = words.next().unwrap().to_owned();
    let params = words.next().unwrap_or_default().to_owned();
    DmStatus {
        suspended: false,
        is_open: false,
        targets: vec![DmTarget { start_sector, length_sectors, kind, params }],
    }
}

fn read(name: &str, status: &str) -> Option<SeenCopy> {
    let table = if status.contains("mirror") {
        line("0 32768 mirror core 1 4096 2 253:1 0 253:2 0")
    } else {
        line(status)
    };
    read_copy(name, UUID, &line(status), &table)
}

#[test]
fn what_is_copied_is_told_with_its_name_and_how_far_it_is() {
    const ALL: u64 = 32768 * 512;
    for (name, status, lv, kind, left, mismatches) in [
        (
            "vg-pvmove0",
            "0 32768 mirror 2 254:0 254:16 3/8 1 AA 1 core",
            "vg/pvmove0",
            ForeignKind::Pvmove,
            ALL * 5 / 8,
            None,
        ),
        (
            "vg-pvmove0",
            "0 32768 mirror 2 254:0 254:16 8/8 1 AA 1 core",
            "vg/pvmove0",
            ForeignKind::Pvmove,
            0,
            None,
        ),
        (
            "vg-d",
            "0 32768 mirror 2 253:1 253:2 1/8 1 AA 1 core",
            "vg/d",
            ForeignKind::Mirror,
            ALL * 7 / 8,
            None,
        ),
        (
            "my--vg-d-real",
            "0 32768 mirror 2 253:1 253:2 1/8 1 AA 1 core",
            "my-vg/d",
            ForeignKind::Mirror,
            ALL * 7 / 8,
            None,
        ),
        (
            "vg-d",
            "0 32768 snapshot-merge 20576/34816 88",
            "vg/d",
            ForeignKind::Merge,
            (20576 - 88) * 512,
            None,
        ),
        ("vg-d", "0 32768 snapshot-merge 16/34816 16", "vg/d", ForeignKind::Merge, 0, None),
        (
            "vg-r5",
            "0 32768 raid raid5_ls 3 aaa 4096/16384 resync 0 0 -",
            "vg/r5",
            ForeignKind::Resync,
            ALL * 3 / 4,
            Some(0),
        ),
        (
            "vg-t",
            "0 32768 raid raid1 2 AA 8192/32768 check 128 0 -",
            "vg/t",
            ForeignKind::Check,
            ALL * 3 / 4,
            Some(128),
        ),
        ("vg-t", "0 32768 raid raid1 2 AA 0/32768 repair 0 0 -", "vg/t", ForeignKind::Repair, ALL, Some(0)),
        (
            "vg-t",
            "0 32768 raid raid1 2 Aa 32768/32768 recover 0 0 -",
            "vg/t",
            ForeignKind::Recover,
            0,
            Some(0),
        ),
        (
            "vg-r5",
            "0 32768 raid raid5_ls 4 AAAA 0/16384 reshape 0 2048 -",
            "vg/r5",
            ForeignKind::Reshape,
            ALL,
            Some(0),
        ),
    ] {
        let seen = read(name, status).unwrap_or_else(|| panic!("{status}"));
        assert_eq!(format!("{}/{}", seen.vgname, seen.lvname), lv);
        assert_eq!((seen.kind, seen.mismatches), (kind, mismatches), "{status}");
        assert_eq!(seen.copied.unwrap().left_bytes, left, "{status}");
        assert_eq!(format!("LVM-{}", seen.lvid), UUID);
    }
}

#[test]
fn what_is_not_copied_is_not_told() {
    for (name, status) in [
        ("vg-d", "0 32768 linear "),
        ("vg-d", "0 32768 mirror 2 253:1 253:2 8/8 1 AA 1 core"),
        ("vg-d", "0 32768 mirror 2 253:1 253:2 1/8 1 AD 1 core"),
        ("vg-d", "0 32768 snapshot-merge Invalid"),
        ("vg-t", "0 32768 raid raid1 2 AA 32768/32768 idle 0 0 -"),
        ("vg-t", "0 32768 raid raid1 2 AA 100/32768 frozen 0 0 -"),
        // Before dm-raid 1.5.0 it does not say what it does.
        ("vg-t", "0 32768 raid raid1 2 AA 100/32768"),
        ("vg-t", "0 32768 raid raid1 2"),
        ("vg", "0 32768 raid raid1 2 AA 100/32768 resync 0 0 -"),
    ] {
        assert_eq!(read(name, status), None, "{name}: {status}");
    }
    let raid = line("0 32768 raid raid1 2 AA 100/32768 resync 0 0 -");
    assert_eq!(read_copy("vg-t", "CRYPT-1", &raid, &raid), None, "it is not LVM's");
}

#[test]
fn only_what_may_copy_is_asked_for_its_status() {
    for (table, expected) in [
        ("0 32768 raid raid1 4 0 nosync region_size 4096 2 253:6 253:7 253:8 253:9", true),
        ("0 32768 snapshot-merge 253:3 253:4 P 8", true),
        ("0 32768 mirror core 1 4096 2 253:1 0 253:2 0", true),
        ("0 32768 linear 254:0 71680", false),
        ("0 32768 thin-pool 253:1 253:2 128 0 0", false),
    ] {
        assert_eq!(may_copy(&line(table)), expected, "{table}");
    }
}

#[test]
fn a_layer_has_the_lvid_of_its_lv() {
    assert_eq!(lvid_of_uuid(UUID), lvid_of_uuid(&format!("{UUID}-real")));
    for uuid in ["", "LVM-", "LVM-short", "CRYPT-LUKS2-0123456789012345678901234567890123456789"] {
        assert_eq!(lvid_of_uuid(uuid), None, "{uuid}");
    }
}
