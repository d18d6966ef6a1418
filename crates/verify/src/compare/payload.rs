//! Reads what DUMP gives for a module's value (rdb.c and module.c of Redis): which module and version of its encoding
//! wrote it, and the numbers and texts that it saved, however the server has packed them.

use crate::digest::{Ordered, both, part};

/// Behind every payload: two bytes of RDB version and eight of checksum.
const FOOTER: usize = 10;

/// RDB_TYPE_MODULE_2
const MODULE: u8 = 7;

/// Which module's value, and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Payload {
    /// The module's 54 bits of name and 10 bits of version; 0 if it is none that is understood.
    module: u64,
    pub(super) digest: u128,
}

impl Payload {
    /// A payload that is not understood is taken as it is, without its footer.
    pub(super) fn read(dump: &[u8]) -> Payload {
        let content = &dump[..dump.len().saturating_sub(FOOTER)];
        Reader(content).module().unwrap_or_else(|| Payload { module: 0, digest: part(content) })
    }

    /// Whether both were written by the same version of the module's encoding, as far as is known.
    pub(super) fn is_same_version(&self, other: &Payload) -> bool {
        self.module == other.module
    }
}

struct Reader<'a>(&'a [u8]);

/// What a length can be instead.
enum Length {
    Bytes(u64),
    Encoded(u8),
}

impl<'a> Reader<'a> {
    fn module(mut self) -> Option<Payload> {
        if self.byte()? != MODULE {
            return None;
        }
        let module = self.number()?;
        let is_top_k = name(module) == *b"TopK-TYPE";
        let mut digest = Ordered::default();
        digest.push(u128::from(module));
        let mut texts = 0;
        loop {
            let code = self.number()?;
            let saved = match code {
                0 => break,
                1 | 2 => u128::from(self.number()?),
                3 => part(self.bytes(4)?),
                4 => part(self.bytes(8)?),
                5 => {
                    let mut text = self.text()?;
                    texts += 1;
                    if is_top_k && texts == 2 {
                        forget_addresses(&mut text);
                    }
                    part(&text)
                }
                _ => return None,
            };
            digest.push(both(u128::from(code), saved));
        }
        self.0.is_empty().then(|| Payload { module, digest: digest.digest() })
    }

    fn byte(&mut self) -> Option<u8> {
        self.bytes(1).map(|bytes| bytes[0])
    }

    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    fn length(&mut self) -> Option<Length> {
        let first = self.byte()?;
        let low = first & 0x3f;
        Some(match (first >> 6, first) {
            (0, _) => Length::Bytes(low.into()),
            (1, _) => Length::Bytes(u64::from(low) << 8 | u64::from(self.byte()?)),
            (2, 0x80) => Length::Bytes(u32::from_be_bytes(self.bytes(4)?.try_into().ok()?).into()),
            (2, 0x81) => Length::Bytes(u64::from_be_bytes(self.bytes(8)?.try_into().ok()?)),
            (3, _) => Length::Encoded(low),
            _ => return None,
        })
    }

    fn number(&mut self) -> Option<u64> {
        match self.length()? {
            Length::Bytes(number) => Some(number),
            Length::Encoded(_) => None,
        }
    }

    fn text(&mut self) -> Option<Vec<u8>> {
        match self.length()? {
            Length::Bytes(length) => Some(self.bytes(usize::try_from(length).ok()?)?.to_vec()),
            Length::Encoded(0) => Some((self.byte()? as i8).to_string().into_bytes()),
            Length::Encoded(1) => {
                Some(i16::from_le_bytes(self.bytes(2)?.try_into().ok()?).to_string().into_bytes())
            }
            Length::Encoded(2) => {
                Some(i32::from_le_bytes(self.bytes(4)?.try_into().ok()?).to_string().into_bytes())
            }
            Length::Encoded(3) => {
                let packed = usize::try_from(self.number()?).ok()?;
                let length = usize::try_from(self.number()?).ok()?;
                unpack(self.bytes(packed)?, length)
            }
            Length::Encoded(_) => None,
        }
    }
}

