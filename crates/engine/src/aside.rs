//! Bytes put aside on disk, to be read twice: in a file without a name, which is gone with its end.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};

use bytes::Bytes;

/// Bytes that are read back at once.
const READ_BACK: usize = 1 << 20;

/// Bytes in the system's folder for temporary files.
#[derive(Debug)]
pub struct Aside {
    file: File,
    bytes: u64,
    left: u64,
}

impl Aside {
    /// Nothing yet.
    ///
    /// # Errors
    /// There is no place for it.
    pub fn new() -> io::Result<Aside> {
        Ok(Aside { file: tempfile::tempfile()?, bytes: 0, left: 0 })
    }

    /// Puts more bytes aside.
    ///
    /// # Errors
    /// There is no place for them.
    pub fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Bytes so far.
    pub fn len(&self) -> u64 {
        self.bytes
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Goes to the beginning, to be read.
    ///
    /// # Errors
    /// Of the file system.
    pub fn rewind(&mut self) -> io::Result<()> {
        self.left = self.bytes;
        self.file.seek(SeekFrom::Start(0)).map(drop)
    }

    /// Whether all was read.
    pub fn is_over(&self) -> bool {
        self.left == 0
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// Of the file system.
    pub fn read(&mut self) -> io::Result<Option<Bytes>> {
        if self.left == 0 {
            return Ok(None);
        }
        let mut buffer = vec![0; READ_BACK.min(usize::try_from(self.left).unwrap_or(READ_BACK))];
        self.file.read_exact(&mut buffer)?;
        self.left -= buffer.len() as u64;
        Ok(Some(buffer.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_aside_comes_back() {
        let mut aside = Aside::new().unwrap();
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| n as u8).collect();
        bytes.chunks(700_000).for_each(|part| aside.put(part).unwrap());
        for _ in 0..2 {
            aside.rewind().unwrap();
            let mut back = Vec::new();
            while let Some(part) = aside.read().unwrap() {
                back.extend_from_slice(&part);
            }
            assert!(back == bytes && aside.is_over());
        }
    }
}
