//! Which keys changed in the last minutes, and how often: what a cut-over verifies first, and what it shows of writers
//! that have not stopped.
//!
//! Memory is bounded: of each period so many names are kept, and the others are counted.

use std::collections::{HashMap, VecDeque};

/// Microseconds of one period.
const PERIOD_US: u64 = 60_000_000;

/// Periods that are kept, the one under way included.
const PERIODS: usize = 5;

/// Names that one period keeps.
const NAMES: usize = 10_000;

/// The latest changes of one database. All times are microseconds of one monotonic clock.
#[derive(Debug, Default)]
pub struct Recent {
    periods: VecDeque<Period>,
}

#[derive(Debug)]
struct Period {
    began_us: u64,
    names: HashMap<Box<[u8]>, Times>,
    /// Changes of keys whose names found no room.
    nameless: u64,
}

#[derive(Debug, Clone, Copy)]
struct Times {
    count: u64,
    last_us: u64,
}

/// A key that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Its name.
    pub key: Box<[u8]>,
    /// How often, as far as the feed told: changes of one moment are told once.
    pub count: u64,
}

impl Recent {
    /// A key changed.
    pub fn note(&mut self, now_us: u64, key: &[u8]) {
        if self.periods.back().is_none_or(|period| now_us >= period.began_us + PERIOD_US) {
            let forgotten = if self.periods.len() == PERIODS { self.periods.pop_front() } else { None };
            let names = forgotten.map(|period| period.names).unwrap_or_default();
            let mut period = Period { began_us: now_us, names, nameless: 0 };
            period.names.clear();
            self.periods.push_back(period);
        }
        let Some(period) = self.periods.back_mut() else { return };
        if let Some(times) = period.names.get_mut(key) {
            times.count += 1;
            times.last_us = now_us;
        } else if period.names.len() < NAMES {
            period.names.insert(key.into(), Times { count: 1, last_us: now_us });
        } else {
            period.nameless += 1;
        }
    }

    /// Keys that changed since then, as far as their names were kept, those that changed most often first; and how
    /// many changes have no name here.
    pub fn since(&self, us: u64) -> (Vec<Changed>, u64) {
        let mut keys: HashMap<&[u8], u64> = HashMap::new();
        let mut nameless = 0;
        for period in &self.periods {
            let names = period.names.iter().filter(|(_, times)| times.last_us >= us);
            names.for_each(|(key, times)| *keys.entry(key).or_default() += times.count);
            if period.began_us + PERIOD_US > us {
                nameless += period.nameless;
            }
        }
        let mut changed: Vec<Changed> =
            keys.into_iter().map(|(key, count)| Changed { key: key.into(), count }).collect();
        changed.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| one.key.cmp(&other.key)));
        (changed, nameless)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(changed: &[Changed]) -> Vec<(&str, u64)> {
        changed.iter().map(|one| (std::str::from_utf8(&one.key).unwrap(), one.count)).collect()
    }

    #[test]
    fn the_keys_that_change_most_often_come_first() {
        let mut recent = Recent::default();
        [(1, "a"), (2, "b"), (3, "b"), (4, "c")]
            .iter()
            .for_each(|(us, key)| recent.note(*us, key.as_bytes()));
        let (changed, nameless) = recent.since(2);
        assert_eq!((names(&changed), nameless), (vec![("b", 2), ("c", 1)], 0));
    }

    #[test]
    fn what_is_older_than_the_periods_is_forgotten() {
        let mut recent = Recent::default();
        for minute in 0..10 {
            recent.note(minute * PERIOD_US, format!("{minute}").as_bytes());
        }
        let (changed, _) = recent.since(0);
        assert_eq!(names(&changed), [("5", 1), ("6", 1), ("7", 1), ("8", 1), ("9", 1)]);
        assert_eq!(recent.since(8 * PERIOD_US).0.len(), 2);
    }

    #[test]
    fn names_without_room_are_counted() {
        let mut recent = Recent::default();
        for number in 0..NAMES + 7 {
            recent.note(1, format!("{number}").as_bytes());
        }
        let (changed, nameless) = recent.since(0);
        assert_eq!((changed.len(), nameless), (NAMES, 7));
        assert_eq!(recent.since(2), (Vec::new(), 7), "without names nobody knows when");
    }
}
