//! What is wrong with a file or payload, and where.

use crate::kind::TypeCode;

/// Something is wrong with the bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem} (at byte {offset}{})", of_type.map_or(String::new(), |code| format!(", in a value of type {}", code.0)))]
pub struct Error {
    /// What.
    pub problem: Problem,
    /// Bytes from the beginning of the file, or of the value when only that is read.
    pub offset: u64,
    /// The value's type, when it is inside of one.
    pub of_type: Option<TypeCode>,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// It does not begin with `REDIS` (or `VALKEY`) and a version.
    #[error("this is no RDB file")]
    NoMagic,
    /// A version that is not known: of a newer server.
    #[error("RDB version {0} is newer than this redferry knows")]
    UnknownVersion(u16),
    /// The bytes end in the middle.
    #[error("it ends too early: the file is cut off")]
    Truncated,
    /// The checksum at the end is another one than that of the bytes.
    #[error("the checksum is wrong: the file is damaged")]
    Checksum,
    /// A code that is neither a type nor an opcode of any known version.
    #[error("type or opcode {0} is not known")]
    UnknownCode(u8),
    /// A length or encoding that cannot be.
    #[error("{0}")]
    Malformed(&'static str),
    /// A length above what is read at once.
    #[error("a length of {0} bytes is above the limit")]
    TooLong(u64),
}
