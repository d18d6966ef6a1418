//! Backs off when the source answers slowly.

/// Watches the source's round trips and says how much may be asked of it.
///
/// While the median of the last five is over the threshold, the permitted share shrinks by three
/// tenths at a time; while it is not, the share grows back linearly, from nothing to all in four seconds.
#[derive(Clone, Debug)]
pub struct LatencyGuard {
    threshold_us: u64,
    recent: [u64; SAMPLES],
    seen: usize,
    share: f32,
    last_sample_us: Option<u64>,
    last_decrease_us: Option<u64>,
}

const SAMPLES: usize = 5;
const FLOOR: f32 = 0.01;
const DECREASE: f32 = 0.7;
const RECOVERY_PER_SECOND: f32 = 0.25;
/// Silence is no proof of health: more than this between two samples does not count as recovery.
const MAX_CREDITED_GAP_US: u64 = 250_000;
/// A decrease needs time to show.
const MIN_BETWEEN_DECREASES_US: u64 = 50_000;
const PAUSE_BELOW_SHARE: f32 = 0.25;
const MAX_PAUSE_US: f32 = 200_000.0;

impl LatencyGuard {
    /// A guard that acts when round trips take longer than `threshold_us`.
    pub fn new(threshold_us: u64) -> LatencyGuard {
        LatencyGuard {
            threshold_us,
            recent: [0; SAMPLES],
            seen: 0,
            share: 1.0,
            last_sample_us: None,
            last_decrease_us: None,
        }
    }

    /// Takes in one round trip that ended at `now_us`; both in microseconds, `now_us` of a monotonic clock.
    pub fn observe(&mut self, now_us: u64, rtt_us: u64) {
        self.recent[self.seen % SAMPLES] = rtt_us;
        self.seen += 1;
        let since_last = now_us.saturating_sub(self.last_sample_us.unwrap_or(now_us));
        self.last_sample_us = Some(now_us);
        match self.median_us() {
            Some(median) if median > self.threshold_us => self.decrease(now_us, median),
            Some(_) => self.recover(since_last),
            None => {}
        }
    }

    /// The share of the usual batch size to ask for: above 0, at most 1.
    pub fn window_factor(&self) -> f32 {
        self.share
    }

    /// Microseconds to wait between two batches: none while at least a quarter of the batch size is
    /// allowed, up to 200 ms at the bottom.
    pub fn pause_us(&self) -> u64 {
        let depth = (PAUSE_BELOW_SHARE - self.share) / (PAUSE_BELOW_SHARE - FLOOR);
        (depth.clamp(0.0, 1.0) * MAX_PAUSE_US) as u64
    }

    /// The median of the last five round trips in microseconds; `None` before there are five.
    pub fn median_us(&self) -> Option<u64> {
        if self.seen < SAMPLES {
            return None;
        }
        let mut sorted = self.recent;
        sorted.sort_unstable();
        Some(sorted[SAMPLES / 2])
    }

    fn decrease(&mut self, now_us: u64, median_us: u64) {
        // Replies under way were asked for before the last decrease: they say nothing about it.
        let settle_us = median_us.clamp(MIN_BETWEEN_DECREASES_US, 1_000_000);
        if self.last_decrease_us.is_some_and(|last| now_us.saturating_sub(last) < settle_us) {
            return;
        }
        self.last_decrease_us = Some(now_us);
        self.share = (self.share * DECREASE).max(FLOOR);
    }

    fn recover(&mut self, since_last_us: u64) {
        let seconds = since_last_us.min(MAX_CREDITED_GAP_US) as f32 / 1e6;
        self.share = (self.share + RECOVERY_PER_SECOND * seconds).min(1.0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Feeds one round trip after the other, waiting as the guard asks, for a while; returns the time.
    fn run(guard: &mut LatencyGuard, from_us: u64, for_us: u64, rtt_us: u64) -> u64 {
        let mut now = from_us;
        while now < from_us + for_us {
            now += rtt_us + guard.pause_us();
            guard.observe(now, rtt_us);
        }
        now
    }

    #[test]
    fn one_slow_reply_is_no_overload() {
        let mut guard = LatencyGuard::new(5_000);
        let mut now = run(&mut guard, 0, 1_000_000, 1_000);
        for rtt in [900_000, 1_000, 700_000, 1_000, 1_000] {
            now += rtt;
            guard.observe(now, rtt);
        }
        assert_eq!((guard.window_factor(), guard.pause_us()), (1.0, 0));
    }

    #[test]
    fn replies_under_way_do_not_count_twice() {
        let mut guard = LatencyGuard::new(5_000);
        (0..1000).for_each(|i| guard.observe(1_000_000 + i, 40_000));
        assert_eq!(guard.window_factor(), DECREASE);
    }

    #[test]
    fn silence_is_no_recovery() {
        let mut guard = LatencyGuard::new(5_000);
        let now = run(&mut guard, 0, 30_000_000, 20_000);
        (1..=5).for_each(|i| guard.observe(now + i, 1_000));
        let before = guard.window_factor();
        guard.observe(now + 3_600_000_000, 1_000);
        assert!(guard.window_factor() < before + 0.1, "{guard:?}");
    }

    proptest! {
        #[test]
        fn overload_goes_to_the_bottom_and_good_times_come_back(
            threshold in 1_000u64..50_000,
            over in 1u64..200_000,
            good_share in 0.01f64..1.0,
        ) {
            let mut guard = LatencyGuard::new(threshold);
            let slow = threshold + over;
            let mut now = 0;
            let mut last = 1.0;
            for _ in 0..2_000 {
                now += slow + guard.pause_us();
                guard.observe(now, slow);
                prop_assert!(guard.window_factor() <= last, "grew under overload");
                last = guard.window_factor();
            }
            prop_assert_eq!(guard.window_factor(), FLOOR);
            prop_assert_eq!(guard.pause_us(), 200_000);
            let good = ((threshold as f64 * good_share) as u64).max(100);
            run(&mut guard, now, 5_500_000, good);
            prop_assert_eq!(guard.window_factor(), 1.0);
            prop_assert_eq!(guard.pause_us(), 0);
        }

        #[test]
        fn any_samples_keep_the_share_in_range(samples in prop::collection::vec((any::<u64>(), any::<u64>()), 0..50)) {
            let mut guard = LatencyGuard::new(1_000);
            for (now, rtt) in samples {
                guard.observe(now, rtt);
                prop_assert!(guard.window_factor() >= FLOOR && guard.window_factor() <= 1.0);
                prop_assert!(guard.pause_us() <= 200_000);
            }
        }
    }
}
