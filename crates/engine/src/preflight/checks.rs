//! What follows from the facts. Everything here is a pure function of what was seen.

mod abilities;
mod databases;
mod space;
mod state;
mod way;

use super::findings::{CHECKS, Check, Status};
use super::identity::Identity;
use super::side::Seen;
use super::wishes::Wishes;

/// All that the checks look at.
pub(super) struct Picture<'a> {
    pub(super) source: &'a Seen,
    pub(super) target: &'a Seen,
    pub(super) wishes: &'a Wishes,
    /// The source's databases that are to be copied.
    pub(super) wanted: &'a [u32],
    pub(super) identity: &'a Identity,
    pub(super) clock_difference_ms: Option<f64>,
}

impl Picture<'_> {
    /// What the keys come from.
    fn origin(&self) -> &'static str {
        if self.wishes.from_files { "the file" } else { "the source" }
    }

    /// The target databases that the copy writes to, each once, in order.
    fn target_dbs(&self) -> Vec<u32> {
        let mut dbs: Vec<u32> = self.wanted.iter().map(|&db| self.wishes.target_db(db)).collect();
        dbs.sort_unstable();
        dbs.dedup();
        dbs
    }
}

/// Every check of [`CHECKS`], in that order, with the user's overrides applied.
pub(super) fn all(picture: &Picture<'_>) -> Vec<Check> {
    these(CHECKS, picture)
}

/// The checks of [`CHECKS`] that are named here.
pub(super) fn these(ids: &[&'static str], picture: &Picture<'_>) -> Vec<Check> {
    let check = |id: &'static str| {
        let outcome = match id {
            "reachable" => state::reachable(picture),
            "same_server" => way::same_server(picture),
            "swapped" => way::swapped(picture),
            "target_empty" => way::target_empty(picture),
            "databases" => databases::databases(picture),
            "cluster_whole" => state::cluster_whole(picture),
            "replica" => state::replica(picture),
            "commands" => abilities::commands(picture),
            "version" => abilities::version(picture),
            "modules" => abilities::modules(picture),
            "memory" => space::memory(picture),
            "eviction" => space::eviction(picture),
            _ => state::clock(picture),
        };
        overridden(outcome.into_check(id), picture.wishes)
    };
    ids.iter().copied().map(check).collect()
}

/// A refusal that the user does not want to hear is a warning; that source and target are one is not open
/// to opinion.
fn overridden(check: Check, wishes: &Wishes) -> Check {
    let skipped = wishes.skip_checks.iter().any(|id| id == check.id) && check.id != "same_server";
    match check.status {
        Status::Refused if skipped => {
            Check { status: Status::Warning, text: format!("{} (overridden)", check.text), ..check }
        }
        _ => check,
    }
}

/// A check without its id; several of them make one.
#[derive(Debug)]
struct Outcome {
    status: Status,
    text: String,
    remedy: String,
}

impl Outcome {
    fn ok(text: impl Into<String>) -> Outcome {
        Outcome { status: Status::Ok, text: text.into(), remedy: String::new() }
    }

    fn note(text: impl Into<String>) -> Outcome {
        Outcome { status: Status::Note, ..Outcome::ok(text) }
    }

    fn warning(text: impl Into<String>, remedy: impl Into<String>) -> Outcome {
        Outcome { status: Status::Warning, text: text.into(), remedy: remedy.into() }
    }

    fn refused(text: impl Into<String>, remedy: impl Into<String>) -> Outcome {
        Outcome { status: Status::Refused, text: text.into(), remedy: remedy.into() }
    }

    /// All that was found, under the worst status; `ok` when nothing was.
    fn worst_of(found: Vec<Outcome>, ok: impl Into<String>) -> Outcome {
        let Some(status) = found.iter().map(|outcome| outcome.status).max() else { return Outcome::ok(ok) };
        let join = |part: fn(&Outcome) -> &String| {
            let mut parts: Vec<&str> = found.iter().map(|outcome| part(outcome).as_str()).collect();
            parts.retain(|part| !part.is_empty());
            parts.dedup();
            parts.join("; ")
        };
        Outcome { status, text: join(|outcome| &outcome.text), remedy: join(|outcome| &outcome.remedy) }
    }

    fn into_check(self, id: &'static str) -> Check {
        Check { id, status: self.status, text: self.text, remedy: self.remedy }
    }
}

/// `a, b and c`
fn list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests;
