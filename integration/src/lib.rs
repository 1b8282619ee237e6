//! Test harness: runs the real daemons, ours and lvm2's own, each in a folder of its own.
//!
//! - [`site`]: the folder of one test; [`daemon`]: start, kill, restart; [`client`]: raw bytes on its socket;
//! - [`service`]: the same for the service, and what it tells systemd;
//! - [`lock_daemon`] and [`lock_client`]: the same for lock daemons, in test mode;
//! - [`metad`]: the same for the stand-in for lvmetad;
//! - [`request`] and [`dump`]: the words of the poll protocol; [`fake_lvm`]: the stub that daemons start instead of `lvm`;
//! - [`witness`]: what others notice of mischief; [`wait`]: conditions with a deadline; [`binaries`]: where the executables are.
//! - [`load`]: how fast and how large a daemon is;
//! - [`lab`]: real LVM in throw-away virtual machines; [`verify`]: every check there is.
//!
//! It must never touch the LVM, the disks or the services of the machine it runs on, and knows no type of our own packages: what it sends and expects
//! is written down byte by byte, so that a mistake in our parser cannot hide itself.
#![forbid(unsafe_code)]

pub mod asker;
pub mod binaries;
pub mod client;
pub mod daemon;
pub mod dump;
pub mod fake_lvm;
pub mod lab;
pub mod load;
pub mod lock_client;
pub mod lock_daemon;
pub mod metad;
pub mod request;
pub mod sanlock;
pub mod service;
pub mod site;
pub mod verify;
pub mod wait;
pub mod witness;
