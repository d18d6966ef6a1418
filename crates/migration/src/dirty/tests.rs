use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const SYNCED: Settled = Settled::Synced { cost_us: 10 };

fn names(taken: &[Taken]) -> Vec<(u32, &[u8])> {
    taken.iter().map(|taken| (taken.db, &taken.key[..])).collect()
}

#[test]
fn a_key_is_marked_once_and_leaves_before_it_is_read() {
    let mut dirty = DirtyKeys::new(1 << 20);
    for key in [b"a", b"b", b"a"] {
        assert!(dirty.mark(1, 0, key));
    }
    dirty.mark(1, 3, b"a");
    assert_eq!(dirty.len(), 3);
    let taken = dirty.take(2, 10);
    assert_eq!(names(&taken), [(0, &b"a"[..]), (0, b"b"), (3, b"a")]);
    assert!(dirty.take(2, 10).is_empty(), "one reading at most");
    // A change while it is read: one more round, and only one.
    dirty.mark(3, 0, b"a");
    dirty.mark(4, 0, b"a");
    taken.iter().for_each(|taken| dirty.settle(5, taken.ticket, SYNCED));
    let again = dirty.take(6, 10);
    assert_eq!(names(&again), [(0, &b"a"[..])]);
    dirty.settle(7, again[0].ticket, SYNCED);
    assert!(dirty.is_empty() && dirty.in_flight() == 0 && dirty.bytes() == 0);
}

#[test]
fn what_is_being_read_can_be_marked_without_its_name() {
    let mut dirty = DirtyKeys::new(1 << 20);
    dirty.mark(1, 0, b"read");
    let taken = dirty.take(2, 10);
    dirty.mark(3, 0, b"waits");
    dirty.mark_in_flight(4);
    dirty.mark_in_flight(5);
    assert_eq!((dirty.len(), dirty.in_flight()), (2, 1), "nothing is new");
    dirty.settle(6, taken[0].ticket, SYNCED);
    let again = dirty.take(7, 10);
    assert_eq!(names(&again), [(0, &b"waits"[..]), (0, b"read")]);
    again.iter().for_each(|taken| dirty.settle(8, taken.ticket, SYNCED));
    assert!(dirty.is_empty() && dirty.lag_us(9) == 0);
}

#[test]
fn the_lag_is_that_of_the_oldest_change_that_is_not_carried() {
    let mut dirty = DirtyKeys::new(1 << 20);
    assert_eq!(dirty.lag_us(9_000), 0);
    dirty.mark(1_000, 0, b"a");
    dirty.mark(5_000, 0, b"b");
    assert_eq!(dirty.lag_us(9_000), 8_000);
    let taken = dirty.take(9_000, 1);
    assert_eq!(dirty.lag_us(9_000), 8_000, "being read is not carried yet");
    dirty.mark(7_000, 0, b"a");
    dirty.settle(9_000, taken[0].ticket, SYNCED);
    assert_eq!(dirty.lag_us(9_000), 4_000, "b is the oldest now");
    let taken = dirty.take(9_000, 10);
    dirty.settle(9_000, taken[0].ticket, Settled::Failed { retry_after_us: 500 });
    dirty.settle(9_000, taken[1].ticket, SYNCED);
    assert_eq!(dirty.lag_us(10_000), 5_000, "a failure carries nothing");
    assert_eq!(dirty.next_wake_us(), Some(9_500));
    assert!(dirty.take(9_400, 10).is_empty());
    assert_eq!(dirty.take(9_500, 10).len(), 1);
}

#[test]
fn a_dear_key_rests_and_a_cheap_one_does_not() {
    let mut dirty = DirtyKeys::new(1 << 20);
    for (cost_us, rest_us) in [(100, 0), (10_000, 40_000), (60_000_000, LONGEST_REST_US)] {
        dirty.mark(0, 0, b"a");
        let taken = dirty.take(0, 1);
        dirty.mark(1, 0, b"a");
        dirty.settle(2, taken[0].ticket, Settled::Synced { cost_us });
        if rest_us > 0 {
            assert!(dirty.take(1 + rest_us, 1).is_empty(), "{cost_us}");
        }
        let taken = dirty.take(2 + rest_us, 1);
        dirty.settle(2 + rest_us, taken[0].ticket, SYNCED);
        assert!(dirty.is_empty());
    }
}

