//! What has to be scanned, and how little of it.

use std::collections::BTreeMap;

use client::{Endpoint, Error, Read, Topology};
use migration::naming::Naming;

/// A scan costs the server about 1 us for each key, with a pattern as without (Redis 6.0.16, a million keys:
/// 1.1 s and 1.2 s of CPU). Without one, every key is asked for and so is the key that it may meet.
const FULL_COST: u64 = 3;

/// One database to scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scan {
    pub(super) db: u32,
    /// Only names that match can meet another key; `None`: all can.
    pub(super) pattern: Option<Vec<u8>>,
}

/// Pairs of databases of which two keys can meet; a database can meet itself when keys are renamed.
pub(super) fn pairs(naming: &Naming) -> Vec<(u32, u32)> {
    let dbs: Vec<u32> = naming.source_dbs().collect();
    let all = dbs.iter().enumerate().flat_map(|(index, &a)| dbs[index..].iter().map(move |&b| (a, b)));
    let mut pairs: Vec<_> = all.filter(|&(a, b)| naming.may_collide(a, b)).collect();
    // Databases that have to be scanned anyway come first: they settle other pairs too.
    pairs.sort_by_key(|(a, b)| a != b);
    pairs
}

/// Keys in each database over all nodes.
///
/// # Errors
/// A node cannot be reached or lacks a database.
pub(super) async fn sizes(
    source: &Endpoint,
    topology: &Topology,
    naming: &Naming,
) -> Result<BTreeMap<u32, u64>, Error> {
    let mut sizes = BTreeMap::new();
    for node in topology.primaries() {
        for db in naming.source_dbs() {
            let mut connection = source.connect_source(node, db).await?;
            let reply = connection.ask(Read::DbSize).await?;
            let size = reply.as_i64().and_then(|size| u64::try_from(size).ok());
            *sizes.entry(db).or_default() +=
                size.ok_or_else(|| Error::from_reply(connection.peer(), "DBSIZE", &reply))?;
        }
    }
    Ok(sizes)
}

/// Scans that together see one key of every two that can meet.
pub(super) fn scans(pairs: &[(u32, u32)], naming: &Naming, sizes: &BTreeMap<u32, u64>) -> Vec<Scan> {
    let mut scans: Vec<Scan> = Vec::new();
    for &(a, b) in pairs {
        let full = |db| Scan { db, pattern: None };
        let choices = [Some(full(a)), Some(full(b)), narrowed(naming, a, b), narrowed(naming, b, a)];
        let cost = |scan: &Scan| {
            if scans.contains(scan) || scans.contains(&full(scan.db)) {
                return 0;
            }
            let size = sizes.get(&scan.db).copied().unwrap_or(0);
            if scan.pattern.is_some() { size } else { size.saturating_mul(FULL_COST) }
        };
        let Some(cheapest) = choices.into_iter().flatten().min_by_key(cost) else { continue };
        if !scans.contains(&cheapest) && !scans.contains(&full(cheapest.db)) {
            scans.push(cheapest);
        }
    }
    scans
}

/// The keys of `db` that can meet one of `other`, where that is a matter of their beginning: `db` keeps its
/// names, so nothing is renamed, and `other` puts a prefix before its own.
fn narrowed(naming: &Naming, db: u32, other: u32) -> Option<Scan> {
    if db == other || !naming.keeps_names(db) {
        return None;
    }
    let mut scratch = Vec::new();
    let prefix = naming.target_name(other, b"", &mut scratch);
    (!prefix.is_empty()).then(|| Scan { db, pattern: Some(beginning(prefix)) })
}

/// The glob for all names that begin so.
fn beginning(prefix: &[u8]) -> Vec<u8> {
    let mut glob = Vec::with_capacity(prefix.len() + 1);
    for &byte in prefix {
        if matches!(byte, b'*' | b'?' | b'[' | b'\\') {
            glob.push(b'\\');
        }
        glob.push(byte);
    }
    glob.push(b'*');
    glob
}

#[cfg(test)]
mod tests {
    use super::*;
    use migration::naming::{DbRule, Rename};

    fn naming(dbs: &[(u32, &str)], renames: &[(&str, &str)]) -> Naming {
        let rule = |&(source, prefix): &(u32, &str)| DbRule { source, target: 0, prefix: prefix.into() };
        let rename = |&(from, to): &(&str, &str)| Rename { from: from.into(), to: to.into() };
        Naming::new(dbs.iter().map(rule).collect(), renames.iter().map(rename).collect()).unwrap()
    }

    fn planned(naming: &Naming, sizes: &[(u32, u64)]) -> Vec<(u32, Option<String>)> {
        scans(&pairs(naming), naming, &sizes.iter().copied().collect())
            .into_iter()
            .map(|scan| (scan.db, scan.pattern.map(|glob| String::from_utf8(glob).unwrap())))
            .collect()
    }

    #[test]
    fn what_cannot_meet_is_not_scanned() {
        assert_eq!(planned(&naming(&[(0, "db0:"), (1, "db1:")], &[]), &[]), []);
        assert_eq!(planned(&naming(&[(0, "")], &[]), &[]), []);
    }

    #[test]
    fn a_prefix_narrows_the_scan_of_the_database_that_keeps_its_names() {
        let rules = naming(&[(0, ""), (3, "b[x]:")], &[]);
        assert_eq!(planned(&rules, &[(0, 100), (3, 100)]), [(0, Some("b\\[x]:*".into()))]);
        assert_eq!(planned(&rules, &[(0, 1000), (3, 10)]), [(3, None)], "unless the other is far smaller");
    }

    #[test]
    fn one_scan_settles_all_pairs_of_its_database() {
        let rules = naming(&[(0, ""), (1, ""), (2, "")], &[]);
        assert_eq!(planned(&rules, &[(0, 1000), (1, 1), (2, 10)]), [(1, None), (2, None)]);
    }

    #[test]
    fn a_rename_onto_names_that_exist_needs_the_database_itself() {
        assert_eq!(planned(&naming(&[(0, "")], &[("old:", "new:")]), &[(0, 5)]), [(0, None)]);
    }
}
