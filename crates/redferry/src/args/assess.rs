//! Options of `assess`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use planner::assess::Strategy;
use planner::sku::Module;

use super::quantities::duration;
use super::{CatalogFolder, PriceFacts, Way};

#[derive(Debug, Clone, Args)]
pub(crate) struct AssessArgs {
    /// The cache to move; it is only ever read. Without it, a plan is made from --arm and --metrics alone
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "REDFERRY_SOURCE",
        hide_env_values = true,
        help_heading = "Connection"
    )]
    pub(crate) source: Option<String>,
    /// Read the source's password from this file (else from REDFERRY_SOURCE_PASSWORD)
    #[arg(long, value_name = "FILE", help_heading = "Connection")]
    pub(crate) source_password_file: Option<PathBuf>,
    /// Ask for the source's password on the terminal
    #[arg(long, conflicts_with = "source_password_file", help_heading = "Connection")]
    pub(crate) source_password_prompt: bool,
    /// Connect to the caches of --fleet where that is a list of resources, too; addresses always are
    #[arg(long, requires = "fleet", help_heading = "Connection")]
    pub(crate) connect: bool,
    /// For --fleet: a folder with a file for each cache's password, called as the cache or its host
    #[arg(long, value_name = "DIR", requires = "fleet", conflicts_with_all = ["source_password_file", "source_password_prompt"], help_heading = "Connection")]
    pub(crate) source_passwords: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) way: Way,
    /// The resource as `az redis show -o json` prints it, or an ARM template with it; - is standard input
    #[arg(long, value_name = "FILE", help_heading = "What is known")]
    pub(crate) arm: Option<PathBuf>,
    /// Metrics as `az monitor metrics list -o json` prints them; with --fleet a folder with a NAME.json for each cache
    #[arg(long, value_name = "FILE", help_heading = "What is known")]
    pub(crate) metrics: Option<PathBuf>,
    /// The sources of the applications: what in them has to change (see redferry connection scan)
    #[arg(long, value_name = "DIR", help_heading = "What is known")]
    pub(crate) app: Option<PathBuf>,
    /// Several caches: a file of addresses, one a line, or what `az redis list -o json` prints
    #[arg(long, value_name = "FILE", conflicts_with = "app", help_heading = "What is known")]
    pub(crate) fleet: Option<PathBuf>,
    /// Keys that are looked at for types, sizes and times to live, at most; 0 looks at none
    #[arg(long, value_name = "N", default_value_t = 10_000, help_heading = "What is known")]
    pub(crate) sample: u64,
    /// The data can be made again from elsewhere, or cannot
    #[arg(long, value_name = "yes|no", num_args = 0..=1, default_missing_value = "yes", value_parser = yes_or_no, help_heading = "What only you know")]
    pub(crate) rebuildable: Option<bool>,
    /// All clients can speak the cluster protocol, or cannot
    #[arg(long, value_name = "yes|no", num_args = 0..=1, default_missing_value = "yes", value_parser = yes_or_no, help_heading = "What only you know")]
    pub(crate) cluster_aware: Option<bool>,
    /// How long writes may stand still
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "What only you know")]
    pub(crate) max_downtime: Option<Duration>,
    /// Modules that the new cache shall have: search, json, timeseries, bloom
    #[arg(long, value_name = "LIST", value_delimiter = ',', help_heading = "What only you know")]
    pub(crate) modules: Vec<Module>,
    /// Plan for this way instead of the best: sync, rebuild, export-import, dual-write or arm-migration
    #[arg(long, value_name = "WAY", value_parser = strategy, help_heading = "What only you know")]
    pub(crate) strategy: Option<Strategy>,
    /// Region of the target, such as westus2; the source's when nothing is said
    #[arg(long, help_heading = "What only you know")]
    pub(crate) region: Option<String>,
    #[command(flatten)]
    pub(crate) prices: PriceFacts,
    #[command(flatten)]
    pub(crate) catalog: CatalogFolder,
    /// Write the plan for people: .html is one page without script, .md is Markdown; may be repeated. For a fleet this is
    /// the index, and the name of each cache goes before the ending of its own
    #[arg(long, value_name = "FILE", help_heading = "Report")]
    pub(crate) report: Vec<PathBuf>,
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("write yes or no".into()),
    }
}

fn strategy(text: &str) -> Result<Strategy, String> {
    let name = text.replace('-', "_");
    let found = Strategy::ALL.into_iter().find(|strategy| strategy.as_str() == name);
    found.ok_or_else(|| "write sync, rebuild, export-import, dual-write or arm-migration".into())
}
