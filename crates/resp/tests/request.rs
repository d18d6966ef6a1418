//! What clients send, split as Redis splits it.

use proptest::prelude::*;
use resp::encode;
use resp::request::{Decoder, Limits, RequestError};

type Arguments = Vec<Vec<u8>>;

/// Feeds a stream in pieces of the given sizes (in a cycle); all requests, and the error that ended it.
fn read(stream: &[u8], sizes: &[usize], limits: Limits) -> (Vec<Arguments>, Option<RequestError>) {
    let mut decoder = Decoder::new(limits);
    let (mut requests, mut buffer, mut rest, mut answer_from) = (Vec::new(), Vec::new(), stream, 0);
    for &size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at(size.clamp(1, rest.len()));
        buffer.extend_from_slice(piece);
        rest = after;
        loop {
            match decoder.next(&buffer) {
                Ok(Some(request)) => {
                    assert!(buffer.len() >= answer_from, "a request came before the missing bytes");
                    assert_eq!(request.get(0), request.arguments().next());
                    assert_eq!(request.is_inline(), request.raw()[0] != b'*');
                    requests.push(request.arguments().map(<[u8]>::to_vec).collect());
                }
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(decoder.next(&buffer).err(), Some(error), "an error stays");
                    return (requests, Some(error));
                }
            }
        }
        buffer.drain(..decoder.release());
        answer_from = buffer.len() + decoder.missing(buffer.len());
    }
    (requests, None)
}

#[track_caller]
fn splits(line: &[u8], expected: &[&[u8]]) {
    let expected: Arguments = expected.iter().map(|argument| argument.to_vec()).collect();
    let expected = if expected.is_empty() { vec![] } else { vec![expected] };
    for ending in [&b"\n"[..], b"\r\n"] {
        assert_eq!(read(&[line, ending].concat(), &[1], Limits::default()), (expected.clone(), None));
    }
}

#[track_caller]
fn refused(stream: &[u8], expected: RequestError) {
    for size in [stream.len(), 1] {
        assert_eq!(read(stream, &[size], Limits::default()), (vec![], Some(expected)));
    }
}

