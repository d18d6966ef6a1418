//! Live sync in worlds that chance makes: the real dirty keys and the real states of gaps, and around them a source, a
//! target and the steps of the engine, each of which can be delayed, lost or cut short by a crash.
//!
//! A world is its seed. After every step each difference between both sides must be known to somebody; when it is said that
//! both sides are equal, they must be; and when writes and faults end, that must be said soon. Every rule is left out once,
//! and then some world must go wrong.
//!
//! `REDFERRY_SEED=7 cargo test -p migration --test simulation worlds -- --nocapture` shows one world step by step,
//! `REDFERRY_WORLDS=100000` runs that many. `cargo xtask simulate` does both in an optimised build.

#[path = "simulation/attempt.rs"]
mod attempt;
#[path = "simulation/checking.rs"]
mod checking;
#[path = "simulation/comparing.rs"]
mod comparing;
#[path = "simulation/engine.rs"]
mod engine;
#[path = "simulation/hearing.rs"]
mod hearing;
#[path = "simulation/lane.rs"]
mod lane;
#[path = "simulation/outside.rs"]
mod outside;
#[path = "simulation/queue.rs"]
mod queue;
#[path = "simulation/random.rs"]
mod random;
#[path = "simulation/rules.rs"]
mod rules;
#[path = "simulation/source.rs"]
mod source;
#[path = "simulation/target.rs"]
mod target;
#[path = "simulation/world.rs"]
mod world;

use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};

use rules::{Rule, Rules};
use world::{Counts, EVENTS, Event, World};

/// Worlds of a usual run: about five seconds on two idle cores.
const WORLDS: u64 = 2_000;

/// Without a rule one of so many worlds must go wrong. Each of them does within a fifth of that.
const BROKEN_WORLDS: u64 = 4_000;

/// How many steps before a fault are shown.
const SHOWN: usize = 100;

const RIGHT: Rules = Rules { left_out: None };

fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable} is a number, not {value:?}")))
}

#[test]
fn worlds_stay_right() {
    if let Some(seed) = number("REDFERRY_SEED") {
        let (trace, ended) = traced(seed);
        trace.iter().for_each(|line| println!("{line}"));
        match ended {
            Ok(()) => println!("world {seed} is right"),
            Err(fault) => panic!("world {seed}: {fault}"),
        }
        return;
    }
    let wanted = number("REDFERRY_WORLDS");
    let worlds = wanted.unwrap_or(WORLDS);
    let (counts, ready) = run(worlds, wanted.is_some());
    println!("{worlds} worlds are right; they were ready {ready} times");
    for event in EVENTS {
        let count = counts.get(&event).copied().unwrap_or(0);
        assert!(count * 100 >= worlds, "{event:?} happened {count} times only");
    }
    assert!(ready > worlds * 3 / 2, "{ready}: hardly a world was ready before its end");
}

/// Runs worlds on all cores; says what has happened in them.
fn run(worlds: u64, shows_progress: bool) -> (Counts, u64) {
    let next = AtomicU64::new(0);
    let part = worlds.div_ceil(20);
    let work = || {
        let (mut counts, mut ready) = (Counts::new(), 0);
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= worlds {
                return (counts, ready);
            }
            if shows_progress && seed.is_multiple_of(part) {
                eprintln!("{:>3} %  from world {seed}", seed * 100 / worlds);
            }
            let mut world = World::new(seed, RIGHT, &[], false);
            if world.run().is_err() {
                // The others stop too.
                next.store(worlds, Ordering::Relaxed);
                fail(seed);
            }
            ready += world.ready;
            world.counts.iter().for_each(|(event, count)| *counts.entry(*event).or_default() += count);
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let (mut counts, mut ready) = (Counts::new(), 0);
        for worker in workers {
            let (more, more_ready) = worker.join().expect("the fault and the seed are above");
            more.into_iter().for_each(|(event, count)| *counts.entry(event).or_default() += count);
            ready += more_ready;
        }
        (counts, ready)
    })
}

fn traced(seed: u64) -> (Vec<String>, Result<(), String>) {
    let mut world = World::new(seed, RIGHT, &[], true);
    let ended = world.run();
    (world.trace(), ended)
}

/// The same world once more, to show the way to its fault.
fn fail(seed: u64) -> ! {
    let (trace, ended) = traced(seed);
    let shown = trace[trace.len().saturating_sub(SHOWN)..].join("\n");
    let fault = ended.expect_err("a world is its seed");
    panic!("{shown}\nworld {seed}: {fault}\nall of its steps: cargo xtask simulate --seed {seed}");
}

