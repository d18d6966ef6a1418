//! One look at some keys on both sides, and what it says.
//!
//! A [`Comparer`] keeps connections of its own to the nodes of both sides and asks them in one go about all keys of a
//! batch. Each key goes on as soon as its own replies are there, and no further than it takes to decide:
//!
//! | Step | Asked on both sides |
//! |---|---|
//! | first | PTTL between two TIMEs, and by the guessed type the size: the first 16 KiB of a string (level quick: STRLEN), LLEN, SCARD, HLEN, ZCARD, XLEN; on the source also MEMORY USAGE of collections (not at level quick) |
//! | type | TYPE, when the guess was refused with WRONGTYPE, and for what is a module's; then the size by the type |
//! | content (not at level quick) | what is left of a string; elements whole or, above `big_key`, in pages; a stream's facts, groups and entries; DUMP of a module's value |
//! | fields (not at level quick) | HPEXPIRETIME of a hash's fields, if any hash of either side has expiring ones |
//!
//! Sizes that differ decide, so that content is not read then; but groups of a stream always are. How contents are
//! compared: [`crate::digest`]; how expiries are: the module `expiry`.
//!
//! Limits of what one look can know:
//! - Questions about one key are not asked at one moment. A key that changes in between may look different; it is
//!   looked at again. It cannot look equal, unless everything that was read of it was equal on both sides.
//! - TIME brackets PTTL only if the same process answers both. A proxy before several shards may answer TIME
//!   early; then an expiry under load may look different until the next, smaller look.
//! - A value in pages has the state of no single moment.

mod batch;
mod drive;
mod elements;
mod expiry;
mod fields;
mod groups;
mod intake;
mod job;
mod kind;
mod line;
mod lines;
mod look;
mod module;
mod page;
mod payload;
mod plain;
mod setback;
mod sides;
mod stream;
mod text;

use std::sync::Arc;
use std::time::Duration;

use client::{Read, Side};

pub(crate) use self::setback::Setback;
pub(crate) use self::sides::Sides;

use self::batch::{Batch, Demands};
use self::drive::drive;
use self::kind::Guesses;
use self::lines::Lines;
use self::plain::Plain;
use self::sides::position;
use crate::brake::Brake;
use crate::options::Closeness;
use crate::verdict::{Pair, Verdict};

/// Keys whose first questions are on their way at the same time: a server holds at most 16 KiB of each for us.
const AT_ONCE: usize = 1024;

/// Bytes of the names of such keys, about: each is sent several times.
const NAMES_AT_ONCE: usize = 1 << 20;

/// Looks at keys on both sides. Not shared: one per task that compares.
pub(crate) struct Comparer {
    lines: Lines,
    demands: Demands,
    brake: Arc<dyn Brake>,
    guesses: Guesses,
    /// Whether the source answers MEMORY USAGE.
    memory_usage: bool,
    bound_us: u64,
}

impl Comparer {
    /// Connects to nothing yet.
    pub(crate) fn new(sides: Arc<Sides>, closeness: Closeness, brake: Arc<dyn Brake>) -> Comparer {
        let demands = Demands {
            level: closeness.level,
            tolerance_us: microseconds(closeness.ttl_tolerance),
            big_key: closeness.big_key,
        };
        Comparer {
            lines: Lines::new(sides, closeness.silence),
            demands,
            brake,
            guesses: Guesses::default(),
            memory_usage: true,
            bound_us: 0,
        }
    }

    /// Whether it looks at these sides.
    pub(crate) fn is_of(&self, sides: &Arc<Sides>) -> bool {
        Arc::ptr_eq(&self.lines.sides, sides)
    }

    /// One verdict for each pair, in order. Names of one batch should differ, but need not.
    ///
    /// # Errors
    /// A connection is lost or silent, a slot has moved, a server is loading: nothing was decided about any of them.
    /// With the layout asked for anew, another comparer may try again.
    pub(crate) async fn compare(&mut self, pairs: &[Pair]) -> Result<Vec<Verdict>, Setback> {
        let mut verdicts = Vec::with_capacity(pairs.len());
        for pairs in chunks(pairs, |pair| pair.key.len() + pair.name().len()) {
            let mut lines = self.take_lines();
            let mut routes = Vec::with_capacity(pairs.len());
            for pair in pairs {
                let source = lines.route(sides::SOURCE, pair.db, &pair.key).await?;
                routes.push([source, lines.route(sides::TARGET, pair.target_db, pair.name()).await?]);
            }
            lines.read_clocks(&routes).await?;
            let mut batch = Batch::begin(
                self.demands,
                pairs,
                routes,
                &mut self.guesses,
                &mut self.memory_usage,
                &mut lines,
            );
            drive(&mut lines, &mut batch, &*self.brake).await?;
            let judged = batch.verdicts(&mut lines);
            self.bound_us = self.bound_us.max(judged.bound_us);
            verdicts.extend(judged.verdicts);
            self.lines = lines;
        }
        Ok(verdicts)
    }

