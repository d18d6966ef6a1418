//! Options of `sync`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum, value_parser};
use migration::conflict::OnConflict;

use super::quantities::{bytes, duration};
use super::{BigKey, Choice, Patience, Preflight, Protection, ShowKeys, Sides, Told};
use crate::endpoint::Listen;

const NAMED: &str =
    "Name up to N keys in the status and the report: those that change most, differ, or are refused";

#[derive(Debug, Clone, Args)]
#[command(mut_arg("show_keys", |keys| keys.help(NAMED)))]
pub(crate) struct SyncArgs {
    #[command(flatten)]
    pub(crate) sides: Sides,
    #[command(flatten)]
    pub(crate) choice: Choice,
    /// Take a target that holds keys: those of the same name are overwritten, and those that the source does not have
    /// are DELETED
    #[arg(long, help_heading = "Preflight")]
    pub(crate) adopt_target: bool,
    #[command(flatten)]
    pub(crate) told: Told,
    /// End when everything is carried and nobody has written to the source for this long; else it goes on until it is
    /// stopped
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "How")]
    pub(crate) until_quiet: Option<Duration>,
    /// How the source says which keys change
    #[arg(long, value_enum, default_value_t = FeedChoice::Auto, help_heading = "How")]
    pub(crate) feed: FeedChoice,
    /// Connections to each node on which it says that: with 2, one of them may be lost without a gap
    #[arg(long, value_name = "1|2", default_value_t = 1, value_parser = value_parser!(u8).range(1..=2),
          help_heading = "How")]
    pub(crate) feeds: u8,
    /// Memory for names of changed keys that are not carried yet, over all nodes; what does not fit is compared again
    #[arg(long, value_name = "BYTES", default_value = "256MiB", value_parser = bytes, help_heading = "How")]
    pub(crate) marks: u64,
    #[command(flatten)]
    pub(crate) big_key: BigKey,
    #[command(flatten)]
    pub(crate) protection: Protection,
    #[command(flatten)]
    pub(crate) patience: Patience,
    /// Where it is kept which cache is in charge [default: redferry-sync-HASH.state.json in this folder]
    #[arg(long, value_name = "FILE", help_heading = "Resuming")]
    pub(crate) state: Option<PathBuf>,
    /// Where it tells how it stands, over HTTP (see redferry status): an IP address with a port, 0 for any free one, or
    /// off
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0", help_heading = "Status")]
    pub(crate) listen: Listen,
    #[command(flatten, next_help_heading = "Report")]
    pub(crate) show_keys: ShowKeys,
}

/// How changes are heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FeedChoice {
    /// Tracking where the source allows it, else events where they are switched on
    Auto,
    /// CLIENT TRACKING: needs Redis 6 and no configuration
    Tracking,
    /// Keyspace notifications: notify-keyspace-events must be set to at least AE
    Events,
}

impl SyncArgs {
    /// What preflight is told.
    pub(crate) fn preflight(&self) -> Preflight {
        Preflight {
            on_conflict: if self.adopt_target { OnConflict::Replace } else { OnConflict::Refuse },
            told: self.told.clone(),
        }
    }

    /// A filter by what changes while keys are followed, if one is given.
    pub(crate) fn filter_that_changes(&self) -> Option<&'static str> {
        let choice = &self.choice;
        [
            ("--type", !choice.types.is_empty()),
            ("--min-ttl", choice.min_ttl.is_some()),
            ("--no-ttl-only", choice.no_ttl_only),
        ]
        .into_iter()
        .find_map(|(option, given)| given.then_some(option))
    }
}
