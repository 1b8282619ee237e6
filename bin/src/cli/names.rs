//! What LVs are called whose UUIDs are known, and the other way, where the daemon knows it: it needs the role metadata.

use std::collections::BTreeMap;

use lvmwarden_protocol::api::metadata::{Error, Lv, Lvs};
use lvmwarden_protocol::api::{CallError, InterfaceError as _};
use lvmwarden_protocol::ids::{LvUuid, Uuids, VgName, VgUuid};

use super::arguments;
use super::client::{Client, ClientError};
use super::failure::Failure;

/// The names of LVs, by UUID.
#[derive(Debug, Default)]
pub(super) struct Names {
    by_uuid: BTreeMap<String, String>,
}

impl Names {
    /// Asks for the names of the LVs of these VGs; what the daemon does not know has none.
    pub(super) fn of<'v>(client: &mut Client, vgs: impl IntoIterator<Item = &'v VgName>) -> Self {
        let mut names = Self::default();
        for vgname in vgs {
            // Without the role, and whatever else goes wrong, UUIDs are shown: this is only for people.
            let Ok(lvs) = lvs_of(client, vgname) else { break };
            names.by_uuid.extend(lvs.into_iter().map(|lv| (lv.uuid, lv.lvname)));
        }
        names
    }

    /// Returns the name of an LV.
    pub(super) fn lv(&self, uuid: &str) -> Option<&str> {
        self.by_uuid.get(uuid).map(String::as_str)
    }

    /// Returns a text with names in place of UUIDs.
    pub(super) fn put_into(&self, text: &str) -> String {
        self.by_uuid.iter().fold(text.to_owned(), |text, (uuid, name)| {
            if text.contains(uuid.as_str()) { text.replace(uuid.as_str(), name) } else { text }
        })
    }
}

/// Asks for the UUIDs of an LV.
///
/// # Errors
/// The daemon does not know it.
pub(super) fn lvid(client: &mut Client, lv: &arguments::Lv) -> Result<Uuids, Failure> {
    let advice =
        format!("give its id: --lvid \"$(lvs -a --noheadings --separator '' -o vg_uuid,lv_uuid {lv})\"");
    let lvs = lvs_of(client, &lv.vgname).map_err(|error| {
        let is_off = matches!(&error, ClientError::Call(refusal @ CallError::Refused { .. })
            if Error::from_refusal(refusal) == Some(Error::NotServed));
        if !is_off {
            return error.about(lv);
        }
        let message = format!("the daemon does not know the id of {lv}: its role metadata is turned off");
        Failure::new(message).advise(advice.clone())
    })?;
    let mut named = lvs.iter().filter(|known| known.lvname == lv.lvname.as_str());
    match (named.next().and_then(uuids), named.next()) {
        (Some(uuids), None) => Ok(uuids),
        (None, _) => Err(Failure::new(format!("the daemon knows no LV {lv}")).advise(advice)),
        (Some(_), Some(_)) => {
            Err(Failure::new(format!("several VGs are called {}", lv.vgname)).advise(advice))
        }
    }
}

fn uuids(lv: &Lv) -> Option<Uuids> {
    let (vg, lv) = (VgUuid::try_from(lv.vg_uuid.as_str()), LvUuid::try_from(lv.uuid.as_str()));
    Some(Uuids { vg: vg.ok()?, lv: lv.ok()? })
}

fn lvs_of(client: &mut Client, vgname: &VgName) -> Result<Vec<Lv>, ClientError> {
    let asked = Lvs { vgname: Some(vgname.clone()), all: Some(true), max_age_ms: None, page: None };
    Ok(client.call_all(&asked)?.reply.lvs)
}
