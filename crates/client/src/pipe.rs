//! One connection as a pair of queues: requests to send, replies to decode.
//!
//! The owner appends requests to the outbox and is driven by `poll_write` and `poll_read`; nothing is
//! spawned and nothing is locked, so one task can keep many pipes busy at once.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use resp::{Decoder, Limits, Token, Value, ValueDecoder};
use std::ops::Range;
use tokio::io::AsyncWrite;
use tokio_util::io::poll_read_buf;

use crate::error::{Error, Kind};
use crate::outbox::{MAX_SLICES, Outbox};
use crate::peer::Peer;
use crate::stream::Stream;

/// Room that a read gets at least. Redis sends replies in pieces of 16 to 64 KiB.
const READ_ROOM: usize = 128 * 1024;

/// A connected, authenticated byte pipe to one node.
#[derive(Debug)]
pub struct Pipe {
    stream: Stream,
    peer: Peer,
    pub(crate) outbox: Outbox,
    inbox: BytesMut,
    decoder: Decoder,
    values: ValueDecoder,
    bytes_read: u64,
}

impl Pipe {
    pub(crate) fn new(stream: Stream, peer: Peer) -> Pipe {
        Pipe {
            stream,
            peer,
            outbox: Outbox::default(),
            inbox: BytesMut::with_capacity(READ_ROOM),
            decoder: Decoder::new(Limits::default()),
            values: ValueDecoder::new(Limits::default()),
            bytes_read: 0,
        }
    }

    /// Which side and node this pipe leads to.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Bytes that wait to be sent.
    pub fn unsent(&self) -> usize {
        self.outbox.len()
    }

    /// Bytes received since the connection was made.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// Writes until everything is sent (ready) or the socket takes no more (pending).
    ///
    /// # Errors
    /// The connection is lost.
    pub fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        while !self.outbox.is_empty() {
            let mut slices = [IoSlice::new(&[]); MAX_SLICES];
            let used = self.outbox.slices(&mut slices);
            let sent = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, &slices[..used]));
            match sent {
                Ok(0) => return Poll::Ready(Err(self.peer.error(Kind::Closed))),
                Ok(sent) => self.outbox.advance(sent),
                Err(error) => return Poll::Ready(Err(self.peer.error(Kind::Io(error)))),
            }
        }
        // TLS keeps encrypted records of its own that still have to leave.
        let flushed = ready!(Pin::new(&mut self.stream).poll_flush(cx));
        Poll::Ready(flushed.map_err(|error| self.peer.error(Kind::Io(error))))
    }

    /// Reads once from the socket. Ready with the number of bytes, which is never 0.
    ///
    /// # Errors
    /// The connection is lost or closed by the server.
    pub fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, Error>> {
        let missing = self.decoder.missing(self.inbox.len()).max(self.values.missing(self.inbox.len()));
        let room = self.inbox.capacity() - self.inbox.len();
        if room < missing || room < READ_ROOM / 4 {
            self.inbox.reserve(missing.max(READ_ROOM));
        }
        match ready!(poll_read_buf(Pin::new(&mut self.stream), cx, &mut self.inbox)) {
            Ok(0) => Poll::Ready(Err(self.peer.error(Kind::Closed))),
            Ok(read) => {
                self.bytes_read += read as u64;
                Poll::Ready(Ok(read))
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Poll::Ready(Err(self.peer.error(Kind::Closed)))
            }
            Err(error) => Poll::Ready(Err(self.peer.error(Kind::Io(error)))),
        }
    }

    /// The next token of the replies received so far, or `None` when more bytes are needed.
    ///
    /// # Errors
    /// The server sent something that is not RESP.
    #[inline]
    pub fn next_token(&mut self) -> Result<Option<Token>, Error> {
        match self.decoder.next(&self.inbox) {
            Ok(Some(token)) => Ok(Some(token)),
            Ok(None) => {
                let done = self.decoder.release();
                self.inbox.advance(done);
                Ok(None)
            }
            Err(error) => Err(self.peer.error(Kind::Protocol(error))),
        }
    }

    /// Whether the tokens returned so far make whole replies.
    #[inline]
    pub fn at_boundary(&self) -> bool {
        self.decoder.at_boundary()
    }

    /// The next reply as a whole, of those received so far, or `None` when more bytes are needed. Only between
    /// replies; once begun, it has to be asked for again until it is there.
    ///
    /// # Errors
    /// The server sent something that is not RESP.
    pub fn next_value(&mut self) -> Result<Option<Value>, Error> {
        let done = self.decoder.release();
        self.inbox.advance(done);
        self.values.feed(&mut self.inbox).map_err(|error| self.peer.error(Kind::Protocol(error)))
    }

    /// Passes over these whole frames if exactly they come next; see [`Decoder::skip`].
    #[inline]
    pub fn skip(&mut self, frames: &[u8]) -> bool {
        self.decoder.skip(&self.inbox, frames)
    }

    /// The bytes of the token that `next_token` returned last.
    pub fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.inbox[range]
    }

    /// Takes the bytes of the token that `next_token` returned last out of the buffer, without a copy.
    pub fn take(&mut self, range: Range<usize>) -> Bytes {
        let done = self.decoder.release();
        self.inbox.split_to(done).freeze().slice(range)
    }

    /// Waits for one whole reply.
    ///
    /// # Errors
    /// The connection is lost, or the server sent something that is not RESP.
    pub async fn value(&mut self) -> Result<Value, Error> {
        loop {
            if let Some(value) = self.next_value()? {
                return Ok(value);
            }
            std::future::poll_fn(|cx| {
                if let Poll::Ready(Err(error)) = self.poll_write(cx) {
                    return Poll::Ready(Err(error));
                }
                self.poll_read(cx)
            })
            .await?;
        }
    }

    /// Sends everything that is queued.
    ///
    /// # Errors
    /// The connection is lost.
    pub async fn flush(&mut self) -> Result<(), Error> {
        std::future::poll_fn(|cx| self.poll_write(cx)).await
    }
}
