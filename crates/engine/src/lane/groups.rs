//! How exactly expiries are known (design rule R11).
//!
//! PTTL says how long a key has left, not when it was asked. So keys are read in groups between two looks
//! at the source's clock, and the time between the looks is the error of every expiry in the group. Mostly
//! that is a fraction of a millisecond. When the source was held up meanwhile, the keys with an expiry are
//! read again instead of being carried with a large error.

use std::collections::VecDeque;

/// Between two looks at the clock, in microseconds: above it the group's expiries are read again.
const EXACT_US: u64 = 5_000;

/// After so many readings an expiry is carried as it is, and its error reported: the source is that slow.
pub(super) const READINGS: u8 = 4;

/// Bad groups that are remembered; acknowledgements are never that far behind.
const REMEMBERED: usize = 256;

/// What is known about a group's expiries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The second look is still to come.
    Open,
    /// Exact enough.
    Good,
    /// To be read again.
    Bad,
}

/// The group that is being read, and those that were read badly.
#[derive(Debug, Default)]
pub(super) struct Groups {
    id: u32,
    open: bool,
    began_us: u64,
    /// The largest error of the clocks among its keys with an expiry; `None` without such keys.
    clock_error_ms: Option<u32>,
    /// Some of its keys are carried whatever the verdict.
    carried_anyway: bool,
    bad: VecDeque<u32>,
}

impl Groups {
    /// The look at the source's clock before a group, microseconds since 1970.
    pub(super) fn begin(&mut self, us: u64) {
        self.id = self.id.wrapping_add(1);
        self.open = true;
        self.began_us = us;
        self.clock_error_ms = None;
        self.carried_anyway = false;
    }

    /// When the group's keys are taken to have been read. The keys follow at once, so the first look is
    /// nearer than the middle.
    pub(super) fn read_at_us(&self) -> u64 {
        self.began_us
    }

    /// A key with an expiry belongs to the group. Returns the group to ask for the verdict, or `None` when
    /// the key is carried anyway.
    pub(super) fn add(&mut self, clock_error_ms: u32, readings: u8) -> Option<u32> {
        self.clock_error_ms = self.clock_error_ms.max(Some(clock_error_ms));
        if readings >= READINGS {
            self.carried_anyway = true;
            return None;
        }
        Some(self.id)
    }

    /// The look at the clock after the group. Returns the error in milliseconds to be reported, if any.
    pub(super) fn end(&mut self, us: u64) -> Option<u32> {
        self.open = false;
        let clock_error_ms = self.clock_error_ms.take()?;
        let span_us = us.saturating_sub(self.began_us);
        let bad = span_us > EXACT_US;
        if bad {
            self.bad.push_back(self.id);
            if self.bad.len() > REMEMBERED {
                self.bad.pop_front();
            }
        }
        let span_ms = u32::try_from(span_us.div_ceil(1000)).unwrap_or(u32::MAX);
        (!bad || self.carried_anyway).then(|| clock_error_ms.saturating_add(span_ms))
    }

    pub(super) fn verdict(&self, id: u32) -> Verdict {
        if self.open && id == self.id {
            Verdict::Open
        } else if self.bad.contains(&id) {
            Verdict::Bad
        } else {
            Verdict::Good
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quick_group_is_good_and_its_error_is_reported() {
        let mut groups = Groups::default();
        groups.begin(1_000_000);
        let id = groups.add(1, 0).unwrap();
        assert_eq!(groups.verdict(id), Verdict::Open);
        assert_eq!(groups.end(1_000_400), Some(2));
        assert_eq!(groups.verdict(id), Verdict::Good);
    }

    #[test]
    fn a_slow_group_is_read_again_and_reports_nothing() {
        let mut groups = Groups::default();
        groups.begin(1_000_000);
        let id = groups.add(1, 0).unwrap();
        assert_eq!(groups.end(1_080_000), None);
        assert_eq!(groups.verdict(id), Verdict::Bad);
    }

    #[test]
    fn a_key_read_often_enough_is_carried_with_its_error() {
        let mut groups = Groups::default();
        groups.begin(1_000_000);
        assert_eq!(groups.add(1, READINGS), None);
        assert_eq!(groups.end(1_080_000), Some(81));
    }

    #[test]
    fn a_slow_group_without_expiries_does_not_matter() {
        let mut groups = Groups::default();
        groups.begin(1_000_000);
        assert_eq!(groups.end(9_000_000), None);
    }
}
