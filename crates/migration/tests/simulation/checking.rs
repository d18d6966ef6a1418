//! What must be true after every step: each difference between both sides is known to somebody.

use migration::follow::Happened;

use super::engine::{Engine, Followee, News, Said};
use super::hearing::Stage;
use super::lane::Found;
use super::outside::Outside;
use super::queue::{Mark, Queue};
use super::source::{KEYS, Place, Process, Value, alive};

/// A key that differs, and what both sides have.
#[derive(Debug)]
pub struct Difference {
    place: Place,
    source: Option<Value>,
    target: Option<Value>,
}

/// All keys that differ, but for those of nodes that are stopped.
pub fn differences(out: &Outside) -> Vec<Difference> {
    let mut differences = Vec::new();
    for key in 0..KEYS {
        let Some(process) = out.source.owner_of(key) else { continue };
        for db in 0..out.source.dbs {
            let place = (db, key);
            let source = alive(process.keys.get(&place), out.now_us);
            let target = alive(out.target.keys.get(&place), out.now_us);
            if source != target {
                differences.push(Difference { place, source, target });
            }
        }
    }
    differences
}

/// # Errors
/// What is wrong.
pub fn check(engine: &Engine, out: &Outside) -> Result<(), String> {
    engine.queues().try_for_each(Queue::check)?;
    for difference in differences(out) {
        if !is_known(engine, &difference, out) {
            return Err(format!("nobody knows of {difference:?}"));
        }
    }
    Ok(())
}

/// Whether somebody will still look at a key that differs, and after its last change.
fn is_known(engine: &Engine, difference: &Difference, out: &Outside) -> bool {
    let Difference { place: (db, key), source, target } = *difference;
    let owner = out.source.owner[key as usize];
    let Some(process) = out.source.owner_of(key) else { return true };
    if engine.layout[key as usize] != owner {
        return true;
    }
    let Some(followee) = engine.nodes.get(&owner) else { return false };
    if followee.is_lost
        || followee.hearing.stage != Stage::Heard
        || counters_know(engine, followee, process, out)
    {
        return true;
    }
    let groups_are_known = groups_are_known(engine, followee, process, out);
    let will_do = |state: Option<Value>| {
        let compared = |value: Value| if groups_are_known { Value { groups: 0, ..value } } else { value };
        state.map(compared) == source.map(compared)
    };
    if will_do(target) {
        return true;
    }
    let is_on_its_way = engine.nodes.values().any(|followee| {
        let Some(lane) = followee.lanes.get(db as usize) else { return false };
        let mark = lane.queue.marks.get(&key);
        matches!(mark, Some(Mark::Waits | Mark::IsRead { again: true }))
            || lane.queue.left.contains(&key)
            || lane.queue.twice.contains(&key)
            || lane.readings.values().filter(|reading| reading.key == key).any(|reading| {
                match reading.found {
                    None | Some(Found::Moved) => true,
                    Some(Found::State(value)) => will_do(alive(value.as_ref(), out.now_us)),
                }
            })
    });
    let node = owner.to_string();
    is_on_its_way
        || process.has_to_tell(key)
        || out.source.feeds.get(&followee.hearing.feed).is_none_or(|feed| feed.tells(key))
        || followee.lanes[db as usize].queue.has_overflow()
        || engine.follow.gaps().iter().any(|gap| gap.node == node && gap.healed_us.is_none())
        || is_told(engine, followee, |news| {
            matches!(news, News::Happened(Happened::FeedLost | Happened::GapOpened(_)))
        })
}

fn is_told(engine: &Engine, followee: &Followee, told: impl Fn(&News) -> bool) -> bool {
    engine.news.iter().any(|(_, number, news)| *number == followee.number && told(news))
}

/// Whether the counters tell of what no feed sees, or somebody has been told of it.
fn counters_know(engine: &Engine, followee: &Followee, process: &Process, out: &Outside) -> bool {
    let seen = followee.seen.unwrap_or_default();
    let counts = !out.hides_counters && seen[1] != process.calls[1];
    counts || is_told(engine, followee, |news| matches!(news, News::Counted(Said::Unseen)))
}

/// The same for the groups of streams, which are carried once more at the end in any case where counters are hidden.
fn groups_are_known(engine: &Engine, followee: &Followee, process: &Process, out: &Outside) -> bool {
    let seen = followee.seen.unwrap_or_default();
    out.hides_counters
        || seen[0] != process.calls[0]
        || followee.groups_wanted
        || followee.groups.is_some()
        || is_told(engine, followee, |news| matches!(news, News::Counted(Said::Groups)))
}
