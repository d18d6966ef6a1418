//! What all tasks of one comparison share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use client::{Backoff, Side};

use crate::compare::{Comparer, Setback, Sides};
use crate::halt::Halt;
use crate::outcome::Progress;
use crate::state::{Scan, State};
use crate::suspects::Suspects;
use crate::verify::{StopAsked, Verify};

/// One comparison.
pub(crate) struct Run {
    pub(crate) verify: Verify,
    pub(crate) progress: Progress,
    stop: StopAsked,
    halted: AtomicBool,
    ttl_error_bound_ms: AtomicU64,
    sides: Mutex<Arc<Sides>>,
    book: Mutex<Book>,
}

/// What is known so far. Whoever changes it leaves it such that a later run can go on from it.
pub(crate) struct Book {
    /// Without the suspects, which are kept in another form while it runs.
    pub(crate) state: State,
    pub(crate) suspects: Suspects,
    /// Second listings of the target, for keys that only it has. They are short and begin anew in every run.
    pub(crate) probes: Vec<Scan>,
}

impl Run {
    pub(crate) fn new(
        verify: Verify,
        progress: Progress,
        stop: StopAsked,
        sides: Sides,
        state: State,
    ) -> Run {
        let mut state = state;
        let suspects = Suspects::of_records(std::mem::take(&mut state.suspects));
        Run {
            verify,
            progress,
            stop,
            halted: AtomicBool::new(false),
            ttl_error_bound_ms: AtomicU64::new(0),
            sides: Mutex::new(Arc::new(sides)),
            book: Mutex::new(Book { state, suspects, probes: Vec::new() }),
        }
    }

    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        lock(&self.book)
    }

    /// The state as it goes to disk.
    pub(crate) fn state(&self, elapsed: Duration) -> State {
        let book = self.book();
        let mut state = book.state.clone();
        state.suspects = book.suspects.records();
        state.elapsed_ms += elapsed.as_millis() as u64;
        state.ttl_error_bound_ms = self.ttl_error_bound_ms(&book);
        state
    }

    /// No expiry was compared with a larger error, in this run and the ones it resumed.
    pub(crate) fn ttl_error_bound_ms(&self, book: &Book) -> u64 {
        self.ttl_error_bound_ms.load(Ordering::Relaxed).max(book.state.ttl_error_bound_ms)
    }

    /// A comparer has based its verdicts on measurements with at most this error.
    pub(crate) fn saw_ttl_error(&self, bound_ms: u64) {
        self.ttl_error_bound_ms.fetch_max(bound_ms, Ordering::Relaxed);
    }

    pub(crate) fn sides(&self) -> Arc<Sides> {
        Arc::clone(&lock(&self.sides))
    }

    pub(crate) fn set_sides(&self, sides: Sides) {
        *lock(&self.sides) = Arc::new(sides);
    }

    pub(crate) fn comparer(&self) -> Comparer {
        Comparer::new(self.sides(), self.verify.options.closeness(), Arc::clone(&self.verify.brake))
    }

    /// Ends what is under way, because one task cannot go on.
    pub(crate) fn halt(&self) {
        self.halted.store(true, Ordering::Relaxed);
    }

    /// Whether tasks are to end.
    pub(crate) fn is_ending(&self) -> bool {
        self.halted.load(Ordering::Relaxed) || (self.stop)()
    }

    pub(crate) fn is_asked_to_stop(&self) -> bool {
        (self.stop)()
    }

    /// Waits, but not longer than until tasks are to end.
    pub(crate) async fn sleep(&self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until && !self.is_ending() {
            tokio::time::sleep(Duration::from_millis(50).min(until - Instant::now())).await;
        }
    }

    /// How far two measurements of an expiry at rest may be apart.
    pub(crate) fn ttl_play_ms(&self) -> i64 {
        self.verify.options.ttl_tolerance.as_millis() as i64 + 5
    }

    /// After a look that came to nothing: waits and asks both sides for their layouts again, until that works.
    ///
    /// # Errors
    /// It was tried for too long, trying again cannot help, or somebody asked to stop.
    pub(crate) async fn overcome(&self, setback: Setback, patience: &mut Patience) -> Result<(), Halt> {
        let (side, last) = setback.passing()?;
        patience.wait(self, side, last).await?;
        loop {
            let known = self.sides();
            match known.again(self.verify.options.silence).await {
                Ok(sides) => {
                    self.set_sides(sides);
                    return Ok(());
                }
                Err(setback) => {
                    let (side, last) = setback.passing()?;
                    patience.wait(self, side, last).await?;
                }
            }
        }
    }
}

/// How long it has been tried since something last worked.
#[derive(Debug)]
pub(crate) struct Patience {
    since: Option<Instant>,
    backoff: Backoff,
}

impl Patience {
    pub(crate) fn new() -> Patience {
        Patience { since: None, backoff: Backoff::new(std::process::id().into()) }
    }

    /// How often it was tried in vain.
    pub(crate) fn attempts(&self) -> u32 {
        self.backoff.attempts()
    }

    /// Something worked.
    pub(crate) fn renew(&mut self) {
        self.since = None;
        self.backoff.reset();
    }

    /// Waits before the next try; `last` is what the last one came to.
    ///
    /// # Errors
    /// It was tried for too long, or the run is ending.
    pub(crate) async fn wait(&mut self, run: &Run, side: Side, last: String) -> Result<(), Halt> {
        let tried = self.since.get_or_insert_with(Instant::now).elapsed();
        if tried > run.verify.options.give_up_after {
            return Err(Halt::Outage { side, seconds: tried.as_secs(), last });
        }
        tracing::debug!("waiting for the {side}: {last}");
        run.sleep(self.backoff.next_wait()).await;
        if run.is_ending() { Err(Halt::Asked) } else { Ok(()) }
    }
}

/// A lock whose holder panicked still guards plain data.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
