//! Values as elements, whatever their encoding.

mod cell;
mod intset;
mod listpack;
mod row;
mod state;
mod stream;
mod whole;
mod ziplist;
mod zipmap;

use bytes::Bytes;

use self::state::State;
pub use self::whole::{value, value_of_version};
use crate::error::Error;
use crate::input::Input;
use crate::kind::TypeCode;
use crate::value::{Entry, Field, Group, StreamFacts};
use crate::version::Version;

/// A part of a value. Large strings come in several [`Element::Text`]s; all others come whole.
#[derive(Debug, Clone, PartialEq)]
pub enum Element {
    /// The next bytes of a string. An empty string is one of them, empty.
    Text(Bytes),
    /// The next item of a list.
    Item(Bytes),
    /// A member of a set.
    Member(Bytes),
    /// A member of a sorted set and its score.
    Scored(Bytes, f64),
    /// A field of a hash.
    Field(Field),
    /// The next entry of a stream.
    Entry(Entry),
    /// What a stream remembers besides; behind all entries.
    Facts(StreamFacts),
    /// A group of a stream; behind the facts.
    Group(Group),
    /// The next bytes of a module's value, as they are.
    Module(Bytes),
}

/// Reads one value in chunks.
///
/// It holds what has come and is not told yet: mostly one element, or one string of the encoding (a node of a list or
/// stream, a whole small container). What streams of Redis 8.6 remember of their producers is passed over. Arrays of
/// Redis 8.8 and entries of streams that were given back (8.8, too) are errors.
#[derive(Debug)]
pub struct Decoder {
    code: TypeCode,
    input: Input,
    state: State,
    failed: Option<Error>,
}

impl Decoder {
    /// Before the body of a value with this code, in a payload or file of Redis.
    pub fn new(code: TypeCode) -> Decoder {
        Decoder::of_version(code, Version::NEWEST_OF_REDIS)
    }

    /// Before the body of a value with this code, in a payload or file of that version: Valkey 9 gives the code 22
    /// another meaning than Redis.
    pub fn of_version(code: TypeCode, version: Version) -> Decoder {
        Decoder { code, input: Input::new(), state: State::Begin(version), failed: None }
    }

    /// Takes the next bytes of the body (without type code and footer).
    pub fn feed(&mut self, bytes: Bytes) {
        self.input.feed(bytes);
    }

    /// Says that no more bytes come.
    pub fn finish(&mut self) {
        self.input.finish();
    }

    /// The next element; `None` when more bytes are needed, or when the value has ended.
    ///
    /// # Errors
    /// The value is damaged, or of an unknown encoding.
    #[expect(clippy::should_implement_trait, reason = "an iterator would end where more bytes are needed")]
    pub fn next(&mut self) -> Result<Option<Element>, Error> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.state.go_on(self.code, &mut self.input).map_err(|(problem, offset)| {
            let error = Error { problem, offset, of_type: Some(self.code) };
            self.failed = Some(error.clone());
            error
        })
    }

    /// Whether the value has ended.
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Bytes that came and were not read: behind the end of the value there must be none.
    pub fn rest(&self) -> usize {
        self.input.available()
    }
}
