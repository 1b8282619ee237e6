//! Ctrl-C while a change goes on: it is counted, so that the change can be abandoned first.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use tokio::runtime::Builder;
use tokio::signal::ctrl_c;

/// How often Ctrl-C was pressed since this was made; without a thread to listen, it ends the program as ever.
#[derive(Debug, Clone, Default)]
pub(super) struct Interrupts(Arc<AtomicU32>);

impl Interrupts {
    /// Begins to count. For the rest of the program's life Ctrl-C does not end it.
    pub(super) fn listen() -> Self {
        let interrupts = Self::default();
        let count = Arc::clone(&interrupts.0);
        let listening = thread::Builder::new().name("interrupts".to_owned()).spawn(move || {
            let Ok(runtime) = Builder::new_current_thread().enable_io().build() else { return };
            runtime.block_on(async {
                while ctrl_c().await.is_ok() {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        });
        // Where there is no thread to be had, Ctrl-C ends the program, and the change goes on.
        drop(listening);
        interrupts
    }

    /// Returns how often it was pressed.
    pub(super) fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}
