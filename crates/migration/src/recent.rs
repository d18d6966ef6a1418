//! Which keys changed in the last minutes, and how often: what a cut-over verifies first, and what it shows of writers
//! that have not stopped.
//!
//! Memory is bounded: of each period so many names are kept, and the others are counted.

use std::collections::{HashMap, VecDeque};

/// Microseconds of one period.
const PERIOD_US: u64 = 5_000_000;

/// Periods that are kept, the one under way included.
const PERIODS: usize = 60;

/// Names that one period keeps.
const NAMES: usize = 2_000;

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

    /// What is known of the time since then.
    pub fn since(&self, us: u64) -> Since {
        let mut keys: HashMap<&[u8], u64> = HashMap::new();
        let (mut nameless, mut from_us) = (0, us);
        for period in self.periods.iter().filter(|period| period.began_us + PERIOD_US > us) {
            let names = period.names.iter().filter(|(_, times)| times.last_us >= us);
            names.for_each(|(key, times)| *keys.entry(key).or_default() += times.count);
            nameless += period.nameless;
            from_us = from_us.min(period.began_us);
        }
        let mut keys: Vec<Changed> =
            keys.into_iter().map(|(key, count)| Changed { key: key.into(), count }).collect();
        keys.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| one.key.cmp(&other.key)));
        Since { keys, nameless, from_us }
    }
}

/// The changes since a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Since {
    /// Keys that changed, as far as their names were kept, those that changed most often first.
    pub keys: Vec<Changed>,
    /// Changes of keys whose names were not kept.
    pub nameless: u64,
    /// When counting began: some seconds earlier than asked for.
    pub from_us: u64,
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
        let since = recent.since(2);
        assert_eq!((names(&since.keys), since.nameless, since.from_us), (vec![("b", 2), ("c", 1)], 0, 1));
    }

    #[test]
    fn what_is_older_than_the_periods_is_forgotten() {
        let mut recent = Recent::default();
        let periods = PERIODS as u64;
        for period in 0..periods + 5 {
            recent.note(period * PERIOD_US, format!("{period:03}").as_bytes());
        }
        assert_eq!(recent.since(0).keys.len(), PERIODS);
        let since = recent.since((periods + 3) * PERIOD_US + 1);
        assert_eq!(names(&since.keys), [("064", 1)]);
        assert_eq!(since.from_us, (periods + 3) * PERIOD_US);
    }

    #[test]
    fn names_without_room_are_counted() {
        let mut recent = Recent::default();
        for number in 0..NAMES + 7 {
            recent.note(1, format!("{number}").as_bytes());
        }
        assert_eq!((recent.since(0).keys.len(), recent.since(0).nameless), (NAMES, 7));
        assert_eq!(recent.since(2).nameless, 7, "without names nobody knows when");
    }
}
