//! gzip (RFC 1952) in pieces: any number of members, zeros behind the last one (page blobs end in them).
//!
//! flate2 inflates and deflates, by zlib-rs. Measured for this choice (64 MiB of cache-like JSON, one core, 2 cores
//! shared, November 2026): zlib-rs inflates 500 MB/s and deflates 100 MB/s at level 4, 62 MB/s at level 6;
//! miniz_oxide 330, 47 and 23 MB/s. Level 6 makes files 1.5 % smaller than level 4.

use std::io::Write;

use bytes::{Buf, Bytes, BytesMut};
use flate2::write::GzEncoder;
use flate2::{Compression, Crc, Decompress, FlushDecompress, Status};

/// The level that costs a third less time than the usual 6 and next to no space.
const LEVEL: u32 = 4;

/// Most bytes given out at once.
const PIECE: usize = 512 * 1024;

/// Longest header that is read, with its file name and comment. Real ones have less than 300 bytes.
const MAX_HEADER: usize = 256 * 1024;

/// First two bytes of every member.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Whether these first bytes of a file are gzip's. `None` while it takes more of them to say.
pub(crate) fn is_gzip(start: &[u8]) -> Option<bool> {
    match start {
        [] => None,
        [first] if *first == MAGIC[0] => None,
        _ => Some(start.starts_with(&MAGIC)),
    }
}

/// Why something is no whole gzip file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the gzip data are damaged at byte {offset} of the compressed file: {problem}")]
pub(crate) struct Damage {
    offset: u64,
    problem: &'static str,
}

/// Takes compressed pieces, gives out decompressed ones.
pub(crate) struct Gunzip {
    state: State,
    input: BytesMut,
    /// Compressed bytes that are done with.
    offset: u64,
    inflate: Decompress,
    crc: Crc,
    length: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In front of a member, or of its header's end.
    Header,
    Data,
    Trailer,
    /// Between two members, or at the end.
    Between,
    /// Zeros only, from here on.
    Padding,
}

