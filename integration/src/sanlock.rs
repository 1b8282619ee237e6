//! A daemon of sanlock of a test's own, with leases in files: what the lock role has to do with when a disk is lost.
//!
//! sanlock is unpacked, not installed: `$LVMWARDEN_SANLOCK_ROOT` says where, as for the tests of the lock manager.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::lab::lock_packages;
use crate::lock_client::{LockClient, ask};
use crate::service::Launch;
use crate::wait;

/// The I/O timeout with which lockspaces are to be joined.
pub const IO_TIMEOUT_SECONDS: &str = "1";
/// The time from the kill program to the first signal.
const GRACE_SECONDS: &str = "2";
/// More than a join takes: some I/O timeouts.
const JOIN_PATIENCE: Duration = Duration::from_secs(40);
const ARGS: &str = "1.0.0:lvmlock";
/// The first place for the lease of an LV.
const LV_ARGS: &str = "1.0.0:70254592";
/// Room for the leases of a VG, in MiB.
const LEASES_MIB: u64 = 80;

/// A daemon of sanlock; killed when dropped.
#[derive(Debug)]
#[must_use]
pub struct Sanlock {
    folder: PathBuf,
    run: PathBuf,
    root: PathBuf,
    daemon: Child,
}

impl Sanlock {
    /// Starts one in a new folder.
    ///
    /// # Panics
    /// When sanlock cannot be had or does not start.
    pub fn start(folder: PathBuf) -> Self {
        Self::of_host(folder, 1)
    }

    /// Starts that of another host, with the same disks.
    ///
    /// # Panics
    /// When it does not start.
    pub fn beside(&self) -> Self {
        Self::of_host(self.folder.clone(), 2)
    }

    fn of_host(folder: PathBuf, number: u32) -> Self {
        let given = std::env::var_os("LVMWARDEN_SANLOCK_ROOT").map(PathBuf::from);
        let root = given.unwrap_or_else(|| lock_packages::root().expect("Debian's packages can be had"));
        let run = folder.join(format!("run-{number}"));
        for made in [&folder.join("mapper"), &run] {
            fs::create_dir_all(made).expect("the folder is ours");
        }
        let mut command = Command::new(root.join("usr/sbin/sanlock"));
        // In the foreground, without watchdog, locked memory, priority, other users, or a log but its standard error.
        command.args("daemon -D -w 0 -l 0 -h 0 -U root -G root -L -1 -S -1 -e".split(' '));
        command.arg(format!("host-{number}")).arg("-g");
        command.arg(GRACE_SECONDS).envs(environment(&root, &run)).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(File::create(run.join("log")).expect("the folder is ours"));
        let daemon = command.spawn().expect("sanlock can be started");
        wait::until("sanlock's socket", wait::SOON, || UnixStream::connect(run.join("sanlock.sock")).ok());
        let kill_program = folder.join("kill-program");
        let script = format!("#!/bin/sh\necho \"$*\" >> {}\n", folder.join("killed").display());
        fs::write(&kill_program, script).expect("the folder is ours");
        fs::set_permissions(&kill_program, fs::Permissions::from_mode(0o700)).expect("it is ours");
        Self { folder, run, root, daemon }
    }

