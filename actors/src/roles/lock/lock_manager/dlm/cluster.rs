//! What the kernel tells about the cluster: the files of configfs, which `dlm_controld` fills, of sysfs and of debugfs.
//!
//! Source: Linux 6.1, `fs/dlm/config.c`, `fs/dlm/lockspace.c`, `fs/dlm/debug_fs.c`.

use std::collections::BTreeSet;
use std::ffi::c_int;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use lvmwarden_protocol::lock::{LockMode, ResultCode};

use super::super::{Fault, Owner};
use super::holders;

/// Where the kernel's files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// dlm's folder in configfs.
    pub config: PathBuf,
    /// dlm's folder in sysfs: a folder for each lockspace that the kernel has, whether `dlm_controld` lives or not.
    pub kernel: PathBuf,
    /// dlm's folder in debugfs.
    pub debug: PathBuf,
}

impl Default for Cluster {
    fn default() -> Self {
        Self {
            config: "/sys/kernel/config/dlm/cluster".into(),
            kernel: "/sys/kernel/dlm".into(),
            debug: "/sys/kernel/debug/dlm".into(),
        }
    }
}

impl Cluster {
    /// Returns the cluster's name.
    ///
    /// # Errors
    /// [`ResultCode::MANAGER`]: dlm does not run.
    pub(super) fn name(&self) -> Result<String, Fault> {
        let name = fs::read_to_string(self.config.join("cluster_name")).map_err(|error| {
            Fault::new(ResultCode::MANAGER, format!("find the name of the cluster: {error}"))
        })?;
        Ok(name.trim_end().to_owned())
    }

    /// Returns the names of the lockspaces that this node is in, by the cluster's files or by the kernel's own: only
    /// what neither of them has is not there.
    ///
    /// # Errors
    /// [`ResultCode::MANAGER`]: one of them cannot be read, as without `dlm_controld`, or where configfs is not mounted.
    pub(super) fn lockspaces(&self) -> Result<BTreeSet<String>, Fault> {
        let list = |folder: PathBuf| {
            names_in(&folder).map_err(|error| {
                let text = format!("list the lockspaces in {}: {error}", folder.display());
                Fault::new(ResultCode::MANAGER, text)
            })
        };
        let (joined, kept) = (list(self.config.join("spaces"))?, list(self.kernel.clone())?);
        Ok(joined.into_iter().chain(kept).collect())
    }

    /// Returns how many nodes are in a lockspace, with this one.
    ///
    /// # Errors
    /// [`ResultCode::REFUSED`]: this node is not in it.
    pub(super) fn count_nodes(&self, lockspace: &str) -> Result<usize, Fault> {
        let nodes = names_in(&self.config.join("spaces").join(lockspace).join("nodes"));
        let nodes = nodes.map_err(|error| {
            Fault::new(ResultCode::REFUSED, format!("list the nodes in {lockspace}: {error}"))
        })?;
        Ok(nodes.len())
    }

    /// Returns the id of this node.
    pub(super) fn own_node(&self) -> Option<c_int> {
        let nodes = self.config.join("comms");
        names_in(&nodes).ok()?.into_iter().map(|node| nodes.join(node)).find_map(|node| {
            (read_number(&node.join("local"))? == 1).then(|| read_number(&node.join("nodeid")))?
        })
    }

    /// Returns the names of the locks in a lockspace that this node holds, and their modes; `None` where the kernel does not
    /// tell.
    pub(super) fn own_locks(&self, lockspace: &str) -> Option<Vec<(String, LockMode)>> {
        let locks = fs::read_to_string(self.debug.join(format!("{lockspace}_locks"))).ok()?;
        Some(holders::own_locks(&locks))
    }

    /// Finds out which other node holds a lock: only the node that keeps the list of its holders is told.
    pub(super) fn holder(&self, lockspace: &str, resource: &str) -> Option<Owner> {
        let locks = fs::read_to_string(self.debug.join(format!("{lockspace}_locks"))).ok()?;
        let host_id = holders::other_holder(&locks, resource)?;
        Some(Owner { host_id, generation: 0, timestamp: 0, state: "LIVE".to_owned(), name: String::new() })
    }
}

fn names_in(folder: &Path) -> io::Result<Vec<String>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

fn read_number(path: &Path) -> Option<c_int> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn empty() -> (TempDir, Cluster) {
        let folder = TempDir::new().unwrap();
        let [config, kernel, debug] = ["config", "kernel", "debug"].map(|name| folder.path().join(name));
        (folder, Cluster { config, kernel, debug })
    }

    /// A folder with files as the kernel has them on node 2 of a cluster of two.
    fn cluster() -> (TempDir, Cluster) {
        let (folder, cluster) = empty();
        for (path, text) in [
            ("cluster_name", "lab\n"),
            ("comms/1/nodeid", "1\n"),
            ("comms/1/local", "0\n"),
            ("comms/2/nodeid", "2\n"),
            ("comms/2/local", "1\n"),
            ("spaces/lvm_vg/nodes/1/nodeid", "1\n"),
            ("spaces/lvm_vg/nodes/2/nodeid", "2\n"),
        ] {
            let path = cluster.config.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        fs::create_dir_all(cluster.kernel.join("lvm_vg")).unwrap();
        (folder, cluster)
    }

    fn lockspaces(cluster: &Cluster) -> Result<Vec<String>, ResultCode> {
        cluster.lockspaces().map(|all| all.into_iter().collect()).map_err(|fault| fault.code)
    }

    #[test]
    fn what_configfs_tells() {
        let (_folder, cluster) = cluster();
        assert_eq!(cluster.name().unwrap(), "lab");
        assert_eq!(lockspaces(&cluster), Ok(vec!["lvm_vg".to_owned()]));
        assert_eq!(cluster.count_nodes("lvm_vg").unwrap(), 2);
        assert_eq!(cluster.own_node(), Some(2));
    }

    #[test]
    fn a_lockspace_is_gone_only_where_neither_the_cluster_nor_the_kernel_has_it() {
        let (_folder, cluster) = cluster();
        fs::remove_dir_all(cluster.config.join("spaces/lvm_vg")).unwrap();
        assert_eq!(lockspaces(&cluster), Ok(vec!["lvm_vg".to_owned()]));
        fs::remove_dir(cluster.kernel.join("lvm_vg")).unwrap();
        assert_eq!(lockspaces(&cluster), Ok(vec![]));
        fs::create_dir(cluster.config.join("spaces/lvm_vg")).unwrap();
        assert_eq!(lockspaces(&cluster), Ok(vec!["lvm_vg".to_owned()]));
    }

    #[test]
    fn where_dlm_cannot_be_asked_nobody_says_that_there_is_no_lockspace() {
        for missing in ["spaces", "", "../kernel"] {
            let (_folder, cluster) = cluster();
            fs::remove_dir_all(cluster.config.join(missing)).unwrap();
            assert_eq!(lockspaces(&cluster), Err(ResultCode::MANAGER), "without {missing:?}");
        }
    }

    #[test]
    fn without_dlm_nothing_is_told() {
        let (_folder, cluster) = empty();
        assert_eq!(cluster.name().unwrap_err().code, ResultCode::MANAGER);
        assert_eq!(lockspaces(&cluster), Err(ResultCode::MANAGER));
        assert_eq!(cluster.count_nodes("lvm_vg").unwrap_err().code, ResultCode::REFUSED);
        assert_eq!(cluster.own_node(), None);
        assert_eq!(cluster.holder("lvm_vg", "VGLK"), None);
    }
}
