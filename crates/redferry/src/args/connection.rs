//! Options of `connection`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use planner::ClusteringPolicy;
use planner::connection::{Form, Wish};

use super::quantities::nonzero_bytes;
use super::{CatalogFolder, Way};

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ConnectionCommand {
    /// Settings for Azure Cache for Redis as those for Azure Managed Redis; nothing is connected to
    Convert(RewriteArgs),
    /// Look through the sources of an application for what a move changes; with --fix rewrite what is safe
    Scan(ScanArgs),
    /// Connect to an address as a client would, and say what is there
    Check(TalkArgs),
}

/// The new cache.
#[derive(Debug, Clone, Args)]
pub(crate) struct NewCache {
    /// Host of the new cache, as `hostName` of the resource has it
    #[arg(long, value_name = "HOST")]
    pub(crate) to_host: Option<String>,
    /// Its region, such as westeurope: the host is guessed from it
    #[arg(long, conflicts_with = "to_host")]
    pub(crate) region: Option<String>,
    /// Its clustering policy: NoCluster, OSSCluster or EnterpriseCluster
    #[arg(long)]
    pub(crate) policy: Option<ClusteringPolicy>,
}

impl NewCache {
    pub(crate) fn wish(&self) -> Wish {
        Wish {
            to_host: self.to_host.clone(),
            region: self.region.clone(),
            policy: self.policy,
            ..Wish::default()
        }
    }
}

#[derive(Debug, Clone, Args)]
pub(crate) struct RewriteArgs {
    /// The settings: a connection string, a URL, or the text of a file; - reads standard input
    #[arg(
        value_name = "TEXT",
        required_unless_present = "file",
        conflicts_with = "file",
        allow_hyphen_values = true
    )]
    pub(crate) text: Option<String>,
    /// Read them from this file, which stays as it is
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// stack-exchange, url, json, xml, properties, env, yaml or source; told by the text when none is given
    #[arg(long)]
    pub(crate) form: Option<Form>,
    #[command(flatten)]
    pub(crate) new: NewCache,
    /// Microsoft Entra ID instead of access keys: take the passwords out
    #[arg(long)]
    pub(crate) entra: bool,
    #[command(flatten)]
    pub(crate) catalog: CatalogFolder,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct ScanArgs {
    /// The sources: a folder, or one file
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    #[command(flatten)]
    pub(crate) new: NewCache,
    /// Show what can be rewritten safely as a diff, and ask on a terminal whether to write it
    #[arg(long)]
    pub(crate) fix: bool,
    /// Write without a question
    #[arg(long, requires = "fix")]
    pub(crate) yes: bool,
    /// Skip larger files
    #[arg(long, value_name = "BYTES", default_value = "2MB", value_parser = nonzero_bytes)]
    pub(crate) max_file: std::num::NonZeroU64,
    #[command(flatten)]
    pub(crate) catalog: CatalogFolder,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct TalkArgs {
    /// A URL, a connection string or host:port
    #[arg(value_name = "ADDRESS")]
    pub(crate) address: String,
    /// Read the password from this file (else from REDFERRY_PASSWORD)
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// Ask for the password on the terminal
    #[arg(long, conflicts_with = "password_file")]
    pub(crate) password_prompt: bool,
    #[command(flatten)]
    pub(crate) way: Way,
}
