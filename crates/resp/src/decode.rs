use std::ops::Range;

use memchr::memchr2;

use crate::error::DecodeError;
use crate::limits::Limits;
use crate::number::{Header, header};

/// One element of a stream of replies. An aggregate is a token with its count, followed by its elements' tokens.
/// Ranges are positions in the buffer given to [`Decoder::next`] and leave out type byte and line ending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// `+OK`
    Simple(Range<usize>),
    /// `-ERR ...`
    Error(Range<usize>),
    /// `!` with a length: an error of any bytes.
    BulkError(Range<usize>),
    /// `:1`
    Integer(i64),
    /// `$` with a length.
    Bulk(Range<usize>),
    /// `_`, `$-1` or `*-1`
    Null,
    /// That many elements follow.
    Array(u64),
    /// That many pairs follow.
    Map(u64),
    /// That many elements follow.
    Set(u64),
    /// That many elements follow. Only between replies, never inside one.
    Push(u64),
    /// That many pairs follow, and then the value that they describe.
    Attribute(u64),
    /// `,1.5`: text that reads as a number, `inf` or `nan`.
    Double(Range<usize>),
    /// `(123`: digits, perhaps with a sign.
    BigNumber(Range<usize>),
    /// RESP3 `#t`.
    True,
    /// RESP3 `#f`. Two variants and not one with a `bool`: a payload of one byte makes every move of a token
    /// an unaligned copy that waits for the stores before it (a quarter of the decoder's time, measured).
    False,
    /// `=` with a length: three letters of format, a colon and the text; the range has all of it.
    Verbatim(Range<usize>),
}

/// Reads replies token by token from a buffer that grows, and remembers where it stopped.
///
/// The buffer always begins at the same byte until [`release`](Self::release). No byte is looked at twice, but
/// for the at most 22 bytes of a number's line that was cut. After an error every further call gives it again.
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    /// Bytes released so far: what turns a position into an offset of the stream.
    released: u64,
    /// Bytes of the buffer that the tokens returned so far cover.
    position: usize,
    partial: Partial,
    /// Aggregates that wait for elements, outermost first.
    open: Vec<Open>,
    /// An attribute is complete and the value that it describes is not there yet.
    described: bool,
}

/// What is known of the token at `position` that is not complete; all lengths count from `position`.
#[derive(Clone, Copy, Debug)]
enum Partial {
    Nothing,
    /// That many bytes hold no end of the line.
    Line {
        scanned: usize,
    },
    /// The header was read.
    Bulk {
        marker: u8,
        header: usize,
        length: usize,
    },
}

#[derive(Clone, Copy, Debug)]
struct Open {
    remaining: u64,
    attribute: bool,
}

