//! Everything that the engine does not decide: both sides, time and chance; and the trace.

use super::lane::STEPS;
use super::random::Random;
use super::rules::{Rule, Rules};
use super::source::{Address, Source};
use super::target::Target;

#[derive(Debug)]
pub struct Outside {
    pub source: Source,
    pub target: Target,
    pub random: Random,
    pub rules: Rules,
    pub now_us: u64,
    /// How many steps there were.
    pub step: u64,
    /// Whether connections break and servers refuse.
    pub faults: bool,
    /// The source does not tell its counters.
    pub hides_counters: bool,
    /// How often each step of a lane is tried, with those before it.
    pub paces: [usize; STEPS.len()],
    /// How often the target lets values in pieces wait, in percent.
    pub delay: usize,
    /// What happened, if somebody wants to read it.
    pub trace: Option<Vec<String>>,
}

impl Outside {
    pub fn holds(&self, rule: Rule) -> bool {
        self.rules.hold(rule)
    }

    pub fn say(&mut self, words: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>5} {:>7} us  {}", self.step, self.now_us, words()));
        }
    }

    /// A look at the counters; `None`: it failed.
    pub fn calls(&mut self, address: Address) -> Option<[u64; 2]> {
        let calls = self.source.nodes.get(&address)?.calls;
        let fails = self.faults && self.random.percent(15);
        (!fails).then_some(if self.hides_counters { [0, 0] } else { calls })
    }
}
