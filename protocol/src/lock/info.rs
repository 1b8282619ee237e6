//! The lines of `info`: lockspaces, locks and clients, one record a line of `key=value`.
//!
//! `lvmlockctl -i` copies them into buffers of fixed size without looking, so what is written never exceeds them:
//! at most [`MAX_CLIENTS`] clients, [`MAX_LINE_BYTES`] a line, [`MAX_VALUE_BYTES`] a value, [`MAX_BYTES`] in all. Nothing is
//! ever empty or has a blank in it, which would shift all that follows.
//!
//! Source: lvm2 2.03.16 and 2.03.39, lvmlockctl.c and observed dumps.

use std::collections::HashSet;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use bytes::Bytes;

use super::{LockMode, Op, RequestedType};

/// How many clients are listed at most; those that hold or want a lock come before others.
pub const MAX_CLIENTS: usize = 100;
/// The longest line, without its newline.
pub const MAX_LINE_BYTES: usize = 511;
/// The longest value.
pub const MAX_VALUE_BYTES: usize = 64;
/// The largest text: the buffer of lvmlockctl up to 2.03.25.
pub const MAX_BYTES: usize = 1024 * 1024;

/// Which lvmlockctl shall understand the lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InfoFormat {
    /// That of lvm2 up to 2.03.27: `vg_sysid` stands between the VG's UUID and its arguments.
    #[default]
    WithSysid,
    /// A later one, which would print no lock type then.
    WithoutSysid,
}

/// All that is listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Info {
    /// The clients, in the order of their coming.
    pub clients: Vec<ClientInfo>,
    /// The lockspaces.
    pub lockspaces: Vec<LockspaceInfo>,
}

/// A client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientInfo {
    /// Its pid.
    pub pid: i32,
    /// The number of its socket here.
    pub fd: i32,
    /// Its number among the clients of the daemon's life, from 1.
    pub id: u32,
    /// Its command; empty where it is not known.
    pub name: Arc<str>,
}

/// A lockspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockspaceInfo {
    /// Its name, such as `lvm_vg0`.
    pub name: Arc<str>,
    /// The VG's name; empty for `lvm_global`.
    pub vg: Arc<str>,
    /// The VG's UUID; empty for `lvm_global`.
    pub vg_uuid: Arc<str>,
    /// The VG's lock arguments; may be empty.
    pub args: Arc<str>,
    /// Its type.
    pub lock_type: RequestedType,
    /// Our host id in it; 0 where it has none.
    pub host_id: u32,
    /// The generation of our host in it; 0 where it has none.
    pub generation: u32,
    /// How it stands.
    pub state: LockspaceFlags,
    /// Requests that wait for the lockspace as a whole.
    pub waiting: Vec<RequestInfo>,
    /// What is locked in it.
    pub resources: Vec<ResourceInfo>,
}

/// How a lockspace stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of the line")]
pub struct LockspaceFlags {
    /// Joining it has failed.
    pub create_fail: bool,
    /// It has been joined.
    pub create_done: bool,
    /// Something is being done for it.
    pub thread_work: bool,
    /// It is being left.
    pub thread_stop: bool,
    /// It has been left.
    pub thread_done: bool,
    /// Its leases are lost.
    pub kill_vg: bool,
    /// It is being left with all its locks.
    pub drop_vg: bool,
    /// It serves the global lock (sanlock).
    pub sanlock_gl_enabled: bool,
}

/// Something that can be locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceInfo {
    /// Its name: `GLLK`, `VGLK`, or the LV's UUID.
    pub name: Arc<str>,
    /// What it is.
    pub kind: ResourceKind,
    /// How this host holds it.
    pub mode: LockMode,
    /// How many share it.
    pub sh_count: u32,
    /// Its version.
    pub version: u32,
    /// Who holds it.
    pub locks: Vec<LockInfo>,
    /// Who waits for it.
    pub waiting: Vec<RequestInfo>,
}

/// What is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceKind {
    /// The list of VGs.
    Global,
    /// A VG.
    Vg,
    /// An LV.
    Lv,
}

/// A lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockInfo {
    /// Its mode.
    pub mode: LockMode,
    /// The version it was given.
    pub version: u32,
    /// Whose it is; `None` for a persistent one, which is nobody's.
    pub client: Option<u32>,
}

/// A request that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestInfo {
    /// Whose it is.
    pub client: u32,
    /// The bits of its options.
    pub flags: u32,
    /// The version it is about.
    pub version: u32,
    /// What it asks for.
    pub op: Op,
    /// What it is about, where that can be locked.
    pub kind: Option<ResourceKind>,
    /// The mode it asks for; `None` for none.
    pub mode: Option<LockMode>,
    /// The lock type it names.
    pub lock_type: RequestedType,
    /// The last result of a request that is tried again.
    pub result: i32,
    /// The lock manager's number with it.
    pub lm_result: i32,
}

impl ResourceKind {
    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Global => "gl",
            Self::Vg => "vg",
            Self::Lv => "lv",
        }
    }
}

