//! What was measured with one data set, in words and numbers.

use crate::bench::run::Run;
use crate::bench::statistics::Spread;
use crate::bench::table::Cells;

/// Who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contender {
    /// `redferry copy`, to a server of its own.
    Copy,
    /// `redferry verify` of that copy.
    Full,
    /// `redferry verify --level quick` of the same.
    Quick,
    /// The plain comparison of the same.
    Plain,
}

impl Contender {
    const ALL: [Contender; 4] = [Contender::Copy, Contender::Full, Contender::Quick, Contender::Plain];

    /// As it is printed.
    pub fn name(self) -> &'static str {
        match self {
            Contender::Copy => "copy",
            Contender::Full => "verify, full",
            Contender::Quick => "verify, quick",
            Contender::Plain => "plain comparison",
        }
    }
}

/// Everything measured with one data set, round by round.
#[derive(Debug)]
pub struct Row {
    name: &'static str,
    keys: u64,
    runs: [Vec<Run>; 4],
}

impl Row {
    /// Nothing measured yet.
    pub fn new(name: &'static str, keys: u64) -> Row {
        Row { name, keys, runs: Default::default() }
    }

    /// Adds a contender's run of the next round.
    pub fn push(&mut self, contender: Contender, run: Run) {
        self.runs[contender as usize].push(run);
    }

    /// Name and value of everything that is printed.
    pub fn cells(&self) -> Cells {
        let bytes = Spread::of(self.runs[Contender::Copy as usize].iter().map(|run| run.bytes as f64));
        let mut cells = vec![
            ("set".to_owned(), self.name.to_owned()),
            ("keys".to_owned(), self.keys.to_string()),
            ("MB".to_owned(), format!("{:.0}", bytes.median() / 1e6)),
        ];
        for contender in Contender::ALL {
            let runs =
                |what: &dyn Fn(&Run) -> f64| Spread::of(self.runs[contender as usize].iter().map(what));
            let wall = runs(&|run| run.wall.as_secs_f64());
            let mut cell = |name: &str, value| cells.push((format!("{}{name}", contender.name()), value));
            cell(", s", wall.shown());
            cell(": keys/s", format!("{:.0}", self.keys as f64 / wall.median()));
            cell(": CPU us/key", runs(&|run| run.cpu.as_secs_f64() * 1e6 / run.keys as f64).shown());
            cell(": peak RSS, MiB", format!("{:.0}", runs(&|run| run.peak_rss as f64 / 1048576.0).median()));
            cell(": source CPU, s", runs(&|run| run.source_cpu.as_secs_f64()).shown());
            cell(": target CPU, s", runs(&|run| run.target_cpu.as_secs_f64()).shown());
            cell(": other work beside it, %", runs(&|run| run.others * 100.0).shown());
        }
        for (than, who) in [
            (Contender::Copy, Contender::Full),
            (Contender::Copy, Contender::Quick),
            (Contender::Plain, Contender::Full),
            (Contender::Plain, Contender::Quick),
        ] {
            let name = format!("{}: as fast as {}, times", who.name(), than.name());
            cells.push((name, self.speed(who, than).shown()));
        }
        cells
    }

    /// How many times as fast one contender was as another, in each round by itself.
    fn speed(&self, who: Contender, than: Contender) -> Spread {
        let rounds = self.runs[than as usize].iter().zip(&self.runs[who as usize]);
        Spread::of(rounds.map(|(than, who)| than.wall.as_secs_f64() / who.wall.as_secs_f64()))
    }
}
