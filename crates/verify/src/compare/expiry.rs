//! Whether two expiries are the same, as far as clocks and the network allow to know.

use super::line::Mark;
use crate::clock::Clock;

/// A measurement with a larger bound is repeated rather than trusted where the answer depends on it.
const VAGUE_FROM_US: u64 = 5_000;

/// A server may answer PTTL by a look at its clock that is this much older than the question.
const SNAPSHOT_US: i128 = 500;

/// When something expires, on this machine's clock of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Expiry {
    at_us: i128,
    /// The truth is within this of it.
    bound_us: u64,
}

impl Expiry {
    /// From PTTL's answer, given between two moments; `None` without an expiry.
    ///
    /// The server counts in whole milliseconds from the time of its clock at the answer, which is between both
    /// moments. One that does not tell its time is bounded by when we asked and heard.
    pub(super) fn of_pttl(pttl_ms: i64, before: Mark, after: Mark, clock: Option<&Clock>) -> Option<Expiry> {
        if pttl_ms < 0 {
            return None;
        }
        let left_us = i128::from(pttl_ms) * 1000;
        if let (Some(clock), Some(from), Some(to)) = (clock, before.server_us, after.server_us) {
            let floor = |us: i64| i128::from(us.div_euclid(1000)) * 1000;
            let (first, last) = (floor(from) - SNAPSHOT_US, floor(to));
            let ours = Expiry::of_server_time(left_us, clock, after.received_us);
            return Some(ours.shifted(first, last));
        }
        let here = Expiry { at_us: left_us, bound_us: 0 };
        Some(here.shifted(i128::from(before.sent_us), i128::from(after.received_us) + 1000))
    }

    /// From a moment of a server's clock.
    pub(super) fn of_unix_ms(unix_ms: i64, clock: &Clock, now_us: i64) -> Expiry {
        Expiry::of_server_time(i128::from(unix_ms) * 1000, clock, now_us)
    }

    fn of_server_time(server_us: i128, clock: &Clock, now_us: i64) -> Expiry {
        Expiry { at_us: server_us - i128::from(clock.offset_us()), bound_us: clock.error_us(now_us) }
    }

    /// Later by something between both.
    fn shifted(self, first: i128, last: i128) -> Expiry {
        let width = u64::try_from(last - first).unwrap_or(0);
        Expiry {
            at_us: self.at_us + first + i128::from(width / 2),
            bound_us: self.bound_us + width.div_ceil(2),
        }
    }

    /// Milliseconds of this machine's clock of the run.
    pub(super) fn at_ms(&self) -> i64 {
        let at_ms = self.at_us.div_euclid(1000);
        i64::try_from(at_ms).unwrap_or(if at_ms < 0 { i64::MIN } else { i64::MAX })
    }
}

/// What two expiries come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Agreement {
    /// They may be equal; so much the measurement can have been wrong. `None`: neither side has one.
    Same(Option<u64>),
    /// They are not. `None`: one side has none.
    Other(Option<u64>),
    /// Nobody can tell.
    Vague,
}

/// Compares; the benefit of a doubt of a few milliseconds is the target's.
pub(super) fn agreement(sides: [Option<Expiry>; 2], tolerance_us: u64) -> Agreement {
    let [Some(a), Some(b)] = sides else {
        return if sides == [None, None] { Agreement::Same(None) } else { Agreement::Other(None) };
    };
    let apart = u64::try_from(a.at_us.abs_diff(b.at_us)).unwrap_or(u64::MAX);
    let bound = a.bound_us.saturating_add(b.bound_us);
    if apart.saturating_sub(bound) > tolerance_us {
        Agreement::Other(Some(bound))
    } else if apart.saturating_add(bound) <= tolerance_us || bound <= VAGUE_FROM_US {
        Agreement::Same(Some(bound))
    } else {
        Agreement::Vague
    }
}

