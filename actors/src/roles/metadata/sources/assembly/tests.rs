//! The assembly with a cache behind it, in stories and with hosts on which anything happens at random.

use std::io;

use lvmwarden_protocol::disk::image::{PvImage, uuid, vg_text};
use lvmwarden_protocol::metadata::{Common, Request, SKIP};
use proptest::prelude::*;

use super::*;
use crate::roles::metadata::cache::{Cache, Now};
use crate::roles::metadata::knowledge::ProblemKind;
use crate::roles::metadata::pv_index::Source;
use crate::roles::metadata::sources::pv_reading::{self, ReadAt, ReadError};
use crate::roles::metadata::sources::texts::Texts;

/// The seqno of each VG, with the names that go with it.
type TrueVgs = BTreeMap<Vgid, (i64, BTreeSet<String>)>;
/// The PVs that are there, with the VG of which each tells.
type TruePvs = BTreeMap<Pvid, Option<Vgid>>;

/// How often the cache is told again what it dropped for the sake of another VG.
const ROUNDS: usize = 3;

struct Bytes<'image>(&'image [u8]);

impl ReadAt for Bytes<'_> {
    fn read_at(&mut self, offset: u64, size: usize) -> io::Result<Vec<u8>> {
        let begin = usize::try_from(offset).unwrap_or(usize::MAX).min(self.0.len());
        Ok(self.0[begin..(begin + size).min(self.0.len())].to_vec())
    }
}

/// A host whose disks are images, and what is known of them.
#[derive(Default)]
struct Host {
    disks: BTreeMap<u32, PvImage>,
    assembly: Assembly,
    cache: Cache,
    texts: Texts,
    clock: u64,
}

fn device(number: u32) -> DeviceNumber {
    DeviceNumber { major: 8, minor: number }
}

fn vgid(number: usize) -> Vgid {
    Vgid::try_from(uuid(number).as_str()).unwrap()
}

impl Host {
    fn with_disks(count: usize) -> Self {
        let disks = (0..count).map(|number| (u32::try_from(number).unwrap(), PvImage::new(&uuid(number), 1)));
        Self { disks: disks.collect(), ..Self::default() }
    }

    fn commit(&mut self, disks: &[u32], text: &str) {
        for disk in disks {
            if let Some(image) = self.disks.get_mut(disk) {
                image.commit(text);
            }
        }
    }

    fn now(&mut self) -> Duration {
        self.clock += 1;
        Duration::from_secs(self.clock)
    }

    /// Reads a disk, and tells the cache; returns what has to be read again.
    fn read(&mut self, number: u32) -> BTreeSet<DeviceNumber> {
        let begun = self.now();
        let reading = self
            .disks
            .get(&number)
            .map(|disk| pv_reading::read(&mut Bytes(disk.bytes()), device(number), &self.texts));
        let settled = match reading {
            Some(Ok(reading)) => self.assembly.read(device(number), reading, begun),
            Some(Err(ReadError::NoPv)) | None => self.assembly.gone(device(number)),
            Some(Err(error)) => panic!("{error}"),
        };
        settled.say(&mut self.cache);
        for operation in settled.operations.clone() {
            self.tell(operation, begun);
        }
        for round in 0.. {
            let missing = settled.missing(&self.cache);
            if missing.is_empty() {
                break;
            }
            assert!(round < ROUNDS, "VGs displace one another: {missing:?}");
            for operation in missing {
                self.tell(operation, begun);
            }
        }
        settled.again
    }

    fn tell(&mut self, operation: Operation, at: Duration) {
        let common = Common { token: Some(SKIP.to_owned()), ..Common::default() };
        let request = Request { operation, common };
        let now = Now { monotonic: at, source: Source::Disk };
        let question = self.cache.question(&request, now);
        let decision = question.and_then(|(vg, event)| self.cache.decide(&vg, event));
        self.cache.answer(request, decision, now);
    }

    /// Reads disks, and again what has to be, until nothing has.
    fn settle(&mut self, numbers: impl IntoIterator<Item = u32>) {
        let mut wanted: Vec<u32> = numbers.into_iter().collect();
        let mut reads = 0;
        while let Some(number) = wanted.pop() {
            reads += 1;
            assert!(reads < 1000, "it does not come to an end");
            for again in self.read(number) {
                if !wanted.contains(&again.minor) {
                    wanted.insert(0, again.minor);
                }
            }
        }
    }

