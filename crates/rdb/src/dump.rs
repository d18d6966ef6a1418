//! DUMP payloads: type code, body, version (2 bytes), CRC64 of everything before (8 bytes), little-endian.
//! Source: `createDumpPayload` and `verifyDumpPayload` in Redis' cluster.c.

use crate::crc::Crc;
use crate::error::{Error, Problem};
use crate::kind::TypeCode;
use crate::version::Version;

/// Bytes behind the body.
pub const FOOTER: usize = 10;

/// A payload taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payload<'a> {
    /// The encoding.
    pub code: TypeCode,
    /// The value without type code and footer.
    pub body: &'a [u8],
    /// The version of the server that made it.
    pub version: Version,
}

/// Takes a payload apart and checks its CRC64 (0 means that there is none).
///
/// # Errors
/// It is too short, or damaged.
pub fn open(payload: &[u8]) -> Result<Payload<'_>, Error> {
    let error = |problem, offset: usize| Error { problem, offset: offset as u64, of_type: None };
    let truncated = error(Problem::Truncated, payload.len());
    let Some((summed, sum)) = payload.split_last_chunk::<8>() else { return Err(truncated) };
    let Some((value, version)) = summed.split_last_chunk::<2>() else { return Err(truncated) };
    let Some((&code, body)) = value.split_first() else { return Err(truncated) };
    let sum = u64::from_le_bytes(*sum);
    if sum != 0 {
        let mut crc = Crc::new();
        crc.update(summed);
        if crc.value() != sum {
            return Err(error(Problem::Checksum, summed.len()));
        }
    }
    Ok(Payload { code: TypeCode(code), body, version: Version(u16::from_le_bytes(*version)) })
}

/// The version of the server that made a payload; `None` when it is too short to be one. Nothing is checked.
pub fn version(payload: &[u8]) -> Option<Version> {
    let footer = payload.last_chunk::<FOOTER>()?;
    Some(Version(u16::from_le_bytes([footer[0], footer[1]])))
}

/// What stands behind these bytes (type code and body, in any pieces) in a payload of that version.
pub fn footer<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, version: Version) -> [u8; FOOTER] {
    let mut crc = Crc::new();
    pieces.into_iter().for_each(|piece| crc.update(piece));
    let [low, high] = version.0.to_le_bytes();
    crc.update(&[low, high]);
    let mut footer = [low, high, 0, 0, 0, 0, 0, 0, 0, 0];
    footer[2..].copy_from_slice(&crc.value().to_le_bytes());
    footer
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key that holds `10`, without a sum.
    const OF_10: [u8; 13] = [0, 0xc0, 0x0a, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    fn payload(pieces: &[&[u8]], version: u16) -> Vec<u8> {
        let footer = footer(pieces.iter().copied(), Version(version));
        [pieces.concat().as_slice(), &footer].concat()
    }

    #[test]
    fn is_the_payload_of_the_documentation_of_redis() {
        // https://redis.io/commands/dump: version 9.
        let documented = b"\x00\xc0\n\t\x00\xbem\x06\x89Z(\x00\n";
        assert_eq!(payload(&[&[0], &[0xc0, 10]], 9), documented);
        let opened = open(documented).expect("it is whole");
        assert_eq!(opened, Payload { code: TypeCode::STRING, body: &[0xc0, 10], version: Version(9) });
        assert_eq!((version(documented), version(&documented[4..])), (Some(Version(9)), None));
    }

    #[test]
    fn finds_every_changed_bit_and_every_cut() {
        let whole = payload(&[b"\x00\x05hello"], 12);
        for at in 0..whole.len() * 8 {
            let mut changed = whole.clone();
            changed[at / 8] ^= 1 << (at % 8);
            assert!(open(&changed).is_err_and(|error| error.problem == Problem::Checksum), "bit {at}");
        }
        for length in 0..whole.len() {
            assert!(open(&whole[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn a_sum_of_0_is_none() {
        assert!(open(&OF_10).is_ok());
    }
}
