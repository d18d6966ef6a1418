//! Carrying what is marked of one node and database, as the lanes of the engine do. A lane has two ways: its own
//! connections, and those of a value that travels in pieces beside it. What goes different ways overtakes each other.

use std::collections::{BTreeMap, VecDeque};

use migration::dirty::{Settled, Ticket};

use super::outside::Outside;
use super::queue::Queue;
use super::rules::Rule;
use super::source::{Address, Value, alive, key_of};
use super::target::{Answer, Write};

/// What a lane does, and what happens to what it sent.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    Take,
    Ask,
    SourceAnswers,
    Hear,
    TargetExecutes,
    Acknowledged,
    Loses,
    ConnectsSource,
    ConnectsTarget,
}

pub const STEPS: [Step; 9] = [
    Step::Take,
    Step::Ask,
    Step::SourceAnswers,
    Step::Hear,
    Step::TargetExecutes,
    Step::Acknowledged,
    Step::Loses,
    Step::ConnectsSource,
    Step::ConnectsTarget,
];

/// What a reading found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    State(Option<Value>),
    /// The node does not have its slot.
    Moved,
}

/// One key on its way.
#[derive(Debug)]
pub struct Reading {
    /// Without one only if rule R2 is left out.
    ticket: Option<Ticket>,
    pub key: u8,
    /// What the source said last; `None`: it will still be asked.
    pub found: Option<Found>,
}

#[derive(Debug, Default)]
struct Way {
    /// The process that the connection leads to.
    source: Option<u32>,
    source_cut: bool,
    asked: VecDeque<u64>,
    found: VecDeque<u64>,
    target: Option<u32>,
    due: VecDeque<u64>,
}

#[derive(Debug)]
pub struct Lane {
    pub queue: Queue,
    pub readings: BTreeMap<u64, Reading>,
    todo: VecDeque<u64>,
    ways: [Way; 2],
    next: u64,
    /// Connections to the target that were lost.
    lost: Vec<u32>,
}

impl Lane {
    pub fn new(queue: Queue) -> Lane {
        Lane {
            queue,
            readings: BTreeMap::new(),
            todo: VecDeque::new(),
            ways: Default::default(),
            next: 0,
            lost: Vec::new(),
        }
    }

    /// The next thing that it does, or that happens to what it sent; `false`: nothing.
    ///
    /// # Errors
    /// A key is handed out twice.
    pub fn act(&mut self, address: Address, out: &mut Outside) -> Result<bool, String> {
        let way = out.random.below(2);
        let at = out.random.below(out.paces[STEPS.len() - 1]);
        let step = STEPS[out.paces.partition_point(|sum| *sum <= at)];
        let done = match step {
            Step::Take => self.take(out)?,
            Step::Ask => self.ask(way, out),
            Step::SourceAnswers => self.source_answers(way, address, out),
            Step::Hear => self.hear(way, out),
            Step::TargetExecutes => self.target_executes(way, out),
            Step::Acknowledged => self.acknowledged(way, out),
            Step::Loses => self.loses(way, address, out),
            Step::ConnectsSource => self.connects_source(way, address, out),
            Step::ConnectsTarget => self.connects_target(way, out),
        };
        Ok(done.is_some())
    }

    fn take(&mut self, out: &mut Outside) -> Result<Option<()>, String> {
        let most = 1 + out.random.below(3);
        let mut taken = Vec::new();
        for key in self.queue.take(out.now_us, most)? {
            taken.push((key_of(&key.key), Some(key.ticket)));
        }
        if let Some(key) = self.queue.twice.pop_front() {
            self.queue.second_readings += 1;
            taken.push((key, None));
        }
        if taken.is_empty() {
            return Ok(None);
        }
        out.say(|| {
            format!("db {} takes {:?}", self.queue.db, taken.iter().map(|taken| taken.0).collect::<Vec<_>>())
        });
        for (key, ticket) in taken {
            self.next += 1;
            self.readings.insert(self.next, Reading { ticket, key, found: None });
            self.todo.push_back(self.next);
        }
        Ok(Some(()))
    }

    fn ask(&mut self, way: usize, out: &mut Outside) -> Option<()> {
        self.ways[way].source?;
        let number = self.todo.pop_front()?;
        self.ways[way].asked.push_back(number);
        out.say(|| format!("reading {number} is asked for"));
        Some(())
    }

    fn source_answers(&mut self, way: usize, address: Address, out: &mut Outside) -> Option<()> {
        let way = &mut self.ways[way];
        let process = out.source.nodes.get(&address).filter(|process| Some(process.run) == way.source)?;
        if way.source_cut {
            return None;
        }
        let number = way.asked.pop_front()?;
        let reading = self.readings.get_mut(&number)?;
        let found = if out.source.owner[reading.key as usize] == address {
            Found::State(alive(process.keys.get(&(self.queue.db, reading.key)), out.now_us))
        } else {
            Found::Moved
        };
        reading.found = Some(found);
        way.found.push_back(number);
        let place = (self.queue.db, reading.key);
        out.say(|| format!("reading {number} of {place:?} finds {found:?} on node {address}"));
        Some(())
    }

