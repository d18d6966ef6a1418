//! From what was typed to what is wanted: databases, names, filters.

use client::address::Address;
use engine::preflight::{DbWish, Wishes};
use migration::naming::{self, DbRule, Naming};
use migration::selection::{Selection, SelectionOptions};

use crate::args::{Choice, Preflight};
use crate::exit::Exit;

/// The wishes of the options that `check` and `copy` share.
pub(crate) fn wishes(
    choice: &Choice,
    preflight: &Preflight,
    source: &Address,
    target: &Address,
) -> Result<Wishes, Exit> {
    let databases = match (&choice.dbs, choice.all_dbs, source.database) {
        (Some(list), ..) => DbWish::List(naming::parse_db_list(list).map_err(|e| wrong("--db", &e))?),
        (None, true, _) => DbWish::All,
        (None, false, Some(db)) => DbWish::List(vec![db]),
        (None, false, None) => DbWish::Default,
    };
    let mut db_map = std::collections::BTreeMap::new();
    for text in &choice.db_map {
        let (from, to) = naming::parse_db_map(text).map_err(|e| wrong("--db-map", &e))?;
        db_map.insert(from, to);
    }
    let others_to = if choice.prefix_by_db.is_some() { Some(0) } else { target.database };
    Ok(Wishes {
        databases,
        db_map,
        others_to,
        on_conflict: preflight.on_conflict,
        resuming: false,
        flush_target: false,
        filters: selection_options(choice) != SelectionOptions::default(),
        preserve_idle: false,
        target_memory: preflight.target_memory,
        skip_checks: preflight.skip_check.clone(),
    })
}

/// The filters.
pub(crate) fn selection(choice: &Choice) -> Result<Selection, Exit> {
    Selection::new(&selection_options(choice)).map_err(|error| Exit::usage(error.to_string()))
}

fn selection_options(choice: &Choice) -> SelectionOptions {
    SelectionOptions {
        matches: choice.matches.clone(),
        excludes: choice.exclude.clone(),
        regexes: choice.regex.clone(),
        types: choice.types.clone(),
        min_ttl_ms: choice.min_ttl.map(|time| time.as_millis() as u64),
        no_ttl_only: choice.no_ttl_only,
        slots: choice.slots.clone(),
    }
}

/// Where each database's keys go, once it is known which databases are copied.
pub(crate) fn naming(choice: &Choice, wishes: &Wishes, databases: &[u32]) -> Result<Naming, Exit> {
    let mut prefixes = std::collections::BTreeMap::new();
    if let Some(pattern) = &choice.prefix_by_db {
        for db in databases.iter().filter(|db| **db != 0) {
            let prefix = naming::prefix_by_db(pattern, *db).map_err(|e| wrong("--prefix-by-db", &e))?;
            prefixes.insert(*db, prefix);
        }
    }
    for text in &choice.db_prefix {
        let (db, prefix) = naming::parse_db_prefix(text).map_err(|e| wrong("--db-prefix", &e))?;
        prefixes.insert(db, prefix);
    }
    let mut renames = Vec::new();
    for text in &choice.rename {
        renames.push(naming::parse_rename(text).map_err(|e| wrong("--rename", &e))?);
    }
    let rules = databases.iter().map(|db| DbRule {
        source: *db,
        target: wishes.target_db(*db),
        prefix: prefixes.remove(db).unwrap_or_default(),
    });
    Naming::new(rules.collect(), renames).map_err(|error| Exit::usage(error.to_string()))
}

fn wrong(option: &str, error: &dyn std::fmt::Display) -> Exit {
    Exit::usage(format!("{option}: {error}"))
}
