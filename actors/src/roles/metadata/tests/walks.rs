//! Random requests: whatever comes, the parts of the cache fit one another.

use std::collections::{BTreeMap, BTreeSet};

use lvmwarden_protocol::metadata::{Dump, Reply};
use proptest::prelude::*;

use super::support::{Bare, vg};

#[derive(Debug, Clone)]
enum Step {
    Found { pv: usize, device: i64, used: bool, metadata: Option<Metadata> },
    Update(Metadata),
    Gone { pv: usize },
    GoneDevice { device: i64 },
    Remove { vg: usize },
    Announce { vg: usize, version: i64 },
    ClearOutdated { vg: usize },
    Crash { vg: usize },
    Clear,
}

#[derive(Debug, Clone)]
struct Metadata {
    name: usize,
    vg: usize,
    seqno: i64,
    pvs: Vec<usize>,
    more: u8,
}

const PVS: [&str; 4] = ["A", "B", "C", "D!"];
const VGS: [&str; 3] = ["G", "H#", "I"];
const NAMES: [&str; 3] = ["v", "w", "x"];

fn metadata() -> impl Strategy<Value = Metadata> {
    let pvs = prop::collection::vec(0..PVS.len(), 0..4);
    (0..NAMES.len(), 0..VGS.len(), 0..5_i64, pvs, 0..2_u8).prop_map(|(name, vg, seqno, pvs, more)| Metadata {
        name,
        vg,
        seqno,
        pvs,
        more,
    })
}

fn step() -> impl Strategy<Value = Step> {
    let found = (0..PVS.len(), 0..5_i64, any::<bool>(), prop::option::of(metadata()))
        .prop_map(|(pv, device, used, metadata)| Step::Found { pv, device, used, metadata });
    prop_oneof![
        6 => found,
        4 => metadata().prop_map(Step::Update),
        1 => (0..PVS.len()).prop_map(|pv| Step::Gone { pv }),
        1 => (0..5_i64).prop_map(|device| Step::GoneDevice { device }),
        1 => (0..VGS.len()).prop_map(|vg| Step::Remove { vg }),
        1 => (0..VGS.len(), -1..6_i64).prop_map(|(vg, version)| Step::Announce { vg, version }),
        1 => (0..VGS.len()).prop_map(|vg| Step::ClearOutdated { vg }),
        1 => (0..VGS.len()).prop_map(|vg| Step::Crash { vg }),
        1 => Just(Step::Clear),
    ]
}

fn words(metadata: &Metadata) -> String {
    let pvs: Vec<_> = metadata.pvs.iter().map(|pv| PVS[*pv]).collect();
    let more = format!("more={}", metadata.more);
    vg(NAMES[metadata.name], VGS[metadata.vg], metadata.seqno, &pvs, &more)
}

fn take(daemon: &mut Bare, step: &Step) -> String {
    match step {
        Step::Found { pv, device, used, metadata } => {
            let areas = format!("mda0 {{ ignore={} }}", u8::from(!used));
            let said = metadata.as_ref().map(words).unwrap_or_default();
            daemon.found_with(PVS[*pv], *device, &areas, &said)
        }
        Step::Update(metadata) => daemon.update(&words(metadata)),
        Step::Gone { pv } => daemon.skip(&format!("pv_gone uuid=\"{}\"", PVS[*pv])),
        Step::GoneDevice { device } => daemon.skip(&format!("pv_gone device={device}")),
        Step::Remove { vg } => daemon.skip(&format!("vg_remove uuid=\"{}\"", VGS[*vg])),
        Step::Announce { vg, version } => {
            daemon.skip(&format!("set_vg_info uuid=\"{}\" version={version}", VGS[*vg]))
        }
        Step::ClearOutdated { vg } => daemon.skip(&format!("vg_clear_outdated_pvs vgid=\"{}\"", VGS[*vg])),
        Step::Crash { vg } => {
            daemon.cache.crashed(&VGS[*vg].try_into().unwrap());
            String::new()
        }
        Step::Clear => daemon.skip("pv_clear_all"),
    }
}

fn set<T: Ord>(items: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    items.into_iter().collect()
}

