//! Each request and what becomes of it.

use std::sync::Arc;

use lvmwarden_protocol::ids::{LvName, LvUuid, VgName, VgUuid};
use lvmwarden_protocol::lock::info::Info;
use lvmwarden_protocol::lock::{
    Detail, Done, Lock, LockArgs, LockMode, LockType, Lv, Made, Op, Operation, Options, Owner,
    Reply as WireReply, Request, RequestedType, ResultCode, ResultFlags, Target,
};

use super::routes::Routed;
use super::{Answered, Session};
use crate::roles::lock::directory::{job, lockspace_of};
use crate::roles::lock::host_id::{self, HostId};
use crate::roles::lock::lock_manager::{Adopt, InitLv, InitVg, Resource};
use crate::roles::lock::lockspace::ask::{Ask, LockAsk, Reply, StartAsk, StopRule};
use crate::roles::lock::lockspace::event::Spec;

impl Session<'_> {
    /// Does what a request asks for.
    pub(super) async fn answer(&self, request: Request) -> Answered {
        match &request.operation {
            Operation::Hello => WireReply::Greeting { result: ResultCode::OK }.into(),
            Operation::Quit => self.quit().await,
            Operation::Info => self.info().await,
            Operation::Dump => {
                let log = self.service.dumps.log();
                let reply = WireReply::Dump { result: ResultCode::OK, len: log.len() };
                Answered { reply, dump: Some(log), quits: false }
            }
            _request_about_locks => {
                let _under_way = self.service.directory.environment().requests.begin().await;
                self.answer_about_locks(request).await.into()
            }
        }
    }

    async fn quit(&self) -> Answered {
        let _under_way = self.service.directory.environment().requests.begin().await;
        let quits = self.service.directory.lockspaces().is_empty();
        let result = if quits { ResultCode::OK } else { ResultCode::BUSY };
        Answered { reply: WireReply::Greeting { result }, dump: None, quits }
    }

    async fn info(&self) -> Answered {
        let pictures = self.service.directory.describe().await;
        let clients = self.service.directory.environment().clients.all();
        let info = super::listing::list(&clients, &pictures);
        let text = Info::to_bytes(&info, self.service.dumps.format());
        let reply = WireReply::Dump { result: ResultCode::OK, len: text.len() };
        Answered { reply, dump: Some(text), quits: false }
    }

    async fn answer_about_locks(&self, request: Request) -> WireReply {
        let Request { operation, vg, lock_type: said, lock_args, .. } = request;
        let op = operation.op().unwrap_or(Op::Lock);
        if said == RequestedType::Type(LockType::Idm) {
            return self.done(op, said, Reply::of(ResultCode::NOT_SUPPORTED)).await;
        }
        if let RequestedType::Type(lock_type) = said {
            self.service.directory.environment().global.rules().request_says(lock_type);
        }
        let Some(args) = lock_args else { return self.refused(&operation, said, ResultCode::BAD_ARGS).await };
        match operation {
            Operation::Lock(Lock { target: Target::Global, mode, options, max_retries }) => {
                let ask = lock_ask(Resource::Global, mode, options, max_retries);
                let Routed { reply, lock_type } = self.lock_global(said, ask).await;
                self.done(op, lock_type, reply).await
            }
            Operation::RunningLm => {
                let reply = Reply::of(running(&self.running_managers().await));
                self.done(op, said, reply).await
            }
            Operation::StartWait => {
                self.service.directory.wait_for_starts().await;
                self.done(op, said, Reply::of(ResultCode::OK)).await
            }
            Operation::StopAll(options) => {
                let force = options.contains(Options::FORCE);
                let rule = if force { StopRule::Anyway } else { StopRule::UnlessLocks };
                let wait = options.contains(Options::WAIT);
                let left = self.service.directory.stop_all(rule, wait, &self.question(said)).await;
                let code = ResultCode(i32::try_from(left).unwrap_or(i32::MAX));
                self.done(op, said, Reply::of(code)).await
            }
            Operation::RefreshLv { path, .. } => {
                let reply = self.refresh(&path).await;
                self.done(op, said, reply).await
            }
            of_vg => match vg {
                Some(vg) => self.answer_about_vg(op, said, vg, args, of_vg).await,
                None => self.refused(&of_vg, said, without_vg(&of_vg)).await,
            },
        }
    }

    async fn answer_about_vg(
        &self,
        op: Op,
        said: RequestedType,
        vg: VgName,
        args: LockArgs,
        operation: Operation,
    ) -> WireReply {
        if let Err(code) = lv_of(&operation).map_or(Ok(()), |lv| known(lv).map(drop)) {
            return self.refused(&operation, said, code).await;
        }
        match operation {
            Operation::Lock(lock) => {
                let Routed { reply, lock_type } = self.lock(&vg, said, lock).await;
                self.done(op, lock_type, reply).await
            }
            Operation::InitVg { options, set_args, align_mb } => {
                let init = InitVg { vg, args: args.into(), set_args, align_mb, enable_global: false };
                self.init_vg(said, init, options).await
            }
            Operation::InitLv { lv: Lv { uuid: Some(lv_uuid), .. }, previous_args } => {
                self.init_lv(said, InitLv { vg, vg_args: args.into(), lv_uuid, previous_args }).await
            }
            Operation::QueryLock(target) => {
                let Some(resource) = resource(&target) else {
                    return WireReply::Mode { result: ResultCode::INVALID, lock_type: said, mode: None };
                };
                let Routed { reply, lock_type } = self.ask_vg(&vg, said, Ask::Query(resource)).await;
                let mode = reply.code.is_ok().then_some(reply.mode).flatten();
                WireReply::Mode { result: reply.code, lock_type, mode }
            }
            Operation::SetRemoteLvLock { lv_uuid: Some(lv_uuid), mode } => {
                let managers = &self.service.directory.environment().managers;
                // Each of them is told: which one the VG will use is not known before it starts.
                let pretending = managers.all().filter(|manager| manager.pretend_remote(&vg, lv_uuid, mode));
                let result = if pretending.count() > 0 { ResultCode::OK } else { ResultCode::FAILED };
                WireReply::RemoteLock { result }
            }
            Operation::VgStatus => self.status(op, said, &vg).await,
            Operation::StartVg { vg_uuid, host_id, options, .. } => {
                let reply = self.start(said, vg, vg_uuid, args, host_id, options).await;
                self.done(op, said, reply).await
            }
            Operation::RenameVgFinal => {
                let reply = self.rename_final(said, vg, args).await;
                self.done(op, said, reply).await
            }
            Operation::SetLockArgsFinal { .. } => {
                self.made(op, ResultCode::NOT_SUPPORTED, String::new(), String::new())
            }
            simple => {
                let Routed { reply, lock_type } = self.ask_simply(&vg, said, &simple).await;
                self.done(op, lock_type, reply).await
            }
        }
    }

    /// Refuses a request before anything is done, in the shape that its reply has.
    async fn refused(&self, operation: &Operation, said: RequestedType, result: ResultCode) -> WireReply {
        let op = operation.op().unwrap_or(Op::Lock);
        match operation {
            Operation::InitVg { .. } | Operation::InitLv { .. } | Operation::SetLockArgsFinal { .. } => {
                self.made(op, result, String::new(), String::new())
            }
            Operation::QueryLock(_) => WireReply::Mode { result, lock_type: said, mode: None },
            Operation::SetRemoteLvLock { .. } => WireReply::RemoteLock { result },
            _told_its_result => self.done(op, said, Reply::of(result)).await,
        }
    }

    /// Asks a VG's lockspace what needs nothing else.
    async fn ask_simply(&self, vg: &VgName, said: RequestedType, operation: &Operation) -> Routed {
        let refused = |code| Routed { reply: Reply::of(code), lock_type: said };
        let rules = &self.service.directory.environment().global;
        let ask = match operation {
            Operation::VgUpdate { version, options } => {
                Ask::VgUpdate { version: *version, next: options.contains(Options::NEXT_VERSION) }
            }
            Operation::FindFreeLock { lv_size_bytes } => Ask::FindFreeLock { size_bytes: *lv_size_bytes },
            Operation::FreeLv(lv) => match known(lv) {
                Ok((uuid, args)) => Ask::FreeLv { uuid, args: args.into() },
                Err(code) => return refused(code),
            },
            Operation::BusyVg => Ask::Busy,
            Operation::RenameVgBefore => Ask::RenameBefore,
            Operation::SetLockArgsBefore { set_args } => {
                if !set_args_are_known(set_args) {
                    return refused(ResultCode::NOT_SUPPORTED);
                }
                Ask::SetLockArgsBefore
            }
            Operation::KillVg => Ask::Kill,
            Operation::DropVg => Ask::Drop,
            Operation::StopVg(options) => Ask::Stop(if options.contains(Options::FORCE) {
                StopRule::Anyway
            } else {
                StopRule::UnlessLvLocks
            }),
            Operation::FreeVg => Ask::Free,
            Operation::EnableGlobal => {
                if let Err(code) = self.may_switch(vg, true).await {
                    return refused(code);
                }
                Ask::EnableGlobal
            }
            Operation::DisableGlobal(options) => {
                if let Err(code) = self.may_switch(vg, false).await {
                    return refused(code);
                }
                Ask::DisableGlobal { exclusive: options.contains(Options::EX_DISABLE) }
            }
            _answered_before => return refused(ResultCode::INVALID),
        };
        let routed = self.ask_vg(vg, said, ask).await;
        if routed.reply.code.is_ok() {
            match operation {
                Operation::EnableGlobal => rules.rules().enabled(),
                Operation::FreeVg => rules.rules().freed(&lockspace_of(vg)),
                _nothing_global => {}
            }
        }
        if matches!(
            operation,
            Operation::StopVg(_) | Operation::FreeVg | Operation::DropVg | Operation::RenameVgBefore
        ) {
            self.service.directory.stop_global_if_unused(&self.question(said)).await;
        }
        routed
    }

    /// Looks whether the global lock of a VG may be enabled or disabled; that of a killed VG has its own reason not to.
    async fn may_switch(&self, vg: &VgName, enable: bool) -> Result<(), ResultCode> {
        let (directory, lockspace) = (&self.service.directory, lockspace_of(vg));
        let (may, lock_type) = {
            let rules = directory.environment().global.rules();
            (rules.may_switch(&lockspace, enable), rules.lock_type())
        };
        // Where the global lock is dlm's, that comes first, as in C.
        let may_be_killed = may == Err(ResultCode::INVALID) && lock_type == Some(LockType::Sanlock);
        if may_be_killed && directory.describe_one(&lockspace).await.is_some_and(|picture| picture.killed) {
            return Err(ResultCode::VG_KILLED);
        }
        may
    }

    async fn lock(&self, vg: &VgName, said: RequestedType, lock: Lock) -> Routed {
        let Lock { target, mode, options, max_retries } = lock;
        let Some(resource) = resource(&target) else {
            return Routed { reply: Reply::of(ResultCode::INVALID), lock_type: said };
        };
        let mut ask = lock_ask(resource, mode, options, max_retries);
        if let Target::Lv(Lv { name, args, .. }) = target {
            ask.lv_name = name.as_ref().map_or("", LvName::as_str).into();
            ask.lv_args = args.unwrap_or_default().into();
        }
        self.ask_vg(vg, said, Ask::Lock(ask)).await
    }

    async fn start(
        &self,
        said: RequestedType,
        vg: VgName,
        vg_uuid: Option<VgUuid>,
        args: LockArgs,
        host_id: u32,
        options: Options,
    ) -> Reply {
        let Some(lock_type) = said.known() else { return Reply::of(ResultCode::FAILED) };
        let environment = self.service.directory.environment();
        let host_id = match environment.host_id.clone() {
            _ if host_id != 0 || lock_type != LockType::Sanlock => host_id,
            HostId::Number(number) => number,
            HostId::File(file) => match job("read the host id", move || host_id::read(&file)).await {
                Ok(number) => number,
                Err(fault) => {
                    slog::warn!(self.service.log, "a VG is not started"; "vg" => %vg, "error" => %fault,
                                "next" => "the file is read again at the next start");
                    return Reply::from(fault);
                }
            },
        };
        let spec = Spec {
            name: Arc::from(lockspace_of(&vg)),
            vg: Some(vg),
            vg_uuid,
            args: args.into(),
            lock_type,
            host_id,
            local_wait: environment.local_wait,
        };
        let how = StartAsk {
            wait: options.contains(Options::WAIT),
            adopt: adopt(options),
            nodelay: options.contains(Options::NODELAY),
            repair: options.contains(Options::REPAIR),
        };
        self.service.directory.start(spec, how, &self.question(RequestedType::None)).await
    }

    async fn init_vg(&self, said: RequestedType, init: InitVg, options: Options) -> WireReply {
        let directory = &self.service.directory;
        let environment = directory.environment();
        let (name, asked_args) = (lockspace_of(&init.vg), init.args.to_string());
        let failed = |code| self.made(Op::Init, code, asked_args.clone(), String::new());
        let Some(lock_type) = said.known() else { return failed(ResultCode::FAILED) };
        let Some(manager) = environment.managers.get(lock_type).cloned() else {
            return failed(ResultCode::NOT_SUPPORTED);
        };
        let same = |other: &String| match lock_type {
            LockType::Sanlock => other.bytes().take(48).eq(name.bytes().take(48)),
            LockType::Dlm | LockType::Idm => *other == name,
        };
        let lockspaces = directory.lockspaces();
        if lockspaces.iter().any(same) {
            return failed(ResultCode::EXISTS);
        }
        let (enable, disable) = (options.contains(Options::ENABLE), options.contains(Options::DISABLE));
        let enable_global = environment.global.rules().new_vg_is_enabled(enable, disable);
        let init = InitVg { enable_global, ..init };
        match job(&format!("init {name}"), move || manager.init_vg(&init)).await {
            Ok(args) => {
                if enable_global && lock_type == LockType::Sanlock {
                    environment.global.rules().promised(Arc::from(name));
                }
                self.made(Op::Init, ResultCode::OK, args, String::new())
            }
            Err(fault) => {
                slog::warn!(self.service.log, "cannot make a VG's leases"; "vg" => &name, "error" => %fault);
                failed(fault.code)
            }
        }
    }

    async fn init_lv(&self, said: RequestedType, init: InitLv) -> WireReply {
        let environment = self.service.directory.environment();
        let vg_args = init.vg_args.to_string();
        let answer = |code, lv_args| self.made(Op::Init, code, vg_args.clone(), lv_args);
        match said {
            RequestedType::Type(LockType::Sanlock) | RequestedType::None => {}
            RequestedType::Type(_) => return answer(ResultCode::OK, String::new()),
            RequestedType::Unknown => return answer(ResultCode::INVALID, String::new()),
        }
        let Routed { reply, .. } = self.ask_vg(&init.vg, said, Ask::InitLv(Box::new(init.clone()))).await;
        if reply.code != ResultCode::NO_LOCKSPACE {
            return answer(reply.code, reply.lv_args.map(String::from).unwrap_or_default());
        }
        let Some(manager) = environment.managers.get(LockType::Sanlock).cloned() else {
            return answer(ResultCode::NOT_SUPPORTED, String::new());
        };
        match job(&format!("init an LV of {}", init.vg.clone()), move || manager.init_lv(&init)).await {
            Ok(lv_args) => answer(ResultCode::OK, lv_args),
            Err(fault) => answer(fault.code, String::new()),
        }
    }

    async fn rename_final(&self, said: RequestedType, vg: VgName, args: LockArgs) -> Reply {
        match said {
            RequestedType::Type(LockType::Dlm) => Reply::of(ResultCode::OK),
            RequestedType::Type(LockType::Sanlock) => {
                let managers = &self.service.directory.environment().managers;
                let Some(manager) = managers.get(LockType::Sanlock).cloned() else {
                    return Reply::of(ResultCode::NOT_SUPPORTED);
                };
                let renamed = job(&format!("rename {vg}"), move || manager.rename_vg(&vg, &args)).await;
                renamed.map_or_else(Reply::from, |()| Reply::of(ResultCode::OK))
            }
            RequestedType::Type(LockType::Idm) | RequestedType::None | RequestedType::Unknown => {
                Reply::of(ResultCode::INVALID)
            }
        }
    }

    async fn refresh(&self, path: &str) -> Reply {
        let manager = self.service.directory.environment().managers.get(LockType::Dlm).cloned();
        let Some(manager) = manager.filter(|_| !path.is_empty()) else { return Reply::of(ResultCode::OK) };
        // It becomes a command line on other hosts.
        let Some((vg, lv)) = lv_of_path(path) else { return Reply::of(ResultCode::INVALID) };
        let refreshed = job(&format!("refresh {vg}/{lv}"), move || manager.refresh_lv(&vg, &lv)).await;
        refreshed.map_or_else(Reply::from, |()| Reply::of(ResultCode::OK))
    }

    async fn status(&self, op: Op, said: RequestedType, vg: &VgName) -> WireReply {
        let Routed { reply, lock_type } = self.ask_vg(vg, said, Ask::Status).await;
        let result = if reply.code == ResultCode::NO_LOCKSPACE { ResultCode::NOT_FOUND } else { reply.code };
        let owner = reply.owner.map(|owner| wire_owner(&owner)).unwrap_or_default();
        let owner = Owner { name: String::new(), ..owner };
        let (lm_result, detail) = (reply.lm_result, Detail::Owner(owner));
        WireReply::Done(Done { op, lock_type, result, lm_result, detail, flags: ResultFlags::NONE })
    }

    async fn done(&self, op: Op, lock_type: RequestedType, reply: Reply) -> WireReply {
        let flags = reply.flags | self.flags(reply.code).await;
        let detail = match reply.owner {
            Some(owner) if reply.code == ResultCode::AGAIN => Detail::Owner(wire_owner(&owner)),
            _nobody_in_the_way if op == Op::Start && reply.previous_generation != 0 => {
                Detail::PreviousGeneration(reply.previous_generation)
            }
            _nobody_in_the_way => Detail::Generation(reply.generation),
        };
        WireReply::Done(Done { op, lock_type, result: reply.code, lm_result: reply.lm_result, detail, flags })
    }

    fn made(&self, op: Op, result: ResultCode, vg_lock_args: String, lv_lock_args: String) -> WireReply {
        let flags = self.service.directory.environment().global.rules().flags(result, true);
        WireReply::Made(Made { op, result, lm_result: 0, vg_lock_args, lv_lock_args, flags })
    }
}

