//! The command line of `lvmwarden`: one definition of each command and option, from which parser, help, man page and
//! completions come.

mod metadata;
pub(super) mod reconfigure;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use lvmwarden_protocol::api::events::Cursor;
use lvmwarden_protocol::ids::{DevicesFile, InvalidName, LvName, SystemDir, Uuids, VgName};
use lvmwarden_protocol::poll::PollOperation;

pub(super) use metadata::Metadata;
use reconfigure::Reconfigure;

/// Shows what lvmwardend does, and tells it what to do
///
/// Without a command it shows the host at a glance: the operations with their progress, what was restarted, and what
/// happened of late.
#[derive(Debug, Parser)]
#[command(name = "lvmwarden", version, disable_help_subcommand = true, max_term_width = 100)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) common: Common,

    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

/// What goes with every command.
#[derive(Debug, Args)]
pub(super) struct Common {
    /// The daemon's socket
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        env = "LVMWARDEN_SOCKET",
        default_value = "/run/lvmwarden/org.lvmwarden",
        value_hint = ValueHint::FilePath
    )]
    pub(super) socket: PathBuf,

    /// Print what the API answered, one JSON object a line, instead of text for people
    #[arg(long, global = true)]
    pub(super) json: bool,

    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t)]
    pub(super) color: Color,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Poll operations: pvmoves, conversions and merges in progress
    #[command(subcommand)]
    Poll(Poll),

    /// Show the supervision tree
    Tree,

    /// Show what happened, the latest last
    Events(Events),

    /// Print all metrics, in the form that Prometheus reads
    Metrics,

    /// The archive janitor: old copies of metadata in /etc/lvm/archive
    #[command(subcommand)]
    Archive(Archive),

    /// The locks of shared VGs: who holds what, who waits, and why
    #[command(subcommand)]
    Lock(Lock),

    /// VGs, PVs and LVs, as the daemon has them in memory: no lock, no scan
    #[command(subcommand)]
    Metadata(Metadata),

    /// Changes that all hosts of a VG make together, or none of them
    ///
    /// A command that asks for a change waits for its end. Ctrl-C abandons the change, if that is still possible.
    #[command(subcommand)]
    Reconfigure(Reconfigure),

    /// Have the daemon log more or less, until it ends
    LogLevel {
        /// The least severe level that is written
        #[arg(value_parser = PossibleValuesParser::new(["critical", "error", "warning", "info", "debug", "trace"]))]
        level: String,
    },

    /// End an actor of the tree and start it anew, with all below it
    Restart {
        /// Its full name, as `lvmwarden tree` shows it
        name: String,
    },

    /// End the daemon in order
    ///
    /// The lvpoll processes work on, and the next daemon takes them over.
    Stop {
        /// End the lvpoll processes as well; the operations then rest until they are started again
        #[arg(long)]
        end_children: bool,
    },

    /// Show the daemon's version, process, and what it serves
    Info,

    /// Check that lvm on this host uses the daemon, and say what to type where it does not
    ///
    /// Reads the configuration of lvm, the sockets with the processes that listen on them, and the units of systemd;
    /// changes nothing. The exit code is 0 when all is well, 1 when there is something to mend. Run it as root: others
    /// cannot see who listens.
    Doctor,
}

/// What to do about poll operations.
#[derive(Debug, Subcommand)]
pub(super) enum Poll {
    /// List all operations
    List,

    /// Show all that is known of operations, and tell what has happened to them
    ///
    /// Also of those that are over: by the id, or the latest of an LV. With --json, the operation (null when it is over and
    /// forgotten) and its story.
    Show {
        /// The id of an operation, its beginning, or VG/LV
        #[arg(value_name = "OPERATION", required = true)]
        operations: Vec<String>,
    },

    /// Follow operations to their end, with a bar for each
    ///
    /// Off a terminal it prints a line for each change. It survives a restart of the daemon.
    Watch {
        /// The id of an operation, its beginning, or VG/LV; without any, all that there are or begin meanwhile
        #[arg(value_name = "OPERATION")]
        operations: Vec<String>,
    },

    /// Wait until operations have ended
    ///
    /// The exit code is 0 when all of them ended well. It survives a restart of the daemon.
    Wait {
        /// The id of an operation, its beginning, or VG/LV
        #[arg(value_name = "OPERATION", required = true)]
        operations: Vec<String>,

        /// Give up after so many seconds, with exit code 5
        #[arg(long, value_name = "SECONDS", value_parser = seconds)]
        timeout: Option<Duration>,
    },

    /// List copies of others: raids, and lvm commands that poll by themselves
    ///
    /// The daemon only shows them.
    Foreign,

    /// Have an LV polled, unless it is
    ///
    /// lvm commands do this by themselves. By hand it is needed for an operation that nobody polls, such as one that
    /// was going on when the host went down.
    Start(Start),

