//! Making sure that both sides are equal: the barrier, what no feed sees, streams with groups once more, and the barrier
//! again. It runs beside the coordinator, which gives it up when anything is heard meanwhile.

use std::sync::Arc;
use std::time::Duration;

use client::{FeedKind, Node};
use tokio::sync::{mpsc, oneshot};

use super::followee::Following;
use super::hearing::{Barrier, Told};
use super::watching::{self, SharedWitness};
use super::witness::Said;
use super::{Queue, comparing};
use crate::run::Run;

/// How long a feed may take to answer the barrier.
const BARRIER_WITHIN: Duration = Duration::from_secs(10);

/// What is needed to make sure.
pub(crate) struct Attempt {
    pub(crate) run: Arc<Run>,
    pub(crate) feed: FeedKind,
    pub(crate) told: Told,
    pub(crate) parts: Vec<Part>,
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
    /// Whether all of it could be done. Whether anything was heard meanwhile is for the caller to see.
    pub(crate) async fn succeeds(self) -> bool {
        // What groups changed is carried anyway.
        if !self.barrier().await || self.counted().await > Said::Groups {
            return false;
        }
        for part in &self.parts {
            for queue in &part.queues {
                if let Err(error) = comparing::groups(&self.run, part.node(), queue).await {
                    tracing::debug!("streams of {} are not marked: {error}", part.node());
                    return false;
                }
            }
        }
        for queue in self.parts.iter().flat_map(|part| &part.queues) {
            // What did not fit may do so now: a field's time may be over, of which no feed tells.
            queue.suspect_incompatible();
            queue.room_below(1).await;
        }
        self.barrier().await && self.counted().await == Said::Nothing
    }

    /// The worst that the counters of any node say has happened since the last look.
    async fn counted(&self) -> Said {
        let mut worst = Said::Nothing;
        for part in &self.parts {
            let said = watching::look(&self.run, &part.following, self.feed, &part.witness, &self.told).await;
            worst = worst.max(said);
        }
        worst
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

impl Part {
    fn node(&self) -> &Node {
        &self.following.node
    }
}
