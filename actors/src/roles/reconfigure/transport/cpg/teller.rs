//! What corosync says, in the transport's words and order. Pure.
//!
//! ```text
//!            Changed, I am among the joined                           Changed, I am among those who left
//!  outside ─────────────────────────────────▶ inside ────────────────────────────────────────────────────▶ an error
//!    Ring, Quorum: kept, the last of each      each is told as it comes
//!    Delivered: dropped
//! ```
//!
//! Who has left is told before who has joined, which corosync says in changes of their own. Quorum and group are two
//! services whose words come in any order: both are passed on with the configuration that they speak of.

use lvmwarden_reconfigure::member::{Member, Ring};
use lvmwarden_supervisor::sys::corosync::{Address, GroupEvent, QuorumEvent, Reason, RingId};

use crate::roles::reconfigure::transport::TransportEvent;

/// What is told of one connection.
#[derive(Debug)]
pub(super) struct Teller {
    me: Member,
    is_inside: bool,
    ring: Option<Ring>,
    quorum: Option<(Ring, bool)>,
    too_long: u64,
}

impl Teller {
    /// Returns what tells as this member, which has not joined yet.
    pub(super) fn new(me: Member) -> Self {
        Self { me, is_inside: false, ring: None, quorum: None, too_long: 0 }
    }

    /// Tells whether this host is in the group.
    pub(super) fn is_inside(&self) -> bool {
        self.is_inside
    }

    /// Returns how many messages were dropped because they were longer than any of ours.
    pub(super) fn too_long(&self) -> u64 {
        self.too_long
    }

    /// Takes the group's word; returns what is told, in order.
    ///
    /// # Errors
    /// This host has been put out of the group, for people.
    pub(super) fn group_told(&mut self, event: GroupEvent) -> Result<Vec<TransportEvent>, String> {
        match event {
            GroupEvent::Changed { members, left, joined } => self.changed(&members, &left, &joined),
            GroupEvent::Ring { ring, .. } => {
                let ring = of_ring(ring);
                self.ring = Some(ring);
                Ok(self.if_inside(TransportEvent::RingFormed(ring)))
            }
            GroupEvent::Delivered { from, bytes } => {
                Ok(self.if_inside(TransportEvent::Delivered(of_address(from), bytes)))
            }
            GroupEvent::TooLong { .. } => {
                self.too_long += 1;
                Ok(Vec::new())
            }
        }
    }

    /// Takes the quorum service's word; returns what is told.
    pub(super) fn quorum_told(&mut self, event: &QuorumEvent) -> Vec<TransportEvent> {
        match event {
            QuorumEvent::Quorum { is_quorate, ring } => {
                let ring = of_ring(*ring);
                self.quorum = Some((ring, *is_quorate));
                self.if_inside(TransportEvent::QuorumTold(ring, *is_quorate))
            }
            // The group says who is in it, in its own order.
            QuorumEvent::Nodes { .. } => Vec::new(),
        }
    }

    fn changed(
        &mut self,
        members: &[Address],
        left: &[(Address, Reason)],
        joined: &[(Address, Reason)],
    ) -> Result<Vec<TransportEvent>, String> {
        let all = |list: &[(Address, Reason)]| -> Vec<Member> {
            list.iter().map(|(address, _)| of_address(*address)).collect()
        };
        let (left, joined) = (all(left), all(joined));
        if self.is_inside {
            if left.contains(&self.me) {
                return Err("corosync has put this host out of the group".to_owned());
            }
            return Ok(vec![TransportEvent::ViewChanged { left, joined }]);
        }
        if !joined.contains(&self.me) {
            return Ok(Vec::new());
        }
        self.is_inside = true;
        let joined = members.iter().copied().map(of_address).collect();
        let mut told =
            vec![TransportEvent::Joined(self.me), TransportEvent::ViewChanged { left: Vec::new(), joined }];
        told.extend(self.ring.map(TransportEvent::RingFormed));
        told.extend(self.quorum.map(|(ring, is_quorate)| TransportEvent::QuorumTold(ring, is_quorate)));
        Ok(told)
    }

