//! How much memory a key takes in a server, estimated from what is in the file, without decoding it.
//!
//! Counted is what Redis 6 and 7 allocate on 64-bit machines with jemalloc: the entry in the database's table and its
//! share of the table, the object, the name, the entry among those that expire, and the value. Packed encodings are
//! in memory as they are in the file, unpacked. Tables and skip lists take a fixed amount for each element and the
//! element's bytes as they are in the file; text that LZF has packed inside of them counts packed. So the estimate is
//! a lower one where collections hold long, repetitive elements, and otherwise within some ten percent of what
//! MEMORY USAGE adds up to. Fragmentation, buffers and what an empty server takes are not in it.

use ::rdb::file::Key;

use crate::rdb::value::{length, unpacked};

/// dictEntry with its share of the table, and robj (dict.h, server.h).
const KEY: u64 = 24 + 8 + 16;

/// dictEntry with its share in the table of expiries; the time is inside.
const EXPIRY: u64 = 24 + 8;

/// Header and final zero of a string of medium length (sds.h).
const STRING: u64 = 4;

/// For each element beside its bytes: of a list in its nodes, of a set, a hash and a sorted set in their tables.
const IN_LIST: u64 = 11;
const IN_SET: u64 = 24 + 8 + STRING;
const IN_HASH: u64 = 24 + 8 + 2 * STRING;
const IN_SORTED_SET: u64 = 24 + 8 + STRING + 16 + 8 + 8 + 22;

/// A stream's tree of nodes, and what the stream itself takes (stream.h, rax.h).
const STREAM: u64 = 600;

/// Bytes in memory of a key whose value's body begins with `body` and has `bytes` in all.
pub(super) fn resident(key: &Key, body: &[u8], bytes: u64) -> u64 {
    let expiry = if key.expires_at_ms.is_some() { EXPIRY } else { 0 };
    KEY + allocated(key.name.len() as u64 + STRING) + expiry + value(key.code.0, body, bytes)
}

/// Elements, where the file says it without decoding.
pub(super) fn elements(code: u8, body: &[u8]) -> Option<u64> {
    matches!(code, 1..=5).then(|| length(body).map(|length| length.value)).flatten()
}

fn value(code: u8, body: &[u8], bytes: u64) -> u64 {
    let elements = elements(code, body).unwrap_or(0);
    match code {
        // A number is inside of the object.
        0 if matches!(body.first(), Some(0xc0..=0xc2)) => 0,
        0 => allocated(unpacked(body).unwrap_or(bytes) + STRING),
        1 => bytes + elements * IN_LIST,
        2 => bytes + elements * IN_SET,
        3 | 5 => bytes + elements * IN_SORTED_SET,
        4 => bytes + elements * IN_HASH,
        9..=13 | 16 | 17 | 20 => allocated(unpacked(body).unwrap_or(bytes)),
        15 | 19 | 21 => bytes + STREAM,
        _ => bytes,
    }
}

/// The size that jemalloc gives: steps of 16 up to 128, then four steps for each power of two.
fn allocated(bytes: u64) -> u64 {
    if bytes <= 128 {
        return bytes.next_multiple_of(16).max(16);
    }
    bytes.next_multiple_of((1 << (bytes - 1).ilog2()) / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_jemalloc() {
        let sizes: Vec<u64> =
            [1, 16, 17, 128, 129, 160, 161, 200, 256, 257, 1000, 4097].map(allocated).into();
        assert_eq!(sizes, [16, 16, 32, 128, 160, 160, 192, 224, 256, 320, 1024, 5120]);
    }
}
