//! Nanoseconds per element of the decoder and the encoder: the best of several runs, since noise only adds.
//! The streams arrive in pieces of 64 KiB that are copied into the buffer, as a socket's reads would be.

use std::hint::black_box;
use std::time::Instant;

use resp::{Decoder, Limits, Token, encode};

const PIECE: usize = 64 << 10;
const RUNS: usize = 9;

fn main() {
    let payload = [b'x'; 100];

    let replies = 1_000_000;
    let mut stream = Vec::new();
    (0..replies).for_each(|_| encode::bulk(&mut stream, &payload));
    report("copy into the buffer only, per 100-byte bulk", replies, || copy(&stream));
    report("decode 100-byte bulk", replies, || decode(&stream));

    for elements in [10_000, 100_000] {
        let mut stream = Vec::new();
        for _ in 0..1_000_000 / elements {
            encode::array(&mut stream, elements);
            (0..elements).for_each(|_| encode::bulk(&mut stream, &payload));
        }
        report(&format!("decode element of an array of {elements}"), 1_000_000, || decode(&stream));
    }

    let mut out = Vec::with_capacity(1 << 20);
    report("encode SET of 100 bytes", 1_000_000, || {
        for _ in 0..1000 {
            out.clear();
            (0..1000).for_each(|_| encode::command(&mut out, &[b"SET", b"key:000000000001", &payload]));
            black_box(&out);
        }
    });
}

fn report(what: &str, count: usize, mut run: impl FnMut()) {
    let best = (0..RUNS)
        .map(|_| {
            let begin = Instant::now();
            run();
            begin.elapsed()
        })
        .min()
        .unwrap_or_default();
    println!("{:6.1} ns  {what}", best.as_nanos() as f64 / count as f64);
}

fn copy(stream: &[u8]) {
    let mut buffer = Vec::with_capacity(2 * PIECE);
    for piece in stream.chunks(PIECE) {
        buffer.clear();
        buffer.extend_from_slice(piece);
        black_box(&buffer);
    }
}

/// Sums the payloads' lengths, so that every token is looked at.
fn decode(stream: &[u8]) {
    let mut buffer = Vec::with_capacity(2 * PIECE);
    let mut decoder = Decoder::new(Limits::default());
    let mut bytes = 0;
    for piece in stream.chunks(PIECE) {
        buffer.extend_from_slice(piece);
        while let Some(token) = decoder.next(&buffer).expect("the stream is well formed") {
            if let Token::Bulk(range) = token {
                bytes += buffer[range].len();
            }
        }
        buffer.drain(..decoder.release());
    }
    assert!(decoder.at_boundary() && buffer.is_empty());
    black_box(bytes);
}
