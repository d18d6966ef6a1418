//! A connection to a target, which may be given any command.

use std::ops::Range;
use std::task::{Context, Poll};

use bytes::Bytes;
use resp::{Token, Value, encode};

use crate::error::Error;
use crate::peer::Peer;
use crate::pipe::Pipe;

/// A connection that can write.
#[derive(Debug)]
pub struct TargetConnection {
    pipe: Pipe,
}

impl TargetConnection {
    pub(crate) fn new(pipe: Pipe) -> TargetConnection {
        TargetConnection { pipe }
    }

    /// Which node this leads to.
    pub fn peer(&self) -> &Peer {
        self.pipe.peer()
    }

    /// Queues one command.
    pub fn push(&mut self, args: &[&[u8]]) {
        encode::command(self.pipe.outbox.buffer(), args);
    }

    /// The buffer that requests are appended to, for callers that encode by themselves.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        self.pipe.outbox.buffer()
    }

    /// Queues a value as one argument: length line, bytes, line end. Large values are not copied.
    pub fn push_bulk(&mut self, value: Bytes) {
        encode::bulk_header(self.pipe.outbox.buffer(), value.len());
        self.pipe.outbox.push_value(value);
        self.pipe.outbox.buffer().extend_from_slice(b"\r\n");
    }

    /// Bytes that wait to be sent.
    pub fn unsent(&self) -> usize {
        self.pipe.unsent()
    }

    /// As [`Pipe::poll_write`].
    ///
    /// # Errors
    /// The connection is lost.
    pub fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.pipe.poll_write(cx)
    }

    /// As [`Pipe::poll_read`].
    ///
    /// # Errors
    /// The connection is lost.
    pub fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, Error>> {
        self.pipe.poll_read(cx)
    }

    /// As [`Pipe::skip`].
    #[inline]
    pub fn skip(&mut self, frames: &[u8]) -> bool {
        self.pipe.skip(frames)
    }

    /// As [`Pipe::next_token`].
    ///
    /// # Errors
    /// The server sent something that is not RESP.
    pub fn next_token(&mut self) -> Result<Option<Token>, Error> {
        self.pipe.next_token()
    }

    /// As [`Pipe::bytes`].
    pub fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.pipe.bytes(range)
    }

    /// Sends what is queued, without waiting for replies.
    ///
    /// # Errors
    /// The connection is lost.
    pub async fn flush(&mut self) -> Result<(), Error> {
        self.pipe.flush().await
    }

    /// Waits for the reply to the oldest unanswered command; replies come in the order of the commands.
    ///
    /// # Errors
    /// The connection is lost, or the server sent something that is not RESP.
    pub async fn reply(&mut self) -> Result<Value, Error> {
        self.pipe.value().await
    }

    /// Sends one command and waits for its reply. Nothing else may be in flight.
    ///
    /// # Errors
    /// The connection is lost, or the server sent something that is not RESP. An error reply is a value.
    pub async fn ask(&mut self, args: &[&[u8]]) -> Result<Value, Error> {
        self.push(args);
        self.reply().await
    }
}
