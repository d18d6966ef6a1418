//! Values by meaning, and how two of them differ, in words.

use std::collections::BTreeMap;
use std::fmt::{Debug, Write};
use std::time::Duration;

use super::streams::Stream;

/// A value as read. Times are milliseconds since the comparison of its keys began, so that both sides compare.
pub(super) enum Value {
    String(Vec<u8>),
    List(Vec<Vec<u8>>),
    Set(BTreeMap<Vec<u8>, ()>),
    Hash {
        fields: BTreeMap<Vec<u8>, Vec<u8>>,
        expiries: BTreeMap<Vec<u8>, i64>,
    },
    /// Members with the bits of their scores: -0 is not 0.
    Zset(BTreeMap<Vec<u8>, Score>),
    Stream(Box<Stream>),
    /// What the module tells about the key, by the command asked.
    Module(BTreeMap<String, redis::Value>),
    Unreadable(String),
}

/// A score, equal only to the same 64 bits.
#[derive(Clone, Copy)]
pub(super) struct Score(pub(super) f64);

impl PartialEq for Score {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Debug for Score {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// Says how two values differ, or `None` when they are equal.
pub(super) fn difference(source: &Value, target: &Value, tolerance: Duration) -> Option<String> {
    match (source, target) {
        (Value::String(source), Value::String(target)) => strings(source, target),
        (Value::List(source), Value::List(target)) => {
            sequences("element", source, target, |element| shown(element))
        }
        (Value::Set(source), Value::Set(target)) => {
            maps("member", source, target, |_, _| true, |()| String::new())
        }
        (
            Value::Hash { fields: source, expiries: source_expiries },
            Value::Hash { fields: target, expiries: target_expiries },
        ) => maps("field", source, target, |a, b| a == b, |value| shown(value)).or_else(|| {
            let close = |a: &i64, b: &i64| a.abs_diff(*b) <= milliseconds(tolerance);
            maps("field with expiry", source_expiries, target_expiries, close, |at| format!("{at} ms"))
        }),
        (Value::Zset(source), Value::Zset(target)) => {
            maps("member", source, target, |a, b| a == b, |score| format!("{score:?}"))
        }
        (Value::Stream(source), Value::Stream(target)) => source.difference(target, tolerance),
        (Value::Module(source), Value::Module(target)) => maps(
            "answer of",
            &by_bytes(source),
            &by_bytes(target),
            |a, b| a == b,
            |answer| short(&format!("{answer:?}")),
        ),
        (Value::Unreadable(error), _) => Some(format!("the source refused to give the value: {error}")),
        (_, Value::Unreadable(error)) => Some(format!("the target refused to give the value: {error}")),
        _ => Some("the types changed while reading".to_string()),
    }
}

fn by_bytes(answers: &BTreeMap<String, redis::Value>) -> BTreeMap<Vec<u8>, &redis::Value> {
    answers.iter().map(|(name, answer)| (name.clone().into_bytes(), answer)).collect()
}

fn strings(source: &[u8], target: &[u8]) -> Option<String> {
    if source == target {
        return None;
    }
    let at = source.iter().zip(target).take_while(|(a, b)| a == b).count();
    Some(format!(
        "{} bytes / {} bytes, different from byte {at}: {} / {}",
        source.len(),
        target.len(),
        shown(&source[at..]),
        shown(&target[at..])
    ))
}

/// Compares in order. Values are written source / target.
pub(super) fn sequences<T: PartialEq>(
    what: &str,
    source: &[T],
    target: &[T],
    show: impl Fn(&T) -> String,
) -> Option<String> {
    if source == target {
        return None;
    }
    let at = source.iter().zip(target).take_while(|(a, b)| a == b).count();
    let shown = |side: &[T]| side.get(at).map_or("nothing".to_string(), &show);
    Some(format!(
        "{} {what}s / {}, different from {what} {at}: {} / {}",
        source.len(),
        target.len(),
        shown(source),
        shown(target)
    ))
}

/// Compares without order. Values are written source / target.
pub(super) fn maps<T>(
    what: &str,
    source: &BTreeMap<Vec<u8>, T>,
    target: &BTreeMap<Vec<u8>, T>,
    equal: impl Fn(&T, &T) -> bool,
    show: impl Fn(&T) -> String,
) -> Option<String> {
    let missing: Vec<_> = source.keys().filter(|key| !target.contains_key(*key)).collect();
    let extra: Vec<_> = target.keys().filter(|key| !source.contains_key(*key)).collect();
    let other: Vec<_> = source
        .iter()
        .filter_map(|(key, a)| target.get(key).filter(|b| !equal(a, b)).map(|b| (key, a, b)))
        .collect();
    let mut text = String::new();
    let mut say = |count: usize, how: &str, example: String| {
        if count > 0 {
            let separator = if text.is_empty() { "" } else { "; " };
            // Writing to a String cannot fail.
            let _ = write!(text, "{separator}{count} {what}(s) {how}, as {example}");
        }
    };
    let first = |keys: &[&Vec<u8>]| keys.first().map_or(String::new(), |key| shown(key));
    say(missing.len(), "missing", first(&missing));
    say(extra.len(), "too many", first(&extra));
    if let Some((key, a, b)) = other.first() {
        say(other.len(), "with another value", format!("{}: {} / {}", shown(key), show(a), show(b)));
    }
    (!text.is_empty()).then_some(text)
}

/// Bytes as an escaped literal, shortened.
pub(super) fn shown(bytes: &[u8]) -> String {
    let most = 48.min(bytes.len());
    let more = if most < bytes.len() { format!("... ({} bytes)", bytes.len()) } else { String::new() };
    format!("\"{}\"{more}", bytes[..most].escape_ascii())
}

fn short(text: &str) -> String {
    if text.chars().count() <= 300 {
        text.to_string()
    } else {
        text.chars().take(300).chain("...".chars()).collect()
    }
}

pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
