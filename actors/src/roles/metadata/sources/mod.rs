//! The cache fills itself on hosts whose LVM tells no daemon what it writes, and stays fresh.
//!
//! ```text
//!  which devices?              what is new?                 what stands there?          what does it mean?
//!  /run/lvm/pvs_online ─┐      kernel uevents ─┐            label ─▶ headers ─▶ text     newest text of each VG
//!  one `lvm pvs` ───────┴─▶ listed, survey     ├─▶ plan ─▶ pv_reading, on pool ───────▶ assembly ─▶ Directory::take
//!                              inotify ────────┤
//!                              max_age ────────┘
//! ```
//!
//! Nothing here writes to a device, takes a lock of LVM's, or reads a device that LVM does not use. Nothing is remembered over
//! a restart: the disks are read again.
//!
//! | module | is |
//! |---|---|
//! | [`device`] | a device's number (pure) |
//! | [`online`] | the devices that LVM's udev rule lists |
//! | [`survey`] | when LVM itself is asked, and what it says (pure); `lvm_pvs`: asks |
//! | [`uevents`], [`watches`] | what has happened |
//! | [`plan`] | which device is read next (pure) |
//! | [`pv_reading`], [`texts`] | a PV read from anything that can be read |
//! | [`block_devices`], [`pool`] | the devices, and the threads on which they are read |
//! | [`assembly`], [`problems`] | what all of it means (pure) |
//! | [`handle`] | what others see of it, and ask for |
//! | [`actor`] | who carries it out; `work`: how |

pub mod actor;
pub mod assembly;
pub mod block_devices;
pub mod device;
pub mod handle;
mod lvm_pvs;
pub mod online;
pub mod plan;
pub mod pool;
pub mod problems;
pub mod pv_reading;
pub mod settings;
pub mod survey;
pub mod texts;
pub mod uevents;
pub mod watches;
mod work;
