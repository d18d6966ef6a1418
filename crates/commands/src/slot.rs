//! Redis Cluster's hashing (`cluster.c` `keyHashSlot`, `crc16.c`).

use std::sync::OnceLock;

/// Number of hash slots of a Redis Cluster.
pub const SLOTS: u16 = 16384;

/// The hash slot of a key: CRC-16/XMODEM of its hash tag, modulo [`SLOTS`].
pub fn slot(key: &[u8]) -> u16 {
    crc16(hash_tag(key)) % SLOTS
}

/// The part of a key that is hashed: what is between the first `{` and the first `}` behind it, or the whole key
/// when there is no such pair or nothing in it.
pub fn hash_tag(key: &[u8]) -> &[u8] {
    let Some(open) = key.iter().position(|&byte| byte == b'{') else { return key };
    let behind = &key[open + 1..];
    match behind.iter().position(|&byte| byte == b'}') {
        None | Some(0) => key,
        Some(close) => &behind[..close],
    }
}

/// A short decimal number that hashes to the slot, for keys of one's own in a slot of one's choice:
/// `name:{` tag `}`. Slots count modulo [`SLOTS`]. The first call computes all of them, in some milliseconds.
pub fn tag_for_slot(slot: u16) -> String {
    static TAGS: OnceLock<Vec<u32>> = OnceLock::new();
    TAGS.get_or_init(smallest_tags)[usize::from(slot % SLOTS)].to_string()
}

/// For every slot the smallest number whose decimal text hashes to it.
fn smallest_tags() -> Vec<u32> {
    let mut tags: Vec<Option<u32>> = vec![None; usize::from(SLOTS)];
    let mut left = tags.len();
    for number in 0.. {
        let tag = &mut tags[usize::from(crc16(number.to_string().as_bytes()) % SLOTS)];
        if tag.is_none() {
            *tag = Some(number);
            left -= 1;
            if left == 0 {
                break;
            }
        }
    }
    tags.into_iter().flatten().collect()
}

fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, &byte| (crc << 8) ^ CRC16[usize::from((crc >> 8) as u8 ^ byte)])
}

/// CRC-16/XMODEM: polynomial 0x1021, no reflection, starting at 0.
const CRC16: [u16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < table.len() {
        let mut crc = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};
