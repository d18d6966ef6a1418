//! What was measured with one data set, in words and numbers.

use anyhow::Result;
use clap::ValueEnum as _;

use super::files::{Files, Origin};
use super::limit::Limit;
use super::loading::Load;
use super::pass::Level;
use super::reading::Read;
use crate::bench::run::Run;
use crate::bench::statistics::Spread;
use crate::bench::table::Cells;

/// Everything measured with one data set, round by round.
#[derive(Debug)]
pub struct Row {
    name: &'static str,
    keys: u64,
    sizes: [u64; 2],
    /// By the file's origin and by level.
    reads: [[Vec<Read>; 4]; 2],
    /// `redferry rdb import`.
    pub imports: Vec<Run>,
    /// The server's own loading.
    pub loads: Vec<Load>,
    /// Commands made before.
    pub limits: Vec<Limit>,
}

impl Row {
    /// Nothing measured yet.
    ///
    /// # Errors
    /// A file is gone.
    pub fn new(name: &'static str, files: &Files) -> Result<Row> {
        Ok(Row {
            name,
            keys: files.keys,
            sizes: [files.size(Origin::Redis6)?, files.size(Origin::Redis7)?],
            reads: Default::default(),
            imports: Vec::new(),
            loads: Vec::new(),
            limits: Vec::new(),
        })
    }

    /// Adds what the next round has read.
    pub fn push_read(&mut self, origin: Origin, level: Level, read: Read) {
        self.reads[origin as usize][level as usize].push(read);
    }

    /// Name and value of everything that is printed.
    pub fn cells(&self) -> Cells {
        let mut cells =
            vec![("set".to_owned(), self.name.to_owned()), ("keys".to_owned(), self.keys.to_string())];
        for origin in Origin::ALL {
            self.reading(origin, &mut cells);
        }
        self.importing(&mut cells);
        cells
    }

    fn reading(&self, origin: Origin, cells: &mut Cells) {
        let mut cell = |name: &str, value| cells.push((format!("file of {}{name}", origin.name()), value));
        let reads = &self.reads[origin as usize];
        cell(", MB", format!("{:.0}", self.sizes[origin as usize] as f64 / 1e6));
        for level in Level::value_variants() {
            let speed = Spread::of(reads[*level as usize].iter().map(Read::speed));
            cell(&format!(": {}, GB/s", level.name()), speed.shown());
        }
        // Time without what it takes to read the bytes at all, round by round.
        let rounds = reads[Level::Bytes as usize].iter().zip(&reads[Level::Raw as usize]);
        let net = rounds.map(|(bytes, raw)| 1.0 / (1.0 / raw.speed() - 1.0 / bytes.speed()));
        cell(": raw without reading, GB/s", Spread::of(net).shown());
        let rounds = reads[Level::Librdb as usize].iter().zip(&reads[Level::Decoded as usize]);
        let times = rounds.map(|(librdb, decoded)| decoded.speed() / librdb.speed());
        cell(": decoded, as fast as librdb, times", Spread::of(times).shown());
        let others = reads.iter().flatten().map(|read| read.others * 100.0);
        cell(": other work beside it, %", Spread::of(others).shown());
    }

    fn importing(&self, cells: &mut Cells) {
        let imports = |what: &dyn Fn(&Run) -> f64| Spread::of(self.imports.iter().map(what));
        let loads = |what: &dyn Fn(&Load) -> f64| Spread::of(self.loads.iter().map(what));
        let limits = |what: &dyn Fn(&Limit) -> f64| Spread::of(self.limits.iter().map(what));
        let per_second = |seconds: &Spread| match seconds.median() {
            unknown if unknown.is_nan() => "-".to_owned(),
            seconds => format!("{:.0}", self.keys as f64 / seconds),
        };
        let wall = imports(&|run| run.wall.as_secs_f64());
        let load = loads(&|load| load.wall.as_secs_f64());
        let limit = limits(&|limit| limit.wall.as_secs_f64());
        let against = |others: &[f64]| {
            let rounds = self.imports.iter().zip(others);
            Spread::of(rounds.map(|(run, other)| other / run.wall.as_secs_f64())).shown()
        };
        let load_times: Vec<f64> = self.loads.iter().map(|load| load.wall.as_secs_f64()).collect();
        let limit_times: Vec<f64> = self.limits.iter().map(|limit| limit.wall.as_secs_f64()).collect();
        let all = [
            ("import, s", wall.shown()),
            ("import only, s", imports(&|run| run.work.as_secs_f64()).shown()),
            ("import: keys/s", per_second(&wall)),
            ("import: CPU us/key", imports(&|run| run.cpu.as_secs_f64() * 1e6 / run.keys as f64).shown()),
            ("import: peak RSS, MiB", imports(&|run| run.peak_rss as f64 / 1048576.0).shown()),
            ("import: target CPU, s", imports(&|run| run.target_cpu.as_secs_f64()).shown()),
            ("import: other work beside it, %", imports(&|run| run.others * 100.0).shown()),
            ("server's loading, s", load.shown()),
            ("server's loading: keys/s", per_second(&load)),
            ("server's loading by its log, s", loads(&|load| load.logged.as_secs_f64()).shown()),
            ("server's loading: its CPU, s", loads(&|load| load.cpu.as_secs_f64()).shown()),
            ("server's loading: other work beside it, %", loads(&|load| load.others * 100.0).shown()),
            ("limit, s", limit.shown()),
            ("limit: keys/s", per_second(&limit)),
            ("limit: target CPU, s", limits(&|limit| limit.target_cpu.as_secs_f64()).shown()),
            ("limit: other work beside it, %", limits(&|limit| limit.others * 100.0).shown()),
            ("import: as fast as the server's loading, times", against(&load_times)),
            ("import: as fast as the limit, times", against(&limit_times)),
        ];
        cells.extend(all.into_iter().map(|(name, value)| (name.to_owned(), value)));
    }
}
