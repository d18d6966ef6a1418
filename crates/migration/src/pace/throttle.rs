//! A token bucket for keys and bytes.

use std::num::NonZeroU64;

/// Limits keys and bytes per second, together: whoever takes needs both budgets.
///
/// Taking may overdraw: a batch passes as soon as both budgets are not in debt, and those who come
/// after wait until it is paid. So a batch of any size passes, nobody starves, and the rate in the
/// long run is exact. In any time T at most `rate * (T + 50 ms)` and one batch pass.
#[derive(Clone, Debug)]
pub struct Throttle {
    keys: Option<Bucket>,
    bytes: Option<Bucket>,
}

impl Throttle {
    /// `None` is no limit. The buckets begin full.
    pub fn new(keys_per_second: Option<NonZeroU64>, bytes_per_second: Option<NonZeroU64>) -> Throttle {
        Throttle { keys: keys_per_second.map(Bucket::new), bytes: bytes_per_second.map(Bucket::new) }
    }

    /// Whether there is any limit.
    pub fn is_unlimited(&self) -> bool {
        self.keys.is_none() && self.bytes.is_none()
    }

    /// Takes a batch at `now_us`, a monotonic clock in microseconds. `None` says go; `Some` says that
    /// nothing was taken, and how many microseconds to wait before asking again.
    pub fn try_take(&mut self, now_us: u64, keys: u64, bytes: u64) -> Option<u64> {
        let wait_us = self.buckets().map(|bucket| bucket.wait_us(now_us)).max().unwrap_or(0);
        if wait_us > 0 {
            return Some(wait_us);
        }
        self.charge(now_us, keys, bytes);
        None
    }

    /// Books what has been read already, for a size known only afterwards. Never refuses.
    pub fn charge(&mut self, now_us: u64, keys: u64, bytes: u64) {
        if let Some(bucket) = &mut self.keys {
            bucket.take(now_us, keys);
        }
        if let Some(bucket) = &mut self.bytes {
            bucket.take(now_us, bytes);
        }
    }

    fn buckets(&mut self) -> impl Iterator<Item = &mut Bucket> {
        self.keys.iter_mut().chain(&mut self.bytes)
    }
}

/// Microseconds of rate that may be saved up.
const BURST_US: i128 = 50_000;

/// One token is a million credits, so that a rate per second is that many credits per microsecond and nothing is rounded.
const CREDITS: i128 = 1_000_000;

#[derive(Clone, Debug)]
struct Bucket {
    rate: i128,
    credits: i128,
    /// The latest time seen; none before the first use.
    at_us: Option<u64>,
}

impl Bucket {
    fn new(per_second: NonZeroU64) -> Bucket {
        let rate = i128::from(per_second.get());
        Bucket { rate, credits: rate * BURST_US, at_us: None }
    }

    fn take(&mut self, now_us: u64, amount: u64) {
        self.refill(now_us);
        self.credits = self.credits.saturating_sub(i128::from(amount) * CREDITS);
    }

    /// Zero when not in debt.
    fn wait_us(&mut self, now_us: u64) -> u64 {
        self.refill(now_us);
        let debt = -self.credits;
        if debt <= 0 { 0 } else { u64::try_from((debt + self.rate - 1) / self.rate).unwrap_or(u64::MAX) }
    }

    fn refill(&mut self, now_us: u64) {
        let before = self.at_us.unwrap_or(now_us);
        let earned = i128::from(now_us.saturating_sub(before)).saturating_mul(self.rate);
        self.credits = self.credits.saturating_add(earned).min(self.rate * BURST_US);
        self.at_us = Some(now_us.max(before));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limit(per_second: u64) -> Option<NonZeroU64> {
        NonZeroU64::new(per_second)
    }

    #[test]
    fn no_limit_never_waits() {
        let mut throttle = Throttle::new(None, None);
        assert!(throttle.is_unlimited());
        assert_eq!(throttle.try_take(0, u64::MAX, u64::MAX), None);
        assert_eq!(throttle.try_take(0, u64::MAX, u64::MAX), None);
    }

    #[test]
    fn a_value_bigger_than_a_second_passes_and_is_paid_off() {
        let mut throttle = Throttle::new(None, limit(1_000_000));
        assert_eq!(throttle.try_take(7, 1, 10_000_000), None);
        // 50 ms were saved up.
        assert_eq!(throttle.try_take(7, 1, 1), Some(9_950_000));
        assert_eq!(throttle.try_take(7 + 9_949_999, 1, 1), Some(1));
        assert_eq!(throttle.try_take(7 + 9_950_000, 1, 1), None);
    }

    #[test]
    fn time_that_runs_backwards_earns_nothing_twice() {
        let mut throttle = Throttle::new(limit(1000), None);
        throttle.charge(1_000_000, 50, 0);
        assert_eq!(throttle.try_take(0, 1, 0), None);
        assert_eq!(throttle.try_take(1_000_000, 1, 0), Some(1000));
    }

    #[test]
    fn what_is_charged_later_counts() {
        let mut throttle = Throttle::new(None, limit(1000));
        assert_eq!(throttle.try_take(0, 1, 0), None);
        throttle.charge(0, 0, 1050);
        assert_eq!(throttle.try_take(0, 1, 0), Some(1_000_000));
    }

    proptest! {
        /// A greedy reader gets the rate: never more than the burst and one batch above it, and, as long as
        /// it comes back within the burst after each wait, never less.
        #[test]
        fn the_long_run_rate_is_exact(
            rate in 1u64..5_000_000,
            batches in prop::collection::vec((1u64..5_000, 0u64..50_000), 1..400),
        ) {
            let mut throttle = Throttle::new(limit(rate), None);
            let (mut now, mut taken) = (0u64, 0u128);
            for (keys, late) in batches {
                if let Some(wait) = throttle.try_take(now, 0, 0) {
                    prop_assert_eq!(throttle.clone().try_take(now + wait - 1, keys, 0), Some(1), "asked to wait too long");
                    let earned = u128::from(rate) * u128::from(now + wait) / 1_000_000;
                    prop_assert!(taken >= earned, "{taken} keys, {earned} were due");
                    now += wait + late;
                }
                prop_assert_eq!(throttle.try_take(now, keys, 0), None, "the wait was not long enough");
                let allowed = u128::from(rate) * (u128::from(now) + 50_000) / 1_000_000 + 1;
                prop_assert!(taken <= allowed, "{taken} keys before this batch, {allowed} allowed");
                taken += u128::from(keys);
            }
        }

        /// With two limits the tighter one rules.
        #[test]
        fn both_budgets_bind(keys_rate in 1u64..100_000, bytes_rate in 1u64..10_000_000, size in 0u64..5_000) {
            let mut throttle = Throttle::new(limit(keys_rate), limit(bytes_rate));
            let (mut now, mut taken) = (0u64, 0u64);
            while now < 60_000_000 {
                match throttle.try_take(now, 100, 100 * size) {
                    None => taken += 100,
                    Some(wait) => now += wait,
                }
            }
            let keys_per_second = bytes_rate.checked_div(size).map_or(keys_rate, |by_bytes| keys_rate.min(by_bytes));
            let expected = keys_per_second * now / 1_000_000;
            prop_assert!(taken.abs_diff(expected) <= 200 + expected / 1000 + keys_per_second / 10 + now / 1_000_000,
                "{taken} keys in {now} us at {keys_rate} keys/s and {bytes_rate} B/s of {size} B");
        }
    }
}
