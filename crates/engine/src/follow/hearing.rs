//! Listening to one node: every change that it tells is marked, and every interruption is told.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use client::{Backoff, Endpoint, Error, Feed, FeedEvent, FeedKind, Kind, Read};
use migration::follow::{GapReason, Happened};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::Queue;
use super::followee::Following;
use super::witness::Look;
use crate::preflight::info::Info;

/// How often a feed is asked whether it is still there. Azure closes connections that are idle for ten minutes, a dead
/// one says nothing at all, and another feed can only stand in for a lost one that was alive after the other
/// one began.
const PING_EVERY: Duration = Duration::from_secs(1);

/// A feed without a word for this long is lost.
const SILENCE: Duration = Duration::from_secs(20);

/// What is told of a node.
#[derive(Debug)]
pub(crate) enum News {
    /// A feed is heard; it tells everything that changes from then on.
    Heard {
        voice: usize,
        since: Instant,
        /// The run id of who speaks, where that is told.
        process: Option<String>,
    },
    /// A feed is lost; it told everything that had changed by then.
    Lost {
        voice: usize,
        proven: Instant,
    },
    /// A feed cannot be heard.
    Unheard(Error),
    Happened(Happened),
    /// What its counters say, and when they were asked.
    Counted {
        look: Look,
        asked: Instant,
    },
}

/// Where that is told.
pub(crate) type Told = mpsc::UnboundedSender<(Following, News)>;

/// Asks for the barrier; answered when everything that was written before has been marked. Dropped when the feed is
/// lost meanwhile.
pub(crate) type Barrier = oneshot::Sender<()>;

/// One feed of a node.
pub(crate) struct Hearing {
    pub(crate) endpoint: Endpoint,
    pub(crate) following: Following,
    /// Its number among the node's feeds.
    pub(crate) voice: usize,
    pub(crate) kind: FeedKind,
    pub(crate) queues: Vec<Arc<Queue>>,
    pub(crate) told: Told,
    pub(crate) barriers: mpsc::UnboundedReceiver<Barrier>,
}

/// A PING that is not answered yet.
struct Ping {
    sent: Instant,
    why: Why,
}

/// A barrier takes two PINGs. One is not enough: its answer overtakes the changes of the same turn of the server's
/// event loop.
enum Why {
    Alive,
    First(Barrier),
    Second(Barrier),
}

/// Those that are not answered, the oldest first.
#[derive(Default)]
struct Pings(VecDeque<Ping>);

impl Pings {
    fn send(&mut self, feed: &mut Feed, why: Why) {
        // Before it leaves: what was written by then is told before the answer.
        self.0.push_back(Ping { sent: Instant::now(), why });
        feed.ping();
    }

    fn has_barrier(&self) -> bool {
        self.0.iter().any(|ping| !matches!(ping.why, Why::Alive))
    }
}

impl Hearing {
    /// Listens until the task is aborted or nobody wants the news any more.
    pub(crate) async fn listen(mut self) {
        let mut backoff = Backoff::new(u64::from(self.following.node.port) + ((self.voice as u64) << 32));
        let channel = format!("redferry:feed:{:x}", std::process::id());
        loop {
            match self.connect(&channel).await {
                Ok((feed, since, process)) => {
                    backoff.reset();
                    let voice = self.voice;
                    if self.tell(News::Heard { voice, since, process }).is_err() {
                        return;
                    }
                    let mut proven = since;
                    let error = self.hear(feed, &mut proven).await;
                    tracing::warn!("source {}: a feed of its changes is lost: {error}", self.following.node);
                    if self.tell(News::Lost { voice, proven }).is_err() {
                        return;
                    }
                }
                Err(error) => {
                    tracing::debug!("source {}: no feed: {error}", self.following.node);
                    if self.tell(News::Unheard(error)).is_err() {
                        return;
                    }
                }
            }
            tokio::time::sleep(backoff.next_wait()).await;
        }
    }

    fn tell(&self, news: News) -> Result<(), ()> {
        self.told.send((self.following.clone(), news)).map_err(drop)
    }

    /// The feed first, then who speaks: what changes in between is heard.
    async fn connect(&self, channel: &str) -> Result<(Feed, Instant, Option<String>), Error> {
        let node = &self.following.node;
        let feed = self.endpoint.connect_feed(node, self.kind, channel).await?;
        let since = Instant::now();
        let mut connection = self.endpoint.connect_source(node, 0).await?;
        let info = timeout(SILENCE, connection.ask(Read::Info("server"))).await;
        let info = info.map_err(|_| connection.peer().error(Kind::Silent(SILENCE)))??;
        Ok((feed, since, Info::of(&info).id("run_id")))
    }

    /// Hears until the feed is lost; what was written until `proven` was heard.
    async fn hear(&mut self, mut feed: Feed, proven: &mut Instant) -> Error {
        let mut pings = Pings::default();
        let mut heard = Instant::now();
        let mut look = interval(PING_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let wanted = async {
                match pings.has_barrier() {
                    false => self.barriers.recv().await,
                    true => std::future::pending().await,
                }
            };
            let event = tokio::select! {
                event = feed.next() => event,
                Some(barrier) = wanted => {
                    pings.send(&mut feed, Why::First(barrier));
                    continue;
                }
                _ = look.tick() => {
                    if heard.elapsed() > SILENCE {
                        return feed.peer().error(Kind::Silent(SILENCE));
                    }
                    if pings.0.is_empty() {
                        pings.send(&mut feed, Why::Alive);
                    }
                    continue;
                }
            };
            heard = Instant::now();
            match event {
                Ok(FeedEvent::Changed(keys)) => self.changed(&keys),
                Ok(FeedEvent::Everything) => {
                    let everything = News::Happened(Happened::GapOpened(GapReason::Everything));
                    if self.tell(everything).is_err() {
                        return feed.peer().error(Kind::Closed);
                    }
                }
                Ok(FeedEvent::Pong) => {
                    let Some(ping) = pings.0.pop_front() else { continue };
                    *proven = ping.sent;
                    match ping.why {
                        Why::Alive => {}
                        Why::First(barrier) => pings.send(&mut feed, Why::Second(barrier)),
                        Why::Second(barrier) => _ = barrier.send(()),
                    }
                }
                Err(error) => return error,
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
