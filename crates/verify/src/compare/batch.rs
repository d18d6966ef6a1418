//! The keys that are compared at once, each as far as its own replies allow.

mod replies;
mod steps;
mod verdicts;

use std::collections::VecDeque;
use std::sync::Arc;

use super::drive::Work;
use super::kind::Guesses;
use super::line::Line;
use super::lines::Lines;
use super::look::{End, Load, Look, Step};
use super::setback::Setback;
use super::sides::{BOTH, Sides};
use crate::options::Level;
use crate::verdict::Pair;

/// Bytes of small values on their way from each side, about.
const SMALL_BYTES: u64 = 8 << 20;

/// Values in pieces at the same time.
const BIG_AT_ONCE: usize = 8;

/// How closely, in the terms of this module.
#[derive(Debug, Clone, Copy)]
pub(super) struct Demands {
    pub(super) level: Level,
    pub(super) tolerance_us: u64,
    pub(super) big_key: u64,
}

pub(super) struct Batch<'a> {
    pub(super) demands: Demands,
    pub(super) pairs: &'a [Pair],
    pub(super) looks: Vec<Look>,
    pub(super) guesses: &'a mut Guesses,
    /// Whether the source answers MEMORY USAGE.
    pub(super) memory_usage: &'a mut bool,
    /// Whether fields of hashes have to be asked for their expiry.
    fields_expire: bool,
    /// All replies to the last questions came.
    ready: Vec<u32>,
    small: VecDeque<u32>,
    big: VecDeque<u32>,
    /// Keys that have not ended, those that wait as big ones among them.
    open: usize,
    big_running: usize,
    bytes_running: u64,
    /// Moments that were asked for and not told yet.
    marks_due: usize,
}

impl<'a> Batch<'a> {
    /// Asks the first question about each key.
    pub(super) fn begin(
        demands: Demands,
        pairs: &'a [Pair],
        routes: Vec<[u16; 2]>,
        guesses: &'a mut Guesses,
        memory_usage: &'a mut bool,
        lines: &mut Lines,
    ) -> Batch<'a> {
        let look = |(pair, routes): (&Pair, [u16; 2])| Look::new(routes, guesses.of(&pair.key));
        let looks: Vec<Look> = pairs.iter().zip(routes).map(look).collect();
        let open = looks.len();
        let mut batch = Batch {
            demands,
            pairs,
            looks,
            guesses,
            memory_usage,
            fields_expire: lines.sides.abilities.fields_expire,
            ready: Vec::new(),
            small: VecDeque::new(),
            big: VecDeque::new(),
            open,
            big_running: 0,
            bytes_running: 0,
            marks_due: 0,
        };
        lines.all.iter_mut().for_each(Line::begin);
        let sides = Arc::clone(&lines.sides);
        for index in 0..pairs.len() {
            let names = batch.names(index);
            let look = &mut batch.looks[index];
            for side in BOTH {
                let line = lines.line(look.routes[side]);
                look.sides[side].mark = line.push_ttl(index as u32, names[side], &sides);
            }
            look.waiting = 2;
            batch.ask_sizes(index, lines);
        }
        for line in lines.all.iter_mut().filter(|line| !line.marks.is_empty()) {
            line.mark(&sides);
            batch.marks_due += line.marks.len();
        }
        batch
    }

    fn names(&self, index: usize) -> [&'a [u8]; 2] {
        [&self.pairs[index].key, self.pairs[index].name()]
    }

    fn end(&mut self, index: usize, end: End) {
        let look = &mut self.looks[index];
        look.end = Some(end);
        look.job = None;
        self.open -= 1;
        match std::mem::take(&mut look.load) {
            Load::None => {}
            Load::Bytes(bytes) => self.bytes_running -= bytes,
            Load::Pieces => self.big_running -= 1,
        }
    }

    /// Lets a job wait for its turn.
    fn enqueue(&mut self, index: usize, load: Load) {
        let look = &mut self.looks[index];
        look.step = Step::Job;
        look.load = load;
        match load {
            Load::Pieces => self.big.push_back(index as u32),
            _ => self.small.push_back(index as u32),
        }
    }

    /// Begins jobs as there is room; the big ones when everything else is done.
    fn start_jobs(&mut self, lines: &mut Lines) {
        while let Some(&index) = self.small.front() {
            let Load::Bytes(bytes) = self.looks[index as usize].load else { return };
            if self.bytes_running > 0 && self.bytes_running + bytes > SMALL_BYTES {
                break;
            }
            self.small.pop_front();
            self.bytes_running += bytes;
            self.run_job(index as usize, lines);
        }
        while self.open == self.big.len() + self.big_running && self.big_running < BIG_AT_ONCE {
            let Some(index) = self.big.pop_front() else { return };
            self.big_running += 1;
            self.run_job(index as usize, lines);
        }
    }
}

impl Work for Batch<'_> {
    fn digest(&mut self, line: &mut Line, sides: &Sides) -> Result<(), Setback> {
        self.take_replies(line, sides)
    }

    fn go_on(&mut self, lines: &mut Lines) {
        // Those that become ready here did not ask anything.
        while !self.ready.is_empty() {
            for index in std::mem::take(&mut self.ready) {
                self.step(index as usize, lines);
            }
        }
        self.start_jobs(lines);
    }

    fn is_done(&self) -> bool {
        self.open == 0 && self.marks_due == 0
    }
}
