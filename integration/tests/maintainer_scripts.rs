//! The package's scripts, in a folder instead of a root file system, with stubs for what they call: nothing of this host is
//! touched.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

const DROP_IN: &str = "run/systemd/system/lvm2-lvmpolld.service.d/lvmwarden.conf";
const RECORD: &str = "var/lib/lvmwarden/taken-over";

/// A systemctl that knows the stock units as running, notes what it is told, and fails where the test wants that.
const SYSTEMCTL: &str = r#"#!/bin/sh
echo "systemctl $*" >> "$DPKG_ROOT/calls"
case "$*" in
    *is-active*lvmwardend-lvmlockd.socket) [ -e "$DPKG_ROOT/lock-socket" ] || exit 3 ;;
    "start lvmwardend-lvmlockd.socket") touch "$DPKG_ROOT/lock-socket" ;;
    *is-enabled*) echo enabled ;;
    *is-active*) echo active ;;
    stop*) [ ! -e "$DPKG_ROOT/kill" ] || { rm "$DPKG_ROOT/kill"; kill -9 "$PPID"; }
           [ ! -e "$DPKG_ROOT/fail" ] || exit 1 ;;
esac
"#;
const NOTHING: &str = "#!/bin/sh\necho \"${0##*/} $*\" >> \"$DPKG_ROOT/calls\"\n";

/// A host with a booted systemd, in a folder.
struct Host(TempDir);

impl Host {
    fn new() -> Self {
        let host = Self(tempfile::tempdir().unwrap());
        for folder in ["bin", "run/systemd/system", "var/lib"] {
            fs::create_dir_all(host.path(folder)).unwrap();
        }
        let helpers = ["systemd-sysusers", "systemd-tmpfiles", "deb-systemd-helper", "deb-systemd-invoke"];
        for (name, text) in helpers.map(|name| (name, NOTHING)).into_iter().chain([("systemctl", SYSTEMCTL)])
        {
            let program = host.path("bin").join(name);
            fs::write(&program, text).unwrap();
            fs::set_permissions(program, Permissions::from_mode(0o755)).unwrap();
        }
        host
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), "").unwrap();
    }

    /// Has a program of this name print a line.
    fn prints(&self, name: &str, line: &str) {
        let program = self.path("bin").join(name);
        fs::write(&program, format!("#!/bin/sh\necho \"{line}\"\n")).unwrap();
        fs::set_permissions(program, Permissions::from_mode(0o755)).unwrap();
    }

    /// Runs a script; returns whether it was content, and what it has called.
    fn run(&self, script: &str, arguments: &[&str]) -> (bool, String) {
        let _ = fs::remove_file(self.path("calls"));
        let scripts = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../packaging/deb");
        self.run_program(&scripts.join(script), arguments)
    }

    /// Turns the lock role on or off; returns whether it was content, and what it has called.
    fn lock_role(&self, word: &str) -> (bool, String) {
        let _ = fs::remove_file(self.path("calls"));
        let packaging = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../packaging");
        self.run_program(&packaging.join("sbin/lvmwarden-lock-role"), &[word])
    }

    fn run_program(&self, program: &Path, arguments: &[&str]) -> (bool, String) {
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        let ended = Command::new("/bin/sh")
            .arg(program)
            .args(arguments)
            .env("PATH", path)
            .env("DPKG_ROOT", self.0.path())
            .status()
            .unwrap();
        (ended.success(), fs::read_to_string(self.path("calls")).unwrap_or_default())
    }
}

const STOP: &str = "systemctl stop lvm2-lvmpolld.socket lvm2-lvmpolld.service\n";
const MASK: &str = "systemctl mask --quiet lvm2-lvmpolld.socket lvm2-lvmpolld.service\n";

#[test]
fn a_configure_that_was_killed_half_way_is_redone_by_the_next_and_then_no_more() {
    let host = Host::new();
    host.write("kill");
    let (content, calls) = host.run("postinst", &["configure", ""]);
    assert!(!content && !calls.contains(MASK), "{calls}");
    assert!(host.path(DROP_IN).exists() && host.path(RECORD).exists());

    let (content, calls) = host.run("postinst", &["configure", ""]);
    assert!(content && calls.contains(STOP) && calls.contains(MASK), "{calls}");
    assert!(!host.path(DROP_IN).exists(), "the stock daemon would leave its children for ever");

    let (content, calls) = host.run("postinst", &["configure", "0.1.0-1"]);
    assert!(content && !calls.contains("systemctl stop") && !calls.contains("mask"), "{calls}");
}

#[test]
fn stock_units_that_cannot_be_stopped_are_stopped_by_the_next_configure() {
    let host = Host::new();
    host.write("fail");
    assert!(host.run("postinst", &["configure", ""]).0, "the service itself is of use nevertheless");
    assert!(!host.path(DROP_IN).exists());
    fs::remove_file(host.path("fail")).unwrap();
    let (content, calls) = host.run("postinst", &["configure", "0.1.0-1"]);
    assert!(content && calls.contains(STOP) && calls.contains(MASK), "{calls}");
}

