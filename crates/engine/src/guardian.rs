//! Watching how long the source takes to answer others (source protection).

use std::sync::Arc;
use std::time::Duration;

use client::{Node, Read};

use crate::run::Run;

const EVERY: Duration = Duration::from_millis(100);

/// Asks one source node for a sign of life on a connection of its own, again and again, and tells the
/// run's guard how long the answer took. Ends with its task.
pub(crate) async fn watch(run: Arc<Run>, node: Node) {
    loop {
        // The lanes report outages; here a lost connection only means to try again.
        if let Ok(mut connection) = run.source.connect_source(&node, 0).await {
            loop {
                tokio::time::sleep(EVERY).await;
                let sent_us = run.now_us();
                if connection.ask(Read::Ping).await.is_err() {
                    break;
                }
                let now_us = run.now_us();
                run.guard().observe(now_us, now_us - sent_us);
            }
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
