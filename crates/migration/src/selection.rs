//! Which keys are copied: by name, slot, type and remaining time to live.

mod glob;
mod options;
mod slots;

use regex::bytes::Regex;

use glob::Glob;
pub use options::{SelectionError, SelectionOptions};
use slots::SlotSet;

/// A checked and compiled [`SelectionOptions`].
///
/// The three kinds of question come at different times: the name is known from the scan, type and
/// time to live only after asking the server. A key is copied when all of them say yes.
#[derive(Clone, Debug)]
pub struct Selection {
    matches: Vec<Glob>,
    excludes: Vec<Glob>,
    regexes: Vec<Regex>,
    types: Vec<String>,
    min_ttl_ms: Option<u64>,
    no_ttl_only: bool,
    slots: Option<SlotSet>,
}

impl Selection {
    /// Checks and compiles the options.
    ///
    /// # Errors
    /// When a glob has too many stars, a regular expression is wrong or too big, a type cannot exist,
    /// or a slot range is not one. The error names the option.
    pub fn new(options: &SelectionOptions) -> Result<Selection, SelectionError> {
        let SelectionOptions { matches, excludes, regexes, types, min_ttl_ms, no_ttl_only, slots } = options;
        Ok(Selection {
            matches: options::globs("--match", matches)?,
            excludes: options::globs("--exclude", excludes)?,
            regexes: options::regexes(regexes)?,
            types: options::types(types)?,
            min_ttl_ms: *min_ttl_ms,
            no_ttl_only: *no_ttl_only,
            slots: options::slots(slots)?,
        })
    }

    /// Whether the name alone lets the key in: some `--match` (if any is given), no `--exclude`,
    /// some `--regex` (if any is given), and one of the slots (if any are given).
    pub fn accepts_name(&self, key: &[u8]) -> bool {
        any_or_none_given(&self.matches, |glob| glob.matches(key))
            && !self.excludes.iter().any(|glob| glob.matches(key))
            && any_or_none_given(&self.regexes, |regex| regex.is_match(key))
            && self.slots.as_ref().is_none_or(|slots| slots.contains(commands::slot(key)))
    }

    /// Whether a key that PTTL answered `pttl_ms` for is copied: -1 has no time to live, 0 and more
    /// are milliseconds. A key that is missing (-2) is in only when no filter asks about TTLs.
    pub fn accepts_ttl(&self, pttl_ms: i64) -> bool {
        const NO_TTL: i64 = -1;
        if pttl_ms == NO_TTL {
            return true;
        }
        let long_enough = match self.min_ttl_ms {
            Some(min) => u64::try_from(pttl_ms).is_ok_and(|left| left >= min),
            None => true,
        };
        !self.no_ttl_only && long_enough
    }

    /// Whether keys of a type are copied; `type_name` is TYPE's reply, such as `hash` or `ReJSON-RL`.
    pub fn accepts_type(&self, type_name: &str) -> bool {
        any_or_none_given(&self.types, |wanted| wanted.eq_ignore_ascii_case(type_name))
    }

    /// No filter at all: every key is copied.
    pub fn is_everything(&self) -> bool {
        self.matches.is_empty()
            && self.excludes.is_empty()
            && self.regexes.is_empty()
            && self.slots.is_none()
            && !self.filters_by_type()
            && !self.filters_by_ttl()
    }

    /// Whether the type must be known before a key can be decided.
    pub fn filters_by_type(&self) -> bool {
        !self.types.is_empty()
    }

    /// Whether the time to live must be known before a key can be decided.
    pub fn filters_by_ttl(&self) -> bool {
        self.min_ttl_ms.is_some() || self.no_ttl_only
    }

    /// The glob that SCAN's MATCH may apply on the server: only when there is exactly one, because
    /// SCAN takes one. The name must still be asked here, for the other filters.
    pub fn scan_match(&self) -> Option<&[u8]> {
        match self.matches.as_slice() {
            [only] => Some(only.pattern()),
            _ => None,
        }
    }

    /// The type that SCAN's TYPE (Redis 6.0 and later) may apply on the server: only when exactly one is wanted.
    pub fn scan_type(&self) -> Option<&str> {
        match self.types.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }
}

/// An option that is not given lets everything through; one given several times lets through what any of them does.
fn any_or_none_given<T>(filters: &[T], accepts: impl FnMut(&T) -> bool) -> bool {
    filters.is_empty() || filters.iter().any(accepts)
}

#[cfg(test)]
mod tests;