/// The expected splits were compared with what Redis 6.0.16 makes of the same lines.
#[test]
fn inline_commands_are_split_like_redis_does() {
    splits(b"PING", &[b"PING"]);
    splits(b"  SET\tkey   value ", &[b"SET", b"key", b"value"]);
    splits(b"", &[]);
    splits(b"   ", &[]);
    splits(br#"ECHO "a b""#, &[b"ECHO", b"a b"]);
    splits(br#"ECHO "\x41\xfF\n\r\t\b\a\\\"\q""#, &[b"ECHO", b"A\xff\n\r\t\x08\x07\\\"q"]);
    splits(br#"ECHO "\xg1""#, &[b"ECHO", b"xg1"]);
    splits(br"ECHO 'a\'b\n'", &[b"ECHO", br"a'b\n"]);
    splits(br#"ECHO a"b c""#, &[b"ECHO", b"ab c"]);
    splits(br#"ECHO """#, &[b"ECHO", b""]);
    splits(b"ECHO a\x0bb", &[b"ECHO", b"a\x0bb"]);
    splits(b"ECHO a\rb", &[b"ECHO", b"a", b"b"]);
    splits(b"ECHO \xff\xfe", &[b"ECHO", b"\xff\xfe"]);
}

#[test]
fn unbalanced_quotes() {
    for line in [r#"ECHO "a"#, r#"ECHO "a"b"#, "ECHO 'a", "ECHO 'a'b", r#"ECHO "a\"#, r#"ECHO ""b"#] {
        refused(format!("{line}\r\n").as_bytes(), RequestError::UnbalancedQuotes);
    }
}

#[test]
fn broken_requests() {
    refused(b"*a\r\n", RequestError::InvalidMultibulkLength);
    refused(b"*1048577\r\n", RequestError::InvalidMultibulkLength);
    refused(b"*1\r\n+PING\r\n", RequestError::ExpectedBulk);
    refused(b"*1\r\n$-1\r\n", RequestError::InvalidBulkLength);
    refused(b"*1\r\n$x\r\n", RequestError::InvalidBulkLength);
    refused(b"*1\r\n$536870913\r\n", RequestError::InvalidBulkLength);
    refused(b"*1\r\n$4\r\nPINGS\r\n", RequestError::ExpectedLineEnding);
    refused(b"ECHO a\0b\n", RequestError::InlineNul);
    refused(&[b'a'; (64 << 10) + 2], RequestError::InlineTooBig);
}

#[test]
fn a_line_of_the_limit_is_read() {
    let limit = Limits::default().max_inline;
    for ending in ["\n", "\r\n"] {
        let stream = [&vec![b'a'; limit][..], ending.as_bytes()].concat();
        assert_eq!(read(&stream, &[1000], Limits::default()), (vec![vec![vec![b'a'; limit]]], None));
    }
}

#[test]
fn empty_requests_are_passed_over() {
    let stream = b"\r\n*0\r\n*-1\r\n\n*1\r\n$4\r\nPING\r\n\r\n";
    for size in [1, 100] {
        assert_eq!(read(stream, &[size], Limits::default()), (vec![vec![b"PING".to_vec()]], None));
    }
}

#[test]
fn encoded_commands_have_the_documented_bytes() {
    let mut out = b"before".to_vec();
    encode::command(&mut out, &[b"SET", b"", &[0xff; 10]]);
    encode::bulk_int(&mut out, i64::MIN);
    encode::array(&mut out, usize::MAX);
    let mut expected = b"before*3\r\n$3\r\nSET\r\n$0\r\n\r\n$10\r\n".to_vec();
    expected.extend([0xff; 10]);
    expected.extend(b"\r\n$20\r\n-9223372036854775808\r\n*18446744073709551615\r\n");
    assert_eq!(out, expected);
}

#[test]
fn headers_of_every_number_of_digits() {
    for len in [0, 9, 10, 11, 99, 100, 101, 999, 1000, 1001, 12_345_678] {
        let mut out = Vec::new();
        encode::bulk_header(&mut out, len);
        assert_eq!(out, format!("${len}\r\n").into_bytes());
    }
}

proptest! {
    #[test]
    fn requests_are_read_however_they_are_cut(
        requests in prop::collection::vec(
            (prop::collection::vec(prop::collection::vec(any::<u8>(), 0..30), 1..8), any::<bool>()), 1..8),
        sizes in prop::collection::vec(1usize..40, 1..20),
    ) {
        let (mut stream, mut expected) = (Vec::new(), Vec::new());
        for (arguments, inline) in &requests {
            if *inline {
                stream.extend(arguments.iter().map(|argument| quoted(argument)).collect::<Vec<_>>().join(&b' '));
                stream.extend(b"\r\n");
            } else {
                encode::command(&mut stream, &arguments.iter().map(Vec::as_slice).collect::<Vec<_>>());
            }
            expected.push(arguments.clone());
        }
        prop_assert_eq!(read(&stream, &sizes, Limits::default()), (expected, None));
    }

    #[test]
    fn any_bytes_give_the_same_however_they_are_cut(
        stream in prop::collection::vec(prop_oneof![
            prop::sample::select(&b"*$\r\n0123 \"'\\x"[..]), any::<u8>()], 0..200),
        sizes in prop::collection::vec(1usize..40, 1..20),
    ) {
        let limits = Limits { max_bulk: 20, max_arguments: 20, max_inline: 20 };
        prop_assert_eq!(read(&stream, &sizes, limits), read(&stream, &[1000], limits));
    }
}

/// An argument that is quoted in full: every byte as an escape.
fn quoted(argument: &[u8]) -> Vec<u8> {
    let escapes: String = argument.iter().map(|byte| format!("\\x{byte:02x}")).collect();
    format!("\"{escapes}\"").into_bytes()
}
