//! The package's scripts, in a folder instead of a root file system, with stubs for what they call: nothing of this host is
//! touched.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

const DROP_IN: &str = "run/systemd/system/lvm2-lvmpolld.service.d/lvmwarden.conf";
const RECORD: &str = "var/lib/lvmwarden/taken-over";

/// A systemctl that knows the stock units as running, notes what it is told, and fails where the test wants that.
const SYSTEMCTL: &str = r#"#!/bin/sh
echo "systemctl $*" >> "$DPKG_ROOT/calls"
case "$*" in
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

    /// Runs a script; returns whether it was content, and what it has called.
    fn run(&self, script: &str, arguments: &[&str]) -> (bool, String) {
        let _ = fs::remove_file(self.path("calls"));
        let scripts = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../packaging/deb");
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        let ended = Command::new("/bin/sh")
            .arg(scripts.join(script))
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
