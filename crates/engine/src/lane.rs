//! One lane: one source node's keys of one database, from SCAN (or from a list of names) to the
//! acknowledgement.
//!
//! A lane is one task that keeps its connections busy at once: page requests and reads go out while
//! values come in, and what came in goes out to the target. Nothing is handed between tasks and nothing
//! is locked on the way of a key. Reading stops when the target does not keep up, so memory stays
//! bounded whatever the number of keys.

mod end;
mod fetch;
mod groups;
mod in_pieces;
mod listing;
mod older;
mod open;
mod out;
mod recover;
mod reply;
mod work;
mod write;

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use client::{Error, Kind, Node, SourceConnection, Topology};
use migration::expiry::Clock;
use migration::pages::Pages;
use migration::tally::{Cause, Outcome};

use crate::guess::Guesses;
use crate::names::{KeyRef, Names};
use crate::route::Importers;
use crate::run::{LaneStatus, Run, lock};
use crate::stop::Halt;
use crate::unlink::Removal;
pub(crate) use end::{LaneEnd, RoundEnd};
use groups::Groups;
use in_pieces::InPieces;
use listing::Listing;
use out::Out;
pub(crate) use out::cause_of;
use reply::Front;
use work::{Asked, Work, Written};

/// How often a lane looks at its clock, its status and the wish to stop.
const TICK: Duration = Duration::from_millis(50);

/// Below Azure's limit of 10 minutes for idle connections.
const IDLE_PING: Duration = Duration::from_secs(60);

/// Unsent bytes above which a target is not keeping up, and reading pauses.
const TARGET_BACKLOG: usize = 2 * 1024 * 1024;

/// Unacknowledged writes above which reading pauses.
const MAX_DUE: usize = 8192;

/// How long a stopped lane waits for what is in flight.
const DRAIN: Duration = Duration::from_secs(5);

pub(crate) struct Lane {
    run: Arc<Run>,
    status: Arc<Mutex<LaneStatus>>,
    node: Node,
    db: u32,
    /// One of several nodes: keys that moved are found on another one.
    clustered: bool,
    // The keys, and where their names come from.
    listing: Listing,
    pages: Pages,
    names: Names,
    guesses: Guesses,
    todo: VecDeque<Work>,
    // The source.
    source: SourceConnection,
    source_clock: Clock,
    asked: VecDeque<Asked>,
    front: Front,
    scan_pending: bool,
    scan_count: u32,
    in_flight_keys: usize,
    in_flight_bytes: u64,
    typical_len: u64,
    groups: Groups,
    /// Acknowledged, but it is not known yet how exactly their expiry was read.
    unjudged: Vec<Written>,
    /// The source keeps access frequencies, not idle times.
    frequency: bool,
    // The target.
    layout: Arc<Topology>,
    writers: Vec<Out>,
    importers: Importers,
    /// How keys are removed from it.
    removal: Removal,
    relayout: bool,
    /// Keys keep their names, so nothing is asked about them.
    same_names: bool,
    scratch: Vec<u8>,
    in_pieces: InPieces,
    // Time.
    hold_until: Option<Instant>,
    last_heard: Instant,
    last_ping: Instant,
    unwell_since: Option<(Instant, String)>,
    stopping_since: Option<Instant>,
    halted: Option<Halt>,
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lane").field("node", &self.node).field("db", &self.db).finish_non_exhaustive()
    }
}

/// Why `turn` came back.
enum Turn {
    Done,
    Stopped,
    Relayout,
    Tick,
}

impl Lane {
    /// Works until every key is settled, the run is stopped or the node is lost.
    pub(crate) async fn work(mut self) -> LaneEnd {
        loop {
            let turn = self.turn().await;
            self.publish();
            let error = match turn {
                Ok(Turn::Tick) => match self.tick() {
                    Ok(()) => continue,
                    Err(error) => error,
                },
                Ok(Turn::Done) => return LaneEnd::Done,
                Ok(Turn::Stopped) => return LaneEnd::Halted(Halt::Asked),
                Ok(Turn::Relayout) => match self.follow_target().await {
                    Ok(()) => continue,
                    Err(error) => error,
                },
                Err(Halt::Side(error)) => error,
                Err(halt) => return LaneEnd::Halted(halt),
            };
            if let Err(end) = self.recover(error).await {
                self.publish();
                return end;
            }
        }
    }

    /// Moves bytes until something has to be decided outside.
    async fn turn(&mut self) -> Result<Turn, Halt> {
        let tick = tokio::time::sleep(self.until_next_look());
        tokio::pin!(tick);
        let queue = match &self.listing {
            Listing::Followed(followed) => Some(Arc::clone(followed.queue())),
            Listing::Scan | Listing::Given(_) => None,
        };
        let marked = async {
            match &queue {
                Some(queue) => queue.marked().await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(marked);
        std::future::poll_fn(|cx| {
            // A key was marked: the next turn asks for it.
            if marked.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(Turn::Tick));
            }
            match self.poll(cx) {
                Ok(Some(turn)) => return Poll::Ready(Ok(turn)),
                Ok(None) => {}
                Err(halt) => return Poll::Ready(Err(halt)),
            }
            tick.as_mut().poll(cx).map(|()| Ok(Turn::Tick))
        })
        .await
    }

