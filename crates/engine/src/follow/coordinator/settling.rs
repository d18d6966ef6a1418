//! When both sides are equal, for whoever waits for that.

use std::sync::Arc;

use client::Node;
use migration::follow::Phase;

use super::super::attempt::{Attempt, Attempted, Part};
use super::super::followee::{Followee, Following};
use super::super::steering::{Equal, Wanted};
use super::{Coordinator, Heard};
use crate::stop::Halt;

impl Coordinator<'_> {
    /// When a change was last heard of, and how often it was not known what changed.
    fn heard(&self) -> Heard {
        let changed_us = self.queues().map(|queue| queue.changed_us()).max().unwrap_or(0);
        Heard { changed_us: changed_us.max(self.past.changed_us), gaps: self.follow.gaps().len() }
    }

    /// For how long nobody has written to the source, in microseconds: no feed told a change, or, since keys also expire,
    /// no counter of a command that writes has risen. Nobody knows it of the time before a gap was healed.
    pub(super) fn quiet_us(&self) -> u64 {
        let now_us = self.now_us();
        let healed_us =
            self.follow.gaps().iter().map(|gap| gap.healed_us.unwrap_or(u64::MAX)).max().unwrap_or(0);
        let silent_us = now_us.saturating_sub(self.heard().changed_us);
        let counted_us = self.nodes.values().map(|followee| followee.writes.still_us()).min().unwrap_or(0);
        silent_us.max(counted_us).min(now_us.saturating_sub(healed_us))
    }

    pub(super) fn is_followed(&self) -> bool {
        self.follow.phase() == Phase::Following
    }

    /// Makes sure, beside everything else, that both sides are equal, if somebody waits for that. `true`: they are, and the
    /// sync is to end.
    pub(super) async fn make_sure(&mut self) -> Result<bool, Halt> {
        if self.wanted.is_none()
            && let Some(quiet) = self.until_quiet
        {
            self.wanted = Some(Wanted { quiet, since: None, until: None, ends: true, answer: None });
        }
        let Some(wanted) = &self.wanted else { return Ok(false) };
        let gaps = self.follow.gaps().len();
        if wanted.is_given_up() || wanted.since.is_some_and(|since| since.gaps != gaps) {
            self.wanted = None;
            self.give_up_attempt();
            return Ok(false);
        }
        match self.attempt.take() {
            None => {
                if self.is_followed() && u128::from(self.quiet_us()) >= wanted.quiet.as_micros() {
                    let attempt = self.attempt(wanted.ends);
                    self.attempt = Some((self.heard(), tokio::spawn(attempt.succeeds())));
                }
                Ok(false)
            }
            Some((heard, attempt)) if attempt.is_finished() => {
                let attempted = attempt.await.unwrap_or(Attempted::Failed);
                let ends = self.judge(heard, attempted)?;
                self.queues().for_each(|queue| queue.pause(ends));
                Ok(ends)
            }
            Some((heard, attempt)) => {
                // A gap came meanwhile.
                match heard.gaps == gaps {
                    true => self.attempt = Some((heard, attempt)),
                    false => attempt.abort(),
                }
                Ok(false)
            }
        }
    }

    fn attempt(&self, ends: bool) -> Attempt {
        let part = |(node, followee): (&Node, &Followee)| Part {
            following: Following { node: node.clone(), number: followee.number },
            queues: followee.queues.clone(),
            barriers: followee.voices.speaking().map(|voice| followee.barriers[voice].clone()).collect(),
            witness: Arc::clone(&followee.witness),
        };
        Attempt {
            run: Arc::clone(&self.run),
            feed: self.listening.feed,
            told: self.told.clone(),
            parts: self.nodes.iter().map(part).collect(),
            ends,
        }
    }

    /// An attempt has ended: what was told until then counts before it does. Says whether the sync ends.
    fn judge(&mut self, before: Heard, attempted: Attempted) -> Result<bool, Halt> {
        while let Ok((following, news)) = self.news.try_recv() {
            self.told(&following, news)?;
        }
        let heard = self.heard();
        let equal = match attempted {
            // Where nobody counts what writes, nothing at all may have been heard.
            Attempted::Equal { writes }
                if heard.gaps == before.gaps
                    && (writes.is_some() || heard == before)
                    && self.is_followed() =>
            {
                Equal { writes: writes.unwrap_or(heard.changed_us), gaps: heard.gaps }
            }
            Attempted::Equal { .. } | Attempted::Failed => {
                // Whoever wants that nothing has changed since a moment does not wait for another one.
                self.wanted.take_if(|wanted| wanted.since.is_some());
                return Ok(false);
            }
        };
        let Some(Wanted { ends, answer, since, .. }) = self.wanted.take() else { return Ok(false) };
        if since.is_some_and(|since| since != equal) {
            return Ok(false);
        }
        // Whoever does not listen any more does not want it to end.
        let is_heard = answer.is_none_or(|answer| answer.send(equal).is_ok());
        Ok(ends && is_heard)
    }

    pub(super) fn give_up_attempt(&mut self) {
        if let Some((_, attempt)) = self.attempt.take() {
            attempt.abort();
        }
    }
}
