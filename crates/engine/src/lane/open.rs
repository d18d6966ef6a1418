//! Beginning: who answers at the node, where its scan stands, how the clocks run.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use client::{Backoff, Error, Node, Read, Recovery, Side, SourceConnection, Topology};
use migration::expiry::Clock;
use migration::pages::{Pages, ScanPosition};

use super::listing::Listing;
use super::out::Out;
use super::{Lane, LaneEnd};
use crate::clocks;
use crate::guess::Guesses;
use crate::names::Names;
use crate::preflight::info::Info;
use crate::run::{LaneStatus, Run, lock};
use crate::stop::Halt;
use crate::unlink::Removal;
use crate::writer::Writer;

/// Who answers at a node's address.
pub(super) struct Identity {
    pub(super) run_id: Option<String>,
    pub(super) replica: bool,
    pub(super) counts_use: bool,
}

impl Lane {
    /// As `open`, again and again while a side is away.
    pub(crate) async fn open_patiently(
        run: &Arc<Run>,
        status: &Arc<Mutex<LaneStatus>>,
        clustered: bool,
    ) -> Result<Lane, LaneEnd> {
        let began = Instant::now();
        let mut backoff = Backoff::new(run.now_us());
        loop {
            let error: Error = match Lane::open(Arc::clone(run), Arc::clone(status), clustered).await {
                Ok(lane) => return Ok(lane),
                Err(error) => error,
            };
            if error.recovery() == Recovery::Operator {
                return Err(LaneEnd::Halted(Halt::Side(error)));
            }
            if run.stop.is_asked() {
                return Err(LaneEnd::Halted(Halt::Asked));
            }
            let side = error.peer.side;
            if clustered && side == Side::Source && backoff.attempts() >= 3 {
                return Err(LaneEnd::NodeLost);
            }
            if began.elapsed() > run.options.give_up_after {
                let (seconds, last) = (began.elapsed().as_secs(), error.to_string());
                return Err(LaneEnd::Halted(Halt::Outage { side, seconds, last }));
            }
            lock(status).waiting = Some(error.to_string());
            tokio::time::sleep(backoff.next_wait()).await;
        }
    }

    /// Connects to both sides and takes up the scan where the status says, if its process is still there.
    async fn open(run: Arc<Run>, status: Arc<Mutex<LaneStatus>>, clustered: bool) -> Result<Lane, Error> {
        let (node, db, position, known) = {
            let status = lock(&status);
            (status.node.clone(), status.db, status.position.clone(), status.run_id.clone())
        };
        let mut source = run.source.connect_source(&node, db).await?;
        let identity = identify(&mut source).await?;
        let source_clock = source_clock(&mut source, &run).await?;
        let expected = source.ask(Read::DbSize).await?.as_i64().unwrap_or(0).unsigned_abs();
        let same = known.is_some() && known == identity.run_id;
        let begun = position != ScanPosition::default();
        let position = if same { position } else { ScanPosition::default() };
        {
            let mut status = lock(&status);
            status.run_id = identity.run_id.clone();
            status.restarts += u32::from(begun && !same);
            status.position = position.clone();
            status.expected = expected;
        }
        // What an earlier lane of these keys has sent must not come after what this one sends.
        run.fence.leave(&node, db);
        let layout = run.target_layout();
        let writers = open_writers(&run, &layout, &node, db).await?;
        let now = Instant::now();
        Ok(Lane {
            scan_count: run.options.scan_count.min(100),
            frequency: identity.counts_use,
            same_names: run.naming.keeps_names(db),
            run,
            status,
            node,
            db,
            clustered,
            pages: Pages::resume(position),
            names: Names::default(),
            guesses: Guesses::default(),
            listing: Listing::Scan,
            todo: Default::default(),
            source,
            source_clock,
            asked: Default::default(),
            front: Default::default(),
            scan_pending: false,
            in_flight_keys: 0,
            in_flight_bytes: 0,
            typical_len: 256,
            groups: Default::default(),
            unjudged: Vec::new(),
            layout,
            writers,
            importers: Default::default(),
            removal: Removal::default(),
            relayout: false,
            scratch: Vec::new(),
            in_pieces: Default::default(),
            hold_until: None,
            last_heard: now,
            last_ping: now,
            unwell_since: None,
            stopping_since: None,
            halted: None,
        })
    }
}

pub(super) async fn open_writers(
    run: &Run,
    layout: &Topology,
    source: &Node,
    db: u32,
) -> Result<Vec<Out>, Error> {
    let target_db = run.naming.target_db(db).unwrap_or(0);
    if let Some(file) = run.file(source) {
        return Ok(vec![Out::file(file, target_db, layout.primaries()[0].clone())]);
    }
    let mut writers = Vec::new();
    for node in layout.primaries() {
        writers.push(Out::Node(Box::new(Writer::open(run, node, target_db, Some((source, db))).await?)));
    }
    Ok(writers)
}

pub(super) async fn source_clock(source: &mut SourceConnection, run: &Run) -> Result<Clock, Error> {
    let clock = clocks::of_source(source, || run.now_us()).await?;
    let clock = clock.ok_or_else(|| source.peer().error(client::Kind::Shape { command: "TIME" }))?;
    run.set_clock(Side::Source, &source.peer().node, clock);
    Ok(clock)
}

pub(super) async fn identify(source: &mut SourceConnection) -> Result<Identity, Error> {
    let reply = source.ask(Read::Info("")).await?;
    if reply.is_error() {
        return Err(Error::from_reply(source.peer(), "INFO", &reply));
    }
    let info = Info::of(&reply);
    Ok(Identity {
        run_id: info.id("run_id"),
        replica: info.text("role") == Some("slave"),
        counts_use: info.text("maxmemory_policy").is_some_and(|policy| policy.ends_with("lfu")),
    })
}
