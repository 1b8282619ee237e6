//! The lock manager for sanlock, with real daemons of sanlock and leases in a file.
//!
//! A host is a daemon of sanlock with a folder of its own, and a process in which the lock manager runs: the library finds
//! its daemon by an environment variable, so there is a process for each. That process is this program, which therefore
//! has a `main` of its own; it lists and runs its tests as cargo and nextest want it.
//!
//! sanlock is unpacked, not installed: `$LVMWARDEN_SANLOCK_ROOT` says where (`cargo verify` unpacks it and sets that).
#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]
#![expect(clippy::print_stdout, reason = "the list of tests, and a host's answers, are what is printed")]
#![expect(clippy::disallowed_methods, reason = "daemons are started and waited for, without a runtime")]

mod disk;
mod host;
mod host_process;
mod scenarios;

use std::env;

fn main() {
    if let Some(folder) = env::var_os(host::DEVICE_FOLDER) {
        return host_process::serve(folder.as_ref());
    }
    let arguments: Vec<_> = env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    if has("--list") {
        // No test is ignored.
        for (name, _) in scenarios::ALL.iter().filter(|_| !has("--ignored")) {
            println!("{name}: test");
        }
        return;
    }
    let filters: Vec<_> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let is_wanted = |name: &str| match &filters[..] {
        [] => true,
        wanted if has("--exact") => wanted.iter().any(|filter| *filter == name),
        wanted => wanted.iter().any(|filter| name.contains(filter.as_str())),
    };
    for (name, test) in scenarios::ALL.iter().filter(|(name, _)| is_wanted(name)) {
        println!("test {name}");
        test();
    }
}
