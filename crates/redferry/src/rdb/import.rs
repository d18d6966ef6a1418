//! `redferry rdb import`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ::rdb::Version;
use ::rdb::file::Checksum;
use engine::import::{FileLook, Import, ImportOutcome, ImportProgress, ImportState, look};
use engine::preflight::{self, DatabaseFacts, DbWish, FileFindings, FilesFacts, Wishes};
use engine::{Arguments, CopyOptions, FeedError, Halt, StateLock};
use indicatif::HumanCount;
use migration::conflict::OnConflict;
use migration::naming::Naming;
use migration::tally::Fate;
use serde_json::{Value, json};

use super::place::Place;
use crate::args::ImportArgs;
use crate::connect::{self, OneSide};
use crate::exit::{Code, Exit};
use crate::report::{self, Brought};
use crate::{check, copy, interrupt, progress, usage, wishes};

/// Databases that files may hold which are not read through first. Azure's caches have 64 at most.
const DATABASES: std::ops::Range<u32> = 0..1024;

/// Runs the command.
pub(crate) async fn run(args: &ImportArgs, quiet: bool) -> Exit {
    match try_run(args, quiet).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn try_run(args: &ImportArgs, quiet: bool) -> Result<Exit, Exit> {
    let places = args.files.iter().map(|file| Place::parse(file)).collect::<Result<Vec<_>, _>>()?;
    let target = connect::target(&args.target, &args.way)?;
    let selection = wishes::selection(&args.choice)?;
    let names = wishes::name_rules(&args.choice)?;
    let arguments = arguments(args, &places, &target);
    let state =
        args.state.clone().unwrap_or_else(|| copy::state_file("import", &["files", "target"], &arguments));
    let _lock = StateLock::take(&state).map_err(|error| copy::refuse_state(&error))?;
    let resuming =
        ImportState::load(&state, &arguments).map_err(|error| copy::refuse_state(&error))?.is_some();
    let looks = if args.single_pass || resuming { None } else { Some(looked_at(&places).await?) };

    let mut wishes = wishes::wishes(&args.choice, &args.preflight, None, target.address.database)?;
    wishes.resuming = resuming;
    if looks.is_none() && !matches!(wishes.databases, DbWish::List(_)) {
        // Which databases there are is not known; what the target lacks shows when it is reached.
        wishes.databases = DbWish::List(vec![0]);
    }
    let facts = facts(looks.as_deref());
    let findings = preflight::for_files(&target.endpoint, &facts, &wishes)
        .await
        .map_err(|error| Exit::failed(error.to_string()))?;
    if let Some(why) = check::refusal(findings.refusals()) {
        return Err(check::refused(&findings, why));
    }
    check::warn(&findings.checks);
    let databases = databases(args, &findings, looks.is_some(), &wishes);
    let naming = names.naming(&wishes, &databases)?;
    if looks.is_some()
        && args.preflight.on_conflict == OnConflict::Refuse
        && let Some(why) = collision(&naming, &databases)
    {
        return Err(check::refused(&findings, why));
    }

    let stop = interrupt::listen();
    let progress = ImportProgress::default();
    let import = Import {
        files: places.clone(),
        target: target.endpoint.clone(),
        selection,
        naming,
        abilities: findings.abilities,
        version: findings.rdb_version.map(Version),
        functions: args.functions,
        options: options(args, state.clone()),
        arguments,
        expected: looks.iter().flatten().map(FileLook::keys).sum(),
    };
    let outcome = progress::beside(progress.clone(), quiet, import.run(&progress, stop)).await;
    let outcome = outcome.map_err(|halt| Exit::failed(halt.to_string()))?;
    Ok(told(args, &places, &target, &findings, &outcome, &state))
}

/// As `read_through`, unless somebody asks to stop.
async fn looked_at(places: &[Place]) -> Result<Vec<FileLook>, Exit> {
    tokio::select! {
        looks = read_through(places) => looks,
        () = interrupt::asked() => {
            Err(Exit::interrupted("stopped on request; nothing was written, and the same command begins anew"))
        }
    }
}

/// Every file to its end, so that a damaged one is known before anything is written.
async fn read_through(places: &[Place]) -> Result<Vec<FileLook>, Exit> {
    let mut looks = Vec::new();
    for place in places {
        let nothing = |error: FeedError| Exit::failed(format!("{error}\nredferry: nothing was written"));
        let chunks = place.open().await.map_err(nothing)?;
        let found = look(place.name(), chunks).await.map_err(nothing)?;
        tracing::info!(
            "{}: RDB version {}, {} keys",
            place.name(),
            found.version.0,
            HumanCount(found.keys())
        );
        looks.push(found);
    }
    Ok(looks)
}

fn facts(looks: Option<&[FileLook]>) -> FilesFacts {
    let Some(looks) = looks else { return FilesFacts::default() };
    let mut databases: BTreeMap<u32, DatabaseFacts> = BTreeMap::new();
    for found in looks.iter().flat_map(|look| &look.databases) {
        let sum = databases.entry(found.db).or_insert(DatabaseFacts { db: found.db, keys: 0, expires: 0 });
        sum.keys += found.keys;
        sum.expires += found.expires;
    }
    let used: Option<Vec<u64>> = looks.iter().map(|look| look.used_memory).collect();
    FilesFacts {
        databases: Some(databases.into_values().collect()),
        used_memory: used.map(|all| all.iter().sum()),
    }
}

/// The databases that are imported.
fn databases(args: &ImportArgs, findings: &FileFindings, known: bool, wishes: &Wishes) -> Vec<u32> {
    match &wishes.databases {
        DbWish::List(dbs) if known || args.choice.dbs.is_some() => dbs.clone(),
        _ if !known => DATABASES.collect(),
        _ if findings.databases.is_empty() => vec![0],
        _ => findings.databases.clone(),
    }
}

/// Two databases in which any key gets the same name. Rules by which only some names can meet are no refusal: of two
/// such keys the second is not written, and counted.
fn collision(naming: &Naming, databases: &[u32]) -> Option<String> {
    let pairs = databases
        .iter()
        .enumerate()
        .flat_map(|(index, one)| databases[index + 1..].iter().map(move |other| (*one, *other)));
    let place = |db: u32| {
        let mut scratch = Vec::new();
        (naming.target_db(db), naming.target_name(db, b"any", &mut scratch).to_vec())
    };
    let (one, other) = pairs.into_iter().find(|(one, other)| place(*one) == place(*other))?;
    Some(format!(
        "refused: keys of the databases {one} and {other} may get the same names; give the databases different \
         prefixes (--db-prefix, --prefix-by-db), or say which of two keys stays: --on-conflict skip keeps the first, \
         --on-conflict replace the last"
    ))
}

fn told(
    args: &ImportArgs,
    places: &[Place],
    target: &OneSide,
    findings: &FileFindings,
    outcome: &ImportOutcome,
    state: &std::path::Path,
) -> Exit {
    let usage = usage::now();
    let show_keys = args.show_keys.most() > 0;
    let brought = Brought {
        total: &outcome.total,
        examples: &outcome.examples,
        elapsed: outcome.elapsed,
        elapsed_here: outcome.elapsed_here,
        copied_here: outcome.copied_here,
        done: "imported",
    };
    let seen = &outcome.seen;
    let notes = notes(args, outcome);
    let mut document = report::common(&brought, usage, show_keys);
    if let Value::Object(document) = &mut document {
        let more = json!({
            "files": places.iter().map(Place::name).collect::<Vec<_>>(),
            "target": target.endpoint.seed().to_string(),
            "resumed": outcome.resumed,
            "functions": seen.functions,
            "functions_loaded": seen.functions_loaded,
            "module_aux": seen.module_aux,
            "stream_facts_lost": seen.stream_facts_lost,
            "consumer_activity_lost": seen.consumer_activity_lost,
            "notes": notes,
            "findings": serde_json::to_value(findings).unwrap_or(Value::Null),
            "state_file": outcome.halt.is_some().then(|| state.display().to_string()),
        });
        if let Value::Object(more) = more {
            document.extend(more);
        }
    }
    let mut text = report::common_text(&brought, show_keys);
    if outcome.resumed {
        report::line(&mut text, "resumed", "yes, counts and time include the earlier runs");
    }
    for note in &notes {
        report::line(&mut text, "note", note);
    }
    report::line(&mut text, "redferry", &report::used(usage));
    let lacking = outcome.total.fated(Fate::Skipped) + outcome.total.fated(Fate::Failed) > 0;
    let functions_lack = args.functions && seen.functions_loaded < seen.functions;
    match &outcome.halt {
        None if lacking || functions_lack => {
            text.push_str("\nDone, but not everything is on the target: see above.\n");
            Exit::new(Code::Differences, document, text)
        }
        None => {
            text.push_str("\nDone: every key of the files is on the target.\n");
            Exit::new(Code::Equal, document, text)
        }
        Some(halt) => {
            let code = match halt {
                Halt::OtherFile(_) => Code::Refused,
                Halt::Checkpoint(_) => Code::Failed,
                Halt::File(error) if error.is_lasting() => Code::Failed,
                _ => Code::Interrupted,
            };
            let error = format!(
                "{halt}\nredferry: what was imported before stays; run the same command again to go on (state: {})",
                state.display()
            );
            Exit::new(code, document, text).with_error(error)
        }
    }
}

/// What is worth knowing and is no key.
fn notes(args: &ImportArgs, outcome: &ImportOutcome) -> Vec<String> {
    let seen = &outcome.seen;
    let mut notes = Vec::new();
    let mut note = |count: u64, words: String| {
        if count > 0 {
            notes.push(words);
        }
    };
    let functions = seen.functions - seen.functions_loaded;
    note(
        functions,
        match args.functions {
            true => format!("{functions} libraries of functions were not loaded: the messages above say why"),
            false => format!("{functions} libraries of functions are in the files; --functions loads them"),
        },
    );
    note(
        seen.module_aux,
        format!("{} facts that modules keep besides keys were passed over", HumanCount(seen.module_aux)),
    );
    note(
        seen.stream_facts_lost,
        format!(
            "{} streams lost counters (entries-added, entries-read, max-deleted-entry-id) that the target's version \
             does not keep",
            HumanCount(seen.stream_facts_lost)
        ),
    );
    note(
        seen.consumer_activity_lost,
        format!(
            "of {} streams the time when consumers were last active, which the target's version does not keep",
            HumanCount(seen.consumer_activity_lost)
        ),
    );
    let unchecked = seen.checksums.iter().filter(|checksum| **checksum == Checksum::Absent).count() as u64;
    note(unchecked, format!("{unchecked} of the files have no checksum: that they are whole is not proved"));
    notes
}

fn options(args: &ImportArgs, state: PathBuf) -> CopyOptions {
    CopyOptions {
        on_conflict: args.preflight.on_conflict,
        big_key: args.values.big_key.carried(),
        memory: args.values.memory,
        preserve_idle: args.values.preserve_idle,
        examples: args.show_keys.most(),
        max_keys_per_sec: args.max_keys_per_sec,
        max_bytes_per_sec: args.max_bytes_per_sec,
        give_up_after: args.patience.give_up_after,
        silence: args.patience.silence,
        ..CopyOptions::new(state)
    }
}

/// What decides which keys go where; a state file is only good for the same.
fn arguments(args: &ImportArgs, places: &[Place], target: &OneSide) -> Arguments {
    let mut arguments: Arguments = wishes::as_typed(&args.choice)
        .into_iter()
        .map(|(option, value)| (option.to_owned(), value))
        .collect();
    let files: Vec<String> = places.iter().map(Place::name).collect();
    arguments.insert("files".into(), files.join(" "));
    arguments.insert("target".into(), wishes::place(&target.endpoint, target.address.database));
    arguments.insert("--on-conflict".into(), args.preflight.on_conflict.to_string());
    arguments
}
