//! Watching both sides beside the copy: how long the source takes to answer others, and how the clocks
//! of all nodes run.
//!
//! Each node gets a small connection of its own, because on a connection full of values an answer says
//! nothing about the server.

use std::sync::Arc;
use std::time::{Duration, Instant};

use client::{Node, Read, Side};
use migration::expiry::{Clock, drifted};
use tokio::task::JoinSet;

use crate::clocks;
use crate::run::Run;

/// How often the source is asked for a sign of life.
const PING_EVERY: Duration = Duration::from_millis(100);

/// How often clocks are compared. Disciplined clocks drift apart by some ten microseconds a second.
const CLOCK_EVERY: Duration = Duration::from_secs(30);

/// Watches these source nodes and all of the target, until the set is dropped.
pub(crate) fn watch<'n>(run: &Arc<Run>, sources: impl Iterator<Item = &'n Node>) -> JoinSet<()> {
    let mut guards = JoinSet::new();
    for node in sources {
        guards.spawn(watch_source(Arc::clone(run), node.clone()));
    }
    if !run.writes_files() {
        add_targets(run, &mut guards);
    }
    guards
}

/// Watches all of the target, where there is no source, until the set is dropped.
pub(crate) fn watch_targets(run: &Arc<Run<()>>) -> JoinSet<()> {
    let mut guards = JoinSet::new();
    add_targets(run, &mut guards);
    guards
}

fn add_targets<S: Send + Sync + 'static>(run: &Arc<Run<S>>, guards: &mut JoinSet<()>) {
    for node in run.target_layout().primaries() {
        guards.spawn(watch_target(Arc::clone(run), node.clone()));
    }
}

/// Watches a source node until its task is aborted. Outages are the lanes' to report; here a lost
/// connection only means to try again.
async fn watch_source(run: Arc<Run>, node: Node) {
    let mut clock_at = Instant::now() + CLOCK_EVERY;
    loop {
        if let Ok(mut connection) = run.source.connect_source(&node, 0).await {
            loop {
                tokio::time::sleep(PING_EVERY).await;
                let sent_us = run.now_us();
                if connection.ask(Read::Ping).await.is_err() {
                    break;
                }
                let now_us = run.now_us();
                if run.options.max_latency.is_some() {
                    run.guard().observe(now_us, now_us - sent_us);
                }
                if clock_at <= Instant::now() {
                    clock_at = Instant::now() + CLOCK_EVERY;
                    match clocks::of_source(&mut connection, || run.now_us()).await {
                        Ok(clock) => keep(&run, Side::Source, &node, clock),
                        Err(_) => break,
                    }
                }
            }
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Watches a target node's clock until its task is aborted.
async fn watch_target<S>(run: Arc<Run<S>>, node: Node) {
    loop {
        tokio::time::sleep(CLOCK_EVERY).await;
        if let Ok(mut connection) = run.target().connect_target(&node, 0).await
            && let Ok(clock) = clocks::of_target(&mut connection, || run.now_us()).await
        {
            keep(&run, Side::Target, &node, clock);
        }
    }
}

/// A new estimate counts when it is good, or when it shows that the old one cannot be right any more. A
/// busy server answers late, which makes estimates vague; a vague one must not replace a good one.
fn keep<S>(run: &Run<S>, side: Side, node: &Node, clock: Option<Clock>) {
    const GOOD_US: u64 = 1000;
    let Some(clock) = clock else { return };
    let known = run.clock_of(side, node);
    if clock.error_us <= GOOD_US || known.is_none_or(|known| drifted(&known, &clock)) {
        run.set_clock(side, node, clock);
    }
}
