//! The reply to `dump`: everything that is cached, in nine sections under a comment each.

use std::fmt::Write as _;

use bytes::{BufMut as _, Bytes, BytesMut};

use crate::config_text::{Content, Scalar, Section, Text, Value, put_key, put_quoted};

const GROWS: &str = "a buffer that grows takes any text";

/// Names that stand for names.
pub type Pairs<'a> = Vec<(Text<'a>, Text<'a>)>;

/// Everything that is cached.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dump<'a> {
    /// The metadata of each VG, by its UUID: entries at level 1, as they were sent.
    pub vgs: Vec<(Text<'a>, Bytes)>,
    /// What is known of each PV, by its UUID: entries at level 1.
    pub pvs: Vec<(Text<'a>, Bytes)>,
    /// The name of each VG.
    pub vgid_to_vgname: Pairs<'a>,
    /// The outdated PVs of each VG, the newest first.
    pub outdated: Vec<(Text<'a>, Vec<Text<'a>>)>,
    /// The VGs of each name; a name may be there more than once.
    pub vgname_to_vgid: Pairs<'a>,
    /// The VG of each PV, or `#orphan`.
    pub pvid_to_vgid: Pairs<'a>,
    /// The PV on each device.
    pub device_to_pvid: Vec<(i64, Text<'a>)>,
    /// The version that each VG will have, where somebody has said so.
    pub versions: Vec<(Text<'a>, i64)>,
    /// Whether what is cached of these VGs is invalid.
    pub invalid: Vec<(Text<'a>, bool)>,
}

impl<'a> Dump<'a> {
    /// Appends the dump as lvmetad 2.02.188 writes it; keys and strings are escaped where C forgets it.
    pub fn write(&self, out: &mut BytesMut) {
        out.put_slice(b"# VG METADATA\n\n");
        for (name, body) in &self.vgs {
            put_section(name, |out| out.put_slice(body), out);
        }
        out.put_slice(b"\n# PV METADATA\n\n");
        for (name, body) in &self.pvs {
            put_section(name, |out| out.put_slice(body), out);
        }
        out.put_slice(b"\n# VGID to VGNAME mapping\n\n");
        put_pairs("vgid_to_vgname", self.vgid_to_vgname.iter().map(quoted), out);
        out.put_slice(b"\n# VGID to outdated PVs mapping\n\n");
        for (vg, pvs) in &self.outdated {
            put_section(vg, |out| put_outdated(vg, pvs, out), out);
        }
        out.put_slice(b"\n# VGNAME to VGID mapping\n\n");
        put_pairs("vgname_to_vgid", self.vgname_to_vgid.iter().map(quoted), out);
        out.put_slice(b"\n# PVID to VGID mapping\n\n");
        put_pairs("pvid_to_vgid", self.pvid_to_vgid.iter().map(quoted), out);
        out.put_slice(b"\n# DEVICE to PVID mapping\n\n");
        let devices = self.device_to_pvid.iter().map(|(device, pv)| (device.to_string(), pv));
        put_pairs("device_to_pvid", devices.map(|(device, pv)| (device.into_bytes(), in_quotes(pv))), out);
        out.put_slice(b"\n# VGID to INFO version mapping\n\n");
        let versions = self.versions.iter();
        put_pairs("vgid_to_info", versions.map(|(vg, version)| (vg, version.to_string().into_bytes())), out);
        out.put_slice(b"\n# VGID to INFO flags mapping\n\n");
        let flags = self.invalid.iter();
        put_pairs(
            "vgid_to_info",
            flags.map(|(vg, invalid)| (vg, u8::from(*invalid).to_string().into_bytes())),
            out,
        );
    }

    /// Reads the sections, which are told apart by their order and by what is in them.
    pub(super) fn from_fields(fields: Section<'a>) -> Self {
        let mut dump = Self::default();
        let (mut has_names, mut has_versions) = (false, false);
        for node in fields.nodes {
            let Content::Section(section) = node.content else { continue };
            match &*node.name {
                b"vgid_to_vgname" => {
                    has_names = true;
                    dump.vgid_to_vgname = pairs(section);
                }
                b"vgname_to_vgid" => dump.vgname_to_vgid = pairs(section),
                b"pvid_to_vgid" => dump.pvid_to_vgid = pairs(section),
                b"device_to_pvid" => {
                    let device =
                        |(key, pv): (Text<'a>, _)| Some((std::str::from_utf8(&key).ok()?.parse().ok()?, pv));
                    dump.device_to_pvid = pairs(section).into_iter().filter_map(device).collect();
                }
                b"vgid_to_info" if has_versions => {
                    dump.invalid = ints(section).map(|(vg, flags)| (vg, flags & 1 == 1)).collect();
                }
                b"vgid_to_info" => {
                    has_versions = true;
                    dump.versions = ints(section).collect();
                }
                _ if has_names => dump.outdated.push((node.name, outdated(section))),
                _ => {
                    let mut body = BytesMut::new();
                    section.write_at(1, &mut body);
                    let is_vg = section.find("seqno").is_some();
                    let list = if is_vg { &mut dump.vgs } else { &mut dump.pvs };
                    list.push((node.name, body.freeze()));
                }
            }
        }
        dump
    }
}

fn put_section(name: &[u8], put_body: impl FnOnce(&mut BytesMut), out: &mut BytesMut) {
    put_key(out, name);
    out.put_slice(b" {\n");
    put_body(out);
    out.put_slice(b"}\n");
}

/// The list is an array, also of one.
fn put_outdated(vg: &[u8], pvs: &[Text<'_>], out: &mut BytesMut) {
    out.put_slice(b"\tpv_list=[");
    for (at, pv) in pvs.iter().enumerate() {
        if at > 0 {
            out.put_u8(b',');
        }
        put_quoted(out, pv);
    }
    out.put_slice(b"]\n\tvgid=");
    put_quoted(out, vg);
    out.put_u8(b'\n');
}

fn put_pairs<K: AsRef<[u8]>>(title: &str, pairs: impl Iterator<Item = (K, Vec<u8>)>, out: &mut BytesMut) {
    writeln!(out, "{title} {{").expect(GROWS);
    for (key, value) in pairs {
        out.put_slice(b"    ");
        put_key(out, key.as_ref());
        out.put_slice(b" = ");
        out.put_slice(&value);
        out.put_u8(b'\n');
    }
    out.put_slice(b"}\n");
}

fn quoted<'p>((key, value): &'p (Text<'_>, Text<'_>)) -> (&'p [u8], Vec<u8>) {
    (key, in_quotes(value))
}

fn in_quotes(text: &[u8]) -> Vec<u8> {
    let mut out = BytesMut::with_capacity(text.len() + 2);
    put_quoted(&mut out, text);
    out.to_vec()
}

fn pairs(section: Section<'_>) -> Pairs<'_> {
    scalars(section)
        .filter_map(|(key, value)| match value {
            Scalar::String(text) => Some((key, text)),
            Scalar::Int(_) | Scalar::Float(_) => None,
        })
        .collect()
}

fn ints(section: Section<'_>) -> impl Iterator<Item = (Text<'_>, i64)> {
    scalars(section).filter_map(|(key, value)| match value {
        Scalar::Int(number) => Some((key, number)),
        Scalar::String(_) | Scalar::Float(_) => None,
    })
}

fn scalars(section: Section<'_>) -> impl Iterator<Item = (Text<'_>, Scalar<'_>)> {
    section.nodes.into_iter().filter_map(|node| match node.content {
        Content::Value(Value::One(scalar)) => Some((node.name, scalar)),
        Content::Value(Value::Array(_)) | Content::Section(_) => None,
    })
}

fn outdated(section: Section<'_>) -> Vec<Text<'_>> {
    let text = |scalar| match scalar {
        Scalar::String(text) => Some(text),
        Scalar::Int(_) | Scalar::Float(_) => None,
    };
    let list = section.nodes.into_iter().find(|node| *node.name == *b"pv_list").map(|node| node.content);
    match list {
        Some(Content::Value(Value::One(scalar))) => text(scalar).into_iter().collect(),
        Some(Content::Value(Value::Array(elements))) => elements.into_iter().filter_map(text).collect(),
        Some(Content::Section(_)) | None => Vec::new(),
    }
}
