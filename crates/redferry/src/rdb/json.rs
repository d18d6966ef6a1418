//! Values as JSON. Text is text where it is UTF-8 and `{"base64":...}` elsewhere.

use std::collections::HashSet;
use std::io::Write as _;

use ::rdb::decode::Element;
use ::rdb::{Entry, Field, Group, StreamFacts, StreamId, Value};

/// Appends text.
pub(crate) fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        // A string in memory cannot fail to be written into memory.
        Ok(text) => _ = serde_json::to_writer(&mut *out, text),
        Err(_) => {
            out.extend_from_slice(b"{\"base64\":\"");
            Base64::default().all(out, bytes);
            out.extend_from_slice(b"\"}");
        }
    }
}

/// Appends a whole value.
pub(crate) fn value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::String(bytes) => text(out, bytes),
        Value::Module(bytes) => {
            out.extend_from_slice(b"{\"base64\":\"");
            Base64::default().all(out, bytes);
            out.extend_from_slice(b"\"}");
        }
        Value::List(items) | Value::Set(items) => list(out, items, |out, item| text(out, item)),
        Value::Zset(members) => list(out, members, |out, (member, score)| scored(out, member, *score)),
        Value::Hash(fields) if is_object(fields) => {
            out.push(b'{');
            for (index, field) in fields.iter().enumerate() {
                comma(out, index);
                text(out, &field.name);
                out.push(b':');
                text(out, &field.value);
            }
            out.push(b'}');
        }
        Value::Hash(fields) => list(out, fields, pair),
        Value::Stream(stream) => {
            let mut parts = Parts::stream();
            parts.begin(out);
            for entry in &stream.entries {
                parts.entry(out, entry);
            }
            parts.facts(out, &stream.facts);
            for group in &stream.groups {
                parts.group(out, group);
            }
            parts.end(out);
        }
    }
}

/// An object names each field once, by text, and has no place for an expiry.
fn is_object(fields: &[Field]) -> bool {
    let mut names = HashSet::with_capacity(fields.len());
    fields.iter().all(|field| {
        field.expires_at_ms.is_none() && std::str::from_utf8(&field.name).is_ok() && names.insert(&field.name)
    })
}

fn list<T>(out: &mut Vec<u8>, items: &[T], one: impl Fn(&mut Vec<u8>, &T)) {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        comma(out, index);
        one(out, item);
    }
    out.push(b']');
}

fn comma(out: &mut Vec<u8>, index: usize) {
    if index > 0 {
        out.push(b',');
    }
}

fn scored(out: &mut Vec<u8>, member: &[u8], score: f64) {
    out.push(b'[');
    text(out, member);
    out.push(b',');
    // JSON has no infinity.
    match score {
        f64::INFINITY => out.extend_from_slice(b"\"inf\""),
        f64::NEG_INFINITY => out.extend_from_slice(b"\"-inf\""),
        score => _ = serde_json::to_writer(&mut *out, &score),
    }
    out.push(b']');
}

fn pair(out: &mut Vec<u8>, field: &Field) {
    out.push(b'[');
    text(out, &field.name);
    out.push(b',');
    text(out, &field.value);
    if let Some(at) = field.expires_at_ms {
        _ = write!(out, ",{at}");
    }
    out.push(b']');
}

/// A large value that comes element by element: a string or module as base64, a hash as list of pairs, all others as
/// they are when they are small.
#[derive(Debug)]
pub(crate) struct Parts {
    kind: Kind,
    /// Elements so far; of a stream, of the list that is being written.
    count: usize,
}

#[derive(Debug)]
enum Kind {
    Bytes(Base64),
    List,
    Entries,
    Groups,
}

impl Parts {
    /// For a string or a module's value.
    pub(crate) fn bytes() -> Parts {
        Parts { kind: Kind::Bytes(Base64::default()), count: 0 }
    }

    /// For a list, set, sorted set or hash.
    pub(crate) fn list() -> Parts {
        Parts { kind: Kind::List, count: 0 }
    }

    /// For a stream.
    pub(crate) fn stream() -> Parts {
        Parts { kind: Kind::Entries, count: 0 }
    }

    /// Before the first element.
    pub(crate) fn begin(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(match self.kind {
            Kind::Bytes(_) => b"{\"base64\":\"",
            Kind::List => b"[",
            Kind::Entries | Kind::Groups => b"{\"entries\":[",
        });
    }

