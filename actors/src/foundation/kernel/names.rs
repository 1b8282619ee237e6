//! How LVM names its device-mapper devices.

use lvmwarden_protocol::ids::{LvName, VgName};

/// Returns the device-mapper name of an LV: VG and LV joined by a dash, their own dashes doubled.
///
/// Source: lvm2 2.03.16, `dm_build_dm_name`; lvm(8), "Logical volume names".
pub fn mapper_name(vgname: &str, lvname: &str) -> String {
    format!("{}-{}", vgname.replace('-', "--"), lvname.replace('-', "--"))
}

/// Returns the names of VG and LV in a device-mapper name, without what may follow for a layer, such as `-real`.
pub fn lv_of_mapper_name(name: &str) -> Option<(VgName, LvName)> {
    // A dash of a name is doubled, so that a single one is between two names.
    const DASH: &str = "\u{1}";
    let marked = name.replace("--", DASH);
    let mut names = marked.split('-').map(|name| name.replace(DASH, "-"));
    Some((names.next()?.try_into().ok()?, names.next()?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{lv_of_mapper_name, mapper_name};

    #[test]
    fn dashes_within_names_are_doubled() {
        for (vg, lv, name) in
            [("vg", "pvmove0", "vg-pvmove0"), ("my-vg", "a-b", "my--vg-a--b"), ("vg", "lv--x", "vg-lv----x")]
        {
            assert_eq!(mapper_name(vg, lv), name);
            for layer in ["", "-real", "-cow"] {
                let (vg_again, lv_again) = lv_of_mapper_name(&format!("{name}{layer}")).unwrap();
                assert_eq!((vg_again.as_str(), lv_again.as_str()), (vg, lv));
            }
        }
    }

    #[test]
    fn a_name_without_an_lv_is_none() {
        for name in ["", "vg", "vg--lv", "-lv", "vg-"] {
            assert_eq!(lv_of_mapper_name(name), None, "{name}");
        }
    }
}