    /// Returns name, seqno and how many PVs are missing of each cached VG.
    fn vgs(&self) -> BTreeMap<Vgid, (String, i64, usize)> {
        let snapshot = self.cache.snapshot();
        let vgs = snapshot.vgs.iter().map(|vg| {
            let missing = vg.text.pvs().iter().filter(|listed| self.cache.pv(&listed.id).is_none()).count();
            (vg.text.uuid.clone(), (vg.name.as_str().to_owned(), vg.text.seqno, missing))
        });
        vgs.collect()
    }

    fn vg(&self, number: usize) -> Option<(String, i64, usize)> {
        self.vgs().remove(&vgid(number))
    }

    fn problems(&self) -> Vec<(ProblemKind, Vec<String>)> {
        let problems = self.assembly.problems(|device| device.minor.to_string());
        problems.into_iter().map(|problem| (problem.kind, problem.devices)).collect()
    }

    /// What a look at all disks at once would show: the highest seqno of each VG, with the names that go with it; and all PVs
    /// that are there, with the VG of which each tells.
    fn truth(&self) -> (TrueVgs, TruePvs) {
        let (mut vgs, mut pvs) = (TrueVgs::new(), TruePvs::new());
        for (number, disk) in &self.disks {
            let reading =
                pv_reading::read(&mut Bytes(disk.bytes()), device(*number), &Texts::default()).unwrap();
            pvs.insert(reading.pv.id, reading.metadata.as_ref().map(|metadata| metadata.text.uuid.clone()));
            if let Some(metadata) = reading.metadata {
                let (name, seqno) = (metadata.name.as_str().to_owned(), metadata.text.seqno);
                let known = vgs.entry(metadata.text.uuid.clone()).or_default();
                if known.0 < seqno {
                    *known = (seqno, BTreeSet::new());
                }
                if known.0 == seqno {
                    known.1.insert(name);
                }
            }
        }
        (vgs, pvs)
    }
}

#[test]
fn a_vg_is_partial_until_its_last_pv_is_read_in_any_order() {
    for first in 0..3 {
        let mut host = Host::with_disks(3);
        host.commit(&[0, 1, 2], &vg_text("vg0", 100, 1, &[0, 1, 2], 1));
        for (missing, disk) in [(2, first), (1, (first + 1) % 3), (0, (first + 2) % 3)] {
            assert_eq!(host.read(disk), BTreeSet::new());
            assert_eq!(host.vg(100), Some(("vg0".to_owned(), 1, missing)));
        }
    }
}

#[test]
fn a_change_that_is_under_way_is_no_problem_and_ends_as_one() {
    let mut host = Host::with_disks(2);
    host.commit(&[0, 1], &vg_text("vg0", 100, 1, &[0, 1], 0));
    host.settle([0, 1]);
    host.commit(&[0], &vg_text("vg0", 100, 2, &[0, 1], 1));
    assert_eq!(host.read(0), BTreeSet::from([device(1)]), "the other may have it as well by now");
    assert_eq!(host.problems(), []);
    host.commit(&[1], &vg_text("vg0", 100, 2, &[0, 1], 1));
    host.settle([1]);
    assert_eq!((host.vg(100), host.problems()), (Some(("vg0".to_owned(), 2, 0)), vec![]));
}

#[test]
fn an_old_copy_that_comes_back_is_told_with_its_device_and_changes_nothing() {
    let mut host = Host::with_disks(2);
    host.commit(&[0, 1], &vg_text("vg0", 100, 1, &[0, 1], 0));
    let old = host.disks.remove(&1).unwrap();
    host.commit(&[0], &vg_text("vg0", 100, 2, &[0, 1], 1));
    host.settle([0]);
    host.disks.insert(1, old);
    host.settle([1]);
    assert_eq!(host.vg(100), Some(("vg0".to_owned(), 2, 0)));
    assert_eq!(host.problems(), [(ProblemKind::OldCopy, vec!["1".to_owned()])]);
}

