//! `cargo xtask bench`: what redferry costs, beside what others need for the same on the same machine.
//!
//! Wall time on a shared machine says little alone. So every round measures redferry and what it is compared with one
//! after the other, and the rounds' medians or ratios are what is looked at.

mod copy;
mod data;
mod machine;
mod rdb;
mod run;
mod statistics;
mod sync;
mod table;
mod verify;

use anyhow::{Context as _, Result, ensure};
use clap::{Args, Subcommand};
use testkit::server::Reply;
use testkit::{Access, Server};

use data::DataSet;
use machine::Manners;
use table::Layout;

#[derive(Debug, Clone, Subcommand)]
pub enum Bench {
    /// `redferry copy` against the limit that the two servers set, and against their own full sync
    Copy {
        #[command(flatten)]
        ways: Ways,
        /// Encrypted connections, for redferry and for the limit
        #[arg(long)]
        tls: bool,
    },
    /// `redferry verify` against `redferry copy` of the same data, and against a plain comparison by the redis crate
    Verify {
        #[command(flatten)]
        ways: Ways,
        /// How many strings of 100 bytes, such as 10m (on both servers together 4 GB of memory); may be repeated
        #[arg(long, value_name = "NUMBER", value_parser = data::number, default_value = "1m")]
        keys: Vec<u64>,
    },
    /// Parsing RDB files against librdb, and `redferry rdb import` against the server's own loading and against the limit
    Rdb(rdb::Options),
    /// `redferry sync`: how late changes arrive, and what following costs the source and redferry
    Sync(sync::Options),
    /// Marks of changed keys, in a process of their own so that their memory can be told
    #[command(hide = true)]
    Marks(sync::Marks),
    /// One pass over a file or stream, in a process of its own so that its memory and CPU time can be told
    #[command(hide = true)]
    RdbPass(rdb::Pass),
    /// The plain comparison itself, in a process of its own so that its memory and CPU time can be told
    #[command(hide = true)]
    Plain(verify::Ports),
}

/// What all benchmarks can be told.
#[derive(Debug, Clone, Args)]
pub struct Ways {
    /// One round with a tenth of the keys
    #[arg(long)]
    quick: bool,
    /// Only this data set; may be repeated
    #[arg(long = "set", value_enum, value_name = "NAME")]
    sets: Vec<DataSet>,
    /// Wait for a quiet machine before each measurement, and repeat what was disturbed
    #[arg(long)]
    patient: bool,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Layout::Text)]
    output: Layout,
}

impl Ways {
    fn sets(&self) -> &[DataSet] {
        if self.sets.is_empty() { DataSet::ALL } else { &self.sets }
    }

    fn rounds(&self) -> usize {
        if self.quick { 1 } else { 3 }
    }

    fn manners(&self) -> Manners {
        if self.patient { Manners::Patient } else { Manners::Hurried }
    }

    /// Loads a data set, of which there usually are that many keys, and says how many there are.
    async fn load(&self, set: DataSet, usual: u64, source: &Server) -> Result<u64> {
        say(set, "loading");
        set.load(&source.access(), if self.quick { usual / 10 } else { usual }).await;
        keys(source)
    }
}

/// Runs a benchmark and prints what it found.
///
/// # Errors
/// Something could not be built or started, or a run was not complete: then its time means nothing.
pub async fn run(bench: Bench) -> Result<()> {
    match bench {
        Bench::Copy { ways, tls } => copy::run(&ways, tls).await,
        Bench::Verify { ways, keys } => verify::run(&ways, &keys).await,
        Bench::Rdb(options) => rdb::run(&options).await,
        Bench::Sync(options) => sync::run(&options).await,
        Bench::Marks(marks) => sync::marks(marks),
        Bench::RdbPass(pass) => rdb::pass(&pass),
        Bench::Plain(ports) => verify::compare(ports).await,
    }
}

/// Says what is being done: some of it takes minutes.
fn say(set: DataSet, what: &str) {
    eprintln!("bench: {}: {what}", set.name());
}

/// How the benchmark reaches a server.
fn reached(server: &Server, tls: bool) -> Access {
    if tls { server.tls_access() } else { server.access() }
}

fn keys(server: &Server) -> Result<u64> {
    match server.command(&["DBSIZE"]) {
        Reply::Integer(keys) => u64::try_from(keys).context("DBSIZE is negative"),
        other => anyhow::bail!("DBSIZE answers {}", other.text()),
    }
}

/// Whether so many of all keys are on the target.
fn complete(keys: u64, target: &Server) -> Result<()> {
    nearly_all(keys, self::keys(target)?)
}

/// A part of the keys may expire meanwhile, or be listed twice by SCAN; more must not be missing.
fn nearly_all(keys: u64, counted: u64) -> Result<()> {
    ensure!(keys.abs_diff(counted) <= keys / 500, "{counted} of {keys} keys were dealt with: no result");
    Ok(())
}
