//! What an earlier life has written down stays, until the lock manager says that it is over.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_actors::roles::lock::adopt_file::AdoptFile;
use lvmwarden_actors::roles::lock::environment::Memory;
use lvmwarden_actors::roles::lock::lock_manager::dlm::{Cluster, DlmManager};
use lvmwarden_actors::roles::lock::lock_manager::test::TestManager;
use lvmwarden_protocol::lock::LockType;
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use super::daemon::{Daemon, LV, SOON, run};

const VG: &str = "QkKrkV-Ds14-R3ZO-jqL0-8cEo-4Gw4-uLXHc3";

/// What a C daemon has written before it was killed.
fn written(lock_type: &str) -> String {
    format!(
        "lvmlockd adopt_version 1.0 pid 277 updates 2 Fri Nov 20 23:28:16 2026\n\
         VG: {VG} vg0 {lock_type} 1.0.0:lab\nLV: {VG} {LV} dlm ex 0\n"
    )
}

/// A memory that is this file alone.
fn memory(path: &Path) -> Memory {
    Memory { journal: false, adopts: true, adopt_file: Some(AdoptFile::at(path.to_owned())) }
}

/// The files by which the kernel tells of the cluster; none of them is there.
fn cluster(folder: &Path) -> Cluster {
    let [config, kernel, debug] = ["config", "kernel", "debug"].map(|name| folder.join(name));
    Cluster { config, kernel, debug }
}

#[test]
fn what_is_remembered_of_a_dlm_that_cannot_be_asked_stays_until_dlm_says_that_it_is_gone() {
    run(async {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("adopt");
        fs::write(&path, written("dlm")).unwrap();
        let cluster = cluster(folder.path());
        fs::create_dir(&cluster.kernel).unwrap();
        let manager = Arc::new(DlmManager::new(cluster.clone()));
        let daemon = Daemon::with_memory(manager, false, memory(&path)).await;
        let remembered = || daemon.environment.unsettled.get("lvm_vg0", &daemon.environment.book);
        // That is more than one try.
        sleep(Duration::from_millis(1_500)).await;
        let booked = remembered().expect("dlm_controld does not run: nobody has said that it is gone");
        assert_eq!(booked.locks.locks().count(), 1);
        assert_eq!(fs::read_to_string(&path).unwrap(), written("dlm"));
        fs::create_dir_all(cluster.config.join("spaces")).unwrap();
        let forgotten = timeout(SOON, async {
            while remembered().is_some() {
                sleep(Duration::from_millis(20)).await;
            }
        });
        forgotten.await.expect("dlm says that it has no such lockspace");
    });
}

#[test]
fn an_adopt_file_that_cannot_be_used_is_kept_beside_before_it_is_written_over() {
    run(async {
        let odd = format!("{}LV: {VG} something else\n", written("dlm"));
        let newer = written("dlm").replace("1.0 pid", "2.0 pid");
        for content in ["no adopt file\n", &newer, &odd] {
            let folder = TempDir::new().unwrap();
            let path = folder.path().join("adopt");
            fs::write(&path, content).unwrap();
            let manager = Arc::new(TestManager::new(LockType::Dlm, "/nowhere"));
            let daemon = Daemon::with_memory(manager, true, memory(&path)).await;
            daemon.start_vg("vg1").await;
            assert_ne!(fs::read_to_string(&path).unwrap(), content, "it is written");
            let beside = fs::read_to_string(folder.path().join("adopt.unusable"));
            assert_eq!(beside.expect("it is kept"), content);
        }
    });
}

#[test]
fn an_adopt_file_that_cannot_be_kept_beside_is_not_written_over() {
    run(async {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("adopt");
        fs::write(&path, "no adopt file\n").unwrap();
        fs::create_dir(folder.path().join("adopt.unusable")).unwrap();
        let manager = Arc::new(TestManager::new(LockType::Dlm, "/nowhere"));
        let daemon = Daemon::with_memory(manager, true, memory(&path)).await;
        daemon.start_vg("vg1").await;
        assert_eq!(fs::read_to_string(&path).unwrap(), "no adopt file\n");
    });
}
