//! `lock`: the locks of shared VGs.

mod history;
mod section;

use std::collections::BTreeSet;
use std::time::Duration;

use lvmwarden_protocol::api::lock::{
    Adopt, Drop, Explain, GlobalLock, Kind, Lock, Locks, Lockspace, Lockspaces, Orphans, OrphansReply,
    Release, Start, State, Stop, Waiter, Waiters, Watch, WatchReply, Why,
};
use lvmwarden_protocol::ids::VgName;
use lvmwarden_protocol::lock::LockMode;
use serde_json::json;

use super::arguments::{Lock as Command, VgOrLv};
use super::client::Client;
use super::failure::Failure;
use super::names::Names;
use super::screen::{BAD, BOLD, DIM, GOOD, ODD, Screen, USUAL, duration, plain};
use super::table::{Cell, Table};
pub(super) use section::section;

/// How long a lock manager may take to join or leave a lockspace.
const PATIENCE: Duration = Duration::from_mins(6);

/// Does what is asked.
pub(super) fn run(screen: &mut Screen, command: Command) -> Result<(), Failure> {
    match command {
        Command::List { vgname } => list(screen, vgname.as_ref()),
        Command::Show { vgname } => list(screen, Some(&vgname)),
        Command::Start { vgname } => patiently(screen, &Start { vgname }),
        Command::Stop { vgname } => patiently(screen, &Stop { vgname }),
        Command::Drop { vgname } => patiently(screen, &Drop { vgname }),
        Command::Orphans { vgname } => {
            let mut client = screen.connect()?;
            let answer = client.call(&Orphans { vgname })?;
            let names = names_of(
                screen,
                &mut client,
                answer.reply.orphans.iter().map(|one| (&one.vgname, &one.lv_uuid)),
            );
            screen.answer(&answer, |reply| orphans(reply, &names))
        }
        Command::Adopt { vgname, lock } => patiently(screen, &Adopt { vgname, lock }),
        Command::Release { vgname, lock, force } => {
            patiently(screen, &Release { vgname, lock, force: force.then_some(true) })
        }
        Command::Explain { name: VgOrLv { vgname, lv } } => {
            let mut client = screen.connect()?;
            let answer = client.call(&Explain { vgname: vgname.clone(), lv })?;
            let names = if screen.json { Names::default() } else { Names::of(&mut client, [&vgname]) };
            screen.answer(&answer, |reply| {
                reply.lines.iter().map(|line| plain(&names.put_into(line)) + "\n").collect::<String>()
            })
        }
        Command::History { vgname, limit } => history::run(screen, vgname, limit),
        Command::Watch => watch(screen),
    }
}

fn patiently<M>(screen: &mut Screen, parameters: &M) -> Result<(), Failure>
where
    M: lvmwarden_protocol::api::Method<Reply = lvmwarden_protocol::api::Done>,
{
    let mut client = screen.connect()?;
    client.send(parameters)?;
    let answer = client.receive::<M>(Some(PATIENCE))?;
    screen.answer(&answer, |_done| String::new())
}

fn list(screen: &mut Screen, vgname: Option<&VgName>) -> Result<(), Failure> {
    let mut client = screen.connect()?;
    let only = || vgname.cloned();
    let lockspaces = client.call_all(&Lockspaces { vgname: only(), page: None })?;
    let locks = client.call_all(&Locks { vgname: only(), page: None })?;
    let waiters = client.call_all(&Waiters { vgname: only(), page: None })?;
    if let (Some(vgname), []) = (vgname, &lockspaces.reply.lockspaces[..]) {
        return Err(Failure::new(format!("VG {vgname} has no lockspace on this host")).advise(format!(
            "start it: lvmwarden lock start {vgname}; see those that there are: lvmwarden lock list"
        )));
    }
    if screen.is_json() {
        let all = [lockspaces.raw, locks.raw, waiters.raw].into_iter().flatten();
        let all: serde_json::Map<_, _> = all.collect();
        return screen.print_json(&json!(all));
    }
    let (locks, waiters) = (&locks.reply.locks, &waiters.reply.waiters);
    let names = names_of(screen, &mut client, concerned(locks, waiters));
    screen.print(&words(&lockspaces.reply.lockspaces, locks, waiters, &names))
}

