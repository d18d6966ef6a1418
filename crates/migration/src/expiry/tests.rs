use proptest::prelude::*;

use super::*;

const HOUR_US: i64 = 3_600_000_000;

#[test]
fn the_quickest_sample_bounds_the_error() {
    let slow = ClockSample { sent_us: 0, received_us: 80_000, server_us: 1_000_040_000 };
    let quick = ClockSample { sent_us: 100_000, received_us: 101_000, server_us: 1_000_100_500 };
    let clock = Clock::estimate(&[slow, quick]).unwrap();
    assert_eq!(clock, Clock { offset_us: 1_000_000_000, error_us: 501 });
}

#[test]
fn consistent_samples_narrow_each_other() {
    // One was slow on the way out, the other on the way back: the truth is where both agree.
    let out = ClockSample { sent_us: 0, received_us: 1_000, server_us: 1_000_990 };
    let back = ClockSample { sent_us: 2_000, received_us: 3_000, server_us: 1_002_010 };
    let clock = Clock::estimate(&[out, back]).unwrap();
    assert!(clock.error_us <= 20, "{clock:?}");
}

#[test]
fn contradicting_and_broken_samples_leave_the_quickest() {
    let quick = ClockSample { sent_us: 0, received_us: 10, server_us: 1_000_005 };
    let set_meanwhile = ClockSample { sent_us: 100, received_us: 200, server_us: 9_000_000 };
    let broken = ClockSample { sent_us: 5, received_us: 4, server_us: 0 };
    assert_eq!(Clock::estimate(&[broken, set_meanwhile, quick]), Clock::estimate(&[quick]));
    assert_eq!(Clock::estimate(&[broken]), None);
    assert_eq!(Clock::estimate(&[]), None);
    let absurd = ClockSample { sent_us: 0, received_us: 0, server_us: u64::MAX };
    assert_eq!(Clock::estimate(&[absurd]), None);
}

#[test]
fn drift_is_what_the_errors_do_not_explain() {
    let at = |offset_us, error_us| Clock { offset_us, error_us };
    assert!(!drifted(&at(1000, 300), &at(1500, 200)));
    assert!(drifted(&at(1000, 300), &at(1501, 200)));
    assert!(drifted(&at(i64::MIN, 0), &at(i64::MAX, 5)));
}

#[test]
fn a_key_without_ttl_gets_no_deadline() {
    let clock = Clock { offset_us: 0, error_us: 0 };
    for pttl in [-1, -2, i64::MIN] {
        assert_eq!(deadline_on_target_ms(&clock, &clock, (0, 0), pttl), None);
        assert_eq!(deadline_from_local_ms(&clock, (0, 0), pttl), None);
    }
}

#[test]
fn extremes_saturate() {
    let far = Clock { offset_us: i64::MAX, error_us: u64::MAX };
    let back = Clock { offset_us: i64::MIN, error_us: u64::MAX };
    let deadline = deadline_on_target_ms(&back, &far, (0, u64::MAX), i64::MAX).unwrap();
    assert_eq!(deadline, Deadline { at_ms: i64::MAX, error_ms: u32::MAX });
    let past = deadline_on_target_ms(&far, &back, (0, 0), 0).unwrap();
    assert!(past.at_ms < 0, "{past:?}");
}

#[test]
fn equal_clocks_read_at_one_instant_are_exact() {
    let clock = Clock { offset_us: 1_700_000_000_000_000, error_us: 0 };
    let read = 1_700_000_000_123_456;
    let deadline = deadline_on_target_ms(&clock, &clock, (read, read), 5_000).unwrap();
    assert_eq!(deadline, Deadline { at_ms: 1_700_000_005_123, error_ms: 1 });
}

/// A server whose clock is `offset_us` ahead of the true time; true time is in nanoseconds here, so that
/// every rounding down to a microsecond or a millisecond happens as it does in the program and the server.
#[derive(Clone, Copy, Debug)]
struct World {
    local_start_ns: i128,
    source_offset_ns: i128,
    target_offset_ns: i128,
}

impl World {
    fn local_us(&self, true_ns: i128) -> u64 {
        ((true_ns - self.local_start_ns) / 1000) as u64
    }

