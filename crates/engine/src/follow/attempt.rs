//! Making sure that both sides are equal: the counters, the barrier, streams with groups once more, until everything that
//! was marked by then is carried, the barrier again, and the counters, which must say that nobody has written.
//! Keys that expire meanwhile are told by the feed, and do not matter: they expire on both sides.

use std::sync::Arc;
use std::time::{Duration, Instant};

use client::{FeedKind, Node};
use tokio::sync::{mpsc, oneshot};

use super::followee::Following;
use super::hearing::{Barrier, Told};
use super::watching::{self, SharedWitness};
use super::witness::Said;
use super::{Queue, comparing};
use crate::run::Run;

/// How long keys that are on their way may take at the end.
const REST_WITHIN: Duration = Duration::from_secs(5);

/// How long a feed may take to answer the barrier.
const BARRIER_WITHIN: Duration = Duration::from_secs(10);

/// What is needed to make sure.
pub(crate) struct Attempt {
    pub(crate) run: Arc<Run>,
    pub(crate) feed: FeedKind,
    pub(crate) told: Told,
    pub(crate) parts: Vec<Part>,
    /// Whether the sync is to end at that moment: then no key may be on its way.
    pub(crate) ends: bool,
}

/// What became of it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Attempted {
    /// Both sides were equal at a moment at which commands that write had run so often, all nodes together: as often
    /// as when it began. `None` where servers do not tell; the feed's silence stands for it then, which is the caller's to
    /// see.
    Equal { writes: Option<u64> },
    /// It could not be done, or somebody wrote.
    Failed,
}

/// One node's part of it.
pub(crate) struct Part {
    pub(crate) following: Following,
    pub(crate) queues: Vec<Arc<Queue>>,
    /// Of every feed that is heard: a change may have come to one of a node's feeds only.
    pub(crate) barriers: Vec<mpsc::UnboundedSender<Barrier>>,
    pub(crate) witness: SharedWitness,
}

impl Attempt {
    /// Does it. Where the sync is to end, the queues of an attempt that did not fail are paused.
    pub(crate) async fn succeeds(self) -> Attempted {
        // What groups changed is carried anyway.
        let (said, before) = self.counted().await;
        if said > Said::Groups || !self.barrier().await {
            return Attempted::Failed;
        }
        for part in &self.parts {
            for queue in &part.queues {
                if let Err(error) = comparing::groups(&self.run, part.node(), queue).await {
                    tracing::debug!("streams of {} are not marked: {error}", part.node());
                    return Attempted::Failed;
                }
            }
        }
        let queues = || self.parts.iter().flat_map(|part| &part.queues);
        // What was refused may be taken now: a field's time may be over, or a right given, of which no feed tells.
        queues().for_each(|queue| queue.suspect_lacking());
        let marked = Instant::now();
        for queue in queues() {
            queue.carried_until(marked).await;
        }
        if !self.barrier().await {
            return Attempted::Failed;
        }
        let rest = if self.ends { Some(Rest::of(queues().map(Arc::clone).collect())) } else { None };
        if let Some(rest) = &rest
            && !rest.comes().await
        {
            return Attempted::Failed;
        }
        let (said, after) = self.counted().await;
        if said != Said::Nothing || before != after {
            return Attempted::Failed;
        }
        rest.into_iter().for_each(Rest::keep);
        Attempted::Equal { writes: after }
    }

    /// The worst that the counters of any node say has happened since the last look, and the commands that write of all.
    async fn counted(&self) -> (Said, Option<u64>) {
        let (mut worst, mut writes) = (Said::Nothing, Some(0));
        for part in &self.parts {
            let look = watching::look(&self.run, &part.following, self.feed, &part.witness, &self.told).await;
            worst = worst.max(look.said);
            writes = writes.zip(look.writes).map(|(all, one): (u64, u64)| all.wrapping_add(one));
        }
        (worst, writes)
    }

    /// Whether every feed has told everything up to now.
    async fn barrier(&self) -> bool {
        let mut answers = Vec::new();
        for part in &self.parts {
            if part.barriers.is_empty() {
                return false;
            }
            for barrier in &part.barriers {
                let (asked, answer) = oneshot::channel();
                if barrier.send(asked).is_err() {
                    return false;
                }
                answers.push(answer);
            }
        }
        for answer in answers {
            if !matches!(tokio::time::timeout(BARRIER_WITHIN, answer).await, Ok(Ok(()))) {
                return false;
            }
        }
        true
    }
}

/// No more keys are given out, so that what is written to the target after the end is not redferry's.
struct Rest {
    queues: Vec<Arc<Queue>>,
    is_kept: bool,
}

impl Rest {
    fn of(queues: Vec<Arc<Queue>>) -> Rest {
        queues.iter().for_each(|queue| queue.pause(true));
        Rest { queues, is_kept: false }
    }

    /// Waits until no key is on its way; `false` when that takes too long.
    async fn comes(&self) -> bool {
        let until = Instant::now() + REST_WITHIN;
        while !self.queues.iter().all(|queue| queue.is_idle()) {
            if Instant::now() > until {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        true
    }

    fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        if !self.is_kept {
            self.queues.iter().for_each(|queue| queue.pause(false));
        }
    }
}

impl Part {
    fn node(&self) -> &Node {
        &self.following.node
    }
}
