//! Whether a change can be made on this host: its vote. Pure.
//!
//! What lvm itself refuses when it comes to it, such as an LV that is open, is told by lvm's own words then: what was prepared is undone.

use lvmwarden_protocol::api::reconfigure::Kind;
use lvmwarden_reconfigure::word::{Code, Concern};

use super::described::{DescribedLv, Description};
use super::devices::{Device, Devices, device_name};
use super::goal::Wanted;
use super::picture::Picture;

/// What a host sees when it checks.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'s> {
    /// The VG.
    pub picture: &'s Picture,
    /// Its devices.
    pub devices: &'s Devices,
    /// The kinds that this host takes part in.
    pub accepts: &'s [Kind],
}

/// Why not, in the API's word and for people.
pub type Objection = (Code, String);

/// Returns what the change is to this host, and why it cannot be made here.
pub fn check(
    kind: Kind,
    wanted: &Wanted,
    described: &Description,
    seen: Seen<'_>,
) -> (Concern, Option<Objection>) {
    let is_active = |lv: &DescribedLv| seen.devices.of(&described.vg_uuid, &lv.uuid).is_some();
    let concern = if described.lvs.iter().any(is_active) { Concern::Lv } else { Concern::Vg };
    let objection = objection(kind, wanted, described, seen);
    (concern, objection)
}

fn objection(kind: Kind, wanted: &Wanted, described: &Description, seen: Seen<'_>) -> Option<Objection> {
    let Seen { picture, devices, accepts } = seen;
    if !accepts.contains(&kind) {
        return Some((Code::NotAccepted, format!("{} is not in reconfigure.accept here", kind.as_str())));
    }
    if picture.uuid != described.vg_uuid || picture.seqno != described.seqno {
        let words = format!(
            "it reads {} with seqno {}, the proposal has {}",
            picture.name, picture.seqno, described.seqno
        );
        return Some((Code::StaleMetadata, words));
    }
    described.lvs.iter().find_map(|lv| {
        let device = devices.of(&described.vg_uuid, &lv.uuid);
        of_lv(wanted, lv, device, seen)
    })
}