#[test]
fn beyond_the_budget_slots_stand_for_names() {
    let mut dirty = DirtyKeys::new(1000);
    let mut given_up = BTreeSet::new();
    for n in 0..100 {
        let key = format!("key:{n}");
        if !dirty.mark(n, 0, key.as_bytes()) {
            given_up.insert(commands::slot(key.as_bytes()));
        }
    }
    assert!(dirty.bytes() < 1200 && given_up.len() > 50, "{} {}", dirty.bytes(), given_up.len());
    while !dirty.take(1000, 10).is_empty() {}
    assert!(!dirty.is_empty() && dirty.has_overflow(), "what was given up is not forgotten");
    assert!(dirty.lag_us(1000) > 0);
    assert_eq!(dirty.take_overflow(), given_up);
    assert!(!dirty.has_overflow());
}

#[test]
fn room_is_told_before_a_name_is_given_up() {
    let mut dirty = DirtyKeys::new(1);
    assert!(dirty.has_room() && dirty.mark(0, 0, b"a"), "one name always finds room");
    assert!(!dirty.has_room() && !dirty.has_overflow());
    assert!(!dirty.mark(0, 0, b"b") && dirty.has_overflow());
}

#[test]
#[should_panic(expected = "settled once")]
fn a_ticket_is_settled_once() {
    let mut dirty = DirtyKeys::new(1000);
    dirty.mark(0, 0, b"a");
    let taken = dirty.take(0, 1);
    dirty.mark(0, 0, b"a");
    dirty.settle(0, taken[0].ticket, SYNCED);
    dirty.settle(0, taken[0].ticket, SYNCED);
}

#[derive(Debug, Clone)]
enum Step {
    Write(u8),
    Take(usize),
    /// The reading of one that was taken: what it sees becomes the target's.
    Read(prop::sample::Index),
    Settle(prop::sample::Index, bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0u8..6).prop_map(Step::Write),
        (1usize..4).prop_map(Step::Take),
        any::<prop::sample::Index>().prop_map(Step::Read),
        (any::<prop::sample::Index>(), any::<bool>()).prop_map(|(index, works)| Step::Settle(index, works)),
    ]
}

proptest! {
    /// However writes, readings, failures and acknowledgements interleave: when the queue is empty, both sides are equal.
    #[test]
    fn an_empty_queue_means_equal_sides(steps in prop::collection::vec(step(), 1..200), budget in 100usize..2000) {
        let mut dirty = DirtyKeys::new(budget);
        let mut source: BTreeMap<u8, u32> = BTreeMap::new();
        let mut target: BTreeMap<u8, u32> = BTreeMap::new();
        // Taken keys, with what was read of them.
        let mut flights: Vec<(Taken, Option<u32>)> = Vec::new();
        let mut now = 0;
        let finish = |dirty: &mut DirtyKeys, target: &mut BTreeMap<u8, u32>, (taken, read): (Taken, Option<u32>), works: bool, now| {
            if works && let Some(read) = read {
                target.insert(taken.key[0], read);
                dirty.settle(now, taken.ticket, SYNCED);
            } else {
                dirty.settle(now, taken.ticket, Settled::Failed { retry_after_us: 3 });
            }
        };
        for step in steps {
            now += 1;
            match step {
                Step::Write(key) => {
                    *source.entry(key).or_default() += 1;
                    dirty.mark(now, 0, &[key]);
                }
                Step::Take(most) => {
                    let fresh = dirty.take(now, most);
                    for taken in &fresh {
                        prop_assert!(flights.iter().all(|(other, _)| other.key != taken.key), "two readings at once");
                    }
                    flights.extend(fresh.into_iter().map(|taken| (taken, None)));
                }
                Step::Read(index) if !flights.is_empty() => {
                    let at = index.index(flights.len());
                    let (taken, read) = &mut flights[at];
                    *read = read.or_else(|| source.get(&taken.key[0]).copied());
                }
                Step::Settle(index, works) if !flights.is_empty() => {
                    let at = index.index(flights.len());
                    let flight = flights.swap_remove(at);
                    finish(&mut dirty, &mut target, flight, works, now);
                }
                Step::Read(_) | Step::Settle(..) => {}
            }
            prop_assert_eq!(dirty.in_flight(), flights.len());
        }
        // The rest comes to its end.
        for flight in flights {
            finish(&mut dirty, &mut target, flight, false, now);
        }
        now += 10;
        loop {
            let taken = dirty.take(now, 3);
            if taken.is_empty() { break }
            for taken in taken {
                let read = source.get(&taken.key[0]).copied();
                finish(&mut dirty, &mut target, (taken, read), true, now);
            }
        }
        let overflow = dirty.take_overflow();
        prop_assert!(dirty.is_empty() && dirty.lag_us(now) == 0);
        for (key, state) in &source {
            let given_up = overflow.contains(&commands::slot(&[*key]));
            prop_assert!(given_up || target.get(key) == Some(state), "key {key} is lost");
        }
    }
}
