//! The lvm children of a change: what prepares, what writes, what follows a commit.

use std::sync::Arc;
use std::time::Duration;

use lvmwarden_reconfigure::coordinator::{self, WriterEnd};
use lvmwarden_reconfigure::word::{Cause, Code, Decision};
use lvmwarden_reconfigure::{judge, participant};
use lvmwarden_supervisor::fault;
use lvmwarden_supervisor::process::{
    AdoptError, OutputReader, Process, ProcessExit, ProcessIdentity, terminate,
};
use slog::{Logger, info, warn};
use tokio::time::sleep;
use uuid::Uuid;

use super::shell::Shell;
use crate::foundation::error_chain::chain;
use crate::roles::reconfigure::commands;
use crate::roles::reconfigure::described::Description;
use crate::roles::reconfigure::devices::{self, Device, Devices, device_name};
use crate::roles::reconfigure::environment::ReconfigureEnvironment;
use crate::roles::reconfigure::goal::Wanted;
use crate::roles::reconfigure::lvm::{CHANGE_VARIABLE, ReadError, shortened};
use crate::roles::reconfigure::picture::PicturedLv;

/// How long a writing child has to end after it was asked to, before it is killed.
const GRACE: Duration = Duration::from_secs(2);
/// How often what follows a commit is tried before the host counts as lagging.
const REFRESHES: u32 = 3;
/// The pause between two tries, and between two looks for a child.
const PAUSE: Duration = Duration::from_secs(1);
/// When the process table is looked at again for a child that was just being started.
const SECOND_LOOK: Duration = Duration::from_millis(250);
/// How long a refresh may take.
const REFRESH_DEADLINE: Duration = Duration::from_secs(30);
/// What children of changes do.
const COMMANDS: [&str; 4] = ["lvextend", "lvrename", "vgchange", "lvchange"];

impl Shell {
    /// Returns the LVs whose activation the change turns over here.
    pub(super) async fn to_be_undone(&self) -> Vec<String> {
        let was_active = match &self.wanted {
            Wanted::Activate(_) => false,
            Wanted::Deactivate(_) => true,
            Wanted::Resize { .. } | Wanted::Refresh(_) | Wanted::Rename { .. } | Wanted::Tag { .. } => {
                return Vec::new();
            }
        };
        // What cannot be seen is left as it is.
        let Ok(devices) = devices::look(self.environment.settings.sys.clone()).await else {
            return Vec::new();
        };
        let described = &self.known.described;
        let is_turned = |uuid: &str| devices.of(&described.vg_uuid, uuid).is_some() == was_active;
        let turned = described.lvs.iter().filter(|lv| is_turned(&lv.uuid));
        turned.map(|lv| lv.name.clone()).collect()
    }

    /// Does what can be undone.
    pub(super) fn prepare(&self) {
        let results = self.results();
        let Some(words) = commands::preparer(&self.vg, &self.wanted) else {
            return results.participant(participant::Event::Prepared);
        };
        let (environment, id, node) = (Arc::clone(&self.environment), self.id, self.me.node);
        let preparing = Arc::clone(&self.preparing);
        tokio::spawn(async move {
            let _turn = preparing.lock().await;
            let done = environment.lvm.run(id, words, environment.settings.limits.apply).await;
            results.participant(match done {
                Ok(()) => participant::Event::Prepared,
                Err(error) => {
                    participant::Event::NotPrepared(Cause::new(node, Code::RefusedByLvm, chain(&error)))
                }
            });
        });
    }

    /// Undoes that, when whoever does it has ended.
    pub(super) fn undo(&self) {
        let Some(words) = commands::undoer(&self.vg, &self.wanted, &self.known.undo) else {
            return self.release();
        };
        let results = self.results();
        let (environment, id, log) = (Arc::clone(&self.environment), self.id, self.log.clone());
        let (preparing, is_resumed) = (Arc::clone(&self.preparing), self.is_resumed);
        tokio::spawn(async move {
            let _turn = preparing.lock().await;
            if is_resumed {
                await_children(&environment, id, None, &log).await;
            }
            match environment.lvm.run(id, words, environment.settings.limits.apply).await {
                Ok(()) => results.participant(participant::Event::PartDone),
                Err(error) => {
                    warn!(log, "what was prepared cannot be undone"; "error" => chain(&error),
                          "next" => "try again");
                    results.participant(participant::Event::PartFailed);
                }
            }
        });
    }

    /// Lets go on what the change has suspended: nothing is held here. But a writing child that was ended may have left its
    /// device suspended, with a table that was never committed.
    pub(super) fn release(&self) {
        let machine = &self.known.machine;
        if machine.has_gate && machine.decision == Some(Decision::Abandoned) {
            return self.refresh();
        }
        self.results().participant(participant::Event::PartDone);
    }

