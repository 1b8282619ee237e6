//! `poll start` and `poll abort`.

use lvmwarden_protocol::api::poll::{Abort, Start, StartReply};
use lvmwarden_protocol::poll::PollOperation;

use crate::cli::arguments;
use crate::cli::client::Client;
use crate::cli::failure::Failure;
use crate::cli::names;
use crate::cli::operation::lv;
use crate::cli::screen::Screen;
use crate::cli::selection;

/// Starts an operation.
pub(super) fn start(screen: &mut Screen, options: arguments::Start) -> Result<(), Failure> {
    let subject = options.lv.to_string();
    let mut client = screen.connect()?;
    let lvid = match options.lvid {
        Some(lvid) => lvid,
        None => names::lvid(&mut client, &options.lv)?,
    };
    let request = Start {
        kind: PollOperation::from_word(&options.kind).expect("the parser knows the same words"),
        vgname: options.lv.vgname,
        lvname: options.lv.lvname,
        lvid,
        interval_seconds: options.interval,
        handle_missing_pvs: options.handle_missing_pvs.then_some(true),
        sysdir: options.sysdir,
        devicesfile: options.devicesfile,
    };
    let answer = client.call(&request).map_err(|error| error.about(&subject))?;
    screen.answer(&answer, |reply| words(reply, "polled", &subject))
}

/// Aborts a pvmove.
pub(super) fn abort(screen: &mut Screen, text: &str) -> Result<(), Failure> {
    let mut client = screen.connect()?;
    let (request, subject) = abort_request(&mut client, text)?;
    let answer = client.call(&request).map_err(|error| error.about(&subject))?;
    screen.answer(&answer, |reply| words(reply, "aborted", &subject))
}

/// The daemon itself finds the pvmove of an LV; the beginning of an id is found here.
fn abort_request(client: &mut Client, text: &str) -> Result<(Abort, String), Failure> {
    if let Ok(named) = arguments::lv(text) {
        let subject = named.to_string();
        return Ok((Abort::ByLv { vgname: named.vgname, lvname: named.lvname }, subject));
    }
    let found = selection::find(client, &[text.to_owned()])?;
    let operation = found.first().expect("a text that names no operation is an error");
    Ok((Abort::ById(operation.id), lv(operation)))
}

fn words(reply: &StartReply, what: &str, subject: &str) -> String {
    let when = if reply.already_running { "is already being" } else { "is being" };
    format!("{subject} {when} {what}: operation {}\n", reply.id)
}
