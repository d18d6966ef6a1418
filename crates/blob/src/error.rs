//! What went wrong at which place, and what to do.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

/// What sort of thing went wrong, for callers that decide by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// There is no such file or blob.
    NotFound,
    /// There is no such container or folder.
    NoContainer,
    /// The target exists, and overwriting was not allowed.
    AlreadyExists,
    /// Not let in: a wrong key, an expired or insufficient SAS, a missing role, file permissions.
    Refused,
    /// There is nothing to log in with.
    NoCredentials,
    /// The source changed while it was read.
    Changed,
    /// Nothing moved for longer than the give-up time.
    Unreachable,
    /// The bytes are not what they claim to be (gzip).
    Damaged,
    /// The place cannot be used like this: a folder, a blob of another type, a size that is not possible.
    Unsuitable,
    /// What the operating system or the storage account says without a closer meaning here.
    Failed,
}

/// A failed read or write. Its text names the place, what happened and what to do, and never a key, token or signature.
#[derive(Debug)]
pub struct Error(Box<Parts>);

#[derive(Debug)]
struct Parts {
    kind: Kind,
    place: String,
    what: Cow<'static, str>,
    advice: Cow<'static, str>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(
        kind: Kind,
        place: &impl fmt::Display,
        what: impl Into<Cow<'static, str>>,
        advice: impl Into<Cow<'static, str>>,
    ) -> Self {
        let (what, advice) = (what.into(), advice.into());
        Self(Box::new(Parts { kind, place: place.to_string(), what, advice, source: None }))
    }

    pub(crate) fn because(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(Box::new(source));
        self
    }

    /// What sort of thing went wrong.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The file or blob, as [`crate::Place`] shows it.
    pub fn place(&self) -> &str {
        &self.0.place
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.0.place, self.0.what, self.0.advice)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
