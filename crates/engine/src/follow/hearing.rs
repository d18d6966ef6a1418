//! Listening to one node: every change that it tells is marked, and every interruption is a gap.

use std::sync::Arc;
use std::time::{Duration, Instant};

use client::{Backoff, Endpoint, Error, Feed, FeedEvent, FeedKind, Kind, Read};
use migration::follow::{GapReason, Happened};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::Queue;
use super::followee::Following;
use super::witness::Said;

/// A feed without a word for this long is asked whether it is still there: Azure closes connections that are idle
/// for ten minutes, and a dead one says nothing at all.
const PING_EVERY: Duration = Duration::from_secs(5);

/// An answer to that may take this long.
const SILENCE: Duration = Duration::from_secs(20);

/// What is told of a node.
#[derive(Debug)]
pub(crate) enum News {
    Happened(Happened),
    /// It cannot be heard.
    Unheard(Error),
    /// Its counters say that something changed which no feed tells.
    Counted(Said),
}

/// Where that is told.
pub(crate) type Told = mpsc::UnboundedSender<(Following, News)>;

/// Asks for the barrier; answered when everything that was written before has been marked. Dropped when the feed is
/// lost meanwhile.
pub(crate) type Barrier = oneshot::Sender<()>;

pub(crate) struct Hearing {
    pub(crate) endpoint: Endpoint,
    pub(crate) following: Following,
    pub(crate) kind: FeedKind,
    pub(crate) queues: Vec<Arc<Queue>>,
    pub(crate) told: Told,
    pub(crate) barriers: mpsc::UnboundedReceiver<Barrier>,
}

/// How far the answers to a barrier's two PINGs are. One is not enough: its answer overtakes the changes of the same
/// turn of the server's event loop.
enum Ping {
    None,
    Alive,
    First(Barrier),
    Second(Barrier),
}

impl Hearing {
    /// Listens until the task is aborted or nobody wants the news any more.
    pub(crate) async fn listen(mut self) {
        let mut backoff = Backoff::new(u64::from(self.following.node.port));
        let channel = format!("redferry:feed:{:x}", std::process::id());
        loop {
            match self.connect(&channel).await {
                Ok((feed, process)) => {
                    backoff.reset();
                    if self.tell(Happened::FeedHeard { process }).is_err() {
                        return;
                    }
                    let error = self.hear(feed).await;
                    tracing::warn!(
                        "source {}: its changes are not heard any more: {error}",
                        self.following.node
                    );
                    if self.tell(Happened::FeedLost).is_err() {
                        return;
                    }
                }
                Err(error) => {
                    tracing::debug!("source {}: no feed: {error}", self.following.node);
                    if self.told.send((self.following.clone(), News::Unheard(error))).is_err() {
                        return;
                    }
                }
            }
            tokio::time::sleep(backoff.next_wait()).await;
        }
    }

    fn tell(&self, happened: Happened) -> Result<(), ()> {
        self.told.send((self.following.clone(), News::Happened(happened))).map_err(drop)
    }

    /// The feed first, then who speaks: what changes in between is heard.
    async fn connect(&self, channel: &str) -> Result<(Feed, Option<String>), Error> {
        let node = &self.following.node;
        let feed = self.endpoint.connect_feed(node, self.kind, channel).await?;
        let mut connection = self.endpoint.connect_source(node, 0).await?;
        let info = timeout(SILENCE, connection.ask(Read::Info("server"))).await;
        let info = info.map_err(|_| connection.peer().error(Kind::Silent(SILENCE)))??;
        let process = info.as_str().and_then(|text| {
            let line = text.lines().find_map(|line| line.trim_end().strip_prefix("run_id:"));
            line.map(str::to_owned)
        });
        Ok((feed, process))
    }

    async fn hear(&mut self, mut feed: Feed) -> Error {
        let mut ping = Ping::None;
        let mut asked = Instant::now();
        loop {
            let wanted = async {
                match ping {
                    Ping::None | Ping::Alive => self.barriers.recv().await,
                    Ping::First(_) | Ping::Second(_) => std::future::pending().await,
                }
            };
            let event = tokio::select! {
                event = timeout(PING_EVERY, feed.next()) => event,
                Some(barrier) = wanted => {
                    feed.ping();
                    asked = Instant::now();
                    // An older PING without a barrier is answered first.
                    if matches!(ping, Ping::Alive) {
                        feed.ping();
                    }
                    ping = Ping::First(barrier);
                    continue;
                }
            };
            match event {
                Ok(Ok(FeedEvent::Changed(keys))) => self.changed(&keys),
                Ok(Ok(FeedEvent::Everything)) => {
                    if self.tell(Happened::GapOpened(GapReason::Everything)).is_err() {
                        return feed.peer().error(Kind::Closed);
                    }
                }
                Ok(Ok(FeedEvent::Pong)) => {
                    ping = match ping {
                        Ping::First(barrier) => {
                            feed.ping();
                            Ping::Second(barrier)
                        }
                        Ping::Second(barrier) => {
                            let _ = barrier.send(());
                            Ping::None
                        }
                        Ping::None | Ping::Alive => Ping::None,
                    };
                }
                Ok(Err(error)) => return error,
                Err(_) if !matches!(ping, Ping::None) && asked.elapsed() > SILENCE => {
                    return feed.peer().error(Kind::Silent(SILENCE));
                }
                Err(_) if matches!(ping, Ping::None) => {
                    feed.ping();
                    asked = Instant::now();
                    ping = Ping::Alive;
                }
                Err(_) => {}
            }
        }
    }

    /// A feed that does not tell the database means all of them.
    fn changed(&self, keys: &[(Option<u32>, bytes::Bytes)]) {
        for queue in &self.queues {
            let meant = keys.iter().filter(|(db, _)| db.is_none_or(|db| db == queue.db()));
            let mut meant = meant.map(|(_, key)| &key[..]).peekable();
            if meant.peek().is_some() {
                queue.changed(meant);
            }
        }
    }
}