/// Returns which LVs are concerned whose names are not known.
fn concerned<'l>(
    locks: &'l [Lock],
    waiters: &'l [Waiter],
) -> impl Iterator<Item = (&'l Option<VgName>, &'l Option<String>)> {
    let unnamed = locks.iter().filter(|lock| lock.lvname.is_none());
    let locks = unnamed.map(|lock| (&lock.vgname, &lock.lv_uuid));
    locks.chain(waiters.iter().map(|waiter| (&waiter.vgname, &waiter.lv_uuid)))
}

/// Asks for the names of LVs, where there are any that need it and people read it.
fn names_of<'l>(
    screen: &Screen,
    client: &mut Client,
    lvs: impl Iterator<Item = (&'l Option<VgName>, &'l Option<String>)>,
) -> Names {
    if screen.is_json() {
        return Names::default();
    }
    let vgs: BTreeSet<_> = lvs.filter(|(_, uuid)| uuid.is_some()).filter_map(|(vg, _)| vg.as_ref()).collect();
    Names::of(client, vgs)
}

/// Shows everything anew whenever it changes, until it is ended.
fn watch(screen: &mut Screen) -> Result<(), Failure> {
    let mut client = screen.connect()?;
    client.send(&Watch {})?;
    let (mut lockspaces, mut locks, mut waiters) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        let answer = client.receive::<Watch>(None)?;
        let heading = format!("--- {}\n", screen.clock().wall_time());
        if screen.is_json() {
            screen.print_json(&answer.raw)?;
        }
        let WatchReply { lockspaces: more_lockspaces, locks: more_locks, waiters: more_waiters, is_partial } =
            answer.reply;
        lockspaces.extend(more_lockspaces);
        locks.extend(more_locks);
        waiters.extend(more_waiters);
        if !is_partial {
            if !screen.is_json() {
                // On a connection of its own: this one gives the changes.
                let names = names_of(screen, &mut screen.connect()?, concerned(&locks, &waiters));
                screen.print(&(heading + &words(&lockspaces, &locks, &waiters, &names)))?;
            }
            (lockspaces, locks, waiters) = Default::default();
        }
        if !answer.continues {
            return Ok(());
        }
    }
}

fn words(lockspaces: &[Lockspace], locks: &[Lock], waiters: &[Waiter], names: &Names) -> String {
    if lockspaces.is_empty() {
        return "no shared VG is started on this host\n".to_owned();
    }
    let mut table =
        Table::with_heading(["VG", "TYPE", "STATE", "HOST ID", "GLOBAL LOCK", "LEASE", "LOCKS", "WAITERS"]);
    for lockspace in lockspaces {
        table.row([
            lockspace.vgname.as_ref().map_or("(global)", VgName::as_str).into(),
            lockspace.lock_type.as_str().into(),
            state(lockspace),
            Cell::number(number(lockspace.host_id)),
            match lockspace.global_lock {
                GlobalLock::Enabled => "here".into(),
                GlobalLock::Disabled | GlobalLock::Absent => "".into(),
            },
            lease(lockspace),
            Cell::number(lockspace.locks.to_string()),
            Cell::number(lockspace.waiters.to_string()).style(if lockspace.waiters > 0 { ODD } else { DIM }),
        ]);
    }
    let mut text = table.lines("");
    if !locks.is_empty() {
        text = text + "\n" + &held(locks, names);
    }
    if !waiters.is_empty() {
        text = text + "\n" + &waiting(waiters, names);
    }
    text
}

fn state(lockspace: &Lockspace) -> Cell {
    match (lockspace.is_killed, lockspace.state, &lockspace.problem) {
        (true, _, _) => Cell::new("killed: its leases are lost").style(BAD),
        (false, State::Running, _) => Cell::new("running").style(GOOD),
        (false, State::Starting, _) => Cell::new("starting").style(ODD),
        (false, State::Stopping, None) => Cell::new("stopping").style(ODD),
        (false, State::Stopping, Some(problem)) => Cell::new(format!("stopping: {problem}")).style(BAD),
        (false, State::Failed, problem) => {
            let problem = problem.as_deref().unwrap_or_default();
            Cell::new(format!("failed: {problem}")).style(BAD)
        }
    }
}

