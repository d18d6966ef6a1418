//! Moments as people write them in reports, in UTC.

use std::time::{SystemTime, UNIX_EPOCH};

use planner::Date;

/// Such as `2026-11-26 14:03:22 UTC`. A clock before 1970 is shown as 1970.
pub(crate) fn text(moment: SystemTime) -> String {
    let seconds = seconds(moment);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{} {hour:02}:{minute:02}:{second:02} UTC", day(moment))
}

/// The day of a moment.
pub(crate) fn day(moment: SystemTime) -> Date {
    Date::of_days(i64::try_from(seconds(moment) / 86_400).unwrap_or(0))
}

fn seconds(moment: SystemTime) -> u64 {
    moment.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let at = |seconds| text(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(at(951_782_399), "2000-02-28 23:59:59 UTC");
        assert_eq!(at(951_782_400), "2000-02-29 00:00:00 UTC");
        assert_eq!(at(1_000_000_000), "2001-09-09 01:46:40 UTC");
        assert_eq!(at(1_798_761_599), "2026-12-31 23:59:59 UTC");
        assert_eq!(at(4_107_542_400), "2100-03-01 00:00:00 UTC");
    }
}
