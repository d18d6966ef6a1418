//! `cargo xtask bench rdb`: reading files that real servers wrote, and importing them, beside the server's own loading
//! and beside the least that the target needs.

mod files;
#[cfg(feature = "librdb")]
mod librdb;
mod limit;
mod loading;
mod pass;
mod reading;
mod row;
mod stream;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};

use super::data::{self, DataSet};
use super::run::{self, Run, Work};
use super::{Ways, complete, say, table};
use crate::program::{self, Build};

use files::{Files, Origin};
use limit::Commands;
pub use pass::{Pass, run as pass};
use reading::Reading;
use row::Row;

#[derive(Debug, Clone, Args)]
pub struct Options {
    #[command(flatten)]
    ways: Ways,
    /// Only this half
    #[arg(long, value_enum, value_name = "HALF")]
    only: Option<Half>,
    /// Build librdb, which is C, and measure it too
    #[arg(long, value_enum, value_name = "NAME")]
    features: Vec<Feature>,
    /// Instead: pass a stream of this size, such as 20g, that nobody stores through reader and decoder; it is an error
    /// if that takes more than 64 MiB
    #[arg(long, value_name = "SIZE", value_parser = data::size)]
    #[arg(conflicts_with_all = ["only", "features", "sets", "quick"])]
    stream: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Half {
    /// Reading files
    Parse,
    /// Importing them
    Import,
}

/// What is not built unless asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Feature {
    /// Redis' own parser
    Librdb,
}

/// Measures every data set, or the stream, and prints the table.
///
/// # Errors
/// Something could not be built or started, a file was not read to its end, or an import was not complete.
pub async fn run(options: &Options) -> Result<()> {
    let ways = &options.ways;
    let with_librdb = cfg!(feature = "librdb") || options.features.contains(&Feature::Librdb);
    let reading = || Reading::build(with_librdb, ways.manners());
    if let Some(size) = options.stream {
        return stream::run(&reading()?, size, ways.output).await;
    }
    let wants = |half| options.only.is_none_or(|only| only == half);
    let bench = RdbBench {
        reading: wants(Half::Parse).then(reading).transpose()?,
        redferry: wants(Half::Import).then(|| program::build("redferry", Build::Release)).transpose()?,
        ways,
    };
    let mut columns = Vec::new();
    for set in ways.sets() {
        columns.push(bench.measure(*set).await?.cells());
    }
    println!("{}", table::of(&columns, ways.output));
    if bench.reading.is_some() && !with_librdb {
        eprintln!("librdb: not built, use --features librdb");
    }
    Ok(())
}

struct RdbBench<'a> {
    /// Left out on demand, as is the program that imports.
    reading: Option<Reading>,
    redferry: Option<PathBuf>,
    ways: &'a Ways,
}

impl RdbBench<'_> {
    async fn measure(&self, set: DataSet) -> Result<Row> {
        let files = files::written(set, self.ways).await?;
        let mut row = Row::new(set.name(), &files)?;
        let commands = match self.redferry {
            Some(_) => {
                say(set, "preparing the commands of the limit");
                Some(Commands::of(files.path(Origin::Redis6)).context("the commands of the limit")?)
            }
            None => None,
        };
        for round in 1..=self.ways.rounds() {
            let say = |what: &str| say(set, &format!("round {round}: {what}"));
            if let Some(reading) = &self.reading {
                for origin in Origin::ALL {
                    for level in reading.levels() {
                        say(&format!("{} of the file of Redis {}", level.name(), origin.name()));
                        let read = reading.file(*level, files.path(origin)).await?;
                        row.push_read(origin, *level, read);
                    }
                }
            }
            if let (Some(redferry), Some(commands)) = (&self.redferry, &commands) {
                say("redferry rdb import");
                row.imports.push(self.import(redferry, &files).await?);
                say("redis-server loads the file");
                row.loads.push(self.load(&files).await?);
                say("limit");
                row.limits.push(self.limit(commands, files.keys).await?);
            }
        }
        Ok(row)
    }

    async fn import(&self, redferry: &Path, files: &Files) -> Result<Run> {
        let once = async || {
            let target = run::target(false);
            let folder = tempfile::tempdir().context("no temporary folder for the import's state")?;
            let file = files.path(Origin::Redis6);
            let mut command = program::redferry_import(redferry, file, &target.access(), folder.path());
            command.args(["--output", "json", "--quiet"]);
            let run = run::measured(command, Work::Import, None, &target).await?;
            complete(files.keys, &target)?;
            Ok(run)
        };
        self.ways.manners().measure(once, |run| run.others).await
    }

    async fn load(&self, files: &Files) -> Result<loading::Load> {
        let once = async || loading::run(files.path(Origin::Redis6), files.keys);
        self.ways.manners().measure(once, |load| load.others).await
    }

    async fn limit(&self, commands: &Commands, keys: u64) -> Result<limit::Limit> {
        let once = async || {
            let target = run::target(false);
            let limit = commands.send(&target)?;
            complete(keys, &target)?;
            Ok(limit)
        };
        self.ways.manners().measure(once, |limit| limit.others).await
    }
}
