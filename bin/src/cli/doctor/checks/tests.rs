//! Each check over the hosts that it tells apart.

use super::super::Verdict;
use super::super::facts::{Daemon, Socket};
use super::*;

const POLLD: &str = "/run/lvm/lvmpolld.socket";

fn unit(load: &str, active: &str, file: &str) -> Unit {
    Unit { load: load.to_owned(), active: active.to_owned(), file: file.to_owned(), main_pid: None }
}

fn holder(pid: u32, program: &str) -> Holder {
    Holder { pid, program: program.to_owned(), is_outdated: false }
}

fn socket(path: &str, holders: &[Holder]) -> Socket {
    Socket { path: path.to_owned(), exists: true, is_listening: true, holders: holders.to_vec() }
}

/// A host on which all is well.
fn healthy() -> Facts {
    let mut service = unit("loaded", "active", "enabled");
    service.main_pid = Some(812);
    let units = [
        ("lvmwardend.service", service),
        ("lvmwardend.socket", unit("loaded", "active", "enabled")),
        ("lvmwardend-lvmpolld.socket", unit("loaded", "active", "enabled")),
        ("lvm2-lvmpolld.socket", unit("masked", "inactive", "masked")),
        ("lvm2-lvmpolld.service", unit("masked", "inactive", "masked")),
    ];
    let config = [("use_lvmpolld", "1"), ("use_lvmlockd", "1"), ("polling_interval", "15")];
    Facts {
        own_version: "0.1.0".to_owned(),
        is_root: true,
        lvm_version: Ok("2.03.16(2)".to_owned()),
        lvm_config: Ok(config.map(|(name, value)| (name.to_owned(), value.to_owned())).into()),
        units: Ok(units.map(|(name, unit)| (name.to_owned(), unit)).into()),
        lvmpolld_socket: socket(POLLD, &[holder(1, "systemd"), holder(812, "lvmwardend")]),
        api_socket: socket(
            "/run/lvmwarden/org.lvmwarden",
            &[holder(1, "systemd"), holder(812, "lvmwardend")],
        ),
        daemon: Ok(Daemon {
            version: "0.1.0".to_owned(),
            pid: 812,
            roles: vec!["poll".to_owned()],
            history_problem: None,
            lock_problem: None,
        }),
    }
}

/// Asserts that `ail` makes the healthy host one with this one finding, and that its text has `words`.
#[track_caller]
fn assert_found(ail: impl FnOnce(&mut Facts), verdict: Verdict, words: &str, remedy: &[&str]) {
    let mut facts = healthy();
    ail(&mut facts);
    let mut ills = all(&facts);
    ills.retain(|finding| finding.verdict != Verdict::Well);
    let [ill] = ills.as_slice() else { panic!("one finding is expected: {ills:#?}") };
    assert_eq!(ill.verdict, verdict, "{}", ill.message);
    assert_eq!(ill.remedy, remedy);
    assert!(ill.message.contains(words), "{:?} is in {:?}", words, ill.message);
}

fn config(facts: &mut Facts, name: &str, value: &str) {
    facts.lvm_config.as_mut().unwrap().insert(name.to_owned(), value.to_owned());
}

fn change(facts: &mut Facts, name: &str, changed: Unit) {
    facts.units.as_mut().unwrap().insert(name.to_owned(), changed);
}

#[test]
fn a_healthy_host_has_nothing_to_mend() {
    let findings = all(&healthy());
    assert!(findings.iter().all(|finding| finding.verdict == Verdict::Well), "{findings:#?}");
    assert_eq!(findings.len(), 12);
}

#[test]
fn a_host_without_lvm_is_found() {
    assert_found(
        |facts| facts.lvm_version = Err("lvm cannot be started".to_owned()),
        Verdict::Wrong,
        "cannot be started",
        &["apt-get install lvm2"],
    );
}

#[test]
fn an_lvm_that_does_not_hand_polling_over_is_found() {
    let set = "write use_lvmpolld = 1 into the section global of /etc/lvm/lvm.conf";
    assert_found(|facts| config(facts, "use_lvmpolld", "0"), Verdict::Wrong, "use_lvmpolld is 0", &[set]);
    let forget = |facts: &mut Facts| {
        facts.lvm_config.as_mut().unwrap().remove("use_lvmpolld");
    };
    assert_found(forget, Verdict::Wrong, "does not know global/use_lvmpolld", &[]);
    assert_found(
        |facts| facts.lvm_config = Err("lvmconfig gave no answer".to_owned()),
        Verdict::Unsure,
        "gave no answer",
        &["lvmconfig --typeconfig full global/use_lvmpolld"],
    );
}

#[test]
fn a_polling_interval_of_zero_is_found() {
    let set = "write polling_interval = 15 into the section activation of /etc/lvm/lvm.conf";
    assert_found(|facts| config(facts, "polling_interval", "0"), Verdict::Wrong, "without a pause", &[set]);
}

