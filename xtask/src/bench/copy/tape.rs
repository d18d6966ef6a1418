//! Requests made ready before the clock starts, and their replay.

use std::io::{self, IoSlice};
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use resp::encode;
use tokio::io::ReadBuf;

use super::wire::Stream;

/// A string value of at least this many bytes is not kept: the same bytes are sent for all of them.
const SHARED_FROM: usize = 4 * 1024;

/// The longest string that can be sent in one piece.
pub const LONGEST: usize = 1 << 20;

/// Chunks whose replies may be outstanding. A chunk has 64 keys, so this is redferry's own limit of 2048 keys.
const CHUNKS_AHEAD: usize = 32;

/// Bytes of replies that may be outstanding, as redferry's default memory.
const BYTES_AHEAD: u64 = 32 << 20;

/// Slices given to one write.
const SLICES: usize = 64;

/// Answers the ECHO at the end of every tape.
const END: &[u8] = b"end of the tape";

enum Part {
    Own(Range<usize>),
    Shared(usize),
}

/// Where a chunk ends, in bytes of requests and of replies since the beginning.
struct Chunk {
    sent: u64,
    replied: u64,
}

/// Requests in the order that they are sent.
#[derive(Default)]
pub struct Tape {
    own: Vec<u8>,
    parts: Vec<Part>,
    length: u64,
    chunks: Vec<Chunk>,
}

impl Tape {
    /// Appends requests as they are.
    pub fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let begin = self.own.len();
        write(&mut self.own);
        let end = self.own.len();
        self.length += (end - begin) as u64;
        match self.parts.last_mut() {
            Some(Part::Own(range)) => range.end = end,
            _ => self.parts.push(Part::Own(begin..end)),
        }
    }

    /// Appends an argument whose content does not matter, only its length.
    pub fn push_string(&mut self, value: &[u8]) {
        if !(SHARED_FROM..=LONGEST).contains(&value.len()) {
            return self.push(|out| encode::bulk(out, value));
        }
        self.push(|out| encode::bulk_header(out, value.len()));
        self.parts.push(Part::Shared(value.len()));
        self.length += value.len() as u64;
        self.push(|out| out.extend_from_slice(b"\r\n"));
    }

    /// Ends a chunk whose replies are that many bytes. Later chunks wait until most of them have arrived.
    pub fn end_chunk(&mut self, reply_bytes: u64) {
        let before = self.chunks.last().map_or(0, |chunk| chunk.replied);
        self.chunks.push(Chunk { sent: self.length, replied: before + reply_bytes });
    }

    /// Marks the end, so that a replay knows when everything is answered.
    pub fn finish(&mut self) {
        self.push(|out| encode::command(out, &[b"ECHO", END]));
        self.end_chunk(END.len() as u64);
    }

    /// Sends everything over a connection, throws the replies away, and is ready when the last has come.
    ///
    /// # Errors
    /// The connection is lost.
    pub async fn replay(&self, stream: &mut dyn Stream) -> io::Result<()> {
        let shared = vec![b'v'; LONGEST];
        let mut replay = Replay {
            tape: self,
            stream,
            shared: &shared,
            part: 0,
            offset: 0,
            sent: 0,
            received: 0,
            answered: 0,
            discard: vec![0; 256 * 1024],
            tail: Vec::new(),
        };
        std::future::poll_fn(|cx| replay.poll(cx)).await
    }
}

struct Replay<'a> {
    tape: &'a Tape,
    stream: &'a mut dyn Stream,
    shared: &'a [u8],
    /// The part that is being sent, and how much of it is gone.
    part: usize,
    offset: usize,
    sent: u64,
    received: u64,
    /// Chunks whose replies have all come.
    answered: usize,
    discard: Vec<u8>,
    tail: Vec<u8>,
}

impl Replay<'_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            // Pending or not: when the window is full, only replies open it again.
            if let Poll::Ready(Err(error)) = self.poll_send(cx) {
                return Poll::Ready(Err(error));
            }
            if ready!(self.poll_receive(cx))? {
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// Ready when everything that may be sent is sent.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.sent < self.allowed() {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let may = self.allowed() - self.sent;
            let count = gather(self.tape, self.shared, (self.part, self.offset), may, &mut slices);
            match Pin::new(&mut *self.stream).poll_write_vectored(cx, &slices[..count])? {
                Poll::Ready(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(length) => self.advance(length),
                Poll::Pending => return Poll::Pending,
            }
        }
        Pin::new(&mut *self.stream).poll_flush(cx)
    }

    /// Ready with whether that was the end.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut buffer = ReadBuf::new(&mut self.discard);
        ready!(Pin::new(&mut *self.stream).poll_read(cx, &mut buffer))?;
        let bytes = buffer.filled();
        if bytes.is_empty() {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        self.received += bytes.len() as u64;
        self.tail.extend_from_slice(&bytes[bytes.len().saturating_sub(64)..]);
        let surplus = self.tail.len().saturating_sub(64);
        self.tail.drain(..surplus);
        while self.tape.chunks.get(self.answered).is_some_and(|chunk| chunk.replied <= self.received) {
            self.answered += 1;
        }
        let end = self.tail.strip_suffix(b"\r\n").is_some_and(|tail| tail.ends_with(END));
        Poll::Ready(Ok(end && self.sent == self.tape.length))
    }

    /// Up to where may be sent now: at least the chunk that is due, at most as far ahead as redferry goes.
    fn allowed(&self) -> u64 {
        let mut allowed = self.tape.length;
        for (ahead, chunk) in self.tape.chunks[self.answered..].iter().take(CHUNKS_AHEAD).enumerate() {
            if ahead > 0 && chunk.replied > self.received + BYTES_AHEAD {
                break;
            }
            allowed = chunk.sent;
        }
        allowed
    }

    fn advance(&mut self, mut length: usize) {
        self.sent += length as u64;
        while length > 0 {
            let rest = match &self.tape.parts[self.part] {
                Part::Own(range) => range.len(),
                Part::Shared(length) => *length,
            } - self.offset;
            let step = length.min(rest);
            length -= step;
            self.offset += step;
            if step == rest {
                self.part += 1;
                self.offset = 0;
            }
        }
    }
}

/// Fills slices with at most `left` bytes from a place in the tape on, and returns how many slices.
fn gather<'s>(
    tape: &'s Tape,
    shared: &'s [u8],
    (part, mut offset): (usize, usize),
    mut left: u64,
    slices: &mut [IoSlice<'s>; SLICES],
) -> usize {
    let mut count = 0;
    for part in &tape.parts[part..] {
        if count == SLICES || left == 0 {
            break;
        }
        let bytes = match part {
            Part::Own(range) => &tape.own[range.clone()],
            Part::Shared(length) => &shared[..*length],
        };
        let bytes = &bytes[offset..];
        offset = 0;
        let length = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        left -= length as u64;
        slices[count] = IoSlice::new(&bytes[..length]);
        count += 1;
    }
    count
}