    fn until_next_look(&self) -> Duration {
        let held = self.hold_until.map(|until| until.saturating_duration_since(Instant::now()));
        held.map_or(TICK, |held| held.clamp(Duration::from_millis(1), TICK))
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Result<Option<Turn>, Halt> {
        loop {
            let mut moved = false;
            self.ask();
            let _ = self.source.poll_write(cx)?;
            while self.target_keeps_up() {
                match self.source.poll_read(cx) {
                    Poll::Ready(read) => {
                        read?;
                        self.take_replies()?;
                        moved = true;
                    }
                    Poll::Pending => break,
                }
            }
            for index in 0..self.writers.len() {
                let _ = self.writers[index].poll_write(cx)?;
                while let Poll::Ready(read) = self.writers[index].poll_read(cx) {
                    read?;
                    self.take_acks(index)?;
                    moved = true;
                }
            }
            moved |= self.poll_pieces(cx)?;
            if let Some(halt) = self.halted.take() {
                return Err(halt);
            }
            if self.pages.is_done() {
                return Ok(Some(Turn::Done));
            }
            if self.relayout {
                return Ok(Some(Turn::Relayout));
            }
            if self.stopping_since.is_some()
                && self.asked.is_empty()
                && self.is_written()
                && !self.in_pieces.is_running()
            {
                return Ok(Some(Turn::Stopped));
            }
            if !moved {
                return Ok(None);
            }
            self.last_heard = Instant::now();
        }
    }

    fn target_keeps_up(&self) -> bool {
        self.writers.iter().all(|writer| writer.keeps_up(TARGET_BACKLOG, MAX_DUE))
    }

    fn is_written(&self) -> bool {
        self.writers.iter().all(|writer| writer.due() == 0)
    }

    /// What is due from time to time: the wish to stop, dead connections, idle ones.
    fn tick(&mut self) -> Result<(), Error> {
        let now = Instant::now();
        if self.hold_until.is_some_and(|until| until <= now) {
            self.hold_until = None;
        }
        if let Some(clock) = self.run.clock_of(client::Side::Source, &self.node) {
            self.source_clock = clock;
        }
        for writer in &mut self.writers {
            if let Some(clock) = self.run.clock_of(client::Side::Target, writer.node()) {
                writer.set_clock(clock);
            }
        }
        if self.run.stop.is_asked() && self.stopping_since.is_none() {
            self.stopping_since = Some(now);
        }
        if let Some((since, why)) = &self.unwell_since
            && now - *since > self.run.options.give_up_after
        {
            let (side, seconds) = (client::Side::Target, since.elapsed().as_secs());
            self.halted = Some(Halt::Outage { side, seconds, last: why.clone() });
        }
        if self.stopping_since.is_some_and(|since| now - since > DRAIN) {
            // What is still in flight stays unsettled; the next run reads it again.
            self.halted = Some(Halt::Asked);
        }
        let due = !self.asked.is_empty() || !self.is_written();
        if due && now - self.last_heard > self.run.options.silence {
            let silent = self.writers.iter().find(|writer| writer.due() > 0 && self.asked.is_empty());
            let peer = silent.map_or_else(|| self.source.peer().clone(), Out::peer);
            return Err(peer.error(Kind::Silent(self.run.options.silence)));
        }
        if now - self.last_ping > IDLE_PING {
            self.last_ping = now;
            if self.asked.is_empty() {
                self.source.push(client::Read::Ping);
                self.asked.push_back(Asked::Ping);
            }
            self.writers.iter_mut().for_each(Out::ping);
        }
        Ok(())
    }

    /// A key has come to its end.
    fn settle(&mut self, key: KeyRef, outcome: Outcome) {
        if let Listing::Followed(followed) = &mut self.listing
            && followed.begins_removing(key, outcome)
        {
            self.remove(Work::new(key, false));
            return;
        }
        if let Outcome::Not(cause) = outcome
            && cause != Cause::Filtered
        {
            self.run.example(cause, self.names.get(key));
        }
        match &mut self.listing {
            Listing::Scan => {}
            Listing::Given(given) => given.settle(self.names.get(key), outcome),
            Listing::Followed(followed) => followed.settle(key, self.names.get(key), outcome),
        }
        self.close(key, outcome);
    }

    /// A key's slot has left this node. A scan of the node that owns it now lists the key again; one that
    /// was named stays open in the ledger.
    fn has_left(&mut self, key: KeyRef) {
        let outcome = Outcome::Not(Cause::GoneBeforeRead);
        match &mut self.listing {
            Listing::Scan => self.settle(key, outcome),
            Listing::Given(_) => self.close(key, outcome),
            Listing::Followed(followed) => {
                followed.has_left(key, self.names.get(key));
                self.close(key, outcome);
            }
        }
    }

    /// This lane is done with a key.
    fn close(&mut self, key: KeyRef, outcome: Outcome) {
        self.pages.settle(key.page, outcome);
        self.names.forget_before(self.pages.oldest());
    }

    fn publish(&self) {
        let mut status = lock(&self.status);
        status.position = self.pages.position();
        status.total = self.pages.total();
        status.waiting = self.unwell_since.as_ref().map(|(_, why)| why.clone());
    }
}
