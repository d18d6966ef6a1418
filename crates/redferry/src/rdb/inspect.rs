//! `redferry rdb inspect`.

mod document;
mod estimate;
mod page;
mod refusals;
mod survey;
mod text;

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use ::rdb::file::{Event, Limits};
use engine::FeedError;
use serde_json::json;

use super::lines;
use super::place::Place;
use crate::args::InspectArgs;
use crate::exit::{Code, Exit};
use crate::{interrupt, page as frame, usage};
use survey::Survey;

/// Of each value this much is held: enough for its beginning, which tells the encoding.
const LIMITS: Limits = Limits { whole: 1 << 20, text: 512 << 20 };

/// Runs the command.
pub(crate) async fn run(args: &InspectArgs) -> Exit {
    tokio::select! {
        ended = try_run(args) => match ended {
            Ok(exit) | Err(exit) => exit,
        },
        () = interrupt::asked() => {
            let exit = Exit::interrupted("stopped on request; the same command begins anew");
            if args.keys { exit.without_document() } else { exit }
        }
    }
}

async fn try_run(args: &InspectArgs) -> Result<Exit, Exit> {
    let places = args.files.iter().map(|file| Place::parse(file)).collect::<Result<Vec<_>, _>>()?;
    if args.keys {
        return Ok(lines::to_standard_output(&places).await);
    }
    if let Some(file) = &args.report {
        frame::can_be_written(file).map_err(|error| {
            Exit::failed(format!(
                "the report {} cannot be written ({error}); nothing was read; name another file with --report",
                file.display()
            ))
        })?;
    }
    let began = Instant::now();
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    let mut survey = Survey::new(now_ms, args.top as usize, args.show_keys);
    let mut fault = None;
    for place in &places {
        if let Err(error) = read(place, &mut survey).await {
            fault = Some(error);
            break;
        }
    }
    let account = Account {
        survey: &survey,
        shows_keys: args.show_keys,
        elapsed: began.elapsed(),
        usage: usage::now(),
        fault: fault.as_ref().map(ToString::to_string),
    };
    Ok(told(args, &account))
}

/// All that the reports tell.
pub(super) struct Account<'a> {
    survey: &'a Survey,
    shows_keys: bool,
    elapsed: std::time::Duration,
    usage: usage::Usage,
    /// Why it ended early.
    fault: Option<String>,
}

fn told(args: &InspectArgs, account: &Account<'_>) -> Exit {
    let mut code = if account.fault.is_some() { Code::Failed } else { Code::Equal };
    let mut errors: Vec<String> = Vec::new();
    if let Some(fault) = &account.fault {
        errors.push(format!("{fault}\nredferry: what was read before that is told"));
    }
    if let Some(file) = &args.report
        && let Err(error) = frame::write(file, &page::of(account))
    {
        code = Code::Failed;
        errors.push(format!("the report {} cannot be written ({error})", file.display()));
    }
    let exit = Exit::new(code, document::of(account), text::of(account));
    if errors.is_empty() { exit } else { exit.with_error(errors.join("\nredferry: ")) }
}

async fn read(place: &Place, survey: &mut Survey) -> Result<(), FeedError> {
    survey.begin_file(place.name());
    let mut feed = place.feed(LIMITS).await?;
    while let Some(event) = feed.next().await? {
        if let Event::Key(key) = event {
            let mut begun = None;
            let mut bytes = 0;
            while let Some(Event::Part { bytes: part, last }) = feed.next().await? {
                bytes += part.len() as u64;
                begun.get_or_insert(part);
                if last {
                    break;
                }
            }
            // Without the type code.
            let begun = begun.unwrap_or_default();
            survey.key(&key, begun.get(1..).unwrap_or_default(), bytes.saturating_sub(1));
        } else {
            survey.event(event);
        }
        survey.read_so_far(feed.offset());
    }
    survey.read_so_far(feed.offset());
    Ok(())
}

/// Numbers of a group of keys as JSON.
pub(super) fn counts(count: &survey::Count) -> serde_json::Value {
    json!({
        "keys": count.keys,
        "expires": count.expires,
        "bytes": count.bytes,
        "resident_bytes_estimate": count.resident,
    })
}
