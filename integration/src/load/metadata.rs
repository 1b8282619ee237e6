//! One metadata daemon: look-ups against hello, memory for each VG, and how long others wait for a list of everything.
//!
//! No C daemon is measured beside it: lvmetad is part of lvm2 before 2.03, which Debian 12 does not have.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::client::{Client, connect_within};
use crate::load::closed_loop;
use crate::load::operations::Cost;
use crate::load::report::{Report, Subject, rate};

/// How many VGs there are, each on a PV of its own.
const VGS: usize = 1000;
/// How many LVs each has.
const LVS: usize = 10;
/// How many connections a closed loop has.
const CONNECTION_COUNTS: [usize; 2] = [1, 8];
/// Somebody who waits longer for a connection is never served.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is measured, and how long.
#[derive(Debug)]
pub struct Plan {
    /// The daemon.
    pub ours: PathBuf,
    /// How long each closed loop runs.
    pub loop_period: Duration,
}

impl Plan {
    /// Measures once.
    ///
    /// # Errors
    /// It cannot be started, or refuses a VG.
    pub fn run_round(&self, report: &mut Report) -> Result<()> {
        let daemon = self.start()?;
        let before = daemon.resident_kib()?;
        let begin = Instant::now();
        daemon.fill()?;
        add(report, &format!("{VGS} VGs of {LVS} LVs are told, ms"), begin.elapsed().as_secs_f64() * 1e3);
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let for_each = (daemon.resident_kib()? - before) / VGS as f64;
        add(report, "memory for each VG, KiB", for_each);
        add(report, "resident, KiB", daemon.resident_kib()?);
        for count in CONNECTION_COUNTS {
            let hello = self.rate(&daemon, count, &[message("hello", "")])?;
            let lookups: Vec<_> = (0..VGS).map(lookup).collect();
            let lookup = self.rate(&daemon, count, &lookups)?;
            add(report, &format!("{count} connections, hello, requests/s"), hello);
            add(report, &format!("{count} connections, vg_lookup, requests/s"), lookup);
            add(report, &format!("{count} connections, vg_lookup / hello"), lookup / hello);
        }
        for beside in [None, Some("vg_list"), Some("pv_list"), Some("dump")] {
            let longest = self.longest_wait_beside(&daemon, beside)?;
            let beside = beside.unwrap_or("nothing");
            add(report, &format!("the longest wait for a hello beside {beside}, ms"), longest);
        }
        add(report, "resident at the end, KiB", daemon.resident_kib()?);
        Ok(())
    }

