//! Options of `cutover` and `rollback`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use verify::Sample;

use super::quantities::{duration, share};

#[derive(Debug, Clone, Args)]
pub(crate) struct TurnArgs {
    /// The state file of the sync that is meant [default: the only redferry-sync-*.state.json in this folder]
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    /// Only say which conditions are met and which are not
    #[arg(long)]
    pub(crate) check: bool,
    /// Nobody must have written for this long
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = duration, help_heading = "When")]
    pub(crate) expect_quiet: Duration,
    /// How long that may take; what still changes is shown meanwhile
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration, help_heading = "When")]
    pub(crate) wait: Duration,
    /// Which keys are compared before the other cache takes over
    #[arg(long, value_enum, default_value_t = Compared::Sample, help_heading = "When")]
    pub(crate) verify: Compared,
    /// How many keys a sample has
    #[arg(long, value_name = "PERCENT", default_value = "1%", value_parser = share, help_heading = "When")]
    pub(crate) sample: Sample,
    /// Go on although keys differ, or a side refuses some
    #[arg(long, help_heading = "When")]
    pub(crate) accept_differences: bool,
    /// Do not go on while there are keys that the other version cannot hold
    #[arg(long, help_heading = "When")]
    pub(crate) refuse_incompatible: bool,
    /// End the sync at that moment: what changes afterwards is not carried back, and nothing can be taken back without
    /// comparing everything
    #[arg(long, help_heading = "Afterwards")]
    pub(crate) no_way_back: bool,
}

/// Which keys are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Compared {
    /// Those that changed within the last five minutes, as far as names are kept (some hundred a second), and a sample of
    /// all
    Sample,
    /// All of them
    Full,
    /// None
    None,
}