#[test]
fn a_world_is_its_seed() {
    assert_eq!(traced(7), traced(7));
    assert_ne!(traced(7), traced(8));
}

/// Fails unless some world goes wrong without the rule. `often`: weights of events that lead there.
#[track_caller]
fn breaks(rule: Rule, often: &[(Event, usize)]) {
    let rules = Rules { left_out: Some(rule) };
    let wrong = |seed| World::new(seed, rules, often, false).run().err();
    match (0..BROKEN_WORLDS).find_map(|seed| Some((seed, wrong(seed)?))) {
        Some((seed, fault)) => {
            let right = World::new(seed, Rules { left_out: None }, often, false).run();
            assert!(right.is_ok(), "world {seed} goes wrong with every rule too: {right:?}");
            println!("without {rule:?} world {seed} goes wrong: {fault}");
        }
        None => panic!("{BROKEN_WORLDS} worlds are right without {rule:?}, so it would not be needed"),
    }
}

/// Turns of the source's event loop take long, and everything else is quick.
const SLOW_TURNS: [(Event, usize); 5] = [
    (Event::EndTurn, 4),
    (Event::ReadFeed, 80),
    (Event::Hear, 15),
    (Event::Attempt, 100),
    (Event::Coordinate, 100),
];

#[test]
fn a_key_that_is_unmarked_after_its_reading_is_lost() {
    breaks(Rule::UnmarksBeforeReading, &[]);
}

#[test]
fn two_readings_of_a_key_overtake_each_other() {
    breaks(Rule::ReadsOneAtATime, &[]);
}

#[test]
fn keys_that_only_the_target_has_stay() {
    breaks(Rule::ComparesBothWays, &[]);
}

#[test]
fn what_changed_while_the_feed_was_lost_is_lost() {
    breaks(Rule::ComparesAfterLostFeed, &[]);
}

#[test]
fn what_changes_between_comparison_and_feed_is_lost() {
    breaks(Rule::HearsBeforeComparing, &[]);
}

#[test]
fn a_flush_that_is_not_heeded_leaves_keys() {
    breaks(Rule::HeedsEverything, &[]);
}

#[test]
fn what_no_feed_sees_is_lost_without_counters() {
    breaks(Rule::CountsTheUnseen, &[]);
}

#[test]
fn groups_are_lost_where_counters_are_hidden() {
    breaks(Rule::CarriesGroupsOnceMore, &[]);
}

#[test]
fn counters_that_could_not_be_read_hide_a_change() {
    breaks(Rule::KnowsFailedLooks, &[(Event::Swap, 30), (Event::Count, 0), (Event::Crash, 3)]);
}

#[test]
fn one_ping_is_no_barrier() {
    breaks(Rule::PingsTwice, &SLOW_TURNS);
}

#[test]
fn the_answer_to_an_older_ping_is_no_barrier() {
    breaks(Rule::TellsPongsApart, &SLOW_TURNS);
}

#[test]
fn marks_that_are_given_up_and_forgotten_are_lost() {
    breaks(Rule::RemembersOverflow, &[]);
}

#[test]
fn a_listing_that_gives_marks_up_never_ends() {
    breaks(Rule::ListsIntoRoom, &[]);
}

#[test]
fn a_refused_write_that_counts_as_done_is_lost() {
    breaks(Rule::RetriesRefusedWrites, &[]);
}

#[test]
fn what_was_read_before_a_flush_arrives_after_the_comparison() {
    breaks(Rule::RereadsForComparison, &[(Event::Flush, 10)]);
}

#[test]
fn a_crash_takes_the_marks_with_it() {
    breaks(Rule::ComparesAfterCrash, &[]);
}

#[test]
fn a_write_of_a_crashed_process_arrives_late() {
    breaks(Rule::FencesOnTakeover, &[(Event::Crash, 3), (Event::LateWrite, 1)]);
}

#[test]
fn a_write_over_a_lost_connection_arrives_late() {
    breaks(Rule::FencesLostConnections, &[(Event::BreakTarget, 10), (Event::LateWrite, 1)]);
}

#[test]
fn a_write_of_an_abandoned_lane_arrives_late() {
    breaks(Rule::FencesAbandonedLanes, &[(Event::LoseLane, 3), (Event::LateWrite, 1)]);
}