#[test]
fn metadata_that_were_restored_count_although_their_seqno_is_lower() {
    let mut host = Host::with_disks(2);
    host.commit(&[0, 1], &vg_text("vg0", 100, 9, &[0, 1], 3));
    host.settle([0, 1]);
    host.commit(&[0, 1], &vg_text("vg0", 100, 4, &[0, 1], 1));
    host.settle([0]);
    assert_eq!((host.vg(100), host.problems()), (Some(("vg0".to_owned(), 4, 0)), vec![]));
}

#[test]
fn texts_that_contradict_one_another_are_told_and_the_first_stays() {
    let mut host = Host::with_disks(2);
    host.commit(&[0], &vg_text("one", 100, 3, &[0, 1], 0));
    host.commit(&[1], &vg_text("two", 100, 3, &[0, 1], 0));
    host.settle([0, 1, 0, 1]);
    let (name, ..) = host.vg(100).unwrap();
    let other = if name == "one" { "1" } else { "0" };
    assert_eq!(host.problems(), [(ProblemKind::Contradiction, vec![other.to_owned()])]);
}

#[test]
fn a_cloned_disk_is_a_duplicate_that_takes_over_when_the_first_is_gone() {
    let mut host = Host::with_disks(1);
    host.commit(&[0], &vg_text("vg0", 100, 1, &[0], 0));
    let clone = host.disks[&0].clone();
    host.disks.insert(7, clone);
    host.settle([0, 7]);
    let first = host.assembly.devices_of(&Pvid::try_from(uuid(0).as_str()).unwrap())[0].minor;
    let (kind, devices) = host.problems().remove(0);
    assert_eq!((kind, devices.len()), (ProblemKind::DuplicatePv, 2));
    assert_eq!(host.vg(100), Some(("vg0".to_owned(), 1, 0)));
    host.disks.remove(&first);
    host.settle([first]);
    assert_eq!((host.vg(100), host.problems()), (Some(("vg0".to_owned(), 1, 0)), vec![]));
    host.disks.clear();
    host.settle([0, 7]);
    assert_eq!(host.vgs(), BTreeMap::new());
}

#[test]
fn a_vg_is_kept_for_a_pv_that_cannot_tell_of_it() {
    let mut host = Host::with_disks(1);
    host.disks.insert(1, PvImage::new(&uuid(1), 0));
    host.commit(&[0, 1], &vg_text("vg0", 100, 1, &[0, 1], 0));
    host.settle([0, 1]);
    let gone = host.disks.remove(&0).unwrap();
    host.settle([0]);
    assert_eq!(host.vg(100), Some(("vg0".to_owned(), 1, 1)), "its other PV is there");
    host.disks.insert(0, gone);
    host.settle([0]);
    assert_eq!(host.vg(100), Some(("vg0".to_owned(), 1, 0)));
    host.disks.values_mut().for_each(PvImage::release);
    host.settle([0, 1]);
    assert_eq!(host.vg(100), None, "nobody uses it");
}

#[test]
fn a_pv_that_is_on_another_device_now_is_there() {
    let mut host = Host::with_disks(2);
    host.commit(&[0, 1], &vg_text("vg0", 100, 1, &[0, 1], 0));
    host.settle([0, 1]);
    let (one, other) = (host.disks.remove(&0).unwrap(), host.disks.remove(&1).unwrap());
    host.disks.extend([(1, one), (0, other)]);
    host.settle([0, 1, 0, 1]);
    assert_eq!((host.vg(100), host.problems()), (Some(("vg0".to_owned(), 1, 0)), vec![]));
}

/// What may happen on a host.
#[derive(Debug, Clone)]
enum Step {
    /// A VG has this name and these PVs now, or none; some of its PVs are written before the others.
    Change {
        vg: usize,
        name: u8,
        pvs: BTreeSet<u32>,
        seqno_back: bool,
    },
    Gone(u32),
    Back(u32),
    /// A disk is read, whether anything has happened to it or not.
    Read(u32),
}

