//! One run of a program between two servers, or from a file to one, as a user would start it, and what it says of itself.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use testkit::Server;
use tokio::process::Command;

use super::machine::{Manners, Moment};
use super::{complete, keys, reached};
use crate::program;

/// Whether redferry slows down when the source answers slowly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brake {
    /// `--max-latency 0`: as fast as it can.
    Off,
    /// As it comes.
    Default,
}

/// What a program does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Carries keys.
    Copy,
    /// Carries keys out of a file.
    Import,
    /// Compares keys.
    Compare,
}

/// What one run came to.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// From the start of the process to its end.
    pub wall: Duration,
    /// The work itself, without the checks before it.
    pub work: Duration,
    /// User and system time of the process.
    pub cpu: Duration,
    /// Keys copied, imported or compared.
    pub keys: u64,
    /// Bytes of values copied; for other work nobody counts them.
    pub bytes: u64,
    /// Largest resident set, bytes.
    pub peak_rss: u64,
    /// CPU time of the source during the run; none for a file.
    pub source_cpu: Duration,
    /// CPU time of the target during the run.
    pub target_cpu: Duration,
    /// Share of the machine that went to others meanwhile.
    pub others: f64,
}

/// Runs a program to its end; it prints a report in redferry's JSON.
///
/// # Errors
/// The program ended with another code than 0: then not everything was copied, or something differs.
pub async fn measured(
    mut command: Command,
    work: Work,
    source: Option<&Server>,
    target: &Server,
) -> Result<Run> {
    let of_source = || source.map_or(Duration::ZERO, Server::cpu_time);
    let before = (of_source(), target.cpu_time());
    let (machine, begin) = (Moment::now(), Instant::now());
    let output = command.stderr(Stdio::inherit()).output().await.context("the program cannot be started")?;
    let wall = begin.elapsed();
    let report = program::report("the program", &output)?;
    let number = |name: &str| report[name].as_u64().with_context(|| format!("no {name} in the report"));
    let (keys, bytes) = match work {
        Work::Copy => (number("keys_copied")?, number("bytes_copied")?),
        Work::Import => (number("keys_copied")?, 0),
        Work::Compare => (number("keys_compared")?, 0),
    };
    let cpu = Duration::from_millis(number("cpu_ms")?);
    let source_cpu = of_source().saturating_sub(before.0);
    let target_cpu = target.cpu_time().saturating_sub(before.1);
    Ok(Run {
        wall,
        work: Duration::from_millis(number("elapsed_ms")?),
        cpu,
        keys,
        bytes,
        peak_rss: number("peak_rss_bytes")?,
        source_cpu,
        target_cpu,
        others: machine.used_by_others(cpu + source_cpu + target_cpu),
    })
}

/// Copies all keys to a server that is started for it, and returns that too.
///
/// # Errors
/// The copy did not end with every key on the target.
pub async fn copy(
    program: &Path,
    source: &Server,
    tls: bool,
    brake: Brake,
    manners: Manners,
) -> Result<(Run, Server)> {
    let once = async || {
        let target = target(tls);
        let folder = tempfile::tempdir().context("no temporary folder for the copy's state")?;
        let (from, to) = (reached(source, tls), reached(&target, tls));
        let mut command = program::redferry(program, "copy", &from, &to, folder.path());
        command.args(["--output", "json", "--quiet"]);
        if brake == Brake::Off {
            command.args(["--max-latency", "0"]);
        }
        let run = measured(command, Work::Copy, Some(source), &target).await?;
        complete(keys(source)?, &target)?;
        Ok((run, target))
    };
    manners.measure(once, |(run, _)| run.others).await
}

/// Another server for every measurement: its memory is as fresh as a new cache's.
pub fn target(tls: bool) -> Server {
    Server::plain7().tls(tls).start()
}
