//! What both caches are, for a comparison, which writes to neither: nothing is asked here that a user who may
//! only read could not ask, and no command that writes is tried.

use client::{Endpoint, Error};

use super::findings::{Check, SideFacts, Status};
use super::side::Seen;
use super::wishes::{DbWish, Wishes};
use super::{checks, identity, wanted_databases};

/// What can forbid a comparison.
const CHECKS: &[&str] = &["reachable", "same_server", "databases", "cluster_whole"];

/// What both caches are, and whether they can be compared.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Look {
    /// The cache that was copied from.
    pub source: SideFacts,
    /// The cache that was copied to.
    pub target: SideFacts,
    /// The source's databases that are to be compared. When all are wished for, those whose keys only the
    /// target has are among them.
    pub databases: Vec<u32>,
    /// The checks that concern a comparison.
    pub checks: Vec<Check>,
}

impl Look {
    /// The checks that forbid the comparison.
    pub fn refusals(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.status == Status::Refused)
    }
}

/// Asks both caches what decides whether they can be compared, by reads alone.
///
/// # Errors
/// A cache cannot be reached, refuses the credentials, or is lost while it is asked. Everything else is
/// a check.
pub async fn look(source: &Endpoint, target: &Endpoint, wishes: &Wishes) -> Result<Look, Error> {
    let (mut source, mut target) = tokio::try_join!(Seen::ask(source), Seen::ask(target))?;
    let mut wanted = wanted_databases(&source.facts, wishes);
    source.select_each(wanted.iter().copied()).await?;
    if wishes.databases == DbWish::All {
        wanted.extend(emptied(&mut source, &target, wishes, &wanted).await?);
        wanted.sort_unstable();
    }
    let mut target_dbs: Vec<u32> = wanted.iter().map(|&db| wishes.target_db(db)).collect();
    target_dbs.sort_unstable();
    target_dbs.dedup();
    target.select_each(target_dbs.iter().copied()).await?;
    let identity = identity::compare(&mut source, &mut target).await?;
    let checks = checks::these(
        CHECKS,
        &checks::Picture {
            source: &source,
            target: &target,
            wishes,
            wanted: &wanted,
            identity: &identity,
            clock_difference_ms: None,
        },
    );
    Ok(Look { source: source.facts, target: target.facts, databases: wanted, checks })
}

/// Databases that both sides have under one number, with keys on the target alone: all of these are too much.
async fn emptied(
    source: &mut Seen,
    target: &Seen,
    wishes: &Wishes,
    wanted: &[u32],
) -> Result<Vec<u32>, Error> {
    let held = target.facts.databases.iter().map(|database| database.db);
    let mut found: Vec<u32> =
        held.filter(|db| !wanted.contains(db) && wishes.target_db(*db) == *db).collect();
    let known = source.missing_dbs.len();
    source.select_each(found.iter().copied()).await?;
    // A database that the source cannot have is not one that somebody wished for.
    for (missing, _) in source.missing_dbs.split_off(known) {
        found.retain(|db| *db != missing);
    }
    Ok(found)
}
