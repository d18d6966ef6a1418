//! How a command ends: its exit code, its one document on standard output, its message on standard error.

use std::io::Write;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::args::Output;

/// Stable exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    Equal = 0,
    Differences = 1,
    Usage = 2,
    Refused = 3,
    Interrupted = 4,
    Failed = 5,
}

impl Code {
    fn status(self) -> &'static str {
        match self {
            Code::Equal => "done",
            Code::Differences => "done_with_differences",
            Code::Usage => "usage",
            Code::Refused => "refused",
            Code::Interrupted => "interrupted",
            Code::Failed => "failed",
        }
    }
}

/// The end of a command.
#[derive(Debug)]
pub(crate) struct Exit {
    code: Code,
    /// For standard output with `--output json`; `status`, `exit_code` and `error` are added.
    document: Value,
    /// For standard output otherwise.
    text: String,
    /// What went wrong, for standard error and the document.
    error: Option<String>,
    /// Standard output holds something else, and nothing must be added to it.
    silent: bool,
}

impl Exit {
    pub(crate) fn new(code: Code, document: Value, text: String) -> Exit {
        Exit { code, document, text, error: None, silent: false }
    }

    pub(crate) fn with_error(mut self, error: impl Into<String>) -> Exit {
        self.error = Some(error.into());
        self
    }

    /// What went wrong, for a command that goes on with something else.
    pub(crate) fn message(self) -> String {
        self.error.unwrap_or_default()
    }

    pub(crate) fn usage(error: impl Into<String>) -> Exit {
        Exit::new(Code::Usage, json!({}), String::new()).with_error(error)
    }

    pub(crate) fn failed(error: impl Into<String>) -> Exit {
        Exit::new(Code::Failed, json!({}), String::new()).with_error(error)
    }

    pub(crate) fn interrupted(error: impl Into<String>) -> Exit {
        Exit::new(Code::Interrupted, json!({}), String::new()).with_error(error)
    }

    pub(crate) fn refused(error: impl Into<String>) -> Exit {
        Exit::new(Code::Refused, json!({}), String::new()).with_error(error)
    }

    /// Leaves standard output as it is.
    pub(crate) fn without_document(mut self) -> Exit {
        self.silent = true;
        self
    }

    /// Names the command in the document.
    pub(crate) fn of(mut self, command: &str) -> Exit {
        if let Value::Object(document) = &mut self.document {
            document.insert("command".into(), command.into());
        }
        self
    }

    pub(crate) fn print(mut self, output: Output) -> ExitCode {
        let mut out = std::io::stdout().lock();
        // A reader that went away is no reason to fail.
        let _ = match output {
            _ if self.silent => Ok(()),
            Output::Text => out.write_all(self.text.as_bytes()),
            Output::Json => {
                if let Value::Object(document) = &mut self.document {
                    document.insert("status".into(), self.code.status().into());
                    document.insert("exit_code".into(), (self.code as u8).into());
                    document.insert("error".into(), self.error.clone().map_or(Value::Null, Value::from));
                }
                writeln!(out, "{:#}", self.document)
            }
        };
        let _ = out.flush();
        if let Some(error) = &self.error {
            eprintln!("redferry: {error}");
        }
        ExitCode::from(self.code as u8)
    }
}

/// What clap has to say: help and version are no errors. The options did not parse, so whether JSON is
/// wanted is looked up by hand.
pub(crate) fn of_clap(error: &clap::Error) -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let json = arguments.iter().any(|argument| argument == "--output=json")
        || arguments.windows(2).any(|pair| pair[0] == "--output" && pair[1] == "json");
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if json {
        let text = error.render().to_string();
        return Exit::usage(text.trim().trim_start_matches("error: ").to_owned()).print(Output::Json);
    }
    let _ = error.print();
    ExitCode::from(Code::Usage as u8)
}
