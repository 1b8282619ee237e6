//! The metadata of one VG, in the canonical form, and where in it each PV stands.
//!
//! The text is kept once. A reply shows it with what is known of its PVs at that moment: [`VgText::write`] copies it
//! piece by piece, and puts in between what a PV that is there has, or that one is missing:
//!
//! ```text
//!  id="..."  seqno=2 ... physical_volumes { pv0 {  id="..."  status="ALLOCATABLE"  dev_size=... } pv1 {  ... } } ...
//!  └────────────── copied ───────────────────────┘▲└ copied ┘└── its own line ────┘└── copied ────────┘▲
//!                                                 └ the PV's device, label and areas                   └ ...
//! ```

use std::borrow::Cow;
use std::ops::Range;

use bytes::{BufMut as _, Bytes, BytesMut};

use super::PvText;
use crate::config_text::{self, Content, Node, Scalar, Section, Value, put_key, put_tabs};
use crate::metadata::{Pvid, Vgid};

/// The level of the entries of `metadata` in a reply.
const LEVEL: usize = 1;
/// What marks a PV that is not there.
const MISSING: &[u8] = b"MISSING";

/// The section `metadata` of a request: a VG's, without its name. Clones share the text.
#[derive(Debug, Clone)]
pub struct VgText {
    /// The VG.
    pub uuid: Vgid,
    /// Its version; 0 or less is none.
    pub seqno: i64,
    body: Bytes,
    pvs: std::sync::Arc<[ListedPv]>,
}

/// A PV that a VG's metadata lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedPv {
    /// The PV.
    pub id: Pvid,
    /// Where its entries begin.
    begin: usize,
    /// Its first entry `status`, with its newline; empty where it has none.
    status: Range<usize>,
    /// The entry says `MISSING`.
    says_missing: bool,
}

impl PartialEq for VgText {
    /// Compares the texts; keys and their order count.
    fn eq(&self, other: &Self) -> bool {
        self.body == other.body
    }
}

impl Eq for VgText {}

impl VgText {
    /// Brings a section into the canonical form; `None` without a UUID.
    ///
    /// The entries `device` of its PVs are left out: they say where a PV was when somebody wrote the metadata. A seqno that
    /// is absent or no integer is -1.
    pub fn from_section(section: &Section<'_>) -> Option<Self> {
        let uuid = Vgid::try_from(section.string("id")?).ok()?;
        let seqno = section.int("seqno").unwrap_or(-1);
        let (mut body, mut pvs) = (BytesMut::new(), Vec::new());
        let mut is_first = true;
        for node in &section.nodes {
            match &node.content {
                Content::Section(listed) if is_first && *node.name == *b"physical_volumes" => {
                    is_first = false;
                    put_pvs(listed, &mut body, &mut pvs);
                }
                Content::Section(_) | Content::Value(_) => node.write_at(LEVEL, &mut body),
            }
        }
        Some(Self { uuid, seqno, body: Bytes::copy_from_slice(&body), pvs: pvs.into() })
    }

    /// Returns the PVs that it lists, in its order.
    pub fn pvs(&self) -> &[ListedPv] {
        &self.pvs
    }

    /// Tells whether it lists this PV.
    pub fn lists(&self, pv: &Pvid) -> bool {
        self.pvs.iter().any(|listed| listed.id == *pv)
    }

    /// Returns the entries as they were sent, at level 1: what stands between `metadata {` and its `}`.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Appends the entries, at level 1, with what `present` knows of each PV; one that it does not know is missing.
    pub fn write<'pv>(&self, present: impl Fn(&Pvid) -> Option<&'pv PvText>, out: &mut BytesMut) {
        out.reserve(self.body.len() + 512);
        let mut copied = 0;
        for listed in &*self.pvs {
            out.put_slice(&self.body[copied..listed.begin]);
            copied = listed.begin;
            let pv = present(&listed.id);
            if let Some(pv) = pv {
                out.put_slice(pv.in_vg());
            }
            if pv.is_none() != listed.says_missing {
                out.put_slice(&self.body[copied..listed.status.start]);
                put_status(&self.body[listed.status.clone()], pv.is_none(), out);
                copied = listed.status.end;
            }
        }
        out.put_slice(&self.body[copied..]);
    }
}

/// Appends the section `physical_volumes`, and notes where in `body` each PV stands.
fn put_pvs(listed: &Section<'_>, body: &mut BytesMut, pvs: &mut Vec<ListedPv>) {
    body.put_slice(b"\tphysical_volumes {\n");
    for node in &listed.nodes {
        match &node.content {
            Content::Section(entries) => put_pv(&node.name, entries, body, pvs),
            Content::Value(_) => node.write_at(LEVEL + 1, body),
        }
    }
    body.put_slice(b"\t}\n");
}

fn put_pv(name: &[u8], entries: &Section<'_>, body: &mut BytesMut, pvs: &mut Vec<ListedPv>) {
    put_tabs(body, LEVEL + 1);
    put_key(body, name);
    body.put_slice(b" {\n");
    let begin = body.len();
    let mut status = None;
    for node in entries.nodes.iter().filter(|node| *node.name != *b"device") {
        let line_begin = body.len();
        node.write_at(LEVEL + 2, body);
        if *node.name == *b"status" && status.is_none() {
            status = Some(line_begin..body.len());
        }
    }
    put_tabs(body, LEVEL + 1);
    body.put_slice(b"}\n");
    if let Some(id) = entries.string("id").and_then(|id| Pvid::try_from(id).ok()) {
        let says_missing = entries.find("status").is_some_and(|status| elements(status).any(is_missing));
        pvs.push(ListedPv { id, begin, status: status.unwrap_or(begin..begin), says_missing });
    }
}

fn elements<'s, 'a>(content: &'s Content<'a>) -> impl Iterator<Item = &'s Scalar<'a>> {
    let elements = match content {
        Content::Value(Value::One(scalar)) => std::slice::from_ref(scalar),
        Content::Value(Value::Array(elements)) => elements,
        Content::Section(_) => &[],
    };
    elements.iter()
}

fn is_missing(scalar: &Scalar<'_>) -> bool {
    matches!(scalar, Scalar::String(text) if **text == *MISSING)
}

/// Appends the entry `status` of a PV that is `missing`, but did not say so, or the other way round.
///
/// `line` is the entry as it was, empty if there was none. The daemon's own mark is an array, also where it stands alone.
fn put_status(line: &[u8], missing: bool, out: &mut BytesMut) {
    let parsed = config_text::parse(line).unwrap_or_default();
    let mut kept: Vec<Scalar<'_>> =
        parsed.nodes.first().map(|node| elements(&node.content).cloned().collect()).unwrap_or_default();
    if missing && kept.is_empty() {
        put_tabs(out, LEVEL + 2);
        out.put_slice(b"status=[\"MISSING\"]\n");
        return;
    }
    if missing {
        kept.insert(0, Scalar::String(Cow::Borrowed(MISSING)));
    } else if let Some(at) = kept.iter().position(is_missing) {
        kept.remove(at);
    }
    let content = Content::Value(Value::from_elements(kept));
    Node { name: Cow::Borrowed(b"status"), content }.write_at(LEVEL + 2, out);
}
