//! Stock `lvm` commands and `lvmlockctl` on one host: each says the same with our lock daemon as with the C daemon.

use anyhow::{Result, ensure};
use lvmwarden_integration::lab::disks::Disk;
use lvmwarden_integration::lab::guest::Guest;
use lvmwarden_integration::lab::hub::Hub;
use lvmwarden_integration::lab::lock_host::{Lockd, Manager};
use lvmwarden_integration::lab::polld::Polld;
use lvmwarden_integration::lab::story::tell;
use std::fmt::Write;
use std::time::Duration;

#[test]
fn commands_say_the_same_with_both_daemons_over_sanlock() -> Result<()> {
    in_a_guest(Manager::Sanlock)
}

#[test]
fn commands_say_the_same_with_both_daemons_over_dlm() -> Result<()> {
    in_a_guest(Manager::Dlm)
}

/// What is typed, from disks that nobody uses to disks that nobody uses.
const COMMANDS: [&str; 48] = [
    "lvmlockctl --info; vgs; pvs",
    "vgcreate --shared vg /dev/vda /dev/vdb",
    "lvmlockctl --info",
    "vgs -o+lock_type,lock_args",
    "vgchange --lock-stop vg",
    "lvmlockctl --info; vgs; lvs",
    "vgchange --lock-start vg",
    "lvcreate -an -Zn -L 64M -n lv1 vg",
    "lvcreate -L 32M -n lv2 vg",
    "lvchange -aey vg/lv1",
    "lvchange -asy vg/lv1",
    "lvextend -L +32M vg/lv1",
    "lvmlockctl --info",
    "lvchange -an vg/lv1",
    "lvchange -aey vg/lv1",
    "lvextend -L +32M vg/lv1",
    "pvmove -i 1 -n lv1 /dev/vda /dev/vdb",
    "lvs -a -o+devices,lock_args vg",
    "lvmlockctl --info",
    "lvchange -an vg/lv1",
    "lvrename vg/lv1 vg/lv3",
    "lvchange --addtag t vg/lv3",
    "vgchange --addtag t vg",
    "lvremove -y vg/lv3",
    "lvs vg; vgs; pvs",
    // The global lock.
    "lvmlockctl --gl-disable vg",
    "lvmlockctl --info; vgs",
    "lvmlockctl --gl-enable vg",
    "lvmlockctl --info; vgs",
    "lvmlockctl --gl-enable nosuch; lvmlockctl --drop nosuch; lvmlockctl --kill nosuch",
    // Lost locks.
    "lvmlockctl --kill vg",
    "lvmlockctl --info",
    "lvs vg; lvcreate -L 32M -n x vg",
    "lvchange -an vg/lv2",
    "lvmlockctl --drop vg",
    "lvmlockctl --info; lvcreate -L 32M -n x vg",
    "vgchange --lock-start vg",
    "lvchange -aey vg/lv2",
    "lvmlockctl --info",
    // In use, and no more.
    "lvmlockctl --quit; lvmlockctl --stop-lockspaces --wait 0; lvmlockctl --info",
    "lvremove -y vg/lv2",
    "lvmlockctl --stop-lockspaces",
    "lvmlockctl --info",
    "vgchange --lock-start vg",
    // For some seconds after a start ours does not know of each other host whether it lives, and says that it may.
    "for turn in $(seq 20); do vgremove vg 2> /run/vgremove && break; sleep 1; done; cat /run/vgremove",
    "lvmlockctl --info; pvs",
    "for disk in /dev/vda /dev/vdb; do dd if=/dev/zero of=$disk bs=1M count=2 oflag=direct status=none; done",
    "lvmlockctl --dump | grep -q . && echo said; lvmlockctl --stop-lockspaces; lvmlockctl --quit",
];

