//! What reads one part of a key that a first look did not decide.

use client::Read;
use resp::{Token, Value};

use super::line::Want;
use super::lines::Lines;
use crate::digest::both;
use crate::outcome::Kind;
use crate::verdict::Kinds;

/// A reply had a shape that no Redis gives it.
#[derive(Debug)]
pub(super) struct Odd;

/// Asks in steps; each step's replies are all there before the next one.
pub(super) trait Job: Send {
    /// Asks what is needed next. When nothing is asked, the job is done.
    fn ask(&mut self, asker: &mut Asker<'_>);

    /// One token of a reply, in the order of the questions to that side; the bytes are the token's.
    fn token(&mut self, _side: usize, _token: &Token, _bytes: &[u8]) -> Result<(), Odd> {
        Err(Odd)
    }

    /// A whole reply that is no error.
    fn whole(&mut self, _side: usize, _reply: Value) -> Result<(), Odd> {
        Err(Odd)
    }

    /// What it came to.
    fn finding(&self) -> Finding;
}

/// Puts questions about one key.
pub(super) struct Asker<'a> {
    lines: &'a mut Lines,
    routes: [u16; 2],
    names: [&'a [u8]; 2],
    look: u32,
    asked: u32,
}

impl<'a> Asker<'a> {
    pub(super) fn new(lines: &'a mut Lines, routes: [u16; 2], names: [&'a [u8]; 2], look: u32) -> Asker<'a> {
        Asker { lines, routes, names, look, asked: 0 }
    }

    /// The key's name there.
    pub(super) fn name(&self, side: usize) -> &'a [u8] {
        self.names[side]
    }

    pub(super) fn tokens(&mut self, side: usize, read: Read<'_>) {
        self.push(side, Want::Tokens, read);
    }

    pub(super) fn whole(&mut self, side: usize, read: Read<'_>) {
        self.push(side, Want::Whole, read);
    }

    pub(super) fn push(&mut self, side: usize, want: Want, read: Read<'_>) {
        self.lines.line(self.routes[side]).push(self.look, want, read);
        self.asked += 1;
    }

    /// How many replies are to come.
    pub(super) fn asked(&self) -> u32 {
        self.asked
    }
}

/// What is known to differ, and what both sides were like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) kinds: Kinds,
    /// Over everything that was compared.
    pub(super) hash: u128,
    /// Expiries of fields could not be told.
    pub(super) vague: bool,
    /// How wrong the expiry of a field may have been measured.
    pub(super) bound_us: u64,
    /// Nothing can be said about the key.
    pub(super) not_compared: Option<&'static str>,
}

impl Finding {
    /// Compares one thing of both sides; says whether it is equal.
    pub(super) fn compare(&mut self, kind: Kind, sides: [u128; 2]) -> bool {
        self.hash = both(self.hash, both(sides[0], sides[1]));
        let equal = sides[0] == sides[1];
        if !equal {
            self.kinds = self.kinds.with(kind);
        }
        equal
    }

    /// Takes up what another job found after this one.
    pub(super) fn join(&mut self, later: Finding) {
        self.kinds = later.kinds.iter().fold(self.kinds, Kinds::with);
        self.hash = both(self.hash, later.hash);
        self.vague |= later.vague;
        self.bound_us = self.bound_us.max(later.bound_us);
        self.not_compared = self.not_compared.or(later.not_compared);
    }
}
