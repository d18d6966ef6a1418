//! Putting the other cache in charge: wait until nobody writes, compare, let the way back listen, and end this way at
//! a moment at which both sides are equal.
//!
//! Nothing is changed until that moment, so it can be given up, or fail, at any time before. Whoever writes between
//! the comparison and the end is noticed by the feed, and everything is done once more.

use std::sync::Arc;
use std::time::Duration;

use ::verify::Progress;
use engine::{Equal, Stop};
use migration::follow::Phase;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use super::leg::{Leg, Manner, Plan};
use super::overview::{Overview, Step};
use super::proof::{Depth, prove};

/// How long the feeds of the way back may take to be heard.
const HEARD_WITHIN: Duration = Duration::from_secs(60);

/// How a turn is to be made; the body of `POST /cutover` and `/rollback`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TurnOrder {
    /// Nobody has to have written for so long, in milliseconds.
    pub(crate) quiet_ms: u64,
    /// How long that may take, in milliseconds.
    pub(crate) wait_ms: u64,
    /// How many keys are compared.
    pub(crate) verify: Depth,
    /// The share of the keys that a sample has, more than 0 and at most 1.
    pub(crate) sample: f64,
    /// Goes on although keys differ.
    pub(crate) accept_differences: bool,
    /// Does not go on while keys exist that the other version cannot hold.
    pub(crate) refuse_incompatible: bool,
    /// Whether changes of the other cache are carried back from then on.
    pub(crate) way_back: bool,
}

impl Default for TurnOrder {
    fn default() -> TurnOrder {
        TurnOrder {
            quiet_ms: 2_000,
            wait_ms: 600_000,
            verify: Depth::Sample,
            sample: 0.01,
            accept_differences: false,
            refuse_incompatible: false,
            way_back: true,
        }
    }
}

/// Why a turn was not made. Everything goes on as before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    #[error(
        "both sides were not equal with nobody writing within {seconds} s; stop the writers and order it again \
         (conditions that are not met: {unmet})"
    )]
    NotQuiet { seconds: u64, unmet: String },
    #[error("{keys} of {compared} compared keys differ; see which with redferry verify, or accept that")]
    Differences { keys: u64, compared: u64 },
    #[error("the comparison could not be made: {0}")]
    NotCompared(String),
    #[error(
        "{keys} keys were refused by a side, and the other cache does not have them as they are: see refused in \
         redferry status, remove the reason, or accept that they differ"
    )]
    Lacking { keys: u64 },
    #[error("{keys} keys cannot be held by the other version; change or delete them, or go on without them")]
    Incompatible { keys: u64 },
    #[error(
        "changes could not be carried back after that: {0}; order it without a way back to go on all the same"
    )]
    NoWayBack(String),
    #[error("it was cancelled")]
    Cancelled,
    #[error("the sync has ended")]
    Ended,
    #[error("{0}")]
    State(String),
}

impl Failure {
    /// The stable name.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Failure::NotQuiet { .. } => "not_quiet",
            Failure::Differences { .. } => "differences",
            Failure::NotCompared(_) => "not_compared",
            Failure::Incompatible { .. } => "incompatible",
            Failure::Lacking { .. } => "lacking",
            Failure::NoWayBack(_) => "no_way_back",
            Failure::Cancelled => "cancelled",
            Failure::Ended => "ended",
            Failure::State(_) => "state",
        }
    }
}

/// A way that has ended.
pub(super) struct Made {
    /// The way back, held, if it is wanted.
    pub(super) back: Option<Leg>,
    /// Whether both sides were equal at that moment, as far as is known; else the way back has to compare first.
    pub(super) equal: bool,
}

/// Makes the turn up to the moment at which this way has ended. Until the last step it can be cancelled; that one
/// either ends the way or does not, and whoever ordered it hears which.
pub(super) async fn make(
    plan: &Plan,
    leg: &Leg,
    order: &TurnOrder,
    overview: &Overview,
    cancelled: &mut watch::Receiver<bool>,
    stop: &Arc<Stop>,
) -> Result<Made, Failure> {
    let deadline = Instant::now() + Duration::from_millis(order.wait_ms);
    let mut back = None;
    loop {
        let prepared = tokio::select! {
            prepared = prepare(plan, leg, order, overview, deadline, &mut back, stop) => prepared?,
            Ok(_) = cancelled.wait_for(|cancelled| *cancelled) => return Err(Failure::Cancelled),
        };
        let Some(Prepared { since, equal }) = prepared else { continue };
        overview.step(Step::Turning);
        if leg.steering.finish(since).await {
            return Ok(Made { back, equal });
        }
        // Somebody wrote meanwhile.
    }
}

