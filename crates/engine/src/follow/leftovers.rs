//! What an earlier process left on the target in the middle of a value that goes in pieces: temporary keys that nobody
//! builds any more.
//!
//! A key that was begun is built again under the same temporary name, which removes what was there. But one that is
//! gone, or small, by now is not.

use std::collections::HashSet;
use std::time::Duration;

use client::{Error, Kind, Node, TargetConnection};
use tokio::time::timeout;

use crate::run::Run;
use crate::unlink;

/// Nobody builds a key that has not been touched for so long: pieces come one after the other. It may be somebody else's,
/// who copies other keys into the same cache.
const IDLE: Duration = Duration::from_secs(10);

/// Temporary keys of one node and database of the target.
#[derive(Debug, Default)]
pub(super) struct Leftovers(HashSet<Box<[u8]>>);

impl Leftovers {
    pub(super) fn found(&mut self, name: &[u8]) {
        self.0.insert(name.into());
    }

    /// Waits until nobody can be building them, and removes those that nobody has touched meanwhile.
    ///
    /// # Errors
    /// The connection is lost.
    pub(super) async fn remove(self, run: &Run, node: &Node, db: u32) -> Result<(), Error> {
        if self.0.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(IDLE + Duration::from_secs(1)).await;
        let mut connection = run.target().connect_target(node, db).await?;
        let silence = run.options.silence;
        let silent = connection.peer().error(Kind::Silent(silence));
        timeout(silence, self.remove_idle(&mut connection)).await.map_err(|_| silent)?
    }

    async fn remove_idle(self, connection: &mut TargetConnection) -> Result<(), Error> {
        self.0.iter().for_each(|name| connection.push(&[b"OBJECT", b"IDLETIME", name]));
        let mut idle: Vec<&[u8]> = Vec::new();
        for name in &self.0 {
            // A server that counts frequencies instead does not tell: then they stay, and redferry verify names them.
            let seconds = connection.reply().await?.as_i64();
            if seconds.is_some_and(|seconds| seconds.unsigned_abs() >= IDLE.as_secs()) {
                idle.push(name);
            }
        }
        if !idle.is_empty() {
            tracing::info!("{} temporary keys that nobody builds any more are removed", idle.len());
            unlink::each(connection, &idle).await?;
        }
        Ok(())
    }
}
