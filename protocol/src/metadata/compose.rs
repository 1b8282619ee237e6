//! The long replies, put together from the texts of VGs and PVs: nothing is parsed or printed again.
//!
//! Each ends in two newlines more than a plain reply, as C's tree replies do.

use bytes::{BufMut as _, Bytes, BytesMut};

use super::{PvText, VgText};
use crate::config_text::{put_key, put_quoted};
use crate::metadata::{Pvid, Vgid, Vgname};

/// What a reply says of the cache being out of date.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Invalid {
    /// Another host has changed something.
    pub global: bool,
    /// The VG in the reply has changed.
    pub vg: bool,
}

/// A PV in a list.
#[derive(Debug, Clone, Copy)]
pub struct ListedPv<'pv> {
    /// The PV.
    pub pv: &'pv PvText,
    /// The VG that it is in, and the VG's name where that is known.
    pub vg: Option<(&'pv Vgid, Option<&'pv Vgname>)>,
}

/// A VG to be shown.
#[derive(Debug)]
pub struct ShownVg<'vg, O> {
    /// Its name.
    pub name: &'vg Vgname,
    /// Its metadata.
    pub text: &'vg VgText,
    /// Its outdated PVs that are there, the newest first, where it has a list of them.
    pub outdated: Option<O>,
    /// What is out of date.
    pub invalid: Invalid,
}

/// Returns the reply to `vg_lookup`; `present` knows the PVs that are there.
pub fn vg_lookup<'pv>(
    vg: ShownVg<'_, impl Iterator<Item = &'pv PvText>>,
    present: impl Fn(&Pvid) -> Option<&'pv PvText>,
) -> Bytes {
    let mut out = BytesMut::with_capacity(vg.text.body().len() + 1024);
    out.put_slice(b"response=\"OK\"\nname=");
    put_quoted(&mut out, vg.name.as_str().as_bytes());
    // It must be the first section.
    out.put_slice(b"\nmetadata {\n");
    if let Some(outdated) = vg.outdated {
        out.put_slice(b"\toutdated_pvs {\n");
        for pv in outdated {
            put_pv_section(2, ListedPv { pv, vg: None }, &mut out);
        }
        out.put_slice(b"\t}\n");
    }
    vg.text.write(present, &mut out);
    out.put_slice(b"}\n");
    finish(out, vg.invalid)
}

/// Returns the reply to `vg_list`.
pub fn vg_list<'vg>(vgs: impl Iterator<Item = (&'vg Vgid, &'vg Vgname)>, invalid: Invalid) -> Bytes {
    let mut out = BytesMut::from(&b"response=\"OK\"\nvolume_groups {\n"[..]);
    for (uuid, name) in vgs {
        out.put_u8(b'\t');
        put_key(&mut out, uuid.as_str().as_bytes());
        out.put_slice(b" {\n\t\tname=");
        put_quoted(&mut out, name.as_str().as_bytes());
        out.put_slice(b"\n\t}\n");
    }
    out.put_slice(b"}\n");
    finish(out, invalid)
}

/// Returns the reply to `pv_list`.
pub fn pv_list<'pv>(pvs: impl Iterator<Item = ListedPv<'pv>>, invalid: Invalid) -> Bytes {
    let mut out = BytesMut::from(&b"response=\"OK\"\nphysical_volumes {\n"[..]);
    for listed in pvs {
        put_pv_section(1, listed, &mut out);
    }
    out.put_slice(b"}\n");
    finish(out, invalid)
}

/// Returns the reply to `pv_lookup`.
pub fn pv_lookup(listed: ListedPv<'_>, invalid: Invalid) -> Bytes {
    let mut out = BytesMut::from(&b"response=\"OK\"\nphysical_volume {\n"[..]);
    put_pv(1, listed, &mut out);
    out.put_slice(b"}\n");
    finish(out, invalid)
}

fn put_pv_section(level: usize, listed: ListedPv<'_>, out: &mut BytesMut) {
    out.put_bytes(b'\t', level);
    put_key(out, listed.pv.id.as_str().as_bytes());
    out.put_slice(b" {\n");
    put_pv(level + 1, listed, out);
    out.put_bytes(b'\t', level);
    out.put_slice(b"}\n");
}

fn put_pv(level: usize, listed: ListedPv<'_>, out: &mut BytesMut) {
    listed.pv.write_at(level, out);
    let Some((uuid, name)) = listed.vg else { return };
    for (key, value) in [("vgid=", Some(uuid.as_str())), ("vgname=", name.map(Vgname::as_str))] {
        let Some(value) = value else { continue };
        out.put_bytes(b'\t', level);
        out.put_slice(key.as_bytes());
        put_quoted(out, value.as_bytes());
        out.put_u8(b'\n');
    }
}

fn finish(mut out: BytesMut, invalid: Invalid) -> Bytes {
    if invalid.global {
        out.put_slice(b"global_invalid {\n}\n");
    }
    if invalid.vg {
        out.put_slice(b"vg_invalid {\n}\n");
    }
    out.put_slice(b"\n\n");
    out.freeze()
}