/// LZF, as Redis packs texts: a byte below 32 announces literals, any other a copy of what came before.
fn unpack(packed: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut reader = Reader(packed);
    let mut out: Vec<u8> = Vec::with_capacity(length.min(packed.len().saturating_mul(8)));
    while let Some(control) = reader.byte() {
        if control < 32 {
            out.extend_from_slice(reader.bytes(usize::from(control) + 1)?);
        } else {
            let mut count = usize::from(control >> 5) + 2;
            if count == 9 {
                count += usize::from(reader.byte()?);
            }
            let back = (usize::from(control & 0x1f) << 8 | usize::from(reader.byte()?)) + 1;
            let from = out.len().checked_sub(back)?;
            (from..from + count).for_each(|at| out.push(out[at]));
        }
        if out.len() > length {
            return None;
        }
    }
    (out.len() == length).then_some(out)
}

/// A module's name of nine letters of six bits each (`moduleTypeNameByID`).
fn name(module: u64) -> [u8; 9] {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::array::from_fn(|at| LETTERS[(module >> (10 + 6 * (8 - at)) & 0x3f) as usize])
}

/// RedisBloom saves the list of a top-k as it is in memory, in structures of 24 bytes: fingerprint, length of the
/// name, its address, count, and four bytes that were never set. Addresses say nothing.
fn forget_addresses(list: &mut [u8]) {
    if list.len().is_multiple_of(24) {
        for item in list.chunks_exact_mut(24) {
            item[8..16].fill(0);
            item[20..].fill(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOOT: [u8; FOOTER] = [9; FOOTER];

    fn dumped(content: &[u8]) -> Payload {
        Payload::read(&[content, &FOOT].concat())
    }

    fn id(version: u8) -> Vec<u8> {
        let mut id = vec![MODULE, 0x81];
        id.extend((0x1234_5678_9abc_dc00u64 | u64::from(version)).to_be_bytes());
        id
    }

    #[test]
    fn packing_does_not_matter() {
        let plain = [id(3), vec![5, 10], b"aaaaaaaaaa".to_vec(), vec![2, 7, 0]].concat();
        // One literal, then nine bytes from one back.
        let packed = [id(3), vec![5, 0xc3, 5, 10, 0, b'a', 0xe0, 0, 0, 2, 0x40, 7, 0]].concat();
        assert_eq!(dumped(&plain), dumped(&packed));
        let number = [id(3), vec![5, 0xc1, 0x39, 0x30, 0]].concat();
        assert_eq!(dumped(&number), dumped(&[id(3), vec![5, 5], b"12345".to_vec(), vec![0]].concat()));
        assert_ne!(dumped(&plain).digest, dumped(&number).digest);
    }

    #[test]
    fn versions_are_told_apart() {
        let of = |version| dumped(&[id(version), vec![2, 7, 0]].concat());
        assert!(of(3).is_same_version(&of(3)) && !of(3).is_same_version(&of(4)));
    }

    #[test]
    fn what_is_not_understood_is_taken_as_it_is() {
        for content in
            [&[][..], &[0, 1, b'x'], &[MODULE], &[MODULE, 5, 99], &[MODULE, 5, 5, 0xc3, 1, 200, 0xff, 0]]
        {
            assert_eq!(dumped(content).digest, part(content));
        }
        assert_eq!(Payload::read(b"short").digest, part(b""));
        assert_ne!(
            dumped(&[id(3), vec![2, 7, 0, 0]].concat()).digest,
            dumped(&[id(3), vec![2, 7, 0]].concat()).digest
        );
    }

    #[test]
    fn damage_does_not_make_it_panic() {
        let whole = [id(3), vec![5, 0xc3, 5, 10, 0, b'a', 0xe0, 0, 0, 4], vec![0; 8], vec![0]].concat();
        for at in 0..whole.len() {
            for value in [0, 1, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xc0, 0xc3, 0xff] {
                let mut broken = whole.clone();
                broken[at] = value;
                dumped(&broken);
            }
            dumped(&whole[..at]);
        }
    }
}
