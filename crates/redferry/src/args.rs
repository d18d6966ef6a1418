//! What can be typed: commands, options and their help.

mod assess;
mod connection;
mod copy;
mod plan;
mod prices;
mod quantities;
mod rdb;
mod status;
mod sync;
mod turning;
mod values;
mod verify;

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use self::assess::AssessArgs;
pub(crate) use self::connection::{ConnectionCommand, NewCache, RewriteArgs, ScanArgs, TalkArgs};
pub(crate) use self::copy::{CheckArgs, CopyArgs, Preflight, Told};
pub(crate) use self::plan::{
    CatalogFolder, DatesArgs, FeaturesArgs, ListArgs, MapArgs, PriceArgs, RecommendArgs, SkuCommand,
};
pub(crate) use self::prices::{PriceChoice, PriceFacts};
use self::quantities::{duration, nonzero_bytes};
pub(crate) use self::rdb::{ConvertArgs, ExportArgs, Form, ImportArgs, InspectArgs, RdbCommand, Written};
pub(crate) use self::status::StatusArgs;
pub(crate) use self::sync::{FeedChoice, SyncArgs};
pub(crate) use self::turning::{Compared, TurnArgs};
pub(crate) use self::values::{BigKey, Values};
pub(crate) use self::verify::{Level, VerifyArgs};

/// Move a live Redis cache from Azure Cache for Redis to Azure Managed Redis and prove that nothing was lost.
///
/// An ADDRESS is a URL (redis://, rediss://), a connection string as the Azure portal shows it
/// (name.redis.cache.windows.net:6380,password=...,ssl=True), or host:port. Keep passwords out of it:
/// set REDFERRY_SOURCE_PASSWORD and REDFERRY_TARGET_PASSWORD, or use the options for a file or a prompt.
#[derive(Debug, Parser)]
#[command(name = "redferry", version, propagate_version = true, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// How results are printed on standard output; progress and messages go to standard error
    #[arg(long, global = true, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
    /// Say more; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// No progress, only warnings and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
}

const EXIT_CODES: &str = "Exit codes: 0 done and equal; 1 done, with differences, skipped or failed keys; \
                          2 usage; 3 refused before anything was done; 4 interrupted, the same command goes on; 5 failed";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people
    Text,
    /// Exactly one JSON document
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Look at both caches and say whether a copy can work, without changing anything
    Check(Box<CheckArgs>),
    /// Copy all keys from the source to the target; run it again to go on after an interruption
    Copy(Box<CopyArgs>),
    /// Copy all keys and carry every change after that, for as long as it runs; cutover and rollback steer it
    Sync(Box<SyncArgs>),
    /// Ask a running sync how it stands
    Status(StatusArgs),
    /// Put the target in charge of a running sync, once nobody writes and both sides are equal; changes are carried back
    /// from then on
    Cutover(TurnArgs),
    /// Put the source in charge again, in the same way
    Rollback(TurnArgs),
    /// Compare both caches key by key, both ways, and say what differs; with --repair make it equal
    Verify(Box<VerifyArgs>),
    /// Look into RDB files, write them from a cache, bring them into one, change their version
    #[command(subcommand)]
    Rdb(Box<RdbCommand>),
    /// What a move of a cache needs: what stands in the way, size, price, policy, network, way, and the steps in order
    Assess(Box<AssessArgs>),
    /// Which size of Azure Managed Redis: the guide's mapping, what fits a use, what there is; nothing is connected to
    #[command(subcommand)]
    Sku(Box<SkuCommand>),
    /// What a move to Azure Managed Redis gains, loses and changes, and which commands need their keys in one slot
    /// under which clustering policy
    Features(FeaturesArgs),
    /// What a cache costs in a month, and what it would cost as Azure Managed Redis
    Price(PriceArgs),
    /// The connection settings of applications: convert them, find them in sources, try an address
    #[command(subcommand)]
    Connection(Box<ConnectionCommand>),
    /// When Azure Cache for Redis retires, and the days that are left
    Dates(DatesArgs),
}

/// The two sides.
#[derive(Debug, Clone, Args)]
pub(crate) struct Sides {
    #[command(flatten)]
    pub(crate) source: SourceSide,
    #[command(flatten)]
    pub(crate) target: TargetSide,
    #[command(flatten)]
    pub(crate) way: Way,
}

/// The cache that keys come from.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct SourceSide {
    /// The cache that keys come from; it is only read (by sync until a cut-over: then changes are carried back)
    #[arg(long = "source", value_name = "ADDRESS", env = "REDFERRY_SOURCE", hide_env_values = true)]
    pub(crate) source: String,
    /// Read the source's password from this file (else from REDFERRY_SOURCE_PASSWORD)
    #[arg(long, value_name = "FILE")]
    pub(crate) source_password_file: Option<PathBuf>,
    /// Ask for the source's password on the terminal
    #[arg(long, conflicts_with = "source_password_file")]
    pub(crate) source_password_prompt: bool,
}

