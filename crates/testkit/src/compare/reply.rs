//! Replies of either protocol version, taken apart. A reply of another shape than documented panics: then the
//! comparison itself is wrong.

use std::collections::BTreeMap;

use redis::Value;

/// A string, simple string or number as bytes.
pub(super) fn bytes(value: Value) -> Vec<u8> {
    match value {
        Value::BulkString(bytes) => bytes,
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => text.into_bytes(),
        Value::Okay => b"OK".to_vec(),
        Value::Int(number) => number.to_string().into_bytes(),
        Value::Double(number) => number.to_string().into_bytes(),
        Value::Nil => Vec::new(),
        other => panic!("a string was expected, not {other:?}"),
    }
}

/// As [`bytes`], for text that Redis itself made: ids, names of types.
pub(super) fn text(value: Value) -> String {
    String::from_utf8_lossy(&bytes(value)).into_owned()
}

pub(super) fn number(value: &Value) -> i64 {
    match value {
        Value::Int(number) => *number,
        other => panic!("a number was expected, not {other:?}"),
    }
}

/// A score: the text of RESP2 or the double of RESP3.
pub(super) fn score(value: Value) -> f64 {
    match value {
        Value::Double(number) => number,
        other => {
            let text = text(other);
            text.parse().unwrap_or_else(|_| panic!("a score was expected, not {text:?}"))
        }
    }
}

/// An array, a set, or a map as its alternating keys and values. RESP3 gives scores as pairs: use [`pairs`].
pub(super) fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) | Value::Set(items) => items,
        Value::Map(items) => items.into_iter().flat_map(|(key, value)| [key, value]).collect(),
        Value::Nil => Vec::new(),
        other => panic!("an array was expected, not {other:?}"),
    }
}

/// Alternating keys and values, a map, or an array of pairs.
pub(super) fn pairs(value: Value) -> Vec<(Value, Value)> {
    let mut items = list(value);
    if items.iter().all(|item| matches!(item, Value::Array(pair) if pair.len() == 2)) {
        items = items.into_iter().flat_map(list).collect();
    }
    assert!(items.len().is_multiple_of(2), "pairs were expected, not {} items", items.len());
    let mut items = items.into_iter();
    std::iter::from_fn(|| Some((items.next()?, items.next()?))).collect()
}

/// The fields of an information reply (`XINFO`, `TS.INFO`, ...).
pub(super) fn fields(value: Value) -> BTreeMap<String, Value> {
    pairs(value).into_iter().map(|(name, value)| (text(name), value)).collect()
}

/// The next cursor and the items of a `SCAN` reply.
pub(super) fn page(value: Value) -> (Vec<u8>, Vec<Vec<u8>>) {
    let mut parts = list(value).into_iter();
    match (parts.next(), parts.next()) {
        (Some(cursor), Some(items)) => (bytes(cursor), list(items).into_iter().map(bytes).collect()),
        _ => panic!("SCAN gave no cursor"),
    }
}