    /// Starts the writing child: the gate is open, and that is on disk.
    pub(super) async fn start_writer(&mut self) {
        let results = self.results();
        let Some(words) = commands::writer(&self.vg, &self.wanted, &self.known.described) else { return };
        let in_words = commands::in_words(&words);
        let lvm = &self.environment.lvm;
        // Open before it is started: what it writes stays when it has ended.
        lvm.remove_output(self.id);
        let stderr = OutputReader::open(&lvm.writer_stderr(self.id)).ok();
        match lvm.spawn_writer(self.id, words).await {
            Ok(process) => {
                let subject = self.known.goal.vgname.clone();
                fault::point("reconfigure.writer_spawned", &subject);
                info!(self.log, "the metadata are written"; "command" => &in_words,
                      "process" => %process.identity());
                self.known.writer = Some(process.identity().clone());
                self.store("its writing child").await;
                fault::point("reconfigure.writer_stored", &subject);
                self.follow(process.into(), stderr);
            }
            Err(error) => {
                let cause = Cause::new(self.me.node, Code::RefusedByLvm, chain(&error));
                results.coordinator(coordinator::Event::WriterEnded(WriterEnd::Otherwise(cause)));
            }
        }
    }

    fn follow(&mut self, process: Arc<dyn Process>, stderr: Option<OutputReader>) {
        self.writer = Some(Arc::clone(&process));
        let (results, environment) = (self.results(), Arc::clone(&self.environment));
        let (wanted, described) = (self.wanted.clone(), self.known.described.clone());
        let (vgname, node) = (self.known.goal.vgname.clone(), self.me.node);
        tokio::spawn(async move {
            let exit = process.wait().await;
            let mut said = Vec::new();
            if let Some(stderr) = &stderr {
                stderr.read(&mut said);
            }
            let said = shortened(&String::from_utf8_lossy(&said));
            fault::point("reconfigure.writer_ended", &vgname);
            let is_at_goal = exit == ProcessExit::Code(0)
                && devices::look(environment.settings.sys.clone())
                    .await
                    .is_ok_and(|devices| shows_goal(&vgname, &wanted, &described, &devices));
            let end = if is_at_goal {
                WriterEnd::AtGoal
            } else {
                let said = match exit {
                    ProcessExit::Code(_) => said,
                    exit @ (ProcessExit::Signal(_) | ProcessExit::Unknown) => format!("{exit}: {said}"),
                };
                WriterEnd::Otherwise(Cause::new(node, Code::RefusedByLvm, said))
            };
            results.coordinator(coordinator::Event::WriterEnded(end));
        });
    }

    /// Ends the writing child, which has taken too long.
    pub(super) fn end_writer(&self) {
        let Some(process) = self.writer.clone() else { return };
        let log = self.log.clone();
        warn!(log, "the writing child takes too long"; "process" => %process.identity(), "next" => "end it");
        tokio::spawn(async move {
            if let Err(error) = terminate(&*process, GRACE).await {
                warn!(log, "the writing child cannot be ended"; "error" => chain(&error), "next" => "wait for it");
            }
        });
    }

    /// Waits for the writing child of an earlier life.
    pub(super) fn await_writer(&self) {
        let (results, environment) = (self.results(), Arc::clone(&self.environment));
        let (id, writer, log) = (self.id, self.known.writer.clone(), self.log.clone());
        tokio::spawn(async move {
            await_children(&environment, id, writer, &log).await;
            results.judge(judge::Event::WriterEnded);
        });
    }

    /// Brings devices to what the metadata say.
    pub(super) fn refresh(&self) {
        let (results, environment) = (self.results(), Arc::clone(&self.environment));
        let refreshing = Refreshing {
            id: self.id,
            vg: self.vg.clone(),
            wanted: self.wanted.clone(),
            described: self.known.described.clone(),
        };
        let log = self.log.clone();
        tokio::spawn(async move {
            for tried in 1..=REFRESHES {
                match refreshing.refresh(&environment).await {
                    Ok(()) => return results.participant(participant::Event::PartDone),
                    Err(reason) => {
                        warn!(log, "the devices cannot be brought to what the metadata say"; "tried" => tried,
                              "error" => reason, "next" => "try again");
                    }
                }
                sleep(PAUSE).await;
            }
            results.participant(participant::Event::PartFailed);
        });
    }
}

/// What is needed to bring devices to what the metadata say.
struct Refreshing {
    id: Uuid,
    vg: lvmwarden_protocol::ids::VgName,
    wanted: Wanted,
    described: Description,
}