    fn if_inside(&self, event: TransportEvent) -> Vec<TransportEvent> {
        if self.is_inside { vec![event] } else { Vec::new() }
    }
}

fn of_address(address: Address) -> Member {
    Member { node: address.node, pid: address.pid }
}

fn of_ring(ring: RingId) -> Ring {
    Ring { node: ring.node, sequence: ring.sequence }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RING: RingId = RingId { node: 1, sequence: 9 };

    fn address(node: u32) -> Address {
        Address { node, pid: node * 10 }
    }

    fn member(node: u32) -> Member {
        of_address(address(node))
    }

    fn changed(members: &[u32], left: &[u32], joined: &[u32]) -> GroupEvent {
        let with = |list: &[u32], reason| list.iter().map(|node| (address(*node), reason)).collect();
        GroupEvent::Changed {
            members: members.iter().map(|node| address(*node)).collect(),
            left: with(left, Reason::NodeDown),
            joined: with(joined, Reason::Join),
        }
    }

    fn delivered(node: u32) -> GroupEvent {
        GroupEvent::Delivered { from: address(node), bytes: vec![7] }
    }

    fn view(left: &[u32], joined: &[u32]) -> TransportEvent {
        let all = |list: &[u32]| list.iter().map(|node| member(*node)).collect();
        TransportEvent::ViewChanged { left: all(left), joined: all(joined) }
    }

    #[test]
    fn the_join_comes_first_then_everybody_then_what_was_said_before() {
        let mut teller = Teller::new(member(2));
        let quorum = QuorumEvent::Quorum { is_quorate: true, ring: RING };
        assert_eq!(teller.quorum_told(&quorum), []);
        assert_eq!(teller.group_told(GroupEvent::Ring { ring: RING, nodes: vec![1, 2] }), Ok(vec![]));
        assert_eq!(teller.group_told(delivered(1)), Ok(vec![]));
        // Another member of another connection comes first.
        assert_eq!(teller.group_told(changed(&[1, 3], &[], &[3])), Ok(vec![]));
        let ring = of_ring(RING);
        let expected = vec![
            TransportEvent::Joined(member(2)),
            view(&[], &[1, 2, 3]),
            TransportEvent::RingFormed(ring),
            TransportEvent::QuorumTold(ring, true),
        ];
        assert_eq!(teller.group_told(changed(&[1, 2, 3], &[], &[2])), Ok(expected));
        assert!(teller.is_inside());
    }

    #[test]
    fn inside_everything_is_told_as_it_comes() {
        let mut teller = Teller::new(member(2));
        teller.group_told(changed(&[2], &[], &[2])).expect("it joins");
        let words = [changed(&[2], &[1, 3], &[]), changed(&[1, 2, 3], &[], &[1, 3]), delivered(3)];
        let told: Vec<_> =
            words.into_iter().flat_map(|word| teller.group_told(word).expect("it stays")).collect();
        let message = TransportEvent::Delivered(member(3), vec![7]);
        assert_eq!(told, [view(&[1, 3], &[]), view(&[], &[1, 3]), message]);
        let nodes = QuorumEvent::Nodes { ring: RING, nodes: vec![2] };
        assert_eq!(teller.quorum_told(&nodes), []);
        let told = teller.quorum_told(&QuorumEvent::Quorum { is_quorate: false, ring: RING });
        assert_eq!(told, [TransportEvent::QuorumTold(of_ring(RING), false)]);
    }

    #[test]
    fn what_is_too_long_is_counted_and_dropped() {
        let mut teller = Teller::new(member(2));
        teller.group_told(changed(&[2], &[], &[2])).expect("it joins");
        let word = GroupEvent::TooLong { from: address(1), bytes: 1 << 20 };
        assert_eq!(teller.group_told(word), Ok(vec![]));
        assert_eq!(teller.too_long(), 1);
    }

    #[test]
    fn to_be_put_out_is_a_loss() {
        let mut teller = Teller::new(member(2));
        teller.group_told(changed(&[1, 2], &[], &[2])).expect("it joins");
        let error = teller.group_told(changed(&[1], &[2], &[])).expect_err("it is out");
        assert!(error.contains("out of the group"), "{error}");
    }
}
