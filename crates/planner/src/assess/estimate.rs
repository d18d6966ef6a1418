//! How long it takes.
//!
//! From what redferry was measured to do (docs/benchmarks.md, 2026-11-24: two cores, both servers on the same machine).
//! The fast end is its best data set, the slow end the mix with large keys; a network that is slower than that adds.

use std::fmt;

use serde::Serialize;

use super::Inventory;

/// Keys and bytes per second of `redferry copy`: strings of 100 B, strings of 10 KB; and of the mix.
const FAST: (f64, f64) = (227_171.0, 411e6);
const SLOW: (f64, f64) = (43_625.0, 92e6);
/// `redferry verify --level full` for the same data, against copy: from 1.1 times as fast to 0.7 times.
const VERIFY: (f64, f64) = (1.1, 0.7);

/// Seconds, from and to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Duration {
    pub from_seconds: u64,
    pub to_seconds: u64,
}

/// How long each part takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimates {
    pub keys: u64,
    pub bytes: u64,
    pub copy: Duration,
    pub verify: Duration,
}

pub(super) fn estimates(inventory: &Inventory) -> Option<Estimates> {
    let live = inventory.live.as_ref()?;
    let (keys, _) = live.keys();
    let bytes = live.sum("used_memory_dataset").or_else(|| live.sum("used_memory"))?;
    let seconds = |(per_key, per_byte): (f64, f64)| (keys as f64 / per_key).max(bytes as f64 / per_byte);
    let copy = (seconds(FAST), seconds(SLOW));
    let whole = |seconds: f64| (seconds.ceil() as u64).max(1);
    Some(Estimates {
        keys,
        bytes,
        copy: Duration { from_seconds: whole(copy.0), to_seconds: whole(copy.1) },
        verify: Duration { from_seconds: whole(copy.0 / VERIFY.0), to_seconds: whole(copy.1 / VERIFY.1) },
    })
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (in_words(self.from_seconds), in_words(self.to_seconds));
        if from == to { f.write_str(&to) } else { write!(f, "{from} to {to}") }
    }
}

fn in_words(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..7200 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{:.1} h", seconds as f64 / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Live, read};
    use super::*;

    fn of(info: &str) -> Option<Estimates> {
        let live = Live { nodes: vec![read::info(info)], ..Live::default() };
        estimates(&Inventory { live: Some(live), ..Inventory::default() })
    }

    #[test]
    fn the_slower_of_keys_and_bytes_counts() {
        let keys = of("used_memory:1000\ndb0:keys=10000000,expires=0").unwrap();
        assert_eq!((keys.copy.from_seconds, keys.copy.to_seconds), (45, 230));
        let bytes = of("used_memory_dataset:41100000000\nused_memory:9\ndb0:keys=10,expires=0").unwrap();
        assert_eq!((bytes.copy.from_seconds, bytes.copy.to_seconds), (100, 447));
        assert_eq!(bytes.copy.to_string(), "2 min to 8 min");
        assert_eq!((bytes.verify.from_seconds, bytes.verify.to_seconds), (91, 639));
        assert_eq!(of("used_memory:1").unwrap().copy.to_string(), "1 s");
        assert_eq!(of(""), None);
    }
}
