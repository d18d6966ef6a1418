//! Rounds of lanes over all nodes of both sides, until the layouts stand still and everything is listed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use client::{Node, Side, Topology};
use tokio::task::JoinSet;

use crate::guardian;
use crate::halt::Halt;
use crate::lane::{Lane, LaneEnd};
use crate::outcome::LaneStatus;
use crate::page::Work;
use crate::run::{Patience, Run};
use crate::settle;
use crate::state::{Scan, State};
use crate::sums::Sums;

/// Writing the state takes no larger share of the time than this.
const SAVING_SHARE: u32 = 10;

pub(crate) struct Rounds {
    pub(crate) run: Arc<Run>,
    pub(crate) began: Instant,
    next_save: Instant,
}

impl Rounds {
    pub(crate) fn new(run: Arc<Run>, began: Instant) -> Rounds {
        let next_save = began + run.verify.options.save_every;
        Rounds { run, began, next_save }
    }

    /// Compares everything and judges what seemed to differ.
    pub(crate) async fn until_all_is_judged(&mut self) -> Result<(), Halt> {
        self.list(Arc::new(Work::Compare), Arc::new(Work::Count)).await?;
        let buckets = {
            let book = self.run.book();
            let sum = |side| sums(&book.state, side);
            sum(Side::Source).differing(&sum(Side::Target))
        };
        if !buckets.is_empty() {
            let probe = Arc::new(Work::Probe(buckets));
            self.list(Arc::clone(&probe), probe).await?;
        }
        self.settle(false).await
    }

    /// Runs rounds until both layouts' nodes are listed: the source's for one work, the target's for another;
    /// a probe has no work on the source.
    async fn list(&mut self, on_source: Arc<Work>, on_target: Arc<Work>) -> Result<(), Halt> {
        let mut patience = Patience::new();
        loop {
            self.plan(&on_target);
            let open = self.open_scans(&on_target);
            if open.is_empty() {
                return Ok(());
            }
            match self.round(open, &on_source, &on_target).await? {
                RoundEnd::Done => patience.renew(),
                RoundEnd::Full => self.settle(true).await?,
                RoundEnd::Lost(side, why) => {
                    let last = format!("a node left and nothing took its slots ({why})");
                    patience.wait(&self.run, side, last).await?;
                }
            }
            // Nodes that gained slots are listed anew.
            if self.is_clustered() {
                self.run.refresh(&mut patience).await?;
            }
        }
    }

    fn is_clustered(&self) -> bool {
        let sides = self.run.sides();
        [&sides.source_layout, &sides.target_layout]
            .iter()
            .any(|layout| matches!(layout, Topology::Cluster(_)))
    }

    /// Makes a scan for every node and database of the current layouts, those kept that are still good.
    fn plan(&self, on_target: &Work) {
        let sides = self.run.sides();
        let scope = &self.run.verify.scope;
        let mut book = self.run.book();
        let mut target_dbs: Vec<u32> = scope.source_dbs().iter().map(|db| scope.target_db(*db)).collect();
        target_dbs.sort_unstable();
        target_dbs.dedup();
        let target = (Side::Target, &sides.target_layout, target_dbs);
        if matches!(on_target, Work::Probe(_)) {
            book.probes = planned(&book.probes, [target]);
        } else {
            let source = (Side::Source, &sides.source_layout, scope.source_dbs());
            book.state.scans = planned(&book.state.scans, [source, target]);
        }
    }

    /// Indexes of the scans that are not done.
    fn open_scans(&self, on_target: &Work) -> Vec<(usize, Scan)> {
        let book = self.run.book();
        let scans = if matches!(on_target, Work::Probe(_)) { &book.probes } else { &book.state.scans };
        scans.iter().cloned().enumerate().filter(|(_, scan)| !scan.reached.done).collect()
    }