fn lease(lockspace: &Lockspace) -> Cell {
    let Some(lease) = &lockspace.lease else { return "".into() };
    if lease.age_ms > lease.kill_in_ms {
        let words =
            format!("late: killed in {}, host reset in {}", time(lease.kill_in_ms), time(lease.reset_in_ms));
        return Cell::new(words).style(BAD);
    }
    Cell::new(format!("{} old", time(lease.age_ms))).style(DIM)
}

fn held(locks: &[Lock], names: &Names) -> String {
    let mut table = Table::with_heading(["LOCK", "MODE", "HELD BY", "FOR", ""]);
    for lock in locks {
        let name = named(
            lock.vgname.as_ref(),
            lock.kind,
            lock.lvname.as_deref().or(lv(lock.lv_uuid.as_ref(), names)),
        );
        let kept = if lock.is_persistent { "the LV is active" } else { "" };
        table.row([
            name.into(),
            mode(lock.mode),
            who(lock.pid, lock.command.as_deref()),
            Cell::new(lock.held_ms.map(time).unwrap_or_default()),
            match &lock.problem {
                Some(problem) => Cell::new(format!("held by nobody, not given back: {problem}")).style(BAD),
                None => Cell::new(kept).style(DIM),
            },
        ]);
    }
    table.lines("")
}

fn orphans(reply: &OrphansReply, names: &Names) -> String {
    if reply.orphans.is_empty() {
        return "no lock of an earlier daemon is left\n".to_owned();
    }
    let mut table = Table::with_heading(["LOCK", "MODE", "ASKED FOR BY", "BECAUSE"]);
    for orphan in &reply.orphans {
        table.row([
            named(orphan.vgname.as_ref(), orphan.kind, lv(orphan.lv_uuid.as_ref(), names)).into(),
            mode(orphan.mode),
            who(orphan.pid, orphan.command.as_deref()),
            Cell::new(plain(&orphan.problem)).style(ODD),
        ]);
    }
    let more = if reply.has_more { "and more\n" } else { "" };
    table.lines("") + more
}

fn waiting(waiters: &[Waiter], names: &Names) -> String {
    let mut table = Table::with_heading(["WAITS FOR", "MODE", "WHO", "FOR", "BECAUSE"]);
    for waiter in waiters {
        table.row([
            named(waiter.vgname.as_ref(), waiter.kind, lv(waiter.lv_uuid.as_ref(), names)).into(),
            mode(waiter.mode),
            who(waiter.pid, waiter.command.as_deref()),
            Cell::new(time(waiter.waited_ms)),
            Cell::new(because(waiter)).style(ODD),
        ]);
    }
    table.lines("")
}

fn because(waiter: &Waiter) -> String {
    match waiter.why {
        Why::HeldHere => "others of this host hold it".to_owned(),
        Why::Behind => "others of this host asked before".to_owned(),
        Why::Asking => "the lock manager is being asked".to_owned(),
        Why::NotGivenBack => "the lock manager does not take it back from its last holder".to_owned(),
        Why::HeldElsewhere => {
            let host = match (waiter.host_id, &waiter.host_name) {
                (Some(id), Some(name)) => format!("host {id} ({name})"),
                (Some(id), None) => format!("host {id}"),
                (None, _) => "another host".to_owned(),
            };
            format!("{host} holds it; tried {} times", waiter.tries.unwrap_or_default())
        }
    }
}

/// Returns an LV's name, or else its UUID.
fn lv<'n>(uuid: Option<&'n String>, names: &'n Names) -> Option<&'n str> {
    uuid.map(|uuid| names.lv(uuid).unwrap_or(uuid))
}

