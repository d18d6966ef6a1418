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

use anyhow::{Context as _, Result, ensure};
use clap::{Subcommand, ValueEnum};
use testkit::server::Reply;
use testkit::{Access, Binaries, Server};

use crate::program;
use data::DataSet;
use full_sync::Way;
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
    let Bench::Copy { quick, sets, tls, output } = bench;
    let program = program::build(program::Build::Release)?;
    ensure!(!tls || Binaries::fetch()?.source_has_tls(), "the Redis 6 of this machine has no TLS");
    let sets = if sets.is_empty() { DataSet::value_variants() } else { &sets };
    let mut rows = Vec::new();
    for set in sets {
        rows.push(measure(*set, quick, tls, &program).await?);
    }
    println!("{}", table::of(&rows, output));
    Ok(())
}

async fn measure(set: DataSet, quick: bool, tls: bool, program: &std::path::Path) -> Result<Row> {
    let say = |what: &str| eprintln!("bench: {}: {what}", set.name());
    let source = Server::plain6().tls(tls).start();
    say("loading");
    set.load(&source.access(), quick).await;
    let keys = keys(&source)?;
    say("rehearsing the reads and preparing the writes");
    let rehearsal = rehearsal::of(&reached(&source, tls)).await.context("the rehearsal of the limit")?;
    let mut row = Row::new(set.name(), keys, rehearsal.bytes);
    for round in 1..=if quick { 1 } else { ROUNDS } {
        say(&format!("round {round}: redferry"));
        let target = target(tls);
        let run = redferry::run(program, &source, &target, tls, redferry::Brake::Off).await?;
        complete(keys, &target)?;
        row.redferry.push(run);
        drop(target);

        say(&format!("round {round}: limit"));
        let target = self::target(tls);
        row.limits.push(limit::run(&rehearsal, &source, &target, tls).await?);
        complete(keys, &target)?;
        drop(target);

        for way in Way::ALL {
            say(&format!("round {round}: full sync, {}", way.name()));
            row.full_sync(way).push(full_sync::run(&source, way).await?);
        }

        if set == DataSet::Strings100 {
            say(&format!("round {round}: redferry as it comes, with the source protected"));
            let target = self::target(tls);
            row.braked.push(redferry::run(program, &source, &target, tls, redferry::Brake::Default).await?);
            complete(keys, &target)?;
        }
    }
    Ok(row)
}

fn target(tls: bool) -> Server {
    Server::plain7().tls(tls).start()
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
