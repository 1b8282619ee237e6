//! Judges facts. Each check is a function of them, and looks at nothing else.

use super::Finding;
use super::facts::{Facts, Holder, LOCK_SOCKET_UNIT, Unit};

const START: &str = "systemctl enable --now lvmwardend.socket lvmwardend-lvmpolld.socket lvmwardend.service";
const RESTART: &str = "systemctl restart lvmwardend";
const STOP_STOCK: &str = "systemctl mask --now lvm2-lvmpolld.socket lvm2-lvmpolld.service";
const TURN_LOCKS_ON: &str = "lvmwarden-lock-role on";
const RESTART_SOCKET: &str = "systemctl restart lvmwardend-lvmpolld.socket lvmwardend.service";

/// Makes all checks, the most fundamental first.
pub(super) fn all(facts: &Facts) -> Vec<Finding> {
    let mut findings = vec![lvm_version(facts)];
    if facts.polls() {
        findings.push(use_lvmpolld(facts));
        findings.extend(polling_interval(facts));
    }
    findings.extend(facts.locks().then(|| use_lvmlockd(facts)));
    findings.push(daemon(facts));
    findings.extend(daemon_version(facts));
    if facts.polls() || facts.locks() {
        findings.extend(history(facts));
    }
    if facts.polls() {
        findings.push(polling_socket(facts));
    }
    findings.extend(lock_role(facts));
    findings.extend(kill_program(facts));
    findings.extend(units(facts));
    findings
}

/// Is there an lvm?
fn lvm_version(facts: &Facts) -> Finding {
    match &facts.lvm_version {
        Ok(version) => Finding::well("lvm", format!("version {version}")),
        Err(why) => Finding::wrong("lvm", why, &["apt-get install lvm2"]),
    }
}

/// Do lvm commands hand over their polling at all?
fn use_lvmpolld(facts: &Facts) -> Finding {
    const ABOUT: &str = "lvm.conf";
    const SET: &str = "write use_lvmpolld = 1 into the section global of /etc/lvm/lvm.conf";
    let config = match &facts.lvm_config {
        Ok(config) => config,
        Err(why) => {
            return Finding::unsure(ABOUT, why, &["lvmconfig --typeconfig full global/use_lvmpolld"]);
        }
    };
    match config.get("use_lvmpolld").map(String::as_str) {
        Some("1") => Finding::well(ABOUT, "global/use_lvmpolld is 1: lvm commands hand their polling over"),
        Some(value) => Finding::wrong(
            ABOUT,
            format!("global/use_lvmpolld is {value}: lvm commands poll by themselves"),
            &[SET],
        ),
        None => Finding::wrong(
            ABOUT,
            "this lvm does not know global/use_lvmpolld: it cannot hand polling over",
            &[],
        ),
    }
}

/// Do lvm commands ask for locks at all?
fn use_lvmlockd(facts: &Facts) -> Finding {
    const ABOUT: &str = "lvm.conf";
    let set = "write use_lvmlockd = 1 into the section global of /etc/lvm/lvm.conf";
    match facts.lvm_config.as_ref().ok().and_then(|config| config.get("use_lvmlockd")).map(String::as_str) {
        Some("1") => {
            Finding::well(ABOUT, "global/use_lvmlockd is 1: lvm commands ask for locks of shared VGs")
        }
        Some(value) => {
            let message = format!("global/use_lvmlockd is {value}: lvm commands do not use shared VGs");
            Finding::wrong(ABOUT, message, &[set])
        }
        None => {
            let ask = "lvmconfig --typeconfig full global/use_lvmlockd";
            Finding::unsure(ABOUT, "it cannot be told whether lvm commands ask for locks", &[ask])
        }
    }
}

/// Does the daemon hold locks where somebody has turned that on?
fn lock_role(facts: &Facts) -> Option<Finding> {
    let daemon = facts.daemon.as_ref().ok().filter(|daemon| facts.locks() && !daemon.plays("lock"))?;
    let message =
        format!("{LOCK_SOCKET_UNIT} is enabled, and the daemon (pid {}) holds no locks", daemon.pid);
    Some(Finding::wrong("locks", message, &[TURN_LOCKS_ON]))
}

/// Does lvpoll look at a reasonable pace?
fn polling_interval(facts: &Facts) -> Option<Finding> {
    const ABOUT: &str = "lvm.conf";
    let value = facts.lvm_config.as_ref().ok()?.get("polling_interval")?;
    Some(if value == "0" {
        let remedy = "write polling_interval = 15 into the section activation of /etc/lvm/lvm.conf";
        Finding::wrong(ABOUT, "activation/polling_interval is 0: lvpoll looks without a pause", &[remedy])
    } else {
        Finding::well(ABOUT, format!("activation/polling_interval is {value}: lvpoll looks every {value} s"))
    })
}

