//! `redferry verify`.

mod account;
pub(crate) mod brake;
mod confidence;
mod document;
mod page;
mod repairer;
pub(crate) mod scope;
mod text;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ::verify::{Halt, Options, Outcome, Progress, StateError, Totals, Verify};
use engine::preflight::{self, DbWish, Look, Wishes};
use engine::{Repair, StateLock, Stop};
use migration::conflict::OnConflict;

use crate::args::{Level, VerifyArgs};
use crate::connect::{self, Endpoints};
use crate::exit::{Code, Exit};
use crate::{check, collisions, copy, interrupt, progress, usage, wishes};
use account::{Account, Found};
use brake::Limits;
use repairer::Mender;
pub(crate) use scope::Chosen;

/// How often the state is written, as in a copy.
const SAVE_EVERY: Duration = Duration::from_secs(1);

/// Runs the command.
pub(crate) async fn run(args: &VerifyArgs, quiet: bool) -> Exit {
    match try_run(args, quiet).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn try_run(args: &VerifyArgs, quiet: bool) -> Result<Exit, Exit> {
    if let Some(option) = args.at_odds_with_count() {
        return Err(Exit::usage(format!(
            "{option} does not go with --level count, which sees totals and no single key; use --level quick \
             or full, or leave {option} out"
        )));
    }
    let endpoints = connect::endpoints(&args.sides)?;
    let selection = wishes::selection(&args.choice)?;
    let names = wishes::name_rules(&args.choice)?;
    if let Some(file) = &args.report {
        crate::page::can_be_written(file).map_err(|error| cannot_be_written(file, &error))?;
    }
    let lock = args.state.as_deref().map(StateLock::take).transpose();
    let _lock = lock.map_err(|error| copy::refuse_state(&error))?;
    let wishes = wishes::of_choice(
        &args.choice,
        endpoints.source_address.database,
        endpoints.target_address.database,
    )?;
    let look = preflight::look(&endpoints.source, &endpoints.target, &wishes)
        .await
        .map_err(|error| Exit::failed(error.to_string()))?;
    check::warn(&look.checks);
    if let Some(why) = check::refusal(look.refusals()) {
        return Err(check::refused(&look, why));
    }
    let naming = names.naming(&wishes, &look.databases)?;
    if let Some(why) = collisions::find(&endpoints.source, &look.source.layout, &selection, &naming).await? {
        return Err(check::refused(&look, format!("{why}; nothing was compared")));
    }
    let scope = Arc::new(Chosen::new(selection, naming));
    let repair = match args.writes() {
        true => Some(repair(args, &endpoints, &wishes, &look, &scope).await?),
        false => None,
    };

    let stop = interrupt::listen();
    let mender = |repair| Arc::new(Mender::new(repair, args.delete_extra, Arc::clone(&stop)));
    let mender = repair.map(mender);
    let began = SystemTime::now();
    let verify = Verify {
        source: endpoints.source.clone(),
        target: endpoints.target.clone(),
        scope: scope.clone(),
        brake: Arc::new(Limits::new(args.protection)),
        repairer: mender.clone().map(|mender| mender as _),
        options: options(args),
        arguments: arguments(args, &endpoints),
    };
    let found = compare(verify, args, quiet, &stop).await.map_err(|halt| exit_of(&halt))?;
    let account = Account {
        args,
        look: &look,
        naming: &scope.naming,
        found,
        not_repaired: mender.map(|mender| mender.not_repaired()).unwrap_or_default(),
        began,
        ended: SystemTime::now(),
        usage: usage::now(),
    };
    Ok(told(&account))
}

async fn compare(verify: Verify, args: &VerifyArgs, quiet: bool, stop: &Arc<Stop>) -> Result<Found, Halt> {
    let asked = {
        let stop = Arc::clone(stop);
        Arc::new(move || stop.is_asked())
    };
    if args.level == Level::Count {
        let began = std::time::Instant::now();
        let totals: Totals = verify.count(asked).await?;
        return Ok(Found::Totals(totals, began.elapsed()));
    }
    let progress = Progress::default();
    let outcome: Result<Outcome, Halt> =
        progress::beside(progress.clone(), quiet, verify.run(&progress, asked)).await;
    outcome.map(Found::Keys)
}

/// Everything that is said at the end, and the page if there shall be one.
fn told(account: &Account<'_>) -> Exit {
    let mut code = match account.halt() {
        None if account.is_equal() => Code::Equal,
        None => Code::Differences,
        Some(Halt::State(_)) => Code::Failed,
        Some(_) => Code::Interrupted,
    };
    let mut errors: Vec<String> =
        account.halt().map(|halt| interrupted(halt, account.args)).into_iter().collect();
    if let Some(file) = &account.args.report
        && let Err(error) = crate::page::write(file, &page::of(account))
    {
        code = Code::Failed;
        errors.push(format!(
            "the report {} cannot be written ({error}); everything else is done",
            file.display()
        ));
    }
    let exit = Exit::new(code, document::of(account), text::of(account));
    if errors.is_empty() { exit } else { exit.with_error(errors.join("\nredferry: ")) }
}

fn interrupted(halt: &Halt, args: &VerifyArgs) -> String {
    match &args.state {
        Some(state) => {
            format!("{halt}\nredferry: run the same command again to go on (state: {})", state.display())
        }
        None => format!(
            "{halt}\nredferry: run the same command again; it begins anew, and goes on after an interruption only \
             when it is given --state FILE"
        ),
    }
}

/// How a comparison ends that did not come to begin.
fn exit_of(halt: &Halt) -> Exit {
    match halt {
        Halt::Asked => Exit::interrupted(halt.to_string()),
        Halt::State(StateError::OtherRun { .. }) => Exit::refused(halt.to_string()),
        _ => Exit::failed(halt.to_string()),
    }
}

fn cannot_be_written(file: &Path, error: &std::io::Error) -> Exit {
    Exit::failed(format!(
        "the report {} cannot be written ({error}); nothing was compared; name another file with --report",
        file.display()
    ))
}

/// What repairs. The preflight of a copy has to agree, since it is one.
async fn repair(
    args: &VerifyArgs,
    endpoints: &Endpoints,
    wishes: &Wishes,
    look: &Look,
    scope: &Chosen,
) -> Result<Repair, Exit> {
    // As `engine::Repair` has it: the target is full of keys on purpose.
    let wishes = Wishes {
        databases: DbWish::List(look.databases.clone()),
        on_conflict: OnConflict::Replace,
        resuming: true,
        filters: true,
        ..wishes.clone()
    };
    let findings = check::probe(endpoints, &wishes).await?;
    if let Some(why) = check::refusal(findings.refusals()) {
        let why = format!("{why}\nredferry: without --repair both sides can be compared all the same");
        return Err(check::refused(&findings, why));
    }
    let options = copy::spared(args.protection, args.patience, std::path::PathBuf::new());
    Ok(Repair {
        source: endpoints.source.clone(),
        target: endpoints.target.clone(),
        naming: scope.naming.clone(),
        abilities: findings.abilities,
        options: engine::CopyOptions { big_key: args.big_key.carried(), ..options },
    })
}

fn options(args: &VerifyArgs) -> Options {
    Options {
        level: account::level(args.level),
        sample: args.sample,
        ttl_tolerance: args.ttl_tolerance,
        until_stable: args.until_stable,
        big_key: args.big_key.above,
        scan_count: args.protection.scan_count,
        give_up_after: args.patience.give_up_after,
        silence: args.patience.silence,
        examples: args.show_keys.most(),
        state: args.state.clone(),
        save_every: SAVE_EVERY,
    }
}

/// What decides what is compared and how.
fn arguments(args: &VerifyArgs, endpoints: &Endpoints) -> engine::Arguments {
    let mut arguments = wishes::arguments(&args.choice, endpoints);
    let mut keep = |name: &str, value: String| _ = arguments.insert(name.to_owned(), value);
    keep("--level", account::level(args.level).name().to_owned());
    keep("--ttl-tolerance", format!("{} ms", args.ttl_tolerance.as_millis()));
    if let Some(sample) = args.sample {
        keep("--sample", format!("{}%", sample.share() * 100.0));
    }
    if args.writes() {
        keep("--repair", "yes".to_owned());
    }
    if args.writes() && args.delete_extra {
        keep("--delete-extra", "yes".to_owned());
    }
    arguments
}

#[cfg(test)]
mod tests;
