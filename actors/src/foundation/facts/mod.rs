//! What happens, told to whoever wants to know: as events, and as numbers.

pub mod events;
pub mod keeping;
pub mod metrics;
pub mod occurrence;