    /// Runs a lane for every open scan: nodes side by side, a node's databases one by one.
    async fn round(
        &mut self,
        open: Vec<(usize, Scan)>,
        on_source: &Arc<Work>,
        on_target: &Arc<Work>,
    ) -> Result<RoundEnd, Halt> {
        self.run.progress.set_lanes(open.iter().map(|(_, scan)| status_of(scan)).collect());
        let sides = self.run.sides();
        let mut nodes: BTreeMap<(bool, Node), Vec<Lane>> = BTreeMap::new();
        for (shown_at, (index, scan)) in open.into_iter().enumerate() {
            let (work, layout) = match scan.side {
                Side::Source => (on_source, &sides.source_layout),
                Side::Target => (on_target, &sides.target_layout),
            };
            let (run, work) = (Arc::clone(&self.run), Arc::clone(work));
            let clustered = matches!(layout, Topology::Cluster(_));
            let lane = Lane { run, work, index, shown_at, clustered };
            nodes.entry((scan.side == Side::Source, scan.node())).or_default().push(lane);
        }
        let sources = nodes.keys().filter(|(is_source, _)| *is_source).map(|(_, node)| node.clone());
        let _guards = guardian::watch(&self.run, sources);
        let mut lanes = JoinSet::new();
        for node in nodes.into_values() {
            lanes.spawn(one_by_one(node));
        }
        let mut end = Ok(RoundEnd::Done);
        loop {
            tokio::select! {
                ended = lanes.join_next() => match ended {
                    None => break,
                    Some(Ok(lane)) => worse(&mut end, lane),
                    Some(Err(panic)) => std::panic::resume_unwind(panic.into_panic()),
                },
                () = tokio::time::sleep_until(self.next_save.into()) => {
                    if let Err(error) = self.save() {
                        self.run.halt();
                        worse(&mut end, LaneEnd::Halted(error));
                    }
                }
            }
        }
        if end.is_ok() && self.run.is_asked_to_stop() { Err(Halt::Asked) } else { end }
    }

    /// Judges all suspects, with the state saved on the way.
    async fn settle(&mut self, early: bool) -> Result<(), Halt> {
        let run = Arc::clone(&self.run);
        let mut settling = std::pin::pin!(settle::all(&run, early));
        loop {
            tokio::select! {
                settled = &mut settling => return settled,
                () = tokio::time::sleep_until(self.next_save.into()) => self.save()?,
            }
        }
    }

    /// Writes the state, if one is kept.
    pub(crate) fn save(&mut self) -> Result<(), Halt> {
        let options = &self.run.verify.options;
        let began = Instant::now();
        if let Some(path) = &options.state {
            let state = self.run.state(self.began.elapsed());
            state.save(path)?;
        }
        self.next_save = Instant::now() + options.save_every.max(began.elapsed() * SAVING_SHARE);
        Ok(())
    }
}

impl Run {
    /// Asks both sides for their layouts, as long as the patience lasts.
    async fn refresh(&self, patience: &mut Patience) -> Result<(), Halt> {
        let known = self.sides();
        match known.again(self.verify.options.silence).await {
            Ok(sides) => {
                self.set_sides(sides);
                Ok(())
            }
            Err(setback) => self.overcome(setback, patience).await,
        }
    }
}

/// How a round ended.
enum RoundEnd {
    Done,
    Full,
    Lost(Side, String),
}

/// One node's databases, one after the other.
async fn one_by_one(lanes: Vec<Lane>) -> LaneEnd {
    for lane in lanes {
        match lane.list().await {
            LaneEnd::Done => {}
            end => return end,
        }
    }
    LaneEnd::Done
}

/// Keeps the gravest end; of several halts the first one that is not merely the echo of another.
fn worse(end: &mut Result<RoundEnd, Halt>, lane: LaneEnd) {
    match lane {
        LaneEnd::Done => {}
        LaneEnd::Halted(halt) => {
            if matches!(end, Ok(_) | Err(Halt::Asked)) {
                *end = Err(halt);
            }
        }
        LaneEnd::Lost(side, why) => {
            if end.is_ok() {
                *end = Ok(RoundEnd::Lost(side, why));
            }
        }
        LaneEnd::Full => {
            if matches!(end, Ok(RoundEnd::Done)) {
                *end = Ok(RoundEnd::Full);
            }
        }
    }
}

