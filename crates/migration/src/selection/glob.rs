//! Redis' globs on bytes, with the server's answers in every corner (util.c, stringmatchlen; db.c, SCAN).

use std::fmt;

/// A server since 6.0.18 gives up at this many nested stars and matches nothing (CVE-2022-36021).
pub(super) const MAX_STARS: usize = 1000;

/// A compiled glob.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Glob {
    pattern: Vec<u8>,
    tokens: Vec<Token>,
}

#[derive(Clone, PartialEq, Eq)]
enum Token {
    /// Any number of bytes, also none.
    Star,
    /// Any one byte.
    Any,
    Byte(u8),
    /// One byte of a set: `[abc]`, `[^a]`, `[a-z]`.
    Class(Box<ByteSet>),
}

type ByteSet = [bool; 256];

impl Glob {
    /// Compiles any pattern: Redis knows no syntax error in a glob. `None` when it has too many stars.
    pub(super) fn new(pattern: &[u8]) -> Option<Glob> {
        if pattern.iter().filter(|&&byte| byte == b'*').count() > MAX_STARS {
            return None;
        }
        Some(Glob { pattern: pattern.to_vec(), tokens: compile(pattern) })
    }

    /// The glob as it was written.
    pub(super) fn pattern(&self) -> &[u8] {
        &self.pattern
    }

    /// Time is at most pattern length times key length.
    pub(super) fn matches(&self, key: &[u8]) -> bool {
        if key.is_empty() {
            // SCAN takes a lone star as "no pattern"; any other star does not match the empty key.
            return self.pattern.is_empty() || self.pattern == b"*";
        }
        match_tokens(&self.tokens, key)
    }
}

/// Matches token by token. On a mismatch only the last star may take one byte more: an earlier star
/// cannot help, because what stood between the two has matched at the earliest place already.
fn match_tokens(tokens: &[Token], key: &[u8]) -> bool {
    let (mut t, mut k) = (0, 0);
    let mut last_star = None;
    while k < key.len() {
        match tokens.get(t) {
            Some(Token::Star) => {
                last_star = Some((t, k));
                t += 1;
                continue;
            }
            Some(token) if token.takes(key[k]) => {
                t += 1;
                k += 1;
                continue;
            }
            _ => {}
        }
        let Some((star, taken_to)) = last_star else { return false };
        last_star = Some((star, taken_to + 1));
        t = star + 1;
        k = taken_to + 1;
    }
    tokens[t..].iter().all(|token| *token == Token::Star)
}

impl Token {
    fn takes(&self, byte: u8) -> bool {
        match self {
            Token::Star => false,
            Token::Any => true,
            Token::Byte(wanted) => *wanted == byte,
            Token::Class(set) => set[usize::from(byte)],
        }
    }
}

fn compile(mut rest: &[u8]) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(rest.len());
    loop {
        let (token, after) = match rest {
            [] => return tokens,
            [b'*', after @ ..] => (Token::Star, after),
            [b'?', after @ ..] => (Token::Any, after),
            [b'[', after @ ..] => class(after),
            [b'\\', byte, after @ ..] | [byte, after @ ..] => (Token::Byte(*byte), after),
        };
        if !(token == Token::Star && tokens.last() == Some(&Token::Star)) {
            tokens.push(token);
        }
        rest = after;
    }
}

/// Compiles what follows a `[`. A class that is never closed ends with the pattern; a `]` at its
/// beginning closes it, and a `-]` is a range up to `]`.
fn class(rest: &[u8]) -> (Token, &[u8]) {
    let (negated, mut rest) = match rest {
        [b'^', after @ ..] => (true, after),
        _ => (false, rest),
    };
    let mut set: Box<ByteSet> = Box::new([false; 256]);
    loop {
        rest = match rest {
            [] => break,
            [b'\\', byte, after @ ..] => {
                set[usize::from(*byte)] = true;
                after
            }
            [b']', after @ ..] => {
                rest = after;
                break;
            }
            [first, b'-', last, after @ ..] => {
                add_range(&mut set, *first, *last);
                after
            }
            [byte, after @ ..] => {
                set[usize::from(*byte)] = true;
                after
            }
        };
    }
    if negated {
        set.iter_mut().for_each(|member| *member = !*member);
    }
    (Token::Class(set), rest)
}

/// The ends may come in either order. Redis compares C `char`s, which are signed on x86-64 where the
/// Azure caches run, so 0x80 to 0xff sort before 0.
fn add_range(set: &mut ByteSet, first: u8, last: u8) {
    let (first, last) = (first.cast_signed(), last.cast_signed());
    for byte in first.min(last)..=first.max(last) {
        set[usize::from(byte.cast_unsigned())] = true;
    }
}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Glob({:?})", self.pattern.escape_ascii().to_string())
    }
}
