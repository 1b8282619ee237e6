//! A cache without actors, and short words for PVs and VGs.

use std::time::Duration;

use lvmwarden_protocol::metadata::{Reply, Request};

use crate::roles::metadata::cache::{Answer, Cache, Now};
use crate::roles::metadata::pv_index::Source;

/// A cache whose VGs decide at once.
#[derive(Debug, Default)]
pub(in crate::roles::metadata) struct Bare {
    pub(in crate::roles::metadata) cache: Cache,
    /// What the clock says.
    pub(in crate::roles::metadata) seconds: u64,
}

impl Bare {
    /// Returns the reply to a message, both without terminator.
    pub(in crate::roles::metadata) fn ask(&mut self, message: &str) -> String {
        let now = Now { monotonic: Duration::from_secs(self.seconds), source: Source::Command };
        let request = Request::parse(message.as_bytes());
        let decision =
            self.cache.question(&request, now).and_then(|(uuid, event)| self.cache.decide(&uuid, event));
        let reply = match self.cache.answer(request, decision, now) {
            Answer::Ready(reply) => reply,
            Answer::Dump(snapshot) => snapshot.dump(),
        };
        Reply::parse(&reply).unwrap_or_else(|error| panic!("{error}: {reply:?}"));
        String::from_utf8(reply.to_vec()).unwrap()
    }

    /// Asks under the token that is always right.
    pub(in crate::roles::metadata) fn skip(&mut self, request: &str) -> String {
        self.ask(&format!("request={request} token=skip"))
    }

    /// Finds a PV on a device; `metadata`: what it says of its VG, see [`vg`].
    pub(in crate::roles::metadata) fn found(&mut self, pv: &str, device: i64, metadata: &str) -> String {
        self.found_with(pv, device, "mda0 { ignore=0 }", metadata)
    }

    /// Finds a PV of which more is said.
    pub(in crate::roles::metadata) fn found_with(
        &mut self,
        pv: &str,
        device: i64,
        meta: &str,
        metadata: &str,
    ) -> String {
        self.skip(&format!("pv_found pvmeta {{ id=\"{pv}\" device={device} {meta} }} {metadata}"))
    }

    pub(in crate::roles::metadata) fn update(&mut self, metadata: &str) -> String {
        self.skip(&format!("vg_update {metadata}"))
    }
}

/// Returns the fields of a VG's metadata: `vg("v", "G", 3, &["A", "B"], "x=1")`.
pub(in crate::roles::metadata) fn vg(name: &str, uuid: &str, seqno: i64, pvs: &[&str], more: &str) -> String {
    let pv =
        |(at, pv): (usize, &&str)| format!("pv{at} {{ id=\"{pv}\" status=[\"ALLOCATABLE\"] flags=[] }} ");
    let pvs: String = pvs.iter().enumerate().map(pv).collect();
    format!("vgname=\"{name}\" metadata {{ id=\"{uuid}\" seqno={seqno} physical_volumes {{ {pvs}}} {more} }}")
}

/// Returns the reply to a PV that was found.
pub(in crate::roles::metadata) fn found(
    status: &str,
    changed: u8,
    vg: &str,
    name: &str,
    before: i64,
    after: i64,
) -> String {
    format!(
        "response = \"OK\"\nstatus = \"{status}\"\nchanged = {changed}\nvgid = \"{vg}\"\nvgname = \"{name}\"\n\
         seqno_before = {before}\nseqno_after = {after}\n"
    )
}

pub(in crate::roles::metadata) fn refused(response: &str, reason: &str) -> String {
    format!("response = \"{response}\"\nreason = \"{reason}\"\n")
}

pub(in crate::roles::metadata) const OK: &str = "response = \"OK\"\n";
