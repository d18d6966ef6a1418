//! Options of how values travel.

use clap::Args;

use super::quantities::bytes;

/// When a value is read and written in pieces.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "How")]
pub(crate) struct BigKey {
    /// Values above this travel in pieces, so that no server stands still and memory stays flat
    #[arg(long = "big-key", value_name = "BYTES", default_value = "8MiB", value_parser = bytes)]
    pub(crate) above: u64,
}

impl BigKey {
    /// Pieces cost a value some round trips more: below this many bytes that is never worth it.
    const SMALLEST: u64 = 64 * 1024;

    /// Above this many bytes a value that is carried goes in pieces.
    pub(crate) fn carried(self) -> u64 {
        self.above.max(Self::SMALLEST)
    }
}

/// What holds for all values that are carried.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "How")]
pub(crate) struct Values {
    #[command(flatten)]
    pub(crate) big_key: BigKey,
    /// Carry idle times or access frequencies (slower: every key is dumped)
    #[arg(long)]
    pub(crate) preserve_idle: bool,
    /// Memory for values in flight, over all nodes
    #[arg(long, value_name = "BYTES", default_value = "32MiB", value_parser = bytes)]
    pub(crate) memory: u64,
}
