//! Types as they are read, and a guess at a key's type before it is asked for.

/// How a key is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum ValueKind {
    #[default]
    Text,
    List,
    Set,
    Hash,
    Zset,
    Stream,
    /// A module's: by DUMP.
    Other,
}

impl ValueKind {
    /// By TYPE's word for it.
    pub(super) fn of(name: &[u8]) -> ValueKind {
        match name {
            b"string" => ValueKind::Text,
            b"list" => ValueKind::List,
            b"set" => ValueKind::Set,
            b"hash" => ValueKind::Hash,
            b"zset" => ValueKind::Zset,
            b"stream" => ValueKind::Stream,
            _ => ValueKind::Other,
        }
    }
}

const PLACES: usize = 4096;

/// Beginnings that agree in this many bytes count as equal.
const LONGEST: usize = 24;

/// What the last key with the same beginning was. Asking for the type of every key would cost both sides a command a
/// key; a wrong guess costs one key two more and is never wrong in its result. The table has a fixed size, so
/// beginnings that share a place share a guess.
pub(super) struct Guesses(Box<[ValueKind; PLACES]>);

impl Default for Guesses {
    fn default() -> Guesses {
        Guesses(Box::new([ValueKind::Text; PLACES]))
    }
}

impl Guesses {
    pub(super) fn of(&self, key: &[u8]) -> ValueKind {
        self.0[place(key)]
    }

    pub(super) fn learn(&mut self, key: &[u8], kind: ValueKind) {
        self.0[place(key)] = kind;
    }
}

fn place(key: &[u8]) -> usize {
    let beginning = &key[..key.len().min(LONGEST)];
    let ends = |byte: &u8| byte.is_ascii_digit() || b":/|.-{@#".contains(byte);
    let length = beginning.iter().position(ends).unwrap_or(beginning.len());
    let mixed = beginning[..length].iter().fold(0x9e37_79b9_7f4a_7c15u64, |mixed, byte| {
        (mixed ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    (mixed >> 32) as usize % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_with_the_same_beginning_share_a_guess() {
        let mut guesses = Guesses::default();
        guesses.learn(b"cart:1", ValueKind::Hash);
        assert_eq!(guesses.of(b"cart:99"), ValueKind::Hash);
        assert_eq!(guesses.of(b"user:1"), ValueKind::Text);
        guesses.learn(b"", ValueKind::List);
        assert_eq!(guesses.of(b":x"), ValueKind::List);
    }
}