/// Returns the LV that a request is about, and that has to be one.
fn lv_of(operation: &Operation) -> Option<&Lv> {
    match operation {
        Operation::Lock(Lock { target: Target::Lv(lv), .. })
        | Operation::QueryLock(Target::Lv(lv))
        | Operation::InitLv { lv, .. }
        | Operation::FreeLv(lv) => Some(lv),
        _about_no_lv => None,
    }
}

/// Returns an LV's UUID and its lock arguments.
///
/// # Errors
/// [`ResultCode::INVALID`]: it has no UUID; the names of other locks are none. [`ResultCode::FAILED`]: its arguments are
/// none, as when they make no sense.
fn known(lv: &Lv) -> Result<(LvUuid, LockArgs), ResultCode> {
    let uuid = lv.uuid.ok_or(ResultCode::INVALID)?;
    Ok((uuid, lv.args.clone().ok_or(ResultCode::FAILED)?))
}

/// Returns the result of a request that has to be about a VG, and names nothing that can be one.
fn without_vg(operation: &Operation) -> ResultCode {
    match operation {
        Operation::StartVg { .. }
        | Operation::InitVg { .. }
        | Operation::InitLv { .. }
        | Operation::RenameVgFinal
        | Operation::SetLockArgsFinal { .. }
        | Operation::SetRemoteLvLock { .. } => ResultCode::BAD_ARGS,
        Operation::VgStatus => ResultCode::NOT_FOUND,
        // It has no lockspace.
        _asked_of_a_lockspace => ResultCode::NO_LOCKSPACE,
    }
}

