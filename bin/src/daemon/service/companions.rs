//! The tasks beside the supervision tree, which tell how the service fares: systemd, and the readers of events.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_actors::foundation::facts::occurrence::Occurrence;
use lvmwarden_actors::service::ServiceEnvironment;
use lvmwarden_supervisor::Root;
use slog::{Logger, info};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::systemd::{Notice, Systemd, feed_watchdog, watchdog};

/// The shortest time between two lines of status.
const STATUS_INTERVAL: Duration = Duration::from_secs(5);
/// The longest time between two looks.
const LONGEST_STATUS_INTERVAL: Duration = Duration::from_secs(20);
/// How often it is looked whether lines of the log are missing.
const LOG_INTERVAL: Duration = Duration::from_secs(10);
/// How long the tree may take to answer, before clients are said to be served.
const READY_DEADLINE: Duration = Duration::from_secs(5);
/// The wait before it is asked again.
const READY_RETRY_DELAY: Duration = Duration::from_millis(100);

/// The tasks; they end with this value.
pub(super) struct Companions(JoinHandle<()>);

/// What the tasks work with.
struct Company {
    root: Rc<Root>,
    environment: Arc<ServiceEnvironment>,
    systemd: Systemd,
    log: Logger,
}

impl Companions {
    /// Starts them; `open` turns true when clients are served.
    pub(super) fn start(
        root: &Rc<Root>,
        open: watch::Receiver<bool>,
        environment: &Arc<ServiceEnvironment>,
        systemd: &Systemd,
        log: &Logger,
    ) -> Self {
        let company = Company {
            root: Rc::clone(root),
            environment: Arc::clone(environment),
            systemd: systemd.clone(),
            log: log.clone(),
        };
        Self(actix_rt::spawn(async move {
            company.await_ready(open).await;
            tokio::join!(company.tell_status(), company.give_signs_of_life(), company.tell_of_lost_lines());
        }))
    }
}

impl Drop for Companions {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Company {
    async fn await_ready(&self, mut open: watch::Receiver<bool>) {
        // The other end of the gate lives as long as the service.
        let _ = open.wait_for(|open| *open).await;
        while self.root.tree(READY_DEADLINE).await.is_err() {
            // Not at once: a tree that has ended says so without waiting.
            sleep(READY_RETRY_DELAY).await;
        }
        info!(self.log, "lvmwardend is ready");
        self.environment.events.publish(&Occurrence::ServiceReady);
        self.systemd.tell(Notice::Ready);
    }

    async fn tell_status(&self) {
        let registry = self.root.registry();
        let events = &self.environment.events;
        let mut told = String::new();
        loop {
            let seen = events.position();
            let Some(status) = self.environment.status(&registry).await else { return };
            if status != told {
                self.systemd.tell(Notice::Status(status.clone()));
                told = status;
            }
            sleep(STATUS_INTERVAL).await;
            // What is locked and given back is no event.
            let _ = timeout(LONGEST_STATUS_INTERVAL, events.wait_after(&seen)).await;
        }
    }

    async fn give_signs_of_life(&self) {
        let Some(period) = watchdog() else { return };
        let tree_answers = async |deadline| self.root.tree(deadline).await.is_ok();
        feed_watchdog(period, &self.systemd, &self.log, tree_answers).await;
    }

    async fn tell_of_lost_lines(&self) {
        let mut told = 0;
        loop {
            let dropped = self.environment.control.log_lines_dropped();
            if dropped > told {
                self.environment.events.publish(&Occurrence::LogLinesDropped { count: dropped - told });
                told = dropped;
            }
            sleep(LOG_INTERVAL).await;
        }
    }
}
