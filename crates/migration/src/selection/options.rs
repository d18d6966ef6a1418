//! The options as the operator writes them, and what can be wrong with them.

use regex::bytes::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use super::glob::{Glob, MAX_STARS};
use super::slots::{self, SlotSet};

/// Filters as given on the command line or in a configuration file. An empty list filters nothing.
///
/// A misspelt field is an error: a filter that is silently ignored would copy too much.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SelectionOptions {
    /// Globs in Redis' syntax; a key must match one of them.
    pub matches: Vec<String>,
    /// Globs in Redis' syntax; a key must match none of them.
    pub excludes: Vec<String>,
    /// Regular expressions on the key's bytes, not anchored; a key must match one of them.
    pub regexes: Vec<String>,
    /// Type names as TYPE answers them: string, list, set, zset, hash, stream, or a module's.
    pub types: Vec<String>,
    /// Leave out keys that expire sooner than this, in milliseconds. Keys without a TTL stay in.
    pub min_ttl_ms: Option<u64>,
    /// Copy only keys without a TTL.
    pub no_ttl_only: bool,
    /// Hash slots: `77`, `0-5460`, or several with commas.
    pub slots: Vec<String>,
}

/// A filter that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{option} {given:?}: {problem}")]
pub struct SelectionError {
    /// The command line's name of the option.
    pub option: &'static str,
    /// The text that was given for it.
    pub given: String,
    /// What is wrong with it, and what would be right.
    pub problem: String,
}

fn refuse(option: &'static str, given: &str, problem: impl Into<String>) -> SelectionError {
    SelectionError { option, given: given.to_owned(), problem: problem.into() }
}

pub(super) fn globs(option: &'static str, given: &[String]) -> Result<Vec<Glob>, SelectionError> {
    let compile = |text: &String| {
        Glob::new(text.as_bytes()).ok_or_else(|| {
            refuse(option, text, format!("has more than {MAX_STARS} stars, which Redis refuses"))
        })
    };
    given.iter().map(compile).collect()
}

/// Keys are bytes: `.` and `\w` mean a byte unless the expression says `(?u)`.
pub(super) fn regexes(given: &[String]) -> Result<Vec<Regex>, SelectionError> {
    const COMPILED_LIMIT: usize = 4 << 20;
    let compile = |text: &String| {
        RegexBuilder::new(text).unicode(false).size_limit(COMPILED_LIMIT).build().map_err(|error| {
            let problem = match error {
                regex::Error::CompiledTooBig(limit) => {
                    format!("needs more than {limit} bytes when compiled; lower its repetition counts")
                }
                other => format!("is not a regular expression: {other}"),
            };
            refuse("--regex", text, problem)
        })
    };
    given.iter().map(compile).collect()
}

pub(super) fn types(given: &[String]) -> Result<Vec<String>, SelectionError> {
    const BUILT_IN: [&str; 6] = ["string", "list", "set", "zset", "hash", "stream"];
    let check = |text: &String| {
        if let Some(name) = BUILT_IN.iter().find(|name| name.eq_ignore_ascii_case(text)) {
            Ok((*name).to_owned())
        } else if is_module_type_name(text) {
            Ok(text.clone())
        } else {
            Err(refuse(
                "--type",
                text,
                "is no type; use string, list, set, zset, hash, stream, or a module's type name of nine \
                 characters as TYPE answers it (ReJSON-RL, TSDB-TYPE, MBbloom--)",
            ))
        }
    };
    given.iter().map(check).collect()
}

/// A module's type name has exactly nine characters of a fixed set (Redis module.c, moduleTypeEncodeId).
fn is_module_type_name(text: &str) -> bool {
    text.len() == 9 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// `None` when no slots are given: then every slot is in.
pub(super) fn slots(given: &[String]) -> Result<Option<SlotSet>, SelectionError> {
    if given.is_empty() {
        return Ok(None);
    }
    let mut set = SlotSet::default();
    for text in given {
        for part in text.split(',') {
            let range = slots::range(part).map_err(|problem| refuse("--slots", text, problem))?;
            set.insert(range);
        }
    }
    Ok(Some(set))
}
