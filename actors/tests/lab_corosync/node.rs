//! A node: a root folder and a host name of its own, and a corosync in there.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{env, fs};

use rustix::process::{Pid, Signal, kill_process};

use crate::cluster::wait_for;

/// What the nodes are called; their ids are 1 to 3.
pub(crate) const NAMES: [&str; 3] = ["a", "b", "c"];

/// Makes a node's root of what is mounted there, and stays in it until the end of the input. A node finds itself in the
/// configuration by its host name. libqb's sockets lie in the node's own `/run` and `/tmp`, not in the network's namespace.
const ROOT: &str = r#"
set -e
mount -t tmpfs node "$1"
cd "$1"
mkdir -p usr packages test disk dev proc run tmp etc/corosync etc/libqb var/lib/corosync var/log/corosync
for name in bin sbin lib lib64; do ln -s usr/$name $name; done
ln -s ../run var/run
mount --bind /usr usr
mount --bind "$3" packages
mount --bind "$4" test
mount --bind "$5" disk
mount --rbind /dev dev
mount -t proc proc proc
: > etc/libqb/force-filesystem-sockets
cp "$1.conf" etc/corosync/corosync.conf
hostname "$2"
touch run/ready
exec chroot . cat
"#;

/// A node.
pub(crate) struct Node {
    pub(crate) id: u32,
    place: PathBuf,
    /// It keeps the namespaces, and ends when this program does.
    holder: Child,
    corosync: Option<Child>,
}

impl Node {
    /// Makes a node at the empty folder `place`, which has the unpacked packages at `root`, and a folder that
    /// all nodes share at `disk`.
    pub(crate) fn new(id: u32, place: &Path, root: &Path, disk: &Path) -> Self {
        fs::write(place.with_extension("conf"), configuration()).unwrap();
        let name = NAMES[id as usize - 1];
        let tests = env::current_exe().unwrap().parent().unwrap().to_owned();
        let mut holder = Command::new("unshare");
        holder.args(["--mount", "--uts", "--", "sh", "-c", ROOT, "sh"]);
        holder.arg(place).arg(name).arg(root).arg(tests).arg(disk).stdin(Stdio::piped());
        let holder = holder.spawn().unwrap();
        let node = Self { id, place: place.to_owned(), holder, corosync: None };
        // The folder is mounted in the node only.
        let ready = format!("/proc/{}/root/run/ready", node.holder.id());
        let is_in_root = || fs::read_to_string(format!("/proc/{}/comm", node.holder.id()));
        wait_for("the root of a node", || {
            is_in_root().is_ok_and(|name| name == "cat\n") && Path::new(&ready).exists()
        });
        node
    }

    /// Returns the command that runs `program` in the node, with the libraries of the packages.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--target={}", self.holder.id()));
        command.args(["--mount", "--uts", "--root", "--wd=/", "--"]).arg(program);
        command.env("LD_LIBRARY_PATH", "/packages/usr/lib/x86_64-linux-gnu");
        command
    }

    /// Returns the path of a file in the node.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        format!("/proc/{}/root{path}", self.holder.id()).into()
    }

    /// Starts corosync; what it logs is beside the node's folder.
    pub(crate) fn start_corosync(&mut self) {
        let log = fs::File::options().create(true).append(true).open(self.place.with_extension("log"));
        let mut command = self.command("/packages/usr/sbin/corosync");
        self.corosync = Some(command.arg("-f").stdin(Stdio::null()).stderr(log.unwrap()).spawn().unwrap());
    }

    /// Ends corosync as the death of the host would.
    pub(crate) fn kill_corosync(&mut self) {
        let mut corosync = self.corosync.take().unwrap();
        corosync.kill().unwrap();
        corosync.wait().unwrap();
    }

    /// Stops corosync, as a pause of the host would, or has it go on.
    pub(crate) fn pause_corosync(&self, is_paused: bool) {
        let signal = if is_paused { Signal::STOP } else { Signal::CONT };
        kill_process(Pid::from_child(self.corosync.as_ref().unwrap()), signal).unwrap();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Either may have ended. A stopped process is ended, too.
        for child in self.corosync.iter_mut().chain([&mut self.holder]) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn configuration() -> String {
    let node = |(id, name)| format!("node {{\nname: {name}\nnodeid: {id}\nring0_addr: 127.0.0.{id}\n}}\n");
    let nodes: Vec<_> = (1..).zip(NAMES).map(node).collect();
    let nodes = nodes.concat();
    format!(
        "totem {{\nversion: 2\ncluster_name: lab\ntoken: 1000\ncrypto_cipher: none\ncrypto_hash: none\n}}\n\
         system {{\nsched_rr: no\nmove_to_root_cgroup: no\n}}\n\
         logging {{\nto_stderr: yes\nto_syslog: no\n}}\n\
         quorum {{\nprovider: corosync_votequorum\n}}\nnodelist {{\n{nodes}}}\n"
    )
}
