//! What else the machine was doing: a measurement beside other work is worth less, and the table should say so.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::Result;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

/// Clock ticks per second in `/proc/stat` (proc_stat(5)); Linux fixes it at 100 for user space.
const TICKS_PER_SECOND: f64 = 100.0;

/// With more than this share of the machine used by others it is not quiet.
const QUIET: f64 = 0.05;

/// A measurement with more than this beside it was disturbed.
const DISTURBED: f64 = 0.10;

/// How often a disturbed measurement is repeated.
const ATTEMPTS: usize = 6;

/// How long a quiet moment is waited for.
const PATIENCE: Duration = Duration::from_secs(600);

/// Whether measurements wait for others to finish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manners {
    /// Measure now.
    Hurried,
    /// Wait for a quiet moment, and repeat what was disturbed all the same.
    Patient,
}

impl Manners {
    /// Waits for a quiet moment, if that is the way. Gives up after ten minutes and says so.
    pub async fn wait(self) {
        if self == Manners::Hurried {
            return;
        }
        let begin = Instant::now();
        loop {
            let moment = Moment::now();
            tokio::time::sleep(Duration::from_secs(2)).await;
            let others = moment.used_by_others(Duration::ZERO);
            // Without /proc there is no way to know.
            if others.is_nan() || others <= QUIET {
                return;
            }
            if begin.elapsed() > PATIENCE {
                eprintln!("bench: the machine does not become quiet; measuring all the same");
                return;
            }
        }
    }

    /// Measures, and measures again while others, a share of the machine, disturbed it too much.
    ///
    /// # Errors
    /// The first error of a measurement.
    pub async fn measure<T>(
        self,
        once: impl AsyncFn() -> Result<T>,
        others: impl Fn(&T) -> f64,
    ) -> Result<T> {
        let mut attempts = 0;
        loop {
            self.wait().await;
            let measured = once().await?;
            attempts += 1;
            if !self.repeat(others(&measured), attempts) {
                return Ok(measured);
            }
        }
    }

    /// Whether a measurement should be made again: with others at work beside it, after that many attempts.
    fn repeat(self, others: f64, attempts: usize) -> bool {
        let again = self == Manners::Patient && others > DISTURBED && attempts < ATTEMPTS;
        if again {
            eprintln!("bench: others used {:.0} % of the machine, measuring again", others * 100.0);
        }
        again
    }
}

/// CPU time of this process so far, user and system.
pub fn own_cpu() -> Duration {
    let micros = || {
        let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
        let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
        u64::try_from(micros).ok()
    };
    Duration::from_micros(micros().unwrap_or_default())
}

/// Largest resident set of this process so far, in bytes; 0 where there is no `/proc`.
pub fn own_peak_rss() -> u64 {
    let kib = || {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().trim_end_matches(" kB").parse::<u64>().ok()
    };
    kib().unwrap_or_default() * 1024
}

/// The machine's CPU time at one moment.
#[derive(Debug)]
pub struct Moment {
    at: Instant,
    busy: f64,
}

impl Moment {
    /// Now.
    pub fn now() -> Moment {
        Moment { at: Instant::now(), busy: busy_seconds().unwrap_or(f64::NAN) }
    }

    /// The share of all processors, from this moment until now, that was used by others than `ours`. NaN where there
    /// is no `/proc`.
    pub fn used_by_others(&self, ours: Duration) -> f64 {
        let others = busy_seconds().unwrap_or(f64::NAN) - self.busy - ours.as_secs_f64();
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        others.max(0.0) / (self.at.elapsed().as_secs_f64() * processors as f64)
    }
}

/// Seconds that all processors together have worked, interrupts and time stolen by other machines included.
fn busy_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let ticks: Vec<f64> =
        stat.lines().next()?.split_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
    // user nice system idle iowait irq softirq steal
    let busy = [0, 1, 2, 5, 6, 7].iter().map(|field| ticks.get(*field)).sum::<Option<f64>>()?;
    Some(busy / TICKS_PER_SECOND)
}