impl Refreshing {
    /// Refreshes what is not as the metadata say, and looks whether it is then.
    async fn refresh(&self, environment: &ReconfigureEnvironment) -> Result<(), String> {
        let sys = &environment.settings.sys;
        let picture = match environment.lvm.read(&self.vg).await {
            Ok(picture) => picture,
            // Whoever has removed the VG has removed its devices.
            Err(ReadError::NoVg(_)) if devices::are_gone(sys.clone(), &self.described.vg_uuid).await => {
                return Ok(());
            }
            Err(error) => return Err(chain(&error)),
        };
        let lvs: Vec<_> = self.described.lvs.iter().filter_map(|lv| picture.lv_of(&lv.uuid)).collect();
        let vg = picture.name.as_str();
        let devices = devices::look(sys.clone()).await?;
        let all_anew = matches!(self.wanted, Wanted::Refresh(_));
        let is_wanting = |lv: &PicturedLv, devices: &Devices| {
            devices.of(&self.described.vg_uuid, &lv.uuid).map(|device| !is_as_told(vg, lv, device))
        };
        let to_do =
            lvs.iter().filter(|lv| is_wanting(lv, &devices).is_some_and(|is_wanting| is_wanting || all_anew));
        let to_do: Vec<_> = to_do.map(|lv| lv.name.clone()).collect();
        let Some(words) = commands::refresher(&self.vg, &to_do) else { return Ok(()) };
        let ran = environment.lvm.run(self.id, words, REFRESH_DEADLINE).await;
        // The devices count, not the exit code.
        let devices = devices::look(sys.clone()).await?;
        match lvs.iter().find(|lv| is_wanting(lv, &devices) == Some(true)) {
            None if all_anew => ran.map_err(|error| chain(&error)),
            None => Ok(()),
            Some(lv) => {
                let said = ran.map_or_else(|error| chain(&error), |()| "lvm has said nothing".to_owned());
                Err(format!("the device of {vg}/{} is not as the metadata say: {said}", lv.name))
            }
        }
    }
}

/// Tells whether the device of an LV has its name and its size, and goes on.
fn is_as_told(vg: &str, lv: &PicturedLv, device: &Device) -> bool {
    let has_size = lv.is_snapshot || device.bytes == lv.bytes;
    has_size && device.name == device_name(vg, &lv.name) && !device.is_suspended
}

/// Tells whether an active LV shows that the goal is reached; of one that is not active, the metadata tell.
fn shows_goal(vgname: &str, wanted: &Wanted, described: &Description, devices: &Devices) -> bool {
    let lv = described.lvs.first();
    let Some(device) = lv.and_then(|lv| devices.of(&described.vg_uuid, &lv.uuid)) else { return false };
    let is_shown = match wanted {
        Wanted::Resize { .. } => Some(device.bytes) == described.goal_bytes(),
        Wanted::Rename { new, .. } => device.name == device_name(vgname, new.as_str()),
        Wanted::Tag { .. } | Wanted::Refresh(_) | Wanted::Activate(_) | Wanted::Deactivate(_) => false,
    };
    is_shown && !device.is_suspended
}

/// Waits until no child of a change runs that an earlier life has started: the recorded one, and any that was not recorded yet.
async fn await_children(
    environment: &ReconfigureEnvironment,
    id: Uuid,
    recorded: Option<ProcessIdentity>,
    log: &Logger,
) {
    let processes = &environment.lvm.processes;
    for look in [Duration::ZERO, SECOND_LOOK] {
        sleep(look).await;
        loop {
            let wanted = |words: &[std::ffi::OsString]| {
                words.iter().any(|word| COMMANDS.iter().any(|command| word == command))
            };
            let found = match processes.scan(Arc::new(wanted)).await {
                Ok(found) => found,
                Err(error) => {
                    warn!(log, "the process table cannot be read"; "error" => chain(&error), "next" => "read it again");
                    sleep(PAUSE).await;
                    continue;
                }
            };
            let of_change = (CHANGE_VARIABLE.into(), id.to_string().into());
            let ours = found.into_iter().filter(|process| process.environment.contains(&of_change));
            let mut alive = ours.map(|process| process.identity).chain(recorded.clone());
            let mut has_waited = false;
            for identity in alive.by_ref() {
                match processes.adopt(identity).await {
                    Ok(process) => {
                        info!(log, "a child of an earlier life still works"; "process" => %process.identity(),
                              "next" => "wait for it");
                        process.ended().await;
                        has_waited = true;
                    }
                    Err(error @ AdoptError::Io { .. }) => {
                        warn!(log, "a child of an earlier life cannot be looked for"; "error" => chain(&error),
                              "next" => "look again");
                        sleep(PAUSE).await;
                        has_waited = true;
                    }
                    // One that is gone needs no wait.
                    Err(
                        AdoptError::Gone { .. } | AdoptError::Stranger { .. } | AdoptError::NotAChild { .. },
                    ) => {}
                }
            }
            if !has_waited {
                break;
            }
        }
    }
}
