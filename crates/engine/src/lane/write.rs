//! What the target said, and what follows from it.

use std::time::{Duration, Instant};

use client::reply::ReplyKind;
use migration::tally::{Cause, KeyType, Outcome};

use super::Lane;
use super::groups::Verdict;
use super::in_pieces::Why;
use super::work::Written;
use super::writer::Ack;
use crate::stop::Halt;

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
                Ack::Refused(kind, text) => self.refused(index, written, kind, text)?,
            }
        }
        Ok(())
    }

    /// A key is on the target: it is done, unless its expiry has to be read again.
    pub(super) fn acknowledged(&mut self, written: Written) {
        let Written { work, kind, bytes, group, .. } = written;
        match group.map_or(Verdict::Good, |group| self.groups.verdict(group)) {
            Verdict::Good => self.settle(work.key, Outcome::Copied { kind, bytes }),
            Verdict::Open => self.unjudged.push(written),
            Verdict::Bad => self.todo.push_front(work.reread()),
        }
    }

    fn refused(&mut self, index: usize, written: Written, kind: ReplyKind, text: String) -> Result<(), Halt> {
        let work = written.work;
        match kind {
            ReplyKind::BusyKey => self.settle(work.key, Outcome::Not(Cause::TargetHasKey)),
            ReplyKind::Moved { .. } => {
                self.todo.push_back(work.again());
                self.relayout = true;
            }
            ReplyKind::Ask { slot, addr } => {
                self.todo.push_back(work.again());
                match self.layout.primaries().iter().position(|node| node.to_string() == addr) {
                    Some(importer) => _ = self.asks.insert(slot, importer),
                    None => self.relayout = true,
                }
            }
            ReplyKind::TryAgain
            | ReplyKind::Loading
            | ReplyKind::ClusterDown
            | ReplyKind::Busy
            | ReplyKind::NoReplicas
            | ReplyKind::MasterDown
            | ReplyKind::ExecAbort => {
                self.todo.push_back(work.again());
                self.relayout |= kind == ReplyKind::ClusterDown;
                self.unwell(&text);
            }
            // A failover: the node's role changed under us. A new connection finds the new primary.
            ReplyKind::ReadOnly => {
                self.todo.push_back(work.again());
                self.unwell(&text);
                self.relayout = true;
            }
            ReplyKind::Oom | ReplyKind::MisConf | ReplyKind::NoAuth | ReplyKind::WrongPass => {
                self.todo.push_back(work.again());
                let node = self.writers[index].node().to_string();
                self.refused_altogether(node, kind, text);
            }
            ReplyKind::NoPerm => {
                self.say_once(Cause::TargetForbids, "target", &text);
                self.settle(work.key, Outcome::Not(Cause::TargetForbids));
            }
            // The target does not read this payload: type by type it may.
            ReplyKind::BadPayload | ReplyKind::BadDataFormat | ReplyKind::UnknownCommand => {
                if written.kind == KeyType::Module {
                    self.settle(work.key, Outcome::Not(Cause::ModuleTypeUnknown));
                } else {
                    self.in_pieces.push(work, Why::Refused);
                }
            }
            ReplyKind::Other
                if text.contains("invalid bulk length") || text.contains("maximum allowed size") =>
            {
                self.settle(work.key, Outcome::Not(Cause::TooLarge));
            }
            ReplyKind::WrongType
            | ReplyKind::CrossSlot
            | ReplyKind::NoScript
            | ReplyKind::MaxClients
            | ReplyKind::DbIndexOutOfRange
            | ReplyKind::NoProto
            | ReplyKind::SyntaxError
            | ReplyKind::WrongArity
            | ReplyKind::Other => {
                self.say_once(Cause::TargetError, "target", &text);
                self.settle(work.key, Outcome::Not(Cause::TargetError));
            }
        }
        Ok(())
    }

    /// The target refuses every write: the run ends, resumable.
    pub(super) fn refused_altogether(&mut self, node: String, kind: ReplyKind, text: String) {
        self.halted = Some(match kind {
            ReplyKind::Oom => Halt::TargetFull { node, text },
            kind => Halt::TargetRefuses { node, kind, text },
        });
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
