//! A world: a source that is written to, a target, and a redferry that may crash. Its seed decides what exists, what happens
//! and how often things fail.

use std::collections::BTreeMap;

use super::checking::{check, differences};
use super::engine::{Engine, Plan};
use super::lane::STEPS;
use super::outside::Outside;
use super::random::Random;
use super::rules::Rules;
use super::source::Source;
use super::target::{Answer, Target};

/// What can happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    Write,
    Delete,
    Rename,
    Flush,
    Swap,
    ChangeGroups,
    Expire,
    EndTurn,
    ReadFeed,
    Replicate,
    FailOver,
    Die,
    Restart,
    MoveSlot,
    CutFeed,
    CutOff,
    BreakSource,
    BreakTarget,
    LateWrite,
    LoseLane,
    Crash,
    Begin,
    Tick,
    Hear,
    Carry,
    Compare,
    Count,
    ListGroups,
    Attempt,
    Coordinate,
}

/// How often each event is tried.
const WEIGHTS: [(Event, usize); 30] = [
    (Event::Write, 30),
    (Event::Delete, 8),
    (Event::Rename, 4),
    (Event::Flush, 2),
    (Event::Swap, 2),
    (Event::ChangeGroups, 6),
    (Event::Expire, 10),
    (Event::EndTurn, 30),
    (Event::ReadFeed, 20),
    (Event::Replicate, 8),
    (Event::FailOver, 1),
    (Event::Die, 1),
    (Event::Restart, 4),
    (Event::MoveSlot, 2),
    (Event::CutFeed, 1),
    (Event::CutOff, 6),
    (Event::BreakSource, 2),
    (Event::BreakTarget, 2),
    (Event::LateWrite, 5),
    (Event::LoseLane, 1),
    (Event::Crash, 1),
    (Event::Begin, 10),
    (Event::Tick, 3),
    (Event::Hear, 50),
    (Event::Carry, 200),
    (Event::Compare, 25),
    (Event::Count, 4),
    (Event::ListGroups, 8),
    (Event::Attempt, 25),
    (Event::Coordinate, 30),
];

/// All events.
pub const EVENTS: [Event; WEIGHTS.len()] = {
    let mut events = [Event::Write; WEIGHTS.len()];
    let mut at = 0;
    while at < events.len() {
        events[at] = WEIGHTS[at].0;
        at += 1;
    }
    events
};

impl Event {
    /// A client does it.
    fn is_of_clients(self) -> bool {
        self <= Event::ChangeGroups
    }

    /// It does not happen in every world.
    fn is_optional(self) -> bool {
        use Event::*;
        let faults = [FailOver, Die, MoveSlot, CutFeed, BreakSource, BreakTarget, LoseLane, Crash];
        faults.contains(&self) || matches!(self, Rename | Flush | Swap | ChangeGroups | CutOff)
    }

    fn is_fault(self) -> bool {
        self.is_optional() && !self.is_of_clients()
    }
}

/// How often each event has happened.
pub type Counts = BTreeMap<Event, u64>;

/// After the last write and the last fault it has to become ready within so many steps.
const PATIENCE: u64 = 6_000;

pub struct World {
    out: Outside,
    engine: Option<Box<Engine>>,
    plan: Plan,
    /// Events and the sum of weights up to them.
    weights: Vec<(Event, usize)>,
    /// Whether clients write at the moment.
    busy: bool,
    /// How many steps they write, and how many they do not, about.
    busy_for: usize,
    quiet_for: usize,
    /// Steps with writes and faults.
    steps: u64,
    /// When the source last changed in a way that its feed tells, and in one that only its counters do.
    changed_step: u64,
    unseen_step: u64,
    pub counts: Counts,
    /// How often it said that both sides are equal.
    pub ready: u64,
}

