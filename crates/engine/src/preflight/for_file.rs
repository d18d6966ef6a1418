//! Whether keys of RDB files can be brought into a cache, and a cache into a file. The file stands in the place of the
//! other side.

use client::address::Service;
use client::{Endpoint, Error, Node, Topology};

use super::checks;
use super::findings::{Check, DatabaseFacts, Layout, SideFacts, Status};
use super::identity::Identity;
use super::line::Line;
use super::probe_key::ProbeKey;
use super::side::Seen;
use super::wishes::{DbWish, Wishes};
use super::{payload_version, position, target_commands};
use crate::run::Abilities;

/// What can forbid an import.
const CHECKS: &[&str] =
    &["reachable", "target_empty", "databases", "cluster_whole", "replica", "commands", "memory"];

/// What can forbid an export.
const EXPORT_CHECKS: &[&str] = &["reachable", "databases", "cluster_whole", "replica", "commands"];

/// What the files hold, as far as they were read.
#[derive(Debug, Clone, Default)]
pub struct FilesFacts {
    /// Their databases; `None` when they were not read through.
    pub databases: Option<Vec<DatabaseFacts>>,
    /// The word of the servers that wrote them for the memory that all of it took.
    pub used_memory: Option<u64>,
}

/// What the target is and can do, and whether the import may begin.
#[derive(Debug, Clone, serde::Serialize)]
pub struct FileFindings {
    /// The cache that is imported into.
    pub target: SideFacts,
    /// The files' databases that are to be imported.
    pub databases: Vec<u32>,
    /// The checks that concern an import.
    pub checks: Vec<Check>,
    /// What the import may use.
    pub abilities: Abilities,
    /// The newest RDB version whose payloads the target takes; `None` when it takes none.
    pub rdb_version: Option<u16>,
}

impl FileFindings {
    /// The checks that forbid the import.
    pub fn refusals(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.status == Status::Refused)
    }
}

/// Asks the target everything that decides whether and how files can be imported. Nothing is changed on it.
///
/// # Errors
/// It cannot be reached, refuses the credentials, or is lost while it is asked.
pub async fn for_files(
    target: &Endpoint,
    files: &FilesFacts,
    wishes: &Wishes,
) -> Result<FileFindings, Error> {
    let source = file_side(files);
    let mut target = Seen::ask(target).await?;
    let wanted = match &wishes.databases {
        DbWish::List(dbs) => dbs.clone(),
        DbWish::Default | DbWish::All => source.facts.databases.iter().map(|database| database.db).collect(),
    };
    let mut target_dbs: Vec<u32> = wanted.iter().map(|&db| wishes.target_db(db)).collect();
    target_dbs.sort_unstable();
    target_dbs.dedup();
    target.select_each(target_dbs.iter().copied()).await?;
    let newer_than_6_2 = target.facts.release() >= Some((6, 2));
    let mut abilities = Abilities { set_pxat: newer_than_6_2, ..Abilities::default() };
    for (index, line) in target.lines.iter_mut().enumerate() {
        let key = ProbeKey::on(&target.facts.layout, position(&target.facts, line));
        let Line::Target(connection) = line else { continue };
        if let Some(kind) = target_commands::try_set(connection, &key).await? {
            target.faults.push((connection.peer().node.clone(), kind));
        }
        if index == 0 {
            let tried = target_commands::try_all(connection, &key).await?;
            target.facts.commands = tried.commands;
            abilities.restore = tried.restore;
            abilities.set_pxat = tried.set_pxat.unwrap_or(newer_than_6_2);
            abilities.rdb_version = payload_version::newest(connection, &key).await?;
        }
    }
    abilities.restore &= abilities.rdb_version.is_some();
    let rdb_version = abilities.rdb_version;
    let wishes = Wishes { from_files: true, databases: all_unless_chosen(wishes), ..wishes.clone() };
    let checks = checks::these(
        CHECKS,
        &checks::Picture {
            source: &source,
            target: &target,
            wishes: &wishes,
            wanted: &wanted,
            identity: &Identity::Different,
            clock_difference_ms: None,
        },
    );
    Ok(FileFindings { target: target.facts, databases: wanted, checks, abilities, rdb_version })
}

/// What the source of an export is and can do, and whether it may begin.
#[derive(Debug, Clone, serde::Serialize)]
pub struct ExportFindings {
    /// The cache that is exported.
    pub source: SideFacts,
    /// Its databases that are exported.
    pub databases: Vec<u32>,
    /// The checks that concern an export.
    pub checks: Vec<Check>,
    /// What the export may use.
    pub abilities: Abilities,
}

impl ExportFindings {
    /// The checks that forbid the export.
    pub fn refusals(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.status == Status::Refused)
    }
}

/// Asks the source everything that decides whether and how it can be exported, by reads alone.
///
/// # Errors
/// It cannot be reached, refuses the credentials, or is lost while it is asked.
pub async fn for_export(source: &Endpoint, wishes: &Wishes) -> Result<ExportFindings, Error> {
    let file = file_side(&FilesFacts::default());
    let mut source = Seen::ask(source).await?;
    let wanted = super::wanted_databases(&source.facts, wishes);
    source.select_each(wanted.iter().copied()).await?;
    let mut abilities = Abilities { restore: true, set_pxat: true, ..Abilities::default() };
    if let Some(line) = source.lines.first_mut() {
        let key = ProbeKey::on(&source.facts.layout, position(&source.facts, line));
        source.facts.commands = super::source_commands::try_all(line, &key, wishes).await?;
        abilities.memory_usage = source.facts.has("MEMORY USAGE");
        abilities.hash_field_expiry = source.facts.has("HPEXPIRETIME");
    }
    let checks = checks::these(
        EXPORT_CHECKS,
        &checks::Picture {
            source: &source,
            target: &file,
            wishes: &Wishes { databases: all_unless_chosen(wishes), ..wishes.clone() },
            wanted: &wanted,
            identity: &Identity::Different,
            clock_difference_ms: None,
        },
    );
    Ok(ExportFindings { source: source.facts, databases: wanted, checks, abilities })
}

/// A file has room for as many databases as there are, so all of them are meant where nobody chose.
fn all_unless_chosen(wishes: &Wishes) -> DbWish {
    match &wishes.databases {
        DbWish::Default => DbWish::All,
        chosen => chosen.clone(),
    }
}

/// The files as a side that was asked.
fn file_side(files: &FilesFacts) -> Seen {
    let nowhere = Node { host: String::new(), port: 0 };
    Seen {
        facts: SideFacts {
            address: String::new(),
            product: String::new(),
            version: None,
            topology: Layout::Single,
            nodes: Vec::new(),
            databases: files.databases.clone().unwrap_or_default(),
            used_memory: files.used_memory,
            data_memory: files.used_memory.filter(|_| files.databases.is_some()),
            maxmemory: None,
            eviction_policy: None,
            modules: None,
            tls: false,
            clock_offset_ms: None,
            round_trip_us: 0,
            commands: Vec::new(),
            layout: Topology::Single(nowhere),
        },
        service: Service::Other,
        lines: Vec::new(),
        infos: Vec::new(),
        unreachable: Vec::new(),
        faults: Vec::new(),
        missing_dbs: Vec::new(),
        clock: None,
    }
}