    /// Lets a service use this sanlock and these disks, and nothing else.
    pub fn serves<'site>(&self, launch: Launch<'site>) -> Launch<'site> {
        let quoted = |path: PathBuf| format!("{:?}", path.to_str().expect("a test's paths are text"));
        let launch = launch
            .environment("LVMWARDEN_DEVICE_FOLDER", &self.folder.join("mapper").to_string_lossy())
            .set("lock.io_timeout_seconds", IO_TIMEOUT_SECONDS)
            .set("lock.kill_program", &quoted(self.folder.join("kill-program")));
        let add = |launch: Launch<'site>, (name, value): (&str, PathBuf)| {
            launch.environment(name, value.to_str().expect("a test's paths are text"))
        };
        environment(&self.root, &self.run).into_iter().fold(launch, add)
    }

    /// Makes a VG with one LV, through a lock daemon that uses this sanlock; the LV's lock is held from then on.
    #[track_caller]
    pub fn locked_lv(&self, client: &mut LockClient, vg: &str) {
        self.disk(vg);
        let init = "vg_lock_type =\"sanlock\"\nvg_lock_args =\"lvmlock\"\nopts =\"none\"\n";
        assert_eq!(client.result(ask::of_vg("init_vg", vg, init)), 0);
        assert_eq!(client.result(ask::start_vg_of_type(vg, "sanlock", ARGS, 1, "none")), 0);
        wait::until("the lockspace", JOIN_PATIENCE, || {
            (client.result(ask::lock_vg(vg, "un")) == -2).then_some(())
        });
        let uuid = ask::uuid("lv");
        let init = format!("lv_uuid =\"{uuid}\"\nvg_lock_type =\"sanlock\"\nvg_lock_args =\"{ARGS}\"\n");
        let made = client.ask(ask::of_vg("init_lv", vg, &init));
        assert_eq!((made.result(), made.field("lv_lock_args")), (0, Some(LV_ARGS)));
        assert_eq!(client.result(lock_lv(vg, "ex")), 0);
    }

    /// Makes the disk with the leases of a VG; nothing is on it.
    pub fn disk(&self, vg: &str) {
        let file = File::create(self.path_of(vg)).expect("the folder is ours");
        file.set_len(LEASES_MIB << 20).expect("a file can grow");
    }

    /// Loses the disk with the leases of a VG.
    pub fn lose_disk(&self, vg: &str) {
        let file = File::options().write(true).open(self.path_of(vg)).expect("it is there");
        file.set_len(0).expect("a file can shrink");
    }

    /// Hides the device with the leases of a VG from the service; sanlock has it open and goes on with it.
    pub fn hide_disk(&self, vg: &str) {
        fs::rename(self.path_of(vg), self.folder.join(vg)).expect("it is there");
    }

    /// Brings it back.
    pub fn show_disk(&self, vg: &str) {
        fs::rename(self.folder.join(vg), self.path_of(vg)).expect("it was hidden");
    }

    /// Brings it back as that of a VG that was renamed.
    pub fn show_disk_as(&self, vg: &str, new: &str) {
        fs::rename(self.folder.join(vg), self.path_of(new)).expect("it was hidden");
    }

    /// Returns the arguments with which sanlock has run the kill program, a line each.
    pub fn killed(&self) -> String {
        fs::read_to_string(self.folder.join("killed")).unwrap_or_default()
    }

    /// Returns what sanlock has logged.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.run.join("log")).unwrap_or_default()).into_owned()
    }

    fn path_of(&self, vg: &str) -> PathBuf {
        self.folder.join("mapper").join(format!("{vg}-lvmlock"))
    }
}

/// Asks for the lock of the LV of a VG, beyond the life of the command.
pub fn lock_lv(vg: &str, mode: &str) -> String {
    let uuid = ask::uuid("lv");
    format!(
        "request=\"lock_lv\"\ncmd =\"lvchange\"\npid =1\nmode =\"{mode}\"\nopts =\"persistent\"\nvg_name =\"{vg}\"\n\
         lv_name =\"lv\"\nlv_uuid =\"{uuid}\"\nvg_lock_type =\"sanlock\"\nvg_lock_args =\"{ARGS}\"\n\
         lv_lock_args =\"{LV_ARGS}\"\n"
    )
}

fn environment(root: &Path, run: &Path) -> [(&'static str, PathBuf); 3] {
    [
        ("LD_LIBRARY_PATH", root.join("usr/lib/x86_64-linux-gnu")),
        ("SANLOCK_RUN_DIR", run.to_owned()),
        ("SANLOCK_PRIVILEGED", "0".into()),
    ]
}

impl Drop for Sanlock {
    fn drop(&mut self) {
        // It may be gone.
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}
