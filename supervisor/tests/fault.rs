//! Faults strike the program that reaches their point: this test runs itself as that program.

use std::{
    env,
    os::unix::process::ExitStatusExt,
    process::{Command, Output},
};

use lvmwarden_supervisor::fault;

const SIGKILL: i32 = 9;

#[test]
fn faults_of_the_environment_strike_where_they_are_told_to() {
    if env::var_os("LVMWARDEN_FAULT").is_some() {
        fault::point("elsewhere", "vg0");
        fault::point("op.started", "vg0");
        fault::point("op.started", "vg1");
        return;
    }
    assert!(run_with("panic@op.started=vg9").status.success(), "no such subject");
    let panicked = run_with("kill@nowhere; panic@op.started=vg1");
    let killed = run_with("kill@op.started:2");
    let misspelt = run_with("kil@op.started");
    if cfg!(debug_assertions) {
        assert_eq!(panicked.status.code(), Some(101));
        let output = String::from_utf8_lossy(&panicked.stdout);
        assert!(output.contains("fault injected at op.started (vg1)"), "{output}");
        assert_eq!(killed.status.signal(), Some(SIGKILL));
        assert_eq!(misspelt.status.code(), Some(101));
    } else {
        assert!([panicked, killed, misspelt].iter().all(|output| output.status.success()));
    }
}

fn run_with(faults: &str) -> Output {
    #[expect(clippy::disallowed_methods, reason = "it is this test and ends by itself")]
    Command::new(env::current_exe().expect("this test has a path"))
        .env("LVMWARDEN_FAULT", faults)
        .output()
        .expect("this test can be run again")
}
