//! The writing half: greedy, by a table of where three bytes were last seen, as LibLZF does it.

/// The longest row of literals, the longest copy, and how far back a copy reaches.
const LITERALS: usize = 32;
const LONGEST: usize = 264;
const REACH: usize = 8192;

/// Three bytes are the least that a copy saves anything for.
const SHORTEST: usize = 3;

/// Redis keeps a string as it is unless it gets shorter by this many bytes (`rdbSaveLzfStringObject` in rdb.c).
const GAIN: usize = 4;

/// After so many bytes without a match, two to the power of this, the search takes larger steps, as LZ4 does: 1 MiB of
/// noise takes 0.2 ms and not 6 (2026-11-25).
const PATIENCE: u32 = 6;

/// The block, if it is worth it.
pub(crate) fn compressed(input: &[u8]) -> Option<Vec<u8>> {
    let limit = input.len().checked_sub(GAIN)?;
    // Positions are kept in 32 bits.
    u32::try_from(input.len()).ok()?;
    let last = input.len().checked_sub(SHORTEST)?;
    let mut seen = Seen::new(input.len());
    let mut out = Vec::with_capacity(limit.min(64 << 10));
    let mut literals = 0;
    let mut at = 0;
    while at <= last {
        let Some(from) = seen.swap(input, at) else {
            at += 1 + ((at - literals) >> PATIENCE);
            continue;
        };
        let length = common(&input[from..], &input[at..]);
        write_literals(&input[literals..at], &mut out);
        write_copy(at - from, length, &mut out);
        if out.len() > limit {
            return None;
        }
        at += length;
        literals = at;
        // As LibLZF, only the last two places inside are remembered: 100 KB of JSON take 0.11 ms and not 0.26, and get
        // 1 % longer (2026-11-25).
        for inside in at - 2..at.min(last + 1) {
            seen.remember(input, inside);
        }
    }
    write_literals(&input[literals..], &mut out);
    (out.len() <= limit).then_some(out)
}

/// Bytes that both begin with.
fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take(LONGEST).take_while(|(a, b)| a == b).count()
}

fn write_literals(literals: &[u8], out: &mut Vec<u8>) {
    for row in literals.chunks(LITERALS) {
        out.push(row.len() as u8 - 1);
        out.extend_from_slice(row);
    }
}

fn write_copy(distance: usize, length: usize, out: &mut Vec<u8>) {
    let [high, low] = ((distance - 1) as u16).to_be_bytes();
    let length = length - 2;
    if length < 7 {
        out.push(((length as u8) << 5) | high);
    } else {
        out.push((7 << 5) | high);
        out.push((length - 7) as u8);
    }
    out.push(low);
}

/// Where three bytes were last seen, by their hash; one position each, counted from 1.
struct Seen {
    positions: Vec<u32>,
    shift: u32,
}

impl Seen {
    /// Short inputs get a small table: clearing a large one would cost more than the compression.
    fn new(length: usize) -> Seen {
        let bits = (length.ilog2() + 2).clamp(7, 15);
        Seen { positions: vec![0; 1 << bits], shift: 32 - bits }
    }

    /// The last place within reach of the three bytes at `at`, which is remembered instead.
    fn swap(&mut self, input: &[u8], at: usize) -> Option<usize> {
        let from = self.remember(input, at).checked_sub(1)? as usize;
        (at - from <= REACH && input[from..from + SHORTEST] == input[at..at + SHORTEST]).then_some(from)
    }

    fn remember(&mut self, input: &[u8], at: usize) -> u32 {
        let bytes = u32::from_be_bytes([0, input[at], input[at + 1], input[at + 2]]);
        // Knuth's multiplicative hash.
        let slot = bytes.wrapping_mul(0x9E37_79B1) >> self.shift;
        std::mem::replace(&mut self.positions[slot as usize], at as u32 + 1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lzf::decompress;

    fn check(input: &[u8]) -> Option<usize> {
        let block = compressed(input)?;
        assert!(block.len() + GAIN <= input.len());
        assert_eq!(decompress(&block, input.len() as u64).as_deref(), Ok(input));
        Some(block.len())
    }

    #[test]
    fn borders_of_lengths_and_distances() {
        for length in [0, 1, 4, 5, 20, 263, 264, 265, 266, 267, 268, 529, 530, 100_000] {
            check(&vec![b'a'; length]);
        }
        for distance in 8189..8196 {
            let noise = (0..distance).map(|n: usize| (n * n / 7 + n / 251) as u8);
            let input: Vec<u8> = b"0123456789".iter().copied().chain(noise).chain(*b"0123456789").collect();
            check(&input);
        }
        assert_eq!(check(&[b'a'; 265]), Some(5));
        assert_eq!(check(b""), None);
        assert_eq!(check(b"abcdefghijklmnopqrstuvwxyz"), None);
    }

    proptest! {
        #[test]
        fn what_is_compressed_comes_back(
            pieces in prop::collection::vec((0u8..4, prop::collection::vec(any::<u8>(), 1..20), 1usize..200), 0..40)
        ) {
            let input: Vec<u8> = pieces
                .into_iter()
                .flat_map(|(kind, bytes, times)| if kind == 0 { bytes } else { bytes.repeat(times) })
                .collect();
            check(&input);
        }
    }
}
