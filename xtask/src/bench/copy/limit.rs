//! The least that a copy between two servers can take on this machine, at this moment.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use testkit::{Access, Server};

use super::rehearsal::Rehearsal;
use super::tape::Tape;
use super::wire;
use crate::bench::machine::{Moment, own_cpu};
use crate::bench::reached;

/// Both sides at work at the same time, and not on each other's account.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// The source only read, nothing done with what it answers.
    pub reads: Duration,
    /// The target only fed with writes made before.
    pub writes: Duration,
    /// CPU time of the source meanwhile.
    pub source_cpu: Duration,
    /// CPU time of the target meanwhile.
    pub target_cpu: Duration,
    /// Share of the machine that went to others meanwhile.
    pub others: f64,
}

impl Limit {
    /// The slower side: no copy is faster.
    pub fn time(&self) -> Duration {
        self.reads.max(self.writes)
    }
}

/// Replays both tapes side by side.
///
/// # Errors
/// A connection is lost.
pub async fn run(rehearsal: &Rehearsal, source: &Server, target: &Server, tls: bool) -> Result<Limit> {
    let before = (source.cpu_time(), target.cpu_time(), own_cpu());
    let machine = Moment::now();
    let (source_access, target_access) = (reached(source, tls), reached(target, tls));
    // Scoped threads, so that the tapes need not be shared; each has a runtime and nearly nothing to do in it.
    let (reads, writes) = std::thread::scope(|scope| {
        let reads = scope.spawn(|| timed(&rehearsal.reads, &source_access));
        let writes = scope.spawn(|| timed(&rehearsal.writes, &target_access));
        (reads.join(), writes.join())
    });
    let (reads, writes) = match (reads, writes) {
        (Ok(reads), Ok(writes)) => (reads.context("the source")?, writes.context("the target")?),
        (Err(panic), _) | (_, Err(panic)) => std::panic::resume_unwind(panic),
    };
    let source_cpu = source.cpu_time().saturating_sub(before.0);
    let target_cpu = target.cpu_time().saturating_sub(before.1);
    let own = own_cpu().saturating_sub(before.2);
    let others = machine.used_by_others(source_cpu + target_cpu + own);
    Ok(Limit { reads, writes, source_cpu, target_cpu, others })
}

fn timed(tape: &Tape, access: &Access) -> Result<Duration> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut stream = wire::connect(access).await?;
        let begin = Instant::now();
        tape.replay(&mut *stream).await?;
        Ok(begin.elapsed())
    })
}
