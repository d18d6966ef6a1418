use std::fmt;

use bytes::Bytes;

/// A whole reply, for commands whose answer is looked at rather than passed on. Payloads share the memory that
/// the reply was read into. `Debug` shows lengths and numbers of elements, never payloads.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// `+OK`
    Simple(Bytes),
    /// An error, of one line or of any bytes.
    Error(Bytes),
    /// `:1`
    Integer(i64),
    /// A string of any bytes.
    Bulk(Bytes),
    /// No value.
    Null,
    /// Elements in order.
    Array(Vec<Value>),
    /// Pairs, in the order that the server sent.
    Map(Vec<(Value, Value)>),
    /// Elements in the order that the server sent; nothing makes them distinct.
    Set(Vec<Value>),
    /// A message that answers no command.
    Push(Vec<Value>),
    /// A floating-point number as the server wrote it.
    Double(Bytes),
    /// An integer of any size as the server wrote it.
    BigNumber(Bytes),
    /// True or false.
    Boolean(bool),
    /// Text with its format in front: `txt:...`
    Verbatim(Bytes),
}

impl Value {
    /// The bytes of a string, error or number's text; for a verbatim string its text without the format.
    /// `None` for the others, integers included.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Simple(text)
            | Self::Error(text)
            | Self::Bulk(text)
            | Self::Double(text)
            | Self::BigNumber(text) => Some(text),
            Self::Verbatim(text) => text.get(4..),
            Self::Integer(_)
            | Self::Null
            | Self::Array(_)
            | Self::Map(_)
            | Self::Set(_)
            | Self::Push(_)
            | Self::Boolean(_) => None,
        }
    }

    /// What [`as_bytes`](Self::as_bytes) gives, when it is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(self.as_bytes()?).ok()
    }

    /// An integer, or the decimal text of one.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Integer(value) => Some(*value),
            other => other.as_str()?.parse().ok(),
        }
    }

    /// The elements of an array, set or push.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Self::Array(elements) | Self::Set(elements) | Self::Push(elements) => Some(elements),
            _ => None,
        }
    }

    /// The elements of an array, set or push; those of a map as key, value, key, value: what RESP2 sends for it.
    pub fn into_array(self) -> Option<Vec<Value>> {
        match self {
            Self::Array(elements) | Self::Set(elements) | Self::Push(elements) => Some(elements),
            Self::Map(pairs) => Some(pairs.into_iter().flat_map(|(key, value)| [key, value]).collect()),
            _ => None,
        }
    }

    /// True for an error reply.
    pub fn is_error(&self) -> bool {
        matches!(self, Self::Error(_))
    }

    /// True for a missing value.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, size) = match self {
            Self::Integer(_) => return f.write_str("Integer"),
            Self::Boolean(_) => return f.write_str("Boolean"),
            Self::Null => return f.write_str("Null"),
            Self::Simple(text) => ("Simple", text.len()),
            Self::Error(text) => ("Error", text.len()),
            Self::Bulk(text) => ("Bulk", text.len()),
            Self::Double(text) => ("Double", text.len()),
            Self::BigNumber(text) => ("BigNumber", text.len()),
            Self::Verbatim(text) => ("Verbatim", text.len()),
            Self::Array(elements) => ("Array", elements.len()),
            Self::Set(elements) => ("Set", elements.len()),
            Self::Push(elements) => ("Push", elements.len()),
            Self::Map(pairs) => ("Map", pairs.len()),
        };
        write!(f, "{name}[{size}]")
    }
}
