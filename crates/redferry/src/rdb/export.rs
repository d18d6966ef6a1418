//! `redferry rdb export`.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use ::rdb::Version;
use client::Topology;
use engine::export::{Export, ExportOutcome};
use engine::preflight::{self, ExportFindings};
use engine::{CopyOptions, Halt, Progress};
use indicatif::HumanBytes;
use migration::tally::Fate;
use serde_json::{Value, json};

use super::place::Place;
use crate::args::ExportArgs;
use crate::connect::{self, OneSide};
use crate::exit::{Code, Exit};
use crate::report::{self, Brought};
use crate::{check, collisions, copy, interrupt, progress, usage, wishes};

/// Runs the command.
pub(crate) async fn run(args: &ExportArgs, quiet: bool) -> Exit {
    match try_run(args, quiet).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn try_run(args: &ExportArgs, quiet: bool) -> Result<Exit, Exit> {
    let place = Place::parse(&args.file)?;
    let source = connect::source(&args.source, &args.way)?;
    let selection = wishes::selection(&args.choice)?;
    let names = wishes::name_rules(&args.choice)?;
    let mut wishes = wishes::of_choice(&args.choice, source.address.database, None)?;
    wishes.preserve_idle = args.values.preserve_idle;
    let findings = preflight::for_export(&source.endpoint, &wishes)
        .await
        .map_err(|error| Exit::failed(error.to_string()))?;
    if let Some(why) = check::refusal(findings.refusals()) {
        return Err(check::refused(&findings, why));
    }
    check::warn(&findings.checks);
    let naming = names.naming(&wishes, &findings.databases)?;
    let collision = collisions::find(&source.endpoint, &findings.source.layout, &selection, &naming).await?;
    if let Some(why) = collision {
        return Err(check::refused(&findings, format!("{why}; nothing was written")));
    }

    let layout = findings.source.layout.clone();
    let places = places(&place, args, &layout)?;
    let mut files = Vec::new();
    for place in &places {
        files.push(place.create(args.written).await?);
    }
    let stop = interrupt::listen();
    let progress = Progress::default();
    let export = Export {
        source: source.endpoint.clone(),
        layout,
        files,
        version: Version(args.rdb_version),
        facts: facts(&findings),
        selection,
        naming,
        abilities: findings.abilities,
        options: options(args),
        expected: findings.databases.iter().map(|db| findings.source.keys_in(*db)).sum(),
    };
    let outcome = progress::beside(progress.clone(), quiet, export.run(&progress, stop)).await;
    let outcome = outcome.map_err(|halt| Exit::failed(halt.to_string()))?;
    Ok(told(args, &places, &source, &findings, &outcome))
}

/// One file, or one for each node.
fn places(place: &Place, args: &ExportArgs, layout: &Topology) -> Result<Vec<Place>, Exit> {
    if !args.per_shard {
        return Ok(vec![place.clone()]);
    }
    (0..layout.primaries().len()).map(|index| place.part(index)).collect()
}

/// What servers write about themselves into a file, of which tools show some.
fn facts(findings: &ExportFindings) -> Vec<(String, String)> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut facts = Vec::new();
    facts.extend(findings.source.version.clone().map(|version| ("redis-ver".to_owned(), version)));
    facts.push(("redis-bits".to_owned(), "64".to_owned()));
    facts.push(("ctime".to_owned(), now.to_string()));
    facts.extend(findings.source.used_memory.map(|bytes| ("used-mem".to_owned(), bytes.to_string())));
    facts.push(("redferry".to_owned(), env!("CARGO_PKG_VERSION").to_owned()));
    facts
}

fn told(
    args: &ExportArgs,
    places: &[Place],
    source: &OneSide,
    findings: &ExportFindings,
    outcome: &ExportOutcome,
) -> Exit {
    let usage = usage::now();
    let show_keys = args.show_keys.most() > 0;
    let brought = Brought {
        total: &outcome.total,
        examples: &outcome.examples,
        elapsed: outcome.elapsed,
        elapsed_here: outcome.elapsed,
        copied_here: outcome.total.copied,
        done: "exported",
    };
    let files: Vec<String> = places.iter().map(Place::name).collect();
    let mut document = report::common(&brought, usage, show_keys);
    if let Value::Object(document) = &mut document {
        let more = json!({
            "source": source.endpoint.seed().to_string(),
            "files": files,
            "rdb_version": args.rdb_version,
            "file_bytes": outcome.bytes,
            "scan_restarts": outcome.restarts,
            "streams_lost_facts": outcome.streams_lost,
            "ttl_error_bound_ms": outcome.ttl_error_ms,
            "findings": serde_json::to_value(findings).unwrap_or(Value::Null),
        });
        if let Value::Object(more) = more {
            document.extend(more);
        }
    }
    let mut text = report::common_text(&brought, show_keys);
    report::line(
        &mut text,
        "written",
        &format!("{} in RDB version {}: {}", HumanBytes(outcome.bytes), args.rdb_version, files.join(", ")),
    );
    if outcome.streams_lost > 0 {
        let lost = format!(
            "{} streams lost counters that RDB version {} has no place for",
            outcome.streams_lost, args.rdb_version
        );
        report::line(&mut text, "note", &lost);
    }
    report::line(&mut text, "TTL", &format!("exact within {} ms", outcome.ttl_error_ms.max(1)));
    report::line(&mut text, "redferry", &report::used(usage));
    let lacking = outcome.total.fated(Fate::Skipped) + outcome.total.fated(Fate::Failed) > 0;
    match &outcome.halt {
        None if lacking => {
            text.push_str("\nDone, but not every key is in the file: see skipped and failed above.\n");
            Exit::new(Code::Differences, document, text)
        }
        None => {
            text.push_str("\nDone: every key that the scan listed is in the file.\n");
            Exit::new(Code::Equal, document, text)
        }
        Some(halt) => {
            let code = if matches!(halt, Halt::Unwritable(_)) { Code::Failed } else { Code::Interrupted };
            let error = format!(
                "{halt}\nredferry: nothing was written; run the same command again, which begins anew"
            );
            Exit::new(code, document, text).with_error(error)
        }
    }
}

fn options(args: &ExportArgs) -> CopyOptions {
    CopyOptions {
        big_key: args.values.big_key.carried(),
        memory: args.values.memory,
        preserve_idle: args.values.preserve_idle,
        examples: args.show_keys.most(),
        ..copy::spared(args.protection, args.patience, Path::new("").to_owned())
    }
}
