//! The source's end: requests out, replies in their order.

use std::collections::VecDeque;
use std::time::Duration;

use client::{Error, Kind, Node, Read, SourceConnection};
use migration::expiry::Clock;
use resp::Value;
use tokio::time::timeout;

use super::early::{Early, Step, no_error};
use crate::clocks;
use crate::run::Run;

/// A clock read longer ago than this is read again before it is used: clocks drift, some by 100 us a second.
pub(super) const CLOCK_AGE_US: u64 = 30_000_000;

/// A connection to the source and what is due on it.
pub(super) struct Reader {
    connection: SourceConnection,
    due: VecDeque<&'static str>,
    clock: Clock,
    clock_read_us: u64,
    silence: Duration,
}

impl Reader {
    pub(super) async fn open(run: &Run, node: &Node, db: u32) -> Result<Reader, Error> {
        let mut connection = run.source.connect_source(node, db).await?;
        let clock = read_clock(run, &mut connection).await?;
        let silence = run.options.silence;
        Ok(Reader { connection, due: VecDeque::new(), clock, clock_read_us: run.now_us(), silence })
    }

    /// The source's clock as it was last read.
    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    /// Reads the clock again if that is due. Nothing may be in flight.
    pub(super) async fn freshen_clock(&mut self, run: &Run) -> Result<(), Error> {
        if run.now_us().saturating_sub(self.clock_read_us) > CLOCK_AGE_US {
            self.clock = read_clock(run, &mut self.connection).await?;
            self.clock_read_us = run.now_us();
        }
        Ok(())
    }

    /// Queues a request; waiting for any reply sends it.
    pub(super) fn push(&mut self, read: Read<'_>) {
        self.connection.push(read);
        self.due.push_back(read.name());
    }

    /// Waits for the replies to the `count` oldest requests. The first error among them is the result.
    pub(super) async fn collect(&mut self, count: usize) -> Step<Vec<Value>> {
        let mut replies = Vec::with_capacity(count);
        for _ in 0..count {
            replies.push(self.reply().await?);
        }
        replies
            .into_iter()
            .map(|(command, reply)| {
                no_error(reply, |reply| {
                    Early::by_source(Error::from_reply(self.connection.peer(), command, reply))
                })
            })
            .collect()
    }

    /// Sends one request and waits for its reply. Nothing else may be in flight.
    pub(super) async fn ask(&mut self, read: Read<'_>) -> Step<Value> {
        self.push(read);
        self.collect(1).await?.pop().ok_or_else(|| self.odd(read.name()))
    }

    /// As `ask`, for a reply that is a number.
    pub(super) async fn ask_number(&mut self, read: Read<'_>) -> Step<i64> {
        let reply = self.ask(read).await?;
        reply.as_i64().ok_or_else(|| self.odd(read.name()))
    }

    /// Reads and forgets everything that is due.
    pub(super) async fn discard(&mut self) -> Result<(), Error> {
        while !self.due.is_empty() {
            self.reply().await?;
        }
        Ok(())
    }

    /// The end of a try because the source answered a command in an unknown shape.
    pub(super) fn odd(&self, command: &'static str) -> Early {
        Early::Lost(self.connection.peer().error(Kind::Shape { command }))
    }

    /// Waits as long as bytes arrive: one element may be large and the line slow.
    async fn reply(&mut self) -> Result<(&'static str, Value), Error> {
        loop {
            let before = self.connection.bytes_read();
            match timeout(self.silence, self.connection.reply()).await {
                Ok(reply) => {
                    let reply = reply?;
                    let command = self.due.pop_front().unwrap_or("nothing");
                    return Ok((command, reply));
                }
                Err(_) if self.connection.bytes_read() > before => {}
                Err(_) => return Err(self.connection.peer().error(Kind::Silent(self.silence))),
            }
        }
    }
}

async fn read_clock(run: &Run, connection: &mut SourceConnection) -> Result<Clock, Error> {
    let limit = run.options.silence;
    match timeout(limit, clocks::of_source(connection, || run.now_us())).await {
        Ok(clock) => clock?.ok_or_else(|| connection.peer().error(Kind::Shape { command: "TIME" })),
        Err(_) => Err(connection.peer().error(Kind::Silent(limit))),
    }
}
