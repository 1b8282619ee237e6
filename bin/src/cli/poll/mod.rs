//! `lvmwarden poll`: long-running pvmoves, conversions and merges.

mod bars;
pub(super) mod foreign;
mod foreign_bars;
mod history;
mod pause;
mod reconcile;
mod show;
mod start;
mod story;
mod throttle;
mod wait;
mod watch;

use super::arguments::Poll;
use super::exit::Exit;
use super::failure::Failure;
use super::screen::Screen;

/// Does what is asked.
pub(super) fn run(screen: &mut Screen, command: Poll) -> Result<Exit, Failure> {
    match command {
        Poll::List => show::list(screen)?,
        Poll::Show { operations } => show::show(screen, &operations)?,
        Poll::Watch { operations } => return watch::run(screen, &operations),
        Poll::Wait { operations, timeout } => return wait::run(screen, &operations, timeout),
        Poll::Foreign => foreign::run(screen)?,
        Poll::Start(options) => start::start(screen, options)?,
        Poll::Abort { operation } => start::abort(screen, &operation)?,
        Poll::Pause { operations } => pause::pause(screen, &operations)?,
        Poll::Resume { operations } => pause::resume(screen, &operations)?,
        Poll::History { limit } => history::run(screen, limit)?,
        Poll::Throttle(options) => throttle::run(screen, &options)?,
        Poll::Reconcile { dry_run } => return reconcile::run(screen, dry_run),
    }
    Ok(Exit::Done)
}
