//! Two hosts and one volume group: who may have what, nothing lost between the C daemon and ours, and nothing left behind by
//! a daemon or a host that dies.

use anyhow::{Result, ensure};
use lvmwarden_integration::lab::cluster::{Cluster, at_once};
use lvmwarden_integration::lab::dice::Dice;
use lvmwarden_integration::lab::guest::Guest;
use lvmwarden_integration::lab::held::{Held, Mode};
use lvmwarden_integration::lab::lock_host::{Lockd, Manager};
use lvmwarden_integration::lab::story::{tell, tell_together};
use std::collections::BTreeMap;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(40);
/// Changes of each host.
const CHANGES: u32 = 25;
/// How often a daemon is killed under load.
const KILLS: u64 = 10;

#[test]
fn two_hosts_share_a_group_over_sanlock() -> Result<()> {
    two_hosts(Manager::Sanlock)
}

#[test]
fn two_hosts_share_a_group_over_dlm() -> Result<()> {
    two_hosts(Manager::Dlm)
}

fn two_hosts(manager: Manager) -> Result<()> {
    let cluster = Cluster::boot(manager, 2)?;
    let [a, b] = &cluster.hosts[..] else { unreachable!("two were booted") };
    tell_together(&cluster.hosts, || {
        a.start_lockd(Lockd::C, manager)?;
        b.start_lockd(Lockd::Ours, manager)?;
        a.sh("vgcreate --shared vg /dev/vda /dev/vdb")?;
        b.sh("vgchange --lock-start vg")?;
        one_or_all(a, b)?;
        no_change_is_lost(&cluster)?;
        one_of_two_wins(a, b)?;
        the_next_daemon_has_the_locks(&cluster)?;
        a_command_that_lives_keeps_the_group(a, b, manager)?;
        if manager == Manager::Dlm {
            a_dlm_that_cannot_be_asked_has_not_said_that_all_is_gone(a, b)?;
        }
        kills_under_load(&cluster)
    })?;
    power_cut(&cluster)
}

/// What is exclusive on one host is refused to the other, whichever daemon it has; what is shared is not.
fn one_or_all(a: &Guest, b: &Guest) -> Result<()> {
    a.sh("lvcreate -an -Zn -L 32M -n lv vg")?;
    for (one, other) in [(a, b), (b, a)] {
        one.sh("lvchange -aey vg/lv")?;
        for refused in ["lvchange -aey vg/lv", "lvchange -asy vg/lv", "lvremove -y vg/lv"] {
            let outcome = other.run(refused)?;
            ensure!(outcome.code == 5, "{refused} ended with {}", outcome.code);
            ensure!(outcome.stderr.contains("LV locked by other host: vg/lv"), "it said {}", outcome.stderr);
        }
        one.sh("lvchange -an vg/lv")?;
        one.sh("lvchange -asy vg/lv")?;
        other.sh("lvchange -asy vg/lv")?;
        ensure!(one.run("lvchange -aey vg/lv")?.code == 5, "exclusive beside shared");
        other.sh("lvchange -an vg/lv")?;
        one.sh("lvchange -an vg/lv")?;
    }
    a.sh("lvremove -y vg/lv").map(drop)
}

/// Both hosts change the metadata of the group at once, each its own volumes of it.
fn no_change_is_lost(cluster: &Cluster) -> Result<()> {
    let mut expected = Vec::new();
    let mut running = Vec::new();
    for (host, (name, seed)) in cluster.hosts.iter().zip([("a", 1), ("b", 2)]) {
        let mut author = Author { name, dice: Dice::new(seed), volumes: BTreeMap::new(), created: 0 };
        let changes: Vec<_> = (0..CHANGES).map(|_| author.next_change()).collect();
        expected.extend(author.volumes.iter().map(|(name, volume)| volume.line(name)));
        running.push(host.spawn(&format!("{TRY}try {}", changes.join("\ntry ")))?);
    }
    for script in running {
        let outcome = script.finish()?;
        ensure!(outcome.code == 0, "a change was refused: {}", outcome.stderr);
    }
    for host in &cluster.hosts {
        let listing = host.sh("lvs --noheadings --units m --nosuffix -o lv_name,lv_size,lv_tags vg")?;
        let mut listing: Vec<String> =
            listing.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        listing.sort();
        assert_eq!(listing, expected);
        host.held(cluster.manager)?;
    }
    at_once(&cluster.hosts, |host| host.sh("vgchange -an vg"))?;
    cluster.hosts[0].sh("lvremove -y vg").map(drop)
}

