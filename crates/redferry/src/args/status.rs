//! Options of `status`.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Clone, Args)]
pub(crate) struct StatusArgs {
    /// The state file of the sync that is meant [default: the only redferry-sync-*.state.json in this folder]
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    /// Look again every second until Ctrl-C or the end of the sync
    #[arg(long)]
    pub(crate) watch: bool,
}