impl World {
    /// `often`: weights of events that are to happen in any case.
    pub fn new(seed: u64, rules: Rules, often: &[(Event, usize)], traced: bool) -> World {
        let mut random = Random::new(seed);
        let nodes = 1 + random.below(5).saturating_sub(2) as u32;
        let dbs = if nodes > 1 { 1 } else { 1 + random.below(2) as u32 };
        let hides_counters = random.percent(15);
        let is_calm = random.percent(30);
        let mut sum = 0;
        let weights = WEIGHTS.map(|(event, weight)| {
            let factor = if event.is_optional() { [0, 0, 4, 12] } else { [1, 4, 4, 16] }[random.below(4)];
            let hidden = hides_counters && event == Event::Swap;
            let given = often.iter().find(|(often, _)| *often == event).map(|(_, weight)| 4 * weight);
            sum += match given {
                _ if hidden => 0,
                Some(weight) => weight,
                None if is_calm && event.is_fault() => 0,
                None => weight * factor,
            };
            (event, sum)
        });
        let mut paces = STEPS.map(|_| [1, 4, 4, 16][random.below(4)]);
        for at in 1..paces.len() {
            paces[at] += paces[at - 1];
        }
        let delay = [0, 0, 80, 97][random.below(4)];
        let budget = if random.percent(40) { 1 + random.below(300) } else { 1 << 20 };
        World {
            plan: Plan { budget, quiet_us: 1 + random.below(200) as u64 },
            steps: if is_calm { 1_500 } else { 100 + random.below(700) as u64 },
            busy_for: [2, 10, 50, 200][random.below(4)],
            quiet_for: [20, 100, 400][random.below(3)],
            out: Outside {
                source: Source::new(nodes, dbs),
                target: Target::default(),
                random,
                rules,
                now_us: 0,
                step: 0,
                faults: true,
                hides_counters,
                paces,
                delay,
                trace: traced.then(Vec::new),
            },
            engine: None,
            weights: weights.into(),
            busy: true,
            changed_step: 0,
            unseen_step: 0,
            counts: Counts::new(),
            ready: 0,
        }
    }

    /// Lets the world run to its end.
    ///
    /// # Errors
    /// What went wrong.
    pub fn run(&mut self) -> Result<(), String> {
        self.engine = Some(Box::new(Engine::begin(self.plan, false, &mut self.out)));
        while self.out.step < self.steps {
            let lasts = if self.busy { self.busy_for } else { self.quiet_for };
            if self.out.random.below(lasts) == 0 {
                self.busy = !self.busy;
            }
            self.step()?;
        }
        self.busy = false;
        self.out.faults = false;
        self.out.say(|| "no more writes, no more faults".into());
        while self.out.step < self.steps + PATIENCE {
            if self.out.step == self.steps + PATIENCE / 2 {
                self.becomes_fair();
            }
            if let Some(began) = self.step()?
                && began > self.steps
            {
                return Ok(());
            }
        }
        Err("it does not become ready".into())
    }

    /// Everything happens about equally often.
    fn becomes_fair(&mut self) {
        let mut sum = 0;
        self.weights = WEIGHTS
            .map(|(event, weight)| {
                sum += weight;
                (event, sum)
            })
            .into();
        self.out.paces = std::array::from_fn(|step| step + 1);
        self.out.delay = 0;
    }

    pub fn trace(self) -> Vec<String> {
        self.out.trace.unwrap_or_default()
    }

    /// One event. When both sides are said to be equal: since which step that was made sure of.
    fn step(&mut self) -> Result<Option<u64>, String> {
        self.out.step += 1;
        self.out.now_us += 1 + self.out.random.below(10) as u64;
        let mut began = None;
        loop {
            let event = self.pick();
            if event == Event::Coordinate {
                let Some(engine) = &mut self.engine else { continue };
                let (changes, ready) = engine.coordinate(&mut self.out);
                if let Some(attempt) = ready {
                    began = Some(attempt.began_step);
                    self.is_ready(attempt.barrier_step, attempt.groups_step)?;
                }
                if changes {
                    *self.counts.entry(event).or_default() += 1;
                    break;
                }
                continue;
            }
            if self.happens(event)? {
                *self.counts.entry(event).or_default() += 1;
                break;
            }
        }
        if let Some(engine) = &self.engine {
            check(engine, &self.out)?;
        }
        Ok(began)
    }

    fn pick(&mut self) -> Event {
        loop {
            let (_, sum) = self.weights[self.weights.len() - 1];
            let at = self.out.random.below(sum);
            let (event, _) = self.weights[self.weights.partition_point(|(_, sum)| *sum <= at)];
            if (event.is_of_clients() && !self.busy) || (event.is_fault() && !self.out.faults) {
                continue;
            }
            return event;
        }
    }