    /// Abort a pvmove
    Abort {
        /// The id of the pvmove, its beginning, or VG/LV
        #[arg(value_name = "OPERATION")]
        operation: String,
    },

    /// Slow copies down, by the kernel's own knobs, or show how these stand
    ///
    /// A value is the share of the time that copying may take. It holds for every copy of the kernel's module on this host, not
    /// for one operation. The old value comes back with --off, when no operation is in progress any more, and when the
    /// daemon ends in order; after a crash the next daemon knows it. A value that somebody else has set meanwhile is left.
    Throttle(Throttle),

    /// Search LVM's metadata for operations that nobody polls, and have them polled
    ///
    /// The daemon does so by itself at its start and after a boot. What another process polls is left alone.
    Reconcile {
        /// Only show them
        #[arg(long)]
        dry_run: bool,
    },

    /// Have pvmoves wait at the end of the segment that is being copied
    ///
    /// What the kernel copies it copies to the end of the segment. The pause holds until `resume`, also after a restart of
    /// the daemon; `pvmove` commands that wait go on waiting.
    Pause {
        /// The id of an operation, its beginning, or VG/LV
        #[arg(value_name = "OPERATION", required = true)]
        operations: Vec<String>,
    },

    /// Have pvmoves go on that were paused
    Resume {
        /// The id of an operation, its beginning, or VG/LV
        #[arg(value_name = "OPERATION", required = true)]
        operations: Vec<String>,
    },

    /// Show what happened to operations, the latest last, with those that are over
    History {
        /// The latest so many steps only
        #[arg(long, value_name = "COUNT")]
        limit: Option<u32>,
    },
}

/// What to do about locks.
#[derive(Debug, Clone, Subcommand)]
pub(super) enum Lock {
    /// Show the lockspaces of shared VGs, who holds their locks on this host, and who waits
    List {
        /// Only this VG
        #[arg(value_name = "VG", value_parser = name::<VgName>)]
        vgname: Option<VgName>,
    },

    /// Show the locks of one VG
    Show {
        /// The VG
        #[arg(value_name = "VG", value_parser = name::<VgName>)]
        vgname: VgName,
    },

    /// Have lvm start the lockspace of a VG, as `vgchange --lock-start` does
    Start {
        /// The VG
        #[arg(value_name = "VG", value_parser = name::<VgName>)]
        vgname: VgName,
    },

    /// Leave the lockspace of a VG, unless one of its LVs is locked here
    Stop {
        /// The VG
        #[arg(value_name = "VG", value_parser = name::<VgName>)]
        vgname: VgName,
    },

    /// Leave the lockspace of a VG with all its locks: its leases are lost, and its LVs were deactivated
    Drop {
        /// The VG
        #[arg(value_name = "VG", value_parser = name::<VgName>)]
        vgname: VgName,
    },

    /// Show locks of an earlier daemon that nobody has taken over
    Orphans {
        /// Only of this VG
        #[arg(value_name = "VG", value_parser = name::<VgName>)]
        vgname: Option<VgName>,
    },

    /// Take over locks of LVs that an earlier daemon has left behind; `lvchange -an` gives them back
    Adopt {
        /// The VG
        #[arg(value_name = "VG", value_parser = name::<VgName>)]
        vgname: VgName,
        /// The UUID of an LV; all of them without it
        #[arg(value_name = "LOCK")]
        lock: Option<String>,
    },

    /// Give locks that an earlier daemon has left behind to other hosts: nothing on this host may use them
    Release {
        /// The VG
        #[arg(value_name = "VG", value_parser = name::<VgName>)]
        vgname: VgName,
        /// The UUID of an LV, VGLK or GLLK; those of all LVs without it
        #[arg(value_name = "LOCK")]
        lock: Option<String>,
        /// Although an LV is active, or a process lives that has asked: the other hosts get the lock beside it
        #[arg(long)]
        force: bool,
    },

    /// Say in words why a command waits
    Explain {
        /// A VG, or an LV by its name or UUID
        #[arg(value_name = "VG[/LV]", value_parser = vg_or_lv)]
        name: VgOrLv,
    },

    /// Show what happened to lockspaces and their locks, the latest last
    ///
    /// Starts and stops, lost leases, what was taken over from an earlier daemon or given back by hand, requests that waited for
    /// ten seconds and more, and requests that were refused. Kept on disk, for each VG its latest 500 entries.
    History {
        /// Only of this VG
        #[arg(value_name = "VG", value_parser = name::<VgName>)]
        vgname: Option<VgName>,
        /// The latest so many entries only
        #[arg(long, value_name = "COUNT")]
        limit: Option<u32>,
    },

    /// Show all of it anew whenever it changes
    Watch,
}

/// What to do about the archive.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(super) enum Archive {
    /// Show how full the archive is, what the janitor keeps, and how its latest pass went
    Status,

    /// Show what a pass would remove now, and why; removes nothing
    Plan,

    /// Remove now what is beyond the configured bounds
    Clean,
}