    fn sample(&self, offset_ns: i128, sent_ns: i128, out_ns: i128, back_ns: i128) -> ClockSample {
        ClockSample {
            sent_us: self.local_us(sent_ns),
            received_us: self.local_us(sent_ns + out_ns + back_ns),
            server_us: ((sent_ns + out_ns + offset_ns) / 1000) as u64,
        }
    }
}

/// The moment on the target's clock when the source would expire the key.
fn truth_ns(world: &World, expires_at_source_ms: i128) -> i128 {
    expires_at_source_ms * 1_000_000 - world.source_offset_ns + world.target_offset_ns
}

fn worlds() -> impl Strategy<Value = World> {
    let hours = -30 * i128::from(HOUR_US) * 1000..30 * i128::from(HOUR_US) * 1000;
    (0i128..1_000_000_000_000, hours.clone(), hours).prop_map(
        |(since_start, source_offset_ns, target_offset_ns)| World {
            local_start_ns: 1_795_000_000_000_000_000 - since_start,
            source_offset_ns,
            target_offset_ns,
        },
    )
}

/// Up to 50 ms, and often next to nothing: then each rounding shows.
fn delay_ns() -> impl Strategy<Value = i128> {
    prop_oneof![0i128..1_500, 0i128..1_500_000, 0i128..50_000_000]
}

const NOW_NS: i128 = 1_795_000_000_000_000_000;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// With clocks hours apart, in either direction, and with every delay: the stated bound holds for
    /// both ways to say when PTTL was read, and the bound is no wider than the delays explain.
    #[test]
    fn the_true_error_never_exceeds_the_bound(
        world in worlds(),
        delays in prop::collection::vec((delay_ns(), delay_ns(), delay_ns(), delay_ns()), 1..8),
        (before, in_source, after) in (delay_ns(), delay_ns(), delay_ns()),
        (snapshot_lag, second_time) in (0i128..900_000, delay_ns()),
        phase_ns in 0i128..1_000_000,
        pttl in 0i64..1_000_000_000_000,
    ) {
        let mut at_ns = NOW_NS + phase_ns;
        let (mut of_source, mut of_target) = (Vec::new(), Vec::new());
        for (a, b, c, d) in &delays {
            of_source.push(world.sample(world.source_offset_ns, at_ns, *a, *b));
            of_target.push(world.sample(world.target_offset_ns, at_ns, *c, *d));
            at_ns += a + b + c + d;
        }
        let (source, target) = (Clock::estimate(&of_source).unwrap(), Clock::estimate(&of_target).unwrap());
        let quickest = delays.iter().map(|(a, b, _, _)| a + b).min().unwrap();
        prop_assert!(i128::from(source.error_us) <= quickest / 2000 + 3, "{:?} for {} ns", source, quickest);
        let off = i128::from(source.offset_us) * 1000 - (world.source_offset_ns + world.local_start_ns);
        prop_assert!(off.abs() <= i128::from(source.error_us) * 1000, "{:?} is off by {} ns", source, off);

        // MULTI, TIME, PTTL, TIME, EXEC: the server takes its snapshot for PTTL a little before the first TIME.
        let sent_ns = at_ns;
        let snapshot_ns = sent_ns + before + in_source;
        let (time1, time2) = (snapshot_ns + snapshot_lag, snapshot_ns + snapshot_lag + second_time);
        let received_ns = time2 + after;
        let source_ms = (snapshot_ns + world.source_offset_ns) / 1_000_000;
        let truth = truth_ns(&world, source_ms + i128::from(pttl));
        let us = |true_ns: i128| ((true_ns + world.source_offset_ns) / 1000) as u64;

        let by_source = deadline_on_target_ms(&source, &target, (us(time1), us(time2)), pttl).unwrap();
        let local = (world.local_us(sent_ns), world.local_us(received_ns));
        let by_local = deadline_from_local_ms(&target, local, pttl).unwrap();
        let derived = deadline_on_target_ms(&source, &target, source.server_interval_us(local), pttl).unwrap();
        for deadline in [by_source, by_local, derived] {
            let error_ns = (i128::from(deadline.at_ms) * 1_000_000 - truth).abs();
            prop_assert!(error_ns <= i128::from(deadline.error_ms) * 1_000_000, "{:?} is off by {} ns", deadline, error_ns);
        }
        let explained_us = i128::from(source.error_us + target.error_us) + second_time / 2000;
        prop_assert!(i128::from(by_source.error_ms) <= explained_us / 1000 + 4, "{:?} for {} us", by_source, explained_us);
    }
}