impl Info {
    /// Writes the lines; what does not fit [`MAX_BYTES`] is left out from the end, by whole lines.
    pub fn to_bytes(&self, format: InfoFormat) -> Bytes {
        let mut out = Lines(String::with_capacity(1024));
        out.put(format_args!(
            "info=structs unused_action_count=0 unused_client_count=0 unused_resource_count=0 unused_lock_count=0"
        ));
        for (index, client) in self.listed_clients().enumerate() {
            let ClientInfo { pid, fd, id, name } = client;
            let name = Value(name, ".");
            out.put(format_args!("info=client pid={pid} fd={fd} pi={index} id={id} name={name}"));
        }
        for lockspace in &self.lockspaces {
            lockspace.write(format, &mut out);
        }
        out.0.into()
    }

    /// Returns the clients that are listed: all, or those that have to do with a lock and as many others as fit.
    fn listed_clients(&self) -> impl Iterator<Item = &ClientInfo> {
        let is_short = self.clients.len() <= MAX_CLIENTS;
        let shown = if is_short { HashSet::new() } else { self.clients_with_locks().collect() };
        let (first, rest): (Vec<_>, Vec<_>) =
            self.clients.iter().partition(|client| is_short || shown.contains(&client.id));
        first.into_iter().chain(rest).take(MAX_CLIENTS)
    }

    fn clients_with_locks(&self) -> impl Iterator<Item = u32> {
        self.lockspaces.iter().flat_map(|lockspace| {
            let of_resources = lockspace.resources.iter().flat_map(|resource| {
                let holders = resource.locks.iter().filter_map(|lock| lock.client);
                holders.chain(resource.waiting.iter().map(|request| request.client))
            });
            lockspace.waiting.iter().map(|request| request.client).chain(of_resources)
        })
    }
}

impl LockspaceInfo {
    fn write(&self, format: InfoFormat, out: &mut Lines) {
        let Self { host_id, generation, state, .. } = self;
        let (name, vg) = (Value(&self.name, "."), Value(&self.vg, "."));
        let (vg_uuid, args) = (Value(&self.vg_uuid, "."), Value(&self.args, "."));
        let lm_type = self.lock_type.as_str();
        let stages = format_args!(
            "create_fail={} create_done={} thread_work={} thread_stop={} thread_done={} kill_vg={}",
            u8::from(state.create_fail),
            u8::from(state.create_done),
            u8::from(state.thread_work),
            u8::from(state.thread_stop),
            u8::from(state.thread_done),
            u8::from(state.kill_vg),
        )
        .to_string();
        let (drop_vg, gl) = (u8::from(state.drop_vg), u8::from(state.sanlock_gl_enabled));
        match format {
            InfoFormat::WithSysid => out.put(format_args!(
                "info=ls ls_name={name} vg_name={vg} vg_uuid={vg_uuid} vg_sysid=. vg_args={args} \
                 lm_type={lm_type} host_id={host_id} {stages} drop_vg={drop_vg} sanlock_gl_enabled={gl}"
            )),
            InfoFormat::WithoutSysid => out.put(format_args!(
                "info=ls ls_name={name} vg_name={vg} vg_uuid={vg_uuid} vg_args={args} lm_type={lm_type} \
                 host_id={host_id} generation={generation} {stages} fence_pr=0 no_timeout=0 sanlock_gl_enabled={gl}"
            )),
        }
        for request in &self.waiting {
            out.put(format_args!("info=ls_action {request}"));
        }
        for resource in &self.resources {
            resource.write(out);
        }
    }
}

impl ResourceInfo {
    fn write(&self, out: &mut Lines) {
        let Self { mode, sh_count, version, .. } = self;
        let (name, kind) = (Value(&self.name, "."), self.kind.as_str());
        out.put(format_args!(
            "info=r name={name} type={kind} mode={mode} sh_count={sh_count} version={version}"
        ));
        for LockInfo { mode, version, client } in &self.locks {
            let (flags, client) = (u8::from(client.is_none()), client.unwrap_or_default());
            out.put(format_args!(
                "info=lk mode={mode} version={version} flags=0x{flags:x} client_id={client}"
            ));
        }
        for request in &self.waiting {
            out.put(format_args!("info=r_action {request}"));
        }
    }
}

impl fmt::Display for RequestInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client, flags, version, op, result, lm_result, .. } = self;
        write!(
            f,
            "client_id={client} flags=0x{flags:x} version={version} op={} rt={} mode={} lm_type={} \
             result={result} lm_rv={lm_result}",
            op.as_str(),
            self.kind.map_or(".", ResourceKind::as_str),
            self.mode.map_or("iv", LockMode::as_str),
            self.lock_type.as_str(),
        )
    }
}

/// A text as a value, and what stands for an empty one.
struct Value<'v>(&'v str, &'static str);

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text, substitute) = self;
        if text.is_empty() {
            return f.write_str(substitute);
        }
        let end = text.floor_char_boundary(MAX_VALUE_BYTES);
        let is_plain = |character: char| !character.is_whitespace() && !character.is_control();
        for character in text[..end].chars() {
            f.write_char(if is_plain(character) { character } else { '_' })?;
        }
        Ok(())
    }
}

/// The text so far.
struct Lines(String);

impl Lines {
    /// Adds a line if it fits, and nothing after one that did not.
    fn put(&mut self, line: fmt::Arguments<'_>) {
        let begin = self.0.len();
        if begin == MAX_BYTES {
            return;
        }
        self.0.write_fmt(line).expect("a string that grows takes any text");
        let line_end = begin + self.0[begin..].floor_char_boundary(MAX_LINE_BYTES);
        self.0.truncate(line_end);
        self.0.push('\n');
        if self.0.len() > MAX_BYTES {
            self.0.truncate(begin);
        }
    }
}
