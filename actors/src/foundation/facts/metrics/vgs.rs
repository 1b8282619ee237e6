//! Numbers of the VGs of the host: sizes, what is missing, and what fills up.
//!
//! These are the only labels with names from outside. Whoever counts bounds them: so many VGs, so many LVs, and only names that
//! LVM allows, which nothing in the text can be broken with.

use std::sync::atomic::AtomicU64;

use lvmwarden_protocol::api::metadata::ProblemKind;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::{Registry, Unit};

use super::snapshot::gauge;

/// The numbers of a moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct VgNumbers {
    /// All PVs were looked at.
    pub is_whole: bool,
    /// How many VGs are known.
    pub vg_count: u64,
    /// Of how many VGs nothing more is told.
    pub vgs_left_out: u64,
    /// VGs, by name.
    pub vgs: Vec<OneVg>,
    /// LVs that fill up.
    pub fullness: Vec<Fullness>,
    /// How many problems there are of each kind.
    pub problems: Vec<(ProblemKind, u64)>,
    /// How long ago what is known of the VG that was verified longest ago was verified.
    pub oldest_verified_ms: Option<u64>,
}

/// The numbers of a VG.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneVg {
    /// Its name.
    pub vgname: String,
    /// How large it is.
    pub size_bytes: u64,
    /// How much of it is free.
    pub free_bytes: u64,
    /// How many PVs are missing.
    pub missing_pvs: u64,
}

/// How full an LV is.
#[derive(Debug, Clone, PartialEq)]
pub struct Fullness {
    /// Its VG.
    pub vgname: String,
    /// Its name.
    pub lvname: String,
    /// What it is: a thin pool, or a snapshot.
    pub kind: &'static str,
    /// How full, 0 to 100.
    pub data_percent: Option<f64>,
    /// How full its metadata are.
    pub metadata_percent: Option<f64>,
}

type OfVg = Family<[(&'static str, String); 1], Gauge>;
type OfLv = Family<[(&'static str, String); 3], Gauge<f64, AtomicU64>>;

/// The kinds of problems and their words.
const PROBLEMS: [(ProblemKind, &str); 8] = [
    (ProblemKind::DuplicatePv, "duplicate_pv"),
    (ProblemKind::SameName, "same_name"),
    (ProblemKind::OldCopy, "old_copy"),
    (ProblemKind::Contradiction, "contradiction"),
    (ProblemKind::MissingPv, "missing_pv"),
    (ProblemKind::Unreadable, "unreadable"),
    (ProblemKind::OutOfDate, "out_of_date"),
    (ProblemKind::SourceDown, "source_down"),
];

impl VgNumbers {
    /// Adds the numbers to what is told at a scrape.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("vgs", "VGs that are known", gauge(self.vg_count));
        let help = "VGs of which only their number is told";
        registry.register("vgs_left_out", help, gauge(self.vgs_left_out));
        let help = "Whether all PVs of the host were looked at";
        registry.register("metadata_whole", help, gauge(u64::from(self.is_whole)));
        if let Some(age) = self.oldest_verified_ms {
            let help = "Since when it was not looked whether what is known of a VG is on its disks, of the VG where that is longest";
            #[expect(clippy::cast_precision_loss, reason = "an age is rounded anyway")]
            let seconds = ConstGauge::new(age as f64 / 1000.0);
            registry.register_with_unit("metadata_oldest_verified", help, Unit::Seconds, seconds);
        }
        let problems = Family::<[(&'static str, &'static str); 1], Gauge>::default();
        for (kind, word) in PROBLEMS {
            let count = self.problems.iter().find(|(of, _)| *of == kind).map_or(0, |(_, count)| *count);
            problems.get_or_create(&[("kind", word)]).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        registry.register("metadata_problems", "What is not as it should be", problems);
        self.register_vgs(registry);
        self.register_fullness(registry);
    }

    fn register_vgs(&self, registry: &mut Registry) {
        let (size, free, missing) = (OfVg::default(), OfVg::default(), OfVg::default());
        for vg in &self.vgs {
            for (family, number) in
                [(&size, vg.size_bytes), (&free, vg.free_bytes), (&missing, vg.missing_pvs)]
            {
                let number = i64::try_from(number).unwrap_or(i64::MAX);
                family.get_or_create(&[("vg", vg.vgname.clone())]).set(number);
            }
        }
        registry.register_with_unit("vg_size", "How large a VG is", Unit::Bytes, size);
        registry.register_with_unit("vg_free", "How much of a VG is free", Unit::Bytes, free);
        registry.register("vg_missing_pvs", "PVs that a VG lists and that are not there", missing);
    }

    fn register_fullness(&self, registry: &mut Registry) {
        let (data, metadata) = (OfLv::default(), OfLv::default());
        for lv in &self.fullness {
            let labels =
                || [("vg", lv.vgname.clone()), ("lv", lv.lvname.clone()), ("kind", lv.kind.to_owned())];
            for (family, percent) in [(&data, lv.data_percent), (&metadata, lv.metadata_percent)] {
                if let Some(percent) = percent {
                    family.get_or_create(&labels()).set(percent / 100.0);
                }
            }
        }
        let help = "How full a thin pool or a snapshot is, as the kernel says, 0 to 1";
        registry.register("lv_data_used_ratio", help, data);
        let help = "How full the metadata of a thin pool are, as the kernel says, 0 to 1";
        registry.register("lv_metadata_used_ratio", help, metadata);
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    #[test]
    fn each_number_has_its_name_and_unit() {
        let numbers = VgNumbers {
            is_whole: true,
            vg_count: 3,
            vgs_left_out: 2,
            vgs: vec![OneVg { vgname: "vg0".to_owned(), size_bytes: 510, free_bytes: 402, missing_pvs: 1 }],
            fullness: vec![Fullness {
                vgname: "vg0".to_owned(),
                lvname: "pool".to_owned(),
                kind: "thin_pool",
                data_percent: Some(50.0),
                metadata_percent: None,
            }],
            problems: vec![(ProblemKind::MissingPv, 1)],
            oldest_verified_ms: Some(1500),
        };
        let mut registry = Registry::with_prefix("lvmwarden");
        numbers.register(&mut registry);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        for line in [
            "lvmwarden_vgs 3",
            "lvmwarden_vgs_left_out 2",
            "lvmwarden_metadata_whole 1",
            "lvmwarden_metadata_oldest_verified_seconds 1.5",
            "lvmwarden_metadata_problems{kind=\"missing_pv\"} 1",
            "lvmwarden_metadata_problems{kind=\"duplicate_pv\"} 0",
            "lvmwarden_vg_size_bytes{vg=\"vg0\"} 510",
            "lvmwarden_vg_free_bytes{vg=\"vg0\"} 402",
            "lvmwarden_vg_missing_pvs{vg=\"vg0\"} 1",
            "lvmwarden_lv_data_used_ratio{vg=\"vg0\",lv=\"pool\",kind=\"thin_pool\"} 0.5",
        ] {
            assert!(text.lines().any(|told| told == line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("lvmwarden_lv_metadata_used_ratio{"), "{text}");
    }

    #[test]
    fn each_problem_is_counted_under_the_word_that_the_api_has_for_it() {
        for (kind, word) in PROBLEMS {
            assert_eq!(serde_json::to_value(kind).unwrap(), word);
        }
    }
}
