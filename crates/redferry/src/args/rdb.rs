//! Options of `rdb`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Choice, Patience, Preflight, Protection, ShowKeys, SourceSide, TargetSide, Values, Way};

const PLACES: &str = "FILE is a path, az://account/container/path, or a blob's https address with its SAS. \
                      Names that end in .gz are unpacked on the way in and packed on the way out.";

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum RdbCommand {
    /// Say what is in RDB files: keys by type, encoding and prefix, expiries, memory, and what a target would refuse
    #[command(after_help = PLACES)]
    Inspect(InspectArgs),
    /// Write a cache into an RDB file, whatever its tier
    #[command(after_help = PLACES)]
    Export(Box<ExportArgs>),
    /// Bring the keys of RDB files into a cache, beside those that it has; run it again to go on after an interruption
    #[command(after_help = PLACES)]
    Import(Box<ImportArgs>),
    /// Write an RDB file of another version, commands for redis-cli --pipe, or JSON lines
    #[command(after_help = PLACES)]
    Convert(ConvertArgs),
}

#[derive(Debug, Clone, Args)]
pub(crate) struct InspectArgs {
    /// The files; several count as the parts of one cache
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<String>,
    /// How many of the largest keys are told
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub(crate) top: u32,
    /// Name the largest keys instead of the beginnings of their names
    #[arg(long)]
    pub(crate) show_keys: bool,
    /// Write a page for people (HTML, one file)
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Write every key with its value to standard output instead, a line of JSON each
    #[arg(long, conflicts_with_all = ["top", "show_keys", "report"])]
    pub(crate) keys: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct ExportArgs {
    /// The file to write
    #[arg(value_name = "FILE")]
    pub(crate) file: String,
    #[command(flatten)]
    pub(crate) source: SourceSide,
    #[command(flatten)]
    pub(crate) way: Way,
    #[command(flatten)]
    pub(crate) choice: Choice,
    /// RDB version of the file: 9 (Redis 5 to 6.2), 10 (7.0), 11 (7.2; the newest that Azure Managed Redis imports), 12 (7.4)
    #[arg(long, value_name = "N", default_value_t = 11, value_parser = clap::value_parser!(u16).range(9..=12), help_heading = "How")]
    pub(crate) rdb_version: u16,
    /// One file for each node of the source, with -0, -1, ... in its name
    #[arg(long, help_heading = "How")]
    pub(crate) per_shard: bool,
    #[command(flatten, next_help_heading = "How")]
    pub(crate) written: Written,
    #[command(flatten)]
    pub(crate) values: Values,
    #[command(flatten)]
    pub(crate) protection: Protection,
    #[command(flatten)]
    pub(crate) patience: Patience,
    #[command(flatten, next_help_heading = "Report")]
    pub(crate) show_keys: ShowKeys,
}

#[derive(Debug, Clone, Args)]
#[command(mut_arg("preserve_idle", |idle| idle.help("Carry idle times or access frequencies where the file has them")))]
pub(crate) struct ImportArgs {
    /// The files, one after the other
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<String>,
    #[command(flatten)]
    pub(crate) target: TargetSide,
    #[command(flatten)]
    pub(crate) way: Way,
    #[command(flatten)]
    pub(crate) choice: Choice,
    #[command(flatten)]
    pub(crate) preflight: Preflight,
    /// Do not read the files through before anything is written: a damaged file and databases that the target does not
    /// have are found when they are reached
    #[arg(long, help_heading = "Preflight")]
    pub(crate) single_pass: bool,
    /// Load the files' functions too, replacing libraries of the same name
    #[arg(long, help_heading = "How")]
    pub(crate) functions: bool,
    #[command(flatten)]
    pub(crate) values: Values,
    /// Write no more keys per second than this
    #[arg(long, value_name = "N", help_heading = "Target protection")]
    pub(crate) max_keys_per_sec: Option<std::num::NonZeroU64>,
    /// Write no more bytes per second than this, such as 50MB
    #[arg(long, value_name = "BYTES", value_parser = super::quantities::nonzero_bytes, help_heading = "Target protection")]
    pub(crate) max_bytes_per_sec: Option<std::num::NonZeroU64>,
    #[command(flatten)]
    pub(crate) patience: Patience,
    /// Where the run's state is kept [default: redferry-import-HASH.state.json in this folder]
    #[arg(long, value_name = "FILE", help_heading = "Resuming")]
    pub(crate) state: Option<PathBuf>,
    #[command(flatten, next_help_heading = "Report")]
    pub(crate) show_keys: ShowKeys,
}

#[derive(Debug, Clone, Args)]
#[command(disable_version_flag = true, group = clap::ArgGroup::new("form").required(true))]
pub(crate) struct ConvertArgs {
    /// The file to read
    #[arg(value_name = "IN")]
    pub(crate) from: String,
    /// The file to write; - is standard output
    #[arg(value_name = "OUT")]
    pub(crate) to_file: String,
    /// An RDB file of this version: 9 (Redis 5 to 6.2), 10 (7.0), 11 (7.2; the newest that Azure Managed Redis imports), 12 (7.4)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(9..=12), group = "form")]
    pub(crate) version: Option<u16>,
    /// Something else than an RDB file
    #[arg(long, value_name = "FORM", value_enum, group = "form")]
    pub(crate) to: Option<Form>,
    #[command(flatten)]
    pub(crate) written: Written,
    #[command(flatten, next_help_heading = "Report")]
    pub(crate) show_keys: ShowKeys,
}

/// How a file is written.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Written {
    /// Compress, whatever the name ends in
    #[arg(long)]
    pub(crate) gzip: bool,
    /// Replace a file that exists
    #[arg(long)]
    pub(crate) overwrite: bool,
}

/// What a file is converted to when not to an RDB file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// Commands for redis-cli --pipe
    Resp,
    /// A line of JSON for each key, as inspect --keys writes them
    Json,
}
