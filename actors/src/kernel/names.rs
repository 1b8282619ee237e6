//! How LVM names its device-mapper devices.

/// Returns the device-mapper name of an LV: VG and LV joined by a dash, their own dashes doubled.
///
/// Source: lvm2 2.03.16, `dm_build_dm_name`; lvm(8), "Logical volume names".
pub fn mapper_name(vgname: &str, lvname: &str) -> String {
    format!("{}-{}", vgname.replace('-', "--"), lvname.replace('-', "--"))
}

#[cfg(test)]
mod tests {
    use super::mapper_name;

    #[test]
    fn dashes_within_names_are_doubled() {
        for (vg, lv, name) in
            [("vg", "pvmove0", "vg-pvmove0"), ("my-vg", "a-b", "my--vg-a--b"), ("vg", "lv--x", "vg-lv----x")]
        {
            assert_eq!(mapper_name(vg, lv), name);
        }
    }
}
