//! Who is in the group, whether it is quorate, and whom this host knows. Pure.
//!
//! The group and the quorum are two services whose callbacks come in any order: a quorum counts only if it is that of the
//! same ring. A member proposes, and votes yes, only when it has heard the HELLO of every member: what is decided elsewhere,
//! or in doubt, is in there.

use std::collections::BTreeSet;

use crate::member::{Member, Ring};

#[cfg(test)]
mod tests;

/// Whether this host is in the larger part of the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quorum {
    /// It is.
    Yes,
    /// It is not, or the transport is lost.
    No,
    /// The two services speak of different rings: soon one of the others.
    Unknown,
}

/// The group as this host sees it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Membership {
    members: BTreeSet<Member>,
    heard: BTreeSet<Member>,
    ring: Option<Ring>,
    quorum: Option<(Ring, bool)>,
    has_transport: bool,
}

impl Default for Membership {
    fn default() -> Self {
        Self::new()
    }
}

impl Membership {
    /// Returns a group that nobody is in: there is no transport yet.
    pub fn new() -> Self {
        let (members, heard) = (BTreeSet::new(), BTreeSet::new());
        Self { members, heard, ring: None, quorum: None, has_transport: false }
    }

    /// Takes a change of the group: who has left, then who has joined, each of whom is a stranger.
    pub fn view_changed(&mut self, left: &[Member], joined: &[Member]) {
        self.has_transport = true;
        for member in left {
            self.members.remove(member);
            self.heard.remove(member);
        }
        for member in joined {
            self.members.insert(*member);
            self.heard.remove(member);
        }
    }

    /// Takes the ring of the group.
    pub fn ring_formed(&mut self, ring: Ring) {
        self.ring = Some(ring);
    }

    /// Takes the word of the quorum service.
    pub fn quorum_told(&mut self, ring: Ring, is_quorate: bool) {
        self.quorum = Some((ring, is_quorate));
    }

    /// Takes the HELLO of a member; one of somebody else is none.
    pub fn hello_heard(&mut self, from: Member) {
        if self.members.contains(&from) {
            self.heard.insert(from);
        }
    }

    /// Takes the loss of the transport.
    pub fn lost(&mut self) {
        *self = Self::new();
    }

    /// Returns who is in the group, in order; nobody while there is no transport.
    pub fn members(&self) -> impl Iterator<Item = Member> {
        self.members.iter().copied()
    }

    /// Tells whether a member is in the group.
    pub fn has(&self, member: Member) -> bool {
        self.members.contains(&member)
    }

    /// Tells whether the HELLO of a member was heard.
    pub fn has_heard(&self, member: Member) -> bool {
        self.heard.contains(&member)
    }

    /// Tells whether messages can be sent.
    pub fn has_transport(&self) -> bool {
        self.has_transport
    }

    /// Tells whether the HELLO of every member was heard, and there is one.
    pub fn knows_all(&self) -> bool {
        !self.members.is_empty() && self.members == self.heard
    }

    /// Tells whether this host is in the larger part.
    pub fn quorum(&self) -> Quorum {
        match (self.has_transport, self.ring, self.quorum) {
            (false, ..) => Quorum::No,
            (true, Some(ring), Some((counted, is_quorate))) if ring == counted => {
                if is_quorate {
                    Quorum::Yes
                } else {
                    Quorum::No
                }
            }
            (true, ..) => Quorum::Unknown,
        }
    }
}