#[test]
fn a_daemon_that_does_not_answer_is_found() {
    let fail = |facts: &mut Facts| facts.daemon = Err("nobody listens".to_owned());
    assert_found(fail, Verdict::Wrong, "nobody listens", &[START, "journalctl -u lvmwardend"]);
    let fail_a_user = |facts: &mut Facts| {
        facts.daemon = Err("you may not open it".to_owned());
        facts.is_root = false;
    };
    assert_found(fail_a_user, Verdict::Unsure, "you may not", &["sudo lvmwarden doctor"]);
}

#[test]
fn a_daemon_that_does_not_poll_is_found() {
    let remedy = "add \"poll\" to roles in the section service of /etc/lvmwarden/lvmwarden.toml";
    assert_found(
        |facts| facts.daemon.as_mut().unwrap().roles.clear(),
        Verdict::Wrong,
        "does not poll",
        &[remedy, RESTART],
    );
}

#[test]
fn a_daemon_older_than_the_installed_program_is_found() {
    let age = |facts: &mut Facts| facts.daemon.as_mut().unwrap().version = "0.0.9".to_owned();
    assert_found(age, Verdict::Wrong, "the daemon is 0.0.9, this program 0.1.0", &[RESTART]);
    let replace = |facts: &mut Facts| facts.api_socket.holders[1].is_outdated = true;
    assert_found(replace, Verdict::Wrong, "was replaced", &[RESTART]);
}

#[test]
fn a_polling_socket_without_anybody_behind_it_is_found() {
    let abandon = |facts: &mut Facts| {
        facts.lvmpolld_socket = Socket { is_listening: false, holders: vec![], ..socket(POLLD, &[]) };
    };
    assert_found(abandon, Verdict::Wrong, "nobody listens on /run/lvm/lvmpolld.socket", &[START]);
    let remove = |facts: &mut Facts| {
        facts.lvmpolld_socket = Socket { path: POLLD.to_owned(), ..Socket::default() };
    };
    assert_found(remove, Verdict::Wrong, "there is no /run/lvm/lvmpolld.socket", &[START]);
}

#[test]
fn a_stranger_on_the_polling_socket_is_found() {
    let hold = |holders: &'static [(u32, &'static str)]| {
        move |facts: &mut Facts| {
            let holders: Vec<_> = holders.iter().map(|&(pid, program)| holder(pid, program)).collect();
            facts.lvmpolld_socket = socket(POLLD, &holders);
        }
    };
    let give_way = &[STOP_STOCK, RESTART_SOCKET];
    assert_found(hold(&[(1, "systemd"), (7, "lvmpolld")]), Verdict::Wrong, "lvmpolld (pid 7)", give_way);
    assert_found(hold(&[(7, "python3")]), Verdict::Wrong, "python3 (pid 7)", &["ps -fp 7"]);
    assert_found(hold(&[(7, "lvmwardend")]), Verdict::Unsure, "another lvmwardend (pid 7)", &["ps -fp 7"]);
    assert_found(hold(&[]), Verdict::Unsure, "only root can see", &["sudo lvmwarden doctor"]);
}

#[test]
fn systemd_listens_for_whom_its_units_say() {
    let mut facts = healthy();
    facts.lvmpolld_socket.holders.pop();
    assert!(polling_socket(&facts).message.contains("starts lvmwardend on demand"));
    change(&mut facts, "lvmwardend-lvmpolld.socket", unit("loaded", "inactive", "disabled"));
    let finding = polling_socket(&facts);
    assert_eq!(finding.verdict, Verdict::Wrong);
    assert!(finding.message.contains("not for lvmwardend"), "{}", finding.message);
}

#[test]
fn units_of_ours_that_are_not_set_up_are_found() {
    let name = "lvmwardend.socket";
    let set = |changed: Unit| move |facts: &mut Facts| change(facts, name, changed);
    assert_found(set(unit("loaded", "failed", "enabled")), Verdict::Wrong, "is failed", &[START]);
    assert_found(
        set(unit("loaded", "active", "disabled")),
        Verdict::Wrong,
        "will not be after a reboot",
        &["systemctl enable lvmwardend.socket"],
    );
    assert_found(
        set(unit("masked", "inactive", "masked")),
        Verdict::Wrong,
        "is masked",
        &["systemctl unmask lvmwardend.socket", START],
    );
    assert_found(
        set(unit("not-found", "inactive", "")),
        Verdict::Wrong,
        "is not-found",
        &["apt-get install --reinstall lvmwarden"],
    );
}

#[test]
fn stock_units_that_may_take_the_socket_are_found() {
    let name = "lvm2-lvmpolld.socket";
    let set = |changed: Unit| move |facts: &mut Facts| change(facts, name, changed);
    let active = set(unit("loaded", "active", "enabled"));
    assert_found(active, Verdict::Wrong, "is active", &[STOP_STOCK, RESTART_SOCKET]);
    assert_found(set(unit("loaded", "inactive", "disabled")), Verdict::Wrong, "not masked", &[STOP_STOCK]);
    let mut facts = healthy();
    change(&mut facts, name, unit("not-found", "inactive", ""));
    assert!(all(&facts).iter().all(|finding| finding.verdict == Verdict::Well));
}

