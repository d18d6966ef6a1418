//! The task of one node and database: its names are listed, and page after page is looked at.
//!
//! Some pages are under way at once, each with connections of its own, so that servers and redferry
//! all have something to do. They are entered in the order of the listing, so what is entered always belongs to
//! one cursor.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use client::{Error, Recovery, Side};
use tokio::task::JoinHandle;

use crate::compare::Comparer;
use crate::halt::Halt;
use crate::page::{self, Seen, Work};
use crate::run::{Book, Patience, Run};
use crate::scanner::{Identity, Page, Scanner};
use crate::state::{Reached, Scan};

/// Pages under way at once.
const PAGES: usize = 3;

/// Attempts to reach a node of a cluster before the cluster is asked whether it is still one of its nodes.
const ATTEMPTS: u32 = 3;

/// How a lane ended.
#[derive(Debug)]
pub(crate) enum LaneEnd {
    /// Everything is listed and looked at.
    Done,
    /// There are too many suspects to go on.
    Full,
    /// The node does not belong to the cluster any more, as it seems.
    Lost(Side, String),
    /// It cannot go on.
    Halted(Halt),
}

/// Lists one node and database from where its scan stands.
pub(crate) struct Lane {
    pub(crate) run: Arc<Run>,
    pub(crate) work: Arc<Work>,
    /// Among the scans, or for a probe among the probes.
    pub(crate) index: usize,
    /// Among the lanes that are shown.
    pub(crate) shown_at: usize,
    pub(crate) clustered: bool,
}

/// A page that is being looked at.
type Flight = JoinHandle<(Comparer, Result<Seen, Halt>)>;

impl Lane {
    pub(crate) async fn list(self) -> LaneEnd {
        let mut patience = Patience::new();
        let mut idle = Vec::new();
        loop {
            let error = match self.pages(&mut idle, &mut patience).await {
                Ok(end) => return end,
                Err(error) => error,
            };
            if error.recovery() == Recovery::Operator {
                return self.halted(Halt::Side(error));
            }
            if self.clustered && patience.attempts() >= ATTEMPTS {
                return LaneEnd::Lost(error.peer.side, error.to_string());
            }
            let side = error.peer.side;
            self.run.progress.change_lane(self.shown_at, |lane| lane.waiting = Some(error.to_string()));
            if let Err(halt) = patience.wait(&self.run, side, error.to_string()).await {
                return self.halted(halt);
            }
            self.run.progress.change_lane(self.shown_at, |lane| lane.waiting = None);
        }
    }

    fn halted(&self, halt: Halt) -> LaneEnd {
        self.run.halt();
        LaneEnd::Halted(halt)
    }

    /// Lists by one connection, as long as it holds.
    async fn pages(&self, idle: &mut Vec<Comparer>, patience: &mut Patience) -> Result<LaneEnd, Error> {
        let (side, node, db) = self.scan(|scan| (scan.side, scan.node(), scan.db));
        let verify = &self.run.verify;
        let endpoint = if side == Side::Source { &verify.source } else { &verify.target };
        let options = &verify.options;
        let (mut scanner, identity) =
            Scanner::open(endpoint, &node, db, options.scan_count, options.silence).await?;
        if self.clustered && identity.is_replica {
            return Ok(LaneEnd::Lost(side, format!("{node} is a replica now")));
        }
        let mut cursor = self.take_up(&identity);
        let mut flights: VecDeque<(u64, Flight)> = VecDeque::new();
        let mut lost = None;
        while lost.is_none() || !flights.is_empty() {
            let full = self.run.book().suspects.is_full();
            while let Some(from) = cursor
                && flights.len() < PAGES
                && lost.is_none()
                && !full
                && !self.run.is_ending()
            {
                match self.next_page(&mut scanner, from).await {
                    Ok(page) => {
                        patience.renew();
                        cursor = (page.next != 0).then_some(page.next);
                        let comparer = idle.pop().unwrap_or_else(|| self.run.comparer());
                        flights.push_back((page.next, self.look_at(comparer, db, page)));
                    }
                    Err(error) => lost = Some(error),
                }
            }
            let Some((next, flight)) = flights.pop_front() else { break };
            match flight.await {
                Ok((comparer, Ok(seen))) => {
                    self.enter(next, seen);
                    idle.push(comparer);
                }
                Ok((_, Err(halt))) => return Ok(self.halted(halt)),
                Err(panic) => std::panic::resume_unwind(panic.into_panic()),
            }
        }
        match lost {
            Some(error) => Err(error),
            None if self.scan(|scan| scan.reached.done) => Ok(LaneEnd::Done),
            None if self.run.is_ending() => Ok(LaneEnd::Halted(Halt::Asked)),
            None => Ok(LaneEnd::Full),
        }
    }

