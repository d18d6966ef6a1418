//! `redferry cutover` and `redferry rollback`: a running sync is told to put the other cache in charge.

use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::args::{Compared, TurnArgs};
use crate::control::{Control, ControlError};
use crate::exit::{Code, Exit};
use crate::interrupt;
use crate::sync::direction::Turn;
use crate::sync::proof::Depth;
use crate::sync::turn::TurnOrder;

/// How often the sync is asked how far it is.
const EVERY: Duration = Duration::from_millis(200);

/// How often it is said that somebody still writes.
const REMIND_EVERY: Duration = Duration::from_secs(5);

/// Runs the command.
pub(crate) async fn run(turn: Turn, args: &TurnArgs, quiet: bool) -> Exit {
    match try_run(turn, args, quiet).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn try_run(turn: Turn, args: &TurnArgs, quiet: bool) -> Result<Exit, Exit> {
    let control = Control::find(args.state.as_deref()).map_err(cannot_be_asked)?;
    let before = control.ask(Method::GET, "/status", None).await.map_err(cannot_be_asked)?;
    if args.check {
        return Ok(checked(turn, &before));
    }
    let path = match turn {
        Turn::CutOver => "/cutover",
        Turn::RollBack => "/rollback",
    };
    let body = serde_json::to_value(order(args)).map_err(|error| Exit::failed(error.to_string()))?;
    // From now on Ctrl-C cancels the turn instead of ending this process.
    let cancel = tokio::spawn(interrupt::asked());
    control.ask(Method::POST, path, Some(&body)).await.map_err(not_taken)?;
    let after = until_over(&control, cancel, quiet).await?;
    Ok(told(turn, args, &after))
}

fn order(args: &TurnArgs) -> TurnOrder {
    let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    TurnOrder {
        quiet_ms: milliseconds(args.expect_quiet),
        wait_ms: milliseconds(args.wait),
        verify: match args.verify {
            Compared::Sample => Depth::Sample,
            Compared::Full => Depth::Full,
            Compared::None => Depth::None,
        },
        sample: args.sample.share(),
        accept_differences: args.accept_differences,
        refuse_incompatible: args.refuse_incompatible,
        way_back: !args.no_way_back,
    }
}

/// Follows the turn to its end; a cancelled one has an end too.
async fn until_over(control: &Control, mut cancel: JoinHandle<()>, quiet: bool) -> Result<Value, Exit> {
    let mut teller = Teller { quiet, step: String::new(), reminded: tokio::time::Instant::now() };
    let mut is_cancelled = false;
    loop {
        tokio::select! {
            _ = &mut cancel, if !is_cancelled => {
                is_cancelled = true;
                match control.ask(Method::POST, "/cancel", None).await {
                    // It has come to its end already.
                    Ok(_) | Err(ControlError::Refused { .. }) => {}
                    Err(error) => return Err(out_of_sight(&error)),
                }
            }
            () = tokio::time::sleep(EVERY) => {}
        }
        let document = match control.ask(Method::GET, "/status", None).await {
            Ok(document) => document,
            // It may be busy.
            Err(ControlError::Silent { .. }) => continue,
            Err(error) => return Err(out_of_sight(&error)),
        };
        teller.tell(&document);
        if document["turn"]["is_over"] == true {
            return Ok(document);
        }
    }
}

fn out_of_sight(error: &ControlError) -> Exit {
    Exit::failed(format!(
        "{error}\nredferry: it may have been made all the same; redferry status says who is in charge"
    ))
}

/// Tells the steps on standard error.
struct Teller {
    quiet: bool,
    step: String,
    reminded: tokio::time::Instant,
}

impl Teller {
    fn tell(&mut self, document: &Value) {
        let step = document["turn"]["step"].as_str().unwrap_or_default();
        let is_new = step != self.step;
        if self.quiet || !(is_new || self.reminded.elapsed() > REMIND_EVERY) {
            return;
        }
        self.step = step.to_owned();
        self.reminded = tokio::time::Instant::now();
        let text = match step {
            "waiting_for_quiet" => waiting(document),
            "verifying" => {
                format!("comparing both sides: {} keys so far", document["turn"]["keys_compared"])
            }
            "listening_back" if is_new => "preparing the way back".to_owned(),
            "turning" if is_new => "making sure that nobody has written meanwhile".to_owned(),
            _ => return,
        };
        eprintln!("redferry: {text}");
    }
}

/// What keeps it waiting: writers, the keys that still change and how fast, the conditions that are not met.
fn waiting(document: &Value) -> String {
    let busy = &document["busy"];
    let mut text = match (document["writes_per_sec"].as_f64(), busy["keys"].as_u64().unwrap_or(0)) {
        (Some(writes), keys) if writes > 0.0 => format!(
            "waiting for the writers to stop: {writes} commands that write a second; {keys} keys changed within the last 5 s"
        ),
        (None, keys) if keys > 0 => format!(
            "waiting until nothing changes: {keys} keys changed within the last 5 s, {} changes/s",
            busy["changes_per_sec"]
        ),
        _ => "waiting until both sides are equal and nobody writes".to_owned(),
    };
    for key in busy["busiest"].as_array().into_iter().flatten() {
        let name = key["key"].as_str().unwrap_or_default();
        text.push_str(&format!("\n  {name} in database {}: {} changes/s", key["db"], key["changes_per_sec"]));
    }
    let unmet =
        conditions(document).filter(|condition| condition["met"] == false && condition["name"] != "quiet");
    for condition in unmet {
        text.push_str(&format!("\n  not met: {}", condition["text"].as_str().unwrap_or_default()));
    }
    text
}

fn conditions(document: &Value) -> impl Iterator<Item = &Value> {
    document["conditions"].as_array().into_iter().flatten()
}

/// `--check`: how things stand. Nobody was waited for, so whether it is quiet is said by how long nobody has written.
fn checked(turn: Turn, document: &Value) -> Exit {
    let mut text = String::new();
    let mut unmet = Vec::new();
    for condition in conditions(document).filter(|condition| condition["name"] != "quiet") {
        let is_met = condition["met"] == true;
        let sentence = condition["text"].as_str().unwrap_or_default();
        text.push_str(&format!("{:>8}  {sentence}\n", if is_met { "met" } else { "NOT MET" }));
        if !is_met {
            unmet.push(sentence.to_owned());
        }
    }
    text.push_str(&format!("{:>8}  nobody has written for {} ms\n", "", document["quiet_ms"]));
    let is_there = document["direction"] == turn.ends().turned().name();
    if is_there {
        unmet.push(format!("the {} was made already", turn.name()));
    }
    let report = json!({
        "turn": turn.name(),
        "direction": document["direction"],
        "conditions": document["conditions"],
        "quiet_ms": document["quiet_ms"],
        "busy": document["busy"],
    });
    match unmet.is_empty() {
        true => Exit::new(Code::Equal, report, text),
        false => Exit::new(Code::Refused, report, text).with_error(format!("not now: {}", unmet.join("; "))),
    }
}

/// The end of a turn.
fn told(turn: Turn, args: &TurnArgs, document: &Value) -> Exit {
    let made = &document["turn"];
    let report = json!({
        "turn": turn.name(),
        "direction": document["direction"],
        "turns": document["turns"],
        "keys_compared": made["keys_compared"],
        "recent_not_named": made["recent_not_named"],
        "differing": made["differing"],
        "examples": made["examples"],
        "incompatible": made["incompatible"],
        "failure": made["failure"],
        "elapsed_ms": made["elapsed_ms"],
        "way_back": !args.no_way_back,
    });
    if let Some(failure) = made["failure"].as_str() {
        let code = match failure {
            "differences" | "lacking" => Code::Differences,
            "not_quiet" | "incompatible" | "no_way_back" => Code::Refused,
            "cancelled" => Code::Interrupted,
            _ => Code::Failed,
        };
        let stays = match turn {
            Turn::CutOver => "the source stays in charge, and everything goes on as before",
            Turn::RollBack => "the target stays in charge, and everything goes on as before",
        };
        let why = made["error"].as_str().unwrap_or(failure);
        return Exit::new(code, report, String::new()).with_error(format!("{why}; {stays}"));
    }
    let differing: u64 = made["differing"]
        .as_object()
        .into_iter()
        .flat_map(|kinds| kinds.values())
        .filter_map(Value::as_u64)
        .sum();
    let (old, new) = match turn {
        Turn::CutOver => ("source", "target"),
        Turn::RollBack => ("target", "source"),
    };
    let place = |side: &str| document[side].as_str().unwrap_or_default().to_owned();
    let mut text = format!(
        "Done after {:.1} s: the {new} {} is in charge. {} keys were compared before, {differing} differ.\n",
        made["elapsed_ms"].as_f64().unwrap_or(0.0) / 1000.0,
        place(new),
        made["keys_compared"],
    );
    text.push_str(&match args.no_way_back {
        true => format!("The sync has ended. Start the applications on the {new}.\n"),
        false => format!(
            "Start the applications on the {new}. What they change is carried back to the {old} {}; {} puts that one in \
             charge again.\n",
            place(old),
            match turn {
                Turn::CutOver => "redferry rollback",
                Turn::RollBack => "redferry cutover",
            },
        ),
    });
    if let Some(changes) = made["recent_not_named"].as_u64().filter(|changes| *changes > 0) {
        text.push_str(&format!(
            "{changes} of the last minutes' changes are of keys whose names were not kept; those were compared as part of \
             the sample only (--verify full compares all).\n"
        ));
    }
    let code = if differing == 0 { Code::Equal } else { Code::Differences };
    Exit::new(code, report, text)
}

fn cannot_be_asked(error: ControlError) -> Exit {
    Exit::failed(error.to_string())
}

/// An order that the sync does not take is refused; one that does not reach it has failed.
fn not_taken(error: ControlError) -> Exit {
    match error {
        ControlError::Refused { .. } => Exit::refused(format!("refused: {error}")),
        error => cannot_be_asked(error),
    }
}
