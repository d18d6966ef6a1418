//! Hashes.

use super::compact::{ELEMENT, HASH_ENTRIES};
use super::listpack::Listpack;
use super::string::{count, length, string};
use super::ziplist::Ziplist;
use crate::kind::TypeCode;
use crate::transcode::Unfit;
use crate::value::Field;
use crate::version::Version;

pub(super) fn body(fields: &[Field], version: Version, out: &mut Vec<u8>) -> Result<TypeCode, Unfit> {
    let earliest = fields.iter().filter_map(|field| field.expires_at_ms).min();
    if let Some(earliest) = earliest {
        if !version.knows(TypeCode::HASH_METADATA) {
            let expiring = fields.iter().filter(|field| field.expires_at_ms.is_some());
            return Err(Unfit::FieldExpiry(expiring.count() as u64));
        }
        return Ok(expiring(fields, earliest, out));
    }
    if !is_small(fields) {
        count(fields.len(), out);
        for field in fields {
            string(&field.name, out);
            string(&field.value, out);
        }
        return Ok(TypeCode::HASH);
    }
    let (code, packed) = if version.knows(TypeCode::HASH_LISTPACK) {
        let mut listpack = Listpack::new();
        for field in fields {
            listpack.push(&field.name);
            listpack.push(&field.value);
        }
        (TypeCode::HASH_LISTPACK, listpack.finish())
    } else {
        let mut ziplist = Ziplist::new();
        for field in fields {
            ziplist.push(&field.name);
            ziplist.push(&field.value);
        }
        (TypeCode::HASH_ZIPLIST, ziplist.finish())
    };
    string(&packed, out);
    Ok(code)
}

fn is_small(fields: &[Field]) -> bool {
    let short = |field: &Field| field.name.len() <= ELEMENT && field.value.len() <= ELEMENT;
    fields.len() <= HASH_ENTRIES && fields.iter().all(short)
}

/// Behind the earliest expiry of all, either triples in one listpack, those that expire first in front and those
/// that do not behind with a 0, or one by one with the expiry, counted from 1 at the earliest, in front.
fn expiring(fields: &[Field], earliest: u64, out: &mut Vec<u8>) -> TypeCode {
    out.extend_from_slice(&earliest.to_le_bytes());
    if is_small(fields) {
        let mut sorted: Vec<_> = fields.iter().collect();
        sorted.sort_by_key(|field| field.expires_at_ms.unwrap_or(u64::MAX));
        let mut listpack = Listpack::new();
        for field in sorted {
            listpack.push(&field.name);
            listpack.push(&field.value);
            listpack.push_number(field.expires_at_ms.unwrap_or(0) as i64);
        }
        string(&listpack.finish(), out);
        return TypeCode::HASH_LISTPACK_EX;
    }
    count(fields.len(), out);
    for field in fields {
        length(field.expires_at_ms.map_or(0, |at| at - earliest + 1), out);
        string(&field.name, out);
        string(&field.value, out);
    }
    TypeCode::HASH_METADATA
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::decode;
    use crate::value::Value;

    /// Servers expire from the front and stop at the first field that is not due.
    #[test]
    fn fields_that_expire_first_stand_in_front() {
        let expiries = [None, Some(9), Some(5), None, Some(7)];
        let field = |expires_at_ms| Field { name: Bytes::new(), value: Bytes::new(), expires_at_ms };
        let mut out = Vec::new();
        let code = body(&expiries.map(field), Version::REDIS_7_4, &mut out);
        assert_eq!(code, Ok(TypeCode::HASH_LISTPACK_EX));
        assert_eq!(out[..8], 5u64.to_le_bytes());
        let Ok(Value::Hash(fields)) = decode::value(TypeCode::HASH_LISTPACK_EX, &out.into()) else {
            panic!("it is not read as a hash")
        };
        let read: Vec<_> = fields.iter().map(|field| field.expires_at_ms).collect();
        assert_eq!(read, [Some(5), Some(7), Some(9), None, None]);
    }
}
