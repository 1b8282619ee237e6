//! One QEMU process: a virtual machine under software emulation, without network or with a hub, gone when its value is dropped.
//!
//! Owns the process and a temporary folder with the console log, the sockets and the layer. `/dev/kvm` is never used:
//! where it exists and does not work, a guest started with it hangs.

use super::disks::{self, Disk};
use super::init::Init;
use super::initramfs;
use super::kernel::Kernel;
use super::layer::Layer;
use super::wire::PORT;
use super::{cache::Cache, lock_packages, packages};
use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A running virtual machine.
#[derive(Debug)]
pub struct Machine {
    qemu: Child,
    folder: TempDir,
}

impl Machine {
    /// Makes what is missing on the host, starts a machine with `disks` (`/dev/vda`, `/dev/vdb`, ...), and returns it with
    /// the connection to the agent, which is not ready yet.
    ///
    /// The machine ends when the calling THREAD ends, not only with its process: Linux sends the signal for the
    /// death of the parent when the thread that forked is gone.
    ///
    /// # Errors
    /// The host lacks something that cannot be made, or QEMU does not start.
    pub fn start(disks: &[Disk], init: &Init) -> Result<(Self, UnixStream)> {
        packages::install_missing()?;
        let cache = Cache::open()?;
        let kernel = Kernel::cached_or_current(&cache)?;
        let initramfs = initramfs::prepare(&cache, &kernel)?;
        let random = disks::random(&cache)?;
        let lock_packages = match init {
            Init::LockHost { .. } => Some(("locks", lock_packages::cached_or_current(&cache)?)),
            _ => None,
        };
        drop(cache);

        let folder = tempfile::Builder::new().prefix("lvmwarden-lab-").tempdir()?;
        let layer = Layer::make(&folder.path().join("layer"), init)?;
        let socket = folder.path().join("agent.sock");
        let listener = UnixListener::bind(&socket)?;
        let log = File::create(folder.path().join("qemu.log"))?;

        let exports = [("host", PathBuf::from("/")), ("layer", layer.folder), ("modules", kernel.modules())];
        let exports = exports.into_iter().chain(lock_packages);
        let images = disks.iter().map(|disk| (disk.image(), "off")).chain([(random, "on")]);
        // setpriv makes QEMU end with us, however we end, and then becomes QEMU.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "qemu-system-x86_64"]);
        hardware(&mut command, init);
        command.arg("-kernel").arg(kernel.vmlinux()).arg("-initrd").arg(initramfs);
        command.arg("-append").arg(kernel_command_line(init));
        command.arg("-serial").arg(format!("file:{}", folder.path().join("console.log").display()));
        command.arg("-chardev").arg(format!("socket,id=agent,path={}", socket.display()));
        command.arg("-device").arg(format!("virtserialport,chardev=agent,name={PORT}"));
        for (tag, path) in exports {
            let options = "security_model=none,readonly=on,multidevs=remap";
            command.arg("-virtfs").arg(format!("local,path={},mount_tag={tag},{options}", path.display()));
        }
        for (number, (image, read_only)) in images.enumerate() {
            // Machines that write to one image see each other's writes: they share the host's page cache.
            let options = format!("format=raw,if=none,id=disk{number},cache=writeback,readonly={read_only}");
            command.arg("-drive").arg(format!("file={},file.locking=off,{options}", image.display()));
            command.arg("-device").arg(format!("virtio-blk-pci,drive=disk{number},share-rw=on"));
        }
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let mut machine = Self { qemu: command.spawn().context("cannot start QEMU")?, folder };
        let agent = machine.accept(&listener)?;
        Ok((machine, agent))
    }

    /// Returns what the guest's kernel and QEMU have said so far.
    pub fn console(&self) -> String {
        let text = |name| {
            let bytes = fs::read(self.folder.path().join(name)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        text("qemu.log") + &text("console.log")
    }

    /// Cuts the power: what the guest has not written to its disks is lost.
    ///
    /// # Errors
    /// The process cannot be killed.
    pub fn cut_power(&self) -> Result<()> {
        // Not reaped before the value is dropped, so the id is nobody else's.
        kill_process(Pid::from_child(&self.qemu), Signal::KILL).context("cannot kill QEMU")
    }

    /// Waits until the guest has turned the machine off, or has reset it: both end QEMU.
    ///
    /// # Errors
    /// It runs on for a minute.
    pub fn wait_for_end(&mut self) -> Result<()> {
        const LIMIT: Duration = Duration::from_mins(1);
        let start = Instant::now();
        while self.qemu.try_wait()?.is_none() {
            if start.elapsed() > LIMIT {
                bail!("QEMU has not ended within {LIMIT:?}");
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Waits until QEMU, at its start, has connected the agent's port.
    fn accept(&mut self, listener: &UnixListener) -> Result<UnixStream> {
        const LIMIT: Duration = Duration::from_mins(1);
        listener.set_nonblocking(true)?;
        let start = Instant::now();
        loop {
            match listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false)?;
                    return Ok(stream);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error).context("cannot accept QEMU's connection"),
            }
            if let Some(status) = self.qemu.try_wait()? {
                bail!("QEMU ended with {status}:\n{}", self.console());
            }
            if start.elapsed() > LIMIT {
                bail!("QEMU has not connected the agent's port within {LIMIT:?}");
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Machine {
    /// A power cut: what the guest has not written to its disks is lost.
    fn drop(&mut self) {
        // Both fail only for a process that has ended already.
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }
}

/// The hardware that all machines have.
fn hardware(command: &mut Command, init: &Init) {
    // A processor without AVX: programs choose their code by it, and emulated AVX doubles a scenario's time. One
    // processor: two machines at once keep two cores busier than one machine with two.
    command.args(["-accel", "tcg,thread=single", "-cpu", "Nehalem", "-m", "768", "-smp", "1"]);
    if *init == Init::Even {
        command.args(["-icount", "shift=0"]);
    }
    if let Init::LockHost { number, network } = init {
        let hub = format!("stream,id=hub,server=off,addr.type=unix,addr.path={}", network.display());
        command.args(["-netdev", &hub, "-device"]);
        command.arg(format!("virtio-net-pci,netdev=hub,mac=52:54:00:77:00:{number:02x}"));
    }
    command.args(["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]);
    command.args(["-object", "rng-random,id=random,filename=/dev/urandom"]);
    command.args(["-device", "virtio-rng-pci,rng=random", "-device", "virtio-serial-pci"]);
}

fn kernel_command_line(init: &Init) -> String {
    let ours = match init {
        Init::Udevd => " lab.udevd".to_owned(),
        Init::LockHost { number, .. } => format!(" lab.udevd lab.host={number} net.ifnames=0"),
        Init::Bare | Init::Even | Init::Systemd { .. } => String::new(),
    };
    format!("console=ttyS0 quiet panic=-1 mitigations=off random.trust_cpu=on{ours}")
}
