//! What can be typed: commands, options and their help.

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

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
                          2 usage; 3 refused by preflight; 4 interrupted, the same command goes on; 5 failed";

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
}

/// The two sides.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Sides {
    /// Cache to copy from; it is only ever read
    #[arg(long, value_name = "ADDRESS", env = "REDFERRY_SOURCE", hide_env_values = true)]
    pub(crate) source: String,
    /// Cache to copy to
    #[arg(long, value_name = "ADDRESS", env = "REDFERRY_TARGET", hide_env_values = true)]
    pub(crate) target: String,
    /// Read the source's password from this file (else from REDFERRY_SOURCE_PASSWORD)
    #[arg(long, value_name = "FILE")]
    pub(crate) source_password_file: Option<PathBuf>,
    /// Ask for the source's password on the terminal
    #[arg(long, conflicts_with = "source_password_file")]
    pub(crate) source_password_prompt: bool,
    /// Read the target's password from this file (else from REDFERRY_TARGET_PASSWORD)
    #[arg(long, value_name = "FILE")]
    pub(crate) target_password_file: Option<PathBuf>,
    /// Ask for the target's password on the terminal
    #[arg(long, conflicts_with = "target_password_file")]
    pub(crate) target_password_prompt: bool,
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
#[command(next_help_heading = "What is copied")]
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
    /// Keys that one SCAN asks for, at most
    #[arg(long, value_name = "N", default_value_t = engine::SCAN_COUNT, value_parser = clap::value_parser!(u32).range(1..=100_000), help_heading = "How")]
    pub(crate) scan_count: u32,
    /// Memory for values in flight, over all nodes
    #[arg(long, value_name = "BYTES", default_value = "32MiB", value_parser = bytes, help_heading = "How")]
    pub(crate) memory: u64,
    /// Read no more keys per second than this, over all nodes
    #[arg(long, value_name = "N", help_heading = "Source protection")]
    pub(crate) max_keys_per_sec: Option<NonZeroU64>,
    /// Read no more bytes per second than this, over all nodes, such as 50MB
    #[arg(long, value_name = "BYTES", value_parser = nonzero_bytes, help_heading = "Source protection")]
    pub(crate) max_bytes_per_sec: Option<NonZeroU64>,
    /// Slow down while the source takes longer than this to answer a PING; 0 never slows down
    #[arg(long, value_name = "TIME", default_value = "50ms", value_parser = duration, help_heading = "Source protection")]
    pub(crate) max_latency: Duration,
    /// How long a side may be unreachable before the copy gives up (it can be resumed then)
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration, help_heading = "Resuming")]
    pub(crate) give_up_after: Duration,
    /// A due answer that does not come for this long means a dead connection
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration, help_heading = "Resuming")]
    pub(crate) silence: Duration,
    /// Where the run's state is kept [default: redferry-copy-HASH.state.json in this folder]
    #[arg(long, value_name = "FILE", help_heading = "Resuming")]
    pub(crate) state: Option<PathBuf>,
    /// Name up to N keys per cause in the report
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "10", help_heading = "Report")]
    pub(crate) show_keys: Option<usize>,
}

/// A time such as 250ms, 30s, 5m, 2h, 1d; a number alone is seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return Err("write a time such as 250ms, 30s, 5m, 2h or 1d".into()),
    };
    let number: f64 =
        number.parse().map_err(|_| "write a time such as 250ms, 30s, 5m, 2h or 1d".to_owned())?;
    Duration::try_from_secs_f64(number * factor).map_err(|_| "this time is too long".into())
}

/// Bytes such as 4096, 512KiB, 8MB, 2GiB.
fn bytes(text: &str) -> Result<u64, String> {
    let wrong = || "write bytes such as 4096, 512KiB, 8MB or 2GiB".to_owned();
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor: f64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kib" => 1024.0,
        "kb" => 1e3,
        "m" | "mib" => 1024.0 * 1024.0,
        "mb" => 1e6,
        "g" | "gib" => 1024.0 * 1024.0 * 1024.0,
        "gb" => 1e9,
        "t" | "tib" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        "tb" => 1e12,
        _ => return Err(wrong()),
    };
    let number: f64 = number.parse().map_err(|_| wrong())?;
    Ok((number * factor) as u64)
}

fn nonzero_bytes(text: &str) -> Result<NonZeroU64, String> {
    NonZeroU64::new(bytes(text)?).ok_or_else(|| "0 bytes per second would never end".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn times_and_bytes_are_read_as_people_write_them() {
        assert_eq!(duration("250ms").unwrap(), Duration::from_millis(250));
        assert_eq!(duration("1.5h").unwrap(), Duration::from_secs(5400));
        assert!(duration("soon").is_err() && duration("5 weeks").is_err() && duration("").is_err());
        assert_eq!(bytes("8MiB").unwrap(), 8 << 20);
        assert_eq!(bytes("50MB").unwrap(), 50_000_000);
        assert!(bytes("lots").is_err() && nonzero_bytes("0").is_err());
    }
}
