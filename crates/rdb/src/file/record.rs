//! What stands between the values of a file. Source: `rdbLoadRioWithLoadingCtx` in the rdb.c of Redis and Valkey, for
//! Redis Enterprise the parser of librdb.

use bytes::Bytes;

use crate::error::Problem;
use crate::kind::TypeCode;
use crate::scan::{Scan, Stop};
use crate::version::Version;
use crate::walk::grammar;

use super::Event;

/// What an opcode or type code says, with all that belongs to it but a value.
#[derive(Debug)]
pub(super) enum Record {
    /// Something to be told.
    Event(Event),
    /// Nothing that a reader of keys needs.
    Passed,
    /// The next key expires then, in milliseconds since 1970.
    Expires(u64),
    /// The next key was used that many seconds ago.
    Idle(u64),
    /// The next key is used that often.
    Frequency(u8),
    /// A key; its value follows.
    Key(TypeCode, Bytes),
    /// A module's aux follows.
    ModuleAux,
    /// What modules keep about the next key follows.
    KeyMetadata,
    /// The end; only the checksum follows.
    End,
}

/// The next record of a file of that version.
pub(super) fn record(scan: &mut Scan<'_>, version: Version, limit: u64) -> Result<Record, Stop> {
    Ok(match scan.byte()? {
        // RAM_LRU and SLOT_NUM of Redis Enterprise: hints of the server that wrote the file.
        107 | 121 => {
            scan.length()?;
            Record::Passed
        }
        243 if version.is_valkey() => slot_import(scan, limit)?,
        243 => Record::KeyMetadata,
        244 => {
            let slot =
                u16::try_from(scan.length()?).map_err(|_| Problem::Malformed("a slot is too large"))?;
            Record::Event(Event::Slot { slot, keys: scan.length()?, expires: scan.length()? })
        }
        245 => Record::Event(Event::Function(scan.string(limit)?)),
        246 => Record::Event(Event::Function(function_of_preview(scan, limit)?)),
        247 => Record::ModuleAux,
        248 => Record::Idle(scan.length()?),
        249 => Record::Frequency(scan.byte()?),
        250 => Record::Event(Event::Aux(scan.string(limit)?, scan.string(limit)?)),
        251 => Record::Event(Event::Sizes { keys: scan.length()?, expires: scan.length()? }),
        252 => Record::Expires(scan.time()?),
        253 => {
            let seconds = i32::from_le_bytes(scan.array()?);
            Record::Expires(u64::try_from(seconds).unwrap_or(0) * 1000)
        }
        254 => {
            let db = scan.length()?;
            let db = u32::try_from(db).map_err(|_| Problem::Malformed("a database's number is too large"))?;
            Record::Event(Event::Database(db))
        }
        255 => Record::End,
        code => {
            let code = TypeCode(code);
            if let Err(problem) = grammar(code, version) {
                scan.back();
                return Err(problem.into());
            }
            Record::Key(code, scan.string(limit)?)
        }
    })
}

/// Functions of the release candidates 1 and 2 of Redis 7.0: name, engine, perhaps a description, and the code. They
/// become what Redis 7.0 made of them when it loaded them.
fn function_of_preview(scan: &mut Scan<'_>, limit: u64) -> Result<Bytes, Stop> {
    let name = scan.string(limit)?;
    let engine = scan.string(limit)?;
    if scan.length()? != 0 {
        scan.string(limit)?;
    }
    let code = scan.string(limit)?;
    Ok([b"#!", &engine[..], b" name=", &name, b"\n", &code].concat().into())
}

/// Slots that were on their way into the node that wrote the file (Valkey 9): the job's name and ranges of slots.
fn slot_import(scan: &mut Scan<'_>, limit: u64) -> Result<Record, Stop> {
    scan.string(limit)?;
    let ranges = scan.length()?;
    if ranges > 16_384 {
        return Err(Problem::Malformed("more ranges of slots than there are slots").into());
    }
    for _ in 0..2 * ranges {
        scan.length()?;
    }
    Ok(Record::Passed)
}
