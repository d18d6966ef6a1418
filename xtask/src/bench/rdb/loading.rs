//! The server's own way: a file that it finds at its start.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use testkit::Server;

use super::files::beside;
use crate::bench::complete;
use crate::bench::machine::Moment;

/// What the server needed.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// From the start of the process until it answers PING, which it does not while it loads; in steps of 10 ms.
    pub wall: Duration,
    /// Loading alone, as the server's log has it.
    pub logged: Duration,
    /// CPU time of the server.
    pub cpu: Duration,
    /// Share of the machine that went to others meanwhile.
    pub others: f64,
}

/// Starts a Redis 7.4 beside a file.
///
/// # Errors
/// It did not load every key.
pub fn run(file: &Path, keys: u64) -> Result<Load> {
    let (machine, begin) = (Moment::now(), Instant::now());
    let server = beside(Server::plain7(), file).start();
    let (wall, cpu) = (begin.elapsed(), server.cpu_time());
    let others = machine.used_by_others(cpu);
    complete(keys, &server)?;
    let logged = logged(&server.log()).context("the server's log does not say how long it loaded")?;
    Ok(Load { wall, logged, cpu, others })
}

fn logged(log: &str) -> Option<Duration> {
    let (_, seconds) = log.rsplit_once("DB loaded from disk: ")?;
    let seconds = seconds.split_whitespace().next()?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_time_in_a_log() {
        let log = "71:M 25 Nov 2026 19:00:00.000 * DB loaded from disk: 1.250 seconds\n71:M * Ready\n";
        assert_eq!(logged(log), Some(Duration::from_millis(1250)));
        assert_eq!(logged("71:M * Ready\n"), None);
    }
}