/// What `poll start` asks for.
#[derive(Debug, Args)]
pub(super) struct Start {
    /// What is polled
    #[arg(value_parser = PossibleValuesParser::new(PollOperation::ALL.map(PollOperation::as_str)))]
    pub(super) kind: String,

    /// The LV, such as vg0/pvmove0
    #[arg(value_name = "VG/LV", value_parser = lv)]
    pub(super) lv: Lv,

    /// The UUID of the VG and that of the LV, one after the other; dashes do not matter
    ///
    /// Needed only where the daemon does not know the LV, as without its role metadata; the examples of lvmwarden(1) show how
    /// lvs prints it.
    #[arg(long, value_name = "UUIDS", value_parser = lvid)]
    pub(super) lvid: Option<Uuids>,

    /// How often lvpoll looks; by default as often as the daemon is configured to
    #[arg(long, value_name = "SECONDS")]
    pub(super) interval: Option<u32>,

    /// Go on although PVs are missing
    #[arg(long)]
    pub(super) handle_missing_pvs: bool,

    /// The folder of lvm.conf for lvpoll (`LVM_SYSTEM_DIR`)
    #[arg(long, value_name = "PATH", value_hint = ValueHint::DirPath, value_parser = name::<SystemDir>)]
    pub(super) sysdir: Option<SystemDir>,

    /// The devices file for lvpoll
    #[arg(long, value_name = "NAME", value_parser = name::<DevicesFile>)]
    pub(super) devicesfile: Option<DevicesFile>,
}

/// How `poll throttle` turns the knobs.
#[derive(Debug, Args)]
pub(super) struct Throttle {
    /// Pvmoves, and mirrors that are brought in sync, take at most so much of the time; 100 is full speed
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(0..=100))]
    pub(super) mirror: Option<u32>,

    /// Merges of old-style snapshots, and what is copied into such, take at most so much of the time
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(0..=100))]
    pub(super) snapshot: Option<u32>,

    /// Give the old values back of what is not named
    #[arg(long)]
    pub(super) off: bool,
}

/// Which events `events` shows.
#[derive(Debug, Args)]
pub(super) struct Events {
    /// Go on with what happens from now on, or since the cursor; survives a restart of the daemon
    #[arg(short, long)]
    pub(super) follow: bool,

    /// Only what happened after the event with this cursor; tells what is not kept any more
    #[arg(long, value_name = "CURSOR", value_parser = cursor)]
    pub(super) since: Option<Cursor>,

    /// At most so many events: the latest, or with --follow or --since the first
    #[arg(long, value_name = "COUNT")]
    pub(super) limit: Option<u32>,
}

/// An LV by its names.
#[derive(Debug, Clone)]
pub(super) struct Lv {
    /// The VG's name.
    pub(super) vgname: VgName,
    /// The LV's name.
    pub(super) lvname: LvName,
}

impl std::fmt::Display for Lv {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.vgname, self.lvname)
    }
}

/// Reads `VG/LV`, or `/dev/VG/LV` as lvm commands take it.
pub(super) fn lv(text: &str) -> Result<Lv, &'static str> {
    const EXPECTED: &str = "expected VG/LV";
    let (vg, lv) = text.strip_prefix("/dev/").unwrap_or(text).split_once('/').ok_or(EXPECTED)?;
    if lv.contains('/') {
        return Err(EXPECTED);
    }
    Ok(Lv { vgname: vg.try_into().map_err(|_| EXPECTED)?, lvname: lv.try_into().map_err(|_| EXPECTED)? })
}

/// A VG, or one of its LVs.
#[derive(Debug, Clone)]
pub(super) struct VgOrLv {
    /// The VG's name.
    pub(super) vgname: VgName,
    /// The LV's name or UUID.
    pub(super) lv: Option<String>,
}

fn vg_or_lv(text: &str) -> Result<VgOrLv, InvalidName> {
    let (vg, lv) = text.split_once('/').map_or((text, None), |(vg, lv)| (vg, Some(lv.to_owned())));
    Ok(VgOrLv { vgname: name(vg)?, lv })
}

fn lvid(text: &str) -> Result<Uuids, &'static str> {
    text.replace('-', "").try_into().map_err(|_| "expected two UUIDs of 32 letters and digits each")
}

fn cursor(text: &str) -> Result<Cursor, &'static str> {
    Cursor::try_from(text).map_err(|_| "expected EPOCH:NUMBER, as `lvmwarden events` prints it")
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    const EXPECTED: &str = "expected a number of seconds, at most 1000000000";
    let seconds: f64 = text.parse().map_err(|_| EXPECTED)?;
    if !(0.0..=1e9).contains(&seconds) {
        return Err(EXPECTED);
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// The error says what is wrong with the name.
fn name<T: for<'a> TryFrom<&'a str, Error = InvalidName>>(text: &str) -> Result<T, InvalidName> {
    T::try_from(text)
}
