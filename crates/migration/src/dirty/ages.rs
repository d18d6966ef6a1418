//! How old the oldest of many changes is.

use std::collections::BTreeMap;

/// Changes by the millisecond in which they were seen, so that a burst of a million takes a few entries.
#[derive(Debug, Default)]
pub(super) struct Ages {
    by_ms: BTreeMap<u64, u32>,
}

impl Ages {
    pub(super) fn add(&mut self, at_us: u64) {
        *self.by_ms.entry(at_us / 1000).or_default() += 1;
    }

    pub(super) fn remove(&mut self, at_us: u64) {
        let ms = at_us / 1000;
        if let Some(count) = self.by_ms.get_mut(&ms) {
            *count -= 1;
            if *count == 0 {
                self.by_ms.remove(&ms);
            }
        }
    }

    /// The beginning of the oldest one's millisecond.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.by_ms.first_key_value().map(|(ms, _)| ms * 1000)
    }
}