    fn hear(&mut self, way: usize, out: &mut Outside) -> Option<()> {
        let connection = self.ways[way].target?;
        let number = self.ways[way].found.pop_front()?;
        match self.readings.get(&number)?.found? {
            Found::Moved => {
                let key = self.readings.get(&number)?.key;
                self.settle(number, Settled::Synced { cost_us: 0 }, out);
                self.queue.left.push(key);
                out.say(|| format!("key {key} has left"));
            }
            Found::State(value) => {
                let place = (self.queue.db, self.readings.get(&number)?.key);
                out.target.send(connection, Write { reading: number, place, value });
                self.ways[way].due.push_back(number);
                out.say(|| format!("reading {number} is written over connection {connection}"));
            }
        }
        Some(())
    }

    fn target_executes(&mut self, way: usize, out: &mut Outside) -> Option<()> {
        let connection = self.ways[way].target?;
        if way == 1 && out.random.percent(out.delay) {
            return None;
        }
        let refuses = out.faults && out.random.percent(10);
        let answer = if refuses { Answer::NotNow } else { Answer::Done };
        let write = out.target.execute(connection, answer, out.now_us)?;
        out.say(|| format!("the target, of connection {connection}: {write:?} {answer:?}"));
        Some(())
    }

    fn acknowledged(&mut self, way: usize, out: &mut Outside) -> Option<()> {
        let (number, answer) = out.target.answer(self.ways[way].target?)?;
        self.ways[way].due.retain(|due| *due != number);
        let cost_us = if out.random.percent(5) { 2_500 } else { 10 };
        match answer {
            Answer::NotNow if out.holds(Rule::RetriesRefusedWrites) => {
                if out.random.percent(50) {
                    self.again(number);
                } else {
                    self.settle(number, Settled::Failed { retry_after_us: 300 }, out);
                }
                out.say(|| format!("reading {number} is refused"));
            }
            Answer::Done | Answer::NotNow => {
                self.settle(number, Settled::Synced { cost_us }, out);
                out.say(|| format!("reading {number} is acknowledged"));
            }
        }
        Some(())
    }

    fn settle(&mut self, number: u64, settled: Settled, out: &Outside) {
        let Some(reading) = self.readings.remove(&number) else { return };
        match reading.ticket {
            Some(ticket) => self.queue.settle(out.now_us, reading.key, ticket, settled),
            None => self.queue.second_readings -= 1,
        }
    }

    /// To be read once more.
    fn again(&mut self, number: u64) {
        if let Some(reading) = self.readings.get_mut(&number) {
            reading.found = None;
            self.todo.push_back(number);
        }
    }

    /// Notices that a connection is lost, and puts back what was on its way.
    fn loses(&mut self, way: usize, address: Address, out: &mut Outside) -> Option<()> {
        let run = self.ways[way].source;
        if run.is_some_and(|run| self.ways[way].source_cut || !out.source.answers(address, run)) {
            let way = &mut self.ways[way];
            way.source = None;
            let back: Vec<u64> = way.found.drain(..).chain(way.asked.drain(..)).collect();
            out.say(|| format!("a connection to node {address} is lost, with {back:?}"));
            back.into_iter().for_each(|number| self.again(number));
            return Some(());
        }
        let connection = self.ways[way].target.filter(|connection| out.target.is_cut(*connection))?;
        out.target.let_go(connection);
        self.lost.push(connection);
        self.ways[way].target = None;
        let back: Vec<u64> = self.ways[way].due.drain(..).collect();
        out.say(|| format!("connection {connection} to the target is lost, with {back:?}"));
        back.into_iter().for_each(|number| self.again(number));
        Some(())
    }

    fn connects_source(&mut self, way: usize, address: Address, out: &mut Outside) -> Option<()> {
        let way = &mut self.ways[way];
        if way.source.is_some() {
            return None;
        }
        way.source = Some(out.source.nodes.get(&address)?.run);
        way.source_cut = false;
        Some(())
    }

    fn connects_target(&mut self, way: usize, out: &mut Outside) -> Option<()> {
        if self.ways[way].target.is_some() {
            return None;
        }
        let lost = std::mem::take(&mut self.lost);
        if out.holds(Rule::FencesLostConnections) {
            lost.iter().for_each(|connection| out.target.fence(*connection));
        }
        let connection = out.target.connect();
        self.ways[way].target = Some(connection);
        out.say(|| format!("connection {connection} to the target, instead of {lost:?}"));
        Some(())
    }

    /// One of its connections breaks, unnoticed yet.
    pub fn breaks(&mut self, side: usize, out: &mut Outside) -> Option<String> {
        let way = &mut self.ways[out.random.below(2)];
        if side == 0 {
            way.source?;
            way.source_cut = true;
            return Some("a connection to the source breaks".into());
        }
        let connection = way.target?;
        out.target.cut(connection);
        Some(format!("connection {connection} to the target breaks"))
    }

    /// Nobody works for it any more. Returns its connections to the target, what they carry is still on its way.
    pub fn abandoned(&mut self, out: &mut Outside) -> Vec<u32> {
        let held = self.ways.iter_mut().filter_map(|way| way.target.take());
        let connections: Vec<u32> = held.chain(self.lost.drain(..)).collect();
        connections.iter().for_each(|connection| out.target.let_go(*connection));
        connections
    }
}
