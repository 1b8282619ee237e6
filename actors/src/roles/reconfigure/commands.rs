//! The lvm commands of each kind: the words after `lvm`. Pure.
//!
//! | kind | prepares (undone by) | writes | follows a commit |
//! |---|---|---|---|
//! | resize | | `lvextend --extents N VG/LV [PV…]` | `lvchange --refresh VG/LV`, unless the table is as large already |
//! | refresh | | | `lvchange --refresh VG/LV…` of those that are active |
//! | `rename_lv` | | `lvrename VG OLD NEW` | `lvchange --refresh VG/NEW`, unless the device has that name already |
//! | activate | `lvchange -asy VG/LV…` (`-an`, of those that were not active) | | |
//! | deactivate | `lvchange -an VG/LV…` (`-asy`, of those that were active) | | |
//! | tag | | `vgchange`, `lvchange --addtag T --deltag T VG[/LV]` | |
//!
//! Every name is typed, so none is an option. In a VG that is not shared, `-asy` is what `-ay` is.
//!
//! Source: lvextend(8), lvchange(8), lvrename(8), vgchange(8), lvmlockd(8), lvm2 2.03.16.

use std::ffi::OsString;

use lvmwarden_protocol::ids::{LvName, VgName};

use super::described::Description;
use super::goal::Wanted;

/// What stands after `lvm`.
pub type Words = Vec<OsString>;

/// Returns the command that writes the metadata, where the kind has one.
pub fn writer(vg: &VgName, wanted: &Wanted, described: &Description) -> Option<Words> {
    match wanted {
        Wanted::Resize { lv, pvs, .. } => {
            let extents = described.goal_extents?.to_string();
            let words = ["lvextend", "--extents", &extents, &format!("{vg}/{lv}")].map(OsString::from);
            Some(words.into_iter().chain(pvs.iter().map(|pv| pv.as_str().into())).collect())
        }
        Wanted::Rename { lv, new } => {
            Some(["lvrename", vg.as_str(), lv.as_str(), new.as_str()].map(OsString::from).into())
        }
        Wanted::Tag { lv, add, remove } => {
            let command = if lv.is_some() { "lvchange" } else { "vgchange" };
            let target = lv.as_ref().map_or_else(|| vg.to_string(), |lv| format!("{vg}/{lv}"));
            let added = add.iter().flat_map(|tag| ["--addtag", tag]);
            let removed = remove.iter().flat_map(|tag| ["--deltag", tag]);
            let words = [command].into_iter().chain(added).chain(removed).chain([target.as_str()]);
            Some(words.map(OsString::from).collect())
        }
        Wanted::Refresh(_) | Wanted::Activate(_) | Wanted::Deactivate(_) => None,
    }
}

/// Returns the command that prepares, where the kind has one.
pub fn preparer(vg: &VgName, wanted: &Wanted) -> Option<Words> {
    match wanted {
        Wanted::Activate(lvs) => Some(lvchange("-asy", vg, lvs.iter().map(LvName::as_str))),
        Wanted::Deactivate(lvs) => Some(lvchange("-an", vg, lvs.iter().map(LvName::as_str))),
        Wanted::Resize { .. } | Wanted::Refresh(_) | Wanted::Rename { .. } | Wanted::Tag { .. } => None,
    }
}

/// Returns the command that undoes what was prepared for `lvs`; `None`: nothing is to be undone.
pub fn undoer(vg: &VgName, wanted: &Wanted, lvs: &[String]) -> Option<Words> {
    let how = match wanted {
        Wanted::Activate(_) => "-an",
        Wanted::Deactivate(_) => "-asy",
        Wanted::Resize { .. } | Wanted::Refresh(_) | Wanted::Rename { .. } | Wanted::Tag { .. } => {
            return None;
        }
    };
    (!lvs.is_empty()).then(|| lvchange(how, vg, lvs.iter().map(String::as_str)))
}

/// Returns the command that brings devices to what the metadata say; `lvs` are names as they are now.
pub fn refresher(vg: &VgName, lvs: &[String]) -> Option<Words> {
    (!lvs.is_empty()).then(|| lvchange("--refresh", vg, lvs.iter().map(String::as_str)))
}

fn lvchange<'n>(option: &str, vg: &VgName, lvs: impl Iterator<Item = &'n str>) -> Words {
    let words = ["lvchange".to_owned(), option.to_owned()];
    words.into_iter().chain(lvs.map(|lv| format!("{vg}/{lv}"))).map(OsString::from).collect()
}

/// Says a command as people would type it.
pub fn in_words(words: &Words) -> String {
    let words = words.iter().map(|word| word.to_string_lossy());
    ["lvm".into()].into_iter().chain(words).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roles::reconfigure::described::tests::{picture, resize};
    use crate::roles::reconfigure::goal::Size;

    #[test]
    fn each_kind_has_the_commands_of_the_contract() {
        let vg: VgName = "vg0".try_into().expect("a name");
        let lv = |name: &str| name.try_into().expect("a name");
        let written = |wanted: &Wanted| {
            let described = Description::of(wanted, &picture()).expect("a goal");
            writer(&vg, wanted, &described).map(|words| in_words(&words))
        };
        let tag = |name: Option<&str>| Wanted::Tag {
            lv: name.map(lv),
            add: vec!["a".to_owned(), "b".to_owned()],
            remove: vec!["old".to_owned()],
        };
        assert_eq!(written(&resize(Size::Grow(1))).as_deref(), Some("lvm lvextend --extents 3 vg0/data"),);
        let rename = Wanted::Rename { lv: lv("data"), new: lv("new") };
        assert_eq!(written(&rename).as_deref(), Some("lvm lvrename vg0 data new"));
        assert_eq!(
            written(&tag(None)).as_deref(),
            Some("lvm vgchange --addtag a --addtag b --deltag old vg0"),
        );
        assert_eq!(
            written(&tag(Some("data"))).as_deref(),
            Some("lvm lvchange --addtag a --addtag b --deltag old vg0/data"),
        );
        let activate = Wanted::Activate(vec![lv("data"), lv("other")]);
        assert_eq!(written(&activate), None);
        let prepared = preparer(&vg, &activate).map(|words| in_words(&words));
        assert_eq!(prepared.as_deref(), Some("lvm lvchange -asy vg0/data vg0/other"));
        let undone = undoer(&vg, &activate, &["other".to_owned()]).map(|words| in_words(&words));
        assert_eq!(undone.as_deref(), Some("lvm lvchange -an vg0/other"));
        assert_eq!(undoer(&vg, &activate, &[]), None);
        let refreshed = refresher(&vg, &["data".to_owned()]).map(|words| in_words(&words));
        assert_eq!(refreshed.as_deref(), Some("lvm lvchange --refresh vg0/data"));
    }
}
