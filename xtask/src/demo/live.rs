//! The move itself: a sync in the background, clients that write meanwhile, and the cut-over.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use testkit::Access;
use testkit::workload::{Workload, Writing};
use tokio::process::{Child, Command};

use crate::program;

/// How long clients write while the sync follows.
const WRITING: Duration = Duration::from_secs(8);

/// How long they write on the target after the cut-over.
const AFTERWARDS: Duration = Duration::from_secs(3);

/// A sync that may take this long to follow.
const FOLLOWS_WITHIN: Duration = Duration::from_secs(120);

/// The two caches, and redferry between them.
#[derive(Debug)]
pub struct Live<'a> {
    program: &'a Path,
    source: &'a Access,
    target: &'a Access,
    folder: &'a Path,
    sync: Child,
}

impl<'a> Live<'a> {
    /// Starts `redferry sync`.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn begin(
        program: &'a Path,
        source: &'a Access,
        target: &'a Access,
        folder: &'a Path,
    ) -> Result<Live<'a>> {
        println!("\n   $ redferry sync --source ... --target ...   (in the background)\n");
        let sync = program::redferry(program, "sync", source, target, folder)
            .stdout(Stdio::null())
            .spawn()
            .context("redferry cannot be started")?;
        Ok(Live { program, source, target, folder, sync })
    }

    /// Lets clients write until every key was carried and changes have been followed for a while. Returns the commands
    /// that they wrote.
    ///
    /// # Errors
    /// The sync ended, or does not come to follow.
    pub async fn under_writes(&mut self, seed: u64) -> Result<u64> {
        let writing = workload(seed).start(self.source);
        let begin = Instant::now();
        while self.status().await?["phase"] != "following" {
            if begin.elapsed() > FOLLOWS_WITHIN {
                bail!("the sync does not follow; its own words are above");
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        println!(
            "   every key was carried once after {:.1} s; changes are followed:\n",
            begin.elapsed().as_secs_f64()
        );
        let until = Instant::now() + WRITING;
        while Instant::now() < until {
            tokio::time::sleep(Duration::from_secs(2)).await;
            self.tell(&writing).await?;
        }
        Ok(writing.end().await.0)
    }

    /// Lets the target take over.
    ///
    /// # Errors
    /// It was not made; its own words are above.
    pub async fn cut_over(&self) -> Result<()> {
        println!("\n   $ redferry cutover --verify full\n");
        let options = ["cutover", "--verify", "full", "--expect-quiet", "1s"];
        let status = self.command(&options).status().await.context("redferry cannot be started")?;
        if !status.success() {
            bail!("redferry cutover ended with {status}; its own words are above");
        }
        Ok(())
    }

    /// Lets clients write to the target, and waits until that has come back to the source.
    ///
    /// # Errors
    /// It does not.
    pub async fn way_back(&mut self, seed: u64) -> Result<u64> {
        let writing = workload(seed).start(self.target);
        tokio::time::sleep(AFTERWARDS).await;
        self.tell(&writing).await?;
        let (written, _) = writing.end().await;
        let begin = Instant::now();
        loop {
            let status = self.status().await?;
            let dirty: u64 = nodes(&status).filter_map(|node| node["dirty"].as_u64()).sum();
            if dirty == 0 && status["quiet_ms"].as_u64() > Some(1_000) {
                return Ok(written);
            }
            if begin.elapsed() > FOLLOWS_WITHIN {
                bail!("what was written to the target does not come back; the sync's own words are above");
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    /// Ends the sync as Ctrl-C does.
    ///
    /// # Errors
    /// It cannot be ended.
    pub async fn end(mut self) -> Result<()> {
        let process = self.sync.id().context("the sync has ended")?;
        let process = nix::unistd::Pid::from_raw(i32::try_from(process)?);
        nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGINT)?;
        self.sync.wait().await?;
        Ok(())
    }

    async fn tell(&mut self, writing: &Writing) -> Result<()> {
        let status = self.status().await?;
        let lag = nodes(&status).filter_map(|node| node["lag_ms"].as_u64()).max().unwrap_or(0);
        let dirty: u64 = nodes(&status).filter_map(|node| node["dirty"].as_u64()).sum();
        let gaps = program::gaps(&status);
        println!(
            "   {} commands written, {} changes heard; {dirty} keys behind, the oldest for {lag} ms; gaps: {}",
            super::thousands(writing.written()),
            super::thousands(status["changes"].as_u64().unwrap_or(0)),
            if gaps == 0 { "none".to_owned() } else { gaps.to_string() },
        );
        Ok(())
    }

    /// What the running sync says of itself; nothing yet while it looks at both sides.
    async fn status(&mut self) -> Result<Value> {
        if let Some(ended) = self.sync.try_wait()? {
            bail!("redferry sync ended with {ended}; its own words are above");
        }
        let mut command = self.command(&["status", "--output", "json"]);
        let output = command.stderr(Stdio::null()).output().await.context("redferry cannot be started")?;
        Ok(serde_json::from_slice(&output.stdout).unwrap_or(Value::Null))
    }

    fn command(&self, options: &[&str]) -> Command {
        let mut command = Command::new(self.program);
        command.current_dir(self.folder).args(options).stdin(Stdio::null()).kill_on_drop(true);
        command
    }
}

fn workload(seed: u64) -> Workload {
    Workload { keys: 5_000, ..Workload::new(seed) }
}

fn nodes(status: &Value) -> impl Iterator<Item = &Value> {
    status["nodes"].as_array().into_iter().flatten()
}
