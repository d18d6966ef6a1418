//! A guess at a key's kind before it is read, learnt from keys with the same beginning.
//!
//! Asking for the type of every key costs the source a command per key. Most caches name their keys so
//! that the beginning tells the kind, so the cheapest read for the guessed kind is sent at once. A wrong
//! guess costs one more read and is never wrong in its result.

/// How a key is read first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Guess {
    /// A string that fits one short read.
    #[default]
    ShortString,
    /// A longer string: its length is asked for first.
    LongString,
    /// Another type: its size is asked for first, then it is dumped.
    Collection,
}

const BUCKETS: usize = 4096;

/// Beginnings longer than this count as equal.
const LONGEST: usize = 32;

/// What was learnt so far, in a table of fixed size; beginnings that share a place share a guess.
#[derive(Debug)]
pub(crate) struct Guesses {
    table: Box<[Guess; BUCKETS]>,
}

impl Default for Guesses {
    fn default() -> Guesses {
        Guesses { table: Box::new([Guess::default(); BUCKETS]) }
    }
}

impl Guesses {
    pub(crate) fn of(&self, key: &[u8]) -> Guess {
        self.table[place(key)]
    }

    pub(crate) fn learn(&mut self, key: &[u8], guess: Guess) {
        self.table[place(key)] = guess;
    }
}

/// FNV-1a over the key up to its first separator or digit.
fn place(key: &[u8]) -> usize {
    let mut hash: u32 = 0x811c_9dc5;
    for &byte in key.iter().take(LONGEST) {
        if byte.is_ascii_digit() || matches!(byte, b':' | b'/' | b'|' | b'.' | b'{') {
            break;
        }
        hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    }
    (hash ^ (hash >> 16)) as usize % BUCKETS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_with_the_same_beginning_share_what_was_learnt() {
        let mut guesses = Guesses::default();
        guesses.learn(b"session:1", Guess::Collection);
        assert_eq!(guesses.of(b"session:99"), Guess::Collection);
        assert_eq!(guesses.of(b"user:1"), Guess::ShortString);
    }
}
