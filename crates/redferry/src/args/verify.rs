//! Options of `verify`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use verify::Sample;

use super::quantities::{duration, share};
use super::{BigKey, Choice, Patience, Protection, ShowKeys, Sides};

#[derive(Debug, Clone, Args)]
#[command(mut_arg("show_keys", |keys| keys.help("Name up to N keys per kind of difference in the report")))]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) sides: Sides,
    #[command(flatten)]
    pub(crate) choice: Choice,
    /// How closely both sides are compared
    #[arg(long, value_enum, default_value_t = Level::Full, help_heading = "How")]
    pub(crate) level: Level,
    /// Compare a part of all keys only, such as 1%; by their names, so always the same ones
    #[arg(long, value_name = "PERCENT", value_parser = share, help_heading = "How")]
    pub(crate) sample: Option<Sample>,
    /// Expiries that differ by no more than this are equal
    #[arg(long, value_name = "TIME", default_value = "20ms", value_parser = duration, help_heading = "How")]
    pub(crate) ttl_tolerance: Duration,
    /// How long a key that differs is looked at again before it is reported; 0s reports at once
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration, help_heading = "How")]
    pub(crate) until_stable: Duration,
    #[command(flatten)]
    pub(crate) big_key: BigKey,
    #[command(flatten)]
    pub(crate) protection: Protection,
    #[command(flatten)]
    pub(crate) patience: Patience,
    /// Keep the run's state in this file, so that the same command goes on after an interruption
    #[arg(long, value_name = "FILE", help_heading = "Resuming")]
    pub(crate) state: Option<PathBuf>,
    /// Copy the keys that differ from the source to the target, and compare them again
    #[arg(long, help_heading = "Repair")]
    pub(crate) repair: bool,
    /// Also delete keys that only the target has
    #[arg(long, requires = "repair", help_heading = "Repair")]
    pub(crate) delete_extra: bool,
    /// Write nothing, only say what a repair would do
    #[arg(long, requires = "repair", help_heading = "Repair")]
    pub(crate) dry_run: bool,
    #[command(flatten, next_help_heading = "Report")]
    pub(crate) show_keys: ShowKeys,
    /// Write a page for people (HTML, one file) that can be attached to a change request
    #[arg(long, value_name = "FILE", help_heading = "Report")]
    pub(crate) report: Option<PathBuf>,
}

/// How closely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Level {
    /// Totals only: seconds, whatever the size
    Count,
    /// Existence, type, size and time to live of every key
    Quick,
    /// Every value too
    Full,
}

impl VerifyArgs {
    /// Whether a repair writes to the target.
    pub(crate) fn writes(&self) -> bool {
        self.repair && !self.dry_run
    }

    /// An option that totals cannot do justice to, if they are asked for with one.
    pub(crate) fn at_odds_with_count(&self) -> Option<&'static str> {
        if self.level != Level::Count {
            return None;
        }
        let choice = &self.choice;
        [
            ("--repair", self.repair),
            ("--sample", self.sample.is_some()),
            ("--match", !choice.matches.is_empty()),
            ("--exclude", !choice.exclude.is_empty()),
            ("--regex", !choice.regex.is_empty()),
            ("--type", !choice.types.is_empty()),
            ("--min-ttl", choice.min_ttl.is_some()),
            ("--no-ttl-only", choice.no_ttl_only),
            ("--slots", !choice.slots.is_empty()),
            ("--rename", !choice.rename.is_empty()),
        ]
        .into_iter()
        .find_map(|(option, given)| given.then_some(option))
    }
}
