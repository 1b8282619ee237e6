//! What the host and the agent in a guest say to each other: JSON, one message a line, over a virtio-serial port.
//!
//! The agent says [`Reply::Ready`] once, then answers each request when its command has ended, in whatever order they end.

use serde::{Deserialize, Serialize};

/// Name of the virtio-serial port, as the guest reads it in `/sys/class/virtio-ports/*/name`.
pub const PORT: &str = "lvmwarden.lab";

/// A command for the guest.
#[derive(Debug, Serialize, Deserialize)]
pub struct Request {
    /// Comes back in the reply; chosen by the host.
    pub id: u64,
    /// Given to `sh -c`.
    pub command: String,
    /// After so many seconds the command's process group is killed.
    pub timeout_seconds: u64,
}

/// What the agent says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// The guest is set up and takes commands.
    Ready,
    /// A command has ended.
    Ended {
        /// That of the request.
        id: u64,
        /// How it ended.
        outcome: Outcome,
    },
}

/// How a command in the guest ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Outcome {
    /// The exit code; 128 and the signal's number when a signal ended it, as shells count.
    pub code: i32,
    /// Everything that it wrote to stdout.
    pub stdout: String,
    /// Everything that it wrote to stderr.
    pub stderr: String,
}
