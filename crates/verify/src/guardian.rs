//! Watching how long the source takes to answer others, on a small connection of its own for each node:
//! on a connection full of values an answer says nothing about the server.

use std::sync::Arc;
use std::time::{Duration, Instant};

use client::{Node, Read};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::run::Run;

/// How often the source is asked for a sign of life.
const PING_EVERY: Duration = Duration::from_millis(100);

/// Watches these nodes of the source until the set is dropped.
pub(crate) fn watch(run: &Arc<Run>, nodes: impl IntoIterator<Item = Node>) -> JoinSet<()> {
    let mut guards = JoinSet::new();
    for node in nodes {
        guards.spawn(watch_node(Arc::clone(run), node));
    }
    guards
}

/// Outages are for the lanes to report; here a lost connection only means to try again.
async fn watch_node(run: Arc<Run>, node: Node) {
    loop {
        if let Ok(mut connection) = run.verify.source.connect_source(&node, 0).await {
            loop {
                tokio::time::sleep(PING_EVERY).await;
                let sent = Instant::now();
                let answer = timeout(run.verify.options.silence, connection.ask(Read::Ping)).await;
                if !matches!(answer, Ok(Ok(_))) {
                    break;
                }
                run.verify.brake.answered(sent.elapsed());
            }
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
