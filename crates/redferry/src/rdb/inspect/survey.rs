//! What is in the files, added up as they pass: the space does not grow with the keys.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};

use ::rdb::file::{Checksum, Event, Key};
use bytes::Bytes;

use super::estimate;
use crate::beginnings::tells_no_key;
use crate::rdb::value::{encoding, has_field_expiry, type_name, unpacked};

/// Beginnings of names that are told apart; the keys of all further ones are counted together.
const PREFIXES: usize = 10_000;

/// Bytes of a fact about the file that are kept.
const LONGEST_FACT: usize = 200;

/// Facts about one file that are kept.
const FACTS: usize = 100;

/// Above this no command can carry a value whole (proto-max-bulk-len).
const LARGEST: u64 = 512 << 20;

/// Milliseconds of an hour.
const HOUR_MS: u64 = 3_600_000;

/// Keys of some kind.
#[derive(Debug, Clone, Default)]
pub(crate) struct Count {
    pub(crate) keys: u64,
    /// Those of them with an expiry.
    pub(crate) expires: u64,
    /// Bytes of their values in the file.
    pub(crate) bytes: u64,
    /// Bytes that they take in a server's memory, estimated.
    pub(crate) resident: u64,
}

impl Count {
    fn add(&mut self, other: &Count) {
        self.keys += other.keys;
        self.expires += other.expires;
        self.bytes += other.bytes;
        self.resident += other.resident;
    }
}

/// How long keys have to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Life {
    None,
    Expired,
    UnderHour,
    UnderDay,
    UnderWeek,
    UnderMonth,
    Longer,
}

impl Life {
    pub(crate) const ALL: [Life; 7] = [
        Life::None,
        Life::Expired,
        Life::UnderHour,
        Life::UnderDay,
        Life::UnderWeek,
        Life::UnderMonth,
        Life::Longer,
    ];

    fn of(expires_at_ms: Option<u64>, now_ms: u64) -> Life {
        let Some(at) = expires_at_ms else { return Life::None };
        match at.saturating_sub(now_ms) {
            0 => Life::Expired,
            left if left < HOUR_MS => Life::UnderHour,
            left if left < 24 * HOUR_MS => Life::UnderDay,
            left if left < 7 * 24 * HOUR_MS => Life::UnderWeek,
            left if left < 30 * 24 * HOUR_MS => Life::UnderMonth,
            _ => Life::Longer,
        }
    }

    /// The name in reports for scripts.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Life::None => "none",
            Life::Expired => "expired",
            Life::UnderHour => "under_1h",
            Life::UnderDay => "under_1d",
            Life::UnderWeek => "under_7d",
            Life::UnderMonth => "under_30d",
            Life::Longer => "longer",
        }
    }

    /// The same for people.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Life::None => "no expiry",
            Life::Expired => "expired by now",
            Life::UnderHour => "under an hour",
            Life::UnderDay => "under a day",
            Life::UnderWeek => "under 7 days",
            Life::UnderMonth => "under 30 days",
            Life::Longer => "longer",
        }
    }
}

/// One file.
#[derive(Debug)]
pub(crate) struct FileFacts {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) version: Option<u16>,
    /// `None` when its end was not reached.
    pub(crate) checksum: Option<Checksum>,
    /// What the server wrote about itself and the file.
    pub(crate) aux: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) functions: u64,
    pub(crate) module_aux: u64,
}

/// A key that is among the largest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Large {
    pub(crate) bytes: u64,
    pub(crate) db: u32,
    pub(crate) name: Bytes,
    pub(crate) kind: String,
    pub(crate) encoding: &'static str,
    /// Where the file says it without decoding.
    pub(crate) elements: Option<u64>,
}