#[test]
fn the_drop_in_is_gone_after_every_script_whatever_it_is_called_for() {
    for (script, arguments) in [
        ("postinst", &["configure", "0.1.0-1"][..]),
        ("postinst", &["abort-upgrade", "0.1.0-2"]),
        ("postinst", &["abort-remove"]),
        ("postinst", &["abort-deconfigure", "in-favour", "x", "1"]),
        ("postinst", &["nonsense"]),
        ("prerm", &["remove"]),
        ("prerm", &["upgrade", "0.1.0-2"]),
        ("prerm", &["failed-upgrade", "0.1.0-1"]),
        ("prerm", &["deconfigure", "in-favour", "x", "1"]),
        ("postrm", &["remove"]),
        ("postrm", &["purge"]),
        ("postrm", &["upgrade", "0.1.0-2"]),
        ("postrm", &["failed-upgrade", "0.1.0-1"]),
        ("postrm", &["abort-install"]),
        ("postrm", &["abort-upgrade", "0.1.0-1"]),
        ("postrm", &["disappear", "x", "1"]),
    ] {
        let host = Host::new();
        host.write(DROP_IN);
        let (_, calls) = host.run(script, arguments);
        assert!(!host.path(DROP_IN).exists(), "{script} {arguments:?}");
        assert!(calls.contains("systemctl daemon-reload"), "{script} {arguments:?}: {calls}");
    }
}

#[test]
fn what_was_taken_is_given_back_once_on_every_way_out_of_the_package() {
    for way in ["remove", "purge", "abort-install", "disappear"] {
        let host = Host::new();
        assert!(host.run("postinst", &["configure", ""]).0);
        let (content, calls) = host.run("postrm", &[way]);
        assert!(content, "{way}");
        for unit in ["lvm2-lvmpolld.socket", "lvm2-lvmpolld.service"] {
            assert!(
                calls.contains(&format!("systemctl unmask --quiet {unit}\nsystemctl start {unit}\n")),
                "{calls}"
            );
        }
        assert!(!host.path(RECORD).exists(), "{way}");
        assert!(!host.run("postrm", &[way]).1.contains("unmask"), "{way}: once");
        assert!(
            host.run("postinst", &["configure", ""]).1.contains(MASK),
            "{way}: a new installation takes over anew"
        );
    }
}

const LOCK_RECORD: &str = "var/lib/lvmwarden/taken-over-lock";
const MASK_LOCKD: &str = "systemctl mask --quiet lvmlockd.service\n";
const GIVE_LOCKD_BACK: &str = "systemctl unmask --quiet lvmlockd.service\nsystemctl start lvmlockd.service\n";

#[test]
fn a_lock_role_that_was_killed_while_it_was_turned_on_is_turned_on_by_the_next_and_given_back_once() {
    let host = Host::new();
    host.write("kill");
    let (content, calls) = host.lock_role("on");
    assert!(!content && !calls.contains(MASK_LOCKD), "{calls}");
    assert!(host.path(LOCK_RECORD).exists(), "what was there is written down before anything is changed");

    let (content, calls) = host.lock_role("on");
    let order = [
        "systemctl stop lvmlockd.service\n",
        MASK_LOCKD,
        "systemctl enable --quiet lvmwardend-lvmlockd.socket\n",
        "systemctl stop lvmwardend.service\n",
        "systemctl start lvmwardend-lvmlockd.socket\n",
        "systemctl start lvmwardend.service\n",
    ];
    let places: Vec<_> = order.iter().map(|call| calls.find(call)).collect();
    assert!(content && places.iter().all(Option::is_some) && places.is_sorted(), "{calls}");
    let (content, calls) = host.lock_role("on");
    assert!(content && !calls.contains("lvmwardend.service"), "it is on: {calls}");

    let (content, calls) = host.lock_role("off");
    assert!(content && calls.contains("systemctl restart lvmwardend.service\n"), "{calls}");
    assert!(calls.contains(GIVE_LOCKD_BACK) && !host.path(LOCK_RECORD).exists(), "{calls}");
    assert!(!host.lock_role("off").1.contains("unmask"), "once");
}

#[test]
fn the_lock_role_changes_hands_only_while_no_shared_vg_is_started() {
    let host = Host::new();
    host.prints("lvmlockctl", "VG vg0 lock_type=sanlock uuid");
    let (content, calls) = host.lock_role("on");
    assert!(!content && !calls.contains("systemctl stop") && !calls.contains("mask"), "{calls}");
    assert!(!host.path(LOCK_RECORD).exists());

    host.prints("lvmwarden", "VG   TYPE     STATE");
    let (content, calls) = host.lock_role("off");
    assert!(!content && calls.is_empty(), "{calls}");
    let (content, calls) = host.run("prerm", &["remove"]);
    assert!(!content && !calls.contains("stop"), "a removal would leave them locked for ever: {calls}");
    host.prints("lvmwarden", "no shared VG is started on this host");
    assert!(host.run("prerm", &["remove"]).0);
}

#[test]
fn a_removal_gives_the_lock_daemon_back_as_well() {
    let host = Host::new();
    assert!(host.run("postinst", &["configure", ""]).0 && host.lock_role("on").0);
    let (content, calls) = host.run("postrm", &["remove"]);
    assert!(content && calls.contains(GIVE_LOCKD_BACK), "{calls}");
    assert!(!host.path(LOCK_RECORD).exists());
}

#[test]
fn a_removal_stops_each_unit_and_a_purge_forgets_it() {
    let units = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/systemd");
    let units = fs::read_dir(units).unwrap().map(|unit| unit.unwrap().file_name().into_string().unwrap());
    // An instance of a template is whose unit requires it.
    let units: Vec<_> = units.filter(|unit| !unit.contains('@')).collect();
    let host = Host::new();
    let (content, stopped) = host.run("prerm", &["remove"]);
    assert!(content);
    let (content, purged) = host.run("postrm", &["purge"]);
    assert!(content);
    let stopped = stopped.lines().find(|line| line.starts_with("deb-systemd-invoke stop")).unwrap();
    for unit in &units {
        assert!(stopped.split(' ').any(|word| word == unit), "{unit} is not stopped: {stopped}");
        assert!(
            purged.lines().any(|line| *line == format!("deb-systemd-helper purge {unit}")),
            "{unit}: {purged}"
        );
    }
}
