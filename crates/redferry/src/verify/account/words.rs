//! What the numbers mean.

use ::verify::Kind;

use super::Account;
use crate::args;

/// What a level compares.
pub(in crate::verify) fn sees(level: args::Level) -> &'static str {
    match level {
        args::Level::Count => "numbers of keys by database; types of a sample and memory to look at",
        args::Level::Quick => "existence, type, size and time to live of every key",
        args::Level::Full => "existence, type, value, groups and time to live of every key",
    }
}

/// What a kind of difference means.
pub(in crate::verify) fn meaning(kind: Kind) -> &'static str {
    match kind {
        Kind::Missing => "only the source has the key",
        Kind::Extra => "only the target has the key",
        Kind::Type => "the types differ",
        Kind::Value => "the values differ",
        Kind::Ttl => "the times to live differ, of the key or of a field",
        Kind::Group => "the states of the stream's groups differ",
        Kind::Unstable => "changed as long as it was looked at, and was never equal",
        Kind::NotCompared => "a side did not show the key",
    }
}

/// What to do about keys that were not compared, by the reason.
pub(in crate::verify) fn remedy(reason: &str) -> &'static str {
    match reason {
        "no_permission" => {
            "give the users of both sides the right to read these keys: +@read and +dump on all keys"
        }
        "module_versions_differ" => {
            "the two versions of the module save their values in different ways: compare them by the module's own \
             commands"
        }
        "module_value_too_big" => {
            "a module's value is read as a whole: raise --big-key, or compare it by the module's own commands"
        }
        "ttl_measured_too_vaguely" => {
            "a side or the network was too slow to measure these expiries: compare again at a quieter time, or with \
             a larger --ttl-tolerance"
        }
        _ => "compare these keys by the commands of their type; the server refused to show them",
    }
}

impl Account<'_> {
    /// What this comparison cannot have seen.
    pub(in crate::verify) fn not_seen(&self) -> Vec<&'static str> {
        let mut not_seen = Vec::new();
        if self.args.sample.is_some_and(|sample| sample.share() < 1.0) {
            not_seen.push("Keys outside of the sample: a single key that is lost is most likely not in it.");
        }
        match self.args.level {
            args::Level::Count => not_seen.extend([
                "Single keys: one that is missing and one that is too much cancel each other out.",
                "Values, types, times to live and groups.",
                "Whether keys that expire meanwhile are counted on both sides: a server counts them until it \
                 removes them.",
            ]),
            args::Level::Quick => not_seen.extend([
                "Content of the same size: changed bytes, exchanged or renamed elements, other scores.",
                "Groups of streams, last ids and pending entries; times to live of hash fields.",
            ]),
            args::Level::Full => {}
        }
        if self.args.level != args::Level::Count {
            not_seen.extend([
                "Idle times and access frequencies (LRU, LFU); delivery times of pending entries, idle times of \
                 consumers and the lag of groups. They change by being used.",
                "What only one of the two versions keeps, such as a stream's entries-added before Redis 7.",
                "What was written after a key was looked at: each key is compared at its own moment.",
            ]);
        }
        not_seen.push(
            "What is not a key: scripts, functions, users, configuration, search indexes, subscriptions.",
        );
        not_seen
    }
}