impl Decoder {
    /// A decoder at the beginning of a stream.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            released: 0,
            position: 0,
            partial: Partial::Nothing,
            open: Vec::new(),
            described: false,
        }
    }

    /// The next token, or `None` when more bytes are needed ([`missing`](Self::missing) says how many).
    /// `buffer` holds all bytes not released yet.
    ///
    /// # Errors
    /// The stream is damaged or passes a limit; the connection cannot be used any more.
    #[inline]
    pub fn next(&mut self, buffer: &[u8]) -> Result<Option<Token>, DecodeError> {
        let Some((&marker, rest)) = buffer.get(self.position..).and_then(<[u8]>::split_first) else {
            return Ok(None);
        };
        if marker == b'$' && matches!(self.partial, Partial::Nothing) {
            // The token that carries the data: no detour for it.
            return match header(rest) {
                Header::Complete(length, size) if length >= 0 => {
                    self.bulk_begun(buffer, marker, 1 + size, length as u64)
                }
                other => self.header_read(buffer, marker, rest, other),
            };
        }
        self.next_of_any_kind(buffer, marker, rest)
    }

    fn next_of_any_kind(
        &mut self,
        buffer: &[u8],
        marker: u8,
        rest: &[u8],
    ) -> Result<Option<Token>, DecodeError> {
        if let Partial::Bulk { marker, header, length } = self.partial {
            return self.bulk(buffer, marker, header, length);
        }
        match marker {
            b'*' | b'%' | b'~' | b'>' | b'|' | b':' | b'$' | b'!' | b'=' => {
                self.header_read(buffer, marker, rest, header(rest))
            }
            b'+' | b'-' | b',' | b'(' => self.line(marker, rest),
            b'#' => self.boolean(rest),
            b'_' => self.null(rest),
            _ => Err(DecodeError::UnknownType { offset: self.offset(0) }),
        }
    }

    /// Passes over `frames` if exactly these bytes come next, and says whether they did. `frames` must be whole
    /// frames, and the decoder at a frame's boundary; a reader that knows what usually comes saves decoding it.
    #[inline]
    pub fn skip(&mut self, buffer: &[u8], frames: &[u8]) -> bool {
        let next = buffer.get(self.position..).unwrap_or_default();
        let known =
            self.at_boundary() && matches!(self.partial, Partial::Nothing) && next.starts_with(frames);
        if known {
            self.position += frames.len();
        }
        known
    }

    /// True when the tokens returned so far make complete frames. An attribute belongs to the frame that follows.
    #[inline]
    pub fn at_boundary(&self) -> bool {
        self.open.is_empty() && !self.described
    }

    /// Bytes of the buffer that the tokens returned so far cover.
    #[inline]
    pub fn consumed(&self) -> usize {
        self.position
    }

    /// Says that the caller drops the first [`consumed`](Self::consumed) bytes of its buffer, and returns how many
    /// they are. Positions begin at 0 again.
    #[inline]
    pub fn release(&mut self) -> usize {
        let count = self.position;
        self.released += count as u64;
        self.position = 0;
        count
    }

    /// How many bytes must come at least, beyond the `buffer_len` bytes there are, before [`next`](Self::next)
    /// can return a token: at least 1 after it returned `None`. A reader can make room for a large string at once,
    /// as far as it trusts the peer: the number is the peer's, checked against [`Limits::max_bulk`] only.
    pub fn missing(&self, buffer_len: usize) -> usize {
        match self.partial {
            Partial::Bulk { header, length, .. } => {
                (self.position + header + length + 2).saturating_sub(buffer_len).max(1)
            }
            Partial::Line { .. } | Partial::Nothing => 1,
        }
    }

    fn header_read(
        &mut self,
        buffer: &[u8],
        marker: u8,
        rest: &[u8],
        read: Header,
    ) -> Result<Option<Token>, DecodeError> {
        let (value, size) = match read {
            Header::Complete(value, size) => (value, 1 + size),
            Header::Incomplete => return Ok(None),
            Header::Invalid(0) if marker != b':' && rest.first() == Some(&b'?') => {
                return Err(DecodeError::Streamed { offset: self.offset(0) });
            }
            Header::Invalid(at) => return Err(self.malformed(1 + at, "part of a number and its line ending")),
        };
        match (marker, u64::try_from(value)) {
            (b':', _) => Ok(Some(self.complete(Token::Integer(value), size))),
            (b'$' | b'!' | b'=', Ok(length)) => self.bulk_begun(buffer, marker, size, length),
            (_, Ok(count)) => self.aggregate(marker, count, size),
            (b'$' | b'*', Err(_)) if value == -1 => Ok(Some(self.complete(Token::Null, size))),
            (_, Err(_)) => Err(self.malformed(1, "a length or count of 0 or more")),
        }
    }

    #[inline]
    fn bulk_begun(
        &mut self,
        buffer: &[u8],
        marker: u8,
        header: usize,
        declared: u64,
    ) -> Result<Option<Token>, DecodeError> {
        // Kept far below the largest position, so that sums of positions cannot wrap on any platform.
        let limit = self.limits.max_bulk.min(isize::MAX as u64 / 2);
        if declared > limit {
            return Err(DecodeError::BulkTooLong { offset: self.offset(0), declared, limit });
        }
        if marker == b'=' && declared < 4 {
            return Err(self.malformed(1, "the length of a verbatim string, 4 or more"));
        }
        self.bulk(buffer, marker, header, declared as usize)
    }

    #[inline]
    fn bulk(
        &mut self,
        buffer: &[u8],
        marker: u8,
        header: usize,
        length: usize,
    ) -> Result<Option<Token>, DecodeError> {
        let start = self.position + header;
        let end = start + length;
        match buffer.get(end..end + 2) {
            Some(b"\r\n") => {}
            Some(_) => return Err(self.malformed(header + length, "the line ending after a string")),
            None => {
                self.partial = Partial::Bulk { marker, header, length };
                return Ok(None);
            }
        }
        let range = start..end;
        let token = match marker {
            b'$' => Token::Bulk(range),
            b'!' => Token::BulkError(range),
            _ if buffer[start + 3] == b':' => Token::Verbatim(range),
            _ => return Err(self.malformed(header + 3, "the colon after a verbatim string's format")),
        };
        Ok(Some(self.complete(token, header + length + 2)))
    }

    fn aggregate(&mut self, marker: u8, count: u64, size: usize) -> Result<Option<Token>, DecodeError> {
        let (token, per_count) = match marker {
            b'*' => (Token::Array(count), 1),
            b'~' => (Token::Set(count), 1),
            b'%' => (Token::Map(count), 2),
            b'|' => (Token::Attribute(count), 2),
            _ if self.open.is_empty() => (Token::Push(count), 1),
            _ => return Err(DecodeError::NestedPush { offset: self.offset(0) }),
        };
        let elements = count.saturating_mul(per_count);
        if elements > self.limits.max_elements {
            let (declared, limit) = (elements, self.limits.max_elements);
            return Err(DecodeError::TooManyElements { offset: self.offset(0), declared, limit });
        }
        let attribute = marker == b'|';
        if elements == 0 && !attribute {
            return Ok(Some(self.complete(token, size)));
        }
        if elements > 0 {
            if self.open.len() >= self.limits.max_depth {
                return Err(DecodeError::TooDeep { offset: self.offset(0), limit: self.limits.max_depth });
            }
            self.open.push(Open { remaining: elements, attribute });
        }
        self.described = attribute && elements == 0;
        self.position += size;
        Ok(Some(token))
    }

    fn line(&mut self, marker: u8, rest: &[u8]) -> Result<Option<Token>, DecodeError> {
        let scanned = match self.partial {
            Partial::Line { scanned } => scanned,
            _ => 0,
        };
        let limit = self.limits.max_line;
        let window = &rest[..rest.len().min(limit.saturating_add(1))];
        let length = match memchr2(b'\r', b'\n', &window[scanned..]) {
            Some(found) => scanned + found,
            None if window.len() > limit => {
                return Err(DecodeError::LineTooLong { offset: self.offset(0), limit });
            }
            None => {
                self.partial = Partial::Line { scanned: window.len() };
                return Ok(None);
            }
        };
        match (rest[length], rest.get(length + 1)) {
            (b'\r', Some(b'\n')) => {}
            (b'\r', None) => {
                self.partial = Partial::Line { scanned: length };
                return Ok(None);
            }
            (b'\r', Some(_)) => return Err(self.malformed(length + 2, "a line feed after a carriage return")),
            _ => return Err(self.malformed(length + 1, "a carriage return before a line feed")),
        }
        let text = &rest[..length];
        let range = self.position + 1..self.position + 1 + length;
        let token = match marker {
            b'+' => Token::Simple(range),
            b'-' => Token::Error(range),
            b',' if is_double(text) => Token::Double(range),
            b',' => return Err(self.malformed(1, "a floating-point number")),
            _ if is_big_number(text) => Token::BigNumber(range),
            _ => return Err(self.malformed(1, "a big number")),
        };
        Ok(Some(self.complete(token, length + 3)))
    }

    fn boolean(&mut self, rest: &[u8]) -> Result<Option<Token>, DecodeError> {
        let token = match rest.first() {
            None => return Ok(None),
            Some(b't') => Token::True,
            Some(b'f') => Token::False,
            Some(_) => return Err(self.malformed(1, "t or f")),
        };
        Ok(self.line_ending(rest, 1)?.map(|()| self.complete(token, 4)))
    }

    fn null(&mut self, rest: &[u8]) -> Result<Option<Token>, DecodeError> {
        Ok(self.line_ending(rest, 0)?.map(|()| self.complete(Token::Null, 3)))
    }

    fn line_ending(&self, rest: &[u8], at: usize) -> Result<Option<()>, DecodeError> {
        match (rest.get(at), rest.get(at + 1)) {
            (Some(b'\r'), Some(b'\n')) => Ok(Some(())),
            (None, _) | (Some(b'\r'), None) => Ok(None),
            (Some(b'\r'), Some(_)) => Err(self.malformed(at + 2, "a line feed after a carriage return")),
            (Some(_), _) => Err(self.malformed(at + 1, "a carriage return")),
        }
    }

    /// Counts a value that has no elements to wait for, and every aggregate that it was the last element of.
    #[inline]
    fn complete(&mut self, token: Token, size: usize) -> Token {
        self.position += size;
        self.partial = Partial::Nothing;
        self.described = false;
        if let Some(innermost) = self.open.last_mut() {
            innermost.remaining -= 1;
            if innermost.remaining == 0 {
                self.close();
            }
        }
        token
    }

    fn close(&mut self) {
        while let Some(innermost) = self.open.last_mut() {
            if innermost.remaining > 0 {
                return;
            }
            let attribute = innermost.attribute;
            self.open.pop();
            if attribute {
                // It comes in addition to its parent's elements, and the value that it describes follows.
                self.described = true;
                return;
            }
            if let Some(parent) = self.open.last_mut() {
                parent.remaining -= 1;
            }
        }
    }

    fn malformed(&self, beyond: usize, expected: &'static str) -> DecodeError {
        DecodeError::Malformed { offset: self.offset(beyond), expected }
    }

    /// Where `beyond` bytes after the present token's begin are in the stream.
    fn offset(&self, beyond: usize) -> u64 {
        self.released + (self.position + beyond) as u64
    }
}

fn is_double(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| text.parse::<f64>().is_ok())
}

fn is_big_number(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}