#[test]
fn a_daemon_that_systemd_did_not_start_is_found() {
    let move_away = |facts: &mut Facts| {
        facts.units.as_mut().unwrap().get_mut("lvmwardend.service").unwrap().main_pid = Some(900);
    };
    assert_found(move_away, Verdict::Unsure, "pid 812, systemd's is 900", &["systemctl status lvmwardend"]);
}

#[test]
fn a_systemd_that_does_not_answer_is_no_fault() {
    assert_found(
        |facts| facts.units = Err("systemctl cannot be started".to_owned()),
        Verdict::Unsure,
        "cannot be started",
        &[],
    );
}

#[test]
fn a_history_that_cannot_be_written_is_found() {
    assert_found(
        |facts| {
            let daemon = facts.daemon.as_mut().unwrap();
            daemon.history_problem = Some("the disk does not answer".to_owned());
        },
        Verdict::Wrong,
        "the daemon cannot write what happens to operations: the disk does not answer",
        &["ls -ld /var/lib/lvmwarden", "df /var/lib/lvmwarden"],
    );
}

#[test]
fn a_kill_program_that_is_not_there_is_found() {
    assert_found(
        |facts| {
            let daemon = facts.daemon.as_mut().unwrap();
            daemon.roles.push("lock".to_owned());
            daemon.lock_problem = Some("/usr/sbin/lvmlockctl cannot be executed".to_owned());
        },
        Verdict::Wrong,
        "nobody deactivates a VG whose leases are lost: /usr/sbin/lvmlockctl cannot be executed",
        &[
            "apt-get install lvm2-lockd",
            "set kill_program in the section lock of /etc/lvmwarden/lvmwarden.toml",
        ],
    );
}

#[test]
fn a_daemon_that_only_holds_locks_need_not_poll() {
    let mut facts = healthy();
    facts.daemon.as_mut().unwrap().roles = vec!["lock".to_owned()];
    facts.lvmpolld_socket = Socket::default();
    facts.units.as_mut().unwrap().retain(|name, _| !name.contains("lvmpolld"));
    let ills: Vec<_> = all(&facts).into_iter().filter(|finding| finding.verdict != Verdict::Well).collect();
    assert!(ills.is_empty(), "{ills:#?}");
}

/// What is wrong with a host.
type Ail = fn(&mut Facts);

/// A host on which all is well, with the lock role.
fn with_locks(facts: &mut Facts) {
    config(facts, "use_lvmlockd", "1");
    change(facts, LOCK_SOCKET_UNIT, unit("loaded", "active", "enabled"));
    change(facts, "lvmlockd.service", unit("masked", "inactive", "masked"));
    facts.daemon.as_mut().unwrap().roles.push("lock".to_owned());
}

#[test]
fn a_host_with_the_lock_role_has_its_own_checks_and_one_without_has_none_of_them() {
    let mut facts = healthy();
    change(&mut facts, LOCK_SOCKET_UNIT, unit("loaded", "inactive", "disabled"));
    change(&mut facts, "lvmlockd.service", unit("loaded", "active", "enabled"));
    config(&mut facts, "use_lvmlockd", "0");
    let without = all(&facts);
    assert!(without.iter().all(|finding| finding.verdict == Verdict::Well), "{without:#?}");
    with_locks(&mut facts);
    let with = all(&facts);
    assert!(with.iter().all(|finding| finding.verdict == Verdict::Well), "{with:#?}");
    assert_eq!(with.len(), without.len() + 4);
}

#[test]
fn what_keeps_lvm_from_locking_through_the_daemon_is_found() {
    let set = "write use_lvmlockd = 1 into the section global of /etc/lvm/lvm.conf";
    let ails: [(Ail, &str, &str); 4] = [
        (|facts| config(facts, "use_lvmlockd", "0"), "use_lvmlockd is 0", set),
        (
            |facts| change(facts, "lvmlockd.service", unit("loaded", "active", "enabled")),
            "lvmlockd.service is active",
            TURN_LOCKS_ON,
        ),
        (
            |facts| change(facts, LOCK_SOCKET_UNIT, unit("loaded", "inactive", "disabled")),
            "lvmwardend-lvmlockd.socket is inactive",
            TURN_LOCKS_ON,
        ),
        (
            |facts| facts.daemon.as_mut().unwrap().roles.retain(|role| role != "lock"),
            "holds no locks",
            TURN_LOCKS_ON,
        ),
    ];
    for (ail, words, remedy) in ails {
        let ail = |facts: &mut Facts| {
            with_locks(facts);
            ail(facts);
        };
        assert_found(ail, Verdict::Wrong, words, &[remedy]);
    }
}
