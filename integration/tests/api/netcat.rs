//! `nc -U`, a client that knows nothing of Varlink: lines in, lines out.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use lvmwarden_integration::lab::packages;
use lvmwarden_integration::site::Site;
use serde_json::{Value, json};

use crate::support::{say_percent, start_parameters};

/// How long a netcat lives at most, in seconds: what is read from it never comes, or has come by then.
const LIFETIME: &str = "60";

/// Returns the words that start OpenBSD's netcat, which is installed when it is missing.
pub(crate) fn words() -> [&'static str; 4] {
    let program = "/usr/bin/nc";
    if !Path::new(program).exists() {
        packages::install_missing().unwrap();
    }
    ["timeout", LIFETIME, program, "-U"]
}

/// Returns the command that starts it.
fn command() -> Command {
    let [program, arguments @ ..] = words();
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

/// A running netcat.
struct Netcat {
    process: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Netcat {
    fn connect(site: &Site) -> Self {
        let mut process = command().arg(site.api_socket()).spawn().unwrap();
        let (to, from) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        Self { process, to, from }
    }

    fn type_line(&mut self, line: &str) {
        self.to.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// Returns the next line, which is a reply.
    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap();
        assert!(!line.contains('\0'), "{line:?}");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"))
    }
}

impl Drop for Netcat {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

#[test]
fn lines_list_start_watch_and_wait_for_an_operation() {
    let site = Site::new();
    let _service = site.service().start();
    let mut nc = Netcat::connect(&site);
    nc.type_line(r#"{"method": "org.lvmwarden.Poll.List"}"#);
    assert_eq!(nc.line(), json!({"parameters": {"operations": []}}));

    let pvmove = site.pvmove("pvmove0");
    let start = json!({"method": "org.lvmwarden.Poll.Start", "parameters": start_parameters(&pvmove)});
    // Over several lines, as people type it.
    nc.type_line(&format!("{start:#}"));
    let started = nc.line();
    let id = started["parameters"]["id"].as_str().unwrap_or_else(|| panic!("{started}")).to_owned();
    let child = site.lvm.await_start();

    nc.type_line(&format!(
        r#"{{"method": "org.lvmwarden.Poll.Watch", "parameters": {{"id": "{id}"}}, "more": true}}"#
    ));
    assert_eq!(nc.line()["parameters"]["operation"]["id"], *id);
    say_percent(&site, &child, &pvmove, "40.00");
    while nc.line()["parameters"]["operation"]["percent"] != 40.0 {}
    site.lvm.tell_exit(&child, 5);
    let last = loop {
        let line = nc.line();
        if line.get("continues").is_none() {
            break line;
        }
    };
    assert_eq!(last["parameters"]["operation"]["outcome"]["retcode"], 5);

    nc.type_line(&format!(r#"{{"method": "org.lvmwarden.Poll.Wait", "parameters": {{"id": "{id}"}}}}"#));
    assert_eq!(nc.line()["parameters"]["operation"]["state"], "ended");
    nc.type_line(r#"{"method": "org.lvmwarden.Poll.Show", "parameters": {"id": 1}}"#);
    assert_eq!(nc.line()["error"], "org.varlink.service.InvalidParameter");
}

/// `-N` closes the client's side behind the call; the answer comes all the same, and then the end.
#[test]
fn a_script_sends_one_line_and_reads_to_the_end() {
    let site = Site::new();
    let _service = site.service().start();
    let mut nc = command().arg(site.api_socket()).arg("-N").spawn().unwrap();
    nc.stdin.take().unwrap().write_all(b"{\"method\":\"org.lvmwarden.Poll.List\"}\n").unwrap();
    let output = nc.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "{\"parameters\":{\"operations\":[]}}\n");
}
