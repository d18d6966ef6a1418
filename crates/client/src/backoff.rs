//! How long to wait before the next attempt.

use std::time::Duration;

/// Waits that double from 100 ms to 5 s, each shortened at random by up to a half, so that two hundred
/// connections that broke together do not come back together.
#[derive(Debug, Clone)]
pub struct Backoff {
    attempt: u32,
    state: u64,
}

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

impl Backoff {
    /// A fresh row of waits; the seed decides the jitter.
    pub fn new(seed: u64) -> Backoff {
        Backoff { attempt: 0, state: seed | 1 }
    }

    /// How often it waited since the last success.
    pub fn attempts(&self) -> u32 {
        self.attempt
    }

    /// The next wait.
    pub fn next_wait(&mut self) -> Duration {
        let full = FIRST.saturating_mul(1 << self.attempt.min(10)).min(LONGEST);
        self.attempt = self.attempt.saturating_add(1);
        // xorshift64: good enough to spread reconnects.
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        full - full.mul_f64((self.state % 1000) as f64 / 2000.0)
    }

    /// After a success the next wait is short again.
    pub fn reset(&mut self) {
        self.attempt = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_longest_and_start_again_after_a_success() {
        let mut backoff = Backoff::new(7);
        let waits: Vec<Duration> = (0..12).map(|_| backoff.next_wait()).collect();
        assert!(waits[0] <= FIRST && waits[0] >= FIRST / 2);
        assert!(waits.iter().all(|wait| *wait <= LONGEST));
        assert!(waits[11] >= LONGEST / 2);
        backoff.reset();
        assert!(backoff.next_wait() <= FIRST);
    }
}
