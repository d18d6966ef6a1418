//! What became of the keys, counted by type and by cause.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A key's type, as far as a report tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyType {
    /// Strings, numbers, bitmaps, HyperLogLogs.
    String,
    /// Lists.
    List,
    /// Sets.
    Set,
    /// Sorted sets, geo sets.
    Zset,
    /// Hashes.
    Hash,
    /// Streams.
    Stream,
    /// Any type of a module.
    Module,
}

impl KeyType {
    /// All types, in the order of reports.
    pub const ALL: [KeyType; 7] = [
        KeyType::String,
        KeyType::List,
        KeyType::Set,
        KeyType::Zset,
        KeyType::Hash,
        KeyType::Stream,
        KeyType::Module,
    ];

    /// The name that `TYPE` and reports use.
    pub fn name(self) -> &'static str {
        match self {
            KeyType::String => "string",
            KeyType::List => "list",
            KeyType::Set => "set",
            KeyType::Zset => "zset",
            KeyType::Hash => "hash",
            KeyType::Stream => "stream",
            KeyType::Module => "module",
        }
    }

    /// The type behind a `TYPE` reply; what is not a core type belongs to a module.
    pub fn of_name(name: &[u8]) -> KeyType {
        match name {
            b"string" => KeyType::String,
            b"list" => KeyType::List,
            b"set" => KeyType::Set,
            b"zset" => KeyType::Zset,
            b"hash" => KeyType::Hash,
            b"stream" => KeyType::Stream,
            _ => KeyType::Module,
        }
    }

    /// The type behind the first byte of a `DUMP` payload (`RDB_TYPE_*` in Redis' rdb.h up to 7.4).
    pub fn of_payload(first: u8) -> Option<KeyType> {
        Some(match first {
            0 => KeyType::String,
            1 | 10 | 14 | 18 => KeyType::List,
            2 | 11 | 20 => KeyType::Set,
            3 | 5 | 12 | 17 => KeyType::Zset,
            4 | 9 | 13 | 16 | 22..=25 => KeyType::Hash,
            15 | 19 | 21 => KeyType::Stream,
            6 | 7 => KeyType::Module,
            _ => return None,
        })
    }
}

/// What kind of end a key came to that was not copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Nothing to copy any more.
    Expired,
    /// Not wanted by the filters.
    Filtered,
    /// Left alone on purpose, because of the conflict policy or because it cannot exist there.
    Skipped,
    /// Should have been copied.
    Failed,
}

macro_rules! causes {
    ($($(#[$doc:meta])* $name:ident => $fate:ident, $text:literal, $remedy:literal;)*) => {
        /// Why a key was not copied.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Cause { $($(#[$doc])* $name,)* }

        impl Cause {
            /// All causes, in the order of reports.
            pub const ALL: &'static [Cause] = &[$(Cause::$name,)*];
            /// What kind of end it is.
            pub fn fate(self) -> Fate { match self { $(Cause::$name => Fate::$fate,)* } }
            /// Its name in reports; does not change once published.
            pub fn name(self) -> &'static str { match self { $(Cause::$name => $text,)* } }
            /// What to do about it, in one sentence.
            pub fn remedy(self) -> &'static str { match self { $(Cause::$name => $remedy,)* } }
        }
    };
}

causes! {
    /// Listed by the scan, gone when it was read.
    GoneBeforeRead => Expired, "gone_before_read",
        "nothing: the keys expired or were deleted on the source while the copy ran";
    /// Its time was over before it could be written.
    ExpiredOnTheWay => Expired, "expired_on_the_way",
        "nothing: the keys' time was over before they could be written";
    /// Its time was over before the import of its file came to it.
    ExpiredInFile => Expired, "expired_in_file",
        "nothing: the keys' time was over when the file was imported";
    /// The scan listed it a second time, and a file has room for it once.
    ListedTwice => Expired, "listed_twice",
        "nothing: SCAN may list a key twice, and the file has it once";
    /// A name, type, slot or TTL filter does not want it.
    Filtered => Filtered, "filtered", "nothing: the filters of this run leave these keys out";
    /// The target already has a key of that name and `--on-conflict skip` is set.
    TargetHasKey => Skipped, "target_has_key",
        "use --on-conflict replace if the source's value shall win";
    /// A temporary key of an earlier run against this source as a target.
    TemporaryKey => Skipped, "temporary_key",
        "delete keys that begin with redferry:tmp: on the source; they are left-overs of a copy into it";
    /// The target does not know the key's module type.
    ModuleTypeUnknown => Skipped, "module_type_unknown",
        "enable the module on the target (AMR: only when the database is created) and raise --big-key above these values, \
         which only travel whole; then copy these keys again";
    /// The RDB version of the target, or of the file that is written, has no place for it.
    FormatUnfit => Failed, "format_unfit",
        "use a newer target or --rdb-version: hash fields that expire need Redis 7.4 (RDB version 12); or take their \
         expiry away (HPERSIST)";
    /// The value in the file is damaged, though it was cut out of it without a fault.
    Damaged => Failed, "damaged",
        "fetch or export the file again; if that does not help, read the key on the server that wrote it";
    /// A large stream of a file could not be put aside on this machine's disk.
    NoRoomAside => Failed, "no_room_aside",
        "make room in the folder for temporary files, or name another by TMPDIR; then import again";
    /// A big key changed during each attempt to read it in pieces.
    ChangedWhileRead => Failed, "changed_while_read",
        "copy these keys again when they are quieter, or raise --big-key so that they are read in one piece";
    /// A big key's pieces did not all arrive, for example because the target evicted the temporary key.
    Incomplete => Failed, "incomplete",
        "give the target more memory or a policy that does not evict, then run again with --on-conflict replace";
    /// The source's user may not read it.
    SourceForbids => Failed, "source_forbids",
        "give the source's user the rights +@read +dump +pttl +memory on all keys";
    /// The target's user may not write it.
    TargetForbids => Failed, "target_forbids", "give the target's user the rights to write these keys";
    /// The source answered with an error that has no cause of its own.
    SourceError => Failed, "source_error", "look at the messages above for the server's words";
    /// The target answered with an error that has no cause of its own.
    TargetError => Failed, "target_error", "look at the messages above for the server's words";
    /// The name or value exceeds what the target accepts in one argument.
    TooLarge => Failed, "too_large",
        "the target refuses so large an argument (proto-max-bulk-len): split the value in the application";
}

impl Cause {
    /// Whether the target has no place for such a value, in whatever form it is written: its version or its modules do
    /// not know it.
    pub fn is_incompatible(self) -> bool {
        matches!(self, Cause::FormatUnfit | Cause::ModuleTypeUnknown)
    }
}

/// Why keys were not copied, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Keys that scans listed.
    pub scanned: u64,
    /// Keys written and acknowledged.
    pub copied: u64,
    /// Bytes of their values as they were sent.
    pub bytes: u64,
    causes: [u64; Cause::ALL.len()],
    types: [u64; KeyType::ALL.len()],
}

/// What became of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Written and acknowledged.
    Copied {
        /// Its type.
        kind: KeyType,
        /// Bytes of its value as they were sent.
        bytes: u64,
    },
    /// Not copied.
    Not(Cause),
}

