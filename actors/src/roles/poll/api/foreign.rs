//! Copies that no operation of the daemon polls: looked at when somebody asks, and otherwise left alone.

use std::collections::{HashMap, HashSet};

use lvmwarden_protocol::api::poll::{Error, ForeignCopy, ForeignKind, ForeignReply};
use lvmwarden_protocol::ids::Lvid;
use tokio::time::timeout;

use super::Serving;
use crate::foundation::api::ANSWER_DEADLINE;
use crate::foundation::api::outgoing::{json_bytes, page};
use crate::foundation::kernel::foreign::SeenCopy;
use crate::foundation::moment::Moment;
use crate::roles::poll::operation::directory::Directory;
use crate::roles::poll::operation::pace::Pace;

/// How fast each copy is, by what it is; those that are over are forgotten.
#[derive(Default)]
pub(crate) struct Paces(HashMap<(Lvid, ForeignKind), Pace>);

impl Serving {
    /// Looks at the copies of others behind one, of which as many are told as fit.
    pub(super) async fn foreign(
        &self,
        directory: &Directory,
        after: Option<String>,
    ) -> Result<impl FnOnce() -> ForeignReply + Send + 'static, Error> {
        let copies = self.foreign_copies(directory).await?;
        Ok(move || {
            let behind =
                copies.into_iter().filter(|copy| after.as_ref().is_none_or(|after| place(copy) > *after));
            let (copies, is_cut) = page(behind, json_bytes);
            let last = copies.last().filter(|_| is_cut).map(place);
            ForeignReply { copies, next_page: last }
        })
    }

    async fn foreign_copies(&self, directory: &Directory) -> Result<Vec<ForeignCopy>, Error> {
        let copies = self.poll.kernel.copies().await.ok_or(Error::Busy)?;
        // Asked afterwards: what an lvm command has handed over meanwhile is ours.
        let mut ours = HashSet::new();
        let all = directory.describe_each(|one| {
            ours.extend(one.ending.is_none().then_some(one.request.lvid));
        });
        timeout(ANSWER_DEADLINE, all).await.map_err(|_| Error::Busy)?;
        Ok(self.foreign_paces.borrow_mut().take_note(copies, &ours, self.poll.now()))
    }
}

impl Paces {
    /// Takes note of all copies at `now`, and describes those that are not `ours`.
    fn take_note(&mut self, seen: Vec<SeenCopy>, ours: &HashSet<Lvid>, now: Moment) -> Vec<ForeignCopy> {
        let mut before = std::mem::take(&mut self.0);
        let mut copies = Vec::new();
        for copy in seen.into_iter().filter(|copy| !ours.contains(&copy.lvid)) {
            let key = (copy.lvid.clone(), copy.kind);
            let mut pace = before.remove(&key).unwrap_or_default();
            let progress = copy.copied.map(|copied| pace.progress(&copied, now));
            self.0.insert(key, pace);
            copies.push(ForeignCopy {
                vgname: copy.vgname,
                lvname: copy.lvname,
                lvid: copy.lvid,
                kind: copy.kind,
                percent: progress.map(|progress| progress.percent()),
                copy: progress.map(Into::into),
                mismatches: copy.mismatches,
            });
        }
        copies.sort_by_cached_key(place);
        copies
    }
}

/// Names a copy such that names are in the order in which copies are told.
fn place(copy: &ForeignCopy) -> String {
    format!("{}/{}/{}", copy.vgname, copy.lvname, copy.kind.as_str())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::foundation::kernel::copying::Copied;

    fn seen(lvname: &str, left_bytes: u64) -> SeenCopy {
        SeenCopy {
            vgname: "vg".try_into().unwrap(),
            lvname: lvname.try_into().unwrap(),
            lvid: lvname.try_into().unwrap(),
            kind: ForeignKind::Check,
            copied: Some(Copied { left_bytes, total_bytes: Some(1000), segment: 1, segments: 1 }),
            mismatches: Some(8),
        }
    }

    #[test]
    fn what_is_ours_is_not_told_and_the_rest_is_by_name() {
        let ours = HashSet::from(["b".try_into().unwrap()]);
        let seen = ["c", "b", "a"].map(|lvname| seen(lvname, 250)).to_vec();
        let told = Paces::default().take_note(seen, &ours, Duration::ZERO);
        let names: Vec<_> = told.iter().map(|copy| copy.lvname.as_str()).collect();
        assert_eq!(names, ["a", "c"]);
        assert_eq!((told[0].percent, told[0].mismatches), (Some(75.0), Some(8)));
    }

    #[test]
    fn whoever_asks_again_is_told_how_fast_it_is() {
        let (mut paces, ours) = (Paces::default(), HashSet::new());
        let mut rate = |left, seconds| {
            let told = paces.take_note(vec![seen("a", left)], &ours, Duration::from_secs(seconds));
            let copy = told[0].copy.unwrap();
            (copy.bytes_per_second, copy.left_seconds)
        };
        assert_eq!(rate(1000, 0), (None, None));
        assert_eq!(rate(800, 2), (Some(100), Some(8)));
        assert!(paces.take_note(vec![], &ours, Duration::from_secs(3)).is_empty());
        assert!(paces.0.is_empty(), "what is over is forgotten");
    }
}