/// Whether a key that only one side has left would be gone there too within the tolerance.
pub(super) fn is_about_to_go(pttl_ms: i64, tolerance_us: u64) -> bool {
    u64::try_from(pttl_ms).is_ok_and(|ms| ms.saturating_mul(1000) <= tolerance_us + VAGUE_FROM_US)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::Sample;

    fn clock(offset_us: i64) -> Clock {
        let sample = Sample { sent_us: 0, received_us: 200, server_us: offset_us + 100 };
        Clock::estimate(&[sample]).unwrap()
    }

    fn mark(sent_us: i64, received_us: i64, server_us: i64) -> Mark {
        Mark { sent_us, received_us, server_us: Some(server_us) }
    }

    fn at(at_us: i128, bound_us: u64) -> Option<Expiry> {
        Some(Expiry { at_us, bound_us })
    }

    #[test]
    fn the_bound_decides_who_has_the_benefit_of_the_doubt() {
        let with = |b, bound: u64| agreement([at(0, bound / 2), at(b, bound / 2)], 20_000);
        assert_eq!(with(19_000, 1_000), Agreement::Same(Some(1_000)));
        assert_eq!(with(20_900, 1_000), Agreement::Same(Some(1_000)));
        assert_eq!(with(21_001, 1_000), Agreement::Other(Some(1_000)));
        assert_eq!(with(-21_001, 1_000), Agreement::Other(Some(1_000)));
        assert_eq!(with(20_900, 6_000), Agreement::Vague);
        assert_eq!(with(13_000, 6_000), Agreement::Same(Some(6_000)));
        assert_eq!(with(27_000, 6_000), Agreement::Other(Some(6_000)));
        assert_eq!(agreement([None, at(0, 0)], 1_000_000), Agreement::Other(None));
        assert_eq!(agreement([None, None], 0), Agreement::Same(None));
    }

    #[test]
    fn without_a_clock_our_own_bounds_it() {
        let marks = (mark(1_000, 2_000, 5), Mark { server_us: None, ..mark(3_000, 9_000, 0) });
        let expiry = Expiry::of_pttl(100, marks.0, marks.1, Some(&clock(7))).unwrap();
        assert!(expiry.at_us - i128::from(expiry.bound_us) <= 101_000);
        assert!(expiry.at_us + i128::from(expiry.bound_us) >= 109_000);
        assert_eq!(Expiry::of_pttl(-1, marks.0, marks.1, None), None);
    }

    #[test]
    fn the_farthest_expiries_do_not_overflow() {
        let far = |pttl| Expiry::of_pttl(pttl, mark(0, 10, 5), mark(20, 30, 25), Some(&clock(5))).unwrap();
        assert_eq!(far(i64::MAX).at_ms(), i64::MAX - 1);
        let apart = agreement([Some(far(i64::MAX)), Some(far(0))], u64::MAX / 2);
        assert!(matches!(apart, Agreement::Other(_)), "{apart:?}");
    }

    #[test]
    fn a_key_that_goes_within_the_tolerance_is_as_good_as_gone() {
        assert!(is_about_to_go(15, 20_000));
        assert!(!is_about_to_go(26, 20_000));
        assert!(!is_about_to_go(-1, 20_000));
    }

    proptest! {
        /// Whatever the clocks and delays, the true expiry is within the bound.
        #[test]
        fn the_truth_is_within_the_bound(
            offset in -20_000_000_000i64..20_000_000_000,
            expires_ms in 1_000_000i64..253_402_300_799_000,
            gaps in (0i64..3_000, 0i64..3_000, 0i64..3_000, 0i64..3_000),
        ) {
            let epoch = 1_700_000_000_000_000;
            let server = |ours: i64| ours + offset + epoch;
            let asked = 100_000 + gaps.0;
            let answered = asked + gaps.1;
            let after = answered + gaps.2;
            let pttl = epoch / 1000 + expires_ms - server(answered).div_euclid(1000);
            prop_assume!(pttl >= 0);
            let marks = (
                mark(100_000, after + gaps.3, server(asked)),
                mark(100_000, after + gaps.3, server(after)),
            );
            let expiry = Expiry::of_pttl(pttl, marks.0, marks.1, Some(&clock(offset + epoch))).unwrap();
            let truth = i128::from(expires_ms) * 1000 - i128::from(offset);
            prop_assert!(expiry.at_us.abs_diff(truth) <= u128::from(expiry.bound_us), "{expiry:?} {truth}");
            prop_assert!(expiry.bound_us < 6_000);
        }
    }
}