/// Scans for these sides' nodes and databases. A known one is kept, unless its node gained slots: it may have
/// passed their keys already.
fn planned<'t>(known: &[Scan], sides: impl IntoIterator<Item = (Side, &'t Topology, Vec<u32>)>) -> Vec<Scan> {
    let mut scans = Vec::new();
    for (side, layout, dbs) in sides {
        for (index, node) in layout.primaries().iter().enumerate() {
            let slots = match layout {
                Topology::Single(_) => Vec::new(),
                Topology::Cluster(map) => map.ranges(index),
            };
            for db in &dbs {
                let same =
                    known.iter().find(|scan| scan.side == side && scan.node() == *node && scan.db == *db);
                let good = same.filter(|scan| slots.iter().all(|range| covers(&scan.slots, *range)));
                scans.push(good.cloned().unwrap_or_else(|| {
                    let mut anew = Scan::new(side, node, *db, slots.clone());
                    anew.restarts = same.map_or(0, |scan| scan.restarts + 1);
                    anew
                }));
            }
        }
    }
    scans
}

fn covers(known: &[(u16, u16)], (first, last): (u16, u16)) -> bool {
    known.iter().any(|(from, to)| *from <= first && last <= *to)
}

fn status_of(scan: &Scan) -> LaneStatus {
    LaneStatus {
        side: scan.side,
        node: scan.node(),
        db: scan.db,
        keys: scan.reached.listed,
        expected: 0,
        waiting: None,
    }
}

/// The names of one side.
fn sums(state: &State, side: Side) -> Sums {
    let mut sums = Sums::default();
    state.scans.iter().filter(|scan| scan.side == side).for_each(|scan| sums.add_all(&scan.reached.sums));
    sums
}

#[cfg(test)]
mod tests {
    use client::SlotMap;
    use resp::Value;

    use super::*;

    fn cluster(ranges: &[(i64, i64, i64)]) -> Topology {
        let entry = |(first, last, port): &(i64, i64, i64)| {
            let node = Value::Array(vec![Value::Bulk("h".into()), Value::Integer(*port)]);
            Value::Array(vec![Value::Integer(*first), Value::Integer(*last), node])
        };
        let asked = Node { host: "h".into(), port: 1 };
        let map = SlotMap::parse(&Value::Array(ranges.iter().map(entry).collect()), &asked);
        Topology::Cluster(map.expect("a layout"))
    }

    #[test]
    fn a_node_that_gained_slots_is_listed_anew_and_the_others_are_not() {
        let before = cluster(&[(0, 5000, 1), (5001, 16383, 2)]);
        let mut scans = planned(&[], [(Side::Source, &before, vec![0])]);
        scans.iter_mut().for_each(|scan| scan.reached.done = true);
        let after = cluster(&[(0, 4000, 1), (4001, 16383, 2)]);
        let scans = planned(&scans, [(Side::Source, &after, vec![0])]);
        let told: Vec<_> = scans.iter().map(|scan| (scan.reached.done, scan.restarts)).collect();
        assert_eq!(told, [(true, 0), (false, 1)]);
    }

    #[test]
    fn sides_and_databases_are_scans_of_their_own() {
        let layout = cluster(&[(0, 16383, 1)]);
        let scans = planned(&[], [(Side::Source, &layout, vec![0, 3]), (Side::Target, &layout, vec![0])]);
        let told: Vec<_> = scans.iter().map(|scan| (scan.side, scan.db)).collect();
        assert_eq!(told, [(Side::Source, 0), (Side::Source, 3), (Side::Target, 0)]);
    }
}
