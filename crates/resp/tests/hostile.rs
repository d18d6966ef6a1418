//! Input that no server sends: it is refused, at once, at the right place, and costs no memory.

#[allow(dead_code, reason = "each test program uses a part of it")]
mod frames;

use std::time::{Duration, Instant};

use frames::{cut, decode};
use resp::{DecodeError, Decoder, Limits, Token, Value, ValueDecoder};

#[track_caller]
fn refused(stream: &[u8], expected: DecodeError) {
    for pieces in [vec![stream], cut(stream, &[1])] {
        assert_eq!(decode(pieces, &[true, false], Limits::default()).error, Some(expected));
    }
}

#[track_caller]
fn malformed(stream: &[u8], at: u64) {
    for pieces in [vec![stream], cut(stream, &[1])] {
        match decode(pieces, &[true], Limits::default()).error {
            Some(DecodeError::Malformed { offset, .. }) => assert_eq!(offset, at),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn other_protocols() {
    refused(b"HTTP/1.1 400 Bad Request\r\n", DecodeError::UnknownType { offset: 0 });
    refused(b"\x15\x03\x01\x00\x02\x02\x0a", DecodeError::UnknownType { offset: 0 });
    refused(b"+OK\r\n.\r\n", DecodeError::UnknownType { offset: 5 });
}

#[test]
fn streamed_values() {
    for stream in ["$?\r\n", "*?\r\n", "%?\r\n", "~?\r\n"] {
        refused(stream.as_bytes(), DecodeError::Streamed { offset: 0 });
    }
}

#[test]
fn lengths_that_are_none() {
    malformed(b"$-2\r\n", 1);
    malformed(b"*-2\r\n", 1);
    malformed(b"%-1\r\n", 1);
    malformed(b"!-1\r\n", 1);
    malformed(b"$\r\n", 1);
    malformed(b"$-\r\n", 2);
    malformed(b"$12a\r\n", 3);
    malformed(b"$1 \r\n", 2);
    malformed(b":--1\r\n", 2);
    malformed(b":9223372036854775808\r\n", 20);
    malformed(b":99999999999999999999\r\n", 20);
    malformed(b":000000000000000000000\r\n", 21);
    malformed(b"=3\r\ntxt\r\n", 1);
    malformed(b"=4\r\ntxt!\r\n", 7);
}

#[test]
fn line_endings() {
    malformed(b"+OK\n", 3);
    malformed(b"+O\rK\r\n", 3);
    malformed(b"$1\n", 2);
    malformed(b"$1\r\r", 3);
    malformed(b"$1\r\nab\r\n", 5);
    malformed(b"$1\r\na\n\n", 5);
    malformed(b"#t\n", 2);
    malformed(b"#x", 1);
    malformed(b"_\n", 1);
    malformed(b"_\r_", 2);
}

#[test]
fn numbers_that_are_none() {
    for text in [",\r\n", ",1.5x\r\n", ",--1\r\n", ",1 \r\n", "(\r\n", "(12a\r\n", "(+\r\n"] {
        malformed(text.as_bytes(), 1);
    }
}

#[test]
fn numbers_at_the_edge() {
    let stream = b":9223372036854775807\r\n:-9223372036854775808\r\n:+5\r\n";
    let names = decode([&stream[..]], &[true], Limits::default()).tokens;
    let names: Vec<_> = names.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Integer(9223372036854775807)", "Integer(-9223372036854775808)", "Integer(5)"]);
}

#[test]
fn declared_sizes() {
    let limits = Limits::default();
    refused(
        b"$4294967297\r\n",
        DecodeError::BulkTooLong { offset: 0, declared: (4 << 30) + 1, limit: limits.max_bulk },
    );
    refused(
        b"*1\r\n*4294967297\r\n",
        DecodeError::TooManyElements { offset: 4, declared: (1 << 32) + 1, limit: limits.max_elements },
    );
    refused(
        b"%9223372036854775807\r\n",
        DecodeError::TooManyElements { offset: 0, declared: u64::MAX - 1, limit: limits.max_elements },
    );
}

#[test]
fn limits_cannot_be_set_so_high_that_positions_wrap() {
    let limits =
        Limits { max_bulk: u64::MAX, max_elements: u64::MAX, max_depth: usize::MAX, max_line: usize::MAX };
    let outcome = decode([&b"$9223372036854775807\r\n"[..]], &[true], limits);
    assert!(matches!(outcome.error, Some(DecodeError::BulkTooLong { .. })));
    let outcome = decode([&b"+OK\r\n%9223372036854775807\r\n$3000000000000000000\r\n"[..]], &[true], limits);
    assert_eq!((outcome.error, outcome.tokens.len()), (None, 2));
}

#[test]
fn a_declared_size_is_waited_for_without_room_being_made() {
    let mut decoder = ValueDecoder::new(Limits::default());
    let mut buffer = bytes::BytesMut::from(&b"*4294967296\r\n%2000000000\r\n$4294967296\r\n"[..]);
    let before = buffer.capacity();
    assert_eq!(decoder.feed(&mut buffer), Ok(None));
    assert_eq!(buffer.capacity(), before);
}

#[test]
fn nesting() {
    let limits = Limits::default();
    let deepest = [b"*1\r\n".repeat(32), b":1\r\n".to_vec()].concat();
    let outcome = decode([&deepest[..]], &[true], limits);
    assert_eq!((outcome.error, outcome.boundaries), (None, vec![32 * 4 + 4]));
    refused(&b"*1\r\n".repeat(100_000), DecodeError::TooDeep { offset: 32 * 4, limit: 32 });
    refused(&b"|1\r\n".repeat(100_000), DecodeError::TooDeep { offset: 32 * 4, limit: 32 });
}

#[test]
fn values_are_never_so_deep_that_dropping_them_overflows_the_stack() {
    let mut decoder = ValueDecoder::new(Limits { max_depth: usize::MAX, ..Limits::default() });
    let mut buffer = bytes::BytesMut::from(&b"*1\r\n".repeat(1_000_000)[..]);
    assert!(matches!(decoder.feed(&mut buffer), Err(DecodeError::TooDeep { limit: 128, .. })));
}

#[test]
fn a_push_inside_a_reply() {
    refused(b"*1\r\n>1\r\n:1\r\n", DecodeError::NestedPush { offset: 4 });
}

#[test]
fn an_attribute_belongs_to_what_follows() {
    // An empty one, one before an element, one after the other, and one that ends the array's bytes so far.
    let stream = b"|0\r\n|1\r\n+a\r\n:1\r\n*1\r\n|1\r\n+b\r\n:2\r\n:3\r\n:4\r\n";
    let outcome = decode([&stream[..]], &[true], Limits::default());
    assert_eq!((outcome.error, outcome.boundaries), (None, vec![36, 40]));
    let mut decoder = ValueDecoder::new(Limits::default());
    let mut buffer = bytes::BytesMut::from(&stream[..]);
    assert_eq!(decoder.feed(&mut buffer), Ok(Some(Value::Array(vec![Value::Integer(3)]))));
    assert_eq!(decoder.feed(&mut buffer), Ok(Some(Value::Integer(4))));
}

#[test]
fn long_lines() {
    let limit = Limits::default().max_line;
    let mut line = vec![b'x'; limit + 1];
    line[0] = b'+';
    assert_eq!(decode([&[&line[..], b"\r\n"].concat()[..]], &[true], Limits::default()).error, None);
    line.push(b'x');
    refused(&line, DecodeError::LineTooLong { offset: 0, limit });
    assert_eq!(
        decode([&line[..]], &[true], Limits { max_line: usize::MAX, ..Limits::default() }).error,
        None
    );
}

/// Two megabytes byte by byte: looking at them again for every byte takes minutes, not milliseconds.
#[test]
fn nothing_is_looked_at_twice() {
    let size = 2 << 20;
    let limits = Limits { max_line: usize::MAX, ..Limits::default() };
    let line = [b"+", &vec![b'x'; size][..], b"\r\n"].concat();
    let bulk = [format!("${size}\r\n").as_bytes(), &vec![b'\r'; size], b"\r\n"].concat();
    let many = [format!("*{}\r\n", size / 4).as_bytes(), &b":1\r\n".repeat(size / 4)].concat();
    let begin = Instant::now();
    for stream in [line, bulk, many] {
        let mut decoder = Decoder::new(limits);
        for end in 0..=stream.len() {
            while decoder.next(&stream[..end]).expect("well formed").is_some() {}
        }
        assert_eq!((decoder.at_boundary(), decoder.consumed()), (true, stream.len()));
    }
    assert!(begin.elapsed() < Duration::from_secs(20), "took {:?}", begin.elapsed());
}

#[test]
fn missing_names_the_rest_of_a_bulk_across_a_release() {
    let mut decoder = Decoder::new(Limits::default());
    let stream = b":1\r\n$1000\r\nab";
    assert_eq!(decoder.next(stream), Ok(Some(Token::Integer(1))));
    assert_eq!(decoder.next(stream), Ok(None));
    assert_eq!(decoder.missing(stream.len()), 1000);
    assert_eq!(decoder.release(), 4);
    assert_eq!(decoder.missing(stream.len() - 4), 1000);
}

#[test]
fn debug_output_hides_payloads() {
    let mut decoder = ValueDecoder::new(Limits::default());
    let mut buffer =
        bytes::BytesMut::from(&b"%2\r\n$6\r\nsecret\r\n:424242\r\n+secret\r\n=10\r\ntxt:secret\r\n"[..]);
    let value = decoder.feed(&mut buffer).expect("well formed");
    assert_eq!(format!("{value:?}"), "Some(Map[2])");
    assert_eq!(
        format!("{:?}", value.and_then(Value::into_array)),
        "Some([Bulk[6], Integer, Simple[6], Verbatim[10]])"
    );
}
