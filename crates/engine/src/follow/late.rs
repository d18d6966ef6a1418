//! Keys that are carried once more after a while, because an older write of theirs may come late and cannot be prevented
//! (see [`crate::fence`]).

use std::collections::{HashMap, VecDeque};

/// Names that are kept; beyond that everything is compared instead.
const NAMES: usize = 100_000;

/// The keys, and when it is time. Times are microseconds of one monotonic clock and never go back.
#[derive(Debug, Default)]
pub(crate) struct Late {
    order: VecDeque<(u64, Box<[u8]>)>,
    /// When each key is due. Another time than in `order` is a later entry's.
    due_us: HashMap<Box<[u8]>, u64>,
    everything_us: Option<u64>,
}

impl Late {
    /// The key is to be carried once more at this time.
    pub(crate) fn add(&mut self, due_us: u64, name: &[u8]) {
        if self.order.len() >= NAMES {
            return self.add_everything(due_us);
        }
        self.order.push_back((due_us, name.into()));
        self.due_us.insert(name.into(), due_us);
    }

    /// All keys are to be compared once more at this time.
    pub(crate) fn add_everything(&mut self, due_us: u64) {
        self.everything_us = Some(due_us);
    }

    /// The keys whose time has come.
    pub(crate) fn take(&mut self, now_us: u64) -> Vec<Box<[u8]>> {
        let mut keys = Vec::new();
        while let Some((due_us, name)) = self.order.pop_front_if(|(due_us, _)| *due_us <= now_us) {
            if self.due_us.get(&name) == Some(&due_us) {
                self.due_us.remove(&name);
                keys.push(name);
            }
        }
        keys
    }

    /// Whether the time has come to compare everything.
    pub(crate) fn take_everything(&mut self, now_us: u64) -> bool {
        self.everything_us.take_if(|due_us| *due_us <= now_us).is_some()
    }

    /// Keys that wait for their time.
    pub(crate) fn len(&self) -> usize {
        self.due_us.len()
    }

    /// Whether nothing waits for its time.
    pub(crate) fn is_empty(&self) -> bool {
        self.order.is_empty() && self.everything_us.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_once_when_its_last_time_has_come() {
        let mut late = Late::default();
        late.add(10, b"a");
        late.add(11, b"b");
        late.add(20, b"a");
        assert_eq!((late.take(9).len(), late.len()), (0, 2));
        assert_eq!(late.take(19), [Box::from(&b"b"[..])]);
        assert!(!late.is_empty());
        assert_eq!(late.take(20), [Box::from(&b"a"[..])]);
        assert!(late.is_empty());
    }

    #[test]
    fn beyond_the_names_everything_is_compared_when_the_last_is_due() {
        let mut late = Late::default();
        (0..NAMES as u64 + 5).for_each(|n| late.add(n, &n.to_le_bytes()));
        let last = NAMES as u64 + 4;
        assert!(!late.take_everything(last - 1) && late.take(last).len() == NAMES);
        assert!(!late.is_empty() && late.take_everything(last) && late.is_empty());
    }
}
