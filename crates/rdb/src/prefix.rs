//! The lengths in front of everything in RDB. Source: `rdbLoadLenByRef` and `rdbGenericLoadStringObject` in Redis'
//! rdb.c.

use crate::error::Problem;

/// What stands at the beginning of some bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Prefix<T> {
    /// It, and how many bytes it takes.
    Whole(T, usize),
    /// It takes at least that many bytes, which are more than there are.
    Needs(usize),
    /// It cannot be.
    Bad(Problem),
}

/// A length, or how the string is encoded that stands there instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    Plain(u64),
    Encoded(u8),
}

/// What follows of a string behind its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    /// That many bytes.
    Plain(u64),
    /// A number of 1, 2 or 4 bytes.
    Number(u8),
    /// LZF of that many bytes, that makes that many.
    Lzf { compressed: u64, length: u64 },
}

impl<T> Prefix<T> {
    /// With another meaning.
    #[inline]
    pub(crate) fn map<U>(self, to: impl FnOnce(T) -> U) -> Prefix<U> {
        match self {
            Prefix::Whole(value, size) => Prefix::Whole(to(value), size),
            Prefix::Needs(size) => Prefix::Needs(size),
            Prefix::Bad(problem) => Prefix::Bad(problem),
        }
    }

    /// With what the next bytes say.
    #[inline]
    pub(crate) fn and_then<U>(self, bytes: &[u8], next: impl FnOnce(T, &[u8]) -> Prefix<U>) -> Prefix<U> {
        match self {
            Prefix::Whole(value, first) => match next(value, &bytes[first..]) {
                Prefix::Whole(value, size) => Prefix::Whole(value, first + size),
                Prefix::Needs(size) => Prefix::Needs(first + size),
                Prefix::Bad(problem) => Prefix::Bad(problem),
            },
            Prefix::Needs(size) => Prefix::Needs(size),
            Prefix::Bad(problem) => Prefix::Bad(problem),
        }
    }
}

impl Text {
    /// Bytes that follow.
    pub(crate) fn follows(self) -> u64 {
        match self {
            Text::Plain(length) => length,
            Text::Number(width) => u64::from(width),
            Text::Lzf { compressed, .. } => compressed,
        }
    }
}

/// A length: 6 bits, 14 bits, or 4 or 8 bytes, big-endian.
#[inline]
pub(crate) fn length(bytes: &[u8]) -> Prefix<Length> {
    let Some(&first) = bytes.first() else { return Prefix::Needs(1) };
    match first {
        0..0x40 => Prefix::Whole(Length::Plain(u64::from(first)), 1),
        0x40..0x80 => match bytes.get(1) {
            Some(&second) => {
                Prefix::Whole(Length::Plain(u64::from(first & 0x3f) << 8 | u64::from(second)), 2)
            }
            None => Prefix::Needs(2),
        },
        0x80 => match bytes.get(1..).and_then(<[u8]>::first_chunk) {
            Some(four) => Prefix::Whole(Length::Plain(u64::from(u32::from_be_bytes(*four))), 5),
            None => Prefix::Needs(5),
        },
        0x81 => match bytes.get(1..).and_then(<[u8]>::first_chunk) {
            Some(eight) => Prefix::Whole(Length::Plain(u64::from_be_bytes(*eight)), 9),
            None => Prefix::Needs(9),
        },
        0x82..0xc0 => Prefix::Bad(Problem::Malformed("a length has an unknown form")),
        0xc0.. => Prefix::Whole(Length::Encoded(first & 0x3f), 1),
    }
}

/// A length that is no encoding.
#[inline]
pub(crate) fn plain_length(bytes: &[u8]) -> Prefix<u64> {
    length(bytes).and_then(bytes, |length, _| match length {
        Length::Plain(length) => Prefix::Whole(length, 0),
        Length::Encoded(_) => {
            Prefix::Bad(Problem::Malformed("an encoded string stands where a length must be"))
        }
    })
}

/// The prefix of a string.
#[inline]
pub(crate) fn text(bytes: &[u8]) -> Prefix<Text> {
    length(bytes).and_then(bytes, |length, rest| match length {
        Length::Plain(length) => Prefix::Whole(Text::Plain(length), 0),
        Length::Encoded(width @ 0..=2) => Prefix::Whole(Text::Number(1 << width), 0),
        Length::Encoded(3) => lengths(rest).map(|[compressed, length]| Text::Lzf { compressed, length }),
        Length::Encoded(_) => Prefix::Bad(Problem::Malformed("a string has an unknown encoding")),
    })
}

/// That many lengths.
pub(crate) fn lengths<const N: usize>(bytes: &[u8]) -> Prefix<[u64; N]> {
    let mut lengths = [0; N];
    let mut at = 0;
    for each in &mut lengths {
        match plain_length(&bytes[at..]) {
            Prefix::Whole(length, size) => {
                *each = length;
                at += size;
            }
            Prefix::Needs(size) => return Prefix::Needs(at + size),
            Prefix::Bad(problem) => return Prefix::Bad(problem),
        }
    }
    Prefix::Whole(lengths, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_every_form_and_asks_for_what_is_cut() {
        let cases: [(&[u8], Text); 9] = [
            (&[0], Text::Plain(0)),
            (&[63], Text::Plain(63)),
            (&[0x40 | 1, 2], Text::Plain(258)),
            (&[0x80, 1, 2, 3, 4], Text::Plain(0x0102_0304)),
            (&[0x81, 1, 2, 3, 4, 5, 6, 7, 8], Text::Plain(0x0102_0304_0506_0708)),
            (&[0xc0], Text::Number(1)),
            (&[0xc1], Text::Number(2)),
            (&[0xc2], Text::Number(4)),
            (&[0xc3, 9, 0x41, 0], Text::Lzf { compressed: 9, length: 256 }),
        ];
        for (bytes, expected) in cases {
            assert_eq!(text(bytes), Prefix::Whole(expected, bytes.len()));
            for cut in 0..bytes.len() {
                let Prefix::Needs(size) = text(&bytes[..cut]) else { panic!("{bytes:?} cut at {cut}") };
                assert!(size > cut && size <= bytes.len());
            }
        }
    }

    #[test]
    fn refuses_other_forms() {
        for bytes in [[0x82, 0], [0xbf, 0], [0xc4, 0], [0xff, 0], [0xc3, 0xc0]] {
            assert!(matches!(text(&bytes), Prefix::Bad(_)), "{bytes:?}");
        }
        assert!(matches!(plain_length(&[0xc0]), Prefix::Bad(_)));
    }
}
