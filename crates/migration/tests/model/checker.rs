//! Breadth-first search over all states of a world.

use std::collections::{HashMap, VecDeque};
use std::fmt::Debug;
use std::hash::Hash;

/// A world that is explored.
pub(crate) trait World {
    type State: Clone + Eq + Hash + Debug;

    fn begin(&self) -> Self::State;

    /// Everything that can happen next, each with a name. Nothing: the world has come to rest.
    fn next(&self, state: &Self::State) -> Vec<(String, Self::State)>;

    /// What is wrong with a world at rest.
    fn fault(&self, state: &Self::State) -> Option<String>;
}

/// More states than this are a mistake of the model.
const MOST: usize = 3_000_000;

/// The shortest way to a fault, if there is one; else how many states there are.
pub(crate) fn explore<W: World>(world: &W) -> Result<usize, String> {
    let begin = world.begin();
    let mut known: HashMap<W::State, Option<(W::State, String)>> = HashMap::from([(begin.clone(), None)]);
    let mut open = VecDeque::from([begin]);
    while let Some(state) = open.pop_front() {
        let next = world.next(&state);
        if next.is_empty()
            && let Some(fault) = world.fault(&state)
        {
            return Err(format!("{fault}, after: {}", way(&known, &state).join("; ")));
        }
        for (name, next) in next {
            if !known.contains_key(&next) {
                known.insert(next.clone(), Some((state.clone(), name)));
                open.push_back(next);
            }
        }
        assert!(known.len() < MOST, "the world does not end");
    }
    Ok(known.len())
}

fn way<S: Clone + Eq + Hash>(known: &HashMap<S, Option<(S, String)>>, end: &S) -> Vec<String> {
    let mut steps = Vec::new();
    let mut state = end;
    while let Some(Some((before, name))) = known.get(state) {
        steps.push(name.clone());
        state = before;
    }
    steps.reverse();
    steps
}

/// Fails the test unless every interleaving is right.
#[track_caller]
pub(crate) fn holds<W: World>(world: &W) {
    if let Err(fault) = explore(world) {
        panic!("{fault}");
    }
}

/// Fails the test unless some interleaving is wrong: the checker bites, and the rule that is left out is needed.
#[track_caller]
pub(crate) fn breaks<W: World>(world: &W) {
    if let Ok(states) = explore(world) {
        panic!("all {states} states are right, so this rule would not be needed");
    }
}
