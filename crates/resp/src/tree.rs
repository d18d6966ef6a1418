use bytes::{Bytes, BytesMut};

use crate::decode::{Decoder, Token};
use crate::error::DecodeError;
use crate::limits::Limits;
use crate::value::Value;

/// Values drop recursively, so their depth is bounded whatever the caller's limits say.
const MAX_DEPTH: usize = 128;

/// Reads whole replies. It keeps the tokens of a reply that is not complete, so no byte is decoded twice.
#[derive(Debug)]
pub struct ValueDecoder {
    decoder: Decoder,
    tokens: Vec<Token>,
}

impl ValueDecoder {
    /// A decoder at the beginning of a stream. `limits.max_depth` counts up to 128.
    pub fn new(limits: Limits) -> Self {
        let limits = Limits { max_depth: limits.max_depth.min(MAX_DEPTH), ..limits };
        Self { decoder: Decoder::new(limits), tokens: Vec::new() }
    }

    /// Takes one complete reply or push off the front of `buffer`, or returns `None` and leaves it as it is.
    /// Bytes may only be added at the end between calls. Attributes are dropped.
    ///
    /// # Errors
    /// The stream is damaged or passes a limit; the connection cannot be used any more.
    pub fn feed(&mut self, buffer: &mut BytesMut) -> Result<Option<Value>, DecodeError> {
        loop {
            match self.decoder.next(buffer)? {
                Some(token) => self.tokens.push(token),
                None => return Ok(None),
            }
            if self.decoder.at_boundary() {
                let frame = buffer.split_to(self.decoder.release()).freeze();
                return Ok(build(&frame, self.tokens.drain(..)));
            }
        }
    }

    /// How many bytes must come at least, beyond the `buffer_len` bytes there are, before a further token can be
    /// read. See [`Decoder::missing`].
    pub fn missing(&self, buffer_len: usize) -> usize {
        self.decoder.missing(buffer_len)
    }
}

/// An aggregate that waits for elements.
struct Open {
    kind: Kind,
    remaining: u64,
    elements: Vec<Value>,
}

#[derive(Clone, Copy)]
enum Kind {
    Array,
    Map,
    Set,
    Push,
    Attribute,
}

/// The value that a whole frame's tokens describe; `None` is for tokens that make none, which the decoder does
/// not give at a boundary.
fn build(frame: &Bytes, tokens: impl ExactSizeIterator<Item = Token>) -> Option<Value> {
    let mut open: Vec<Open> = Vec::new();
    let mut left = tokens.len();
    for token in tokens {
        left -= 1;
        let (kind, remaining) = match token {
            Token::Array(count) => (Kind::Array, count),
            Token::Set(count) => (Kind::Set, count),
            Token::Push(count) => (Kind::Push, count),
            Token::Map(pairs) => (Kind::Map, 2 * pairs),
            Token::Attribute(pairs) => (Kind::Attribute, 2 * pairs),
            scalar => match settle(&mut open, scalar_value(frame, scalar)) {
                Some(whole) => return Some(whole),
                None => continue,
            },
        };
        // Every element has a token, so the room asked for is bounded by what was received.
        let room = usize::try_from(remaining).map_or(left, |count| count.min(left));
        let aggregate = Open { kind, remaining, elements: Vec::with_capacity(room) };
        if remaining > 0 {
            open.push(aggregate);
        } else if let Some(whole) = finished(aggregate).and_then(|value| settle(&mut open, value)) {
            return Some(whole);
        }
    }
    None
}

/// Puts a value where it belongs; returns it when it is no element of anything.
fn settle(open: &mut Vec<Open>, mut value: Value) -> Option<Value> {
    while let Some(parent) = open.last_mut() {
        parent.elements.push(value);
        parent.remaining -= 1;
        if parent.remaining > 0 {
            return None;
        }
        value = finished(open.pop()?)?;
    }
    Some(value)
}

/// The value of an aggregate that has all its elements; an attribute has none.
fn finished(aggregate: Open) -> Option<Value> {
    match aggregate.kind {
        Kind::Array => Some(Value::Array(aggregate.elements)),
        Kind::Set => Some(Value::Set(aggregate.elements)),
        Kind::Push => Some(Value::Push(aggregate.elements)),
        Kind::Map => Some(Value::Map(pairs(aggregate.elements))),
        Kind::Attribute => None,
    }
}

fn pairs(elements: Vec<Value>) -> Vec<(Value, Value)> {
    let mut pairs = Vec::with_capacity(elements.len() / 2);
    let mut elements = elements.into_iter();
    while let (Some(key), Some(value)) = (elements.next(), elements.next()) {
        pairs.push((key, value));
    }
    pairs
}

fn scalar_value(frame: &Bytes, token: Token) -> Value {
    match token {
        Token::Simple(range) => Value::Simple(frame.slice(range)),
        Token::Error(range) | Token::BulkError(range) => Value::Error(frame.slice(range)),
        Token::Bulk(range) => Value::Bulk(frame.slice(range)),
        Token::Double(range) => Value::Double(frame.slice(range)),
        Token::BigNumber(range) => Value::BigNumber(frame.slice(range)),
        Token::Verbatim(range) => Value::Verbatim(frame.slice(range)),
        Token::Integer(value) => Value::Integer(value),
        Token::True => Value::Boolean(true),
        Token::False => Value::Boolean(false),
        // Aggregates never come here: `build` opens them.
        Token::Null
        | Token::Array(_)
        | Token::Map(_)
        | Token::Set(_)
        | Token::Push(_)
        | Token::Attribute(_) => Value::Null,
    }
}
