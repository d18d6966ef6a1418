//! `redferry sync`.

mod board;
mod feed;
mod report;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use engine::preflight::Findings;
use engine::{CopyOptions, Halt, StateLock, Stop, Sync, SyncEnd, Watch};
use serde_json::Value;

use crate::args::{Output, SyncArgs};
use crate::connect;
use crate::endpoint::Endpoint;
use crate::exit::{Code, Exit};
use crate::{check, collisions, control, copy, interrupt, progress, usage, wishes};

/// Less than this has no room for the names of one page.
const FEWEST_MARKS: u64 = 1024 * 1024;

/// Runs the command.
pub(crate) async fn run(args: &SyncArgs, output: Output, quiet: bool) -> Exit {
    match try_run(args, output, quiet).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn try_run(args: &SyncArgs, output: Output, quiet: bool) -> Result<Exit, Exit> {
    refuse_options(args)?;
    let endpoints = connect::endpoints(&args.sides)?;
    let selection = wishes::selection(&args.choice)?;
    let names = wishes::name_rules(&args.choice)?;
    let state = args.state.clone().unwrap_or_else(|| {
        copy::state_file("sync", &["source", "target"], &wishes::arguments(&args.choice, &endpoints))
    });
    let _lock = StateLock::take(&state).map_err(|error| copy::refuse_state(&error))?;
    let mut wishes = wishes::wishes(
        &args.choice,
        &args.preflight(),
        endpoints.source_address.database,
        endpoints.target_address.database,
    )?;
    wishes.follows = true;
    let findings = check::probe(&endpoints, &wishes).await?;
    if output == Output::Text && !quiet {
        eprintln!("{}", findings.table());
    }
    if let Some(why) = check::refusal(findings.refusals()) {
        return Err(refused(&findings, why));
    }
    let naming = names.naming(&wishes, &findings.databases)?;
    if let Some(why) =
        collisions::find(&endpoints.source, &findings.source.layout, &selection, &naming).await?
    {
        return Err(refused(&findings, format!("{why}; nothing was written")));
    }
    let feed = match feed::choose(&endpoints.source, &findings.source.layout, args.feed).await {
        Ok(kind) => kind,
        Err(feed::NoFeed::Refused(why)) => return Err(refused(&findings, why)),
        Err(feed::NoFeed::Lost(error)) => return Err(Exit::failed(error.to_string())),
    };

    let stop = Arc::new(Stop::default());
    interrupt::listen(Arc::clone(&stop));
    let watch = Watch::default();
    let board = board::SyncBoard {
        watch: watch.clone(),
        feed,
        source: endpoints.source.seed().to_string(),
        target: endpoints.target.seed().to_string(),
    };
    let endpoint = Endpoint::start(args.listen, &control::beside(&state), Arc::new(board)).await?;
    let expected = findings.databases.iter().map(|db| findings.source.keys_in(*db)).sum();
    let shown = tokio::spawn(progress::show(progress::Following::new(watch.clone(), expected), quiet));
    let sync = Sync {
        source: endpoints.source.clone(),
        target: endpoints.target.clone(),
        selection,
        naming,
        abilities: findings.abilities,
        options: options(args),
        feed,
        marks: usize::try_from(args.marks.max(FEWEST_MARKS)).unwrap_or(usize::MAX),
        until_quiet: args.until_quiet,
    };
    let outcome = sync.run(&watch, stop).await;
    shown.abort();
    let _ = shown.await;
    if let Some(endpoint) = endpoint {
        endpoint.end().await;
    }
    let outcome = outcome.map_err(|halt| Exit::failed(halt.to_string()))?;

    let usage = usage::now();
    let mut document = report::document(&outcome, feed, usage);
    if let Value::Object(document) = &mut document {
        document.insert("source".into(), endpoints.source.seed().to_string().into());
        document.insert("target".into(), endpoints.target.seed().to_string().into());
        document.insert("findings".into(), serde_json::to_value(&findings).unwrap_or(Value::Null));
    }
    let mut text = report::text(&outcome, usage);
    text.push_str(&report::last_line(&outcome));
    Ok(match &outcome.end {
        SyncEnd::Ready if outcome.status.refused.is_empty() => Exit::new(Code::Equal, document, text),
        SyncEnd::Ready => Exit::new(Code::Differences, document, text),
        SyncEnd::Halted(halt) => {
            Exit::new(Code::Interrupted, document, text).with_error(farewell(halt, args))
        }
    })
}

/// Options that make no sense together with following.
fn refuse_options(args: &SyncArgs) -> Result<(), Exit> {
    if let Some(option) = args.filter_that_changes() {
        return Err(Exit::usage(format!(
            "{option} does not go with sync: types and expiries change while keys are followed, and a key that no \
             longer fits could neither stay on the target nor go; choose by name (--match, --exclude, --regex, \
             --slots) or by database, or use copy"
        )));
    }
    if args.skip_check.iter().any(|check| check == "target_empty") {
        return Err(Exit::usage(
            "--skip-check target_empty does not go with sync, which deletes keys that only the target has; say that \
             this is meant with --adopt-target",
        ));
    }
    if args.until_quiet == Some(Duration::ZERO) {
        return Err(Exit::usage("--until-quiet 0 would not wait for anybody; write a time such as 5s"));
    }
    Ok(())
}

fn refused(findings: &Findings, why: String) -> Exit {
    Exit::new(Code::Refused, check::document(findings), String::new()).with_error(why)
}

fn options(args: &SyncArgs) -> CopyOptions {
    CopyOptions {
        big_key: args.big_key.max(copy::SMALLEST_BIG_KEY),
        ..copy::spared(args.protection, args.patience, PathBuf::new())
    }
}

/// What is said of a sync that did not end by itself.
fn farewell(halt: &Halt, args: &SyncArgs) -> String {
    let again = if args.adopt_target { "the same command" } else { "the same command with --adopt-target" };
    format!(
        "{halt}\nredferry: what changes from now on is not carried; {again} compares all keys anew and follows again"
    )
}
