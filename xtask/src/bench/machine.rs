//! What else the machine was doing: a measurement beside other work is worth less, and the table should say so.

use std::fs;
use std::time::{Duration, Instant};

/// Clock ticks per second in `/proc/stat` (proc_stat(5)); Linux fixes it at 100 for user space.
const TICKS_PER_SECOND: f64 = 100.0;

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