    /// Where the scan goes on; at the beginning when another process answers than the one that it began with.
    fn take_up(&self, identity: &Identity) -> Option<u64> {
        self.run.progress.change_lane(self.shown_at, |lane| lane.expected = identity.keys);
        self.scan(|scan| {
            let same = scan.run_id.is_some() && scan.run_id == identity.run_id;
            if !same {
                let begun = scan.reached.cursor != 0;
                scan.restarts += u32::from(begun);
                scan.reached = Reached::default();
                scan.run_id = identity.run_id.clone();
            }
            (!scan.reached.done).then_some(scan.reached.cursor)
        })
    }

    async fn next_page(&self, scanner: &mut Scanner, cursor: u64) -> Result<Page, Error> {
        let scope = &self.run.verify.scope;
        let pattern = match *self.work {
            Work::Compare => scope.scan_match(),
            // Only where the target has the same names.
            Work::Count | Work::Probe(_) => {
                let same = scope.source_dbs().iter().all(|db| scope.keeps_names(*db));
                scope.scan_match().filter(|_| same)
            }
        };
        let page = scanner.page(cursor, pattern, scope.scan_type()).await?;
        if matches!(*self.work, Work::Compare) {
            self.brake(page.names.len() as u64).await;
        }
        Ok(page)
    }

    /// Holds back so that the source is spared.
    async fn brake(&self, keys: u64) {
        let brake = &self.run.verify.brake;
        let pause = brake.pause();
        if pause > Duration::ZERO {
            self.run.sleep(pause).await;
        }
        while let Some(wait) = brake.take(keys) {
            if self.run.is_ending() {
                return;
            }
            tokio::time::sleep(wait.min(Duration::from_millis(50))).await;
        }
    }

    fn look_at(&self, comparer: Comparer, db: u32, page: Page) -> Flight {
        let (run, work) = (Arc::clone(&self.run), Arc::clone(&self.work));
        tokio::spawn(look_patiently(run, comparer, work, db, page.names))
    }

    /// Enters a page, after all pages before it.
    fn enter(&self, next: u64, seen: Seen) {
        let mut book = self.run.book();
        let Book { state, suspects, probes } = &mut *book;
        let scans = if matches!(*self.work, Work::Probe(_)) { probes } else { &mut state.scans };
        let reached = &mut scans[self.index].reached;
        (reached.cursor, reached.done) = (next, next == 0);
        reached.listed += seen.hashes.len() as u64;
        reached.compared += seen.compared;
        seen.hashes.iter().for_each(|hash| reached.sums.add(*hash));
        let listed = reached.listed;
        seen.suspects.into_iter().for_each(|(pair, verdict)| suspects.add(pair, verdict));
        self.run.progress.change_lane(self.shown_at, |lane| lane.keys = listed);
        self.run.progress.set_suspects(suspects.len() as u64);
    }

    fn scan<T>(&self, look: impl FnOnce(&mut Scan) -> T) -> T {
        let mut book = self.run.book();
        let book = &mut *book;
        let scans =
            if matches!(*self.work, Work::Probe(_)) { &mut book.probes } else { &mut book.state.scans };
        look(&mut scans[self.index])
    }
}

/// Looks at a page, again and again while a side is away or moves slots.
async fn look_patiently(
    run: Arc<Run>,
    mut comparer: Comparer,
    work: Arc<Work>,
    db: u32,
    names: Vec<Box<[u8]>>,
) -> (Comparer, Result<Seen, Halt>) {
    let mut patience = Patience::new();
    loop {
        let setback = match page::look(&run, &mut comparer, &work, db, &names).await {
            Ok(seen) => return (comparer, Ok(seen)),
            Err(setback) => setback,
        };
        if let Err(halt) = run.overcome(setback, &mut patience).await {
            return (comparer, Err(halt));
        }
        comparer = run.comparer();
    }
}
