//! Strings that are longer than the first short read.

use client::Read;
use resp::Token;

use super::job::{Asker, Finding, Job, Odd};
use super::sides::BOTH;
use crate::digest::{Text, both};
use crate::outcome::Kind;

/// Most bytes of one reply: it is decoded as a whole, so it has to fit into memory.
pub(super) const PIECE: u64 = 1 << 20;

/// Pieces that are asked for at once.
const AHEAD: usize = 2;

pub(super) struct TextJob {
    length: u64,
    piece: u64,
    next: u64,
    texts: [Text; 2],
}

impl TextJob {
    /// For strings of this length on both sides.
    pub(super) fn new(length: u64, piece: u64) -> TextJob {
        TextJob { length, piece: piece.clamp(1, PIECE), next: 0, texts: Default::default() }
    }
}

impl Job for TextJob {
    fn ask(&mut self, asker: &mut Asker<'_>) {
        for _ in 0..AHEAD {
            if self.next >= self.length {
                return;
            }
            let end = self.next + self.piece;
            for side in BOTH {
                asker.tokens(side, Read::GetRange(asker.name(side), self.next, end - 1));
            }
            self.next = end;
        }
    }

    fn token(&mut self, side: usize, token: &Token, bytes: &[u8]) -> Result<(), Odd> {
        let Token::Bulk(_) = token else { return Err(Odd) };
        self.texts[side].push(bytes);
        Ok(())
    }

    fn finding(&self) -> Finding {
        let mut finding = Finding::default();
        let digest = |text: &Text| both(u128::from(text.length()), text.digest());
        finding.compare(Kind::Value, [digest(&self.texts[0]), digest(&self.texts[1])]);
        finding
    }
}
