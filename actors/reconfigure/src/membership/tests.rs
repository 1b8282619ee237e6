//! Views, quorum and HELLOs in every order.

use super::*;

fn member(node: u32) -> Member {
    Member { node, pid: 7 }
}

fn ring(sequence: u64) -> Ring {
    Ring { node: 1, sequence }
}

fn of_two() -> Membership {
    let mut group = Membership::new();
    group.view_changed(&[], &[member(1), member(2)]);
    group
}

#[test]
fn a_quorum_counts_only_for_the_ring_of_the_group_whichever_comes_first() {
    let mut group = of_two();
    assert_eq!(group.quorum(), Quorum::Unknown);
    group.quorum_told(ring(4), true);
    assert_eq!(group.quorum(), Quorum::Unknown);
    group.ring_formed(ring(4));
    assert_eq!(group.quorum(), Quorum::Yes);
    group.ring_formed(ring(5));
    assert_eq!(group.quorum(), Quorum::Unknown);
    group.quorum_told(ring(5), false);
    assert_eq!(group.quorum(), Quorum::No);
}

#[test]
fn without_a_transport_there_is_neither_quorum_nor_anybody() {
    let mut group = of_two();
    group.ring_formed(ring(4));
    group.quorum_told(ring(4), true);
    group.lost();
    assert_eq!((group.quorum(), group.members().count(), group.knows_all()), (Quorum::No, 0, false));
}

#[test]
fn everybody_is_known_when_each_has_said_hello_in_this_view() {
    let mut group = of_two();
    group.hello_heard(member(1));
    group.hello_heard(member(3));
    assert!(!group.knows_all());
    group.hello_heard(member(2));
    assert!(group.knows_all());
    // The same node and pid come back after a pause: a stranger all the same.
    group.view_changed(&[member(2)], &[]);
    assert!(group.knows_all());
    group.view_changed(&[], &[member(2)]);
    assert!(!group.knows_all());
}
