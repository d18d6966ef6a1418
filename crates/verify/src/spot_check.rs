//! Keys that somebody names, compared at once at level full: no listing, no state, no waiting for what changes.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use client::{Backoff, Endpoint};

use crate::compare::{Comparer, Setback, Sides};
use crate::halt::Halt;
use crate::meter::Meter;
use crate::options::{Closeness, Level};
use crate::scope::Scope;
use crate::verdict::{Pair, Verdict};

/// Attempts at keys whose side is away or moves slots.
const ATTEMPTS: u32 = 4;

/// Looks at a key whose expiry was measured too vaguely to tell.
const LOOKS: u32 = 3;

/// Compares keys that are given by name. Keys may be given by several tasks at once.
pub struct SpotCheck {
    source: Endpoint,
    target: Endpoint,
    scope: Arc<dyn Scope>,
    closeness: Closeness,
    began: Instant,
    meter: Arc<Meter>,
    /// As they were last found; not before anything is compared.
    sides: tokio::sync::Mutex<Option<Arc<Sides>>>,
    idle: Mutex<Vec<Comparer>>,
}

impl fmt::Debug for SpotCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let both = (&self.source, &self.target, &self.closeness);
        f.debug_tuple("SpotCheck").field(&both).finish_non_exhaustive()
    }
}

/// What a look at some keys says.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Spotted {
    /// Names on the source of keys that differ, that changed while they were looked at, or that could not be compared.
    pub differing: Vec<Box<[u8]>>,
    /// The expiries of the others differ by no more than this.
    pub ttl_error: Duration,
    /// Bytes read from the source since this was last asked, by whichever task.
    pub bytes_read: u64,
}

impl SpotCheck {
    /// Connects to nothing yet. Connections of both sides take nothing but reads. Expiries that differ by no more than
    /// `ttl_tolerance` are equal, those of a hash's fields too; values above `big_key` bytes are read in pieces; an
    /// answer that does not come for `silence` means that the connection is dead.
    pub fn new(
        source: Endpoint,
        target: Endpoint,
        scope: Arc<dyn Scope>,
        ttl_tolerance: Duration,
        big_key: u64,
        silence: Duration,
    ) -> SpotCheck {
        SpotCheck {
            source,
            target,
            scope,
            closeness: Closeness { level: Level::Full, ttl_tolerance, big_key, silence },
            began: Instant::now(),
            meter: Arc::default(),
            sides: tokio::sync::Mutex::default(),
            idle: Mutex::default(),
        }
    }

    /// Which of these keys of a database of the source differ. What both sides can do is found out with the first
    /// keys, so what changed before that is seen.
    ///
    /// # Errors
    /// A side was away, or moved slots, for several attempts within seconds, or it cannot be used.
    pub async fn differing(&self, db: u32, keys: &[Box<[u8]>]) -> Result<Spotted, Halt> {
        let pairs: Vec<Pair> = keys.iter().map(|key| Pair::of_source(&*self.scope, db, key)).collect();
        let began = Instant::now();
        let mut backoff = Backoff::new(std::process::id().into());
        let mut failed = None;
        loop {
            let setback = match self.sides(failed.as_ref()).await {
                Ok(sides) => match self.look_at(&sides, &pairs).await {
                    Ok(spotted) => return Ok(spotted),
                    Err(setback) => {
                        failed = Some(sides);
                        setback
                    }
                },
                Err(setback) => setback,
            };
            let (side, last) = setback.passing()?;
            if backoff.attempts() + 1 >= ATTEMPTS {
                return Err(Halt::Outage { side, seconds: began.elapsed().as_secs(), last });
            }
            tokio::time::sleep(backoff.next_wait()).await;
        }
    }

    /// Those that are known, unless it was with them that something failed.
    async fn sides(&self, failed: Option<&Arc<Sides>>) -> Result<Arc<Sides>, Setback> {
        let mut known = self.sides.lock().await;
        let sides = match &*known {
            None => Sides::find(&self.source, &self.target, self.began, self.closeness.silence).await?,
            Some(known) if failed.is_none_or(|failed| !Arc::ptr_eq(failed, known)) => {
                return Ok(Arc::clone(known));
            }
            Some(known) => known.again(self.closeness.silence).await?,
        };
        Ok(Arc::clone(known.insert(Arc::new(sides))))
    }

    async fn look_at(&self, sides: &Arc<Sides>, pairs: &[Pair]) -> Result<Spotted, Setback> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut comparer = idle.filter(|idle| idle.is_of(sides)).unwrap_or_else(|| {
            let meter = Arc::clone(&self.meter);
            Comparer::new(Arc::clone(sides), self.closeness, meter)
        });
        let mut differing = Vec::new();
        let mut unclear = Cow::Borrowed(pairs);
        for look in 1..=LOOKS {
            let verdicts = comparer.compare(&unclear).await?;
            let mut still = Vec::new();
            for (pair, verdict) in unclear.iter().zip(verdicts) {
                match verdict {
                    Verdict::Equal | Verdict::Gone => {}
                    Verdict::Vague(_) if look < LOOKS => still.push(pair.clone()),
                    Verdict::Vague(_) | Verdict::Differs(..) | Verdict::NotCompared(_) => {
                        differing.push(pair.key.clone());
                    }
                }
            }
            unclear = Cow::Owned(still);
            if unclear.is_empty() {
                break;
            }
        }
        let ttl_error = self.ttl_error(comparer.ttl_error_bound_ms());
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(comparer);
        Ok(Spotted { differing, ttl_error, bytes_read: self.meter.take() })
    }

    /// How far expiries can be apart that were found equal: what was measured may be as far apart as the tolerance and
    /// the error of the measurement, and each may be wrong by that error.
    fn ttl_error(&self, bound_ms: u64) -> Duration {
        match bound_ms {
            // None was compared.
            0 => Duration::ZERO,
            bound_ms => self.closeness.ttl_tolerance + 2 * Duration::from_millis(bound_ms),
        }
    }
}

#[cfg(test)]
mod tests;
