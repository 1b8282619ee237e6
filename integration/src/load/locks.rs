//! Two lock daemons in test mode: no lock manager is asked, so what is measured is the daemon itself.

use std::ffi::OsString;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::client::{Client, connect_within};
use crate::load::closed_loop;
use crate::load::operations::Cost;
use crate::load::report::{Report, Subject};
use crate::wait;

/// How many connections a closed loop has.
const CONNECTION_COUNTS: [usize; 3] = [1, 8, 100];
/// How many lockspaces they spread over.
const LOCKSPACE_COUNTS: [usize; 2] = [8, 300];
/// Somebody who waits longer for a connection is never served.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is measured, and how long.
#[derive(Debug)]
pub struct Plan {
    /// Our daemon.
    pub ours: PathBuf,
    /// The C daemon.
    pub theirs: PathBuf,
    /// Where the C daemon finds libraries that are not installed.
    pub libraries: Option<PathBuf>,
    /// How long each closed loop runs.
    pub loop_period: Duration,
}

impl Plan {
    /// Measures one daemon once.
    ///
    /// # Errors
    /// It cannot be started, or refuses a lockspace.
    pub fn run_round(&self, subject: Subject, report: &mut Report) -> Result<()> {
        for lockspaces in LOCKSPACE_COUNTS {
            let daemon = self.start(subject)?;
            let begin = Instant::now();
            daemon.start_lockspaces(lockspaces)?;
            let took = begin.elapsed().as_secs_f64() * 1e3;
            report.add(subject, &format!("{lockspaces} lockspaces, until all are started, ms"), Some(took));
            for count in CONNECTION_COUNTS {
                for (what, script) in [("VG sh", Script::VgShared), ("own LV ex", Script::LvExclusive)] {
                    let name =
                        format!("{what}, {lockspaces} lockspaces, {count} connections: lock or unlock");
                    let measured = daemon.measure(script, count, lockspaces, self.loop_period);
                    report.add_latencies(subject, &name, measured);
                }
            }
            let cost = Cost::of(daemon.process.id());
            let resident = cost.as_ref().map(|cost| cost.resident_kib);
            report.add(subject, &format!("{lockspaces} lockspaces, resident KiB"), resident);
            let threads = cost.as_ref().map(|cost| cost.threads);
            report.add(subject, &format!("{lockspaces} lockspaces, threads"), threads);
        }
        Ok(())
    }

    fn start(&self, subject: Subject) -> Result<Daemon> {
        let folder = tempfile::tempdir().context("cannot make a folder")?;
        let (program, first) = match subject {
            Subject::Ours => (&self.ours, Some("lvmlockd")),
            Subject::Theirs => (&self.theirs, None),
        };
        let mut command = Command::new(program);
        command.args(first).args(["-T", "-f", "-g", "dlm", "-s"]).arg(folder.path().join("socket"));
        command.arg("-p").arg(folder.path().join("pid")).env("LVMWARDEN_RUN_DIR", folder.path());
        if let Some(libraries) = &self.libraries {
            command.env("LD_LIBRARY_PATH", OsString::from(libraries));
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Daemon { process, folder })
    }
}

/// What a connection does in turns.
#[derive(Debug, Clone, Copy)]
enum Script {
    /// A shared lock on a VG, as every reading command has.
    VgShared,
    /// A transient exclusive lock on an LV that nobody else wants.
    LvExclusive,
}

impl Script {
    /// Returns the messages of the connection `number`.
    fn messages(self, number: usize, lockspaces: usize) -> Vec<Vec<u8>> {
        let (request, modes) = match self {
            Self::VgShared => ("lock_vg", ["sh", "un"]),
            Self::LvExclusive => ("lock_lv", ["ex", "un"]),
        };
        let vg = number % lockspaces;
        let lv = format!("{number:06}-0000-0000-0000-0000-0000-{vg:06}");
        let message = |mode| {
            format!(
                "request=\"{request}\"\ncmd =\"lvs\"\npid =1\nmode =\"{mode}\"\nopts =\"none\"\nvg_name =\"vg{vg}\"\n\
                 lv_name =\"lv{number}\"\nlv_uuid =\"{lv}\"\nvg_lock_type =\"dlm\"\nvg_lock_args =\"1.0.0:test\"\n\
                 lv_lock_args =\"dlm\"\n\n##\n"
            )
        };
        modes.map(|mode| message(mode).into_bytes()).into()
    }
}

/// A running daemon; killed when dropped.
struct Daemon {
    process: Child,
    folder: TempDir,
}

impl Daemon {
    fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    fn start_lockspaces(&self, count: usize) -> Result<()> {
        let mut client = Client::connect(&self.socket());
        for number in 0..count {
            let reply = client.ask(format!(
                "request=\"start_vg\"\npid =1\nvg_name =\"vg{number}\"\nvg_lock_type =\"dlm\"\n\
                 vg_lock_args =\"1.0.0:test\"\nvg_uuid =\"{number:06}-0000-0000-0000-0000-0000-000000\"\nversion =1\n\
                 host_id =0\nopts =\"none\"\n"
            ));
            ensure!(reply.contains("op_result = 0\n"), "vg{number} does not start: {reply}");
        }
        wait::until("all lockspaces to be started", Duration::from_mins(1), || {
            let reply = client.ask("request=\"start_wait\"\npid =1\n");
            reply.contains("op_result = 0\n").then_some(())
        });
        Ok(())
    }

    /// Measures a closed loop; `None` when the daemon hung.
    fn measure(
        &self,
        script: Script,
        count: usize,
        lockspaces: usize,
        period: Duration,
    ) -> Option<(Vec<Duration>, Duration)> {
        let socket = self.socket();
        let connect = |_| connect_within(Path::new(&socket), PATIENCE);
        let mut connections: Vec<UnixStream> = (0..count).map(connect).collect::<Result<_, _>>().ok()?;
        let scripts: Vec<_> = (0..count).map(|number| script.messages(number, lockspaces)).collect();
        closed_loop::run_scripts(&mut connections, &scripts, period).ok()?
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended long ago.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