/// Returns the VG and the LV of a path such as `/dev/vg/lv`.
fn lv_of_path(path: &str) -> Option<(VgName, LvName)> {
    let (vg, lv) = path.strip_prefix("/dev/")?.split_once('/')?;
    Some((vg.try_into().ok()?, lv.try_into().ok()?))
}

fn resource(target: &Target) -> Option<Resource> {
    match target {
        Target::Global => Some(Resource::Global),
        Target::Vg => Some(Resource::Vg),
        Target::Lv(lv) => lv.uuid.map(Resource::Lv),
    }
}

fn lock_ask(resource: Resource, mode: Option<LockMode>, options: Options, max_retries: u32) -> LockAsk {
    LockAsk {
        persistent: options.contains(Options::PERSISTENT),
        unlock_cancel: options.contains(Options::UNLOCK_CANCEL),
        adopt: adopt(options),
        repair: options.contains(Options::REPAIR),
        max_retries,
        ..LockAsk::new(resource, mode)
    }
}

fn adopt(options: Options) -> Adopt {
    if options.contains(Options::ADOPT_ONLY) {
        Adopt::Only
    } else if options.contains(Options::ADOPT) {
        Adopt::IfThere
    } else {
        Adopt::No
    }
}

/// Returns the result by which `running_lm` names what runs.
fn running(managers: &[LockType]) -> ResultCode {
    match managers {
        [] => ResultCode::NO_MANAGER_RUNS,
        [only] => ResultCode(only.number()),
        [_, _, ..] => ResultCode::MANY_MANAGERS_RUN,
    }
}

fn set_args_are_known(words: &str) -> bool {
    words
        .split(',')
        .all(|word| matches!(word, "persist" | "nopersist" | "timeout" | "notimeout" | "caw" | "nocaw"))
}

fn wire_owner(owner: &crate::roles::lock::lock_manager::Owner) -> Owner {
    Owner {
        host_id: owner.host_id,
        generation: owner.generation,
        timestamp: owner.timestamp,
        state: owner.state.clone(),
        name: owner.name.clone(),
    }
}
