//! Any bytes are the body of a value or an error, and the same in any pieces.
//!
//! The input's first three bytes are the type code, a seed of the pieces' sizes, and whether it is of Valkey; the rest
//! is the body. With its checksum made right it is also opened as a payload.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use rdb::decode::{Decoder, Element, value_of_version};
use rdb::{Error, TypeCode, Version, dump};

fuzz_target!(|input: &[u8]| {
    let Some((&[code, seed, valkey], body)) = input.split_first_chunk() else { return };
    let code = TypeCode(code);
    let version = if valkey % 2 == 1 { Version::VALKEY_9 } else { Version::REDIS_7_4 };
    let body = Bytes::copy_from_slice(body);

    let (elements, error) = read(code, version, vec![body.clone()]);
    let in_pieces = read(code, version, cut(&body, u64::from(seed)));
    assert_eq!(elements, in_pieces.0);
    // Where in a container the damage is depends on no border, but the end of what came may.
    assert_eq!(error.as_ref().map(|error| &error.problem), in_pieces.1.as_ref().map(|error| &error.problem));
    let whole = value_of_version(code, version, &body);
    if error.is_some() {
        assert!(whole.is_err());
    }
    if let Err(error) = whole {
        assert!(error.offset <= body.len() as u64);
    }

    let _ = dump::open(&body);
    let payload = [&[code.0], &body[..]].concat();
    let footer = dump::footer([&payload[..]], version);
    let payload = [&payload[..], &footer].concat();
    assert_eq!(dump::open(&payload).expect("the sum is right").body, body);
});

/// Pieces of 1 to 16 bytes, from a linear congruential generator.
fn cut(body: &Bytes, mut seed: u64) -> Vec<Bytes> {
    let (mut pieces, mut rest) = (Vec::new(), body.clone());
    while !rest.is_empty() {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let size = 1 + (seed >> 60) as usize;
        pieces.push(rest.split_to(size.min(rest.len())));
    }
    pieces
}

/// Elements as text (so that NaN would be seen, too), with pieces of texts put together, and the error.
fn read(code: TypeCode, version: Version, pieces: Vec<Bytes>) -> (Vec<String>, Option<Error>) {
    let mut decoder = Decoder::of_version(code, version);
    let (mut elements, mut text) = (Vec::new(), Vec::new());
    for piece in pieces.into_iter().map(Some).chain([None]) {
        match piece {
            Some(piece) => decoder.feed(piece),
            None => decoder.finish(),
        }
        loop {
            match decoder.next() {
                Ok(Some(Element::Text(bytes) | Element::Module(bytes))) => text.extend_from_slice(&bytes),
                Ok(Some(element)) => elements.push(format!("{element:?}")),
                Ok(None) => break,
                Err(error) => return (elements, Some(error)),
            }
        }
    }
    assert!(decoder.is_done());
    elements.push(format!("{text:?}"));
    (elements, None)
}
