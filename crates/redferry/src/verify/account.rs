//! What a comparison came to, in the words that the document, the terminal and the page share.

mod verdict;
mod words;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use ::verify::{Counts, Example, Halt, Kind, Outcome, PrefixCounts, Totals};
use engine::preflight::Look;
use indicatif::HumanCount;
use migration::naming::Naming;

use super::confidence;
use super::repairer::NotRepaired;
use crate::args::{self, VerifyArgs};
use crate::beginnings::tells_no_key;
use crate::printable::printable;
use crate::usage::Usage;
pub(super) use words::{meaning, remedy, sees};

/// What was found, by what was looked at.
#[derive(Debug)]
pub(super) enum Found {
    /// Keys.
    Keys(Outcome),
    /// Totals, and the time that took.
    Totals(Totals, Duration),
}

/// All that a report tells.
#[derive(Debug)]
pub(super) struct Account<'a> {
    pub(super) args: &'a VerifyArgs,
    pub(super) look: &'a Look,
    pub(super) naming: &'a Naming,
    pub(super) found: Found,
    pub(super) not_repaired: NotRepaired,
    pub(super) began: SystemTime,
    pub(super) ended: SystemTime,
    pub(super) usage: Usage,
}

/// What a repair would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) copy: u64,
    pub(super) delete: u64,
}

/// The level as it is called elsewhere.
pub(super) fn level(level: args::Level) -> ::verify::Level {
    match level {
        args::Level::Count => ::verify::Level::Count,
        args::Level::Quick => ::verify::Level::Quick,
        args::Level::Full => ::verify::Level::Full,
    }
}

