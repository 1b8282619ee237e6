//! What is wanted, typed: an end state, never a step. Pure.
//!
//! A client's goal is text and numbers; what is not what LVM would take is refused here, with the field that is wrong. Nothing
//! of it is an option, a path or more than one word on any command line.

use lvmwarden_protocol::api::reconfigure::{Goal, HoldWish, Kind};
use lvmwarden_protocol::ids::{LvName, PvName, VgName};
use lvmwarden_reconfigure::kind;
use thiserror::Error;

#[cfg(test)]
mod tests;

/// How many LVs one change may have.
pub const LVS: usize = 64;
/// How many tags, or PVs, one change may name.
const WORDS: usize = 64;
/// The longest tag, in bytes.
///
/// Source: lvm(8), "Tags".
const TAG_BYTES: usize = 1024;

/// Why a goal cannot be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("take the goal: {field}: {reason}")]
pub struct BadGoal {
    /// The part of it that is wrong, as the API calls it.
    pub field: &'static str,
    /// Why, for people.
    pub reason: String,
}

impl BadGoal {
    /// Makes one.
    pub fn new(field: &'static str, reason: impl Into<String>) -> Self {
        Self { field, reason: reason.into() }
    }
}

/// How large an LV is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// So many bytes.
    Bytes(u64),
    /// So many bytes more than now.
    Grow(u64),
}

/// A goal that LVM could take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// The LV has this size.
    Resize {
        /// The LV.
        lv: LvName,
        /// Its size.
        size: Size,
        /// Where new extents may lie; none: anywhere.
        pvs: Vec<PvName>,
    },
    /// The devices of LVs are what the metadata say; none: of all.
    Refresh(Vec<LvName>),
    /// The LV has another name.
    Rename {
        /// What it is called now.
        lv: LvName,
        /// What it is to be called.
        new: LvName,
    },
    /// The LVs are active on every host.
    Activate(Vec<LvName>),
    /// The LVs are active on no host.
    Deactivate(Vec<LvName>),
    /// The LV, or without one the VG, has some tags and has not some others.
    Tag {
        /// The LV.
        lv: Option<LvName>,
        /// The tags that it has.
        add: Vec<String>,
        /// The tags that it has not.
        remove: Vec<String>,
    },
}

/// Returns the machines' word for a kind.
pub fn machine_kind(kind: Kind) -> kind::Kind {
    match kind {
        Kind::Resize => kind::Kind::Resize,
        Kind::Refresh => kind::Kind::Refresh,
        Kind::RenameLv => kind::Kind::RenameLv,
        Kind::RenameVg => kind::Kind::RenameVg,
        Kind::Activate => kind::Kind::Activate,
        Kind::Deactivate => kind::Kind::Deactivate,
        Kind::Tag => kind::Kind::Tag,
        Kind::PvAdd => kind::Kind::PvAdd,
    }
}

/// Returns the VG of a goal.
///
/// # Errors
/// [`BadGoal`] for what is no name of a VG.
pub fn vg_of(goal: &Goal) -> Result<VgName, BadGoal> {
    VgName::try_from(goal.vgname.as_str()).map_err(|error| BadGoal::new("vgname", error.to_string()))
}

impl Wanted {
    /// Reads a goal.
    ///
    /// # Errors
    /// [`BadGoal`] for a name, a size or a tag that LVM would not take, and for a field that does not go with the kind.
    pub fn parse(goal: &Goal) -> Result<Self, BadGoal> {
        vg_of(goal)?;
        only_with_kind(goal)?;
        let lvs = names(&goal.lvnames)?;
        match goal.kind {
            Kind::Resize => {
                let pvs = goal.pvs.iter().map(|pv| PvName::try_from(pv.as_str())).collect::<Result<_, _>>();
                let pvs = pvs.map_err(|error| BadGoal::new("pvs", error.to_string()))?;
                Ok(Self::Resize { lv: only(lvs)?, size: size(goal)?, pvs })
            }
            Kind::Refresh => Ok(Self::Refresh(lvs)),
            Kind::RenameLv => rename(goal, only(lvs)?),
            Kind::Activate => Ok(Self::Activate(some(lvs)?)),
            Kind::Deactivate => Ok(Self::Deactivate(some(lvs)?)),
            Kind::Tag => tag(goal, lvs),
            Kind::RenameVg | Kind::PvAdd => {
                Err(BadGoal::new("kind", format!("{} cannot be done yet", goal.kind.as_str())))
            }
        }
    }

    /// Returns the LVs that are named.
    pub fn lvs(&self) -> &[LvName] {
        match self {
            Self::Resize { lv, .. } | Self::Rename { lv, .. } => std::slice::from_ref(lv),
            Self::Refresh(lvs) | Self::Activate(lvs) | Self::Deactivate(lvs) => lvs,
            Self::Tag { lv, .. } => lv.as_slice(),
        }
    }
}

