//! What a client sends to a server: multibulk or inline commands, split as Redis splits them (`networking.c`
//! `processMultibulkBuffer` and `processInlineBuffer`). Stricter in one thing: Redis skips the two bytes after a
//! string unseen, here they must be `\r\n`.

mod inline;

use std::ops::Range;

use memchr::memchr;

use crate::number::{Header, header};

/// Room for arguments that is kept from one request to the next.
const KEPT_ARGUMENTS: usize = 1024;

/// What a client may declare before it is refused. Redis' own limits are the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest argument in bytes: `proto-max-bulk-len`, 512 MiB.
    pub max_bulk: u64,
    /// Most arguments of one command: 1024 * 1024.
    pub max_arguments: u64,
    /// Longest inline command in bytes: 64 KiB.
    pub max_inline: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_bulk: 512 << 20, max_arguments: 1 << 20, max_inline: 64 << 10 }
    }
}

/// Why a client's bytes cannot be read any further. Shown as Redis words it, so that it can be sent to the client
/// after `-ERR `; then the connection has to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// No line feed within [`Limits::max_inline`].
    #[error("Protocol error: too big inline request")]
    InlineTooBig,
    /// A NUL in an inline command, behind which Redis never finds the end of the line.
    #[error("Protocol error: NUL in inline request")]
    InlineNul,
    /// A quote that is not closed, or that is followed by something else than a blank.
    #[error("Protocol error: unbalanced quotes in request")]
    UnbalancedQuotes,
    /// Not a number, or more than [`Limits::max_arguments`].
    #[error("Protocol error: invalid multibulk length")]
    InvalidMultibulkLength,
    /// Something else than `$` begins an argument.
    #[error("Protocol error: expected '$'")]
    ExpectedBulk,
    /// Not a number, negative, or more than [`Limits::max_bulk`].
    #[error("Protocol error: invalid bulk length")]
    InvalidBulkLength,
    /// An argument is longer or shorter than it says.
    #[error("Protocol error: expected a line ending after an argument")]
    ExpectedLineEnding,
}

/// One command of a client. It has at least one argument, the command's name.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    raw: &'a [u8],
    inline: bool,
    /// What the ranges are positions in: `raw`, or the unquoted text of an inline command.
    text: &'a [u8],
    ranges: &'a [Range<usize>],
}

/// Reads requests from a buffer that grows, and remembers where it stopped. The contract is that of
/// [`crate::Decoder`]: the buffer begins at the same byte until [`release`](Self::release), and no byte is looked
/// at twice, but for the at most 22 bytes of a number's line that was cut.
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    /// Bytes of the buffer before the request that is being read.
    position: usize,
    /// Bytes of that request that were read, from `position`.
    read: usize,
    partial: Partial,
    /// The request's arguments, from `position` or in `unquoted`.
    ranges: Vec<Range<usize>>,
    unquoted: Vec<u8>,
    /// The request returned last ends at `position`; its arguments make room for the next one's.
    returned: bool,
}

#[derive(Clone, Copy, Debug)]
enum Partial {
    /// At the first byte of a request.
    Nothing,
    /// That many bytes hold no line feed.
    Inline { scanned: usize },
    /// At the header of an argument; that many are to come.
    Argument { remaining: u64 },
    /// In an argument of that many bytes; `remaining` counts it.
    Bulk { remaining: u64, length: usize },
}

