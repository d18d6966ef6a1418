//! Beginning again after a connection was lost.
//!
//! A key whose reply or acknowledgement was lost is simply read again: copying a key twice is the same as
//! copying it once. A scan goes on at its cursor only on the process that issued it (design rule R10).

use std::time::Instant;

use client::{Backoff, Error, Recovery, Side, Topology};
use migration::pages::{Pages, ScanPosition};

use super::in_pieces::Why;
use super::listing::Listing;
use super::open::{identify, open_writers, source_clock};
use super::out::Out;
use super::work::Asked;
use super::{Lane, LaneEnd};
use crate::names::{KeyRef, Names};
use crate::run::lock;
use crate::stop::Halt;

/// Failed attempts after which a cluster is asked whether the node still is one of its primaries.
const ASK_CLUSTER_AFTER: u32 = 3;

/// Lost writes of one key after which it is suspected of breaking the connection.
const TOO_OFTEN: u8 = 8;

impl Lane {
    /// After a lost connection: asks again for everything unanswered, as soon as the side is back.
    pub(super) async fn recover(&mut self, error: Error) -> Result<(), LaneEnd> {
        if error.recovery() == Recovery::Operator {
            return Err(LaneEnd::Halted(Halt::Side(error)));
        }
        let side = error.peer.side;
        tracing::warn!("{error}");
        self.forget_unanswered(side);
        let (began, mut last) = (Instant::now(), error);
        let mut backoff = Backoff::new(self.run.now_us() ^ u64::from(self.node.port));
        loop {
            if self.run.stop.is_asked() {
                return Err(LaneEnd::Halted(Halt::Asked));
            }
            if began.elapsed() > self.run.options.give_up_after {
                let seconds = began.elapsed().as_secs();
                return Err(LaneEnd::Halted(Halt::Outage { side, seconds, last: last.to_string() }));
            }
            lock(&self.status).waiting =
                Some(format!("{side} is unreachable since {} s", began.elapsed().as_secs()));
            tokio::time::sleep(backoff.next_wait()).await;
            let attempt = match side {
                Side::Source => self.reconnect_source().await,
                Side::Target => self.follow_target().await.map(|()| true),
            };
            match attempt {
                Ok(true) => {
                    tracing::info!("{side} is back after {} ms", began.elapsed().as_millis());
                    self.last_heard = Instant::now();
                    return Ok(());
                }
                Ok(false) => return Err(LaneEnd::NodeLost),
                Err(error) if error.recovery() == Recovery::Operator => {
                    return Err(LaneEnd::Halted(Halt::Side(error)));
                }
                Err(error) => last = error,
            }
            if side == Side::Source && self.clustered && backoff.attempts() >= ASK_CLUSTER_AFTER {
                let known = Topology::Single(self.node.clone());
                if let Ok(topology) = self.run.source.topology_by_any(&known).await
                    && !topology.primaries().contains(&self.node)
                {
                    return Err(LaneEnd::NodeLost);
                }
            }
        }
    }

    /// Puts back what was in flight on a side.
    fn forget_unanswered(&mut self, side: Side) {
        match side {
            Side::Source => {
                // The look at the clock after the group is lost with the connection.
                self.group_ended(self.source_now_us());
                let asked = std::mem::take(&mut self.asked);
                self.todo.extend(asked.iter().filter_map(Asked::work).map(|work| work.again()));
                self.front = Default::default();
                self.scan_pending = false;
                self.in_flight_keys = 0;
                self.in_flight_bytes = 0;
            }
            Side::Target => {
                for written in std::mem::take(&mut self.writers).into_iter().flat_map(Out::into_due) {
                    self.may_come_late(written.work.key);
                    let work = written.work.lost();
                    // A server that refuses an argument's size closes the connection while we still send.
                    // Such a key would do it again for ever; in pieces it is told what is wrong with it.
                    if work.losses < TOO_OFTEN {
                        self.todo.push_back(work);
                    } else {
                        self.in_pieces.push(work, Why::Refused);
                    }
                }
            }
        }
    }

    /// A write of this key was sent on a connection that is lost, and may still be carried out. Where that cannot be
    /// prevented, the key is carried now and once more when that is over.
    pub(super) fn may_come_late(&self, key: KeyRef) {
        if let Listing::Followed(followed) = &self.listing
            && !self.run.fence.holds()
        {
            let after = self.run.options.late_writes;
            self.run.fence.say_that_it_is_open(after);
            followed.queue().once_more_after(after, self.names.get(key));
        }
    }

    /// A new connection to the source's node. `false` when the node is no primary of its cluster any more.
    async fn reconnect_source(&mut self) -> Result<bool, Error> {
        let mut source = self.run.source.connect_source(&self.node, self.db).await?;
        let identity = identify(&mut source).await?;
        if identity.replica && self.clustered {
            return Ok(false);
        }
        self.source_clock = source_clock(&mut source, &self.run).await?;
        self.source = source;
        let known = lock(&self.status).run_id.clone();
        let same = known.is_some() && known == identity.run_id;
        // Keys that somebody named are the same keys in any process.
        if !same && matches!(self.listing, Listing::Scan) {
            tracing::warn!(
                "source {}: another process answers there now; its keys are listed anew from the beginning",
                self.node
            );
            self.begin_anew(identity.run_id);
        }
        Ok(true)
    }

    fn begin_anew(&mut self, run_id: Option<String>) {
        self.in_pieces.clear();
        self.run.fence.leave(&self.node, self.db);
        self.unjudged.clear();
        self.todo.clear();
        // Writes under way belong to pages that are forgotten: their acknowledgements must not count.
        self.writers.clear();
        self.relayout = true;
        self.names = Names::default();
        self.pages = Pages::resume(ScanPosition::default());
        let mut status = lock(&self.status);
        status.run_id = run_id;
        status.restarts += 1;
    }

    /// Asks the target for its layout and connects to all of it anew.
    pub(super) async fn follow_target(&mut self) -> Result<(), Error> {
        self.forget_unanswered(Side::Target);
        self.importers.clear();
        if !self.run.writes_files() {
            let layout = self.run.target().topology_by_any(&self.layout).await?;
            self.run.set_target_layout(layout);
            self.layout = self.run.target_layout();
        }
        self.writers = open_writers(&self.run, &self.layout, &self.node, self.db).await?;
        self.relayout = false;
        Ok(())
    }
}
