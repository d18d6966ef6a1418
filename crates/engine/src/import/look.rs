//! A file read through before anything is written: whether it is whole, and what is in it.

use std::collections::BTreeMap;
use std::hash::Hasher as _;

use rdb::Version;
use rdb::file::{Checksum, Event, Limits};

use crate::feed::{Chunks, Feed, FeedError};
use crate::preflight::DatabaseFacts;

/// What is in a file.
#[derive(Debug, Clone)]
pub struct FileLook {
    /// Its version.
    pub version: Version,
    /// Databases with keys.
    pub databases: Vec<DatabaseFacts>,
    /// The server's word for the memory that all of it took.
    pub used_memory: Option<u64>,
    /// Libraries of functions.
    pub functions: u64,
    /// What its checksum says.
    pub checksum: Checksum,
}

impl FileLook {
    /// Keys in all databases.
    pub fn keys(&self) -> u64 {
        self.databases.iter().map(|database| database.keys).sum()
    }
}

/// Reads a file to its end, without decoding any value.
///
/// # Errors
/// It is damaged or cannot be read.
pub async fn look<C: Chunks>(file: String, chunks: C) -> Result<FileLook, FeedError> {
    let mut feed = Feed::new(file, chunks, Limits { whole: 64 << 10, ..Limits::default() });
    let mut look = FileLook {
        version: Version(0),
        databases: Vec::new(),
        used_memory: None,
        functions: 0,
        checksum: Checksum::Absent,
    };
    let mut databases: BTreeMap<u32, DatabaseFacts> = BTreeMap::new();
    let mut db = 0;
    while let Some(event) = feed.next().await? {
        match event {
            Event::Version(version) => look.version = version,
            Event::Aux(name, value) if &name[..] == b"used-mem" => {
                look.used_memory = std::str::from_utf8(&value).ok().and_then(|text| text.parse().ok());
            }
            Event::Database(number) => db = number,
            Event::Function(_) => look.functions += 1,
            Event::Key(key) => {
                let database = databases.entry(db).or_insert(DatabaseFacts { db, keys: 0, expires: 0 });
                database.keys += 1;
                database.expires += u64::from(key.expires_at_ms.is_some());
            }
            Event::End(checksum) => look.checksum = checksum,
            _ => {}
        }
    }
    look.databases = databases.into_values().collect();
    Ok(look)
}

/// What tells a file from another of the same name: a hash of its version and of what its server wrote about it.
#[derive(Debug, Default)]
pub(super) struct Fingerprint {
    // The same in every run, unlike the hashers of a HashMap.
    hasher: std::hash::DefaultHasher,
}

impl Fingerprint {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.hasher.write_usize(bytes.len());
        self.hasher.write(bytes);
    }

    pub(super) fn finish(&self) -> String {
        format!("{:016x}", self.hasher.finish())
    }
}
