//! Names for values that are being built on the target.
//!
//! A temporary key must hash to the slot of the key that it becomes, or `RENAME` would be refused. Its
//! tag is a number that hashes to that slot, so any key's name will do, whatever braces it has.

/// What every temporary key's name begins with; scans leave such keys alone.
pub const PREFIX: &[u8] = b"redferry:tmp:";

/// The temporary name for `key`: the same one in every run, so that a later run removes what an earlier
/// one left behind.
pub fn name(key: &[u8]) -> Vec<u8> {
    let tag = commands::tag_for_slot(commands::slot(key));
    let mut name = PREFIX.to_vec();
    name.extend_from_slice(format!("{{{tag}}}:{:016x}", fingerprint(key)).as_bytes());
    name
}

/// FNV-1a over the whole name, 64 bits. Two big keys in flight at once would have to collide to meet.
fn fingerprint(key: &[u8]) -> u64 {
    key.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_key_shares_its_keys_slot() {
        for key in [&b""[..], b"plain", b"{tag}rest", b"}{", b"{}x", b"a{b}{c}", b"\xff\0{", &[b'k'; 5000]] {
            let name = name(key);
            assert_eq!(commands::slot(&name), commands::slot(key), "{key:?}");
            assert!(name.starts_with(PREFIX));
        }
    }
}
