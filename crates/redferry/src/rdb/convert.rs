//! `redferry rdb convert`.

mod commands;
mod version;

use std::collections::BTreeMap;
use std::time::Instant;

use ::rdb::file::Limits;
use ::rdb::{Lost, Unfit, Version};
use engine::FeedError;
use indicatif::HumanCount;
use migration::tally::{Cause, Fate, KeyType, Outcome, Tally};
use serde_json::{Value, json};

use super::lines;
use super::output::{Output, OutputError};
use super::place::Place;
use crate::args::{ConvertArgs, Form};
use crate::exit::{Code, Exit};
use crate::report::{self, Brought};
use crate::{interrupt, usage};

/// Values up to this are held whole. Larger ones are written as they come wherever their form allows it.
const LIMITS: Limits = Limits { whole: 8 << 20, text: 512 << 20 };

/// The word for standard output.
const STANDARD: &str = "-";

/// Why a conversion ends early.
#[derive(Debug, thiserror::Error)]
enum ConvertError {
    #[error(transparent)]
    Feed(#[from] FeedError),
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error("{0}")]
    Aside(String),
}

impl ConvertError {
    fn aside(error: std::io::Error) -> ConvertError {
        let folder = std::env::temp_dir();
        ConvertError::Aside(format!(
            "a large stream cannot be put aside in {} ({error}); make room there, or name another folder by TMPDIR",
            folder.display()
        ))
    }
}

impl From<lines::LinesError> for ConvertError {
    fn from(error: lines::LinesError) -> ConvertError {
        match error {
            lines::LinesError::Feed(error) => ConvertError::Feed(error),
            lines::LinesError::Output(error) => ConvertError::Output(error),
        }
    }
}

/// What became of the file's content.
#[derive(Debug, Default)]
struct Account {
    tally: Tally,
    examples: BTreeMap<Cause, Vec<Vec<u8>>>,
    most_examples: usize,
    functions: u64,
    functions_left_out: u64,
    module_aux: u64,
    module_aux_left_out: u64,
    stream_facts_lost: u64,
    consumer_activity_lost: u64,
}

impl Account {
    fn written(&mut self, code: ::rdb::TypeCode, bytes: u64, lost: Lost) {
        self.stream_facts_lost += u64::from(lost.stream_facts);
        self.consumer_activity_lost += u64::from(lost.consumer_activity);
        let kind = KeyType::of_payload(code.0).unwrap_or(KeyType::Module);
        self.tally.count(Outcome::Copied { kind, bytes });
    }

    fn not(&mut self, name: &[u8], cause: Cause) {
        self.tally.count(Outcome::Not(cause));
        let examples = self.examples.entry(cause).or_default();
        if examples.len() < self.most_examples {
            examples.push(name.to_vec());
        }
    }
}

/// Runs the command.
pub(crate) async fn run(args: &ConvertArgs) -> Exit {
    tokio::select! {
        ended = try_run(args) => match ended {
            Ok(exit) | Err(exit) => exit,
        },
        // What was written goes with what writes it.
        () = interrupt::asked() => {
            let exit = Exit::interrupted("stopped on request; nothing was written, and the same command begins anew");
            if args.to_file == STANDARD { exit.without_document() } else { exit }
        }
    }
}

async fn try_run(args: &ConvertArgs) -> Result<Exit, Exit> {
    let began = Instant::now();
    let from = Place::parse(&args.from)?;
    let standard = args.to_file == STANDARD;
    let mut output = if standard {
        Output::Standard
    } else {
        let to = Place::parse(&args.to_file)?;
        Output::File(Box::new(to.create(args.written).await?))
    };
    let mut feed = from.feed(LIMITS).await.map_err(|error| Exit::failed(error.to_string()))?;
    let mut account = Account { most_examples: args.show_keys.most(), ..Account::default() };
    let converted = match (args.version, args.to) {
        (Some(version), _) => version::write(&mut feed, &mut output, Version(version), &mut account).await,
        (None, Some(Form::Resp)) => commands::write(&mut feed, &mut output, &mut account).await,
        (None, _) => as_lines(&mut feed, &mut output, &mut account).await,
    };
    let fault = match converted {
        Ok(()) => output.finish().await.err().map(ConvertError::from),
        Err(error) => Some(error),
    };
    let exit = told(args, &account, began.elapsed(), fault);
    Ok(if standard { exit.without_document() } else { exit })
}