/// A lock that the other host has for a moment is tried for again by lvm, three times.
const TRY: &str = "try() {\n\
    for turn in 1 2 3 4 5 6; do said=$(\"$@\" 2>&1) && return; case $said in *lock*) sleep 0.3;; *) break;; esac; done\n\
    echo \"$*: $said\" >&2; exit 1\n}\n";

/// Thinks out changes of a host's own volumes, and what comes of them.
struct Author {
    /// Begins the names of all its volumes.
    name: &'static str,
    dice: Dice,
    volumes: BTreeMap<String, Volume>,
    created: u32,
}

#[derive(Clone)]
struct Volume {
    size_mib: u32,
    tagged: bool,
    active: bool,
}

impl Volume {
    fn line(&self, name: &str) -> String {
        let tag = if self.tagged { " tag" } else { "" };
        format!("{name} {}.00{tag}", self.size_mib)
    }
}

impl Author {
    fn next_change(&mut self) -> String {
        let names: Vec<String> = self.volumes.keys().cloned().collect();
        if names.len() < 2 || self.dice.roll(6) == 0 {
            return self.create();
        }
        let name = &names[usize::try_from(self.dice.roll(names.len() as u64)).expect("a small number")];
        match self.dice.roll(8) {
            0 => {
                self.volumes.remove(name);
                format!("lvremove -qqy vg/{name}")
            }
            1 => {
                let volume = self.volumes.remove(name).expect("it is one of them");
                let new = self.new_name();
                self.volumes.insert(new.clone(), volume);
                format!("lvrename vg/{name} vg/{new}")
            }
            2 | 3 => self.change(name, "lvextend -q -L +4M", |volume| volume.size_mib += 4),
            4 | 5 if self.volumes[name].tagged => {
                self.change(name, "lvchange --deltag tag", |volume| volume.tagged = false)
            }
            4 | 5 => self.change(name, "lvchange --addtag tag", |volume| volume.tagged = true),
            _ if self.volumes[name].active => {
                self.change(name, "lvchange -an", |volume| volume.active = false)
            }
            _ => self.change(name, "lvchange -aey", |volume| volume.active = true),
        }
    }

    fn create(&mut self) -> String {
        let name = self.new_name();
        self.volumes.insert(name.clone(), Volume { size_mib: 4, tagged: false, active: false });
        format!("lvcreate -qan -Zn -L 4M -n {name} vg")
    }

    fn change(&mut self, name: &str, command: &str, apply: impl FnOnce(&mut Volume)) -> String {
        apply(self.volumes.get_mut(name).expect("it is one of them"));
        format!("{command} vg/{name}")
    }

    fn new_name(&mut self) -> String {
        self.created += 1;
        format!("{}{:02}", self.name, self.created)
    }
}

/// Both ask for the same volume at the same time.
fn one_of_two_wins(a: &Guest, b: &Guest) -> Result<()> {
    a.sh("lvcreate -an -Zn -L 8M -n duel vg")?;
    for _ in 0..3 {
        let asked = [a.spawn("lvchange -aey vg/duel")?, b.spawn("lvchange -aey vg/duel")?];
        let codes = asked.map(|running| running.finish().map(|outcome| outcome.code));
        let [first, second] = codes;
        assert_eq!(first?.min(5) + second?.min(5), 5, "one gets it, one does not");
        ensure!(a.active()?.is_disjoint(&b.active()?), "active on both hosts");
        b.sh("lvchange -an vg/duel")?;
        a.sh("lvchange -an vg/duel")?;
    }
    Ok(())
}

