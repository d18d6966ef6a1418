//! Where a sync stands as a whole, for whoever shows it: which cache is in charge, how its leg is, and the turn that is
//! being made.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ::verify::Progress;
use client::FeedKind;
use engine::{ChangedKeys, SyncStatus, Watch};
use serde_json::{Value, json};

use super::direction::{Direction, Turn};
use super::leg::{Leg, Plan};
use super::proof::Proof;
use super::report;
use super::state::{State, Turned};
use super::turn::Failure;
use crate::printable::printable;

/// Keys that changed within this time are busy.
const BUSY: Duration = Duration::from_secs(5);

/// What the session tells and others show.
#[derive(Debug)]
pub(crate) struct Overview {
    inner: Mutex<Inner>,
    /// Both caches, as they are called.
    source: String,
    target: String,
    /// Keys of each kind that are named, at most.
    named: usize,
}

#[derive(Debug)]
struct Inner {
    direction: Direction,
    feed: FeedKind,
    watch: Watch,
    turns: Vec<Turned>,
    turn: Option<Turning>,
}

/// A turn that is being made, or the last one.
#[derive(Debug)]
struct Turning {
    turn: Turn,
    step: Step,
    began: Instant,
    took: Option<Duration>,
    comparing: Option<Progress>,
    proof: Option<Proof>,
    /// Keys that the other version cannot hold.
    incompatible: u64,
    failure: Option<Failure>,
}

/// How far a turn is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Until nobody writes and both sides are equal.
    Waiting,
    /// Both sides are compared.
    Verifying,
    /// The way back begins to listen.
    Listening,
    /// This way ends, if nobody has written since.
    Turning,
    /// The other cache is in charge.
    Done,
    /// It was not made.
    Failed,
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Step::Waiting => "waiting_for_quiet",
            Step::Verifying => "verifying",
            Step::Listening => "listening_back",
            Step::Turning => "turning",
            Step::Done => "done",
            Step::Failed => "failed",
        }
    }

    fn is_over(self) -> bool {
        matches!(self, Step::Done | Step::Failed)
    }
}