impl Decoder {
    /// A decoder at the beginning of a connection.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            position: 0,
            read: 0,
            partial: Partial::Nothing,
            ranges: Vec::new(),
            unquoted: Vec::new(),
            returned: false,
        }
    }

    /// The next request, or `None` when more bytes are needed. Empty ones (a blank line, `*0`) are passed over, as
    /// Redis does. `buffer` holds all bytes not released yet.
    ///
    /// # Errors
    /// The client broke the protocol or passed a limit. Every further call gives the error again.
    pub fn next<'a>(&'a mut self, buffer: &'a [u8]) -> Result<Option<Request<'a>>, RequestError> {
        self.forget_returned();
        loop {
            let rest = buffer.get(self.position..).unwrap_or_default();
            let Some(inline) = self.advance(rest)? else { return Ok(None) };
            let raw = &rest[..self.read];
            self.position += self.read;
            self.read = 0;
            self.partial = Partial::Nothing;
            if !self.ranges.is_empty() {
                self.returned = true;
                let text = if inline { &self.unquoted } else { raw };
                return Ok(Some(Request { raw, inline, text, ranges: &self.ranges }));
            }
        }
    }

    /// Bytes of the buffer that the requests returned so far cover.
    pub fn consumed(&self) -> usize {
        self.position
    }

    /// Says that the caller drops the first [`consumed`](Self::consumed) bytes of its buffer, and returns how many
    /// they are.
    pub fn release(&mut self) -> usize {
        std::mem::take(&mut self.position)
    }

    /// True when a request has begun and is not complete, so far as [`next`](Self::next) has seen.
    pub fn in_request(&self) -> bool {
        !matches!(self.partial, Partial::Nothing)
    }

    /// How many bytes must come at least, beyond the `buffer_len` bytes there are, before [`next`](Self::next) can
    /// return a request: at least 1 after it returned `None`.
    pub fn missing(&self, buffer_len: usize) -> usize {
        // Every argument yet to begin takes 6 bytes at least: `$0\r\n\r\n`.
        let (end, arguments) = match self.partial {
            Partial::Bulk { remaining, length } => (self.position + self.read + length + 2, remaining - 1),
            Partial::Argument { remaining } => (self.position + self.read, remaining),
            Partial::Nothing | Partial::Inline { .. } => return 1,
        };
        let least = usize::try_from(arguments).unwrap_or(usize::MAX).saturating_mul(6);
        end.saturating_add(least).saturating_sub(buffer_len).max(1)
    }

    fn forget_returned(&mut self) {
        if std::mem::take(&mut self.returned) {
            self.ranges.clear();
            self.ranges.shrink_to(KEPT_ARGUMENTS);
            self.unquoted.clear();
        }
    }

    /// Reads on in the request that begins at `rest`. When it is complete, says whether it was an inline one.
    fn advance(&mut self, rest: &[u8]) -> Result<Option<bool>, RequestError> {
        loop {
            match self.partial {
                Partial::Nothing => match rest.first() {
                    None => return Ok(None),
                    Some(b'*') => match header(&rest[1..]) {
                        Header::Incomplete => return Ok(None),
                        Header::Invalid(_) => return Err(RequestError::InvalidMultibulkLength),
                        Header::Complete(count, size) => {
                            let remaining = u64::try_from(count).unwrap_or(0);
                            if remaining > self.limits.max_arguments {
                                return Err(RequestError::InvalidMultibulkLength);
                            }
                            self.read = 1 + size;
                            self.partial = Partial::Argument { remaining };
                        }
                    },
                    Some(_) => self.partial = Partial::Inline { scanned: 0 },
                },
                Partial::Inline { scanned } => {
                    return Ok(self.inline(rest, scanned)?.then_some(true));
                }
                Partial::Argument { remaining: 0 } => return Ok(Some(false)),
                Partial::Argument { remaining } => match self.argument_header(rest)? {
                    None => return Ok(None),
                    Some(length) => self.partial = Partial::Bulk { remaining, length },
                },
                Partial::Bulk { remaining, length } => {
                    let end = self.read + length;
                    match rest.get(end..end + 2) {
                        None => return Ok(None),
                        Some(b"\r\n") => {}
                        Some(_) => return Err(RequestError::ExpectedLineEnding),
                    }
                    self.ranges.push(self.read..end);
                    self.read = end + 2;
                    self.partial = Partial::Argument { remaining: remaining - 1 };
                }
            }
        }
    }

    fn argument_header(&mut self, rest: &[u8]) -> Result<Option<usize>, RequestError> {
        let Some((&marker, number)) = rest.get(self.read..).and_then(<[u8]>::split_first) else {
            return Ok(None);
        };
        if marker != b'$' {
            return Err(RequestError::ExpectedBulk);
        }
        match header(number) {
            Header::Incomplete => Ok(None),
            Header::Invalid(_) => Err(RequestError::InvalidBulkLength),
            Header::Complete(length, size) => {
                let allowed = self.limits.max_bulk.min(isize::MAX as u64 / 4);
                let length = u64::try_from(length).map_err(|_| RequestError::InvalidBulkLength)?;
                if length > allowed {
                    return Err(RequestError::InvalidBulkLength);
                }
                self.read += 1 + size;
                Ok(Some(length as usize))
            }
        }
    }

    /// True when the inline command that begins at `rest` is complete.
    fn inline(&mut self, rest: &[u8], scanned: usize) -> Result<bool, RequestError> {
        // A line of exactly the limit may still end in \r\n.
        let window = &rest[..rest.len().min(self.limits.max_inline.saturating_add(2))];
        let Some(found) = memchr(b'\n', &window[scanned..]) else {
            if window.len() > self.limits.max_inline.saturating_add(1) {
                return Err(RequestError::InlineTooBig);
            }
            self.partial = Partial::Inline { scanned: window.len() };
            return Ok(false);
        };
        let line = &rest[..scanned + found];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        self.unquoted.clear();
        self.ranges.clear();
        inline::split(line, &mut self.unquoted, &mut self.ranges)?;
        self.read = scanned + found + 1;
        Ok(true)
    }
}

impl<'a> Request<'a> {
    /// The request as it came, to be passed on.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// True when it came as a line rather than as an array.
    pub fn is_inline(&self) -> bool {
        self.inline
    }

    /// The arguments, the command's name first.
    pub fn arguments(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + use<'a> {
        let text = self.text;
        self.ranges.iter().map(move |range| &text[range.clone()])
    }

    /// The argument at `index`; 0 is the command's name.
    pub fn get(&self, index: usize) -> Option<&'a [u8]> {
        self.ranges.get(index).map(|range| &self.text[range.clone()])
    }

    /// Number of arguments with the command's name.
    #[expect(clippy::len_without_is_empty, reason = "a request is never empty")]
    pub fn len(&self) -> usize {
        self.ranges.len()
    }
}

impl std::fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (arguments, bytes) = (self.len(), self.raw.len());
        f.debug_struct("Request")
            .field("arguments", &arguments)
            .field("bytes", &bytes)
            .finish_non_exhaustive()
    }
}
