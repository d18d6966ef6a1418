//! `redferry copy`.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use engine::preflight::Findings;
use engine::{Arguments, Checkpoint, CheckpointError, Copy, CopyOptions, Halt, Progress, StateLock, flush};
use migration::tally::Fate;
use serde_json::Value;

use crate::args::{CopyArgs, Output, Patience, Protection};
use crate::connect::{self, Endpoints};
use crate::exit::{Code, Exit};
use crate::{check, collisions, interrupt, progress, report, usage, wishes};

/// Runs the command.
pub(crate) async fn run(args: &CopyArgs, output: Output, quiet: bool) -> Exit {
    match try_run(args, output, quiet).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn try_run(args: &CopyArgs, output: Output, quiet: bool) -> Result<Exit, Exit> {
    let endpoints = connect::endpoints(&args.sides)?;
    let selection = wishes::selection(&args.choice)?;
    let names = wishes::name_rules(&args.choice)?;
    let arguments = arguments(args, &endpoints);
    let state = args.state.clone().unwrap_or_else(|| default_state(&arguments));
    let _lock = StateLock::take(&state).map_err(|error| refuse_state(&error))?;
    let resuming = Checkpoint::load(&state, &arguments).map_err(|error| refuse_state(&error))?.is_some();
    let mut wishes = wishes::wishes(
        &args.choice,
        &args.preflight,
        endpoints.source_address.database,
        endpoints.target_address.database,
    )?;
    wishes.resuming = resuming;
    wishes.flush_target = args.flush_target && !resuming;
    wishes.preserve_idle = args.values.preserve_idle;
    let findings = check::probe(&endpoints, &wishes).await?;
    if output == Output::Text && !quiet {
        eprintln!("{}", findings.table());
    }
    if let Some(why) = check::refusal(findings.refusals()) {
        return Err(check::refused(&findings, why));
    }
    let naming = names.naming(&wishes, &findings.databases)?;
    let collision = collisions::find(&endpoints.source, &findings.source.layout, &selection, &naming).await?;
    if let Some(why) = collision {
        return Err(check::refused(&findings, format!("{why}; nothing was written")));
    }
    if wishes.flush_target {
        flush_target(args, &endpoints, &findings).await?;
    }

    let stop = interrupt::listen();
    let progress = Progress::default();
    let copy = Copy {
        source: endpoints.source.clone(),
        target: endpoints.target.clone(),
        selection,
        naming,
        abilities: findings.abilities,
        options: options(args, state.clone()),
        arguments,
    };
    let outcome = progress::beside(progress.clone(), quiet, copy.run(&progress, stop)).await;
    let outcome = outcome.map_err(|halt| Exit::failed(halt.to_string()))?;

    let usage = usage::now();
    let show_keys = args.show_keys.most() > 0;
    let mut document = report::document(&outcome, usage, show_keys);
    if let Value::Object(document) = &mut document {
        document.insert("source".into(), endpoints.source.seed().to_string().into());
        document.insert("target".into(), endpoints.target.seed().to_string().into());
        document.insert("findings".into(), serde_json::to_value(&findings).unwrap_or(Value::Null));
        let kept = outcome.halt.is_some().then(|| state.display().to_string());
        document.insert("state_file".into(), kept.map_or(Value::Null, Value::from));
    }
    let mut text = report::text(&outcome, usage, show_keys);
    let lacking = outcome.total.fated(Fate::Skipped) + outcome.total.fated(Fate::Failed) > 0;
    Ok(match &outcome.halt {
        None if lacking => {
            text.push_str("\nDone, but not every key is on the target: see skipped and failed above.\n");
            Exit::new(Code::Differences, document, text)
        }
        None => {
            text.push_str("\nDone: every key that the scan listed is on the target.\n");
            Exit::new(Code::Equal, document, text)
        }
        Some(halt) => {
            let code = match halt {
                Halt::Checkpoint(_) => Code::Failed,
                _ => Code::Interrupted,
            };
            let error =
                format!("{halt}\nredferry: run the same command again to go on (state: {})", state.display());
            Exit::new(code, document, text).with_error(error)
        }
    })
}

/// A state file of another run, or in use, is refused; one that cannot be read or written is a failure.
pub(crate) fn refuse_state(error: &CheckpointError) -> Exit {
    match error {
        CheckpointError::OtherRun { .. } | CheckpointError::InUse(_) => Exit::refused(error.to_string()),
        _ => Exit::failed(error.to_string()),
    }
}

async fn flush_target(args: &CopyArgs, endpoints: &Endpoints, findings: &Findings) -> Result<(), Exit> {
    let typed = match &args.confirm_flush {
        Some(host) => host.clone(),
        None if std::io::stdin().is_terminal() => {
            eprint!(
                "All {} keys of the target {} will be deleted. Type its host name to go on: ",
                findings.target.keys(),
                endpoints.target.seed(),
            );
            let _ = std::io::stderr().flush();
            let mut line = String::new();
            std::io::stdin().read_line(&mut line).map_err(|e| Exit::failed(format!("the terminal: {e}")))?;
            line.trim().to_owned()
        }
        None => {
            return Err(Exit::usage(format!(
                "--flush-target deletes all keys of the target; confirm it with --confirm-flush {}",
                endpoints.target.seed().host
            )));
        }
    };
    let flushed = flush::target(&endpoints.target, &findings.target.layout, &typed, findings).await.map_err(
        |error| match error {
            flush::FlushError::Client(_) | flush::FlushError::NotEmpty { .. } => {
                Exit::failed(error.to_string())
            }
            _ => Exit::refused(error.to_string()),
        },
    )?;
    tracing::info!("the target was emptied of {} keys", flushed.keys());
    Ok(())
}

fn options(args: &CopyArgs, state: PathBuf) -> CopyOptions {
    CopyOptions {
        on_conflict: args.preflight.on_conflict,
        big_key: args.values.big_key.carried(),
        memory: args.values.memory,
        preserve_idle: args.values.preserve_idle,
        examples: args.show_keys.most(),
        ..spared(args.protection, args.patience, state)
    }
}

/// The options that whatever copies has in common.
pub(crate) fn spared(protection: Protection, patience: Patience, state: PathBuf) -> CopyOptions {
    CopyOptions {
        scan_count: protection.scan_count,
        max_keys_per_sec: protection.max_keys_per_sec,
        max_bytes_per_sec: protection.max_bytes_per_sec,
        max_latency: protection.max_latency(),
        give_up_after: patience.give_up_after,
        silence: patience.silence,
        ..CopyOptions::new(state)
    }
}

/// What decides which keys are copied where; a checkpoint is only good for the same.
fn arguments(args: &CopyArgs, endpoints: &Endpoints) -> Arguments {
    let mut arguments = wishes::arguments(&args.choice, endpoints);
    arguments.insert("--on-conflict".into(), args.preflight.on_conflict.to_string());
    arguments
}

/// One file per pair of caches and choice of keys, in the working folder.
fn default_state(arguments: &Arguments) -> PathBuf {
    state_file("copy", &["source", "target"], arguments)
}

/// The name of a command's state file, told from others by what these arguments say.
pub(crate) fn state_file(command: &str, names: &[&str], arguments: &Arguments) -> PathBuf {
    let all: Vec<String> =
        names.iter().map(|name| arguments.get(*name).cloned().unwrap_or_default()).collect();
    let hash = all.join("\n").bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    Path::new(&format!("redferry-{command}-{:08x}.state.json", hash as u32)).to_owned()
}
