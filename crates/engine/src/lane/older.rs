//! Values for a target that reads an older version than the source writes.

use std::ops::Range;

use bytes::Bytes;
use client::SHARE_FROM;
use migration::tally::Cause;
use rdb::{Kind, TypeCode, Unfit, Version, dump, transcode};

use super::{Lane, cause_of};

/// What a payload is for the target.
pub(super) enum ForTarget {
    /// The target takes it as it is, as far as is known.
    AsItIs,
    /// It was written anew.
    Anew(Bytes),
    /// The target's version cannot hold it.
    Not(Cause),
    /// It cannot be written anew here: its type's commands may do it.
    InPieces,
}

impl Lane {
    /// Looks at a payload that has arrived, and writes it anew where the target is too old for it. A module's value is
    /// never given to a target that it could bring down.
    pub(super) fn for_target(&mut self, value: &Range<usize>) -> ForTarget {
        if self.run.writes_files() {
            return ForTarget::AsItIs;
        }
        let bytes = self.source.bytes(value.clone());
        let reads = self.run.abilities.rdb_version.map(Version);
        let is_module = bytes.first().is_some_and(|code| TypeCode(*code).kind() == Some(Kind::Module));
        if is_module && !reads.is_some_and(Version::refuses_unknown_modules) {
            return ForTarget::Not(Cause::ModuleTypeUnknown);
        }
        let (Some(reads), Some(of)) = (reads, dump::version(bytes)) else { return ForTarget::AsItIs };
        if reads.reads(of) {
            return ForTarget::AsItIs;
        }
        let payload = if bytes.len() < SHARE_FROM {
            Bytes::copy_from_slice(bytes)
        } else {
            self.source.take(value.clone())
        };
        match transcode(&payload, reads) {
            Ok((payload, _)) => ForTarget::Anew(payload),
            // Of a type that is not known here, or for a version that is not written.
            Err(Unfit::Damaged(_) | Unfit::Version(_)) => ForTarget::InPieces,
            Err(unfit) => ForTarget::Not(cause_of(&unfit)),
        }
    }
}