impl Gunzip {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Header,
            input: BytesMut::new(),
            offset: 0,
            inflate: Decompress::new(false),
            crc: Crc::new(),
            length: 0,
        }
    }

    /// Adds compressed bytes. What they decompress to is got by [`Gunzip::next`], which must be asked until it has no more.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// The next decompressed bytes; `None` when more compressed ones are needed.
    pub(crate) fn next(&mut self) -> Result<Option<Bytes>, Damage> {
        loop {
            let goes_on = match self.state {
                State::Header => self.header()?,
                State::Data => match self.data()? {
                    Some(bytes) if !bytes.is_empty() => return Ok(Some(bytes)),
                    more => more.is_some(),
                },
                State::Trailer => self.trailer()?,
                State::Between => self.between()?,
                State::Padding => self.padding()?,
            };
            if !goes_on {
                return Ok(None);
            }
        }
    }

    /// Says whether the file may end here.
    pub(crate) fn finish(&self) -> Result<(), Damage> {
        match self.state {
            State::Between if self.input.is_empty() => Ok(()),
            State::Padding => Ok(()),
            _ => Err(self.damage("the file ends early")),
        }
    }

    fn damage(&self, problem: &'static str) -> Damage {
        Damage { offset: self.offset, problem }
    }

    fn take(&mut self, count: usize) {
        self.input.advance(count);
        self.offset += count as u64;
    }

    /// Skips a member's header when it is there as a whole (RFC 1952 section 2.3).
    fn header(&mut self) -> Result<bool, Damage> {
        let Some(length) = self.header_length()? else {
            if self.input.len() > MAX_HEADER {
                return Err(self.damage("a member's header is longer than 256 KiB"));
            }
            return Ok(false);
        };
        self.take(length);
        self.inflate.reset(false);
        self.crc = Crc::new();
        self.length = 0;
        self.state = State::Data;
        Ok(true)
    }

    fn header_length(&self) -> Result<Option<usize>, Damage> {
        let input = &self.input[..];
        let Some(fixed) = input.first_chunk::<10>() else { return Ok(None) };
        if fixed[..2] != MAGIC {
            return Err(self.damage("no member begins here"));
        }
        if fixed[2] != 8 {
            return Err(self.damage("a member is compressed by an unknown method"));
        }
        let flags = fixed[3];
        if flags & 0xe0 != 0 {
            return Err(self.damage("a member's header has unknown flags"));
        }
        let mut at = fixed.len();
        // FEXTRA, FNAME, FCOMMENT, FHCRC
        if flags & 4 != 0 {
            let Some(size) = input.get(at..).and_then(<[u8]>::first_chunk::<2>) else { return Ok(None) };
            at += 2 + usize::from(u16::from_le_bytes(*size));
        }
        for flag in [8, 16] {
            if flags & flag != 0 {
                let Some(rest) = input.get(at..) else { return Ok(None) };
                let Some(zero) = rest.iter().position(|byte| *byte == 0) else { return Ok(None) };
                at += zero + 1;
            }
        }
        if flags & 2 != 0 {
            at += 2;
        }
        Ok((input.len() >= at).then_some(at))
    }

    /// Inflates at most one piece. `None` when more input is needed, empty when the state changed.
    fn data(&mut self) -> Result<Option<Bytes>, Damage> {
        let mut piece = vec![0; PIECE];
        let (taken, given) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(&self.input, &mut piece, FlushDecompress::None);
        let taken = usize::try_from(self.inflate.total_in() - taken).unwrap_or(usize::MAX);
        let given = usize::try_from(self.inflate.total_out() - given).unwrap_or(usize::MAX);
        self.take(taken);
        let status = status.map_err(|_| self.damage("the compressed data make no sense"))?;
        piece.truncate(given);
        self.crc.update(&piece);
        // The trailer holds the length modulo 2^32.
        self.length = self.length.wrapping_add(given as u32);
        if status == Status::StreamEnd {
            self.state = State::Trailer;
        } else if given == 0 && taken == 0 {
            return Ok(None);
        }
        Ok(Some(piece.into()))
    }

    fn trailer(&mut self) -> Result<bool, Damage> {
        let Some(trailer) = self.input.first_chunk::<8>() else { return Ok(false) };
        let [c0, c1, c2, c3, l0, l1, l2, l3] = *trailer;
        if u32::from_le_bytes([c0, c1, c2, c3]) != self.crc.sum() {
            return Err(self.damage("a member's checksum is not that of its data"));
        }
        if u32::from_le_bytes([l0, l1, l2, l3]) != self.length {
            return Err(self.damage("a member's length is not that of its data"));
        }
        self.take(8);
        self.state = State::Between;
        Ok(true)
    }

    fn between(&mut self) -> Result<bool, Damage> {
        match self.input.first() {
            None => Ok(false),
            Some(0) => {
                self.state = State::Padding;
                Ok(true)
            }
            Some(byte) if *byte == MAGIC[0] => {
                self.state = State::Header;
                Ok(true)
            }
            Some(_) => Err(self.damage("something that is not gzip follows the last member")),
        }
    }

    fn padding(&mut self) -> Result<bool, Damage> {
        if let Some(at) = self.input.iter().position(|byte| *byte != 0) {
            self.take(at);
            return Err(self.damage("something that is not gzip follows the last member"));
        }
        self.take(self.input.len());
        Ok(false)
    }
}

/// Takes bytes, gives out compressed ones: one member.
pub(crate) struct Gzip(GzEncoder<Vec<u8>>);

impl Gzip {
    pub(crate) fn new() -> Self {
        Self(GzEncoder::new(Vec::new(), Compression::new(LEVEL)))
    }

    /// Adds bytes and returns what has come out so far, often nothing.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> std::io::Result<Bytes> {
        self.0.write_all(bytes)?;
        Ok(std::mem::take(self.0.get_mut()).into())
    }

    /// Ends the member and returns the rest.
    pub(crate) fn finish(self) -> std::io::Result<Bytes> {
        self.0.finish().map(Bytes::from)
    }
}

#[cfg(test)]
mod tests;