/// The cache that keys go to.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct TargetSide {
    /// The cache that keys go to
    #[arg(long = "target", value_name = "ADDRESS", env = "REDFERRY_TARGET", hide_env_values = true)]
    pub(crate) target: String,
    /// Read the target's password from this file (else from REDFERRY_TARGET_PASSWORD)
    #[arg(long, value_name = "FILE")]
    pub(crate) target_password_file: Option<PathBuf>,
    /// Ask for the target's password on the terminal
    #[arg(long, conflicts_with = "target_password_file")]
    pub(crate) target_password_prompt: bool,
}

/// How caches are connected to.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Way {
    /// Certificate authorities to trust besides the system's (PEM)
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Client certificate to show (PEM)
    #[arg(long, value_name = "FILE")]
    pub(crate) client_cert: Option<PathBuf>,
    /// Key of the client certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    pub(crate) client_key: Option<PathBuf>,
    /// Accept ANY certificate: whoever sits between here and the cache can read and change everything
    #[arg(long)]
    pub(crate) insecure: bool,
    /// How long one connection attempt may take
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub(crate) connect_timeout: Duration,
}

/// Which keys, and under which names.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Which keys, and their names on the target")]
pub(crate) struct Choice {
    /// Databases of the source, such as 0,3
    #[arg(long = "db", value_name = "LIST", conflicts_with = "all_dbs")]
    pub(crate) dbs: Option<String>,
    /// All databases of the source that hold keys
    #[arg(long)]
    pub(crate) all_dbs: bool,
    /// Put a database of the source into another one of the target, such as 3=0
    #[arg(long, value_name = "FROM=TO")]
    pub(crate) db_map: Vec<String>,
    /// Put a prefix before the keys of a database, such as 3=billing:
    #[arg(long, value_name = "DB=PREFIX")]
    pub(crate) db_prefix: Vec<String>,
    /// Put all databases into database 0, with a prefix for all but database 0
    #[arg(long, value_name = "PATTERN", num_args = 0..=1, default_missing_value = "db{db}:")]
    pub(crate) prefix_by_db: Option<String>,
    /// Only keys that match this glob (as KEYS and SCAN MATCH have it); may be repeated
    #[arg(long = "match", value_name = "GLOB")]
    pub(crate) matches: Vec<String>,
    /// No keys that match this glob; may be repeated
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// Only keys in which this regular expression is found; may be repeated
    #[arg(long, value_name = "REGEX")]
    pub(crate) regex: Vec<String>,
    /// Only keys of these types: string, list, set, zset, hash, stream or a module's type name
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',')]
    pub(crate) types: Vec<String>,
    /// Only keys that live at least this long (keys without expiry do)
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) min_ttl: Option<Duration>,
    /// Only keys without expiry
    #[arg(long, conflicts_with = "min_ttl")]
    pub(crate) no_ttl_only: bool,
    /// Only keys of these hash slots, such as 0-5460 or 77; may be repeated
    #[arg(long, value_name = "RANGE", value_delimiter = ',')]
    pub(crate) slots: Vec<String>,
    /// Exchange a prefix of key names, such as old:=new:; may be repeated
    #[arg(long, value_name = "OLD=NEW")]
    pub(crate) rename: Vec<String>,
}

/// How the source is spared.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Source protection")]
pub(crate) struct Protection {
    /// Read no more keys per second than this, over all nodes
    #[arg(long, value_name = "N")]
    pub(crate) max_keys_per_sec: Option<NonZeroU64>,
    /// Read no more bytes per second than this, over all nodes, such as 50MB
    #[arg(long, value_name = "BYTES", value_parser = nonzero_bytes)]
    pub(crate) max_bytes_per_sec: Option<NonZeroU64>,
    /// Slow down while the source takes longer than this to answer a PING; 0 never slows down
    #[arg(long, value_name = "TIME", default_value = "50ms", value_parser = duration)]
    max_latency: Duration,
    /// Keys that one SCAN asks for, at most
    #[arg(long, value_name = "N", default_value_t = engine::SCAN_COUNT, value_parser = clap::value_parser!(u32).range(1..=100_000), help_heading = "How")]
    pub(crate) scan_count: u32,
}

impl Protection {
    /// Above this the source is slow; none when that shall not matter.
    pub(crate) fn max_latency(self) -> Option<Duration> {
        (self.max_latency > Duration::ZERO).then_some(self.max_latency)
    }
}

/// How long a side is waited for.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Resuming")]
pub(crate) struct Patience {
    /// How long a side may be unreachable before the run gives up
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration)]
    pub(crate) give_up_after: Duration,
    /// A due answer that does not come for this long means a dead connection
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub(crate) silence: Duration,
}

/// Whether keys are named.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct ShowKeys {
    /// Name up to N keys per cause in the report
    #[arg(long = "show-keys", id = "show_keys", value_name = "N", num_args = 0..=1, default_missing_value = "10")]
    most: Option<usize>,
}

impl ShowKeys {
    /// How many at most; 0 names none.
    pub(crate) fn most(self) -> usize {
        self.most.unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}
