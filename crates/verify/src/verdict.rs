//! What one look at a key on both sides says.

use crate::outcome::Kind;
use crate::scope::Scope;

/// A key of the source and its place on the target.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Pair {
    /// Database on the source.
    pub(crate) db: u32,
    /// Name on the source.
    pub(crate) key: Box<[u8]>,
    /// Database on the target.
    pub(crate) target_db: u32,
    /// Name on the target, where it is another one.
    pub(crate) renamed: Option<Box<[u8]>>,
    /// Whatever the source has, the name on the target is none that anybody copied there.
    pub(crate) leftover: bool,
}

impl Pair {
    /// A key of the source, with the name that it has on the target.
    pub(crate) fn of_source(scope: &dyn Scope, db: u32, key: &[u8]) -> Pair {
        let renamed = if scope.keeps_names(db) { None } else { scope.name_on_target(db, key) };
        let renamed = renamed.map(Vec::into_boxed_slice);
        Pair { db, key: key.into(), target_db: scope.target_db(db), renamed, leftover: false }
    }

    /// The name on the target.
    pub(crate) fn name(&self) -> &[u8] {
        self.renamed.as_deref().unwrap_or(&self.key)
    }
}

/// A set of kinds of difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Kinds(u8);

impl Kinds {
    pub(crate) fn with(self, kind: Kind) -> Kinds {
        Kinds(self.0 | 1 << kind as u8)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn contains(self, kind: Kind) -> bool {
        self.0 & 1 << kind as u8 != 0
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(move |kind| self.contains(*kind))
    }
}

/// What both sides of a key were like, as far as it was looked at: two of them are alike when neither side
/// changed in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct State {
    /// Over everything but times to live.
    pub(crate) hash: u128,
    /// When the key expires on the source and on the target, in milliseconds of this machine's clock of the run;
    /// `None` without key or expiry.
    pub(crate) expires_ms: [Option<i64>; 2],
}

impl State {
    /// Whether nothing but measurement can have moved.
    pub(crate) fn is_like(&self, other: &State, tolerance_ms: i64) -> bool {
        let near = |a: Option<i64>, b: Option<i64>| match (a, b) {
            (None, None) => true,
            (Some(a), Some(b)) => (a - b).abs() <= tolerance_ms,
            _ => false,
        };
        self.hash == other.hash
            && near(self.expires_ms[0], other.expires_ms[0])
            && near(self.expires_ms[1], other.expires_ms[1])
    }
}

/// What one look at a key says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Neither side has it (any more).
    Gone,
    /// Nothing differs that this level sees.
    Equal,
    /// It differs in these ways.
    Differs(Kinds, State),
    /// Times to live were measured too vaguely to tell; nothing else differs.
    Vague(State),
    /// A side would not show it, for this reason.
    NotCompared(&'static str),
}
