//! What was measured with one data set, in words and numbers.

use std::time::Duration;

use super::full_sync::Way;
use super::limit::Limit;
use crate::bench::run::Run;
use crate::bench::statistics::Spread;
use crate::bench::table::Cells;

/// Everything measured with one data set.
#[derive(Debug)]
pub struct Row {
    name: &'static str,
    keys: u64,
    bytes: u64,
    /// As fast as it can.
    pub redferry: Vec<Run>,
    /// With the source protected.
    pub braked: Vec<Run>,
    /// Measured between the runs.
    pub limits: Vec<Limit>,
    diskless: Vec<Duration>,
    disk: Vec<Duration>,
}

impl Row {
    /// Nothing measured yet.
    pub fn new(name: &'static str, keys: u64, bytes: u64) -> Row {
        Row {
            name,
            keys,
            bytes,
            redferry: Vec::new(),
            braked: Vec::new(),
            limits: Vec::new(),
            diskless: Vec::new(),
            disk: Vec::new(),
        }
    }

    /// Where a full sync's times go.
    pub fn full_sync(&mut self, way: Way) -> &mut Vec<Duration> {
        match way {
            Way::Diskless => &mut self.diskless,
            Way::Disk => &mut self.disk,
        }
    }

    /// Name and value of everything that is printed.
    pub fn cells(&self) -> Cells {
        let runs = |what: &dyn Fn(&Run) -> f64| Spread::of(self.redferry.iter().map(what));
        let limits = |what: &dyn Fn(&Limit) -> f64| Spread::of(self.limits.iter().map(what));
        let seconds = |times: &[Duration]| Spread::of(times.iter().map(Duration::as_secs_f64)).shown();
        let wall = runs(&|run| run.wall.as_secs_f64());
        let limit = limits(&|limit| limit.time().as_secs_f64());
        let braked = Spread::of(self.braked.iter().map(|run| run.wall.as_secs_f64()));
        let cells = [
            ("set", self.name.to_owned()),
            ("keys", self.keys.to_string()),
            ("MB", format!("{:.0}", self.bytes as f64 / 1e6)),
            ("redferry, s", wall.shown()),
            ("copy only, s", runs(&|run| run.work.as_secs_f64()).shown()),
            ("keys/s", format!("{:.0}", self.keys as f64 / wall.median())),
            ("MB/s", format!("{:.0}", self.bytes as f64 / 1e6 / wall.median())),
            ("CPU us/key", runs(&|run| run.cpu.as_secs_f64() * 1e6 / run.keys as f64).shown()),
            ("CPU ns/byte", runs(&|run| run.cpu.as_secs_f64() * 1e9 / run.bytes as f64).shown()),
            ("peak RSS, MiB", format!("{:.0}", runs(&|run| run.peak_rss as f64 / 1048576.0).median())),
            ("source CPU, s", runs(&|run| run.source_cpu.as_secs_f64()).shown()),
            ("target CPU, s", runs(&|run| run.target_cpu.as_secs_f64()).shown()),
            ("other work beside it, %", runs(&|run| run.others * 100.0).shown()),
            ("limit, s", limit.shown()),
            ("limit: reads, s", limits(&|limit| limit.reads.as_secs_f64()).shown()),
            ("limit: writes, s", limits(&|limit| limit.writes.as_secs_f64()).shown()),
            ("limit: source CPU, s", limits(&|limit| limit.source_cpu.as_secs_f64()).shown()),
            ("limit: target CPU, s", limits(&|limit| limit.target_cpu.as_secs_f64()).shown()),
            ("limit: other work beside it, %", limits(&|limit| limit.others * 100.0).shown()),
            ("limit / redferry", format!("{:.0} %", 100.0 * limit.median() / wall.median())),
            ("full sync diskless, s", seconds(&self.diskless)),
            ("full sync by disk, s", seconds(&self.disk)),
            ("redferry with default brake, s", braked.shown()),
        ];
        cells.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}
