//! Values that go in pieces, beside the stream of those that go whole.
//!
//! Two kinds wait here: values above `--big-key`, of which a few are under way at once, and values that
//! the target does not take as a payload, which are small as a rule and of which more may be.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use client::{Error, Node};
use migration::tally::{Cause, Outcome};
use tokio::task::JoinHandle;

use super::Lane;
use super::work::Work;
use crate::names::Names;
use crate::pieces::{FileWriter, PieceCopier, PiecesEnd};
use crate::run::Run;
use crate::stop::Halt;

/// Big values under way at once; each keeps a few pieces of 1 MiB in memory.
const BIG: usize = 2;

/// Refused payloads under way at once; each costs some round trips, which are waited for side by side.
const PLAIN: usize = 16;

/// Keys waiting here above which no more pages are asked for.
const ENOUGH: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    Big,
    Refused,
}

#[derive(Default)]
pub(super) struct InPieces {
    big: VecDeque<Work>,
    refused: VecDeque<Work>,
    running: Vec<Running>,
    idle: Vec<Copier>,
}

struct Running {
    work: Work,
    why: Why,
    task: JoinHandle<(Copier, Result<PiecesEnd, Error>)>,
}

/// What carries a value in pieces.
enum Copier {
    ToCache(PieceCopier),
    ToFile(FileWriter),
}

impl Copier {
    fn new(run: &Arc<Run>, node: &Node, db: u32) -> Copier {
        match run.file(node) {
            None => Copier::ToCache(PieceCopier::new(Arc::clone(run), node.clone(), db)),
            Some(sink) => Copier::ToFile(FileWriter::new(Arc::clone(run), node.clone(), db, sink)),
        }
    }

    async fn copy(&mut self, key: &[u8]) -> Result<PiecesEnd, Error> {
        match self {
            Copier::ToCache(copier) => copier.copy(key).await,
            Copier::ToFile(writer) => writer.copy(key).await,
        }
    }
}

impl InPieces {
    pub(super) fn push(&mut self, work: Work, why: Why) {
        match why {
            Why::Big => self.big.push_back(work),
            Why::Refused => self.refused.push_back(work),
        }
    }

    /// Whether so many wait that listing more keys would only pile them up.
    pub(super) fn has_enough(&self) -> bool {
        self.big.len() + self.refused.len() > ENOUGH
    }

    pub(super) fn is_running(&self) -> bool {
        !self.running.is_empty()
    }

    /// Forgets everything and ends what is under way.
    pub(super) fn clear(&mut self) {
        for running in self.running.drain(..) {
            running.task.abort();
        }
        self.big.clear();
        self.refused.clear();
        self.idle.clear();
    }

    /// Begins as many as may be under way.
    pub(super) fn begin(&mut self, run: &Arc<Run>, node: &Node, db: u32, names: &Names) {
        for why in [Why::Big, Why::Refused] {
            let (most, queue) = match why {
                Why::Big => (BIG, &mut self.big),
                Why::Refused => (PLAIN, &mut self.refused),
            };
            while self.running.iter().filter(|running| running.why == why).count() < most {
                let Some(work) = queue.pop_front() else { break };
                let mut copier = self.idle.pop().unwrap_or_else(|| Copier::new(run, node, db));
                let key = names.get(work.key).to_vec();
                let task = tokio::spawn(async move {
                    let end = copier.copy(&key).await;
                    (copier, end)
                });
                self.running.push(Running { work, why, task });
            }
        }
    }

    /// The next one that has come to its end.
    pub(super) fn poll_ended(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Option<(Work, Why, Result<PiecesEnd, Error>)> {
        for index in 0..self.running.len() {
            let Poll::Ready(joined) = Pin::new(&mut self.running[index].task).poll(cx) else { continue };
            let Running { work, why, .. } = self.running.swap_remove(index);
            return Some(match joined {
                Ok((copier, end)) => {
                    self.idle.push(copier);
                    (work, why, end)
                }
                // Aborted with the runtime, or panicked: the key counts as not copied.
                Err(_) => (work, why, Ok(PiecesEnd::Not(Cause::TargetError))),
            });
        }
        None
    }
}

impl Drop for InPieces {
    /// A task that outlived its lane would write the same temporary key as the next lane's.
    fn drop(&mut self) {
        self.clear();
    }
}

impl Lane {
    /// Begins values in pieces and acts on the end of one; whether there was one.
    pub(super) fn poll_pieces(&mut self, cx: &mut Context<'_>) -> Result<bool, Halt> {
        if self.stopping_since.is_none() {
            self.in_pieces.begin(&self.run, &self.node, self.db, &self.names);
        }
        let Some((work, why, end)) = self.in_pieces.poll_ended(cx) else { return Ok(false) };
        match end {
            Ok(PiecesEnd::Copied { kind, bytes }) => self.settle(work.key, Outcome::Copied { kind, bytes }),
            Ok(PiecesEnd::Not(cause)) => self.settle(work.key, Outcome::Not(cause)),
            Ok(PiecesEnd::SourceMoved) => self.has_left(work.key),
            Ok(PiecesEnd::TargetMoved) => {
                self.in_pieces.push(work, why);
                self.relayout = true;
            }
            Ok(PiecesEnd::Stopped) => self.in_pieces.push(work, why),
            Ok(PiecesEnd::Refused { node, kind, text }) => {
                self.in_pieces.push(work, why);
                self.refused_altogether(node, kind, text);
            }
            Err(error) => {
                self.may_come_late(work.key);
                self.in_pieces.push(work, why);
                return Err(error.into());
            }
        }
        Ok(true)
    }
}