/// Everything that was seen.
#[derive(Debug)]
pub(crate) struct Survey {
    now_ms: u64,
    top: usize,
    all_beginnings: bool,
    db: u32,
    pub(crate) files: Vec<FileFacts>,
    pub(crate) total: Count,
    pub(crate) databases: BTreeMap<u32, Count>,
    pub(crate) types: BTreeMap<String, Count>,
    pub(crate) encodings: BTreeMap<(String, &'static str), Count>,
    pub(crate) ttl: BTreeMap<Life, Count>,
    prefixes: HashMap<Vec<u8>, Count>,
    largest: BinaryHeap<Reverse<Large>>,
    /// Values that no command can carry whole.
    pub(crate) too_large: u64,
    /// Hashes whose fields may expire.
    pub(crate) field_expiry: u64,
}

impl Survey {
    /// Of `top` largest keys; beginnings that may stand for one person or thing are told only with `all_beginnings`.
    pub(crate) fn new(now_ms: u64, top: usize, all_beginnings: bool) -> Survey {
        Survey {
            now_ms,
            top,
            all_beginnings,
            db: 0,
            files: Vec::new(),
            total: Count::default(),
            databases: BTreeMap::new(),
            types: BTreeMap::new(),
            encodings: BTreeMap::new(),
            ttl: BTreeMap::new(),
            prefixes: HashMap::new(),
            largest: BinaryHeap::new(),
            too_large: 0,
            field_expiry: 0,
        }
    }

    pub(crate) fn begin_file(&mut self, name: String) {
        self.db = 0;
        self.files.push(FileFacts {
            name,
            bytes: 0,
            version: None,
            checksum: None,
            aux: Vec::new(),
            functions: 0,
            module_aux: 0,
        });
    }

    pub(crate) fn read_so_far(&mut self, offset: u64) {
        if let Some(file) = self.files.last_mut() {
            file.bytes = offset;
        }
    }

    /// Anything but a key.
    pub(crate) fn event(&mut self, event: Event) {
        let Some(file) = self.files.last_mut() else { return };
        match event {
            Event::Version(version) => file.version = Some(version.0),
            Event::Aux(name, value) if file.aux.len() < FACTS => {
                let short = |text: &Bytes| text[..text.len().min(LONGEST_FACT)].to_vec();
                file.aux.push((short(&name), short(&value)));
            }
            Event::ModuleAux(_) => file.module_aux += 1,
            Event::Function(_) => file.functions += 1,
            Event::Database(db) => self.db = db,
            Event::End(checksum) => file.checksum = Some(checksum),
            Event::KeyMetadata(_)
            | Event::Aux(..)
            | Event::Sizes { .. }
            | Event::Slot { .. }
            | Event::Key(_)
            | Event::Part { .. } => {}
        }
    }

    /// A key whose value's body begins with `body` and has `bytes` in all.
    pub(crate) fn key(&mut self, key: &Key, body: &[u8], bytes: u64) {
        let one = Count {
            keys: 1,
            expires: u64::from(key.expires_at_ms.is_some()),
            bytes,
            resident: estimate::resident(key, body, bytes),
        };
        let kind = type_name(key.code, body);
        let encoding = encoding(key.code, body);
        self.total.add(&one);
        self.databases.entry(self.db).or_default().add(&one);
        self.ttl.entry(Life::of(key.expires_at_ms, self.now_ms)).or_default().add(&one);
        self.prefix(&key.name).add(&one);
        self.too_large += u64::from(bytes > LARGEST || (key.code.0 == 0 && unpacked(body) > Some(LARGEST)));
        self.field_expiry += u64::from(has_field_expiry(key.code));
        self.large(key, &kind, encoding, body, bytes);
        self.encodings.entry((kind.clone(), encoding)).or_default().add(&one);
        self.types.entry(kind).or_default().add(&one);
    }

    fn prefix(&mut self, name: &[u8]) -> &mut Count {
        let prefix = told_beginning(name, self.all_beginnings);
        let known = self.prefixes.contains_key(prefix);
        let prefix = if known || self.prefixes.len() < PREFIXES { prefix } else { b"" };
        if !self.prefixes.contains_key(prefix) {
            self.prefixes.insert(prefix.to_vec(), Count::default());
        }
        self.prefixes.get_mut(prefix).expect("it was just put there")
    }

