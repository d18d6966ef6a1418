//! Whole values.

use bytes::{Bytes, BytesMut};

use crate::error::{Error, Problem};
use crate::kind::{Kind, TypeCode};
use crate::value::{Stream, Value};
use crate::version::Version;

use super::{Decoder, Element};

/// A whole value from its body (without type code and footer), of Redis.
///
/// # Errors
/// The value is damaged, cut off, longer than it says, or of an unknown encoding.
pub fn value(code: TypeCode, body: &Bytes) -> Result<Value, Error> {
    value_of_version(code, Version::NEWEST_OF_REDIS, body)
}

/// A whole value from its body in a payload of that version: see [`Decoder::of_version`].
///
/// # Errors
/// As [`value`].
pub fn value_of_version(code: TypeCode, version: Version, body: &Bytes) -> Result<Value, Error> {
    let mut decoder = Decoder::of_version(code, version);
    decoder.feed(body.clone());
    decoder.finish();
    let mut value = match code.kind() {
        Some(Kind::String) => Value::String(Bytes::new()),
        Some(Kind::List) => Value::List(Vec::new()),
        Some(Kind::Set) => Value::Set(Vec::new()),
        Some(Kind::Zset) => Value::Zset(Vec::new()),
        Some(Kind::Hash) => Value::Hash(Vec::new()),
        Some(Kind::Stream) => Value::Stream(Stream::default()),
        Some(Kind::Module) => Value::Module(Bytes::new()),
        None => {
            let problem = Problem::UnknownCode(code.0);
            return Err(Error { problem, offset: 0, of_type: Some(code) });
        }
    };
    while let Some(element) = decoder.next()? {
        match (&mut value, element) {
            (Value::String(text), Element::Text(more)) => append(text, more),
            (Value::Module(bytes), Element::Module(more)) => append(bytes, more),
            (Value::List(items), Element::Item(item)) => items.push(item),
            (Value::Set(members), Element::Member(member)) => members.push(member),
            (Value::Zset(members), Element::Scored(member, score)) => members.push((member, score)),
            (Value::Hash(fields), Element::Field(field)) => fields.push(field),
            (Value::Stream(stream), Element::Entry(entry)) => stream.entries.push(entry),
            (Value::Stream(stream), Element::Facts(facts)) => stream.facts = facts,
            (Value::Stream(stream), Element::Group(group)) => stream.groups.push(group),
            // The decoder gives the elements of the code's kind only.
            (_, _) => {}
        }
    }
    match decoder.rest() {
        0 => Ok(value),
        rest => {
            let problem = Problem::Malformed("bytes follow behind the value");
            Err(Error { problem, offset: (body.len() - rest) as u64, of_type: Some(code) })
        }
    }
}

/// The first piece is not copied: mostly there is one only.
fn append(whole: &mut Bytes, more: Bytes) {
    if whole.is_empty() {
        *whole = more;
    } else {
        let mut both = BytesMut::from(std::mem::take(whole));
        both.extend_from_slice(&more);
        *whole = both.freeze();
    }
}