async fn as_lines<C: engine::Chunks>(
    feed: &mut engine::Feed<C>,
    output: &mut Output,
    account: &mut Account,
) -> Result<(), ConvertError> {
    let mut written = lines::Written::default();
    let ended = lines::write(feed, output, &mut written).await;
    account.tally = written.tally;
    (account.functions, account.functions_left_out) = (written.functions, written.functions);
    (account.module_aux, account.module_aux_left_out) = (written.module_aux, written.module_aux);
    Ok(ended?)
}

/// Why a value has no place in what is written.
fn cause_of(unfit: &Unfit) -> Cause {
    match unfit {
        Unfit::Damaged(_) => Cause::Damaged,
        Unfit::Module => Cause::ModuleTypeUnknown,
        Unfit::TooLarge => Cause::TooLarge,
        _ => Cause::FormatUnfit,
    }
}

fn told(
    args: &ConvertArgs,
    account: &Account,
    elapsed: std::time::Duration,
    fault: Option<ConvertError>,
) -> Exit {
    let usage = usage::now();
    let show_keys = account.most_examples > 0;
    let brought = Brought {
        total: &account.tally,
        examples: &account.examples,
        elapsed,
        elapsed_here: elapsed,
        copied_here: account.tally.copied,
        done: "converted",
    };
    let notes = notes(account);
    let mut document = report::common(&brought, usage, show_keys);
    if let Value::Object(document) = &mut document {
        let more = json!({
            "files": [args.from],
            "written": args.to_file,
            "functions": account.functions,
            "module_aux": account.module_aux,
            "stream_facts_lost": account.stream_facts_lost,
            "consumer_activity_lost": account.consumer_activity_lost,
            "notes": notes,
        });
        if let Value::Object(more) = more {
            document.extend(more);
        }
    }
    let mut text = report::common_text(&brought, show_keys);
    for note in &notes {
        report::line(&mut text, "note", note);
    }
    report::line(&mut text, "redferry", &report::used(usage));
    let lacking = account.tally.fated(Fate::Skipped) + account.tally.fated(Fate::Failed) > 0;
    match fault {
        None if lacking || account.functions_left_out > 0 => {
            text.push_str("\nDone, but not everything has a place in what was written: see above.\n");
            Exit::new(Code::Differences, document, text)
        }
        None => {
            text.push_str("\nDone: every key was written.\n");
            Exit::new(Code::Equal, document, text)
        }
        Some(ConvertError::Output(OutputError::Gone)) => Exit::new(Code::Equal, document, text),
        Some(fault) => {
            let kept = match args.to_file.as_str() {
                STANDARD => "what was written before that is whole".to_owned(),
                file => format!("{file} was not written"),
            };
            Exit::new(Code::Failed, document, text).with_error(format!("{fault}\nredferry: {kept}"))
        }
    }
}

fn notes(account: &Account) -> Vec<String> {
    let mut notes = Vec::new();
    let mut note = |count: u64, words: &str| {
        if count > 0 {
            notes.push(format!("{} {words}", HumanCount(count)));
        }
    };
    note(account.functions_left_out, "libraries of functions have no place in what was written");
    note(
        account.module_aux_left_out,
        "facts that modules keep besides keys have no place in what was written",
    );
    note(
        account.module_aux - account.module_aux_left_out,
        "facts that modules keep besides keys were kept: only a server with these modules loads the file",
    );
    note(
        account.stream_facts_lost,
        "streams lost counters (entries-added, entries-read, max-deleted-entry-id) that this version has no place for",
    );
    note(
        account.consumer_activity_lost,
        "streams lost the time when consumers were last active, which this version has no place for",
    );
    notes
}
