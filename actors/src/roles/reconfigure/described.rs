//! The goal made absolute, once the VG was read: what is proposed, and whether it is reached. Pure.

use lvmwarden_protocol::api::reconfigure::Kind;
use serde::{Deserialize, Serialize};

use super::goal::{BadGoal, Size, Wanted};
use super::picture::{Picture, PicturedLv};

#[cfg(test)]
pub(super) mod tests;

/// An LV of a change, as it was when the change was proposed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DescribedLv {
    /// Its name then.
    pub name: String,
    /// Its UUID, with dashes: a name may change.
    pub uuid: String,
    /// Its size then.
    pub bytes: u64,
}

/// What a proposal says beside the goal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// The VG's UUID, with dashes.
    pub vg_uuid: String,
    /// The version of its metadata.
    pub seqno: u64,
    /// How large an extent is.
    pub extent_bytes: u64,
    /// The LVs that the goal names, in its order; of a refresh of all, all.
    pub lvs: Vec<DescribedLv>,
    /// How many extents the LV is to have, where it is resized.
    pub goal_extents: Option<u64>,
}

impl Description {
    /// Describes a goal in a VG as it is.
    ///
    /// # Errors
    /// [`BadGoal`] where the goal cannot be in this VG.
    pub fn of(wanted: &Wanted, picture: &Picture) -> Result<Self, BadGoal> {
        let pictured: Result<Vec<&PicturedLv>, _> = wanted
            .lvs()
            .iter()
            .map(|name| {
                let missing = || BadGoal::new("lvnames", format!("there is no LV {}/{name}", picture.name));
                picture.lv(name.as_str()).ok_or_else(missing)
            })
            .collect();
        let mut lvs = pictured?;
        let mut goal_extents = None;
        match wanted {
            Wanted::Resize { size, .. } => goal_extents = Some(extents(*size, lvs[0], picture)?),
            Wanted::Refresh(names) if names.is_empty() => {
                lvs = picture.lvs.iter().collect();
                if lvs.len() > super::goal::LVS {
                    let most = super::goal::LVS;
                    let reason = format!("{} has {} LVs: name at most {most}", picture.name, lvs.len());
                    return Err(BadGoal::new("lvnames", reason));
                }
            }
            Wanted::Rename { new, .. } if picture.lv(new.as_str()).is_some() => {
                return Err(BadGoal::new(
                    "new_name",
                    format!("there is an LV {}/{new} already", picture.name),
                ));
            }
            Wanted::Refresh(_)
            | Wanted::Rename { .. }
            | Wanted::Activate(_)
            | Wanted::Deactivate(_)
            | Wanted::Tag { .. } => {}
        }
        let described =
            |lv: &PicturedLv| DescribedLv { name: lv.name.clone(), uuid: lv.uuid.clone(), bytes: lv.bytes };
        Ok(Self {
            vg_uuid: picture.uuid.clone(),
            seqno: picture.seqno,
            extent_bytes: picture.extent_bytes,
            lvs: lvs.into_iter().map(described).collect(),
            goal_extents,
        })
    }

    /// Tells whether the metadata are at the goal; `false` for what writes nothing.
    ///
    /// What is gone is not at the goal.
    pub fn is_reached(&self, wanted: &Wanted, picture: &Picture) -> bool {
        if picture.uuid != self.vg_uuid {
            return false;
        }
        let lv = self.lvs.first().and_then(|lv| picture.lv_of(&lv.uuid));
        match wanted {
            Wanted::Resize { .. } => {
                lv.zip(self.goal_bytes()).is_some_and(|(lv, goal_bytes)| lv.bytes >= goal_bytes)
            }
            Wanted::Rename { new, .. } => lv.is_some_and(|lv| lv.name == new.as_str()),
            Wanted::Tag { lv: named, add, remove } => {
                let tags = if named.is_some() { lv.map(|lv| &lv.tags) } else { Some(&picture.tags) };
                let Some(tags) = tags else { return false };
                add.iter().all(|tag| tags.contains(tag)) && !remove.iter().any(|tag| tags.contains(tag))
            }
            Wanted::Refresh(_) | Wanted::Activate(_) | Wanted::Deactivate(_) => false,
        }
    }

    /// Returns how large the LV is to be, where it is resized.
    pub fn goal_bytes(&self) -> Option<u64> {
        self.goal_extents.map(|extents| extents.saturating_mul(self.extent_bytes))
    }

    /// Says the goal in words.
    pub fn in_words(&self, kind: Kind, vgname: &str, wanted: &Wanted) -> String {
        let listed = |lvs: &[lvmwarden_protocol::ids::LvName]| match lvs {
            [] => vgname.to_owned(),
            lvs => lvs.iter().map(|lv| format!("{vgname}/{lv}")).collect::<Vec<_>>().join(" "),
        };
        let kind = kind.as_str();
        match wanted {
            Wanted::Resize { lv, .. } => {
                let before = self.lvs.first().map_or(0, |lv| lv.bytes);
                let (after, extents) =
                    (self.goal_bytes().unwrap_or_default(), self.goal_extents.unwrap_or_default());
                format!("{kind} {vgname}/{lv} {} to {} ({extents} extents)", gib(before), gib(after))
            }
            Wanted::Refresh(lvs) | Wanted::Activate(lvs) | Wanted::Deactivate(lvs) => {
                format!("{kind} {}", listed(lvs))
            }
            Wanted::Rename { lv, new } => format!("{kind} {vgname}/{lv} {new}"),
            Wanted::Tag { lv, add, remove } => {
                let added = add.iter().map(|tag| format!(" +{tag}"));
                let removed = remove.iter().map(|tag| format!(" -{tag}"));
                let tags: String = added.chain(removed).collect();
                format!("{kind} {}{tags}", listed(lv.as_slice()))
            }
        }
    }
}

/// Returns how many extents an LV is to have: more than now, or as many.
fn extents(size: Size, lv: &PicturedLv, picture: &Picture) -> Result<u64, BadGoal> {
    let (field, bytes) = match size {
        Size::Bytes(bytes) => ("size_bytes", Some(bytes)),
        Size::Grow(bytes) => ("grow_bytes", lv.bytes.checked_add(bytes)),
    };
    let too_large = || BadGoal::new(field, "no LV can be so large");
    if picture.extent_bytes == 0 {
        return Err(BadGoal::new("vgname", format!("{} has no extents", picture.name)));
    }
    let extents = bytes.ok_or_else(too_large)?.div_ceil(picture.extent_bytes);
    let now = lv.bytes.div_ceil(picture.extent_bytes);
    // Source: lvm2 2.03.16, a count of extents is 32 bits wide.
    if extents > u64::from(u32::MAX) {
        return Err(too_large());
    }
    if extents < now {
        let reason =
            format!("{}/{} has {now} extents, more than {extents}: it only grows", picture.name, lv.name);
        return Err(BadGoal::new(field, reason));
    }
    Ok(extents)
}

#[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
fn gib(bytes: u64) -> String {
    format!("{:.2} GiB", bytes as f64 / (1_u64 << 30) as f64)
}
