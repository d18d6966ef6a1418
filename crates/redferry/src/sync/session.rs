//! A sync from its beginning to its end: one leg after the other, and the turns between them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use engine::{Halt, Stop, SyncEnd, SyncOutcome};
use tokio::sync::{mpsc, watch};

use super::direction::{Direction, Turn};
use super::leg::{Leg, Manner, Plan};
use super::overview::Overview;
use super::state::State;
use super::turn::{self, Failure, Made, TurnOrder};

/// How long a sync that ends by a turn can still be asked.
const LINGERS: Duration = Duration::from_secs(2);

/// What others order: a turn, one at a time.
#[derive(Debug)]
pub(crate) struct Ordered {
    pub(crate) turn: Turn,
    pub(crate) order: TurnOrder,
}

/// Whoever holds this gives orders.
#[derive(Debug, Clone)]
pub(crate) struct Helm {
    overview: Arc<Overview>,
    orders: mpsc::UnboundedSender<Ordered>,
    cancelled: watch::Sender<bool>,
}

/// A sync under way.
#[derive(Debug)]
pub(super) struct Session {
    plan: Plan,
    state: State,
    path: PathBuf,
    manner: Manner,
    overview: Arc<Overview>,
    orders: mpsc::UnboundedReceiver<Ordered>,
    cancelled: watch::Receiver<bool>,
    stop: Arc<Stop>,
}

/// How a sync came to its end.
pub(super) struct Ended {
    /// The way that the last leg went.
    pub(super) direction: Direction,
    pub(super) outcome: SyncOutcome,
}

impl Ended {
    fn of(direction: Direction, ended: Result<SyncOutcome, Halt>) -> Result<Ended, String> {
        ended.map(|outcome| Ended { direction, outcome }).map_err(|halt| halt.to_string())
    }
}

impl Helm {
    /// Where the sync stands.
    pub(crate) fn overview(&self) -> &Overview {
        &self.overview
    }

    /// Orders a turn, which is made beside everything else.
    ///
    /// # Errors
    /// Another one is being made, or the other cache is in charge already.
    pub(crate) fn order(&self, ordered: Ordered) -> Result<(), String> {
        self.overview.begins(ordered.turn)?;
        self.cancelled.send_replace(false);
        self.orders.send(ordered).map_err(|_| "the sync is ending".to_owned())
    }

    /// Gives up the turn that is being made; `false` when there is none.
    pub(crate) fn cancel(&self) -> bool {
        let is_turning = self.overview.is_turning();
        if is_turning {
            self.cancelled.send_replace(true);
        }
        is_turning
    }
}

impl Session {
    pub(super) fn new(
        plan: Plan,
        state: State,
        path: PathBuf,
        manner: Manner,
        leg: &Leg,
        named: usize,
        stop: Arc<Stop>,
    ) -> (Session, Helm) {
        let overview = Arc::new(Overview::new(&plan, &state, leg, named));
        let (sender, orders) = mpsc::unbounded_channel();
        let (cancel, cancelled) = watch::channel(false);
        let helm = Helm { overview: Arc::clone(&overview), orders: sender, cancelled: cancel };
        (Session { plan, state, path, manner, overview, orders, cancelled, stop }, helm)
    }

    /// Goes on, in whatever direction, until it is stopped, is ready, or is cut over without a way back.
    ///
    /// # Errors
    /// A side cannot be reached at the beginning of a leg.
    pub(super) async fn run(mut self, first: Leg) -> Result<Ended, String> {
        let mut leg = first;
        loop {
            self.overview.goes(leg.direction, leg.feed, leg.watch.clone());
            tokio::select! {
                ended = leg.end() => return Ended::of(leg.direction, ended),
                Some(ordered) = self.orders.recv() => match self.turn(&leg, &ordered).await {
                    Ok(Some(back)) => leg = back,
                    Ok(None) => {
                        // Whoever ordered it asks for its end.
                        tokio::time::sleep(LINGERS).await;
                        return Ended::of(leg.direction, leg.end().await);
                    }
                    Err(failure) => {
                        tracing::warn!("the {} was not made: {failure}", ordered.turn.name());
                        let is_over = matches!(failure, Failure::State(_));
                        self.overview.failed(failure);
                        if is_over {
                            leg = self.again(leg).await?;
                        }
                    }
                },
            }
        }
    }

    /// Makes a turn; returns the way back, under way, if it is wanted.
    async fn turn(&mut self, leg: &Leg, ordered: &Ordered) -> Result<Option<Leg>, Failure> {
        let Made { back, equal } =
            turn::make(&self.plan, leg, &ordered.order, &self.overview, &mut self.cancelled, &self.stop)
                .await?;
        // Who is in charge is remembered before anybody hears of it: a crash from here on goes on the other way.
        let state = self.state.turned(ordered.turn);
        state.save(&self.path).map_err(|error| Failure::State(error.to_string()))?;
        self.state = state;
        if let Some(back) = &back {
            back.steering.release(equal);
        }
        self.overview.turned(self.state.turns.clone());
        tracing::info!("{}: the {} is in charge now", ordered.turn.name(), in_charge(ordered.turn));
        Ok(back)
    }

    /// Takes the direction of a leg once more that has ended, though nobody was told.
    async fn again(&self, mut ended: Leg) -> Result<Leg, String> {
        let outcome = ended.end().await.map_err(|halt| halt.to_string())?;
        if let SyncEnd::Halted(halt) = outcome.end {
            return Err(halt.to_string());
        }
        let ready = self.plan.look(ended.direction).await?;
        Ok(self.plan.take(
            ended.direction,
            &ready,
            Manner { target_was_empty: false, ..self.manner },
            &self.stop,
        ))
    }
}

fn in_charge(turn: Turn) -> &'static str {
    match turn {
        Turn::CutOver => "target",
        Turn::RollBack => "source",
    }
}
