//! Collects the facts: from lvm, systemd, `/proc` and the daemon. Changes nothing, takes no lock of lvm, reads no disk.

use std::path::{Path, PathBuf};

use lvmwarden_actors::foundation::lvm_report;
use lvmwarden_protocol::api::service::{Info, InfoReply};

use super::facts::{
    Answered, Daemon, Facts, LOCK_SOCKET_UNIT, parse_lvm_version, parse_lvmconfig, parse_units,
};
use super::listeners::look_at;
use super::program::output_of;
use crate::cli::failure::Failure;
use crate::cli::screen::Screen;

/// The values of lvm.conf that are looked at.
const LVM_CONFIG: [&str; 3] = ["global/use_lvmpolld", "global/use_lvmlockd", "activation/polling_interval"];

/// The units that are looked at.
const UNITS: [&str; 7] = [
    "lvmwardend.service",
    "lvmwardend.socket",
    "lvmwardend-lvmpolld.socket",
    LOCK_SOCKET_UNIT,
    "lvm2-lvmpolld.socket",
    "lvm2-lvmpolld.service",
    "lvmlockd.service",
];

/// Collects them.
pub(super) fn gather(screen: &Screen) -> Facts {
    // Before anything connects to them: that may start the daemon.
    let lvmpolld_socket = look_at(&lvmpolld_socket());
    let api_socket = look_at(&screen.socket);
    let [config, units] = [
        // That is lvm by the first of the words.
        output_of("lvmconfig", &lvm_report::settings(&LVM_CONFIG)[1..]),
        output_of(
            "systemctl",
            &[&["show", "-p", "Id,LoadState,ActiveState,UnitFileState,MainPID"], &UNITS[..]].concat(),
        ),
    ];
    Facts {
        own_version: env!("CARGO_PKG_VERSION").to_owned(),
        is_root: rustix::process::geteuid().is_root(),
        lvm_version: lvm_version(),
        lvm_config: config.map(|text| parse_lvmconfig(&text)),
        units: units.map(|text| parse_units(&text)),
        lvmpolld_socket,
        api_socket,
        daemon: daemon(screen).map_err(|failure| failure.message),
    }
}

/// Returns the socket that lvm commands connect to.
///
/// Source: lvm2 2.03.16, lvmpolld(8), `LVM_LVMPOLLD_SOCKET`.
fn lvmpolld_socket() -> PathBuf {
    let named = std::env::var_os("LVM_LVMPOLLD_SOCKET").filter(|path| !path.is_empty());
    named.map_or_else(|| Path::new("/run/lvm/lvmpolld.socket").to_owned(), PathBuf::from)
}

fn lvm_version() -> Answered<String> {
    let text = output_of("lvm", &lvm_report::version())?;
    parse_lvm_version(&text).ok_or_else(|| "lvm version says no version".to_owned())
}

fn daemon(screen: &Screen) -> Result<Daemon, Failure> {
    let info = screen.connect().and_then(|mut client| client.call(&Info {}))?.reply;
    let InfoReply { version, pid, roles, history_problem, lock_problem, .. } = info;
    Ok(Daemon { version, pid, roles, history_problem, lock_problem })
}
