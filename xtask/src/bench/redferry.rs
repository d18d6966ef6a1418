//! One `redferry copy` as a user would run it, and what it says of itself.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use testkit::Server;

use super::machine::Moment;
use super::reached;
use crate::program;

/// Whether redferry slows down when the source answers slowly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brake {
    /// `--max-latency 0`: as fast as it can.
    Off,
    /// As it comes.
    Default,
}

/// What one run came to.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// From the start of the process to its end.
    pub wall: Duration,
    /// The copy itself, without the checks before it.
    pub copy: Duration,
    /// User and system time of the process.
    pub cpu: Duration,
    /// Keys copied.
    pub keys: u64,
    /// Bytes of values copied.
    pub bytes: u64,
    /// Largest resident set, bytes.
    pub peak_rss: u64,
    /// CPU time of the source during the run.
    pub source_cpu: Duration,
    /// CPU time of the target during the run.
    pub target_cpu: Duration,
    /// Share of the machine that went to others meanwhile.
    pub others: f64,
}

/// Copies once.
///
/// # Errors
/// The copy did not end with every key on the target.
pub async fn run(program: &Path, source: &Server, target: &Server, tls: bool, brake: Brake) -> Result<Run> {
    let folder = tempfile::tempdir().context("no temporary folder for the copy's state")?;
    let mut command = program::copy(program, &reached(source, tls), &reached(target, tls), folder.path());
    command.args(["--output", "json", "--quiet"]);
    if brake == Brake::Off {
        command.args(["--max-latency", "0"]);
    }
    let before = (source.cpu_time(), target.cpu_time());
    let (machine, begin) = (Moment::now(), Instant::now());
    let output = command.stderr(Stdio::inherit()).output().await.context("redferry cannot be started")?;
    let wall = begin.elapsed();
    if !output.status.success() {
        bail!("redferry ended with {}: {}", output.status, String::from_utf8_lossy(&output.stdout));
    }
    let report: Value = serde_json::from_slice(&output.stdout).context("redferry's report is no JSON")?;
    let number =
        |name: &str| report[name].as_u64().with_context(|| format!("no {name} in redferry's report"));
    let cpu = Duration::from_millis(number("cpu_ms")?);
    let source_cpu = source.cpu_time().saturating_sub(before.0);
    let target_cpu = target.cpu_time().saturating_sub(before.1);
    Ok(Run {
        wall,
        copy: Duration::from_millis(number("elapsed_ms")?),
        cpu,
        keys: number("keys_copied")?,
        bytes: number("bytes_copied")?,
        peak_rss: number("peak_rss_bytes")?,
        source_cpu,
        target_cpu,
        others: machine.used_by_others(cpu + source_cpu + target_cpu),
    })
}
