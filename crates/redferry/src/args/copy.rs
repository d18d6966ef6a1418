//! Options of `check` and `copy`.

use std::path::PathBuf;

use clap::Args;

use super::quantities::bytes;
use super::{Choice, Patience, Protection, ShowKeys, Sides, Values};

/// What preflight may be told.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Preflight")]
pub(crate) struct Preflight {
    /// Keys that the target already has: refuse to begin, skip them, or replace them
    #[arg(long, value_name = "WAY", default_value = "refuse")]
    pub(crate) on_conflict: migration::conflict::OnConflict,
    #[command(flatten)]
    pub(crate) told: Told,
}

/// What it cannot find out, or shall not mind.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Preflight")]
pub(crate) struct Told {
    /// Memory of the target, such as 24GB, where it does not tell
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub(crate) target_memory: Option<u64>,
    /// Go on although this check refuses; the name is in the table; may be repeated
    #[arg(long, value_name = "CHECK")]
    pub(crate) skip_check: Vec<String>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) sides: Sides,
    #[command(flatten)]
    pub(crate) choice: Choice,
    #[command(flatten)]
    pub(crate) preflight: Preflight,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct CopyArgs {
    #[command(flatten)]
    pub(crate) sides: Sides,
    #[command(flatten)]
    pub(crate) choice: Choice,
    #[command(flatten)]
    pub(crate) preflight: Preflight,
    /// Empty the target first; its host name must be typed, or given by --confirm-flush
    #[arg(long, help_heading = "Preflight")]
    pub(crate) flush_target: bool,
    /// The target's host name, as a sign that it really shall be emptied
    #[arg(long, value_name = "HOST", requires = "flush_target", help_heading = "Preflight")]
    pub(crate) confirm_flush: Option<String>,
    #[command(flatten)]
    pub(crate) values: Values,
    #[command(flatten)]
    pub(crate) protection: Protection,
    #[command(flatten)]
    pub(crate) patience: Patience,
    /// Where the run's state is kept [default: redferry-copy-HASH.state.json in this folder]
    #[arg(long, value_name = "FILE", help_heading = "Resuming")]
    pub(crate) state: Option<PathBuf>,
    #[command(flatten, next_help_heading = "Report")]
    pub(crate) show_keys: ShowKeys,
}
