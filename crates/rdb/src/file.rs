//! Whole RDB files, in chunks.

mod reader;
mod record;
mod writer;

use bytes::Bytes;

pub use self::reader::Reader;
pub use self::writer::Writer;
use crate::kind::TypeCode;
use crate::version::Version;

/// What comes next in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The file's version; the first event.
    Version(Version),
    /// A fact about the server or the file (`redis-ver`, `used-mem`, ...).
    Aux(Bytes, Bytes),
    /// What a module keeps besides keys, as it is in the file behind the opcode.
    ModuleAux(Bytes),
    /// What modules keep about the key that follows (Redis 8.6), as it is in the file behind the opcode. It is no
    /// part of the key's payload; servers before 8.6 have no place for it.
    KeyMetadata(Bytes),
    /// A library of functions.
    Function(Bytes),
    /// The keys that follow are in this database.
    Database(u32),
    /// How many keys, and how many of them expire, the database has.
    Sizes {
        /// Keys.
        keys: u64,
        /// Keys with an expiry.
        expires: u64,
    },
    /// How many keys a slot has (Redis 8, Valkey 9).
    Slot {
        /// The slot.
        slot: u16,
        /// Keys.
        keys: u64,
        /// Keys with an expiry.
        expires: u64,
    },
    /// A key; the bytes of its value follow.
    Key(Key),
    /// Bytes of the value, from its type code on: with the footer of [`dump::footer`](crate::dump::footer) behind
    /// them they are what DUMP gives. A value up to the reader's `whole` comes in one piece, a larger one in several
    /// that are not larger each.
    Part {
        /// The bytes.
        bytes: Bytes,
        /// The value ends here.
        last: bool,
    },
    /// The end of the file. Zeros may follow, as in Azure's page blobs.
    End(Checksum),
}

/// What a file's checksum says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checksum {
    /// The bytes are those that were written.
    Right,
    /// The server that wrote the file had checksums switched off, or the version has none.
    Absent,
}

/// A key, before its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its name.
    pub name: Bytes,
    /// The encoding of its value.
    pub code: TypeCode,
    /// When it expires, in milliseconds since 1970.
    pub expires_at_ms: Option<u64>,
    /// Seconds since its last use (where the policy was LRU).
    pub idle_s: Option<u64>,
    /// How often it is used (where the policy was LFU).
    pub frequency: Option<u8>,
}

/// How much a reader holds.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Values up to this many bytes come in one part.
    pub whole: usize,
    /// Names, aux fields, functions and module aux up to this many bytes.
    pub text: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { whole: 8 << 20, text: 512 << 20 }
    }
}
