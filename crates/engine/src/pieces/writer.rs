//! The target's end: pieces out, acknowledgements in, and whether they say what they should.

use std::collections::VecDeque;
use std::task::{Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use client::{Error, Kind, Node, TargetConnection};
use migration::expiry::Clock;
use resp::{Value, encode};
use tokio::time::timeout;

use super::early::{Early, Step, no_error};
use super::reader::CLOCK_AGE_US;
use crate::clocks;
use crate::fence::{self, Place};
use crate::rebuild::Commands;
pub(super) use crate::rebuild::Expect;
use crate::run::Run;

/// How long a broken connection may take to fail again.
const LAST_LOOK: Duration = Duration::from_millis(100);

#[derive(Debug)]
struct Due {
    command: &'static str,
    expect: Expect,
    ends_piece: bool,
}

/// A connection to one target node and what is due on it.
pub(super) struct Writer {
    connection: TargetConnection,
    _place: Place,
    db: u32,
    due: VecDeque<Due>,
    pieces_due: usize,
    added: u64,
    clock: Clock,
    clock_read_us: u64,
    silence: Duration,
    /// Whether the target keeps the counters of streams (Redis 7.0); `None` before it was tried.
    pub(super) knows_counters: Option<bool>,
}

impl Writer {
    pub(super) async fn open<S>(
        run: &Run<S>,
        node: &Node,
        db: u32,
        of: Option<(&Node, u32)>,
    ) -> Result<Writer, Error> {
        let mut connection = run.target().connect_target(node, db).await?;
        let place = fence::enter(run, &mut connection, of).await?;
        let clock = read_clock(run, &mut connection).await?;
        Ok(Writer {
            connection,
            _place: place,
            db,
            due: VecDeque::new(),
            pieces_due: 0,
            added: 0,
            clock,
            clock_read_us: run.now_us(),
            silence: run.options.silence,
            knows_counters: None,
        })
    }

    pub(super) fn node(&self) -> &Node {
        &self.connection.peer().node
    }

    /// The database that this writes to.
    pub(super) fn db(&self) -> u32 {
        self.db
    }

    /// The target's clock as it was last read.
    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    /// Milliseconds since 1970 on the target's clock.
    pub(super) fn now_ms<S>(&self, run: &Run<S>) -> i64 {
        i64::try_from(run.now_us()).unwrap_or(i64::MAX).saturating_add(self.clock.offset_us) / 1000
    }

    /// Reads the clock again if that is due. Nothing may be in flight.
    pub(super) async fn freshen_clock<S>(&mut self, run: &Run<S>) -> Result<(), Error> {
        if run.now_us().saturating_sub(self.clock_read_us) > CLOCK_AGE_US {
            self.clock = read_clock(run, &mut self.connection).await?;
            self.clock_read_us = run.now_us();
        }
        Ok(())
    }

    /// Queues one small command.
    pub(super) fn push(&mut self, command: &'static str, args: &[&[u8]], expect: Expect) {
        self.begin(command, args.len(), expect);
        let out = self.connection.buffer();
        args.iter().for_each(|arg| encode::bulk(out, arg));
    }

    pub(super) fn push_unlink(&mut self, key: &[u8]) {
        self.push("UNLINK", &[key], Expect::Success);
    }

    /// What was queued since the last call is one piece.
    pub(super) fn end_piece(&mut self) {
        if let Some(last) = self.due.back_mut()
            && !last.ends_piece
        {
            last.ends_piece = true;
            self.pieces_due += 1;
        }
    }

    /// Sends what is queued and waits until at most this many pieces are not acknowledged.
    pub(super) async fn settle(&mut self, pieces: usize) -> Step<()> {
        self.end_piece();
        while self.pieces_due > pieces {
            let (due, reply) = match self.reply().await {
                Ok(answer) => answer,
                Err(error) => return Err(self.parting_words(error).await),
            };
            self.judge(&due, reply)?;
        }
        match self.flush().await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.parting_words(error).await),
        }
    }

    /// Sends one command when nothing else is in flight; an error is the caller's to judge.
    pub(super) async fn try_ask(&mut self, command: &'static str, args: &[&[u8]]) -> Step<Value> {
        self.settle(0).await?;
        self.push(command, args, Expect::Success);
        self.end_piece();
        Ok(self.reply().await?.1)
    }

    /// As `try_ask`, but an error ends the try.
    pub(super) async fn ask(&mut self, command: &'static str, args: &[&[u8]]) -> Step<Value> {
        let reply = self.try_ask(command, args).await?;
        no_error(reply, |reply| self.refused(command, reply))
    }

    /// What an error reply to a command means.
    pub(super) fn refused(&self, command: &'static str, reply: &Value) -> Early {
        Early::by_target(Error::from_reply(self.connection.peer(), command, reply))
    }

    /// Reads and forgets everything that is due.
    pub(super) async fn discard(&mut self) -> Result<(), Error> {
        while !self.due.is_empty() {
            self.reply().await?;
        }
        Ok(())
    }

    /// How many elements were new, by the acknowledgements since the last call.
    pub(super) fn take_added(&mut self) -> u64 {
        std::mem::take(&mut self.added)
    }

    /// A temporary key that was evicted or removed shows in the next acknowledgement.
    fn judge(&mut self, due: &Due, reply: Value) -> Step<()> {
        let reply = no_error(reply, |reply| self.refused(due.command, reply))?;
        let number = reply.as_i64().and_then(|number| u64::try_from(number).ok());
        let is_right = match due.expect {
            Expect::Success => true,
            Expect::Length(length) => number == Some(length),
            Expect::Added => {
                self.added += number.unwrap_or(0);
                number.is_some()
            }
            Expect::Claimed(count) => reply.as_array().is_some_and(|ids| ids.len() == count),
            Expect::Fields => {
                // 1: set; 2: deleted, because the time was over (t_hash.c, HSETEX_OK and HSETEX_DELETED).
                reply.as_array().is_some_and(|all| all.iter().all(|one| matches!(one.as_i64(), Some(1 | 2))))
            }
        };
        if is_right { Ok(()) } else { Err(Early::Incomplete) }
    }

    /// Waits as long as bytes leave.
    async fn reply(&mut self) -> Result<(Due, Value), Error> {
        loop {
            let before = self.connection.unsent();
            match timeout(self.silence, self.connection.reply()).await {
                Ok(reply) => {
                    let reply = reply?;
                    let nothing = Due { command: "nothing", expect: Expect::Success, ends_piece: false };
                    let due = self.due.pop_front().unwrap_or(nothing);
                    self.pieces_due -= usize::from(due.ends_piece);
                    return Ok((due, reply));
                }
                Err(_) if self.connection.unsent() < before => {}
                Err(_) => return Err(self.connection.peer().error(Kind::Silent(self.silence))),
            }
        }
    }

    /// A server that refuses an argument's size says so and closes the connection while the argument is still
    /// being sent. The failed write is seen first, but without those words the key would be tried forever.
    async fn parting_words(&mut self, error: Error) -> Early {
        if !matches!(*error.kind, Kind::Io(_) | Kind::Closed) {
            return Early::Lost(error);
        }
        // The server's last words are in the socket before the reset, but the runtime may not know it yet.
        let until_the_end = std::future::poll_fn(|cx| {
            while ready!(self.connection.poll_read(cx)).is_ok() {}
            Poll::Ready(())
        });
        let _ = timeout(LAST_LOOK, until_the_end).await;
        // What is in the buffer is decoded without touching the socket; after that the socket fails.
        while let Ok(Ok((due, reply))) = timeout(LAST_LOOK, self.reply()).await {
            if reply.is_error() {
                return self.refused(due.command, &reply);
            }
        }
        Early::Lost(error)
    }

    async fn flush(&mut self) -> Result<(), Error> {
        loop {
            let before = self.connection.unsent();
            match timeout(self.silence, self.connection.flush()).await {
                Ok(flushed) => return flushed,
                Err(_) if self.connection.unsent() < before => {}
                Err(_) => return Err(self.connection.peer().error(Kind::Silent(self.silence))),
            }
        }
    }
}

impl Commands for Writer {
    fn begin(&mut self, command: &'static str, args: usize, expect: Expect) {
        let words = command.split(' ');
        let out = self.connection.buffer();
        encode::array(out, words.clone().count() + args);
        words.for_each(|word| encode::bulk(out, word.as_bytes()));
        self.due.push_back(Due { command, expect, ends_piece: false });
    }

    fn arg(&mut self, arg: &[u8]) {
        encode::bulk(self.connection.buffer(), arg);
    }

    fn value(&mut self, value: Bytes) {
        self.connection.push_bulk(value);
    }
}

async fn read_clock<S>(run: &Run<S>, connection: &mut TargetConnection) -> Result<Clock, Error> {
    let limit = run.options.silence;
    match timeout(limit, clocks::of_target(connection, || run.now_us())).await {
        Ok(clock) => clock?.ok_or_else(|| connection.peer().error(Kind::Shape { command: "TIME" })),
        Err(_) => Err(connection.peer().error(Kind::Silent(limit))),
    }
}
