//! What stands in the way, or is to be known.

use serde::Serialize;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The move fails, or the applications do, unless something is done first.
    Blocker,
    /// Something changes that may hurt.
    Warning,
    /// To be known.
    Note,
}

impl Severity {
    pub const ALL: [Severity; 3] = [Severity::Blocker, Severity::Warning, Severity::Note];

    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Blocker => "blocker",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}

/// Something that was found, what shows it, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Stable, such as `several_databases`.
    pub id: &'static str,
    pub severity: Severity,
    pub title: String,
    pub evidence: String,
    pub remedy: String,
}

impl Finding {
    pub(super) fn new(
        id: &'static str,
        severity: Severity,
        title: impl Into<String>,
        evidence: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Finding {
        Finding { id, severity, title: title.into(), evidence: evidence.into(), remedy: remedy.into() }
    }
}
