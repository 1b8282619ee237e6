//! Three nodes, with or without a corosync.

use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use tempfile::TempDir;

use crate::member::Member;
use crate::node::{NAMES, Node};

/// More than anything takes: a cluster forms in 4 s, a dead host is found in 4 s.
pub(crate) const PATIENCE: Duration = Duration::from_secs(25);

/// The cluster.
pub(crate) struct Cluster {
    // Dropped before their folder.
    pub(crate) nodes: Vec<Node>,
    folder: TempDir,
}

impl Cluster {
    /// Makes the nodes; none has a corosync that runs.
    pub(crate) fn without_corosync() -> Self {
        let root =
            env::var_os("LVMWARDEN_SANLOCK_ROOT").expect("LVMWARDEN_SANLOCK_ROOT says where corosync is");
        let root = PathBuf::from(root);
        let folder = TempDir::new().unwrap();
        let disk = folder.path().join("disk");
        fs::create_dir(&disk).unwrap();
        let nodes = (1..).zip(NAMES).map(|(id, name)| {
            let place = folder.path().join(name);
            fs::create_dir(&place).unwrap();
            Node::new(id, &place, &root, &disk)
        });
        Self { nodes: nodes.collect(), folder }
    }

    /// Makes the nodes and starts all three corosyncs.
    pub(crate) fn new() -> Self {
        let mut cluster = Self::without_corosync();
        for node in &mut cluster.nodes {
            node.start_corosync();
        }
        cluster
    }

    /// Returns the folder that all nodes share; it is `/disk` in a node.
    pub(crate) fn disk(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    /// Starts a member on each node; returns when all see all, quorate.
    pub(crate) fn members(&self) -> Vec<Member> {
        self.members_with(20_000)
    }

    /// The same, whose messages come back within this time.
    pub(crate) fn members_with(&self, delivery_limit_ms: u64) -> Vec<Member> {
        let members: Vec<_> = self.nodes.iter().map(|node| Member::start(node, delivery_limit_ms)).collect();
        settle(&members);
        members
    }
}

/// Waits until all these members see one another, in the same quorate ring, and nobody else.
#[track_caller]
pub(crate) fn settle(members: &[Member]) {
    let names: Vec<_> = members.iter().map(Member::name).collect();
    wait_for("a quorate group of all", || {
        let seen: Vec<_> = members.iter().map(Member::surroundings).collect();
        let first = seen[0].ring.clone();
        seen.iter().all(|seen| {
            seen.members == names
                && first.is_some()
                && seen.ring == first
                && seen.quorum == first.clone().map(|ring| (ring, true))
        })
    });
}

/// Waits until `is_so`; returns how long that took.
#[track_caller]
pub(crate) fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "waited too long for {what}");
        thread::sleep(Duration::from_millis(5));
    }
    start.elapsed()
}
