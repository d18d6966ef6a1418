//! What the target said to what was put, and values that go in pieces.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use client::reply::ReplyKind;
use migration::tally::{Cause, Outcome};
use rdb::Version;

use super::{Loader, NOT_NOW};
use crate::import::putting::Ticket;
use crate::pieces::{Body, FileCopier, PiecesEnd};
use crate::refusal::{self, Refusal};
use crate::stop::Halt;
use crate::writer::Ack;

impl Loader {
    /// Acts on every acknowledgement that has arrived.
    pub(super) fn take_acks(&mut self, index: usize) -> Result<(), Halt> {
        while let Some((ticket, ack)) = self.writers[index].next_ack()? {
            match ack {
                Ack::Done => {
                    self.unwell_since = None;
                    self.seen.stream_facts_lost += u64::from(ticket.lost.stream_facts);
                    self.seen.consumer_activity_lost += u64::from(ticket.lost.consumer_activity);
                    let outcome = Outcome::Copied { kind: ticket.kind, bytes: ticket.payload.len() as u64 };
                    self.settle(ticket.number, &ticket.what.key.name, outcome);
                }
                Ack::Exists => {
                    let outcome = Outcome::Not(Cause::TargetHasKey);
                    self.settle(ticket.number, &ticket.what.key.name, outcome);
                }
                Ack::Not(cause) => self.settle(ticket.number, &ticket.what.key.name, Outcome::Not(cause)),
                Ack::Refused(kind, text) => self.refused(index, ticket, kind, text),
            }
        }
        Ok(())
    }

    fn refused(&mut self, index: usize, ticket: Ticket, kind: ReplyKind, text: String) {
        let not = |loader: &mut Loader, ticket: Ticket, cause| {
            loader.settle(ticket.number, &ticket.what.key.name, Outcome::Not(cause));
        };
        match Refusal::of(&kind, &text) {
            Refusal::HasKey => not(self, ticket, Cause::TargetHasKey),
            Refusal::Moved => {
                self.again.push_back(ticket);
                self.relayout = true;
            }
            Refusal::Ask { slot, addr } => {
                self.again.push_back(ticket);
                self.relayout |= !self.importers.learn(&self.layout, slot, &addr);
            }
            Refusal::NotNow { relayout } => {
                self.again.push_back(ticket);
                self.relayout |= relayout;
                self.hold_until = Some(Instant::now() + NOT_NOW);
                self.unwell_since.get_or_insert_with(|| (Instant::now(), text));
            }
            Refusal::Altogether => {
                let node = self.writers[index].node().to_string();
                self.again.push_back(ticket);
                self.halted = Some(refusal::halt(node, kind, text));
            }
            Refusal::Unreadable => self.whole_in_pieces(ticket),
            Refusal::Not(cause) => {
                if matches!(cause, Cause::TargetForbids | Cause::TargetError) && !self.said.contains(&cause) {
                    self.said.push(cause);
                    tracing::warn!(cause = cause.name(), "the target refused a key: {text}");
                }
                not(self, ticket, cause);
            }
        }
    }

    /// A payload that the target does not take: its elements.
    pub(in crate::import) fn whole_in_pieces(&mut self, ticket: Ticket) {
        let body = ticket.body();
        self.in_pieces(ticket, Body::Whole(body));
    }

    pub(super) fn in_pieces(&mut self, ticket: Ticket, body: Body) {
        let target_version = self.version.unwrap_or(Version::REDIS_6);
        let mut copier =
            self.idle.pop().unwrap_or_else(|| FileCopier::new(Arc::clone(&self.run), target_version));
        self.pieces.spawn(async move {
            let end = copier.copy(&ticket.what, body).await;
            (Box::new(ticket), copier, end)
        });
    }

    pub(super) fn poll_pieces(&mut self, cx: &mut Context<'_>) -> Result<bool, Halt> {
        let Poll::Ready(Some(joined)) = self.pieces.poll_join_next(cx) else { return Ok(false) };
        let (ticket, copier, end) = match joined {
            Ok(ended) => ended,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        };
        self.idle.push(copier);
        match end {
            Ok(PiecesEnd::Copied { kind, bytes }) => {
                self.settle(ticket.number, &ticket.what.key.name, Outcome::Copied { kind, bytes });
            }
            Ok(PiecesEnd::Not(cause)) => {
                self.settle(ticket.number, &ticket.what.key.name, Outcome::Not(cause));
            }
            Ok(PiecesEnd::TargetMoved | PiecesEnd::SourceMoved) => {
                self.relayout = true;
                self.once_more(*ticket, "the slots of the target moved".to_owned());
            }
            // Asked to stop, or the file broke off inside of it.
            Ok(PiecesEnd::Stopped) => {
                if !self.run.stop.is_asked() {
                    self.once_more(*ticket, "the file broke off".to_owned());
                }
            }
            Ok(PiecesEnd::Refused { node, kind, text }) => {
                self.halted = Some(refusal::halt(node, kind, text))
            }
            Err(error) => {
                self.once_more(*ticket, error.to_string());
                return Err(error.into());
            }
        }
        Ok(true)
    }

    /// A value whose pieces were lost: at once where its bytes are here, else when the file is read again.
    fn once_more(&mut self, ticket: Ticket, why: String) {
        if ticket.payload.is_empty() {
            self.lost_large = Some(why);
        } else {
            self.again.push_back(ticket);
        }
    }
}
