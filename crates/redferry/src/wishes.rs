//! From what was typed to what is wanted: databases, names, filters.

use client::Endpoint;
use engine::Arguments;
use engine::preflight::{CHECKS, DbWish, Wishes};
use migration::naming::{self, DbRule, Naming, Rename};
use migration::selection::{Selection, SelectionOptions};

use crate::args::{Choice, Preflight};
use crate::connect::Endpoints;
use crate::exit::Exit;

/// The wishes of the options that `check` and `copy` share.
pub(crate) fn wishes(
    choice: &Choice,
    preflight: &Preflight,
    source_db: Option<u32>,
    target_db: Option<u32>,
) -> Result<Wishes, Exit> {
    if let Some(name) = preflight.told.skip_check.iter().find(|name| !CHECKS.contains(&name.as_str())) {
        return Err(Exit::usage(format!(
            "--skip-check: there is no check {name:?}; there are {}",
            CHECKS.join(", ")
        )));
    }
    Ok(Wishes {
        on_conflict: preflight.on_conflict,
        target_memory: preflight.told.target_memory,
        skip_checks: preflight.told.skip_check.clone(),
        ..of_choice(choice, source_db, target_db)?
    })
}

/// Which databases go where, and whether only some of their keys do.
pub(crate) fn of_choice(
    choice: &Choice,
    source_db: Option<u32>,
    target_db: Option<u32>,
) -> Result<Wishes, Exit> {
    let databases = match (&choice.dbs, choice.all_dbs, source_db) {
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
    let others_to = if choice.prefix_by_db.is_some() { Some(0) } else { target_db };
    Ok(Wishes {
        databases,
        db_map,
        others_to,
        filters: selection_options(choice) != SelectionOptions::default(),
        ..Wishes::default()
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

/// The rules for names as they were typed, readable and no more: what they come to depends on the databases.
#[derive(Debug)]
pub(crate) struct NameRules {
    by_db: Option<String>,
    prefixes: Vec<(u32, Vec<u8>)>,
    renames: Vec<Rename>,
}

/// Reads the rules for names.
pub(crate) fn name_rules(choice: &Choice) -> Result<NameRules, Exit> {
    if let Some(pattern) = &choice.prefix_by_db {
        naming::prefix_by_db(pattern, 0).map_err(|e| wrong("--prefix-by-db", &e))?;
    }
    let prefixes = choice.db_prefix.iter().map(|text| naming::parse_db_prefix(text));
    let renames = choice.rename.iter().map(|text| naming::parse_rename(text));
    let rules = NameRules {
        by_db: choice.prefix_by_db.clone(),
        prefixes: prefixes.collect::<Result<_, _>>().map_err(|e| wrong("--db-prefix", &e))?,
        renames: renames.collect::<Result<_, _>>().map_err(|e| wrong("--rename", &e))?,
    };
    // Renames that contradict each other do so in any database.
    Naming::new(vec![DbRule { source: 0, target: 0, prefix: Vec::new() }], rules.renames.clone())
        .map_err(|e| wrong("--rename", &e))?;
    Ok(rules)
}

impl NameRules {
    /// Where each database's keys go, once it is known which databases are copied.
    pub(crate) fn naming(self, wishes: &Wishes, databases: &[u32]) -> Result<Naming, Exit> {
        let mut prefixes = std::collections::BTreeMap::new();
        if let Some(pattern) = &self.by_db {
            for db in databases.iter().filter(|db| **db != 0) {
                let prefix = naming::prefix_by_db(pattern, *db).map_err(|e| wrong("--prefix-by-db", &e))?;
                prefixes.insert(*db, prefix);
            }
        }
        prefixes.extend(self.prefixes);
        let rules = databases.iter().map(|db| DbRule {
            source: *db,
            target: wishes.target_db(*db),
            prefix: prefixes.remove(db).unwrap_or_default(),
        });
        Naming::new(rules.collect(), self.renames).map_err(|error| Exit::usage(error.to_string()))
    }
}

/// What decides which keys are meant and where they go; a state file is only good for the same.
pub(crate) fn arguments(choice: &Choice, endpoints: &Endpoints) -> Arguments {
    let mut arguments = Arguments::new();
    let mut keep = |name: &str, value: String| {
        if !value.is_empty() {
            arguments.insert(name.to_owned(), value);
        }
    };
    keep("source", place(&endpoints.source, endpoints.source_address.database));
    keep("target", place(&endpoints.target, endpoints.target_address.database));
    for (option, value) in as_typed(choice) {
        keep(option, value);
    }
    arguments
}

/// The options of the choice that were given, with their values; `yes` for those that have none.
pub(crate) fn as_typed(choice: &Choice) -> Vec<(&'static str, String)> {
    let yes = |given: bool| if given { "yes".to_owned() } else { String::new() };
    let mut typed = vec![
        ("--db", choice.dbs.clone().unwrap_or_default()),
        ("--all-dbs", yes(choice.all_dbs)),
        ("--db-map", choice.db_map.join(" ")),
        ("--db-prefix", choice.db_prefix.join(" ")),
        ("--prefix-by-db", choice.prefix_by_db.clone().unwrap_or_default()),
        ("--match", choice.matches.join(" ")),
        ("--exclude", choice.exclude.join(" ")),
        ("--regex", choice.regex.join(" ")),
        ("--type", choice.types.join(",")),
        ("--min-ttl", choice.min_ttl.map(|time| format!("{} ms", time.as_millis())).unwrap_or_default()),
        ("--no-ttl-only", yes(choice.no_ttl_only)),
        ("--slots", choice.slots.join(",")),
        ("--rename", choice.rename.join(" ")),
    ];
    typed.retain(|(_, value)| !value.is_empty());
    typed
}

/// A cache as a state file names it.
pub(crate) fn place(endpoint: &Endpoint, db: Option<u32>) -> String {
    match db {
        Some(db) => format!("{}/{db}", endpoint.seed()),
        None => endpoint.seed().to_string(),
    }
}

fn wrong(option: &str, error: &dyn std::fmt::Display) -> Exit {
    Exit::usage(format!("{option}: {error}"))
}