fn invariant_a_vg_has_one_name_and_a_name_is_of_vgs(dump: &Dump<'_>) {
    let turned = |pairs: &lvmwarden_protocol::metadata::Pairs<'_>| {
        set(pairs.iter().map(|(one, other)| (other.to_vec(), one.to_vec())))
    };
    let forward = set(dump.vgid_to_vgname.iter().map(|(vg, name)| (vg.to_vec(), name.to_vec())));
    assert_eq!(turned(&dump.vgname_to_vgid), forward);
    assert_eq!(set(dump.vgs.iter().map(|(vg, _)| vg.to_vec())), set(forward.into_iter().map(|(vg, _)| vg)));
}

fn invariant_a_pv_is_on_one_device_and_a_device_has_one_pv(dump: &Dump<'_>) {
    let on_devices: Vec<_> = dump.device_to_pvid.iter().map(|(_, pv)| pv.to_vec()).collect();
    let present = set(dump.pvs.iter().map(|(pv, _)| pv.to_vec()));
    assert_eq!(on_devices.len(), present.len());
    assert_eq!(set(on_devices), present);
}

fn invariant_a_pv_belongs_to_a_vg_that_is_cached_and_lists_it(dump: &Dump<'_>) {
    let vgs: BTreeMap<_, _> = dump.vgs.iter().map(|(vg, body)| (vg.clone(), body)).collect();
    for (pv, vg) in dump.pvid_to_vgid.iter().filter(|(_, vg)| **vg != *b"#orphan") {
        let body = String::from_utf8_lossy(vgs[vg]).into_owned();
        assert!(body.contains(&format!("\t\t\tid=\"{}\"\n", String::from_utf8_lossy(pv))), "{body}");
    }
}

fn invariant_what_is_announced_or_outdated_is_of_a_cached_vg(dump: &Dump<'_>) {
    let vgs = set(dump.vgs.iter().map(|(vg, _)| vg.to_vec()));
    assert!(dump.outdated.iter().all(|(vg, pvs)| vgs.contains(&**vg) && !pvs.is_empty()));
    assert!(dump.versions.iter().all(|(vg, _)| vgs.contains(&**vg)));
    assert_eq!(dump.versions.len(), dump.invalid.len());
}

/// What a reply says of a VG that is complete or not is what a look-up shows.
fn invariant_complete_means_that_nothing_is_missing(daemon: &mut Bare, reply: &str) {
    let field = |name: &str| {
        let line = reply.lines().find_map(|line| line.strip_prefix(&format!("{name} = \"")))?;
        Some(line.trim_end_matches('"').to_owned())
    };
    let (Some(status), Some(vg)) = (field("status"), field("vgid")) else { return };
    let shown = daemon.skip(&format!("vg_lookup uuid=\"{vg}\""));
    match &*status {
        "complete" => assert!(shown.starts_with("response=\"OK\"") && !shown.contains("MISSING"), "{shown}"),
        "partial" => assert!(shown.contains("status=[\"MISSING\",\"ALLOCATABLE\"]"), "{shown}"),
        "orphan" => assert_eq!(vg, "#orphan"),
        _ => assert!(shown.starts_with("response = \"unknown\""), "{shown}"),
    }
}

proptest! {
    #[test]
    fn the_parts_of_the_cache_fit_one_another_whatever_comes(steps in prop::collection::vec(step(), 1..40)) {
        let mut daemon = Bare::default();
        for step in &steps {
            let reply = take(&mut daemon, step);
            invariant_complete_means_that_nothing_is_missing(&mut daemon, &reply);
            let dump = daemon.ask("request=dump");
            let Ok(Reply::Dump(dump)) = Reply::parse(dump.as_bytes()) else { panic!("no dump: {dump}") };
            invariant_a_vg_has_one_name_and_a_name_is_of_vgs(&dump);
            invariant_a_pv_is_on_one_device_and_a_device_has_one_pv(&dump);
            invariant_a_pv_belongs_to_a_vg_that_is_cached_and_lists_it(&dump);
            invariant_what_is_announced_or_outdated_is_of_a_cached_vg(&dump);
        }
    }
}
