//! The small containers that are one string each: what is in them, in order.

use bytes::Bytes;

use crate::error::Problem;
use crate::scan::decimal;

use super::intset::Intset;
use super::listpack::Listpack;
use super::ziplist::Ziplist;
use super::zipmap::Zipmap;

/// What a container holds at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Text(Bytes),
    Number(i64),
}

impl Cell {
    /// As a client sees it.
    pub(super) fn into_text(self) -> Bytes {
        match self {
            Cell::Text(text) => text,
            Cell::Number(number) => decimal(number),
        }
    }

    pub(super) fn number(&self) -> Result<i64, Problem> {
        match self {
            Cell::Number(number) => Ok(*number),
            Cell::Text(text) => std::str::from_utf8(text)
                .ok()
                .and_then(|text| text.parse().ok())
                .ok_or(Problem::Malformed("a text stands where a number must be")),
        }
    }

    pub(super) fn score(&self) -> Result<f64, Problem> {
        match self {
            Cell::Number(number) => Ok(*number as f64),
            Cell::Text(text) => score(text),
        }
    }
}

/// A score as text. `inf`, `-inf` and decimal numbers are what Redis writes.
pub(super) fn score(text: &[u8]) -> Result<f64, Problem> {
    let number = std::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok());
    real(number.ok_or(Problem::Malformed("a score is no number"))?)
}

/// A score that is not NaN, which no server takes.
pub(super) fn real(score: f64) -> Result<f64, Problem> {
    if score.is_nan() { Err(Problem::Malformed("a score is NaN")) } else { Ok(score) }
}

/// A place in a container of any kind.
#[derive(Debug)]
pub(super) enum Cells {
    Ziplist(Ziplist),
    Listpack(Listpack),
    Intset(Intset),
    Zipmap(Zipmap),
}

impl Cells {
    /// The next cell; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Cell>, Problem> {
        match self {
            Cells::Ziplist(ziplist) => ziplist.next(),
            Cells::Listpack(listpack) => listpack.next(),
            Cells::Intset(intset) => Ok(intset.next()),
            Cells::Zipmap(zipmap) => zipmap.next(),
        }
    }

    /// A cell that must be there because one came before.
    pub(super) fn partner(&mut self) -> Result<Cell, Problem> {
        self.next()?.ok_or(Problem::Malformed("the last of the pairs has one half only"))
    }
}