fn of_lv(wanted: &Wanted, lv: &DescribedLv, device: Option<&Device>, seen: Seen<'_>) -> Option<Objection> {
    let vg = &seen.picture.name;
    let path = format!("{vg}/{}", lv.name);
    let taken = |name: &str| {
        let name = device_name(vg, name);
        let other = seen.devices.named(&name).filter(|other| Some(*other) != device);
        other.map(|_| (Code::NameTaken, format!("there is another device {name}")))
    };
    let is_suspended = device.is_some_and(|device| device.is_suspended);
    match wanted {
        Wanted::Resize { .. } | Wanted::Rename { .. } if is_suspended => {
            Some((Code::Suspended, format!("somebody holds I/O to {path}: see dmsetup info")))
        }
        Wanted::Resize { .. } => {
            let now = seen.picture.lv_of(&lv.uuid);
            if now.is_some_and(|now| now.is_snapshot) {
                return Some((Code::WrongType, format!("{path} is a snapshot: lvextend it by hand")));
            }
            if now.is_some_and(|now| now.is_copying) {
                return Some((Code::Copying, format!("{path} is being moved: see lvmwarden poll list")));
            }
            let device = device.filter(|device| device.bytes != lv.bytes)?;
            let words = format!(
                "the device of {path} has {} bytes, the LV {}: refresh it first",
                device.bytes, lv.bytes
            );
            Some((Code::NotAsDescribed, words))
        }
        Wanted::Rename { new, .. } => taken(new.as_str()),
        Wanted::Activate(_) if seen.picture.missing_pvs > 0 => {
            Some((Code::DeviceMissing, format!("{} PVs of {vg} are not there", seen.picture.missing_pvs)))
        }
        Wanted::Activate(_) => taken(&lv.name),
        Wanted::Deactivate(_) => {
            let holders = device.map(|device| &device.holders).filter(|holders| !holders.is_empty())?;
            Some((Code::Holders, format!("{} lies on {path}", holders.join(", "))))
        }
        Wanted::Refresh(_) | Wanted::Tag { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roles::reconfigure::described::tests::{picture, resize};
    use crate::roles::reconfigure::goal::Size;

    /// What is asked, what is seen, what has changed in the VG since, and the objection.
    type Row<'r> = (Kind, &'r Wanted, Vec<Device>, &'r dyn Fn(&mut Picture), Option<Code>);

    fn device(name: &str, uuid: &str, bytes: u64) -> Device {
        let (name, uuid) = (name.to_owned(), uuid.to_owned());
        Device { uuid, name, bytes, is_suspended: false, holders: Vec::new() }
    }

    /// The device of vg0/data, as large as its LV.
    fn active() -> Device {
        device("vg0-data", "LVM-uuidofvg0uuidofdata", 2 << 22)
    }

    fn code(
        kind: Kind,
        wanted: &Wanted,
        devices: Vec<Device>,
        change: &dyn Fn(&mut Picture),
    ) -> Option<Code> {
        let described = Description::of(wanted, &picture()).expect("a goal");
        let mut now = picture();
        change(&mut now);
        let accepts = [Kind::Resize, Kind::RenameLv, Kind::Activate, Kind::Deactivate];
        let seen = Seen { picture: &now, devices: &Devices(devices), accepts: &accepts };
        check(kind, wanted, &described, seen).1.map(|(code, _)| code)
    }

    #[test]
    fn each_objection_has_its_word() {
        let lv = |name: &str| name.try_into().expect("a name");
        let (resized, same) = (resize(Size::Grow(1)), |_: &mut Picture| {});
        let rename = Wanted::Rename { lv: lv("data"), new: lv("new") };
        let (activate, deactivate) =
            (Wanted::Activate(vec![lv("data")]), Wanted::Deactivate(vec![lv("data")]));
        let held = || Device { is_suspended: true, ..active() };
        let carrying = || Device { holders: vec!["dm-7".to_owned()], ..active() };
        let rows: [Row<'_>; 14] = [
            (Kind::Resize, &resized, vec![active()], &same, None),
            (Kind::Resize, &resized, Vec::new(), &same, None),
            (Kind::Resize, &resized, vec![held()], &same, Some(Code::Suspended)),
            (
                Kind::Resize,
                &resized,
                vec![Device { bytes: 1, ..active() }],
                &same,
                Some(Code::NotAsDescribed),
            ),
            (Kind::Resize, &resized, vec![active()], &|now| now.seqno = 8, Some(Code::StaleMetadata)),
            (
                Kind::Resize,
                &resized,
                vec![active()],
                &|now| now.lvs[0].is_copying = true,
                Some(Code::Copying),
            ),
            (Kind::Tag, &resized, Vec::new(), &same, Some(Code::NotAccepted)),
            (Kind::RenameLv, &rename, vec![active()], &same, None),
            (Kind::RenameLv, &rename, vec![device("vg0-new", "x", 1)], &same, Some(Code::NameTaken)),
            (Kind::Activate, &activate, vec![active()], &same, None),
            (Kind::Activate, &activate, vec![device("vg0-data", "x", 1)], &same, Some(Code::NameTaken)),
            (Kind::Activate, &activate, Vec::new(), &|now| now.missing_pvs = 1, Some(Code::DeviceMissing)),
            (Kind::Deactivate, &deactivate, vec![active()], &same, None),
            (Kind::Deactivate, &deactivate, vec![carrying()], &same, Some(Code::Holders)),
        ];
        for (kind, wanted, devices, change, expected) in rows {
            assert_eq!(code(kind, wanted, devices.clone(), change), expected, "{kind:?} {devices:?}");
        }
    }
}
