//! Values for the server of a chosen version.
//!
//! Small values are written as that server itself holds them (by its default limits), because such payloads are the
//! shortest and are loaded by one copy. Larger ones are written element by element, which every version reads.

mod compact;
mod hash;
mod integer;
mod intset;
mod list;
mod listpack;
mod set;
mod stream;
pub(crate) mod string;
mod ziplist;
mod zset;

use crate::dump;
use crate::kind::TypeCode;
use crate::transcode::Unfit;
use crate::value::Value;
use crate::version::Version;

/// Appends the body of a value as servers of that version read it, and says with which code.
///
/// # Errors
/// That version cannot hold it. Then `out` is as it was.
pub fn body(value: &Value, version: Version, out: &mut Vec<u8>) -> Result<TypeCode, Unfit> {
    if version < Version::REDIS_6 {
        return Err(Unfit::Version(version));
    }
    Ok(match value {
        Value::String(text) => {
            string::string(text, out);
            TypeCode::STRING
        }
        Value::List(items) => list::body(items, version, out),
        Value::Set(members) => set::body(members, version, out),
        Value::Zset(members) => zset::body(members, version, out),
        Value::Hash(fields) => hash::body(fields, version, out)?,
        Value::Stream(stream) => stream::body(stream, version, out)?,
        Value::Module(bytes) => {
            out.extend_from_slice(bytes);
            TypeCode::MODULE_2
        }
    })
}

/// A whole payload for RESTORE on servers of that version.
///
/// # Errors
/// That version cannot hold it.
pub fn payload(value: &Value, version: Version) -> Result<Vec<u8>, Unfit> {
    // The code comes first but is known last.
    let mut payload = vec![0];
    let code = body(value, version, &mut payload)?;
    payload[0] = code.0;
    let footer = dump::footer([&payload[..]], version);
    payload.extend_from_slice(&footer);
    Ok(payload)
}