impl Tally {
    /// A tally of keys that are listed and not yet settled.
    pub fn listed(scanned: u64) -> Tally {
        Tally { scanned, ..Tally::default() }
    }

    /// Counts one key's end.
    pub fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Copied { kind, bytes } => {
                self.copied += 1;
                self.bytes += bytes;
                self.types[kind as usize] += 1;
            }
            Outcome::Not(cause) => self.causes[cause as usize] += 1,
        }
    }

    /// Adds another tally to this one.
    pub fn add(&mut self, other: &Tally) {
        self.scanned += other.scanned;
        self.copied += other.copied;
        self.bytes += other.bytes;
        for (mine, theirs) in self.causes.iter_mut().zip(&other.causes) {
            *mine += theirs;
        }
        for (mine, theirs) in self.types.iter_mut().zip(&other.types) {
            *mine += theirs;
        }
    }

    /// How many keys ended by this cause.
    pub fn caused(&self, cause: Cause) -> u64 {
        self.causes[cause as usize]
    }

    /// How many keys of this type were copied.
    pub fn of_type(&self, kind: KeyType) -> u64 {
        self.types[kind as usize]
    }

    /// How many keys came to this kind of end.
    pub fn fated(&self, fate: Fate) -> u64 {
        Cause::ALL.iter().filter(|cause| cause.fate() == fate).map(|cause| self.caused(*cause)).sum()
    }

    /// Keys whose end is known.
    pub fn settled(&self) -> u64 {
        self.copied + self.causes.iter().sum::<u64>()
    }
}

/// The form in which a tally stands in a checkpoint.
#[derive(Serialize, Deserialize)]
struct Written {
    scanned: u64,
    copied: u64,
    bytes: u64,
    causes: BTreeMap<String, u64>,
    types: BTreeMap<KeyType, u64>,
}

impl Serialize for Tally {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let causes = Cause::ALL.iter().filter(|cause| self.caused(**cause) > 0);
        let types = KeyType::ALL.iter().filter(|kind| self.of_type(**kind) > 0);
        Written {
            scanned: self.scanned,
            copied: self.copied,
            bytes: self.bytes,
            causes: causes.map(|cause| (cause.name().to_owned(), self.caused(*cause))).collect(),
            types: types.map(|kind| (*kind, self.of_type(*kind))).collect(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Tally {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Tally, D::Error> {
        let written = Written::deserialize(deserializer)?;
        let mut tally = Tally {
            scanned: written.scanned,
            copied: written.copied,
            bytes: written.bytes,
            ..Tally::default()
        };
        for cause in Cause::ALL {
            tally.causes[*cause as usize] = written.causes.get(cause.name()).copied().unwrap_or(0);
        }
        for (kind, count) in written.types {
            tally.types[kind as usize] = count;
        }
        Ok(tally)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_survives_a_checkpoint() {
        let mut tally = Tally { scanned: 9, ..Tally::default() };
        tally.count(Outcome::Copied { kind: KeyType::Hash, bytes: 77 });
        tally.count(Outcome::Not(Cause::TargetHasKey));
        tally.count(Outcome::Not(Cause::ChangedWhileRead));
        let text = serde_json::to_string(&tally).unwrap();
        assert_eq!(serde_json::from_str::<Tally>(&text).unwrap(), tally);
        assert_eq!((tally.fated(Fate::Skipped), tally.fated(Fate::Failed), tally.settled()), (1, 1, 3));
    }

    #[test]
    fn names_of_causes_are_unique() {
        let mut names: Vec<_> = Cause::ALL.iter().map(|cause| cause.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Cause::ALL.len());
    }
}
