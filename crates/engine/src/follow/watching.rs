//! Watching beside the feeds: the source's counters, streams with groups, and how full the target is.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use client::{FeedKind, Read};
use migration::follow::{GapReason, Happened};

use super::followee::Following;
use super::hearing::{News, Told};
use super::status::TargetMemory;
use super::witness::{Look, Witness};
use super::{Queue, comparing};
use crate::preflight::info::Info;
use crate::run::{Run, lock};

/// How often the counters are read that tell of what no feed sees.
const COUNTERS_EVERY: Duration = Duration::from_secs(1);

/// How often the target is asked how full it is.
const MEMORY_EVERY: Duration = Duration::from_secs(5);

/// Listing a node's streams pauses for so many times as long as it took: a cache of many keys whose groups change all
/// the time is not listed all the time.
const REST: u32 = 4;

/// The counters as they were last seen, for whoever looks next.
pub(crate) type SharedWitness = Arc<tokio::sync::Mutex<Witness>>;

/// Looks at a node's counters until the task is aborted.
pub(crate) async fn counters(
    run: Arc<Run>,
    following: Following,
    feed: FeedKind,
    witness: SharedWitness,
    told: Told,
) {
    loop {
        look(&run, &following, feed, &witness, &told).await;
        tokio::time::sleep(COUNTERS_EVERY).await;
    }
}

/// Looks at a node's counters, and tells what they say before anybody else can look: whoever does next has only what
/// came after that.
pub(crate) async fn look(
    run: &Run,
    following: &Following,
    feed: FeedKind,
    witness: &SharedWitness,
    told: &Told,
) -> Look {
    let mut witness = witness.lock().await;
    let asked = Instant::now();
    let look = witness.look(run, &following.node, feed).await;
    // Nobody listens any more only when the sync ends.
    let _ = told.send((following.clone(), News::Counted { look, asked }));
    look
}

/// Marks a node's streams with groups each time that their groups have changed, until the task is aborted.
pub(crate) async fn groups(
    run: Arc<Run>,
    following: Following,
    queues: Vec<Arc<Queue>>,
    changed: Arc<tokio::sync::Notify>,
    told: Told,
) {
    loop {
        changed.notified().await;
        let began = Instant::now();
        for queue in &queues {
            if let Err(error) = comparing::groups(&run, &following.node, queue).await {
                tracing::debug!("streams of {} are not marked: {error}", following.node);
                if told
                    .send((following.clone(), News::Happened(Happened::GapOpened(GapReason::Unseen))))
                    .is_err()
                {
                    return;
                }
                break;
            }
        }
        tokio::time::sleep(began.elapsed() * REST).await;
    }
}

/// Asks all nodes of the target how full they are, until the task is aborted. One that does not answer is left out.
pub(crate) async fn target_memory(run: Arc<Run>, seen: Arc<Mutex<Vec<TargetMemory>>>) {
    loop {
        let mut nodes = Vec::new();
        for node in run.target_layout().primaries() {
            let asked = async {
                let mut connection = run.target().connect_source(node, 0).await?;
                connection.ask(Read::Info("memory")).await
            };
            if let Ok(Ok(info)) = tokio::time::timeout(run.options.silence, asked).await
                && let info = Info::of(&info)
                && let Some(used) = info.number("used_memory")
            {
                let limit = info.number("maxmemory").filter(|limit| *limit > 0);
                nodes.push(TargetMemory { node: node.clone(), used, limit });
            }
        }
        *lock(&seen) = nodes;
        tokio::time::sleep(MEMORY_EVERY).await;
    }
}