fn named(vg: Option<&VgName>, kind: Kind, lv: Option<&str>) -> String {
    let vg = vg.map_or("(global)", VgName::as_str);
    match kind {
        Kind::Global => "global lock".to_owned(),
        Kind::Vg => format!("VG {vg}"),
        Kind::Lv => format!("LV {vg}/{}", lv.unwrap_or("?")),
    }
}

fn mode(mode: LockMode) -> Cell {
    match mode {
        LockMode::Exclusive => Cell::new("exclusive").style(BOLD),
        LockMode::Shared => Cell::new("shared").style(USUAL),
        LockMode::Unlocked | LockMode::Null => Cell::new("none").style(DIM),
    }
}

fn who(pid: Option<u32>, command: Option<&str>) -> Cell {
    match (command, pid) {
        (Some(command), Some(pid)) => format!("{command} (pid {pid})").into(),
        (Some(command), None) => command.into(),
        (None, Some(pid)) => format!("pid {pid}").into(),
        (None, None) => Cell::new("an earlier life of the daemon").style(DIM),
    }
}

fn number(id: u32) -> String {
    if id == 0 { String::new() } else { id.to_string() }
}

fn time(milliseconds: u64) -> String {
    duration(Duration::from_millis(milliseconds).as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use lvmwarden_protocol::api::lock::Lease;
    use lvmwarden_protocol::lock::LockType;

    pub(super) fn lockspace() -> Lockspace {
        Lockspace {
            name: "lvm_vg0".to_owned(),
            vgname: Some("vg0".try_into().unwrap()),
            vg_uuid: String::new(),
            lock_type: LockType::Sanlock,
            args: "1.0.0:lvmlock".to_owned(),
            host_id: 2,
            generation: 1,
            state: State::Running,
            is_killed: false,
            global_lock: GlobalLock::Enabled,
            lease: Some(Lease { age_ms: 4000, kill_in_ms: 76_000, reset_in_ms: 136_000 }),
            locks: 1,
            waiters: 1,
            problem: None,
        }
    }

    fn unstyled(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn who_holds_what_and_who_waits_is_shown() {
        let lock = Lock {
            lockspace: "lvm_vg0".to_owned(),
            vgname: Some("vg0".try_into().unwrap()),
            kind: Kind::Lv,
            lvname: Some("home".to_owned()),
            lv_uuid: Some("uuid".to_owned()),
            mode: LockMode::Exclusive,
            version: 0,
            is_persistent: true,
            pid: Some(7),
            command: Some("lvchange".to_owned()),
            held_ms: Some(65_000),
            problem: None,
        };
        let waiter = Waiter {
            lockspace: "lvm_vg0".to_owned(),
            vgname: Some("vg0".try_into().unwrap()),
            kind: Kind::Vg,
            lv_uuid: None,
            mode: LockMode::Shared,
            is_persistent: false,
            pid: Some(8),
            command: Some("vgs".to_owned()),
            waited_ms: 3000,
            why: Why::HeldElsewhere,
            host_id: Some(1),
            host_name: Some("a".to_owned()),
            tries: Some(3),
            retry_in_ms: Some(100),
        };
        let text = unstyled(&words(&[lockspace()], &[lock], &[waiter], &Names::default()));
        for part in
            ["LV vg0/home", "lvchange (pid 7)", "the LV is active", "host 1 (a) holds it; tried 3 times"]
        {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }

    #[test]
    fn a_late_lease_and_a_killed_vg_are_seen() {
        let lease = Some(Lease { age_ms: 50_000, kill_in_ms: 30_000, reset_in_ms: 90_000 });
        let late = unstyled(&words(&[Lockspace { lease, ..lockspace() }], &[], &[], &Names::default()));
        assert!(late.contains("late: killed in 30 s, host reset in 1 min 30 s"), "{late}");
        let killed =
            unstyled(&words(&[Lockspace { is_killed: true, ..lockspace() }], &[], &[], &Names::default()));
        assert!(killed.contains("killed: its leases are lost"), "{killed}");
        assert_eq!(words(&[], &[], &[], &Names::default()), "no shared VG is started on this host\n");
    }
}