    /// `false`: it is not possible now.
    fn happens(&mut self, event: Event) -> Result<bool, String> {
        let out = &mut self.out;
        let (source, random) = (&mut out.source, &mut out.random);
        let said = match event {
            Event::Write => source.write(random, out.now_us),
            Event::Delete => source.delete(random),
            Event::Rename => source.rename(random, out.now_us),
            Event::Flush => source.flush(random),
            Event::Swap => source.swap(),
            Event::ChangeGroups => source.change_groups(random, out.now_us),
            Event::Expire => source.expire(out.now_us),
            Event::EndTurn => source.end_turn(random),
            Event::ReadFeed => source.read_feed(random),
            Event::Replicate => source.replicate(random),
            Event::FailOver => source.fail_over(random),
            Event::Die => source.die(random),
            Event::Restart => source.restart(),
            Event::MoveSlot => source.move_slot(random),
            Event::CutFeed => source.cut_feed(random),
            Event::CutOff => source.cut_off(),
            Event::LateWrite => late_write(out),
            Event::Tick => self.tick(),
            _ => return self.engine_does(event),
        };
        let Some(said) = said else { return Ok(false) };
        match event {
            Event::Swap | Event::ChangeGroups => self.unseen_step = self.out.step,
            Event::FailOver | Event::Die => self.changed_step = self.out.step,
            event if event.is_of_clients() => self.changed_step = self.out.step,
            _ => {}
        }
        self.out.say(|| said);
        Ok(true)
    }

    fn engine_does(&mut self, event: Event) -> Result<bool, String> {
        let out = &mut self.out;
        let said = match (event, self.engine.take()) {
            (Event::Begin, None) => {
                self.engine = Some(Box::new(Engine::begin(self.plan, true, out)));
                Some("redferry begins again".into())
            }
            (Event::Crash, Some(mut engine)) => {
                engine.crash(out);
                Some("redferry crashes".into())
            }
            (event, Some(mut engine)) => {
                let mut quietly = false;
                let said = match event {
                    Event::BreakSource => engine.breaks(0, out),
                    Event::BreakTarget => engine.breaks(1, out),
                    Event::LoseLane => engine.loses_lane(out),
                    Event::Hear => {
                        quietly = engine.hear(out);
                        None
                    }
                    Event::Carry => {
                        quietly = engine.carry(out)?;
                        None
                    }
                    Event::Compare => {
                        quietly = engine.compare(out);
                        None
                    }
                    Event::Count => {
                        quietly = engine.count(out);
                        None
                    }
                    Event::ListGroups => {
                        quietly = engine.list_groups(out);
                        None
                    }
                    Event::Attempt => {
                        quietly = engine.attempt(out);
                        None
                    }
                    _ => None,
                };
                self.engine = Some(engine);
                if quietly {
                    return Ok(true);
                }
                said
            }
            (_, None) => None,
        };
        let Some(said) = said else { return Ok(false) };
        out.say(|| said);
        Ok(true)
    }

    /// Time passes.
    fn tick(&mut self) -> Option<String> {
        let wake_us = self
            .engine
            .as_ref()
            .and_then(|engine| engine.queues().filter_map(|queue| queue.next_wake_us()).min());
        let passes = self.out.random.below(2_000) as u64;
        self.out.now_us = match wake_us {
            Some(wake_us) if self.out.random.percent(50) => self.out.now_us.max(wake_us),
            _ => self.out.now_us + passes,
        };
        Some("time passes".into())
    }

    /// It says that both sides are equal. They must be, unless somebody wrote after the last barrier was asked for;
    /// of what no feed tells, after the streams with groups were listed.
    fn is_ready(&mut self, barrier_step: u64, groups_step: u64) -> Result<(), String> {
        self.ready += 1;
        let Some(engine) = &self.engine else { return Ok(()) };
        let unmet = engine.unmet(self.out.now_us);
        if !unmet.is_empty() || engine.follow.gaps().iter().any(|gap| gap.healed_us.is_none()) {
            return Err(format!("it is ready, though {unmet:?} are not met"));
        }
        let differences = differences(&self.out);
        if self.changed_step < barrier_step && self.unseen_step < groups_step && !differences.is_empty() {
            return Err(format!("it is ready, though there is {differences:?}"));
        }
        Ok(())
    }
}

fn late_write(out: &mut Outside) -> Option<String> {
    let connection = out.target.late(&mut out.random)?;
    let write = out.target.execute(connection, Answer::Done, out.now_us)?;
    Some(format!("the target, of connection {connection} that nobody holds: {write:?}"))
}
