//! A host's process: makes the calls that it reads from its standard input, and prints what came of them.

use std::fmt::Debug;
use std::io::{self, BufRead};
use std::path::Path;

use lvmwarden_actors::roles::lock::lock_manager::sanlock::{SanlockManager, Settings};
use lvmwarden_actors::roles::lock::lock_manager::{
    Acquire, Adopt, Connection, Fault, InitLv, InitVg, Leave, LockManager, Resource, Site, ValueBlock,
};
use lvmwarden_protocol::lock::LockMode;

use crate::host::{IO_TIMEOUT_SECONDS, KILL_PROGRAM, VG};

/// Serves until the end of the input.
pub(crate) fn serve(device_folder: &Path) {
    let settings = Settings {
        device_folder: device_folder.to_owned(),
        kill_program: device_folder.join(KILL_PROGRAM).to_str().unwrap().to_owned(),
        io_timeout_seconds: IO_TIMEOUT_SECONDS,
        ..Settings::default()
    };
    let manager = SanlockManager::new(settings);
    let mut connection = None;
    for line in io::stdin().lock().lines() {
        let line = line.unwrap();
        let words: Vec<_> = line.split(' ').collect();
        println!("{}", perform(&manager, &mut connection, &words));
    }
}

fn perform(manager: &SanlockManager, connection: &mut Option<Box<dyn Connection>>, words: &[&str]) -> String {
    match words {
        ["connect", args, host_id] => {
            let site = Site {
                vg: Some(VG.try_into().unwrap()),
                args: (*args).into(),
                host_id: host_id.parse().unwrap(),
            };
            text(manager.connect(&site).map(|made| *connection = Some(made)))
        }
        ["connect_to", vg, args, host_id] => {
            let vg = Some((*vg).try_into().unwrap());
            let site = Site { vg, args: (*args).into(), host_id: host_id.parse().unwrap() };
            text(manager.connect(&site).map(|made| *connection = Some(made)))
        }
        ["probe"] => text(manager.probe()),
        ["remains"] => text(manager.remains()),
        ["init_vg", lv, enable] => text(manager.init_vg(&InitVg {
            vg: VG.try_into().unwrap(),
            args: (*lv).into(),
            set_args: "".into(),
            align_mb: 0,
            enable_global: enable.parse().unwrap(),
        })),
        ["rename_vg", vg] => text(manager.rename_vg(&(*vg).try_into().unwrap(), "1.0.0:lvmlock")),
        ["init_lv", uuid, previous] => text(manager.init_lv(&init_lv(uuid, previous))),
        words => on_connection(connection.as_mut().unwrap().as_mut(), words),
    }
}

fn on_connection(connection: &mut dyn Connection, words: &[&str]) -> String {
    match words {
        ["prepare"] => text(connection.prepare(false)),
        ["join", adopt] => text(connection.join(adoption(adopt), false)),
        ["leave"] => text(connection.leave(Leave::Keep)),
        ["destroy"] => text(connection.leave(Leave::Destroy)),
        ["acquire", resource, mode, rest @ ..] => {
            let how = Acquire {
                lv_args: rest.first().copied().unwrap_or_default().into(),
                adopt: rest.get(1).map_or(Adopt::No, |word| adoption(word)),
                repair: rest.get(2) == Some(&"repair"),
            };
            text(connection.acquire(&resource_named(resource), lock_mode(mode), &how))
        }
        ["convert", resource, mode, version @ ..] => {
            text(connection.convert(&resource_named(resource), lock_mode(mode), block(version)))
        }
        ["release", resource, version @ ..] => {
            text(connection.release(&resource_named(resource), block(version), false))
        }
        ["free", resource] => text(connection.release(&resource_named(resource), None, true)),
        ["orphans"] => text(connection.orphans()),
        ["drop_orphans"] => text(connection.drop_orphans()),
        ["other_hosts"] => text(connection.other_hosts()),
        ["find_free_lock"] => text(connection.find_free_lock(0)),
        ["make_lv", uuid] => text(connection.init_lv(&init_lv(uuid, ""))),
        ["free_lv", uuid, args] => text(connection.free_lv((*uuid).try_into().unwrap(), args)),
        ["read_global"] => text(connection.read_global()),
        ["write_global", enabled] => text(connection.write_global(enabled.parse().unwrap())),
        ["renewal"] => text(connection.renewal()),
        words => unreachable!("no such call: {words:?}"),
    }
}

/// Says what came of a call, on one line.
fn text(result: Result<impl Debug, Fault>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(fault) => {
            let owner = fault
                .owner
                .map(|owner| format!(", held by {} {} {}", owner.host_id, owner.state, owner.name));
            format!("error {}: {}{}", fault.code, fault.text, owner.unwrap_or_default())
        }
    }
}

fn init_lv(uuid: &str, previous: &str) -> InitLv {
    InitLv {
        vg: VG.try_into().unwrap(),
        vg_args: "1.0.0:lvmlock".into(),
        lv_uuid: uuid.try_into().unwrap(),
        previous_args: previous.into(),
    }
}

fn resource_named(name: &str) -> Resource {
    Resource::from_name(name).unwrap()
}

fn lock_mode(word: &str) -> LockMode {
    LockMode::from_word(word).unwrap()
}

fn adoption(word: &str) -> Adopt {
    match word {
        "no" => Adopt::No,
        "if_there" => Adopt::IfThere,
        "only" => Adopt::Only,
        other => unreachable!("no such adoption: {other}"),
    }
}

fn block(version: &[&str]) -> Option<ValueBlock> {
    let version = version.first()?.parse().unwrap();
    Some(ValueBlock { version: ValueBlock::VERSION, flags: 0, r_version: version })
}
