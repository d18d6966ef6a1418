//! Whatever the pieces that a stream arrives in, the same comes out of it.

#[allow(dead_code, reason = "each test program uses a part of it")]
mod frames;

use bytes::BytesMut;
use frames::{Frame, cut, decode, frame};
use proptest::prelude::*;
use resp::{Limits, Value, ValueDecoder};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn frames_decode_to_their_tokens_however_they_are_cut(
        frames in prop::collection::vec(frame(), 1..8),
        sizes in prop::collection::vec(1usize..30, 1..20),
        releases in prop::collection::vec(any::<bool>(), 1..10),
    ) {
        let (mut stream, mut tokens, mut boundaries) = (Vec::new(), Vec::new(), Vec::new());
        for frame in &frames {
            frame.write(&mut stream, &mut tokens);
            boundaries.push(stream.len() as u64);
        }
        let whole = decode([&stream[..]], &[false], Limits::default());
        prop_assert_eq!(&whole.error, &None);
        prop_assert_eq!(&whole.tokens, &tokens);
        prop_assert_eq!(&whole.boundaries, &boundaries);
        prop_assert_eq!(&decode(cut(&stream, &sizes), &releases, Limits::default()), &whole);
        prop_assert_eq!(&decode(cut(&stream, &[1]), &releases, Limits::default()), &whole);
    }

    #[test]
    fn damaged_streams_give_the_same_error_however_they_are_cut(
        frames in prop::collection::vec(frame(), 1..4),
        damage in prop::collection::vec((any::<prop::sample::Index>(), damage()), 1..4),
        sizes in prop::collection::vec(1usize..30, 1..20),
        releases in prop::collection::vec(any::<bool>(), 1..10),
    ) {
        let mut stream = Vec::new();
        frames.iter().for_each(|frame| frame.write(&mut stream, &mut Vec::new()));
        for (at, byte) in damage {
            let at = at.index(stream.len());
            stream[at] = byte;
        }
        let limits = Limits { max_bulk: 100, max_elements: 100, max_depth: 3, max_line: 20 };
        let whole = decode([&stream[..]], &[false], limits);
        prop_assert_eq!(&decode(cut(&stream, &sizes), &releases, limits), &whole);
        prop_assert_eq!(&decode(cut(&stream, &[1]), &releases, limits), &whole);
    }

    #[test]
    fn values_are_the_frames_that_were_sent(
        frames in prop::collection::vec(frame(), 1..6),
        sizes in prop::collection::vec(1usize..30, 1..20),
    ) {
        let mut stream = Vec::new();
        frames.iter().for_each(|frame| frame.write(&mut stream, &mut Vec::new()));
        let mut decoder = ValueDecoder::new(Limits::default());
        let (mut buffer, mut values) = (BytesMut::new(), Vec::new());
        for piece in cut(&stream, &sizes) {
            buffer.extend_from_slice(piece);
            while let Some(value) = decoder.feed(&mut buffer).map_err(|e| TestCaseError::fail(e.to_string()))? {
                values.push(value);
            }
        }
        prop_assert!(buffer.is_empty());
        // Value's Debug hides payloads, so compare without showing.
        prop_assert!(values == frames.iter().map(value).collect::<Vec<_>>());
    }
}

/// Bytes that mean something in the protocol, so that damage goes further than the first byte.
fn damage() -> impl Strategy<Value = u8> {
    prop_oneof![prop::sample::select(&b"\r\n$*%~>|:+-,(#_!=?0123456789"[..]), any::<u8>()]
}

/// The value of a frame: attributes are dropped, and both kinds of error are one.
fn value(frame: &Frame) -> Value {
    let all = |frames: &[Frame]| frames.iter().map(value).collect();
    match frame {
        Frame::Simple(text) => Value::Simple(text.clone().into()),
        Frame::Error(text) => Value::Error(text.clone().into()),
        Frame::BulkError(text) => Value::Error(text.clone().into()),
        Frame::Integer(number) => Value::Integer(*number),
        Frame::Bulk(text) => Value::Bulk(text.clone().into()),
        Frame::Null(_) => Value::Null,
        Frame::Double(text) => Value::Double(text.clone().into()),
        Frame::BigNumber(text) => Value::BigNumber(text.clone().into()),
        Frame::Boolean(truth) => Value::Boolean(*truth),
        Frame::Verbatim(text) => Value::Verbatim(text.clone().into()),
        Frame::Array(elements) => Value::Array(all(elements)),
        Frame::Set(elements) => Value::Set(all(elements)),
        Frame::Push(elements) => Value::Push(all(elements)),
        Frame::Map(pairs) => Value::Map(pairs.iter().map(|(k, v)| (value(k), value(v))).collect()),
        Frame::Attribute(_, described) => value(described),
    }
}
