//! What a reader is given, from each place, and that over any walk nothing is lost without a word.

use proptest::prelude::*;

use super::*;

/// A ring that keeps `keep` of the items 1 to `latest`, each as large as its number.
fn ring(keep: usize, latest: u64) -> Ring<u64> {
    let mut ring = Ring::new(keep);
    for number in 1..=latest {
        assert_eq!(ring.push(number), number);
    }
    ring
}

#[track_caller]
fn assert_after(ring: &Ring<u64>, place: Option<u64>, missing: Option<Missing>, items: &[u64], next: u64) {
    let items = items.iter().map(|&number| (number, number)).collect();
    assert_eq!(ring.after(place, 3), Slice { missing, items, next });
}

#[test]
fn a_reader_goes_on_where_it_stopped() {
    let ring = ring(4, 9);
    assert_after(&ring, Some(9), None, &[], 9);
    assert_after(&ring, Some(8), None, &[9], 9);
    assert_after(&ring, Some(5), None, &[6, 7, 8], 8);
}

#[test]
fn a_reader_is_told_how_many_have_expired() {
    let ring = ring(4, 9);
    assert_after(&ring, Some(4), Some(Missing::Expired { count: 1 }), &[6, 7, 8], 8);
    assert_after(&ring, Some(0), Some(Missing::Expired { count: 5 }), &[6, 7, 8], 8);
}

#[test]
fn a_place_that_was_never_given_out_is_of_another_stream() {
    let other = Some(Missing::OtherStream);
    assert_after(&ring(4, 9), Some(10), other, &[6, 7, 8], 8);
    assert_after(&ring(4, 9), Some(u64::MAX), other, &[6, 7, 8], 8);
    assert_after(&ring(4, 9), None, other, &[6, 7, 8], 8);
    assert_after(&ring(4, 0), None, other, &[], 0);
}

#[test]
fn an_empty_stream_has_nothing_to_give_and_nothing_missing() {
    assert_after(&ring(4, 0), Some(0), None, &[], 0);
}

#[test]
fn a_ring_may_keep_nothing_and_counts_all_the_same() {
    let ring = ring(0, 2);
    assert_after(&ring, Some(2), None, &[], 2);
    assert_after(&ring, Some(0), Some(Missing::Expired { count: 2 }), &[], 2);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Several readers, some of them slow, while things happen: what a reader was given and what it was told to be
    /// missing are together all that happened, in order.
    #[test]
    fn nothing_is_lost_without_a_word(
        keep in 0..6_usize,
        steps in prop::collection::vec((0..4_usize, 0..5_usize), 0..80),
    ) {
        let mut ring = Ring::new(keep);
        let mut readers = [0_u64; 3];
        for (who, at_most) in steps {
            let Some(place) = readers.get_mut(who) else {
                let number = ring.latest() + 1;
                prop_assert_eq!(ring.push(number), number);
                continue;
            };
            let slice = ring.after(Some(*place), at_most);
            let missed = match slice.missing {
                None => 0,
                Some(Missing::Expired { count }) => count,
                Some(Missing::OtherStream) => panic!("its place is of this stream"),
            };
            let first = *place + missed + 1;
            let expected: Vec<_> = (first..).map(|number| (number, number)).take(slice.items.len()).collect();
            prop_assert_eq!(&slice.items, &expected);
            prop_assert_eq!(slice.next, *place + missed + slice.items.len() as u64);
            prop_assert!(slice.items.len() <= at_most && slice.next <= ring.latest());
            prop_assert!(at_most == 0 || keep == 0 || slice.next == ring.latest() || slice.items.len() == at_most);
            *place = slice.next;
        }
    }
}