    fn start(&self) -> Result<Daemon> {
        let folder = tempfile::tempdir().context("cannot make a folder")?;
        let mut command = Command::new(&self.ours);
        command.args(["lvmetad", "-f", "-s"]).arg(folder.path().join("socket"));
        command.arg("-p").arg(folder.path().join("pid"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().with_context(|| format!("cannot start {}", self.ours.display()))?;
        Ok(Daemon { process, folder })
    }

    fn rate(&self, daemon: &Daemon, count: usize, script: &[Vec<u8>]) -> Result<f64> {
        let mut connections = (0..count).map(|_| daemon.connect()).collect::<Result<Vec<_>>>()?;
        // Each begins elsewhere, so that they do not all ask for the same.
        let scripts: Vec<Vec<_>> = (0..count)
            .map(|number| {
                let mut script = script.to_vec();
                let middle = number * script.len() / count;
                script.rotate_left(middle);
                script
            })
            .collect();
        let ran = closed_loop::run_scripts(&mut connections, &scripts, self.loop_period)?;
        let (latencies, took) = ran.context("the daemon hangs")?;
        Ok(rate(latencies.len(), took))
    }

    /// Returns the longest that a hello took, in ms, while another client asks for `request` again and again.
    fn longest_wait_beside(&self, daemon: &Daemon, request: Option<&str>) -> Result<f64> {
        let is_over = AtomicBool::new(false);
        let mut witness = [daemon.connect()?];
        thread::scope(|scope| {
            let greedy = request.map(|request| {
                let (mut client, message) = (Client::connect(&daemon.socket()), message(request, ""));
                let (is_over, message) = (&is_over, message[..message.len() - 4].to_vec());
                scope.spawn(move || {
                    while !is_over.load(Ordering::Relaxed) {
                        client.ask(&message);
                    }
                })
            });
            let ran = closed_loop::run(&mut witness, &message("hello", ""), self.loop_period);
            is_over.store(true, Ordering::Relaxed);
            greedy.map(thread::ScopedJoinHandle::join).transpose().expect("it has not panicked");
            let (latencies, _) = ran?.context("the daemon hangs")?;
            Ok(latencies.iter().max().context("nothing was answered")?.as_secs_f64() * 1e3)
        })
    }
}

fn add(report: &mut Report, name: &str, value: f64) {
    report.add(Subject::Ours, name, Some(value));
}

fn message(request: &str, fields: &str) -> Vec<u8> {
    format!(
        "request=\"{request}\"\n{fields}token =\"skip\"\nupdate_timeout =10\npid =1\ncmd =\"vgs\"\n\n##\n"
    )
    .into_bytes()
}

fn vg_uuid(number: usize) -> String {
    format!("G{number:05}-abcd-abcd-abcd-abcd-abcd-abcdef")
}

fn lookup(number: usize) -> Vec<u8> {
    message("vg_lookup", &format!("uuid =\"{}\"\nname =\"vg{number}\"\n", vg_uuid(number)))
}

/// Returns the request that tells of a PV and its VG, as long as the metadata of a real one.
fn found(number: usize) -> String {
    let pv = format!("P{number:05}-abcd-abcd-abcd-abcd-abcd-abcdef");
    let lv = |lv: usize| {
        format!(
            "lv{lv} {{\nid=\"L{lv:05}-abcd-abcd-abcd-abcd-abcd-abcdef\"\nstatus=[\"READ\",\"WRITE\",\"VISIBLE\"]\nflags=[]\n\
             creation_time=1795942514\ncreation_host=\"host.example.com\"\nsegment_count=1\nsegment1 {{\nstart_extent=0\n\
             extent_count=25\ntype=\"striped\"\nstripe_count=1\nstripes=[\"pv0\",{}]\n}}\n}}\n",
            lv * 25
        )
    };
    let lvs: String = (0..LVS).map(lv).collect();
    format!(
        "request=\"pv_found\"\npvmeta {{\ndevice={}\ndev_size=98304\nformat=\"lvm2\"\nlabel_sector=1\nid=\"{pv}\"\next_version=2\n\
         ext_flags=1\nmda0 {{\nignore=0\nstart=4096\nsize=1044480\nfree_sectors=0\n}}\nda0 {{\noffset=1048576\nsize=0\n}}\n}}\n\
         vgname=\"vg{number}\"\nmetadata {{\nid=\"{}\"\nseqno=12\nformat=\"lvm2\"\nstatus=[\"RESIZEABLE\",\"READ\",\"WRITE\"]\nflags=[]\n\
         extent_size=8192\nmax_lv=0\nmax_pv=0\nmetadata_copies=0\nphysical_volumes {{\npv0 {{\nid=\"{pv}\"\ndevice=\"/dev/sda{number}\"\n\
         status=[\"ALLOCATABLE\"]\nflags=[]\ndev_size=98304\npe_start=2048\npe_count=255\n}}\n}}\nlogical_volumes {{\n{lvs}}}\n}}\n\
         token=\"skip\"\n",
        number + 1,
        vg_uuid(number)
    )
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

    fn connect(&self) -> Result<UnixStream> {
        connect_within(&self.socket(), PATIENCE).context("cannot connect")
    }

    fn resident_kib(&self) -> Result<f64> {
        // It is there when it answers.
        Client::connect(&self.socket()).ask("request=\"hello\"\n");
        Cost::of(self.process.id()).map(|cost| cost.resident_kib).context("the daemon is gone")
    }

    fn fill(&self) -> Result<()> {
        let mut client = Client::connect(&self.socket());
        for number in 0..VGS {
            let reply = client.ask(found(number));
            ensure!(reply.contains("status = \"complete\"\n"), "vg{number} is not cached: {reply}");
        }
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended long ago.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
