//! What the target said, and what follows from it.

use std::time::{Duration, Instant};

use client::reply::ReplyKind;
use migration::tally::{Cause, KeyType, Outcome};

use super::Lane;
use super::groups::Verdict;
use super::in_pieces::Why;
use super::listing::Listing;
use super::work::{Work, Written};
use crate::refusal::{self, Refusal};
use crate::stop::Halt;
use crate::unlink::{self, Removal};
use crate::writer::Ack;

/// Pause after an answer that means "not now".
const NOT_NOW: Duration = Duration::from_millis(200);

impl Lane {
    /// Acts on every acknowledgement that has arrived.
    pub(super) fn take_acks(&mut self, index: usize) -> Result<(), Halt> {
        while let Some((written, ack)) = self.writers[index].next_ack()? {
            match ack {
                Ack::Done => {
                    self.unwell_since = None;
                    self.acknowledged(written);
                }
                Ack::Exists => self.settle(written.work.key, Outcome::Not(Cause::TargetHasKey)),
                Ack::Not(cause) => self.settle(written.work.key, Outcome::Not(cause)),
                Ack::Refused(kind, text) => self.refused(index, written, kind, text)?,
            }
        }
        Ok(())
    }

    /// A key is on the target: it is done, unless its expiry has to be read again.
    pub(super) fn acknowledged(&mut self, written: Written) {
        let Written { work, kind, bytes, group, .. } = written;
        match group.map_or(Verdict::Good, |group| self.groups.verdict(group)) {
            Verdict::Good if self.writers.iter_mut().all(|writer| writer.keep(work.key)) => {
                self.settle(work.key, Outcome::Copied { kind, bytes });
            }
            Verdict::Good => self.settle(work.key, Outcome::Not(Cause::ListedTwice)),
            Verdict::Open => self.unjudged.push(written),
            Verdict::Bad => {
                self.writers.iter_mut().for_each(|writer| writer.forget(work.key));
                self.todo.push_front(work.reread());
            }
        }
    }

    /// Removes a key that the source does not have. Its acknowledgement settles it like a write.
    pub(super) fn remove(&mut self, work: Work) {
        let name = self.names.get(work.key);
        let name = if self.same_names {
            name
        } else {
            self.run.naming.target_name(self.db, name, &mut self.scratch)
        };
        let Some(route) = self.importers.route(&self.layout, self.writers.len(), name) else {
            self.todo.push_back(work.again());
            self.relayout = true;
            return;
        };
        let writer = &mut self.writers[route.index];
        if route.asking {
            writer.asking();
        }
        let removal = self.removal;
        let written = Written { work, kind: KeyType::String, bytes: 0, group: None, removal: Some(removal) };
        writer.remove(removal, name, written);
    }

    fn refused(&mut self, index: usize, written: Written, kind: ReplyKind, text: String) -> Result<(), Halt> {
        let work = written.work;
        match written.removal {
            Some(Removal::Unlink) if unlink::is_not_allowed(&kind) => {
                self.removal = Removal::Del;
                self.todo.push_back(work.again());
                return Ok(());
            }
            Some(Removal::Del) if unlink::is_not_allowed(&kind) => {
                self.say_once(Cause::TargetForbids, "target", "neither UNLINK nor DEL is allowed");
                self.settle(work.key, Outcome::Not(Cause::TargetForbids));
                return Ok(());
            }
            _ => {}
        }
        match Refusal::of(&kind, &text) {
            Refusal::HasKey => self.settle(work.key, Outcome::Not(Cause::TargetHasKey)),
            Refusal::Moved => {
                self.todo.push_back(work.again());
                self.relayout = true;
            }
            Refusal::Ask { slot, addr } => {
                self.todo.push_back(work.again());
                self.relayout |= !self.importers.learn(&self.layout, slot, &addr);
            }
            Refusal::NotNow { relayout } => {
                self.todo.push_back(work.again());
                self.relayout |= relayout;
                self.unwell(&text);
            }
            Refusal::Altogether => {
                self.todo.push_back(work.again());
                let node = self.writers[index].node().to_string();
                self.refused_altogether(node, kind, text);
            }
            Refusal::Unreadable if written.kind == KeyType::Module => {
                self.settle(work.key, Outcome::Not(Cause::ModuleTypeUnknown));
            }
            Refusal::Unreadable => self.in_pieces.push(work, Why::Refused),
            Refusal::Not(cause) => {
                if matches!(cause, Cause::TargetForbids | Cause::TargetError) {
                    self.say_once(cause, "target", &text);
                }
                self.settle(work.key, Outcome::Not(cause));
            }
        }
        Ok(())
    }

    /// The target refuses every write: the run ends, resumable. One that follows waits instead, since it would have to
    /// compare everything again.
    pub(super) fn refused_altogether(&mut self, node: String, kind: ReplyKind, text: String) {
        match self.listing {
            Listing::Followed(_) => self.unwell(&refusal::halt(node, kind, text).to_string()),
            Listing::Scan | Listing::Given(_) => self.halted = Some(refusal::halt(node, kind, text)),
        }
    }

    /// A side says "not now": wait a little, and remember since when.
    pub(super) fn unwell(&mut self, text: &str) {
        self.hold_until = Some(Instant::now() + NOT_NOW);
        self.unwell_since.get_or_insert_with(|| (Instant::now(), text.to_owned()));
    }

    /// Tells the server's words the first time that a cause occurs.
    pub(super) fn say_once(&mut self, cause: Cause, side: &str, text: &str) {
        if self.pages.total().caused(cause) == 0 {
            tracing::warn!(cause = cause.name(), "the {side} refused a key: {text}");
        }
    }
}