/// Killed while volumes are active, one of which is deactivated before ours starts: on one host in the C daemon's place,
/// whose adopt file does not tell who has asked. What is not active is given back where that is known.
fn the_next_daemon_has_the_locks(cluster: &Cluster) -> Result<()> {
    let [a, b] = &cluster.hosts[..] else { unreachable!("two were booted") };
    a.sh("lvcreate -an -Zn -L 8M -n both vg")?;
    for (host, own, gone) in [(a, "own-of-a", "gone-of-a"), (b, "own-of-b", "gone-of-b")] {
        host.sh(&format!(
            "lvcreate -L 8M -n {own} vg && lvcreate -L 8M -n {gone} vg && lvchange -asy vg/both"
        ))?;
    }
    let before = at_once(&cluster.hosts, |host| host.held(cluster.manager))?;
    at_once(&cluster.hosts, Guest::kill_lockd)?;
    for (host, gone) in [(a, "gone-of-a"), (b, "gone-of-b")] {
        // It says that it could not unlock it.
        host.run(&format!("lvchange -an vg/{gone}"))?;
    }
    at_once(&cluster.hosts, |host| host.start_lockd(Lockd::Ours, cluster.manager))?;
    let refused = b.run("lvchange -aey vg/gone-of-a")?;
    ensure!(refused.code == 5, "a lock of which nobody knows who relies on it was given back");
    a.sh("lvchange -an vg/gone-of-a")?;
    for (host, before) in cluster.hosts.iter().zip(&before) {
        let held = agreement(host, cluster.manager)?;
        let modes = |held: &Held| held.values().copied().collect::<Vec<_>>();
        ensure!(before.len() == 3 && held.len() == 2, "{before:?} became {held:?}");
        ensure!(held.iter().all(|(uuid, mode)| before[uuid] == *mode), "{before:?} became {held:?}");
        ensure!(modes(&held).contains(&Mode::Shared) && modes(&held).contains(&Mode::Exclusive), "{held:?}");
    }
    ensure!(b.run("lvchange -aey vg/own-of-a")?.code == 5, "the adopted lock is not one");
    b.sh("lvchange -aey vg/gone-of-a && lvchange -an vg/gone-of-a")?;
    a.sh("lvchange -aey vg/gone-of-b && lvchange -an vg/gone-of-b")?;
    at_once(&cluster.hosts, |host| host.sh("vgchange -an vg"))?;
    a.sh("lvremove -y vg").map(drop)
}

/// Killed while a command that changes the group is suspended: the other host does not get the group before it has ended.
fn a_command_that_lives_keeps_the_group(a: &Guest, b: &Guest, manager: Manager) -> Result<()> {
    a.sh("lvcreate -L 8M -n asked vg && mkfifo /run/answer")?;
    // It has the lock of the group while it waits for the answer to its question.
    let command = a.spawn("exec 3<> /run/answer; lvremove vg/asked <&3")?;
    let has_group = || {
        let info = a.lock_info()?;
        ensure!(info.contains("LK VG ex"), "{info}");
        Ok(())
    };
    a.wait_until("the command has the group", LIMIT, has_group)?;
    a.sh("kill -STOP $(pgrep -x lvremove)")?;
    a.kill_lockd()?;
    a.start_lockd(Lockd::Ours, manager)?;
    a.wait_until("the group is taken over for it", LIMIT, has_group)?;
    let refused = b.run("lvchange --addtag tag vg/asked")?;
    ensure!(refused.code == 5, "two hosts change the group at once: {}", refused.stderr);
    a.sh("kill -CONT $(pgrep -x lvremove) && echo n > /run/answer && rm /run/answer")?;
    ensure!(command.finish()?.stderr.contains("really want to remove"), "it has asked nothing");
    b.wait_until("the group is free", LIMIT, || b.sh("lvchange --addtag tag vg/asked"))?;
    a.sh("lvremove -y vg/asked").map(drop)
}

/// Killed, and configfs is not there at the next start: nothing is written off, and the start after that has the locks. The journal
/// alone remembers them.
fn a_dlm_that_cannot_be_asked_has_not_said_that_all_is_gone(a: &Guest, b: &Guest) -> Result<()> {
    a.sh("lvcreate -L 8M -n remembered vg")?;
    a.kill_lockd()?;
    a.sh("rm /run/lvm/lvmlockd.adopt && umount -l /sys/kernel/config")?;
    a.start_lockd(Lockd::Ours, Manager::Dlm)?;
    ensure!(b.run("lvchange -aey vg/remembered")?.code == 5, "the kernel has it still");
    a.kill_lockd()?;
    a.sh("mount -t configfs configfs /sys/kernel/config")?;
    a.start_lockd(Lockd::Ours, Manager::Dlm)?;
    ensure!(agreement(a, Manager::Dlm)?.len() == 1, "the lock of the active volume is forgotten");
    ensure!(b.run("lvchange -aey vg/remembered")?.code == 5, "the adopted lock is not one");
    a.sh("lvremove -y vg/remembered").map(drop)
}

fn agreement(host: &Guest, manager: Manager) -> Result<Held> {
    host.wait_until("daemon, lock manager and kernel agree", LIMIT, || host.held(manager))
}