    /// The next element.
    pub(crate) fn element(&mut self, out: &mut Vec<u8>, element: &Element) {
        match element {
            Element::Text(bytes) | Element::Module(bytes) => {
                if let Kind::Bytes(base64) = &mut self.kind {
                    base64.some(out, bytes);
                }
            }
            Element::Item(bytes) | Element::Member(bytes) => {
                self.separate(out);
                text(out, bytes);
            }
            Element::Scored(member, score) => {
                self.separate(out);
                scored(out, member, *score);
            }
            Element::Field(field) => {
                self.separate(out);
                pair(out, field);
            }
            Element::Entry(entry) => self.entry(out, entry),
            Element::Facts(facts) => self.facts(out, facts),
            Element::Group(group) => self.group(out, group),
        }
    }

    /// Behind the last one.
    pub(crate) fn end(self, out: &mut Vec<u8>) {
        match self.kind {
            Kind::Bytes(base64) => {
                base64.end(out);
                out.extend_from_slice(b"\"}");
            }
            Kind::List => out.push(b']'),
            Kind::Entries | Kind::Groups => out.extend_from_slice(b"]}"),
        }
    }

    fn separate(&mut self, out: &mut Vec<u8>) {
        comma(out, self.count);
        self.count += 1;
    }

    fn entry(&mut self, out: &mut Vec<u8>, entry: &Entry) {
        self.separate(out);
        out.push(b'[');
        id(out, entry.id);
        out.push(b',');
        list(out, &entry.fields, |out, (name, value)| {
            out.push(b'[');
            text(out, name);
            out.push(b',');
            text(out, value);
            out.push(b']');
        });
        out.push(b']');
    }

    fn facts(&mut self, out: &mut Vec<u8>, facts: &StreamFacts) {
        out.extend_from_slice(b"],\"last_id\":");
        id(out, facts.last_id);
        for (name, value) in [("first_id", facts.first_id), ("max_deleted_id", facts.max_deleted_id)] {
            if let Some(value) = value {
                _ = write!(out, ",\"{name}\":");
                id(out, value);
            }
        }
        if let Some(added) = facts.entries_added {
            _ = write!(out, ",\"entries_added\":{added}");
        }
        out.extend_from_slice(b",\"groups\":[");
        (self.kind, self.count) = (Kind::Groups, 0);
    }

    fn group(&mut self, out: &mut Vec<u8>, group: &Group) {
        self.separate(out);
        out.extend_from_slice(b"{\"name\":");
        text(out, &group.name);
        out.extend_from_slice(b",\"last_id\":");
        id(out, group.last_id);
        if let Some(read) = group.entries_read {
            _ = write!(out, ",\"entries_read\":{read}");
        }
        out.extend_from_slice(b",\"consumers\":");
        list(out, &group.consumers, |out, consumer| {
            out.extend_from_slice(b"{\"name\":");
            text(out, &consumer.name);
            _ = write!(out, ",\"seen_at_ms\":{}", consumer.seen_at_ms);
            if let Some(active) = consumer.active_at_ms {
                _ = write!(out, ",\"active_at_ms\":{active}");
            }
            out.push(b'}');
        });
        out.extend_from_slice(b",\"pending\":");
        list(out, &group.pending, |out, pending| {
            out.push(b'[');
            id(out, pending.id);
            out.push(b',');
            match group.consumers.get(pending.consumer) {
                Some(consumer) => text(out, &consumer.name),
                None => out.extend_from_slice(b"null"),
            }
            _ = write!(out, ",{},{}]", pending.delivered_at_ms, pending.deliveries);
        });
        out.push(b'}');
    }
}

fn id(out: &mut Vec<u8>, id: StreamId) {
    _ = write!(out, "\"{}-{}\"", id.ms, id.seq);
}

/// Base64 of bytes that come in parts (RFC 4648, section 4).
#[derive(Debug, Default)]
struct Base64 {
    rest: Vec<u8>,
}

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

impl Base64 {
    fn all(mut self, out: &mut Vec<u8>, bytes: &[u8]) {
        self.some(out, bytes);
        self.end(out);
    }