    fn large(&mut self, key: &Key, kind: &str, encoding: &'static str, body: &[u8], bytes: u64) {
        if self.top == 0 {
            return;
        }
        if self.largest.len() >= self.top {
            if self.largest.peek().is_none_or(|Reverse(least)| least.bytes >= bytes) {
                return;
            }
            self.largest.pop();
        }
        self.largest.push(Reverse(Large {
            bytes,
            db: self.db,
            // A copy, since a slice would keep the whole read alive.
            name: Bytes::copy_from_slice(&key.name),
            kind: kind.to_owned(),
            encoding,
            elements: estimate::elements(key.code.0, body),
        }));
    }

    /// The largest keys, the largest first.
    pub(crate) fn largest(&self) -> Vec<&Large> {
        let mut all: Vec<&Large> = self.largest.iter().map(|Reverse(large)| large).collect();
        all.sort_by(|one, other| other.cmp(one));
        all
    }

    /// Beginnings of names, those with the most bytes in memory first; the empty one, which stands for all others,
    /// comes last.
    pub(crate) fn prefixes(&self) -> Vec<(&[u8], &Count)> {
        let mut all: Vec<(&[u8], &Count)> =
            self.prefixes.iter().map(|(prefix, count)| (&prefix[..], count)).collect();
        all.sort_by_key(|(prefix, count)| (prefix.is_empty(), std::cmp::Reverse(count.resident), *prefix));
        all
    }

    /// Bytes of all files as far as they were read.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// The server's own word for the memory that all of it took, if each file has one.
    pub(crate) fn used_memory(&self) -> Option<u64> {
        let of = |file: &FileFacts| -> Option<u64> {
            let (_, value) = file.aux.iter().find(|(name, _)| name == b"used-mem")?;
            std::str::from_utf8(value).ok()?.parse().ok()
        };
        let all: Option<Vec<u64>> = self.files.iter().map(of).collect();
        all.filter(|all| !all.is_empty()).map(|all| all.iter().sum())
    }

    /// The newest version among the files.
    pub(crate) fn version(&self) -> Option<u16> {
        self.files.iter().filter_map(|file| file.version).max()
    }
}

/// The beginning of a name, where it may be told.
pub(crate) fn told_beginning(name: &[u8], all: bool) -> &[u8] {
    let beginning = verify::prefix_of(name);
    if all || tells_no_key(beginning) { beginning } else { b"" }
}

#[cfg(test)]
mod tests {
    use ::rdb::TypeCode;

    use super::*;

    fn key(name: String, expires_at_ms: Option<u64>) -> Key {
        Key { name: name.into(), code: TypeCode::STRING, expires_at_ms, idle_s: None, frequency: None }
    }

    #[test]
    fn the_largest_and_the_beginnings_are_bounded_and_the_sums_are_not() {
        let mut survey = Survey::new(1_000, 3, true);
        survey.begin_file("a".into());
        for n in 0..2 * PREFIXES as u64 {
            survey.key(&key(format!("{n}:x"), Some(n)), &[1, b'x'], n);
        }
        assert_eq!(survey.total.keys, 2 * PREFIXES as u64);
        let largest: Vec<u64> = survey.largest().iter().map(|large| large.bytes).collect();
        assert_eq!(largest, [19_999, 19_998, 19_997]);
        assert!(survey.prefixes().len() <= PREFIXES + 1);
        assert_eq!(survey.prefixes().iter().map(|(_, count)| count.keys).sum::<u64>(), 2 * PREFIXES as u64);
        assert_eq!(survey.ttl[&Life::Expired].keys, 1_001);
        assert_eq!(survey.ttl[&Life::UnderHour].keys, 2 * PREFIXES as u64 - 1_001);
    }
}
