//! Any bytes, in any pieces: replies and requests come out the same, and nothing panics or grows out of bounds.
//!
//! The input's first two bytes seed the pieces' sizes; the rest is the stream.
#![no_main]

use std::fmt::Write as _;

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use resp::{Decoder, Limits, ValueDecoder, request};

fuzz_target!(|input: &[u8]| {
    let Some((seed, stream)) = input.split_at_checked(2) else { return };
    let seed = u64::from(u16::from_le_bytes([seed[0], seed[1]]));
    let limits = Limits { max_bulk: 1 << 16, max_elements: 1 << 16, max_depth: 8, max_line: 256 };
    assert_eq!(replies(&[stream], limits), replies(&cut(stream, seed), limits));
    assert_eq!(values(&[stream], limits), values(&cut(stream, seed), limits));
    let limits = request::Limits { max_bulk: 1 << 16, max_arguments: 1 << 16, max_inline: 256 };
    assert_eq!(requests(&[stream], limits), requests(&cut(stream, seed), limits));
});

/// Pieces of 1 to 16 bytes, from a linear congruential generator.
fn cut(mut stream: &[u8], mut seed: u64) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    while !stream.is_empty() {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let size = 1 + (seed >> 60) as usize;
        let (piece, rest) = stream.split_at(size.min(stream.len()));
        pieces.push(piece);
        stream = rest;
    }
    pieces
}

/// Tokens with offsets in the stream, boundaries and the error, as text.
fn replies(pieces: &[&[u8]], limits: Limits) -> String {
    let mut decoder = Decoder::new(limits);
    let (mut buffer, mut released, mut log) = (Vec::new(), 0, String::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            let before = decoder.consumed();
            match decoder.next(&buffer) {
                Ok(Some(token)) => {
                    let bytes = &buffer[before..decoder.consumed()];
                    let kind = std::mem::discriminant(&token);
                    let _ =
                        writeln!(log, "{} {kind:?} {bytes:?} {}", released + before, decoder.at_boundary());
                }
                Ok(None) => break,
                Err(error) => {
                    let _ = writeln!(log, "{error}");
                    return log;
                }
            }
        }
        assert!(decoder.missing(buffer.len()) >= 1);
        // Every other time, so that frames also grow in the buffer.
        if piece.len() % 2 == 0 {
            let count = decoder.release();
            buffer.drain(..count);
            released += count;
        }
    }
    log
}

fn values(pieces: &[&[u8]], limits: Limits) -> (Vec<resp::Value>, Option<resp::DecodeError>) {
    let mut decoder = ValueDecoder::new(limits);
    let (mut buffer, mut values) = (BytesMut::new(), Vec::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            match decoder.feed(&mut buffer) {
                Ok(Some(value)) => values.push(value),
                Ok(None) => break,
                Err(error) => return (values, Some(error)),
            }
        }
    }
    (values, None)
}

type Requests = (Vec<Vec<Vec<u8>>>, Option<request::RequestError>);

fn requests(pieces: &[&[u8]], limits: request::Limits) -> Requests {
    let mut decoder = request::Decoder::new(limits);
    let (mut buffer, mut requests) = (Vec::new(), Vec::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            match decoder.next(&buffer) {
                Ok(Some(request)) => requests.push(request.arguments().map(<[u8]>::to_vec).collect()),
                Ok(None) => break,
                Err(error) => return (requests, Some(error)),
            }
        }
        assert!(decoder.missing(buffer.len()) >= 1);
        buffer.drain(..decoder.release());
    }
    (requests, None)
}
