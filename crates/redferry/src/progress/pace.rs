//! How fast a number grows.

use std::time::{Duration, Instant};

/// Over how long it is seen how fast something goes.
pub(super) const WINDOW: Duration = Duration::from_secs(2);

/// A number that is looked at again and again.
#[derive(Debug)]
pub(super) struct Pace {
    since: Instant,
    was: u64,
    /// By how much it grew in the last whole window, and how long that was.
    last: Option<(u64, Duration)>,
}

impl Pace {
    pub(super) fn from(now: u64) -> Pace {
        Pace { since: Instant::now(), was: now, last: None }
    }

    /// By how much it grew, and in what time: of the window under way as long as there is no whole one.
    pub(super) fn grown(&mut self, now: u64, window: Duration) -> (u64, Duration) {
        let grown = (now.saturating_sub(self.was), self.since.elapsed());
        if grown.1 >= window {
            *self = Pace { last: Some(grown), ..Pace::from(now) };
        }
        self.last.unwrap_or(grown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_whole_window_counts() {
        let (never, always) = (Duration::MAX, Duration::ZERO);
        let mut pace = Pace::from(10);
        assert_eq!(pace.grown(15, never).0, 5, "the window under way");
        assert_eq!(pace.grown(30, always).0, 20, "the first window");
        assert_eq!(pace.grown(37, never).0, 20, "the same");
        assert_eq!(pace.grown(38, always).0, 8, "the second");
        assert_eq!(pace.grown(1, always).0, 0, "one that begins anew");
    }
}
