//! `redferry sync`.

mod board;
mod comparer;
pub(crate) mod direction;
mod feed;
mod leg;
pub(crate) mod overview;
pub(crate) mod proof;
mod report;
pub(crate) mod session;
mod state;
pub(crate) mod turn;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use engine::{Checkpoint, CopyOptions, Halt, StateLock, SyncEnd};
use serde_json::Value;

use crate::args::{Output, SyncArgs};
use crate::connect;
use crate::endpoint::Bound;
use crate::exit::{Code, Exit};
use crate::{check, collisions, control, copy, interrupt, progress, usage, wishes};
use direction::Direction;
use feed::NoFeed;
use leg::{Manner, Plan, Ready};
use session::{Ended, Session};
use state::State;

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
    let arguments = wishes::arguments(&args.choice, &endpoints);
    let default = || copy::state_file("sync", &["source", "target"], &arguments);
    let path = args.state.clone().unwrap_or_else(default);
    let _lock = StateLock::take(&path).map_err(|error| copy::refuse_state(&error))?;
    let known = State::load(&path, &arguments).map_err(|error| copy::refuse_state(&error))?;
    let mut wishes = wishes::wishes(
        &args.choice,
        &args.preflight(),
        endpoints.source_address.database,
        endpoints.target_address.database,
    )?;
    wishes.follows = true;
    wishes.resuming = known.is_some();
    let findings = check::probe(&endpoints, &wishes).await?;
    if output == Output::Text && !quiet {
        eprintln!("{}", findings.table());
    }
    if let Some(why) = check::refusal(findings.refusals()) {
        return Err(check::refused(&findings, why));
    }
    let naming = names.naming(&wishes, &findings.databases)?;
    if let Some(why) =
        collisions::find(&endpoints.source, &findings.source.layout, &selection, &naming).await?
    {
        return Err(check::refused(&findings, format!("{why}; nothing was written")));
    }
    let mut plan = Plan {
        source: endpoints.source.clone(),
        target: endpoints.target.clone(),
        selection,
        naming,
        options: options(args),
        protection: args.protection,
        feed: args.feed,
        feeds: args.feeds.into(),
        marks: usize::try_from(args.marks.max(FEWEST_MARKS)).unwrap_or(usize::MAX),
    };
    let is_known = known.is_some();
    let state = known.unwrap_or_else(|| State::new(arguments));
    let direction = state.direction;
    let ready = match direction {
        Direction::Forward => {
            let feed = plan.feed(direction, &findings).await.map_err(|none| match none {
                NoFeed::Refused(why) => check::refused(&findings, why),
                NoFeed::Lost(error) => Exit::failed(error.to_string()),
            })?;
            Ready { findings, feed }
        }
        Direction::Back => {
            tracing::warn!(
                "the target {} is in charge since {}: changes are carried from there to the source {}",
                endpoints.target.seed(),
                state.turns.last().map_or("a cut-over", |turned| &turned.at),
                endpoints.source.seed(),
            );
            plan.look(direction).await.map_err(|why| Exit::refused(format!("refused: {why}")))?
        }
    };
    plan.options.run_name = Some(state.run.clone());
    if is_known {
        fence(&plan, &state).await;
    }
    let bound = Bound::to(args.listen).await?;
    // Whoever is killed from here on has begun.
    state.save(&path).map_err(|error| copy::refuse_state(&error))?;

    let stop = interrupt::listen();
    let target_was_empty = ready.findings.target.keys() == 0;
    if direction == Direction::Back && args.until_quiet.is_some() {
        tracing::warn!("--until-quiet is for the way to the target; it does not end the way back");
    }
    let until_quiet = args.until_quiet.filter(|_| direction == Direction::Forward);
    let manner = Manner { held: false, until_quiet, target_was_empty, resumed: is_known };
    let leg = plan.take(direction, &ready, manner, &stop);
    let expected = ready.findings.databases.iter().map(|db| ready.findings.source.keys_in(*db)).sum();
    let named = args.show_keys.most();
    let (session, helm) = Session::new(plan, state, path.clone(), manner, &leg, named, stop);
    let serve = |bound: Bound| bound.serve(&control::beside(&path), Arc::new(helm.clone()));
    let endpoint = bound.map(serve).transpose()?;
    let following = progress::Following::new(helm.clone(), expected);
    let ended = progress::beside(following, quiet, session.run(leg)).await;
    if let Some(endpoint) = endpoint {
        endpoint.end().await;
    }
    let Ended { direction, outcome } = ended.map_err(Exit::failed)?;

    let usage = usage::now();
    let overview = helm.overview();
    let mut document = report::document(&outcome, usage, named > 0);
    if let (Value::Object(document), Value::Object(told)) = (&mut document, overview.document()) {
        for name in ["direction", "feed", "turns", "turn"] {
            document.insert(name.into(), told.get(name).cloned().unwrap_or(Value::Null));
        }
        document.insert("source".into(), endpoints.source.seed().to_string().into());
        document.insert("target".into(), endpoints.target.seed().to_string().into());
        document.insert("findings".into(), serde_json::to_value(&ready.findings).unwrap_or(Value::Null));
        document.insert("state_file".into(), path.display().to_string().into());
    }
    let mut text = report::text(&outcome, usage, named > 0);
    text.push_str(&report::last_line(&outcome, direction));
    Ok(match &outcome.end {
        SyncEnd::Ready => {
            // There is nothing to go on with.
            if let Err(error) = Checkpoint::remove(&path) {
                tracing::warn!("{error}");
            }
            let code = if outcome.status.lacking == 0 { Code::Equal } else { Code::Differences };
            Exit::new(code, document, text)
        }
        SyncEnd::Halted(halt) => Exit::new(Code::Interrupted, document, text).with_error(farewell(
            halt,
            overview.direction(),
            &path,
        )),
    })
}

/// Writes that an earlier process has sent must not come after ours.
async fn fence(plan: &Plan, state: &State) {
    let (_, target) = plan.sides(state.direction);
    match engine::fence(&target, &state.run).await {
        Ok(0) => {}
        Ok(connections) => tracing::info!("{connections} connections of an earlier process are closed"),
        Err(error) => tracing::warn!(
            "connections of an earlier process to {} cannot be closed ({error}); what it sent is carried out within {} s \
             or never, and what that spoils is found by redferry verify",
            target.seed(),
            engine::LATE_WRITES.as_secs()
        ),
    }
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
    if args.told.skip_check.iter().any(|check| check == "target_empty") {
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

fn options(args: &SyncArgs) -> CopyOptions {
    CopyOptions {
        big_key: args.big_key.carried(),
        examples: args.show_keys.most(),
        ..copy::spared(args.protection, args.patience, PathBuf::new())
    }
}

/// What is said of a sync that did not end by itself.
fn farewell(halt: &Halt, direction: Direction, state: &Path) -> String {
    let what = match direction {
        Direction::Forward => "what changes from now on is not carried",
        Direction::Back => "the target is in charge, and what changes there is not carried back any more",
    };
    format!(
        "{halt}\nredferry: {what}; the same command goes on: it compares both sides and follows again (state: {})",
        state.display()
    )
}