/// Kills ours on both hosts at random while both change the group, and compares who then says what is held.
fn kills_under_load(cluster: &Cluster) -> Result<()> {
    let [a, b] = &cluster.hosts[..] else { unreachable!("two were booted") };
    a.sh(
        "for name in one two three; do lvcreate -qan -Zn -L 4M -n $name vg || exit; done; true > /run/load",
    )?;
    b.sh("true > /run/load")?;
    at_once(&cluster.hosts, |host| host.sh(LOAD))?;
    let mut dice = Dice::new(3);
    for _ in 0..KILLS {
        let victim = if dice.roll(2) == 0 { a } else { b };
        victim.sh(&format!("sleep {}.{:02}", dice.roll(2), dice.roll(100)))?;
        victim.kill_lockd()?;
        victim.start_lockd(Lockd::Ours, cluster.manager)?;
        // The last look tells a volume that is active on both from one that was handed over between the looks.
        let (first, other, again) = (a.active()?, b.active()?, a.active()?);
        ensure!(
            !first.iter().any(|uuid| other.contains(uuid) && again.contains(uuid)),
            "active on both hosts"
        );
    }
    at_once(&cluster.hosts, |host| {
        host.sh("rm /run/load")?;
        host.wait_until("the load has ended", LIMIT, || host.sh("test -e /run/load.end"))
    })?;
    let held = at_once(&cluster.hosts, |host| agreement(host, cluster.manager))?;
    ensure!(held[0].keys().all(|uuid| !held[1].contains_key(uuid)), "held on both hosts: {held:?}");
    // Each of them still takes every lock of every volume.
    for host in &cluster.hosts {
        at_once(&cluster.hosts, |host| host.sh("vgchange -an vg"))?;
        host.sh("vgchange -aey vg")?;
        assert_eq!(agreement(host, cluster.manager)?.len(), host.active()?.len());
        host.sh("vgchange -an vg && vgck vg")?;
    }
    a.sh("lvremove -y vg").map(drop)
}

/// Changes at random, whether the daemon answers or not, until told to end.
const LOAD: &str = "setsid bash -c 'host=$(hostname); while [ -e /run/load ]; do\n\
    set -- one two three; shift $((RANDOM % 3)); case $((RANDOM % 7)) in\n\
    0|1) lvchange -aey vg/$1;;\n\
    2|3) lvchange -an vg/$1;;\n\
    4) lvcreate -qan -Zn -L 4M -n $host vg;;\n\
    5) lvremove -qqy vg/$host;;\n\
    6) lvs vg;;\n\
    esac; done; true > /run/load.end' > /run/load.log 2>&1 < /dev/null &";

/// A host that holds a lock loses its power: the other gets the lock when the lock manager is sure.
fn power_cut(cluster: &Cluster) -> Result<()> {
    let manager = cluster.manager;
    let [a, b] = &cluster.hosts[..] else { unreachable!("two were booted") };
    tell_together(&cluster.hosts, || {
        a.sh("lvcreate -L 8M -n lv vg")?;
        a.cut_power()?;
        match manager {
            // It waits until the cluster knows that the host is gone.
            Manager::Dlm => b.sh("lvchange -aey vg/lv").map(drop),
            Manager::Sanlock => {
                let refused = b.run("lvchange -aey vg/lv")?;
                ensure!(refused.stderr.contains("LV locked by other host"), "it said {}", refused.stderr);
                let back = cluster.boot_again(1)?;
                tell(&back, |back| {
                    back.start_lockd(Lockd::Ours, manager)?;
                    back.sh("vgchange --lock-start vg")?;
                    b.wait_until("the lock is free", LIMIT, || b.sh("lvchange -aey vg/lv"))?;
                    let refused = back.run("lvchange -aey vg/lv")?;
                    ensure!(refused.code == 5, "active on both hosts");
                    back.sh("vgchange --lock-stop vg")?;
                    nothing_is_left(back, manager)
                })
            }
        }?;
        b.sh("lvchange -an vg/lv")?;
        b.wait_until("the other host has left", LIMIT, || b.sh("vgremove -y vg"))?;
        nothing_is_left(b, manager)
    })
}

fn nothing_is_left(host: &Guest, manager: Manager) -> Result<()> {
    let info = host.lock_info()?;
    ensure!(!info.contains("lvm_vg"), "the daemon still has {info}");
    let left = match manager {
        Manager::Sanlock => host.sh("sanlock client status | grep lvm_ || true")?,
        Manager::Dlm => host.sh("dlm_tool ls | grep lvm_vg || true")?,
    };
    ensure!(left.is_empty(), "the lock manager still has {left}");
    ensure!(host.active()?.is_empty(), "a volume is still active");
    Ok(())
}