fn in_a_guest(manager: Manager) -> Result<()> {
    let disks = [Disk::create(1024)?, Disk::create(1024)?];
    let hub = Hub::start()?;
    tell(&Guest::boot(&disks, &hub.host(1))?, |guest| {
        guest.start_manager(manager, 1)?;
        let theirs = story(guest, Lockd::C, Polld::Stock, manager)?;
        let ours = story(guest, Lockd::Ours, Polld::Ours, manager)?;
        let differences = differences(&theirs, &ours);
        ensure!(differences.is_empty(), "{differences}");
        Ok(())
    })
}

fn story(guest: &Guest, lockd: Lockd, polld: Polld, manager: Manager) -> Result<Vec<String>> {
    guest.note(&format!("with {lockd:?}"));
    guest.start_lockd(lockd, manager)?;
    let poll_daemon = guest.start_polld(polld)?;
    let answers = COMMANDS.into_iter().map(|command| said_by(guest, command)).collect::<Result<_>>()?;
    poll_daemon.stop()?;
    guest.wait_until("the lock daemon has ended", Duration::from_secs(10), || {
        ensure!(guest.run("test -e /run/lvmlockd.pid")?.code != 0, "its pid file is there");
        Ok(())
    })?;
    Ok(answers)
}

/// Runs `command` and returns how it ended and what it said, without what is another each time.
fn said_by(guest: &Guest, command: &str) -> Result<String> {
    if command.contains("--info") {
        // A lockspace that is on its way out is still shown, for a moment.
        guest.sh("for turn in $(seq 50); do lvmlockctl --info | grep -q REM: || break; sleep 0.1; done")?;
    }
    let outcome = guest.run(command)?;
    let mut text = format!("exit code {}\n", outcome.code);
    // Resources are listed in no order.
    let mut lines: Vec<String> = outcome.stdout.lines().map(plain).collect();
    if command.contains("--info") {
        lines = without_global_lockspace(&lines);
        lines.sort();
    }
    // How far a copy is when it is looked at. When a lock that nobody has is no longer shown.
    lines.retain(|line| !line.contains(": Moved: ") && !line.starts_with("LK GL un"));
    for line in lines {
        let _ = writeln!(text, "{line}");
    }
    // As long as udev looks at a device.
    for line in outcome.stderr.lines().filter(|line| !line.contains("Device or resource busy")) {
        let _ = writeln!(text, "stderr: {}", plain(line));
    }
    Ok(text)
}

/// Returns `line` with a word instead of each UUID of LVM.
fn plain(line: &str) -> String {
    line.split(' ').map(|word| if is_uuid(word) { "UUID" } else { word }).collect::<Vec<_>>().join(" ")
}

/// Returns what `lvmlockctl --info` says without dlm's global lockspace. The C daemon leaves words of it out, and forgets to
/// leave it after the last group was dropped or removed; it leaves it early when groups that are in use shall be stopped.
fn without_global_lockspace(lines: &[String]) -> Vec<String> {
    let mut kept = Vec::new();
    let mut is_global = false;
    for (number, line) in lines.iter().enumerate() {
        match line.get(..3) {
            Some("VG ") => is_global = lines.get(number + 1).is_some_and(|next| next.contains("lvm_global")),
            Some("LS " | "LK " | "LW ") => {}
            // A blank line, between lockspaces, or what the next command says.
            _ => is_global = false,
        }
        if !is_global && !line.is_empty() {
            kept.push(line.clone());
        }
    }
    kept
}

fn is_uuid(word: &str) -> bool {
    word.split('-').map(str::len).eq([6, 4, 4, 4, 4, 4, 6])
}

fn differences(theirs: &[String], ours: &[String]) -> String {
    let mut text = String::new();
    for ((command, theirs), ours) in COMMANDS.iter().zip(theirs).zip(ours) {
        if theirs != ours {
            let _ = writeln!(text, "$ {command}\n--- the C daemon\n{theirs}--- ours\n{ours}");
        }
    }
    text
}
