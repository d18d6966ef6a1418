//! A connection to a source: reads, and nothing else.

use std::ops::Range;
use std::task::{Context, Poll};

use bytes::Bytes;
use resp::{Token, Value};

use crate::error::Error;
use crate::peer::Peer;
use crate::pipe::Pipe;
use crate::read::Read;

/// A connection that can only be given commands of the closed list [`Read`].
#[derive(Debug)]
pub struct SourceConnection {
    pipe: Pipe,
}

impl SourceConnection {
    pub(crate) fn new(pipe: Pipe) -> SourceConnection {
        SourceConnection { pipe }
    }

    /// Which node this leads to.
    pub fn peer(&self) -> &Peer {
        self.pipe.peer()
    }

    /// Queues one request; `poll_write` or [`SourceConnection::reply`] sends it.
    #[inline]
    pub fn push(&mut self, read: Read<'_>) {
        read.encode(self.pipe.outbox.buffer());
    }

    /// Bytes that wait to be sent.
    pub fn unsent(&self) -> usize {
        self.pipe.unsent()
    }

    /// Bytes received since the connection was made.
    pub fn bytes_read(&self) -> u64 {
        self.pipe.bytes_read()
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

    /// As [`Pipe::at_boundary`].
    #[inline]
    pub fn at_boundary(&self) -> bool {
        self.pipe.at_boundary()
    }

    /// As [`Pipe::next_value`].
    ///
    /// # Errors
    /// The server sent something that is not RESP.
    pub fn next_value(&mut self) -> Result<Option<Value>, Error> {
        self.pipe.next_value()
    }

    /// As [`Pipe::bytes`].
    pub fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.pipe.bytes(range)
    }

    /// As [`Pipe::take`].
    pub fn take(&mut self, range: Range<usize>) -> Bytes {
        self.pipe.take(range)
    }

    /// Waits for the reply to the oldest unanswered request; replies come in the order of the requests.
    ///
    /// # Errors
    /// The connection is lost, or the server sent something that is not RESP.
    pub async fn reply(&mut self) -> Result<Value, Error> {
        self.pipe.value().await
    }

    /// Sends one request and waits for its reply. Nothing else may be in flight.
    ///
    /// # Errors
    /// The connection is lost, or the server sent something that is not RESP. An error reply is a value.
    pub async fn ask(&mut self, read: Read<'_>) -> Result<Value, Error> {
        self.push(read);
        self.reply().await
    }
}
