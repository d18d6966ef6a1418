//! Processes that read a file or a stream, one level each.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum as _;
use serde_json::Value;
use tokio::process::Command;

use super::pass::Level;
use crate::bench::machine::{Manners, Moment};
use crate::program::{self, Build};

/// What one level came to.
#[derive(Debug, Clone, Copy)]
pub struct Read {
    /// Bytes of the file.
    pub bytes: u64,
    /// Keys in it; none are seen where only bytes are looked at.
    pub keys: u64,
    /// CPU time of one pass.
    pub cpu: Duration,
    /// Largest resident set, bytes.
    pub peak_rss: u64,
    /// Share of the machine that went to others meanwhile.
    pub others: f64,
}

impl Read {
    /// GB per second of CPU time.
    pub fn speed(&self) -> f64 {
        self.bytes as f64 / self.cpu.as_nanos() as f64
    }
}

/// The program that reads, and its ways.
#[derive(Debug)]
pub struct Reading {
    program: PathBuf,
    levels: &'static [Level],
    manners: Manners,
}

impl Reading {
    /// Builds the program: it is this one, which cargo has built for another speed.
    ///
    /// # Errors
    /// It does not build; with librdb it needs a C compiler.
    pub fn build(librdb: bool, manners: Manners) -> Result<Reading> {
        let features: &[&str] = if librdb { &["librdb"] } else { &[] };
        let all = Level::value_variants();
        Ok(Reading {
            program: program::build_with("xtask", Build::Release, features)?,
            levels: if librdb { all } else { &all[..all.len() - 1] },
            manners,
        })
    }

    /// What can be measured.
    pub fn levels(&self) -> &'static [Level] {
        self.levels
    }

    /// Reads a file.
    ///
    /// # Errors
    /// It was not read to its end.
    pub async fn file(&self, level: Level, file: &Path) -> Result<Read> {
        self.measured(level, ["--file".as_ref(), file.as_os_str()]).await
    }

    /// Reads a stream of that size.
    ///
    /// # Errors
    /// Something else was read than was generated.
    pub async fn stream(&self, level: Level, size: u64) -> Result<Read> {
        self.measured(level, ["--stream".as_ref(), size.to_string().as_ref()]).await
    }

    async fn measured(&self, level: Level, what: [&OsStr; 2]) -> Result<Read> {
        let once = async || self.once(level, what).await.context(level.name());
        self.manners.measure(once, |read| read.others).await
    }

    async fn once(&self, level: Level, what: [&OsStr; 2]) -> Result<Read> {
        let level = level.to_possible_value().context("a level has no name")?;
        let mut command = Command::new(&self.program);
        command.args(["bench", "rdb-pass", level.get_name()]).args(what);
        command.stdin(Stdio::null()).stderr(Stdio::inherit()).kill_on_drop(true);
        let machine = Moment::now();
        let output = command.output().await.context("the program cannot be started")?;
        ensure!(output.status.success(), "reading ended with {}", output.status);
        let report = report(&output.stdout).context("there is no report")?;
        let number = |name: &str| report[name].as_u64().with_context(|| format!("no {name} in the report"));
        Ok(Read {
            bytes: number("bytes")?,
            keys: number("keys")?,
            cpu: Duration::from_nanos(number("cpu_ns")?),
            peak_rss: number("peak_rss_bytes")?,
            others: machine.used_by_others(Duration::from_nanos(number("cpu_ns_of_all")?)),
        })
    }
}

/// The JSON in what a program printed. librdb prints its log there, too, before and behind it.
fn report(printed: &[u8]) -> Option<Value> {
    printed.split(|byte| *byte == b'\n').find_map(|line| {
        let begin = line.iter().position(|byte| *byte == b'{')?;
        serde_json::from_slice(&line[begin..]).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::report;

    #[test]
    fn a_report_is_found_between_lines_of_a_log() {
        let found = report(b":: INFO :: begins\n:: INFO :: is cut{\"keys\":3}\n:: INFO :: ends\n");
        assert_eq!(found.expect("there is one")["keys"], 3);
        assert!(report(b"").is_none());
    }
}
