//! The source is spared as in a copy: by the rates that are asked for, and by its own slowness.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use migration::pace::{LatencyGuard, Throttle};
use verify::Brake;

use crate::args::Protection;

/// What a batch is taken to last when the source is well. A copy asks for less at once when the source is slow; a
/// comparison, whose batches keep their size, pauses between them for as long as that would take longer.
const BATCH: Duration = Duration::from_millis(2);

/// Limits over all nodes.
#[derive(Debug)]
pub(crate) struct Limits {
    /// None of them given: no lock is taken to find out that nothing is limited.
    throttled: bool,
    watched: bool,
    throttle: Mutex<Throttle>,
    guard: Mutex<LatencyGuard>,
    began: Instant,
}

impl Limits {
    pub(crate) fn new(protection: Protection) -> Limits {
        let throttle = Throttle::new(protection.max_keys_per_sec, protection.max_bytes_per_sec);
        let threshold = protection.max_latency().map_or(u64::MAX, |time| time.as_micros() as u64);
        Limits {
            throttled: !throttle.is_unlimited(),
            watched: protection.max_latency().is_some(),
            throttle: Mutex::new(throttle),
            guard: Mutex::new(LatencyGuard::new(threshold)),
            began: Instant::now(),
        }
    }

    fn now_us(&self) -> u64 {
        self.began.elapsed().as_micros() as u64
    }
}

impl Brake for Limits {
    fn take(&self, keys: u64) -> Option<Duration> {
        if !self.throttled {
            return None;
        }
        lock(&self.throttle).try_take(self.now_us(), keys, 0).map(Duration::from_micros)
    }

    fn read(&self, bytes: u64) {
        if self.throttled {
            lock(&self.throttle).charge(self.now_us(), 0, bytes);
        }
    }

    fn answered(&self, after: Duration) {
        if self.watched {
            lock(&self.guard).observe(self.now_us(), after.as_micros() as u64);
        }
    }

    fn pause(&self) -> Duration {
        if !self.watched {
            return Duration::ZERO;
        }
        let guard = lock(&self.guard);
        let stretched = BATCH.mul_f32(1.0 / guard.window_factor() - 1.0);
        stretched.max(Duration::from_micros(guard.pause_us()))
    }
}

/// A lock whose holder panicked still guards plain data.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Typed {
        #[command(flatten)]
        protection: Protection,
    }

    fn limits(options: &[&str]) -> Limits {
        Limits::new(Typed::parse_from([&["redferry"], options].concat()).protection)
    }

    #[test]
    fn no_limit_never_waits() {
        let limits = limits(&["--max-latency", "0"]);
        (0..100).for_each(|_| limits.answered(Duration::from_secs(10)));
        assert_eq!((limits.take(u64::MAX), limits.take(1), limits.pause()), (None, None, Duration::ZERO));
    }

    #[test]
    fn keys_and_bytes_are_limited_together() {
        let keys = limits(&["--max-keys-per-sec", "1000"]);
        assert_eq!(keys.take(5000), None);
        assert!(keys.take(1).is_some_and(|wait| wait > Duration::from_secs(4)));
        let bytes = limits(&["--max-bytes-per-sec", "1MB"]);
        assert_eq!(bytes.take(5000), None);
        bytes.read(5_000_000);
        assert!(bytes.take(1).is_some_and(|wait| wait > Duration::from_secs(4)));
    }

    #[test]
    fn a_slow_source_makes_for_pauses() {
        let limits = limits(&["--max-latency", "5ms"]);
        for _ in 0..5 {
            assert_eq!(limits.pause(), Duration::ZERO);
            limits.answered(Duration::from_millis(20));
        }
        assert!(limits.pause() > Duration::ZERO && limits.pause() < Duration::from_millis(2));
    }
}