/// Everything but the end.
struct Prepared {
    since: Equal,
    equal: bool,
}

/// Waits, lets the way back listen, and compares. `None`: somebody wrote meanwhile.
async fn prepare(
    plan: &Plan,
    leg: &Leg,
    order: &TurnOrder,
    overview: &Overview,
    deadline: Instant,
    back: &mut Option<Leg>,
    stop: &Arc<Stop>,
) -> Result<Option<Prepared>, Failure> {
    let settle = async |quiet| {
        let equal = timeout_at(deadline, leg.steering.settle(quiet)).await;
        equal.map_err(|_| not_quiet(leg, order))?.ok_or(Failure::Ended)
    };
    overview.step(Step::Waiting);
    let mut since = settle(Duration::from_millis(order.quiet_ms)).await?;
    if order.way_back && back.is_none() {
        overview.step(Step::Listening);
        *back = Some(listen_back(plan, leg, stop).await?);
        // Looking whether the old cache can be written to has written to it.
        since = settle(Duration::ZERO).await?;
    }
    let status = leg.watch.status();
    let (lacking, incompatible) = status.map_or((0, 0), |status| (status.lacking, status.incompatible));
    overview.incompatible(incompatible);
    if order.refuse_incompatible && incompatible > 0 {
        return Err(Failure::Incompatible { keys: incompatible });
    }
    if lacking > incompatible && !order.accept_differences {
        return Err(Failure::Lacking { keys: lacking - incompatible });
    }
    overview.step(Step::Verifying);
    match compare(plan, leg, order, overview, stop).await {
        Ok(differing) => Ok(Some(Prepared { since, equal: differing + lacking == 0 })),
        // Both sides could not be equal at once.
        Err(Failure::Differences { .. }) if !leg.steering.is_still(since).await => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn not_quiet(leg: &Leg, order: &TurnOrder) -> Failure {
    let status = leg.watch.status();
    let unmet = status.iter().flat_map(|status| &status.conditions).filter(|condition| !condition.met);
    let unmet: Vec<&str> = unmet.map(|condition| condition.name).collect();
    Failure::NotQuiet { seconds: order.wait_ms / 1000, unmet: unmet.join(", ") }
}

async fn compare(
    plan: &Plan,
    leg: &Leg,
    order: &TurnOrder,
    overview: &Overview,
    stop: &Arc<Stop>,
) -> Result<u64, Failure> {
    let progress = Progress::default();
    overview.comparing(progress.clone());
    let proof = prove(plan, leg, order.verify, order.sample, &progress, stop).await;
    let proof = proof.map_err(Failure::NotCompared)?;
    let (keys, compared) = (proof.differing(), proof.compared);
    overview.proved(proof);
    if keys > 0 && !order.accept_differences {
        return Err(Failure::Differences { keys, compared });
    }
    Ok(keys)
}

/// The way back, which hears every change from now on and carries none before it is released.
async fn listen_back(plan: &Plan, leg: &Leg, stop: &Arc<Stop>) -> Result<Leg, Failure> {
    let direction = leg.direction.turned();
    let ready = plan.look(direction).await.map_err(Failure::NoWayBack)?;
    let mut back = plan.take(direction, &ready, Manner { held: true, ..Manner::default() }, stop);
    let heard = async {
        loop {
            if back.watch.status().is_some_and(|status| status.phase != Phase::Probing) {
                return Ok(());
            }
            tokio::select! {
                ended = back.end() => {
                    let why = ended.map_or_else(|halt| halt.to_string(), |_| "it ended".to_owned());
                    return Err(Failure::NoWayBack(why));
                }
                () = tokio::time::sleep(Duration::from_millis(20)) => {}
            }
        }
    };
    let unheard =
        || Failure::NoWayBack(format!("its changes were not heard for {} s", HEARD_WITHIN.as_secs()));
    timeout(HEARD_WITHIN, heard).await.map_err(|_| unheard())??;
    Ok(back)
}
