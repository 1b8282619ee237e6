//! An lvm that remembers: a shell script with the state of each VG in a file, and the devices of what is active in a folder that the
//! daemon takes for /sys.

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use lvmwarden_integration::service::{Launch, Service};
use lvmwarden_integration::site::Site;
use lvmwarden_integration::wait;
use serde_json::{Value, json};

/// How large an extent is, in bytes.
pub(crate) const EXTENT: u64 = 4 << 20;

const SCRIPT: &str = r#"#!/bin/sh
# FOLDER and SYS stand above.
command=$1
for last; do :; done
vg=${last%%/*}
case $command in lvrename) vg=$2 ;; esac
if [ ! -e "$FOLDER/$vg" ]; then echo "  Volume group \"$vg\" not found" >&2; exit 5; fi
. "$FOLDER/$vg"
save() {
    SEQNO=$((SEQNO + 1))
    printf 'SEQNO=%s\nBYTES=%s\nNAME=%s\nTAGS=%s\nLOCK=%s\nDEVICE=%s\n' "$SEQNO" "$BYTES" "$NAME" "$TAGS" "$LOCK" "$DEVICE" >"$FOLDER/.$vg"
    mv "$FOLDER/.$vg" "$FOLDER/$vg"
}
device() {
    mkdir -p "$SYS/block/$DEVICE/dm" "$SYS/block/$DEVICE/holders"
    echo "$vg-$NAME" >"$SYS/block/$DEVICE/dm/name"
    echo 0 >"$SYS/block/$DEVICE/dm/suspended"
    echo $((BYTES / 512)) >"$SYS/block/$DEVICE/size"
    echo "LVM-V${vg}L" >"$SYS/block/$DEVICE/dm/uuid"
}
is_active() { [ -e "$SYS/block/$DEVICE/dm/uuid" ]; }
case $command in
vgs)
    if [ -e "$FOLDER/before-report" ]; then . "$FOLDER/before-report"; fi
    if [ -e "$FOLDER/broken" ]; then cat "$FOLDER/broken" >&2; echo failed >>"$FOLDER/failed"; exit 5; fi
    echo "{\"report\":[{\"vg\":[{\"vg_name\":\"$vg\",\"vg_uuid\":\"V-$vg\",\"vg_seqno\":\"$SEQNO\",\"vg_extent_size\":\"4194304\",\"vg_free_count\":\"10\",\"vg_lock_type\":\"$LOCK\",\"vg_tags\":\"$TAGS\",\"vg_missing_pv_count\":\"0\"}]}]}"
    exit 0 ;;
lvs)
    echo "{\"report\":[{\"lv\":[{\"vg_uuid\":\"V-$vg\",\"vg_seqno\":\"$SEQNO\",\"lv_name\":\"$NAME\",\"lv_uuid\":\"L\",\"lv_size\":\"$BYTES\",\"lv_attr\":\"-wi-a-----\",\"lv_tags\":\"$TAGS\"}]}]}"
    exit 0 ;;
esac
echo "lvm $*" >>"$FOLDER/calls"
if [ -e "$FOLDER/before-$command" ]; then . "$FOLDER/before-$command"; fi
case $command in
lvextend)
    BYTES=$(($3 * 4194304)); save
    if is_active; then device; fi ;;
lvrename)
    NAME=$4; save
    if is_active; then device; fi ;;
vgchange | lvchange)
    case "$*" in
    *--addtag*) TAGS=$3; save ;;
    *--deltag*) TAGS=; save ;;
    *-asy*) device ;;
    *-an*) rm -r "$SYS/block/$DEVICE" ;;
    *--refresh*) device ;;
    esac ;;
esac
if [ -e "$FOLDER/after-$command" ]; then . "$FOLDER/after-$command"; fi
exit 0
"#;

/// The lvm of one test.
pub(crate) struct Lvm {
    folder: PathBuf,
    sys: PathBuf,
}

impl Lvm {
    /// Makes it, with the VG `vg0`, which has the LV `data` of two extents, active.
    pub(crate) fn new(site: &Site) -> Self {
        let lvm = Self { folder: site.path("vgs"), sys: site.sys_dir() };
        fs::create_dir_all(&lvm.folder).unwrap();
        let (folder, sys) = (lvm.folder.display(), lvm.sys.display());
        let head = format!("#!/bin/sh\nFOLDER='{folder}'\nSYS='{sys}'\n");
        fs::write(lvm.program(), head + SCRIPT).unwrap();
        fs::set_permissions(lvm.program(), Permissions::from_mode(0o755)).unwrap();
        lvm.add_vg("vg0", "none", "dm-0");
        lvm
    }

    /// Adds a VG with an LV `data` of two extents, active as `device`.
    pub(crate) fn add_vg(&self, vg: &str, lock_type: &str, device: &str) {
        let state =
            format!("SEQNO=7\nBYTES={}\nNAME=data\nTAGS=\nLOCK={lock_type}\nDEVICE={device}\n", 2 * EXTENT);
        fs::write(self.folder.join(vg), state).unwrap();
        self.put_device(vg, "data", 2 * EXTENT, device);
    }

    /// Makes the device of an LV as it is told.
    pub(crate) fn put_device(&self, vg: &str, lv: &str, bytes: u64, device: &str) {
        let place = self.sys.join("block").join(device);
        fs::create_dir_all(place.join("dm")).unwrap();
        let sectors = (bytes / 512).to_string();
        let files = [
            ("dm/name", format!("{vg}-{lv}")),
            ("dm/suspended", "0".to_owned()),
            ("size", sectors),
            ("dm/uuid", format!("LVM-V{vg}L")),
        ];
        for (file, text) in files {
            fs::write(place.join(file), text + "\n").unwrap();
        }
    }

    /// Returns the program.
    pub(crate) fn program(&self) -> PathBuf {
        self.folder.join("lvm")
    }

    /// Has `script` run before a command, or after it (`before-lvextend`, `after-lvextend`).
    pub(crate) fn hook(&self, name: &str, script: &str) {
        let path = self.folder.join(format!(".{name}"));
        fs::write(&path, script).unwrap();
        fs::rename(path, self.folder.join(name)).unwrap();
    }

    /// Has a command wait until [`Self::release`].
    pub(crate) fn hold(&self, name: &str) {
        let gate = self.folder.join("go");
        self.hook(name, &format!("while [ ! -e '{}' ]; do sleep 0.02; done\n", gate.display()));
    }

    /// Lets go whatever waits, now and later.
    pub(crate) fn release(&self) {
        fs::write(self.folder.join("go"), "").unwrap();
    }

    /// Takes a hook away.
    pub(crate) fn unhook(&self, name: &str) {
        fs::remove_file(self.folder.join(name)).unwrap();
    }

    /// Waits until lvm has failed to report anything, as it does while there is a file `broken` with its words.
    #[track_caller]
    pub(crate) fn await_failed_report(&self) {
        let failed = self.folder.join("failed");
        wait::until("a report that fails", wait::SOON, || failed.exists().then_some(()));
    }

    /// Has lvm report again.
    pub(crate) fn mend(&self) {
        fs::remove_file(self.folder.join("broken")).unwrap();
    }

    /// Tells whether the device of a VG's LV is suspended.
    pub(crate) fn is_suspended(&self, device: &str) -> bool {
        let file = self.sys.join("block").join(device).join("dm/suspended");
        fs::read_to_string(file).unwrap() == "1\n"
    }

    /// Returns the commands so far that were no reports.
    pub(crate) fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.folder.join("calls")).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }

    /// Waits for the first command that begins so.
    #[track_caller]
    pub(crate) fn await_call(&self, beginning: &str) {
        wait::until(beginning, wait::SOON, || {
            self.calls().iter().any(|call| call.starts_with(beginning)).then_some(())
        });
    }

    /// Returns a value of the state of a VG, such as `BYTES`.
    #[track_caller]
    pub(crate) fn state(&self, vg: &str, name: &str) -> String {
        let state = fs::read_to_string(self.folder.join(vg)).unwrap();
        let value = state.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        value.unwrap_or_else(|| panic!("{name} is in {state}")).to_owned()
    }

    /// Returns how large the device of a VG's LV is; `None`: it is not active.
    pub(crate) fn device_bytes(&self, device: &str) -> Option<u64> {
        let sectors = fs::read_to_string(self.sys.join("block").join(device).join("size")).ok()?;
        Some(sectors.trim().parse::<u64>().unwrap() * 512)
    }

    /// Returns what something on the device's top is called.
    pub(crate) fn put_holder(&self, device: &str, holder: &str) {
        fs::create_dir_all(self.sys.join("block").join(device).join("holders").join(holder)).unwrap();
    }
}

/// Prepares the service with the role and this lvm.
pub(crate) fn service<'site>(site: &'site Site, lvm: &Lvm) -> Launch<'site> {
    let program = quoted(&lvm.program());
    site.service().set("service.roles", r#"["reconfigure"]"#).set("reconfigure.binary", &program)
}

fn quoted(path: &Path) -> String {
    format!("{:?}", path.to_str().unwrap())
}

pub(crate) const INTERFACE: &str = "org.lvmwarden.Reconfigure";

/// Returns a method's full name.
pub(crate) fn method(name: &str) -> String {
    format!("{INTERFACE}.{name}")
}

/// Returns the goal that `vg0/data` has so many extents.
pub(crate) fn resize(vg: &str, extents: u64) -> Value {
    json!({"kind": "resize", "vgname": vg, "lvnames": ["data"], "size_bytes": extents * EXTENT})
}

/// Asks for a change, and returns it.
#[track_caller]
pub(crate) fn propose(service: &Service, goal: &Value) -> Value {
    service.call(&method("Propose"), &json!({ "goal": goal }))["change"].take()
}

/// Asks for a change, and returns it when it is over.
#[track_caller]
pub(crate) fn change(service: &Service, goal: &Value) -> Value {
    let change = propose(service, goal);
    end_of(service, change["id"].as_str().unwrap())
}

/// Returns a change when it is over.
#[track_caller]
pub(crate) fn end_of(service: &Service, id: &str) -> Value {
    let wait = json!({"id": id, "timeout_ms": 14_000});
    let change = service.call(&method("Wait"), &wait)["change"].take();
    assert_eq!(change["phase"], "ended", "{change}");
    change
}

/// Returns the error that a call is refused with, without the interface, and its parameters.
#[track_caller]
pub(crate) fn refusal(service: &Service, name: &str, parameters: &Value) -> (String, Value) {
    let mut reply = service.try_call(&method(name), parameters);
    let error = reply["error"].as_str().unwrap_or_else(|| panic!("{name} is refused: {reply}"));
    let error = error.strip_prefix(INTERFACE).and_then(|rest| rest.strip_prefix('.'));
    (error.unwrap_or_else(|| panic!("{reply}")).to_owned(), reply["parameters"].take())
}

/// Returns the kinds of the events of changes so far, with their subjects.
pub(crate) fn events(service: &Service) -> String {
    let recent = service.call("org.lvmwarden.Events.Recent", &json!({}));
    let mut told = String::new();
    for event in recent["events"].as_array().unwrap() {
        if let Some(kind) = event["kind"].as_str().unwrap().strip_prefix("reconfigure.") {
            write!(told, "{kind} ").unwrap();
        }
    }
    told
}
