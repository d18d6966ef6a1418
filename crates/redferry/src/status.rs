//! `redferry status`.

mod document;
mod view;

use std::collections::VecDeque;
use std::io::Write;
use std::time::{Duration, Instant};

use hyper::Method;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};
use serde_json::Value;

use crate::args::{Output, StatusArgs};
use crate::control::{Control, ControlError};
use crate::exit::{Code, Exit};
use crate::interrupt;
use document::Document;
use view::Look;

const EVERY: Duration = Duration::from_secs(1);

/// Rates are seen over so many looks.
const LOOKS: usize = 10;

/// Runs the command.
pub(crate) async fn run(args: &StatusArgs, output: Output) -> Exit {
    match try_run(args, output).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn try_run(args: &StatusArgs, output: Output) -> Result<Exit, Exit> {
    if args.watch && output == Output::Json {
        return Err(Exit::usage("--watch is for people; --output json gives one document, ask for it again"));
    }
    let control = Control::find(args.state.as_deref()).map_err(cannot_be_asked)?;
    let document = ask(&control).await.map_err(cannot_be_asked)?;
    if output == Output::Json {
        return Ok(Exit::new(Code::Equal, document, String::new()));
    }
    let first = Look { at: Instant::now(), document: read(document)? };
    if args.watch {
        return tokio::select! {
            ended = watch(&control, first) => ended,
            () = interrupt::asked() => Ok(Exit::new(Code::Equal, Value::Null, String::new())),
        };
    }
    // What goes on now is seen by two looks. A sync that ends between them was asked all the same.
    tokio::time::sleep(EVERY).await;
    let text = match ask(&control).await {
        Ok(document) => view::text(&first, &Look { at: Instant::now(), document: read(document)? }),
        Err(_) => view::text(&first, &first),
    };
    Ok(Exit::new(Code::Equal, Value::Null, text))
}

/// Shows it anew until the sync is over.
async fn watch(control: &Control, first: Look) -> Result<Exit, Exit> {
    let screen = Screen::new();
    let mut looks = VecDeque::from([first]);
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    tick.tick().await;
    loop {
        if let (Some(oldest), Some(newest)) = (looks.front(), looks.back()) {
            screen.show(&view::text(oldest, newest));
        }
        tick.tick().await;
        let document = match ask(control).await {
            Ok(document) => read(document)?,
            Err(_) if control.is_over() => {
                return Ok(Exit::new(Code::Equal, Value::Null, "\nThe sync has ended.\n".into()));
            }
            Err(error) => return Err(cannot_be_asked(error)),
        };
        looks.push_back(Look { at: Instant::now(), document });
        if looks.len() > LOOKS {
            looks.pop_front();
        }
    }
}

/// Shows every view in place of the one before on a terminal, and below it elsewhere.
struct Screen(ProgressBar);

impl Screen {
    fn new() -> Screen {
        let style = ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout()).with_style(style);
        Screen(bar.with_finish(ProgressFinish::Abandon))
    }

    fn show(&self, text: &str) {
        if self.0.is_hidden() {
            // Nobody is left to be told of a reader that went away.
            let _ = writeln!(std::io::stdout(), "{text}");
        } else {
            self.0.set_message(text.trim_end().to_owned());
        }
    }
}

async fn ask(control: &Control) -> Result<Value, ControlError> {
    control.ask(Method::GET, "/status", None).await
}

fn read(document: Value) -> Result<Document, Exit> {
    serde_json::from_value(document)
        .map_err(|error| Exit::failed(format!("the sync is of another version of redferry: {error}")))
}

fn cannot_be_asked(error: ControlError) -> Exit {
    Exit::failed(error.to_string())
}
