//! `cargo xtask bench`: what redferry costs, beside what the two servers cost by themselves.
//!
//! Wall time on a shared machine says little alone. So every round measures redferry, the limit and the
//! servers' own full sync one after the other, and the median of the rounds is compared.

mod data;
mod full_sync;
mod limit;
mod machine;
mod redferry;
mod rehearsal;
mod statistics;
mod table;
mod tape;
mod wire;

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use clap::{Subcommand, ValueEnum};
use testkit::server::Reply;
use testkit::{Access, Binaries, Server};

use crate::program;
use data::DataSet;
use full_sync::Way;
use limit::Limit;
use machine::Manners;
use redferry::{Brake, Run};
use rehearsal::Rehearsal;
use table::{Layout, Row};

#[derive(Debug, Clone, Subcommand)]
pub enum Bench {
    /// `redferry copy` against the limit that the two servers set, and against their own full sync
    Copy {
        /// One round with a tenth of the keys
        #[arg(long)]
        quick: bool,
        /// Only this data set; may be repeated
        #[arg(long = "set", value_enum, value_name = "NAME")]
        sets: Vec<DataSet>,
        /// Encrypted connections, for redferry and for the limit
        #[arg(long)]
        tls: bool,
        /// Wait for a quiet machine before each measurement, and repeat what was disturbed
        #[arg(long)]
        patient: bool,
        /// How to print the result
        #[arg(long, value_enum, default_value_t = Layout::Text)]
        output: Layout,
    },
}

/// Rounds, unless one is enough.
const ROUNDS: usize = 3;

/// Runs a benchmark and prints what it found.
///
/// # Errors
/// Something could not be built or started, or a copy was not complete: then its time means nothing.
pub async fn run(bench: Bench) -> Result<()> {
    let Bench::Copy { quick, sets, tls, patient, output } = bench;
    let program = program::build(program::Build::Release)?;
    ensure!(!tls || Binaries::fetch()?.source_has_tls(), "the Redis 6 of this machine has no TLS");
    let sets = if sets.is_empty() { DataSet::value_variants() } else { &sets };
    let manners = if patient { Manners::Patient } else { Manners::Hurried };
    let bench = CopyBench { program, quick, tls, manners };
    let mut rows = Vec::new();
    for set in sets {
        rows.push(bench.measure(*set).await?);
    }
    println!("{}", table::of(&rows, output));
    Ok(())
}

struct CopyBench {
    program: PathBuf,
    quick: bool,
    tls: bool,
    manners: Manners,
}

impl CopyBench {
    async fn measure(&self, set: DataSet) -> Result<Row> {
        let say = |what: &str| eprintln!("bench: {}: {what}", set.name());
        let source = Server::plain6().tls(self.tls).start();
        say("loading");
        set.load(&source.access(), self.quick).await;
        let keys = keys(&source)?;
        say("rehearsing the reads and preparing the writes");
        let rehearsal =
            rehearsal::of(&reached(&source, self.tls)).await.context("the rehearsal of the limit")?;
        let mut row = Row::new(set.name(), keys, rehearsal.bytes);
        for round in 1..=if self.quick { 1 } else { ROUNDS } {
            say(&format!("round {round}: redferry"));
            row.redferry.push(self.redferry(&source, keys, Brake::Off).await?);
            say(&format!("round {round}: limit"));
            row.limits.push(self.limit(&rehearsal, &source, keys).await?);
            for way in Way::ALL {
                say(&format!("round {round}: full sync, {}", way.name()));
                self.manners.wait().await;
                row.full_sync(way).push(full_sync::run(&source, way).await?);
            }
            if set == DataSet::Strings100 {
                say(&format!("round {round}: redferry as it comes, with the source protected"));
                row.braked.push(self.redferry(&source, keys, Brake::Default).await?);
            }
        }
        Ok(row)
    }

    async fn redferry(&self, source: &Server, keys: u64, brake: Brake) -> Result<Run> {
        let mut attempts = 0;
        loop {
            self.manners.wait().await;
            let target = self.target();
            let run = redferry::run(&self.program, source, &target, self.tls, brake).await?;
            complete(keys, &target)?;
            attempts += 1;
            if !self.manners.repeat(run.others, attempts) {
                return Ok(run);
            }
        }
    }

    async fn limit(&self, rehearsal: &Rehearsal, source: &Server, keys: u64) -> Result<Limit> {
        let mut attempts = 0;
        loop {
            self.manners.wait().await;
            let target = self.target();
            let limit = limit::run(rehearsal, source, &target, self.tls).await?;
            complete(keys, &target)?;
            attempts += 1;
            if !self.manners.repeat(limit.others, attempts) {
                return Ok(limit);
            }
        }
    }

    /// Another server for every measurement: its memory is as fresh as a new cache's.
    fn target(&self) -> Server {
        Server::plain7().tls(self.tls).start()
    }
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

/// A part of the keys may expire meanwhile; more must not be missing.
fn complete(keys: u64, target: &Server) -> Result<()> {
    let arrived = self::keys(target)?;
    ensure!(arrived <= keys && arrived >= keys - keys / 500, "{arrived} of {keys} keys arrived: no result");
    Ok(())
}