impl Account<'_> {
    pub(super) fn outcome(&self) -> Option<&Outcome> {
        match &self.found {
            Found::Keys(outcome) => Some(outcome),
            Found::Totals(..) => None,
        }
    }

    pub(super) fn counts(&self) -> Option<&Counts> {
        self.outcome().map(|outcome| &outcome.counts)
    }

    /// Why it ended before it was done.
    pub(super) fn halt(&self) -> Option<&Halt> {
        self.outcome()?.halt.as_ref()
    }

    /// Whether nothing that was looked at differs or may differ.
    pub(super) fn is_equal(&self) -> bool {
        match &self.found {
            Found::Keys(outcome) => outcome.counts.is_clean(),
            Found::Totals(totals, _) => totals.is_equal(),
        }
    }

    /// Keys on the source and on the target.
    pub(super) fn keys(&self) -> (u64, u64) {
        match &self.found {
            Found::Keys(outcome) => (outcome.counts.keys_source, outcome.counts.keys_target),
            Found::Totals(totals, _) => totals
                .databases
                .iter()
                .fold((0, 0), |(source, target), db| (source + db.keys_source, target + db.keys_target)),
        }
    }

    /// Time of this run and the ones it resumed.
    pub(super) fn elapsed(&self) -> Duration {
        match &self.found {
            Found::Keys(outcome) => outcome.elapsed,
            Found::Totals(_, elapsed) => *elapsed,
        }
    }

    /// The kinds that occur, with their numbers of keys.
    pub(super) fn kinds(&self) -> Vec<(Kind, u64)> {
        let Some(counts) = self.counts() else { return Vec::new() };
        Kind::ALL.into_iter().map(|kind| (kind, counts.of(kind))).filter(|(_, keys)| *keys > 0).collect()
    }

    /// Keys that differ, if they may be named.
    pub(super) fn examples(&self) -> &[Example] {
        match self.outcome() {
            Some(outcome) if self.shows_keys() => &outcome.examples,
            _ => &[],
        }
    }

    pub(super) fn shows_keys(&self) -> bool {
        self.args.show_keys.most() > 0
    }

    /// Differences by beginning of the name, the most of them first. The empty one stands for all others.
    pub(super) fn beginnings(&self) -> Vec<(String, PrefixCounts)> {
        let mut sums: BTreeMap<String, PrefixCounts> = BTreeMap::new();
        for (beginning, counts) in self.outcome().iter().flat_map(|outcome| &outcome.prefixes) {
            let told = self.shows_keys() || tells_no_key(beginning);
            let sum = sums.entry(if told { printable(beginning) } else { String::new() }).or_default();
            for (kind, keys) in counts {
                *sum.entry(*kind).or_default() += keys;
            }
        }
        let mut sums: Vec<_> = sums.into_iter().collect();
        // Those that stand for many different ones come last.
        sums.sort_by_key(|(name, counts)| (name.is_empty(), std::cmp::Reverse(counts.values().sum::<u64>())));
        sums
    }

    /// Why keys were not compared: reason, keys, what to do.
    pub(super) fn reasons(&self) -> Vec<(&str, u64, &'static str)> {
        let reasons = self.counts().map(|counts| &counts.reasons);
        reasons.into_iter().flatten().map(|(reason, keys)| (reason.as_str(), *keys, remedy(reason))).collect()
    }

    /// What a repair would do, where that was asked.
    pub(super) fn plan(&self) -> Option<Plan> {
        let counts = self.counts().filter(|_| self.args.dry_run)?;
        let extra = counts.of(Kind::Extra);
        let delete = if self.args.delete_extra { extra } else { 0 };
        Some(Plan { copy: counts.keys_differing.saturating_sub(extra), delete })
    }

    /// What a sample says about all keys.
    pub(super) fn confidence(&self) -> Option<String> {
        let share = self.args.sample?.share();
        let counts = self.counts()?;
        let looked_at = counts.keys_compared + counts.of(Kind::Extra);
        if share >= 1.0 {
            return Some("all keys were looked at, so this is no estimate: 100 % confidence".to_owned());
        }
        if looked_at == 0 {
            return Some(
                "no key is in the sample: nothing can be said with any confidence, not even for 1 %"
                    .to_owned(),
            );
        }
        let (lower, upper) = confidence::interval(counts.keys_differing, looked_at);
        let all = looked_at as f64 / share;
        let keys = HumanCount(looked_at);
        Some(if counts.keys_differing == 0 {
            format!(
                "none of {keys} keys looked at differs: with 95 % confidence at most {} of all keys do (some {} of \
                 about {})",
                confidence::at_most(upper),
                HumanCount((all * upper).ceil() as u64),
                HumanCount(all.round() as u64),
            )
        } else {
            format!(
                "{} of {keys} keys looked at differ ({}): with 95 % confidence {} to {} of all keys do (some {} to {} \
                 of about {})",
                HumanCount(counts.keys_differing),
                confidence::about(counts.keys_differing as f64 / looked_at as f64),
                confidence::at_least(lower),
                confidence::at_most(upper),
                HumanCount((all * lower).floor() as u64),
                HumanCount((all * upper).ceil() as u64),
                HumanCount(all.round() as u64),
            )
        })
    }

    /// How well times to live are known.
    pub(super) fn ttl_bound(&self) -> Option<String> {
        let bound = self.outcome()?.ttl_error_bound_ms;
        let tolerance = self.args.ttl_tolerance.as_millis();
        Some(match bound {
            0 => "no key with an expiry was compared".to_owned(),
            bound => {
                format!("measured within {bound} ms; expiries up to {tolerance} ms apart count as equal")
            }
        })
    }

    /// What is worth knowing beside the numbers.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let left_out: Vec<String> = self
            .look
            .target
            .databases
            .iter()
            .filter(|held| self.naming.source_dbs().all(|db| self.naming.target_db(db) != Some(held.db)))
            .map(|held| format!("{} ({} keys)", held.db, HumanCount(held.keys)))
            .collect();
        if !left_out.is_empty() {
            notes.push(format!(
                "the target also has keys in other databases, which were not looked at: {}",
                left_out.join(", ")
            ));
        }
        let Some(outcome) = self.outcome() else { return notes };
        let counts = &outcome.counts;
        if counts.hurried > 0 {
            notes.push(format!(
                "{} keys were judged after two looks instead of several, because too many differed at once to keep \
                 them all; on a cache in use, compare them again",
                HumanCount(counts.hurried)
            ));
        }
        if self.args.repair && self.args.sample.is_some_and(|sample| sample.share() < 1.0) {
            notes.push(
                "a repair of a sample repairs the sample only: what it says of all other keys still holds"
                    .into(),
            );
        }
        if outcome.resumed {
            notes.push("an earlier run was gone on with; counts and time include it".to_owned());
        }
        if outcome.restarts > 0 {
            notes.push(format!("{} scans began anew because another process answered", outcome.restarts));
        }
        notes
    }
}
