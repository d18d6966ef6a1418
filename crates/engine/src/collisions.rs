//! Two keys that would land on one name of the target, found before anything is written.
//!
//! Only where the rules allow two keys to meet is anything scanned, and of the databases that can meet the
//! one that costs less. For each of its keys the rules tell which other keys go to the same name, and the
//! source is asked whether these exist. Memory does not grow with the number of keys.

mod exists;
mod plan;

use client::{Endpoint, Error, Node, Read, SourceConnection, Topology};
use migration::naming::Naming;
use migration::selection::Selection;
use resp::Value;

use crate::temporary;
use exists::Existence;
use plan::Scan;

/// Keys asked for by one SCAN.
const SCAN_COUNT: u32 = 1000;

/// Candidates are looked up when there are this many, or this many bytes of names.
const BATCH: usize = 500;
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Keys that would become one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collision {
    /// Database on the target.
    pub db: u32,
    /// Name on the target.
    pub name: Vec<u8>,
    /// Databases and names on the source; at least two.
    pub origins: Vec<(u32, Vec<u8>)>,
}

/// Finds keys that meet under one name, `limit` of them at most. Empty means that there are none.
///
/// Keys that the selection leaves out do not count. What is written to the source while it is scanned may
/// be missed.
///
/// # Errors
/// The source cannot be reached, or refuses SCAN, TYPE or PTTL.
pub async fn find(
    source: &Endpoint,
    topology: &Topology,
    selection: &Selection,
    naming: &Naming,
    limit: usize,
) -> Result<Vec<Collision>, Error> {
    let pairs = plan::pairs(naming);
    if pairs.is_empty() || limit == 0 {
        return Ok(Vec::new());
    }
    let scans = plan::scans(&pairs, naming, &plan::sizes(source, topology, naming).await?);
    let mut search = Search {
        existence: Existence::new(source, topology, selection),
        naming,
        selection,
        limit,
        candidates: Vec::new(),
        bytes: 0,
        found: Vec::new(),
    };
    for scan in &scans {
        for node in topology.primaries() {
            search.scan(source, node, scan).await?;
            if search.is_done() {
                return Ok(search.found);
            }
        }
    }
    Ok(search.found)
}

struct Search<'a> {
    existence: Existence<'a>,
    naming: &'a Naming,
    selection: &'a Selection,
    limit: usize,
    candidates: Vec<Collision>,
    bytes: usize,
    found: Vec<Collision>,
}

impl Search<'_> {
    fn is_done(&self) -> bool {
        self.found.len() >= self.limit
    }

    /// Looks at every key of one database of one node.
    async fn scan(&mut self, source: &Endpoint, node: &Node, scan: &Scan) -> Result<(), Error> {
        let mut connection = source.connect_source(node, scan.db).await?;
        let pattern = scan.pattern.as_deref().or(self.selection.scan_match());
        let mut cursor = 0;
        loop {
            let page = Read::Scan { cursor, count: SCAN_COUNT, pattern, kind: None };
            let reply = connection.ask(page).await?;
            let (next, keys) = read_page(&connection, &reply)?;
            for key in keys.iter().filter_map(Value::as_bytes) {
                self.consider(scan.db, key);
                if self.candidates.len() >= BATCH || self.bytes >= BATCH_BYTES {
                    self.look_up().await?;
                }
            }
            if next == 0 || self.is_done() {
                return self.look_up().await;
            }
            cursor = next;
        }
    }

    /// Keeps a key as a candidate if another key can go where it goes.
    fn consider(&mut self, db: u32, key: &[u8]) {
        if key.starts_with(temporary::PREFIX) || !self.selection.accepts_name(key) {
            return;
        }
        let Some(target_db) = self.naming.target_db(db) else { return };
        let mut scratch = Vec::new();
        let name = self.naming.target_name(db, key, &mut scratch);
        let mut origins = self.naming.origins(name, target_db);
        origins.retain(|(_, key)| self.selection.accepts_name(key) && !key.starts_with(temporary::PREFIX));
        if origins.len() < 2 {
            return;
        }
        self.bytes += name.len() + origins.iter().map(|(_, key)| key.len()).sum::<usize>();
        self.candidates.push(Collision { db: target_db, name: name.to_vec(), origins });
    }

    /// Asks which of the candidates' keys exist, and keeps those of which two do.
    async fn look_up(&mut self) -> Result<(), Error> {
        self.bytes = 0;
        let mut candidates = std::mem::take(&mut self.candidates);
        self.existence.keep_existing(&mut candidates).await?;
        for candidate in candidates {
            // A key that is scanned twice, or from both its databases, is one collision.
            if candidate.origins.len() > 1 && !self.is_done() && !self.found.contains(&candidate) {
                self.found.push(candidate);
            }
        }
        Ok(())
    }
}

fn read_page<'v>(connection: &SourceConnection, reply: &'v Value) -> Result<(u64, &'v [Value]), Error> {
    let page = || {
        let parts = reply.as_array()?;
        Some((parts.first()?.as_str()?.parse().ok()?, parts.get(1)?.as_array()?))
    };
    page().ok_or_else(|| Error::from_reply(connection.peer(), "SCAN", reply))
}
