//! Steering a sync under way from outside: wait until both sides are equal, end exactly then, begin to carry.

use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

/// How long it may take to find out whether nothing has changed since a moment.
const STILL_WITHIN: Duration = Duration::from_secs(60);

/// A moment at which both sides were equal, nobody wrote, and nothing could have been missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Equal {
    /// How often commands that write had run on the source; where that is not told, when a change was last heard of, in
    /// microseconds of the run's clock.
    pub(super) writes: u64,
    /// Gaps that there had been until then.
    pub(super) gaps: usize,
}

/// What is asked of a sync.
#[derive(Debug)]
pub(crate) enum Order {
    Settle(Wanted),
    Release { equal: bool },
}

/// Somebody waits for both sides to be equal.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// Nobody has to have written for so long.
    pub(super) quiet: Duration,
    /// Only if nothing has changed since then.
    pub(super) since: Option<Equal>,
    /// Not later than that.
    pub(super) until: Option<Instant>,
    /// Whether the sync ends at that moment.
    pub(super) ends: bool,
    /// Whom it is told; whoever does not listen any more does not wait any more.
    pub(super) answer: Option<oneshot::Sender<Equal>>,
}

impl Wanted {
    /// Whether nobody wants it any more, or it comes too late.
    pub(super) fn is_given_up(&self) -> bool {
        let is_late = self.until.is_some_and(|until| until < Instant::now());
        is_late || self.answer.as_ref().is_some_and(oneshot::Sender::is_closed)
    }
}

pub(crate) type Orders = mpsc::UnboundedReceiver<Order>;

/// Whoever holds this steers the sync that holds the other end.
#[derive(Debug, Clone)]
pub struct Steering {
    orders: mpsc::UnboundedSender<Order>,
}

/// The end that a sync listens to.
#[derive(Debug)]
pub struct Steered(pub(super) Orders);

impl Steering {
    /// Both ends.
    pub fn new() -> (Steering, Steered) {
        let (orders, listens) = mpsc::unbounded_channel();
        (Steering { orders }, Steered(listens))
    }

    /// Waits until nobody has written for so long and both sides are equal. The sync goes on. Dropping the future
    /// gives it up, as does the next call by anybody. `None`: the sync has ended, or somebody else asked.
    pub async fn settle(&self, quiet: Duration) -> Option<Equal> {
        self.wait(quiet, None, false).await
    }

    /// Whether nobody has written since then.
    pub async fn is_still(&self, since: Equal) -> bool {
        self.wait(Duration::ZERO, Some(since), false).await.is_some()
    }

    /// Ends the sync with [`SyncEnd::Ready`](super::SyncEnd::Ready) if nothing has changed since then and both sides are
    /// still equal; else it goes on, and this is `false`.
    pub async fn finish(&self, since: Equal) -> bool {
        self.wait(Duration::ZERO, Some(since), true).await.is_some()
    }

    /// Begins to carry, if the sync was held until now. `equal`: both sides are so, but for what it has heard of;
    /// else they are compared first.
    pub fn release(&self, equal: bool) {
        let _ = self.orders.send(Order::Release { equal });
    }

    async fn wait(&self, quiet: Duration, since: Option<Equal>, ends: bool) -> Option<Equal> {
        let (answer, equal) = oneshot::channel();
        // Whoever asks whether nothing has changed since a moment wants to go on.
        let until = since.map(|_| Instant::now() + STILL_WITHIN);
        let wanted = Wanted { quiet, since, until, ends, answer: Some(answer) };
        self.orders.send(Order::Settle(wanted)).ok()?;
        equal.await.ok()
    }
}
