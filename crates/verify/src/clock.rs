//! A server's clock, seen through TIME from this machine's monotonic clock of the run.

/// What two clocks that are both kept in order drift apart, in microseconds a second (20 ppm).
const DRIFT_US_PER_S: u64 = 20;

/// One answer to TIME, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sample {
    /// Just before it was asked for, here.
    pub(crate) sent_us: i64,
    /// Just after the answer came, here.
    pub(crate) received_us: i64,
    /// What the server said.
    pub(crate) server_us: i64,
}

/// How far a server's clock is ahead of ours, as an interval that the truth lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clock {
    low: i64,
    high: i64,
    at_us: i64,
}

impl Clock {
    /// The server looked at its clock between question and answer, so each sample bounds the offset. The
    /// quickest is trusted first; each other that does not contradict it narrows the bound. `None` without samples.
    pub(crate) fn estimate(samples: &[Sample]) -> Option<Clock> {
        let mut bounds: Vec<Clock> = samples.iter().filter_map(Clock::of).collect();
        bounds.sort_by_key(|bound| bound.high - bound.low);
        let (quickest, others) = bounds.split_first()?;
        Some(
            others.iter().fold(*quickest, |narrowed, other| narrowed.narrowed_by(*other).unwrap_or(narrowed)),
        )
    }

    /// What is known after a later estimate: both, unless the later one proves that the clock was set.
    pub(crate) fn renewed(self, later: Clock) -> Clock {
        let drift = self.drift_us(later.at_us);
        let widened = Clock { low: self.low - drift, high: self.high + drift, at_us: later.at_us };
        widened.narrowed_by(later).unwrap_or(later)
    }

    /// Server's microseconds less ours: the middle of what is possible.
    pub(crate) fn offset_us(&self) -> i64 {
        self.low + (self.high - self.low) / 2
    }

    /// How far the truth may be from the middle, at this time of ours.
    pub(crate) fn error_us(&self, now_us: i64) -> u64 {
        self.low.abs_diff(self.high).div_ceil(2) + self.drift_us(now_us).unsigned_abs()
    }

    /// Our time of the estimate.
    pub(crate) fn at_us(&self) -> i64 {
        self.at_us
    }

    fn of(sample: &Sample) -> Option<Clock> {
        // Both clocks drop what is below a microsecond, hence one more on either side.
        let low = sample.server_us.checked_sub(sample.received_us)?.checked_sub(1)?;
        let high = sample.server_us.checked_sub(sample.sent_us)?.checked_add(1)?;
        (low <= high).then_some(Clock { low, high, at_us: sample.received_us })
    }

    fn narrowed_by(self, other: Clock) -> Option<Clock> {
        let (low, high) = (self.low.max(other.low), self.high.min(other.high));
        (low <= high).then_some(Clock { low, high, at_us: self.at_us.max(other.at_us) })
    }

    fn drift_us(&self, now_us: i64) -> i64 {
        let age_us = now_us.saturating_sub(self.at_us).max(0);
        (age_us / 1_000_000).saturating_mul(DRIFT_US_PER_S as i64)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample(sent_us: i64, received_us: i64, server_us: i64) -> Sample {
        Sample { sent_us, received_us, server_us }
    }

    #[test]
    fn samples_narrow_each_other() {
        // The truth is 1000: the first answer was slow to come, the second question slow to arrive.
        let clock = Clock::estimate(&[sample(0, 500, 1_010), sample(1_000, 1_600, 2_590)]).unwrap();
        assert!(clock.offset_us().abs_diff(1_000) <= 10, "{clock:?}");
        assert!(clock.error_us(1_600) <= 12, "{clock:?}");
    }

    #[test]
    fn a_clock_that_was_set_is_believed_a_vague_estimate_is_not() {
        let first = Clock::estimate(&[sample(0, 100, 7_050)]).unwrap();
        let vague = Clock::estimate(&[sample(1_000_000, 1_900_000, 1_457_000)]).unwrap();
        assert!(first.renewed(vague).error_us(1_900_000) < 100);
        let set = Clock::estimate(&[sample(2_000_000, 2_000_100, 3_600_000_000)]).unwrap();
        assert_eq!(first.renewed(set), set);
    }

    #[test]
    fn errors_grow_with_age() {
        let clock = Clock::estimate(&[sample(0, 100, 50)]).unwrap();
        assert_eq!(clock.error_us(30_000_100), clock.error_us(0) + 600);
        assert_eq!(Clock::estimate(&[]), None);
    }

    proptest! {
        /// Whatever the delays, the truth lies within the bound.
        #[test]
        fn the_truth_is_within_the_bound(
            offset in -10_000_000_000_000i64..10_000_000_000_000,
            delays in proptest::collection::vec((0i64..50_000, 0i64..50_000), 1..12),
        ) {
            let mut now = 0;
            let samples: Vec<Sample> = delays
                .iter()
                .map(|(there, back)| {
                    let sent_us = now;
                    now += there + back;
                    sample(sent_us, now, sent_us + there + offset)
                })
                .collect();
            let clock = Clock::estimate(&samples).unwrap();
            prop_assert!(clock.offset_us().abs_diff(offset) <= clock.error_us(now));
            let best = delays.iter().map(|(there, back)| there + back).min().unwrap();
            prop_assert!(clock.error_us(clock.at_us()) <= best.unsigned_abs() / 2 + 2);
        }
    }
}