impl Overview {
    pub(super) fn new(plan: &Plan, state: &State, leg: &Leg, named: usize) -> Overview {
        let inner = Inner {
            direction: leg.direction,
            feed: leg.feed,
            watch: leg.watch.clone(),
            turns: state.turns.clone(),
            turn: None,
        };
        let (source, target) = (plan.source.seed().to_string(), plan.target.seed().to_string());
        Overview { inner: Mutex::new(inner), source, target, named }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A leg is under way.
    pub(super) fn goes(&self, direction: Direction, feed: FeedKind, watch: Watch) {
        let mut inner = self.inner();
        (inner.direction, inner.feed, inner.watch) = (direction, feed, watch);
    }

    /// A turn begins. `false`: another one is being made, or this one leads to where keys go already.
    pub(super) fn begins(&self, turn: Turn) -> Result<(), String> {
        let mut inner = self.inner();
        if turn.ends() != inner.direction {
            return Err(match turn {
                Turn::CutOver => "it is cut over already: the target is in charge".to_owned(),
                Turn::RollBack => "there is nothing to roll back: the source is in charge".to_owned(),
            });
        }
        if inner.turn.as_ref().is_some_and(|turning| !turning.step.is_over()) {
            return Err("one is being made already; its progress is in the status".to_owned());
        }
        inner.turn = Some(Turning {
            turn,
            step: Step::Waiting,
            began: Instant::now(),
            took: None,
            comparing: None,
            proof: None,
            incompatible: 0,
            failure: None,
        });
        Ok(())
    }

    /// Whether a turn is being made.
    pub(super) fn is_turning(&self) -> bool {
        self.inner().turn.as_ref().is_some_and(|turning| !turning.step.is_over())
    }

    pub(super) fn step(&self, step: Step) {
        self.change(|turning| turning.step = step);
    }

    pub(super) fn comparing(&self, progress: Progress) {
        self.change(|turning| turning.comparing = Some(progress));
    }

    pub(super) fn incompatible(&self, keys: u64) {
        self.change(|turning| turning.incompatible = keys);
    }

    pub(super) fn proved(&self, proof: Proof) {
        self.change(|turning| turning.proof = Some(proof));
    }

    /// The other cache is in charge, as the state says.
    pub(super) fn turned(&self, turns: Vec<Turned>) {
        let mut inner = self.inner();
        if let Some(turning) = &mut inner.turn {
            turning.step = Step::Done;
            turning.took = Some(turning.began.elapsed());
        }
        inner.turns = turns;
        inner.direction = inner.direction.turned();
    }

    pub(super) fn failed(&self, failure: Failure) {
        self.change(|turning| {
            turning.step = Step::Failed;
            turning.took = Some(turning.began.elapsed());
            turning.failure = Some(failure);
        });
    }

    fn change(&self, change: impl FnOnce(&mut Turning)) {
        if let Some(turning) = &mut self.inner().turn {
            change(turning);
        }
    }

    /// Which way keys go.
    pub(crate) fn direction(&self) -> Direction {
        self.inner().direction
    }

    /// How the leg under way is; `None` before it has begun.
    pub(crate) fn status(&self) -> Option<SyncStatus> {
        let watch = self.inner().watch.clone();
        watch.status()
    }

    /// The fields that scripts rely on; names never change once published.
    pub(crate) fn document(&self) -> Value {
        let inner = self.inner();
        let status = inner.watch.status().unwrap_or_else(SyncStatus::beginning);
        let turns: Vec<Value> =
            inner.turns.iter().map(|turned| json!({ "turn": turned.turn.name(), "at": turned.at })).collect();
        let mut document = report::running(&status);
        if let Value::Object(document) = &mut document {
            document.insert("direction".into(), inner.direction.name().into());
            document.insert("source".into(), self.source.clone().into());
            document.insert("target".into(), self.target.clone().into());
            document.insert("feed".into(), inner.feed.name().into());
            document.insert("turns".into(), turns.into());
            let busy = inner.watch.changed_within(BUSY);
            document.insert("busy".into(), self.busy(&busy));
            let turn = inner.turn.as_ref().map(|turning| self.turning(turning));
            document.insert("turn".into(), turn.unwrap_or(Value::Null));
            let named = inner.watch.incompatible(self.named);
            let named: Vec<Value> =
                named.iter().map(|(db, key)| json!({ "db": db, "key": printable(key) })).collect();
            document.insert("incompatible_keys".into(), named.into());
        }
        document
    }

    fn busy(&self, busy: &ChangedKeys) -> Value {
        let per_second =
            |changes: u64| (changes as f64 / busy.counted.as_secs_f64().max(1.0) * 10.0).round() / 10.0;
        let changes: u64 = busy.keys.iter().map(|(_, key)| key.count).sum::<u64>() + busy.nameless;
        let named = busy.keys.iter().take(self.named);
        let named: Vec<Value> = named
            .map(|(db, key)| {
                json!({ "db": db, "key": printable(&key.key), "changes_per_sec": per_second(key.count) })
            })
            .collect();
        json!({ "keys": busy.keys.len(), "changes_per_sec": per_second(changes), "busiest": named })
    }

    fn turning(&self, turning: &Turning) -> Value {
        let took = turning.took.unwrap_or_else(|| turning.began.elapsed());
        let compared = turning.proof.as_ref().map_or_else(
            || {
                let lanes = turning.comparing.as_ref().map(Progress::lanes).unwrap_or_default();
                lanes.iter().map(|lane| lane.keys).sum()
            },
            |proof| proof.compared,
        );
        let recent = turning.proof.iter().filter(|proof| proof.recent > 0);
        let found: serde_json::Map<String, Value> = turning
            .proof
            .iter()
            .flat_map(|proof| &proof.found)
            .map(|(kind, keys)| (kind.name(), *keys))
            .chain(recent.map(|proof| ("recently_changed", proof.recent)))
            .map(|(name, keys)| (name.to_owned(), keys.into()))
            .collect();
        let examples = turning.proof.iter().flat_map(|proof| &proof.examples);
        let examples: Vec<Value> = examples
            .map(|one| json!({ "kind": one.kind.name(), "db": one.db, "key": printable(&one.key) }))
            .collect();
        json!({
            "turn": turning.turn.name(),
            "step": turning.step.name(),
            "is_over": turning.step.is_over(),
            "elapsed_ms": took.as_millis() as u64,
            "keys_compared": compared,
            "recent_not_named": turning.proof.as_ref().map_or(0, |proof| proof.nameless),
            "differing": found,
            "examples": examples,
            "incompatible": turning.incompatible,
            "failure": turning.failure.as_ref().map(Failure::name),
            "error": turning.failure.as_ref().map(ToString::to_string),
        })
    }
}
