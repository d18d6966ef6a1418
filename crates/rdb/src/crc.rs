//! The checksum of RDB files and DUMP payloads.

use std::fmt;
use std::sync::LazyLock;

use crc_fast::{CrcParams, Digest};

/// CRC-64/REDIS: Jones' polynomial, reflected, starting at 0. Source: crc64.c of Redis.
static PARAMETERS: LazyLock<CrcParams> = LazyLock::new(|| {
    CrcParams::new("CRC-64/REDIS", 64, 0xad93_d235_94c9_35a9, 0, true, 0, 0xe9c6_d914_c4b8_d9ca)
});

/// A checksum that is taken piece by piece.
#[derive(Clone)]
pub(crate) struct Crc(Digest);

impl Crc {
    pub(crate) fn new() -> Crc {
        Crc(Digest::new_with_params(*PARAMETERS))
    }

    /// Counts the next bytes. Pieces of some kilobytes cost far less per byte than small ones.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Of all bytes so far.
    pub(crate) fn value(&self) -> u64 {
        self.0.finalize()
    }
}

impl fmt::Debug for Crc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Crc({:016x})", self.value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_the_check_value_of_redis_in_any_pieces() {
        for middle in 0..=9 {
            let mut crc = Crc::new();
            crc.update(&b"123456789"[..middle]);
            crc.update(&b"123456789"[middle..]);
            assert_eq!(crc.value(), 0xe9c6_d914_c4b8_d9ca);
        }
        assert_eq!(Crc::new().value(), 0);
    }
}
