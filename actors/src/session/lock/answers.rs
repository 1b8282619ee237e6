//! Each request and what becomes of it.

use std::sync::Arc;

use lvmwarden_protocol::lock::info::Info;
use lvmwarden_protocol::lock::{
    Detail, Done, Lock, LockType, Lv, Made, Op, Operation, Options, Owner, Reply as WireReply, Request,
    RequestedType, ResultCode, ResultFlags, Target,
};

use super::routes::Routed;
use super::{Answered, Session};
use crate::lockspace::ask::{Ask, LockAsk, Reply, StartAsk, StopRule};
use crate::lockspace::directory::{job, lockspace_of};
use crate::lockspace::event::Spec;
use crate::lockspace::lock_manager::{Adopt, InitLv, InitVg, Resource};

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
        let op = request.operation.op().unwrap_or(Op::Lock);
        if request.lock_type == RequestedType::Type(LockType::Idm) {
            return self.done(op, request.lock_type, Reply::of(ResultCode::NOT_SUPPORTED)).await;
        }
        if let RequestedType::Type(lock_type) = request.lock_type {
            self.service.directory.environment().global.rules().request_says(lock_type);
        }
        let (vg, said) = (Arc::clone(&request.vg), request.lock_type);
        match request.operation {
            Operation::Lock(lock) => {
                let Routed { reply, lock_type } = self.lock(&vg, said, lock).await;
                self.done(op, lock_type, reply).await
            }
            Operation::InitVg { options, set_args, align_mb } => {
                let init = InitVg { vg, args: request.lock_args, set_args, align_mb, enable_global: false };
                self.init_vg(said, init, options).await
            }
            Operation::InitLv { lv, previous_args } => {
                let (vg_args, lv_uuid) = (request.lock_args, lv.uuid);
                self.init_lv(said, InitLv { vg, vg_args, lv_uuid, previous_args }).await
            }
            Operation::QueryLock(target) => {
                let routed = self.ask_vg(&vg, said, Ask::Query(resource(&target))).await;
                let mode = routed.reply.code.is_ok().then_some(routed.reply.mode).flatten();
                WireReply::Mode { result: routed.reply.code, lock_type: routed.lock_type, mode }
            }
            Operation::SetRemoteLvLock { lv_uuid, mode } => {
                let managers = &self.service.directory.environment().managers;
                // Each of them is told: which one the VG will use is not known before it starts.
                let pretending = managers.all().filter(|manager| manager.pretend_remote(&vg, &lv_uuid, mode));
                let result = if pretending.count() > 0 { ResultCode::OK } else { ResultCode::FAILED };
                WireReply::RemoteLock { result }
            }
            Operation::VgStatus => self.status(op, said, &vg).await,
            Operation::RunningLm => {
                let reply = Reply::of(running(&self.running_managers().await));
                self.done(op, said, reply).await
            }
            Operation::StartVg { vg_uuid, host_id, options, .. } => {
                let args = request.lock_args;
                let reply = self.start(said, vg, vg_uuid, args, host_id, options).await;
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
            Operation::RenameVgFinal => {
                let reply = self.rename_final(said, vg, request.lock_args).await;
                self.done(op, said, reply).await
            }
            Operation::RefreshLv { path, .. } => {
                let reply = self.refresh(path).await;
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

    /// Asks a VG's lockspace what needs nothing else.
    async fn ask_simply(&self, vg: &str, said: RequestedType, operation: &Operation) -> Routed {
        let refused = |code| Routed { reply: Reply::of(code), lock_type: said };
        let rules = &self.service.directory.environment().global;
        let ask = match operation {
            Operation::VgUpdate { version, options } => {
                Ask::VgUpdate { version: *version, next: options.contains(Options::NEXT_VERSION) }
            }
            Operation::FindFreeLock { lv_size_bytes } => Ask::FindFreeLock { size_bytes: *lv_size_bytes },
            Operation::FreeLv(lv) => Ask::FreeLv { uuid: Arc::clone(&lv.uuid), args: Arc::clone(&lv.args) },
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
                if let Err(code) = rules.rules().may_switch(&lockspace_of(vg), true) {
                    return refused(code);
                }
                Ask::EnableGlobal
            }
            Operation::DisableGlobal(options) => {
                if let Err(code) = rules.rules().may_switch(&lockspace_of(vg), false) {
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

    async fn lock(&self, vg: &str, said: RequestedType, lock: Lock) -> Routed {
        let Lock { target, mode, options, max_retries } = lock;
        let (lv_name, lv_args) = match &target {
            Target::Lv(Lv { name, args, .. }) => (Arc::clone(name), Arc::clone(args)),
            Target::Global | Target::Vg => (Arc::from(""), Arc::from("")),
        };
        let ask = LockAsk {
            resource: resource(&target),
            mode,
            persistent: options.contains(Options::PERSISTENT),
            unlock_cancel: options.contains(Options::UNLOCK_CANCEL),
            adopt: adopt(options),
            repair: options.contains(Options::REPAIR),
            max_retries,
            waits_for_start: false,
            lv_name,
            lv_args,
        };
        match target {
            Target::Global => self.lock_global(said, ask).await,
            Target::Vg | Target::Lv(_) => self.ask_vg(vg, said, Ask::Lock(ask)).await,
        }
    }

    async fn start(
        &self,
        said: RequestedType,
        vg: Arc<str>,
        vg_uuid: Arc<str>,
        args: Arc<str>,
        host_id: u32,
        options: Options,
    ) -> Reply {
        let Some(lock_type) = said.known() else { return Reply::of(ResultCode::FAILED) };
        if vg.is_empty() {
            return Reply::of(ResultCode::BAD_ARGS);
        }
        let environment = self.service.directory.environment();
        let spec = Spec {
            name: Arc::from(lockspace_of(&vg)),
            vg: Some(vg),
            vg_uuid,
            args,
            lock_type,
            host_id: if host_id == 0 { environment.host_id } else { host_id },
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

    async fn rename_final(&self, said: RequestedType, vg: Arc<str>, args: Arc<str>) -> Reply {
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

    async fn refresh(&self, path: Arc<str>) -> Reply {
        let manager = self.service.directory.environment().managers.get(LockType::Dlm).cloned();
        let Some(manager) = manager.filter(|_| !path.is_empty()) else { return Reply::of(ResultCode::OK) };
        let refreshed = job(&format!("refresh {path}"), move || manager.refresh_lv(&path)).await;
        refreshed.map_or_else(Reply::from, |()| Reply::of(ResultCode::OK))
    }

    async fn status(&self, op: Op, said: RequestedType, vg: &str) -> WireReply {
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

fn resource(target: &Target) -> Resource {
    match target {
        Target::Global => Resource::Global,
        Target::Vg => Resource::Vg,
        Target::Lv(lv) => Resource::Lv(Arc::clone(&lv.uuid)),
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

fn wire_owner(owner: &crate::lockspace::lock_manager::Owner) -> Owner {
    Owner {
        host_id: owner.host_id,
        generation: owner.generation,
        timestamp: owner.timestamp,
        state: owner.state.clone(),
        name: owner.name.clone(),
    }
}