    fn some(&mut self, out: &mut Vec<u8>, mut bytes: &[u8]) {
        while !self.rest.is_empty() && self.rest.len() < 3 && !bytes.is_empty() {
            self.rest.push(bytes[0]);
            bytes = &bytes[1..];
        }
        if self.rest.len() == 3 {
            let rest = std::mem::take(&mut self.rest);
            four(out, &rest);
        }
        let chunks = bytes.chunks_exact(3);
        self.rest.extend_from_slice(chunks.remainder());
        chunks.for_each(|three| four(out, three));
    }

    fn end(self, out: &mut Vec<u8>) {
        if !self.rest.is_empty() {
            four(out, &self.rest);
        }
    }
}

/// One to three bytes as four letters.
fn four(out: &mut Vec<u8>, bytes: &[u8]) {
    let byte = |index: usize| u32::from(bytes.get(index).copied().unwrap_or(0));
    let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
    for place in 0..4 {
        let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
        out.push(if place <= bytes.len() { letter } else { b'=' });
    }
}

#[cfg(test)]
mod tests {
    use ::rdb::{Consumer, Pending, Stream};
    use bytes::Bytes;

    use super::*;

    fn of(one: &Value) -> serde_json::Value {
        let mut out = Vec::new();
        value(&mut out, one);
        serde_json::from_slice(&out)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&out)))
    }

    #[test]
    fn base64_is_that_of_the_rfc_however_the_bytes_come() {
        let (bytes, encoded) = (b"foobar", ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"]);
        for length in 0..=6 {
            for cut in 0..=length {
                let (mut base64, mut out) = (Base64::default(), Vec::new());
                base64.some(&mut out, &bytes[..cut]);
                base64.some(&mut out, &bytes[cut..length]);
                base64.end(&mut out);
                assert_eq!(out, encoded[length].as_bytes(), "{length} bytes cut at {cut}");
            }
        }
    }

    #[test]
    fn hashes_are_objects_where_an_object_can_say_it() {
        let field = |name: &'static [u8], expires_at_ms| Field {
            name: Bytes::from_static(name),
            value: Bytes::from_static(b"v"),
            expires_at_ms,
        };
        let hash = |fields: Vec<Field>| of(&Value::Hash(fields)).to_string();
        assert_eq!(hash(vec![field(b"a", None), field(b"b", None)]), r#"{"a":"v","b":"v"}"#);
        assert_eq!(
            hash(vec![field(b"a", None), field(b"\xff", None)]),
            r#"[["a","v"],[{"base64":"/w=="},"v"]]"#
        );
        assert_eq!(hash(vec![field(b"a", Some(7)), field(b"b", None)]), r#"[["a","v",7],["b","v"]]"#);
        assert_eq!(hash(vec![field(b"a", None), field(b"a", None)]), r#"[["a","v"],["a","v"]]"#);
        assert_eq!(hash(vec![]), "{}");
    }

    #[test]
    fn scores_without_a_number_in_json_are_text() {
        let member = |score| (Bytes::from_static(b"m"), score);
        let zset =
            Value::Zset(vec![member(0.1), member(f64::INFINITY), member(f64::NEG_INFINITY), member(-0.0)]);
        assert_eq!(of(&zset).to_string(), r#"[["m",0.1],["m","inf"],["m","-inf"],["m",-0.0]]"#);
    }

    #[test]
    fn streams_tell_entries_groups_and_what_is_pending() {
        let stream = Stream {
            entries: vec![Entry {
                id: StreamId { ms: 5, seq: 1 },
                fields: vec![(Bytes::from_static(b"f"), Bytes::from_static(b"v"))],
            }],
            facts: StreamFacts { length: 1, last_id: StreamId { ms: 9, seq: 0 }, ..Default::default() },
            groups: vec![Group {
                name: Bytes::from_static(b"g"),
                last_id: StreamId { ms: 5, seq: 1 },
                entries_read: None,
                consumers: vec![Consumer {
                    name: Bytes::from_static(b"c"),
                    seen_at_ms: 3,
                    active_at_ms: None,
                }],
                pending: vec![Pending {
                    id: StreamId { ms: 5, seq: 1 },
                    delivered_at_ms: 4,
                    deliveries: 2,
                    consumer: 0,
                }],
            }],
        };
        assert_eq!(
            of(&Value::Stream(stream)).to_string(),
            r#"{"entries":[["5-1",[["f","v"]]]],"groups":[{"consumers":[{"name":"c","seen_at_ms":3}],"last_id":"5-1","name":"g","pending":[["5-1","c",4,2]]}],"last_id":"9-0"}"#
        );
    }
}
