//! Options of `check` and `copy`.

use std::path::PathBuf;

use clap::Args;

use super::quantities::bytes;
use super::{Choice, Patience, Protection, Sides};

/// What preflight may be told.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Preflight")]
pub(crate) struct Preflight {
    /// Keys that the target already has: refuse to begin, skip them, or replace them
    #[arg(long, value_name = "WAY", default_value = "refuse")]
    pub(crate) on_conflict: migration::conflict::OnConflict,
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
    /// Values above this travel in pieces, so that neither side stands still and memory stays flat
    #[arg(long, value_name = "BYTES", default_value = "8MiB", value_parser = bytes, help_heading = "How")]
    pub(crate) big_key: u64,
    /// Carry idle times or access frequencies (slower: every key is dumped)
    #[arg(long, help_heading = "How")]
    pub(crate) preserve_idle: bool,
    /// Memory for values in flight, over all nodes
    #[arg(long, value_name = "BYTES", default_value = "32MiB", value_parser = bytes, help_heading = "How")]
    pub(crate) memory: u64,
    #[command(flatten)]
    pub(crate) protection: Protection,
    #[command(flatten)]
    pub(crate) patience: Patience,
    /// Where the run's state is kept [default: redferry-copy-HASH.state.json in this folder]
    #[arg(long, value_name = "FILE", help_heading = "Resuming")]
    pub(crate) state: Option<PathBuf>,
    /// Name up to N keys per cause in the report
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "10", help_heading = "Report")]
    pub(crate) show_keys: Option<usize>,
}
