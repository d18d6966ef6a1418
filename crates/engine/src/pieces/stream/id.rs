//! Ids of stream entries.

use std::fmt;

/// Milliseconds and sequence number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Id {
    ms: u64,
    seq: u64,
}

impl Id {
    pub(super) fn parse(text: &[u8]) -> Option<Id> {
        let (ms, seq) = std::str::from_utf8(text).ok()?.split_once('-')?;
        Some(Id { ms: ms.parse().ok()?, seq: seq.parse().ok()? })
    }

    /// The smallest id after this one. Redis before 6.2 knows no ranges that exclude their beginning.
    pub(super) fn next(self) -> Option<Id> {
        match self.seq.checked_add(1) {
            Some(seq) => Some(Id { seq, ..self }),
            None => Some(Id { ms: self.ms.checked_add(1)?, seq: 0 }),
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_carries() {
        let next = |text: &str| Id::parse(text.as_bytes()).unwrap().next().map(|id| id.to_string());
        assert_eq!(next("5-7").as_deref(), Some("5-8"));
        assert_eq!(next("5-18446744073709551615").as_deref(), Some("6-0"));
        assert_eq!(next("18446744073709551615-18446744073709551615"), None);
        for text in ["", "5", "-", "5-", "5-x", "5-18446744073709551616", "-1-1"] {
            assert_eq!(Id::parse(text.as_bytes()), None, "{text}");
        }
    }
}