/// Does the daemon answer, and poll?
fn daemon(facts: &Facts) -> Finding {
    const ABOUT: &str = "daemon";
    let path = &facts.api_socket.path;
    let daemon = match &facts.daemon {
        Ok(daemon) => daemon,
        Err(why) if !facts.is_root && facts.api_socket.exists => {
            return Finding::unsure(ABOUT, why, &["sudo lvmwarden doctor"]);
        }
        Err(why) => return Finding::wrong(ABOUT, why, &[START, "journalctl -u lvmwardend"]),
    };
    if !facts.polls() {
        return Finding::well(ABOUT, format!("pid {} answers on {path}, and holds locks", daemon.pid));
    }
    if !daemon.plays("poll") {
        let remedy = "add \"poll\" to roles in the section service of /etc/lvmwarden/lvmwarden.toml";
        return Finding::wrong(ABOUT, "the daemon runs, and does not poll", &[remedy, RESTART]);
    }
    Finding::well(ABOUT, format!("pid {} answers on {path}, and polls", daemon.pid))
}

/// Is the daemon the program that is installed?
fn daemon_version(facts: &Facts) -> Option<Finding> {
    const ABOUT: &str = "version";
    let daemon = facts.daemon.as_ref().ok()?;
    let own = &facts.own_version;
    let is_outdated =
        facts.api_socket.holders.iter().any(|holder| holder.pid == daemon.pid && holder.is_outdated);
    Some(if daemon.version != *own {
        let message = format!("the daemon is {}, this program {own}", daemon.version);
        Finding::wrong(ABOUT, message, &[RESTART])
    } else if is_outdated {
        Finding::wrong(ABOUT, "the daemon's program was replaced since it started", &[RESTART])
    } else {
        Finding::well(ABOUT, format!("daemon and this program are {own}"))
    })
}

/// Can the daemon write down what happens? It is asked, for others see the directory otherwise than the service does.
fn history(facts: &Facts) -> Option<Finding> {
    const ABOUT: &str = "history";
    let daemon = facts.daemon.as_ref().ok()?;
    Some(match &daemon.history_problem {
        None => Finding::well(ABOUT, "what happens to operations is written to the disk"),
        Some(problem) => {
            let message = format!("the daemon cannot write what happens to operations: {problem}");
            Finding::wrong(ABOUT, message, &["ls -ld /var/lib/lvmwarden", "df /var/lib/lvmwarden"])
        }
    })
}

/// Is there somebody who deactivates a VG whose leases are lost? The daemon is asked, as above.
fn kill_program(facts: &Facts) -> Option<Finding> {
    const ABOUT: &str = "lost leases";
    let daemon = facts.daemon.as_ref().ok().filter(|daemon| daemon.plays("lock"))?;
    Some(match &daemon.lock_problem {
        None => Finding::well(ABOUT, "sanlock has a program to run for a VG whose leases are lost"),
        Some(problem) => {
            let message = format!("nobody deactivates a VG whose leases are lost: {problem}");
            let set = "set kill_program in the section lock of /etc/lvmwarden/lvmwarden.toml";
            Finding::wrong(ABOUT, message, &["apt-get install lvm2-lockd", set])
        }
    })
}

