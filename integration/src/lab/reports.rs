//! What lvm reports of all VGs, and what the metadata role says of them, in the same words: so that they can be compared.

use super::guest::Guest;
use anyhow::{Context, Result, ensure};
use lvmwarden_protocol::api::metadata::{Lv, LvsReply, Pv, PvsReply, Vg, VgsReply};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// For each kind of thing the fields of lvm that are compared, in the order in which a line has them.
const VG_FIELDS: [&str; 13] = [
    "vg_name",
    "vg_uuid",
    "vg_seqno",
    "vg_attr",
    "vg_size",
    "vg_free",
    "vg_extent_size",
    "vg_extent_count",
    "vg_free_count",
    "pv_count",
    "lv_count",
    "snap_count",
    "vg_tags",
];
const PV_FIELDS: [&str; 9] =
    ["pv_name", "pv_uuid", "pv_attr", "dev_size", "pe_start", "pv_size", "pv_free", "pv_pe_count", "pv_tags"];
const LV_FIELDS: [&str; 7] = ["lv_name", "lv_uuid", "lv_attr", "lv_size", "origin", "pool_lv", "lv_tags"];

/// What lvm has reported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reported {
    /// A line for each VG, PV and LV, its fields in order.
    pub lines: BTreeSet<String>,
    /// The names of VGs, each with the names of its visible LVs.
    pub lvs: BTreeMap<String, Vec<String>>,
    /// The devices of PVs, each with its VG's name, which is empty for an orphan, and whether nothing lies on it.
    pub pvs: Vec<(String, String, bool)>,
}

impl Guest {
    /// Returns what `lvm fullreport` says.
    ///
    /// # Errors
    /// The command fails, or says something else than a report.
    pub fn full_report(&self) -> Result<Reported> {
        let said = self.sh(&format!(
            "lvm fullreport --reportformat json --units b --nosuffix -a --configreport vg -o {} --configreport pv -o {} \
             --configreport lv -o {} --configreport pvseg -o pvseg_start --configreport seg -o lv_name,seg_start,segtype \
             2> /dev/null",
            VG_FIELDS.join(","),
            PV_FIELDS.join(","),
            LV_FIELDS.join(",")
        ))?;
        let report: Value = serde_json::from_str(&said).with_context(|| format!("lvm said {said}"))?;
        let mut reported = Reported::default();
        for vg in report["report"].as_array().context("a report has parts")? {
            reported.add(vg);
        }
        Ok(reported)
    }

    /// Returns what the metadata role has in memory, a line for each VG, PV and LV.
    ///
    /// # Errors
    /// The service does not answer.
    pub fn cached(&self) -> Result<BTreeSet<String>> {
        let vgs: VgsReply = self.ask("metadata vgs")?;
        let pvs: PvsReply = self.ask("metadata pvs")?;
        let lvs: LvsReply = self.ask("metadata lvs --all")?;
        let vgs = vgs.vgs.iter().map(vg_line);
        let pvs = pvs.pvs.iter().map(pv_line);
        Ok(vgs.chain(pvs).chain(lvs.lvs.iter().map(lv_line)).collect())
    }

    /// Waits until the metadata role says what lvm reports, and returns that.
    ///
    /// # Errors
    /// It does not within `limit`: the lines that only one of both has.
    pub fn cache_is_right(&self, limit: Duration) -> Result<Reported> {
        let reported = self.full_report()?;
        self.wait_until("the cache is right", limit, || {
            let cached = self.cached()?;
            let of_lvm: Vec<_> = reported.lines.difference(&cached).collect();
            let of_ours: Vec<_> = cached.difference(&reported.lines).collect();
            ensure!(
                of_lvm.is_empty() && of_ours.is_empty(),
                "only lvm: {of_lvm:#?}\nonly the cache: {of_ours:#?}"
            );
            Ok(())
        })?;
        Ok(reported)
    }
}

impl Reported {
    /// Adds what one VG's part of the report says; the orphans have a part of their own.
    fn add(&mut self, part: &Value) {
        let rows = |kind: &str| part[kind].as_array().cloned().unwrap_or_default();
        let vgname = rows("vg").first().map(|vg| field(vg, "vg_name")).unwrap_or_default();
        let kinds: BTreeMap<String, String> = rows("seg")
            .iter()
            .filter(|segment| field(segment, "seg_start") == "0")
            .map(|segment| (field(segment, "lv_name"), field(segment, "segtype")))
            .collect();
        for vg in rows("vg").iter().filter(|_| !vgname.is_empty()) {
            self.lines.insert(line("vg", &vgname, vg, &VG_FIELDS));
        }
        for pv in rows("pv").iter().filter(|pv| !field(pv, "pv_uuid").is_empty()) {
            self.lines.insert(line("pv", &vgname, pv, &PV_FIELDS));
            let is_empty = field(pv, "pv_size") == field(pv, "pv_free");
            self.pvs.push((field(pv, "pv_name"), vgname.clone(), is_empty));
        }
        for lv in rows("lv") {
            let name = field(&lv, "lv_name");
            let kind = kinds.get(&name).cloned().unwrap_or_default();
            self.lines.insert(format!("{} {kind}", line("lv", &vgname, &lv, &LV_FIELDS)));
            if !lv["lv_name"].as_str().unwrap_or_default().starts_with('[') {
                self.lvs.entry(vgname.clone()).or_default().push(name);
            }
        }
        if !vgname.is_empty() {
            self.lvs.entry(vgname).or_default();
        }
    }
}

/// Returns a field without the brackets of hidden LVs.
fn field(row: &Value, name: &str) -> String {
    row[name].as_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned()
}

fn line(kind: &str, vgname: &str, row: &Value, fields: &[&str]) -> String {
    let values: Vec<String> = fields.iter().map(|name| field(row, name)).collect();
    format!("{kind} of `{vgname}`: {}", values.join("|"))
}

fn vg_line(vg: &Vg) -> String {
    format!(
        "vg of `{0}`: {0}|{1}|{2}|{3}|{4}|{5}|{6}|{7}|{8}|{9}|{10}|{11}|{12}",
        vg.vgname,
        vg.uuid,
        vg.seqno,
        vg.attr,
        vg.size_bytes,
        vg.free_bytes,
        vg.extent_size_bytes,
        vg.extents,
        vg.free_extents,
        vg.pvs,
        vg.lvs,
        vg.snapshots,
        vg.tags.join(",")
    )
}

fn pv_line(pv: &Pv) -> String {
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let fields = [
        pv.device.clone().unwrap_or_else(|| "unknown]".to_owned()).trim_end_matches(']').to_owned(),
        pv.uuid.clone(),
        pv.attr.clone(),
        // The size of no device.
        pv.device_size_bytes.unwrap_or_default().to_string(),
        number(pv.data_start_bytes),
        number(pv.size_bytes),
        number(pv.free_bytes),
        number(pv.extents),
        pv.tags.join(","),
    ];
    format!("pv of `{}`: {}", pv.vgname.as_deref().unwrap_or_default(), fields.join("|"))
}

fn lv_line(lv: &Lv) -> String {
    let fields = [
        lv.lvname.clone(),
        lv.uuid.clone(),
        lv.attr.clone(),
        lv.size_bytes.to_string(),
        lv.origin.clone().unwrap_or_default(),
        lv.pool.clone().unwrap_or_default(),
        lv.tags.join(","),
    ];
    format!("lv of `{}`: {} {}", lv.vgname, fields.join("|"), lv.kind)
}