/// Refuses what the kind has no use for: whoever says it means something else.
fn only_with_kind(goal: &Goal) -> Result<(), BadGoal> {
    let (is_resize, is_tag) = (goal.kind == Kind::Resize, goal.kind == Kind::Tag);
    let is_rename = matches!(goal.kind, Kind::RenameLv | Kind::RenameVg);
    let misplaced = [
        ("size_bytes", goal.size_bytes.is_some() && !is_resize),
        ("grow_bytes", goal.grow_bytes.is_some() && !is_resize),
        ("pvs", !goal.pvs.is_empty() && !is_resize),
        ("new_name", goal.new_name.is_some() && !is_rename),
        ("add_tags", !goal.add_tags.is_empty() && !is_tag),
        ("remove_tags", !goal.remove_tags.is_empty() && !is_tag),
        ("device_ids", !goal.device_ids.is_empty() && goal.kind != Kind::PvAdd),
        ("hold", goal.hold == Some(HoldWish::Always) && !is_resize && !is_rename),
    ];
    if let Some((field, _)) = misplaced.into_iter().find(|(_, is_misplaced)| *is_misplaced) {
        return Err(BadGoal::new(field, format!("it does not go with {}", goal.kind.as_str())));
    }
    for (field, words) in
        [("pvs", &goal.pvs), ("add_tags", &goal.add_tags), ("remove_tags", &goal.remove_tags)]
    {
        if words.len() > WORDS {
            return Err(BadGoal::new(field, format!("at most {WORDS}")));
        }
    }
    Ok(())
}

fn names(lvnames: &[String]) -> Result<Vec<LvName>, BadGoal> {
    if lvnames.len() > LVS {
        return Err(BadGoal::new("lvnames", format!("at most {LVS} LVs in one change")));
    }
    let mut names: Vec<LvName> = Vec::new();
    for name in lvnames {
        let name =
            LvName::try_from(name.as_str()).map_err(|error| BadGoal::new("lvnames", error.to_string()))?;
        if names.contains(&name) {
            return Err(BadGoal::new("lvnames", format!("{name} is named twice")));
        }
        names.push(name);
    }
    Ok(names)
}

fn only(lvs: Vec<LvName>) -> Result<LvName, BadGoal> {
    let count = lvs.len();
    let [lv] = <[LvName; 1]>::try_from(lvs)
        .map_err(|_| BadGoal::new("lvnames", format!("one LV is meant, and {count} are named")))?;
    Ok(lv)
}

fn some(lvs: Vec<LvName>) -> Result<Vec<LvName>, BadGoal> {
    if lvs.is_empty() { Err(BadGoal::new("lvnames", "no LV is named")) } else { Ok(lvs) }
}

fn size(goal: &Goal) -> Result<Size, BadGoal> {
    match (goal.size_bytes, goal.grow_bytes) {
        (Some(0), None) => Err(BadGoal::new("size_bytes", "an LV has at least one extent")),
        (None, Some(0)) => Err(BadGoal::new("grow_bytes", "0 changes nothing")),
        (Some(bytes), None) => Ok(Size::Bytes(bytes)),
        (None, Some(bytes)) => Ok(Size::Grow(bytes)),
        (None, None) => Err(BadGoal::new("size_bytes", "either it or grow_bytes must be said")),
        (Some(_), Some(_)) => Err(BadGoal::new("grow_bytes", "size_bytes is said as well")),
    }
}

fn rename(goal: &Goal, lv: LvName) -> Result<Wanted, BadGoal> {
    let Some(new) = &goal.new_name else { return Err(BadGoal::new("new_name", "it is not said")) };
    let new = LvName::try_from(new.as_str()).map_err(|error| BadGoal::new("new_name", error.to_string()))?;
    if new == lv {
        return Err(BadGoal::new("new_name", format!("it is called {lv} already")));
    }
    Ok(Wanted::Rename { lv, new })
}

fn tag(goal: &Goal, lvs: Vec<LvName>) -> Result<Wanted, BadGoal> {
    if lvs.len() > 1 {
        return Err(BadGoal::new("lvnames", "one LV, or none for the VG"));
    }
    for (field, tags) in [("add_tags", &goal.add_tags), ("remove_tags", &goal.remove_tags)] {
        if let Some(bad) = tags.iter().find(|tag| !is_tag(tag)) {
            return Err(BadGoal::new(field, format!("{bad:?} is not a tag")));
        }
    }
    if let Some(both) = goal.add_tags.iter().find(|tag| goal.remove_tags.contains(tag)) {
        return Err(BadGoal::new("remove_tags", format!("{both} is to be added as well")));
    }
    if goal.add_tags.is_empty() && goal.remove_tags.is_empty() {
        return Err(BadGoal::new("add_tags", "no tag is named"));
    }
    let (add, remove) = (goal.add_tags.clone(), goal.remove_tags.clone());
    Ok(Wanted::Tag { lv: lvs.into_iter().next(), add, remove })
}

/// Tells whether LVM takes it for a tag.
///
/// Source: lvm(8), "Tags": A-Z a-z 0-9 _ + . - / = ! : # &, not a hyphen first.
fn is_tag(tag: &str) -> bool {
    let is_of_tag = |byte: u8| byte.is_ascii_alphanumeric() || b"_+.-/=!:#&".contains(&byte);
    !tag.is_empty() && tag.len() <= TAG_BYTES && !tag.starts_with('-') && tag.bytes().all(is_of_tag)
}
