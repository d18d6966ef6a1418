//! Any bytes are a file or an error, the same in any pieces, and every value in it that is whole decodes or is refused.
//!
//! The input's first two bytes seed the pieces' sizes; the rest is the file. `crates/rdb/tests/fixtures` has good seeds.
//! That nothing is allocated for lengths that are only declared is watched by libFuzzer's own limit for one allocation.
#![no_main]

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use rdb::Error;
use rdb::decode;
use rdb::file::{Event, Limits, Reader};

/// Small, so that parts and refusals of what is too long are reached.
const LIMITS: Limits = Limits { whole: 64, text: 1 << 16 };

fuzz_target!(|input: &[u8]| {
    let Some((seed, file)) = input.split_at_checked(2) else { return };
    let seed = u64::from(u16::from_le_bytes([seed[0], seed[1]]));
    let file = Bytes::copy_from_slice(file);
    let (events, error) = read(vec![file.clone()], LIMITS);
    assert_eq!((&events, &error), (&read(cut(&file, seed), LIMITS).0, &read(cut(&file, seed), LIMITS).1));
    let large = Limits { whole: 1 << 20, ..LIMITS };
    assert_eq!((&events, &error), (&read(cut(&file, seed), large).0, &read(cut(&file, seed), large).1));
    if let Some(error) = error {
        assert!(error.offset <= file.len() as u64);
    }
    let mut key = None;
    for event in events {
        match (event, key.take()) {
            (Event::Key(next), _) => key = Some(next),
            (Event::Part { bytes, last: true }, Some(key)) => {
                assert_eq!(bytes.first(), Some(&key.code.0));
                let _ = decode::value(key.code, &bytes.slice(1..));
            }
            _ => {}
        }
    }
});

/// Pieces of 1 to 16 bytes, from a linear congruential generator.
fn cut(file: &Bytes, mut seed: u64) -> Vec<Bytes> {
    let (mut pieces, mut rest) = (Vec::new(), file.clone());
    while !rest.is_empty() {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let size = 1 + (seed >> 60) as usize;
        pieces.push(rest.split_to(size.min(rest.len())));
    }
    pieces
}

/// Events with every value's parts put together (one that is cut off has `last: false`), and the error.
fn read(pieces: Vec<Bytes>, limits: Limits) -> (Vec<Event>, Option<Error>) {
    let mut reader = Reader::new(limits);
    let (mut events, mut value) = (Vec::new(), BytesMut::new());
    for piece in pieces.into_iter().map(Some).chain([None]) {
        match piece {
            Some(piece) => reader.feed(piece),
            None => reader.finish(),
        }
        loop {
            match reader.next() {
                Ok(Some(Event::Part { bytes, last })) => {
                    assert!(!bytes.is_empty() && bytes.len() <= limits.whole);
                    value.extend_from_slice(&bytes);
                    if last {
                        events.push(Event::Part { bytes: value.split().freeze(), last });
                    }
                }
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(error) => return (events, Some(error)),
            }
        }
    }
    assert!(reader.is_done());
    (events, None)
}
