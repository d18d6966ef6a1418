//! `cargo xtask bench verify`: redferry's comparison beside its copy of the same data, and beside a plain comparison.

mod plain;
mod row;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use testkit::{Access, Server};
use tokio::process::Command;

use super::data::DataSet;
use super::machine::{own_cpu, own_peak_rss};
use super::run::{self, Brake, Run, Work};
use super::{Ways, nearly_all, reached, say, table};
use crate::program::{self, Build};
use row::{Contender, Row};

/// Measures every data set and prints the table. `strings` is how many strings of 100 bytes there are, each number a set
/// of its own.
///
/// # Errors
/// Something could not be built or started, or a comparison found a difference: the copy before it was complete.
pub async fn run(ways: &Ways, strings: &[u64]) -> Result<()> {
    let bench = VerifyBench {
        redferry: program::build("redferry", Build::Release)?,
        // The plain comparison is part of this program, which cargo has built for another speed.
        xtask: program::build("xtask", Build::Release)?,
        ways,
    };
    let mut columns = Vec::new();
    for set in ways.sets() {
        let usual = [set.keys()];
        for keys in if *set == DataSet::Strings100 { strings } else { &usual } {
            columns.push(bench.measure(*set, *keys).await?.cells());
        }
    }
    println!("{}", table::of(&columns, ways.output));
    Ok(())
}

struct VerifyBench<'a> {
    redferry: PathBuf,
    xtask: PathBuf,
    ways: &'a Ways,
}

impl VerifyBench<'_> {
    async fn measure(&self, set: DataSet, usual: u64) -> Result<Row> {
        let source = Server::plain6().start();
        let keys = self.ways.load(set, usual, &source).await?;
        let mut row = Row::new(set.name(), keys);
        for round in 1..=self.ways.rounds() {
            let say = |contender: Contender| say(set, &format!("round {round}: {}", contender.name()));
            say(Contender::Copy);
            let manners = self.ways.manners();
            let (copy, target) = run::copy(&self.redferry, &source, false, Brake::Off, manners).await?;
            row.push(Contender::Copy, copy);
            for contender in [Contender::Full, Contender::Quick, Contender::Plain] {
                say(contender);
                let once = async || {
                    let run = self.compare(contender, &source, &target).await?;
                    nearly_all(keys, run.keys)?;
                    Ok(run)
                };
                row.push(contender, manners.measure(once, |run| run.others).await?);
            }
        }
        Ok(row)
    }

    async fn compare(&self, contender: Contender, source: &Server, target: &Server) -> Result<Run> {
        let folder = tempfile::tempdir().context("no temporary folder to run in")?;
        let command = match contender {
            Contender::Full => self.redferry(source, target, folder.path(), "full"),
            Contender::Quick => self.redferry(source, target, folder.path(), "quick"),
            Contender::Plain => self.plain(source, target),
            Contender::Copy => bail!("a copy compares nothing"),
        };
        run::measured(command, Work::Compare, Some(source), target)
            .await
            .with_context(|| contender.name().to_owned())
    }

    fn redferry(&self, source: &Server, target: &Server, folder: &Path, level: &str) -> Command {
        let (source, target) = (reached(source, false), reached(target, false));
        let mut command = program::redferry(&self.redferry, "verify", &source, &target, folder);
        command.args(["--level", level, "--max-latency", "0", "--output", "json", "--quiet"]);
        command
    }

    fn plain(&self, source: &Server, target: &Server) -> Command {
        let mut command = Command::new(&self.xtask);
        let port = |server: &Server| server.access().port.to_string();
        command.args(["bench", "plain", &port(source), &port(target)]);
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }
}

/// Two servers of this machine that ask for no password.
#[derive(Debug, Clone, Copy, Args)]
pub struct Ports {
    /// The source's
    source: u16,
    /// The target's
    target: u16,
}

/// Runs the plain comparison in this process, and prints its report with redferry's names for things.
///
/// # Errors
/// A server refuses something, or anything differs.
pub async fn compare(ports: Ports) -> Result<()> {
    let access = |port| Access {
        host: "127.0.0.1".into(),
        port,
        tls: false,
        user: None,
        password: None,
        ca: None,
        cluster: false,
    };
    let begin = Instant::now();
    let tally = plain::caches(&access(ports.source), &access(ports.target)).await?;
    let report = serde_json::json!({
        "keys_source": tally.keys_source,
        "keys_target": tally.keys_target,
        "keys_compared": tally.keys_compared,
        "differences": tally.differences,
        "elapsed_ms": begin.elapsed().as_millis() as u64,
        "cpu_ms": own_cpu().as_millis() as u64,
        "peak_rss_bytes": own_peak_rss(),
    });
    println!("{report}");
    match tally.differences {
        0 => Ok(()),
        differences => bail!("{differences} differences"),
    }
}
