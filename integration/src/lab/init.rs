//! How a guest is brought up: its first program, and what of this build it finds on its root.

use std::path::PathBuf;

/// What runs in a guest beside the scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Init {
    /// Our binaries at their places, a shell as PID 1, and nothing else: up in 4 s.
    Bare,
    /// The same, on a processor whose clock counts its instructions, one a nanosecond, and follows the real time while it is
    /// idle: a fast and even machine to itself, however slow and busy the host is. For scenarios that measure.
    Even,
    /// [`Init::Bare`] with udevd, as real hosts have it: 3 s more.
    Udevd,
    /// [`Init::Udevd`] with the lock managers and the C lock daemon on its root, and a network card: a host that shares its
    /// disks with others. Called `a` for the number 1, `b` for 2, ...; its address is 10.77.0.NUMBER.
    LockHost {
        /// Its number, from 1, which is its host id for sanlock and its node id for corosync.
        number: u8,
        /// The socket of the hub that its card is connected to.
        network: PathBuf,
    },
    /// A host as Debian makes it: systemd, udevd with LVM's event-based activation, D-Bus, the journal; none of our
    /// binaries. Up in 15 s.
    Systemd {
        /// Debian packages of the host, to be found under their names in [`PACKAGE_FOLDER`].
        packages: Vec<PathBuf>,
    },
}

/// Where a guest finds what was brought for its package manager.
pub const PACKAGE_FOLDER: &str = "/srv/packages";
