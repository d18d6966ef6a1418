//! When something will be over, going by how it went so far.

use std::time::Duration;

/// Nobody plans further ahead, and beyond it the numbers mean nothing.
const FURTHEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// How long it takes to come from `now` to `end` at the pace of the last `grown` in `over`. Nothing when it does not
/// grow, or there is nothing left.
pub(crate) fn until(now: u64, end: u64, grown: u64, over: Duration) -> Option<Duration> {
    let left = end.checked_sub(now).filter(|left| *left > 0)?;
    let seconds = over.as_secs_f64() * left as f64 / grown as f64;
    Duration::try_from_secs_f64(seconds).ok().filter(|left| *left <= FURTHEST)
}

/// What a count came to in a second.
pub(crate) fn per_second(grown: u64, over: Duration) -> u64 {
    let seconds = over.as_secs_f64();
    if seconds > 0.0 { (grown as f64 / seconds).round() as u64 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_as_before_ends_when_the_rest_is_done() {
        let second = Duration::from_secs(1);
        assert_eq!(until(400, 1000, 100, second), Some(Duration::from_secs(6)));
        assert_eq!(until(1000, 1000, 100, second), None, "it is over");
        assert_eq!(until(1200, 1000, 100, second), None, "it is over");
        assert_eq!(until(400, 1000, 0, second), None, "it stands still");
        assert_eq!(until(0, u64::MAX, 1, second), None, "it is too far away");
        assert_eq!(until(0, 10, 0, Duration::ZERO), None, "nothing is known");
    }

    #[test]
    fn rates_are_over_the_time_that_passed() {
        assert_eq!(per_second(30, Duration::from_millis(1500)), 20);
        assert_eq!(per_second(30, Duration::ZERO), 0);
    }
}
