//! The service reads the metadata of many PVs for the first time, from images: how much of the processors that takes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use lvmwarden_protocol::disk::image::{PvImage, uuid, vg_text};
use tempfile::TempDir;

use crate::client::{Client, connect_within};
use crate::load::report::{Report, Subject};

/// How many VGs there are.
const VGS: usize = 1000;
/// How many PVs each has.
const PVS: usize = 10;
/// How many LVs each has.
const LVS: usize = 10;
/// How long filling may take.
const PATIENCE: Duration = Duration::from_mins(5);

/// What is measured.
#[derive(Debug)]
pub struct Plan {
    /// The daemon.
    pub ours: PathBuf,
    folder: TempDir,
}

impl Plan {
    /// Makes the images.
    ///
    /// # Errors
    /// There is no room for them: some 200 KB each.
    pub fn new(ours: PathBuf) -> Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a folder")?;
        for name in ["disks/images", "disks/run/pvs_online", "disks/backup", "run", "state"] {
            fs::create_dir_all(folder.path().join(name))?;
        }
        let disks = folder.path().join("disks");
        for vg in 0..VGS {
            let pvs: Vec<usize> = (0..PVS).map(|pv| vg * PVS + pv).collect();
            let text = vg_text(&format!("vg{vg}"), 1_000_000 + vg, 7, &pvs, LVS);
            for pv in pvs {
                write_pv(&disks, pv, &text, vg)?;
            }
        }
        Ok(Self { ours, folder })
    }

    /// Measures once.
    ///
    /// # Errors
    /// The service does not start, or does not fill its cache.
    pub fn run_round(&self, report: &mut Report) -> Result<()> {
        let mut daemon = self.start()?;
        let (begin, socket) = (Instant::now(), self.folder.path().join("lvmetad"));
        let mut client = loop {
            if let Ok(stream) = connect_within(&socket, PATIENCE) {
                drop(stream);
                break Client::connect(&socket);
            }
            if begin.elapsed() > PATIENCE || daemon.0.try_wait()?.is_some() {
                bail!("the service does not serve lvmetad's clients");
            }
            thread::sleep(Duration::from_millis(5));
        };
        while client.ask("request=\"pv_list\"\ntoken=\"skip\"\n").matches("\tvgname=").count() < VGS * PVS {
            if begin.elapsed() > PATIENCE {
                bail!("the cache is not filled");
            }
            thread::sleep(Duration::from_millis(250));
        }
        let name = |what: &str| format!("{} PVs in {VGS} VGs are read from cold, {what}", VGS * PVS);
        let cpu = cpu_seconds(daemon.0.id())?;
        report.add(Subject::Ours, &name("seconds of a processor"), Some(cpu));
        report.add(Subject::Ours, &name("seconds"), Some(begin.elapsed().as_secs_f64()));
        Ok(())
    }

    fn start(&self) -> Result<Daemon> {
        let path = |name: &str| self.folder.path().join(name);
        let configuration = format!(
            "[service]\nroles = [\"metadata\"]\n[metadata]\nsocket = \"{}\"\n[api]\nsocket = \"{}\"\ngroup = \"root\"\n",
            path("lvmetad").display(),
            path("api").display()
        );
        fs::write(path("lvmwarden.toml"), configuration)?;
        let mut command = Command::new(&self.ours);
        command.arg("--config").arg(path("lvmwarden.toml"));
        command.env("LVMWARDEN_RUN_DIR", path("run")).env("LVMWARDEN_STATE_DIR", path("state"));
        command.env("LVMWARDEN_DISKS_DIR", path("disks"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().map(Daemon).with_context(|| format!("cannot start {}", self.ours.display()))
    }
}

fn write_pv(disks: &Path, pv: usize, text: &str, vg: usize) -> Result<()> {
    let mut image = PvImage::new(&uuid(pv), 1);
    image.commit(text);
    let device = format!("{}:{}", 8 + pv / 1000, pv % 1000);
    fs::write(disks.join("images").join(&device), image.bytes())?;
    let name = uuid(pv).as_str().replace('-', "");
    fs::write(disks.join("run/pvs_online").join(name), format!("{device}\nvg:vg{vg}\n"))?;
    Ok(())
}

/// Returns how long a process has had a processor.
fn cpu_seconds(pid: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("the daemon is gone")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: f64 = fields
        .get(11..13)
        .context("a short stat")?
        .iter()
        .filter_map(|field| field.parse::<f64>().ok())
        .sum();
    // Linux tells these times in hundredths of a second, on every architecture that Debian has.
    Ok(ticks / 100.0)
}

/// A running service; killed when dropped.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended long ago.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