    /// Whether each of these keys (database and name) is there; `None` where that may not be asked.
    ///
    /// # Errors
    /// As for [`Comparer::compare`].
    pub(crate) async fn exist(
        &mut self,
        side: Side,
        keys: &[(u32, &[u8])],
    ) -> Result<Vec<Option<bool>>, Setback> {
        let answers = self.ask_each(side, keys, &|key| Read::Exists(key)).await?;
        Ok(answers.iter().map(|answer| Some(answer.as_ref()?.as_i64()? > 0)).collect())
    }

    /// TYPE and PTTL of each of these keys, as far as they are wanted; `None` also where they may not be asked.
    ///
    /// # Errors
    /// As for [`Comparer::compare`].
    pub(crate) async fn traits(
        &mut self,
        side: Side,
        keys: &[(u32, &[u8])],
        type_wanted: bool,
        ttl_wanted: bool,
    ) -> Result<Vec<(Option<String>, Option<i64>)>, Setback> {
        let mut traits = vec![(None, None); keys.len()];
        if type_wanted {
            let names = self.ask_each(side, keys, &|key| Read::Type(key)).await?;
            for (entry, name) in traits.iter_mut().zip(names) {
                entry.0 = name.and_then(|name| name.as_str().map(str::to_owned));
            }
        }
        if ttl_wanted {
            let expiries = self.ask_each(side, keys, &|key| Read::PTtl(key)).await?;
            for (entry, expiry) in traits.iter_mut().zip(expiries) {
                entry.1 = expiry.and_then(|expiry| expiry.as_i64());
            }
        }
        Ok(traits)
    }

    /// No verdict about expiries was based on a measurement with a larger error, in milliseconds; 0 before any.
    pub(crate) fn ttl_error_bound_ms(&self) -> u64 {
        self.bound_us.div_ceil(1000)
    }

    /// One question about each key, with its answer if there was one.
    async fn ask_each(
        &mut self,
        side: Side,
        keys: &[(u32, &[u8])],
        read: &(dyn Fn(&[u8]) -> Read<'_> + Sync),
    ) -> Result<Vec<Option<resp::Value>>, Setback> {
        let mut answers = Vec::with_capacity(keys.len());
        for keys in chunks(keys, |(_, key)| key.len()) {
            let mut lines = self.take_lines();
            for (index, (db, key)) in keys.iter().enumerate() {
                let route = lines.route(position(side), *db, key).await?;
                Plain::ask(lines.line(route), index as u32, read(key));
            }
            let mut plain = Plain::new(keys.len());
            drive(&mut lines, &mut plain, &*self.brake).await?;
            answers.extend(plain.answers());
            self.lines = lines;
        }
        Ok(answers)
    }

    /// They come back only from what went well: replies that nobody waits for any more would be taken for others.
    fn take_lines(&mut self) -> Lines {
        let fresh = Lines::new(Arc::clone(&self.lines.sides), self.lines.silence);
        std::mem::replace(&mut self.lines, fresh)
    }
}

/// As many at once as requests and replies have room for.
fn chunks<T>(all: &[T], name_bytes: impl Fn(&T) -> usize) -> impl Iterator<Item = &[T]> {
    let mut rest = all;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = |item: &&T| {
            let fits = bytes < NAMES_AT_ONCE;
            bytes += name_bytes(item);
            fits
        };
        let count = rest.iter().take(AT_ONCE).take_while(fits).count();
        let (chunk, others) = rest.split_at(count);
        rest = others;
        (count > 0).then_some(chunk)
    })
}

fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX / 4).min(u64::MAX / 4)
}

#[cfg(test)]
pub(crate) mod tests;
