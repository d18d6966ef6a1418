//! One direction of a sync: the same caches and keys, the one or the other way.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use client::{Endpoint, FeedKind, Side};
use engine::preflight::{self, DbWish, Findings, Wishes};
use engine::{CopyOptions, Halt, Steering, Stop, Sync, SyncOutcome, Watch};
use migration::conflict::OnConflict;
use migration::naming::Naming;
use migration::selection::Selection;
use tokio::task::JoinSet;

use super::comparer::ByVerifier;
use super::direction::Direction;
use super::feed::{self, NoFeed};
use crate::args::{FeedChoice, Protection};
use crate::check;
use crate::verify::Chosen;

/// What is the same in both directions.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) source: Endpoint,
    pub(super) target: Endpoint,
    pub(super) selection: Selection,
    pub(super) naming: Naming,
    pub(super) options: CopyOptions,
    pub(super) protection: Protection,
    pub(super) feed: FeedChoice,
    pub(super) feeds: usize,
    pub(super) marks: usize,
}

/// A direction that could be taken.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) findings: Findings,
    pub(super) feed: FeedKind,
}

/// A direction that is being taken.
#[derive(Debug)]
pub(super) struct Leg {
    pub(super) direction: Direction,
    pub(super) feed: FeedKind,
    pub(super) watch: Watch,
    pub(super) steering: Steering,
    /// The sync, which ends when this is dropped.
    task: JoinSet<Result<SyncOutcome, Halt>>,
}

/// How a leg begins and ends.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Manner {
    /// It only listens until it is released.
    pub(super) held: bool,
    /// It ends when nobody has written for so long.
    pub(super) until_quiet: Option<Duration>,
    /// There is nothing to compare with.
    pub(super) target_was_empty: bool,
    /// It goes on with what an earlier process began.
    pub(super) resumed: bool,
}

impl Plan {
    /// Where keys come from and go to.
    pub(super) fn sides(&self, direction: Direction) -> (Endpoint, Endpoint) {
        match direction {
            Direction::Forward => (self.source.clone(), self.target.clone()),
            Direction::Back => (self.target.on(Side::Source), self.source.on(Side::Target)),
        }
    }

    /// Under which names; `None` when the way back is not known.
    pub(super) fn naming(&self, direction: Direction) -> Option<Naming> {
        match direction {
            Direction::Forward => Some(self.naming.clone()),
            Direction::Back => self.naming.reversed(),
        }
    }

    /// Whether a direction can be taken, with both caches as they are: one of them holds what the other does.
    pub(super) async fn look(&self, direction: Direction) -> Result<Ready, String> {
        let (source, target) = self.sides(direction);
        let naming = self.naming(direction).ok_or(
            "keys have other names, or databases meet, on the target: where they came from is not known there",
        )?;
        let db_map: BTreeMap<u32, u32> =
            naming.source_dbs().filter_map(|db| Some((db, naming.target_db(db)?))).collect();
        let wishes = Wishes {
            databases: DbWish::List(naming.source_dbs().collect()),
            db_map,
            on_conflict: OnConflict::Replace,
            resuming: true,
            follows: true,
            ..Wishes::default()
        };
        let findings =
            preflight::probe(&source, &target, &wishes).await.map_err(|error| error.to_string())?;
        if let Some(why) = check::refusal(findings.refusals()) {
            return Err(why);
        }
        let feed = self.feed(direction, &findings).await.map_err(|none| match none {
            NoFeed::Refused(why) => why,
            NoFeed::Lost(error) => error.to_string(),
        })?;
        Ok(Ready { findings, feed })
    }

    /// How the cache in charge says what changes. Errors call it as the user does.
    pub(super) async fn feed(&self, direction: Direction, findings: &Findings) -> Result<FeedKind, NoFeed> {
        let cache = match direction {
            Direction::Forward => &self.source,
            Direction::Back => &self.target,
        };
        feed::choose(cache, &findings.source.layout, self.feed).await
    }

    /// Takes a direction. One whose names are not known was never [looked at](Plan::look).
    pub(super) fn take(&self, direction: Direction, ready: &Ready, manner: Manner, stop: &Arc<Stop>) -> Leg {
        let (source, target) = self.sides(direction);
        let naming = self.naming(direction).unwrap_or_else(|| self.naming.clone());
        let comparer = ByVerifier {
            source: source.clone(),
            target: target.clone(),
            scope: Arc::new(Chosen::new(self.selection.clone(), naming.clone())),
            big_key: self.options.big_key,
            silence: self.options.silence,
        };
        let (watch, (steering, steered)) = (Watch::default(), Steering::new());
        let sync = Sync {
            source,
            target,
            selection: self.selection.clone(),
            naming,
            abilities: ready.findings.abilities,
            options: self.options.clone(),
            feed: ready.feed,
            feeds: self.feeds,
            comparer: Some(Arc::new(comparer)),
            target_was_empty: manner.target_was_empty,
            resumed: manner.resumed,
            marks: self.marks,
            until_quiet: manner.until_quiet,
            held: manner.held,
        };
        let mut task = JoinSet::new();
        {
            let (watch, stop) = (watch.clone(), Arc::clone(stop));
            task.spawn(async move { sync.run(&watch, steered, stop).await });
        }
        Leg { direction, feed: ready.feed, watch, steering, task }
    }
}

impl Leg {
    /// Waits for its end, once.
    pub(super) async fn end(&mut self) -> Result<SyncOutcome, Halt> {
        match self.task.join_next().await {
            Some(Ok(ended)) => ended,
            Some(Err(panic)) if panic.is_panic() => std::panic::resume_unwind(panic.into_panic()),
            // It was aborted, or its end was told before: nothing more comes of it.
            Some(Err(_)) | None => Err(Halt::Asked),
        }
    }
}
