//! What the first bytes of a value tell without decoding it.

use ::rdb::{Kind, TypeCode, module_name};

/// The name of a type and encoding in reports.
pub(crate) fn encoding(code: TypeCode, body: &[u8]) -> &'static str {
    match code.0 {
        0 => match body.first() {
            // The two highest bits 11 are an encoding: 0 to 2 an integer, 3 LZF (rdb.h, RDB_ENCVAL and RDB_ENC_*).
            Some(0xc0..=0xc2) => "int",
            Some(0xc3) => "raw_lzf",
            _ => "raw",
        },
        1 => "linkedlist",
        2 | 4 => "hashtable",
        3 | 5 => "skiplist",
        9 => "zipmap",
        10 | 12 | 13 => "ziplist",
        11 => "intset",
        14 => "quicklist",
        16 | 17 | 20 => "listpack",
        18 => "quicklist2",
        15 => "stream_1",
        19 => "stream_2",
        21 => "stream_3",
        22 | 24 => "hashtable_ex",
        23 | 25 => "listpack_ex",
        _ => "module",
    }
}

/// A type as TYPE names it; a module's value begins with the module's id, which is its name.
pub(crate) fn type_name(code: TypeCode, body: &[u8]) -> String {
    match code.kind() {
        Some(Kind::Module) => length(body).map_or("module".to_owned(), |id| module_name(id.value).0),
        Some(kind) => kind.name().to_owned(),
        None => "unknown".to_owned(),
    }
}

/// Whether the fields of such a hash may expire.
pub(crate) fn has_field_expiry(code: TypeCode) -> bool {
    (22..=25).contains(&code.0)
}

/// A length as rdb.c's rdbLoadLen reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Length {
    /// The number.
    pub(crate) value: u64,
    /// Bytes that it takes.
    pub(crate) bytes: usize,
}

/// The length at the beginning of these bytes; `None` when there is none, or an encoding in its place.
pub(crate) fn length(bytes: &[u8]) -> Option<Length> {
    let first = *bytes.first()?;
    let be = |count: usize| {
        let bytes = bytes.get(1..1 + count)?;
        Some(bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    };
    Some(match first >> 6 {
        0 => Length { value: u64::from(first & 63), bytes: 1 },
        1 => Length { value: u64::from(first & 63) << 8 | u64::from(*bytes.get(1)?), bytes: 2 },
        2 if first == 0x80 => Length { value: be(4)?, bytes: 5 },
        2 if first == 0x81 => Length { value: be(8)?, bytes: 9 },
        _ => return None,
    })
}

/// Bytes of the string at the beginning of these bytes when it is unpacked.
pub(crate) fn unpacked(bytes: &[u8]) -> Option<u64> {
    match bytes.first()? {
        // An integer of one, two or four bytes, as text.
        0xc0 => Some(bytes.get(1).map_or(0, |byte| (*byte as i8).to_string().len() as u64)),
        0xc1 | 0xc2 => Some(8),
        0xc3 => {
            let packed = length(&bytes[1..])?;
            Some(length(bytes.get(1 + packed.bytes..)?)?.value)
        }
        _ => length(bytes).map(|length| length.value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_as_redis_writes_them() {
        let of = |bytes: &[u8]| length(bytes).map(|length| (length.value, length.bytes));
        assert_eq!(of(&[5]), Some((5, 1)));
        assert_eq!(of(&[0x41, 0x02]), Some((0x102, 2)));
        assert_eq!(of(&[0x80, 0, 1, 0, 0]), Some((65_536, 5)));
        assert_eq!(of(&[0x81, 0, 0, 0, 1, 0, 0, 0, 0]), Some((1 << 32, 9)));
        assert_eq!((of(&[]), of(&[0xc0, 1]), of(&[0x80, 0])), (None, None, None));
        assert_eq!(unpacked(&[0xc3, 0x0a, 0x41, 0x00, 0]), Some(0x100));
    }

    #[test]
    fn a_modules_name_is_in_its_id() {
        // "ReJSON-RL", version 3.
        let id: u64 = "ReJSON-RL".bytes().fold(0, |id, byte| {
            let set = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
            id << 6 | set.iter().position(|one| *one == byte).unwrap() as u64
        }) << 10
            | 3;
        let body = [&[0x81][..], &id.to_be_bytes()].concat();
        assert_eq!(type_name(TypeCode::MODULE_2, &body), "ReJSON-RL");
        assert_eq!(type_name(TypeCode::SET_LISTPACK, &body), "set");
    }
}
