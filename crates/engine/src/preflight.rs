//! What both caches are and can do, asked before a copy acts; and whether it may begin.
//!
//! Commands are tried instead of concluded from versions, because managed services block what the version
//! has. Nothing is changed on either side: the source's connection takes only reads, and the target is asked
//! in ways that cannot write.

mod checks;
mod findings;
mod for_file;
mod identity;
pub(crate) mod info;
mod line;
mod look;
mod payload_version;
mod probe_key;
mod side;
mod source_commands;
mod table;
mod target_commands;
mod wishes;

use client::{Endpoint, Error};

pub use findings::{
    CHECKS, Check, CommandFacts, DatabaseFacts, Findings, Layout, ModuleFacts, NodeFacts, SideFacts, Status,
};
pub use for_file::{ExportFindings, FileFindings, FilesFacts, for_export, for_files};
pub use look::{Look, look};
pub use wishes::{DbWish, Wishes};

use crate::run::Abilities;
use line::Line;
use probe_key::ProbeKey;
use side::Seen;
use target_commands::Tried;

/// Asks both caches everything that decides whether and how the copy can be done.
///
/// # Errors
/// A cache cannot be reached, refuses the credentials, or is lost while it is asked. Everything else is
/// a check in the findings.
pub async fn probe(source: &Endpoint, target: &Endpoint, wishes: &Wishes) -> Result<Findings, Error> {
    let (mut source, mut target) = tokio::try_join!(Seen::ask(source), Seen::ask(target))?;
    let wanted = wanted_databases(&source.facts, wishes);
    source.select_each(wanted.iter().copied()).await?;
    let mut target_dbs: Vec<u32> = wanted.iter().map(|&db| wishes.target_db(db)).collect();
    target_dbs.sort_unstable();
    target_dbs.dedup();
    target.select_each(target_dbs.iter().copied()).await?;

    let abilities = try_commands(&mut source, &mut target, wishes).await?;
    let identity = identity::compare(&mut source, &mut target).await?;
    let clock_difference_ms = match (source.clock, target.clock) {
        (Some(source), Some(target)) => Some((target.offset_us - source.offset_us) as f64 / 1000.0),
        _ => None,
    };
    let checks = checks::all(&checks::Picture {
        source: &source,
        target: &target,
        wishes,
        wanted: &wanted,
        identity: &identity,
        clock_difference_ms,
    });
    Ok(Findings {
        source: source.facts,
        target: target.facts,
        databases: wanted,
        clock_difference_ms,
        checks,
        abilities,
    })
}

/// The databases that the wish means. With several to choose from and no choice made it means all of
/// them here, and the check of databases refuses.
fn wanted_databases(source: &SideFacts, wishes: &Wishes) -> Vec<u32> {
    match &wishes.databases {
        DbWish::List(dbs) => dbs.clone(),
        DbWish::Default | DbWish::All => {
            let dbs: Vec<u32> = source.databases.iter().map(|database| database.db).collect();
            if dbs.is_empty() { vec![0] } else { dbs }
        }
    }
}

async fn try_commands(source: &mut Seen, target: &mut Seen, wishes: &Wishes) -> Result<Abilities, Error> {
    let newer_than_6_2 = target.facts.release() >= Some((6, 2));
    let mut abilities = Abilities { set_pxat: newer_than_6_2, ..Abilities::default() };
    if let Some(line) = source.lines.first_mut() {
        let key = ProbeKey::on(&source.facts.layout, position(&source.facts, line));
        source.facts.commands = source_commands::try_all(line, &key, wishes).await?;
        abilities.memory_usage = source.facts.has("MEMORY USAGE");
        abilities.hash_field_expiry = source.facts.has("HPEXPIRETIME");
    }
    for (index, line) in target.lines.iter_mut().enumerate() {
        let key = ProbeKey::on(&target.facts.layout, position(&target.facts, line));
        let Line::Target(connection) = line else { continue };
        if let Some(kind) = target_commands::try_set(connection, &key).await? {
            target.faults.push((connection.peer().node.clone(), kind));
        }
        if index == 0 {
            let Tried { commands, restore, set_pxat } = target_commands::try_all(connection, &key).await?;
            target.facts.commands = commands;
            abilities.restore = restore;
            abilities.set_pxat = set_pxat.unwrap_or(newer_than_6_2);
            if restore {
                abilities.rdb_version = payload_version::newest(connection, &key).await?;
            }
        }
    }
    Ok(abilities)
}

/// Which of the layout's nodes a connection leads to.
fn position(facts: &SideFacts, line: &Line) -> usize {
    facts.layout.primaries().iter().position(|node| *node == line.peer().node).unwrap_or(0)
}
