//! What this program believes about C headers whose libraries it opens while it runs.
//!
//! Nothing checks it when the program is built, because the headers are not needed then: a test compiles them.

/// The beliefs about one library.
#[derive(Debug, Clone, Copy)]
pub struct Header {
    /// The headers, as in `#include`.
    pub includes: &'static [&'static str],
    /// C expressions (sizes, offsets, constants), and what their values are.
    pub facts: &'static [(&'static str, u64)],
}

/// The beliefs about all libraries.
pub const HEADERS: [Header; 7] = [
    Header {
        includes: &["sys/types.h", "stdint.h", "sanlock.h", "sanlock_admin.h", "sanlock_resource.h"],
        facts: super::sanlock::raw::LAYOUT,
    },
    Header { includes: &["sanlock_rv.h"], facts: super::sanlock::refusal::LAYOUT },
    Header { includes: &["sys/types.h", "libdlm.h"], facts: super::dlm::raw::LAYOUT },
    Header {
        includes: &["sys/types.h", "stdint.h", "libdlm.h", "libdlmcontrol.h"],
        facts: super::dlm::control::LAYOUT,
    },
    Header { includes: &["corosync/corotypes.h"], facts: super::corosync::FAILURE_LAYOUT },
    Header { includes: &["sys/uio.h", "corosync/cpg.h"], facts: super::corosync::CPG_LAYOUT },
    Header { includes: &["corosync/quorum.h"], facts: super::corosync::QUORUM_LAYOUT },
];