/// Who listens on the socket that lvm commands connect to?
fn polling_socket(facts: &Facts) -> Finding {
    const ABOUT: &str = "polling socket";
    let socket = &facts.lvmpolld_socket;
    let path = &socket.path;
    let held_by = |program: &str| socket.holders.iter().find(|holder| holder.program == program);
    if !socket.is_listening {
        let what = if socket.exists { "nobody listens on" } else { "there is no" };
        let message = format!("{what} {path}: lvm commands poll by themselves");
        return Finding::wrong(ABOUT, message, &[START]);
    }
    if let Some(Holder { pid, .. }) = held_by("lvmpolld") {
        let message = format!("lvm's own lvmpolld (pid {pid}) listens on {path}");
        return Finding::wrong(ABOUT, message, &[STOP_STOCK, RESTART_SOCKET]);
    }
    if let Some(Holder { pid, .. }) = held_by("lvmwardend") {
        return match &facts.daemon {
            Ok(daemon) if daemon.pid != *pid => {
                let message =
                    format!("another lvmwardend (pid {pid}) than the one that answers listens on {path}");
                Finding::unsure(ABOUT, message, &[&format!("ps -fp {pid}")])
            }
            _ => Finding::well(ABOUT, format!("lvmwardend (pid {pid}) listens on {path}")),
        };
    }
    if held_by("systemd").is_some() {
        return if is_active(facts, "lvmwardend-lvmpolld.socket") {
            Finding::well(ABOUT, format!("systemd listens on {path}, and starts lvmwardend on demand"))
        } else {
            let message = format!("systemd listens on {path}, and not for lvmwardend");
            Finding::wrong(ABOUT, message, &[STOP_STOCK, RESTART_SOCKET])
        };
    }
    match socket.holders.first() {
        Some(Holder { pid, program, .. }) => {
            let message = format!("{program} (pid {pid}) listens on {path}, and is not lvmwardend");
            Finding::wrong(ABOUT, message, &[&format!("ps -fp {pid}")])
        }
        None => Finding::unsure(
            ABOUT,
            format!("only root can see who listens on {path}"),
            &["sudo lvmwarden doctor"],
        ),
    }
}

fn is_active(facts: &Facts, name: &str) -> bool {
    facts.units.as_ref().is_ok_and(|units| units.get(name).is_some_and(|unit| unit.active == "active"))
}

/// Do systemd's units start ours and not the stock one?
fn units(facts: &Facts) -> Vec<Finding> {
    let units = match &facts.units {
        Ok(units) => units,
        Err(why) => return vec![Finding::unsure("systemd", why, &[])],
    };
    let mut findings = Vec::new();
    // The socket of a role has to be disabled where the role is not played.
    let is_of_use = |name: &str| {
        (facts.polls() || !name.contains("lvmpolld")) && (facts.locks() || !name.contains("lvmlockd"))
    };
    for (name, unit) in units.iter().filter(|(name, _)| is_of_use(name)) {
        let is_stock = name.starts_with("lvm2-") || name == "lvmlockd.service";
        findings.push(if is_stock { stock_unit(name, unit) } else { own_unit(name, unit) });
    }
    let main_pid = units.get("lvmwardend.service").and_then(|unit| unit.main_pid);
    if let (Ok(daemon), Some(main_pid)) = (&facts.daemon, main_pid)
        && daemon.pid != main_pid
    {
        let message = format!("the daemon that answers is pid {}, systemd's is {main_pid}", daemon.pid);
        findings.push(Finding::unsure("systemd", message, &["systemctl status lvmwardend"]));
    }
    findings
}

fn own_unit(name: &str, unit: &Unit) -> Finding {
    const ABOUT: &str = "unit";
    let start = if name == LOCK_SOCKET_UNIT { TURN_LOCKS_ON } else { START };
    let is_enabled = matches!(unit.file.as_str(), "enabled" | "static" | "indirect" | "enabled-runtime");
    match (unit.load.as_str(), unit.active.as_str()) {
        ("masked", _) => {
            Finding::wrong(ABOUT, format!("{name} is masked"), &[&format!("systemctl unmask {name}"), start])
        }
        ("loaded", "active") if is_enabled => Finding::well(ABOUT, format!("{name} is active")),
        ("loaded", "active") => {
            let message = format!("{name} is active, and will not be after a reboot: it is {}", unit.file);
            Finding::wrong(ABOUT, message, &[&format!("systemctl enable {name}")])
        }
        ("loaded", active) => Finding::wrong(ABOUT, format!("{name} is {active}"), &[start]),
        (load, _) => {
            Finding::wrong(ABOUT, format!("{name} is {load}"), &["apt-get install --reinstall lvmwarden"])
        }
    }
}

fn stock_unit(name: &str, unit: &Unit) -> Finding {
    const ABOUT: &str = "stock unit";
    let (active, not_masked) = if name == "lvmlockd.service" {
        (&[TURN_LOCKS_ON][..], TURN_LOCKS_ON)
    } else {
        (&[STOP_STOCK, RESTART_SOCKET][..], STOP_STOCK)
    };
    match (unit.load.as_str(), unit.active.as_str()) {
        (_, "active") => Finding::wrong(ABOUT, format!("{name} is active"), active),
        ("masked", _) => Finding::well(ABOUT, format!("{name} is masked")),
        ("not-found", _) => Finding::well(ABOUT, format!("{name} is not there")),
        _ => Finding::wrong(ABOUT, format!("{name} is not masked: it may take the socket"), &[not_masked]),
    }
}

#[cfg(test)]
mod tests;