fn step() -> impl Strategy<Value = Step> {
    let pvs = prop::collection::btree_set(0..6_u32, 0..4);
    prop_oneof![
        4 => (0..3_usize, 0..3_u8, pvs, prop::bool::weighted(0.1))
            .prop_map(|(vg, name, pvs, seqno_back)| Step::Change { vg, name, pvs, seqno_back }),
        1 => (0..6_u32).prop_map(Step::Gone),
        2 => (0..6_u32).prop_map(Step::Back),
        6 => (0..6_u32).prop_map(Step::Read),
    ]
}

/// The truth of the VGs, as LVM's commands make it: each PV in one VG at most.
#[derive(Default)]
struct Lvm {
    members: BTreeMap<usize, BTreeSet<u32>>,
    seqnos: BTreeMap<usize, u32>,
    away: BTreeMap<u32, PvImage>,
}

impl Lvm {
    fn change(&mut self, host: &mut Host, vg: usize, name: u8, pvs: BTreeSet<u32>, seqno_back: bool) {
        // Only what is there is written, and taken from another VG, which is written as well.
        let pvs: BTreeSet<u32> = pvs.into_iter().filter(|pv| host.disks.contains_key(pv)).collect();
        let before = self.members.insert(vg, pvs.clone()).unwrap_or_default();
        for left in before.difference(&pvs) {
            if let Some(image) = host.disks.get_mut(left) {
                image.release();
            }
        }
        let others: Vec<usize> = self.members.keys().copied().filter(|other| *other != vg).collect();
        self.write(host, vg, name, seqno_back);
        for other in others {
            let members = self.members.get_mut(&other).unwrap();
            let count = members.len();
            members.retain(|pv| !pvs.contains(pv));
            if members.len() < count {
                self.write(host, other, u8::try_from(other).unwrap(), false);
            }
        }
    }

    fn write(&mut self, host: &mut Host, vg: usize, name: u8, seqno_back: bool) {
        let seqno = self.seqnos.entry(vg).or_insert(10);
        *seqno = if seqno_back { *seqno - 1 } else { *seqno + 1 };
        let members = &self.members[&vg];
        let pvs: Vec<usize> = members.iter().map(|pv| *pv as usize).collect();
        let text = vg_text(&format!("vg{name}"), 100 + vg, *seqno, &pvs, *seqno as usize % 3);
        host.commit(&members.iter().copied().collect::<Vec<_>>(), &text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// In whatever order disks change, go, come back and are read: when each has been read once more, in any order, the cache is
    /// what a look at all of them at once shows.
    #[test]
    fn the_cache_ends_as_what_is_on_the_disks(
        steps in prop::collection::vec(step(), 1..40),
        order in Just((0..6_u32).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let (mut host, mut lvm) = (Host::with_disks(6), Lvm::default());
        for step in steps {
            match step {
                Step::Change { vg, name, pvs, seqno_back } => lvm.change(&mut host, vg, name, pvs, seqno_back),
                Step::Gone(disk) => if let Some(image) = host.disks.remove(&disk) { lvm.away.insert(disk, image); },
                Step::Back(disk) => if let Some(image) = lvm.away.remove(&disk) { host.disks.insert(disk, image); },
                Step::Read(disk) => drop(host.read(disk)),
            }
        }
        host.settle(order);
        let (vgs, pvs) = host.truth();
        let cached = host.vgs();
        prop_assert_eq!(vgs.keys().collect::<Vec<_>>(), cached.keys().collect::<Vec<_>>());
        for (vg, (seqno, names)) in &vgs {
            let (name, cached_seqno, _) = &cached[vg];
            prop_assert!(cached_seqno == seqno && names.contains(name), "{vg}: {name} {cached_seqno}, not {names:?} {seqno}");
        }
        let present: BTreeSet<Pvid> = host.cache.snapshot().pvs.iter().map(|pv| pv.text.id.clone()).collect();
        prop_assert_eq!(pvs.keys().cloned().collect::<BTreeSet<_>>(), present);
        for (pv, vg) in &pvs {
            // One whose VG does not list it any more is in none.
            let listed = vg.as_ref().filter(|vg| host.cache.vg(vg).is_some_and(|vg| vg.text.lists(pv)));
            prop_assert!(listed.is_none() || host.cache.vg_of(pv) == listed, "{pv} is in {:?}, not {vg:?}", host.cache.vg_of(pv));
        }
    }
}
