//! Who may call what on the JSON API. Pure.
//!
//! | peer | may |
//! |---|---|
//! | root | everything |
//! | a member of the configured group | read and watch |
//! | anybody else | nothing, not even ask which methods there are |
//!
//! The socket's mode is a first fence; this one also holds where a mode or an ACL was set wrong.

/// Who is at the other end of a connection, as the kernel noted when it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The effective user.
    pub uid: u32,
    /// The effective group and the supplementary ones, in no order.
    pub gids: Vec<u32>,
}

/// Whom the configuration lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// Whose members may read and watch; `None`: root alone is let in.
    pub group: Option<u32>,
}

/// What a peer may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// Everything.
    Full,
    /// What changes nothing.
    Watch,
    /// Nothing.
    Refused,
}

impl Access {
    /// Returns what `peer` may do.
    pub fn of(self, peer: &Peer) -> Permission {
        match self.group {
            _ if peer.uid == 0 => Permission::Full,
            Some(group) if peer.gids.contains(&group) => Permission::Watch,
            Some(_) | None => Permission::Refused,
        }
    }
}

impl Permission {
    /// Returns whether it extends to a method: one that changes nothing (`is_watching`), or any other.
    pub fn allows(self, is_watching: bool) -> bool {
        match self {
            Self::Full => true,
            Self::Watch => is_watching,
            Self::Refused => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use lvmwarden_protocol::api::INTERFACES;

    use super::*;
    use crate::service::api::tests as api;

    const GROUP: u32 = 990;

    #[test]
    fn who_may_do_what() {
        use Permission::{Full, Refused, Watch};
        for (group, uid, gids, expected) in [
            (Some(GROUP), 0, &[0][..], Full),
            (None, 0, &[0], Full),
            (Some(GROUP), 0, &[], Full),
            (Some(GROUP), 1000, &[GROUP], Watch),
            (Some(GROUP), 1000, &[100, 7, GROUP], Watch),
            (Some(GROUP), 1000, &[100, 7], Refused),
            // The group of root opens nothing.
            (Some(GROUP), 1000, &[0], Refused),
            (Some(GROUP), 1000, &[], Refused),
            (None, 1000, &[GROUP, 0], Refused),
        ] {
            let peer = Peer { uid, gids: gids.to_vec() };
            assert_eq!(Access { group }.of(&peer), expected, "{peer:?} with group {group:?}");
        }
    }

    /// Returns whether a method is among those that change nothing.
    fn is_watching(method: &str) -> bool {
        api::described().iter().any(|part| part.watching.contains(&method))
    }

    /// Returns every method that clients are told of, by its full name.
    fn all_methods() -> Vec<String> {
        let of_interface = |(name, text): (&'static str, &'static str)| {
            text.lines()
                .filter_map(|line| line.strip_prefix("method ")?.split_once('('))
                .map(move |(method, _)| format!("{name}.{method}"))
        };
        INTERFACES.into_iter().flat_map(of_interface).collect()
    }

    #[test]
    fn members_of_the_group_may_call_all_but_the_methods_that_change_something() {
        let refused: Vec<_> = all_methods()
            .into_iter()
            .filter(|method| !Permission::Watch.allows(is_watching(method)))
            .collect();
        assert_eq!(
            refused,
            [
                "org.lvmwarden.Service.Stop",
                "org.lvmwarden.Poll.Start",
                "org.lvmwarden.Poll.Abort",
                "org.lvmwarden.Poll.Pause",
                "org.lvmwarden.Poll.Resume",
                "org.lvmwarden.Poll.Reconcile",
                "org.lvmwarden.Poll.Throttle",
                "org.lvmwarden.Supervisor.Restart",
                "org.lvmwarden.Supervisor.SetLogLevel",
                "org.lvmwarden.Archive.Clean",
                "org.lvmwarden.Lock.Start",
                "org.lvmwarden.Lock.Stop",
                "org.lvmwarden.Lock.Drop",
                "org.lvmwarden.Lock.Adopt",
                "org.lvmwarden.Lock.Release",
                "org.lvmwarden.Metadata.Rescan",
                "org.lvmwarden.Reconfigure.Propose",
                "org.lvmwarden.Reconfigure.Abandon",
                "org.lvmwarden.Reconfigure.Judge",
                "org.lvmwarden.Reconfigure.ReleaseHolds",
            ]
        );
    }

    #[test]
    fn root_may_call_every_method_and_others_none() {
        for method in all_methods() {
            assert!(Permission::Full.allows(is_watching(&method)), "{method}");
            assert!(!Permission::Refused.allows(is_watching(&method)), "{method}");
        }
    }
}
