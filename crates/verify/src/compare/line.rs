//! One connection with the questions that are on their way.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use client::reply::ReplyKind;
use client::{Error, Kind, Read, SourceConnection};
use resp::Value;
use tokio::time::timeout;

use super::setback::Setback;
use super::sides::Sides;
use crate::clock::{Clock, Sample};

/// Keys between two TIMEs: what the bound of an expiry costs and how narrow it is.
const KEYS_A_MARK: u32 = 32;

/// TIMEs of one estimate of a clock.
const SAMPLES: usize = 8;

/// A clock is looked at anew after this time.
const CLOCK_LASTS_US: i64 = 30_000_000;

/// What shall become of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    /// It is a moment of the server's clock.
    Mark,
    Ttl,
    Memory,
    Size,
    /// The beginning of a string.
    Beginning,
    Type,
    /// Token by token for the key's job.
    Tokens,
    /// As a whole for the key's job.
    Whole,
}

/// A reply that is due.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    pub(super) look: u32,
    pub(super) want: Want,
    pub(super) command: &'static str,
}

/// A moment between two questions, in microseconds: by our clock not before `sent` and not after `received`, by the
/// server's exactly `server`, if it tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) sent_us: i64,
    pub(super) received_us: i64,
    pub(super) server_us: Option<i64>,
}

/// Why a server did not answer the question for a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    WrongType,
    /// Somebody forbade it: for this key or this command.
    NotAllowed,
    /// Key or group are gone since the question before.
    Vanished,
    Other,
}

pub(super) struct Line {
    pub(super) connection: SourceConnection,
    pub(super) side: usize,
    pub(super) node: usize,
    pub(super) db: u32,
    pub(super) clock: Option<Clock>,
    /// Since the last `begin`.
    pub(super) marks: Vec<Mark>,
    marks_received: usize,
    keys_since_mark: u32,
    due: VecDeque<Due>,
    /// Something may not have left yet.
    pub(super) writing: bool,
    /// When the server last said something, or was first asked after a pause.
    pub(super) heard: Instant,
}

impl Line {
    pub(super) fn new(connection: SourceConnection, side: usize, node: usize, db: u32) -> Line {
        Line {
            connection,
            side,
            node,
            db,
            clock: None,
            marks: Vec::new(),
            marks_received: 0,
            keys_since_mark: 0,
            due: VecDeque::new(),
            writing: false,
            heard: Instant::now(),
        }
    }

    /// Forgets the moments of an earlier batch, all of whose replies have come.
    pub(super) fn begin(&mut self) {
        debug_assert!(self.due.is_empty(), "a batch ended before all its replies had come");
        self.marks.clear();
        self.marks_received = 0;
        self.keys_since_mark = 0;
    }

    #[inline]
    pub(super) fn push(&mut self, look: u32, want: Want, read: Read<'_>) {
        if self.due.is_empty() {
            self.heard = Instant::now();
        }
        self.due.push_back(Due { look, want, command: read.name() });
        self.connection.push(read);
        self.writing = true;
    }

    /// Asks for a key's expiry, between two TIMEs; returns the position of the one before it.
    #[inline]
    pub(super) fn push_ttl(&mut self, look: u32, key: &[u8], sides: &Sides) -> u32 {
        if self.keys_since_mark.is_multiple_of(KEYS_A_MARK) {
            self.mark(sides);
        }
        self.keys_since_mark += 1;
        self.push(look, Want::Ttl, Read::PTtl(key));
        (self.marks.len() - 1) as u32
    }

    /// Asks for the time, also behind the last key.
    pub(super) fn mark(&mut self, sides: &Sides) {
        self.marks.push(Mark { sent_us: sides.now_us(), received_us: i64::MAX, server_us: None });
        self.push(u32::MAX, Want::Mark, Read::Time);
    }

    pub(super) fn marked(&mut self, reply: &Value, sides: &Sides) {
        if let Some(mark) = self.marks.get_mut(self.marks_received) {
            mark.received_us = sides.now_us();
            mark.server_us = time_us(reply);
        }
        self.marks_received += 1;
    }

    /// The reply that comes next.
    #[inline]
    pub(super) fn oldest(&self) -> Option<Due> {
        self.due.front().copied()
    }

    /// It came.
    #[inline]
    pub(super) fn answered(&mut self) {
        self.due.pop_front();
    }

    /// The server did not answer but said this.
    pub(super) fn refusal(&self, due: Due, text: &[u8]) -> Result<Refusal, Setback> {
        let kind = ReplyKind::of(text);
        match kind {
            ReplyKind::WrongType => Ok(Refusal::WrongType),
            ReplyKind::NoPerm | ReplyKind::UnknownCommand => Ok(Refusal::NotAllowed),
            ReplyKind::Other if text.starts_with(b"NOGROUP") || text.starts_with(b"ERR no such key") => {
                Ok(Refusal::Vanished)
            }
            ReplyKind::Other | ReplyKind::BadDataFormat | ReplyKind::SyntaxError | ReplyKind::WrongArity => {
                Ok(Refusal::Other)
            }
            _ => {
                let text = String::from_utf8_lossy(text).into_owned();
                Err(self.error(Kind::Reply { command: due.command, kind, text }))
            }
        }
    }

    /// The server said what no Redis says.
    pub(super) fn odd(&self, due: Due) -> Setback {
        self.error(Kind::Shape { command: due.command })
    }

    pub(super) fn error(&self, kind: Kind) -> Setback {
        self.connection.peer().error(kind).into()
    }

    /// Looks at the server's clock, unless that was done lately. Nothing may be due.
    pub(super) async fn read_clock(&mut self, sides: &Sides, silence: Duration) -> Result<(), Setback> {
        if self.clock.is_some_and(|clock| sides.now_us() - clock.at_us() < CLOCK_LASTS_US) {
            return Ok(());
        }
        let mut samples = Vec::with_capacity(SAMPLES);
        for _ in 0..SAMPLES {
            let sent_us = sides.now_us();
            let reply = match timeout(silence, self.connection.ask(Read::Time)).await {
                Ok(reply) => reply?,
                Err(_) => return Err(self.error(Kind::Silent(silence))),
            };
            match time_us(&reply) {
                Some(server_us) => {
                    samples.push(Sample { sent_us, received_us: sides.now_us(), server_us });
                }
                // Whoever may not ask for the time has a wider bound.
                None if reply.is_error() => {
                    let due = Due { look: u32::MAX, want: Want::Mark, command: "TIME" };
                    return self.refusal(due, reply.as_bytes().unwrap_or_default()).map(drop);
                }
                None => return Err(Error::from_reply(self.connection.peer(), "TIME", &reply).into()),
            }
        }
        if let Some(later) = Clock::estimate(&samples) {
            self.clock = Some(self.clock.map_or(later, |clock| clock.renewed(later)));
        }
        Ok(())
    }
}

/// Reads the answer to TIME: microseconds since 1970.
fn time_us(reply: &Value) -> Option<i64> {
    let [seconds, micros] = reply.as_array()? else { return None };
    seconds.as_i64()?.checked_mul(1_000_000)?.checked_add(micros.as_i64()?)
}
