//! The transport over corosync, with three real corosyncs on one machine, and no virtual one.
//!
//! All of it lives in namespaces of its own: a network with nothing but its loopback, a table of processes that ends with
//! the test, and for each node a root folder and a host name. A node's programs are started in there; a member of the group
//! is a process of this same program, which therefore has a `main` of its own, and so is a host that drives the machines of
//! a change over the transport (`host_process.rs`, `deaths.rs`). It lists and runs its tests as cargo and
//! nextest want it. The machine's own `/etc`, `/var` and `/run` are not touched; it needs root, as making namespaces does.
//!
//! corosync is unpacked, not installed: `$LVMWARDEN_SANLOCK_ROOT` says where (`cargo verify` unpacks it and sets that).
#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]
#![expect(clippy::print_stdout, reason = "the list of tests, what was measured, and a member's answers")]
#![expect(clippy::disallowed_methods, reason = "daemons are started and waited for, without a runtime")]

mod cluster;
mod deaths;
mod host_process;
mod member;
mod member_process;
mod node;
mod stories;

use std::env;
use std::process::{Command, exit};

/// The variable that says that the namespaces are made.
const INSIDE: &str = "LVMWARDEN_TEST_INSIDE";

fn main() {
    if env::var_os(member::HOST).is_some() {
        return host_process::serve();
    }
    if env::var_os(member::DELIVERY_LIMIT_MS).is_some() {
        return member_process::serve();
    }
    let arguments: Vec<_> = env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    if has("--list") {
        // No test is ignored.
        for (name, _) in stories::ALL.iter().filter(|_| !has("--ignored")) {
            println!("{name}: test");
        }
        return;
    }
    if env::var_os(INSIDE).is_none() {
        return enter(&arguments);
    }
    let filters: Vec<_> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let is_wanted = |name: &str| match &filters[..] {
        [] => true,
        wanted if has("--exact") => wanted.iter().any(|filter| *filter == name),
        wanted => wanted.iter().any(|filter| name.contains(filter.as_str())),
    };
    for (name, test) in stories::ALL.iter().filter(|(name, _)| is_wanted(name)) {
        println!("test {name}");
        test();
    }
}

/// Runs this program again in namespaces of its own. Whatever is left in there ends with it.
fn enter(arguments: &[String]) {
    let mut unshare = Command::new("unshare");
    unshare.args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]);
    let script = "ip link set lo up && exec \"$@\"";
    unshare.args(["sh", "-c", script, "sh"]).arg(env::current_exe().unwrap()).args(arguments);
    let status = unshare.env(INSIDE, "1").status().unwrap();
    if !status.success() {
        exit(status.code().unwrap_or(1));
    }
}
