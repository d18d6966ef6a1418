//! Writing.

use std::fmt;

use bytes::Bytes;

use super::Key;
use crate::crc::Crc;
use crate::encode::string::{length, string};
use crate::version::Version;

/// `RDB_OPCODE_*` in Redis' rdb.h.
const FUNCTION: u8 = 245;
const MODULE_AUX: u8 = 247;
const IDLE: u8 = 248;
const FREQUENCY: u8 = 249;
const AUX: u8 = 250;
const SIZES: u8 = 251;
const EXPIRES_AT_MS: u8 = 252;
const DATABASE: u8 = 254;
const END: u8 = 255;

/// Writes a file, piece by piece, into a buffer that the caller empties.
///
/// Values go in as they are: [`encode::body`](crate::encode::body) and [`transcode()`](crate::transcode()) make them
/// of the file's version.
pub struct Writer {
    version: Version,
    buffer: Vec<u8>,
    crc: Crc,
    /// So much of the buffer is in the checksum, which is taken of many bytes at once because that is faster.
    summed: usize,
}

impl Writer {
    /// The head of a file of that version, 9 or later, is in the buffer then.
    pub fn new(version: Version) -> Writer {
        let head = if version.is_valkey() {
            format!("VALKEY{:03}", version.0)
        } else {
            format!("REDIS{:04}", version.0)
        };
        Writer { version, buffer: head.into_bytes(), crc: Crc::new(), summed: 0 }
    }

    /// What is written so far and was not taken yet.
    pub fn take(&mut self) -> Bytes {
        self.sum();
        self.summed = 0;
        Bytes::from(std::mem::take(&mut self.buffer))
    }

    /// Bytes in the buffer.
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// A fact about server or file.
    pub fn aux(&mut self, key: &[u8], value: &[u8]) {
        self.buffer.push(AUX);
        string(key, &mut self.buffer);
        string(value, &mut self.buffer);
    }

    /// What a module keeps besides keys, as [`Event::ModuleAux`](super::Event::ModuleAux) gives it. A server without
    /// that module does not load the file.
    pub fn module_aux(&mut self, bytes: &[u8]) {
        self.buffer.push(MODULE_AUX);
        self.buffer.extend_from_slice(bytes);
    }

    /// A library of functions (version 10 and later; left out below, which the caller reports).
    pub fn function(&mut self, library: &[u8]) {
        if self.version >= Version::REDIS_7_0 {
            self.buffer.push(FUNCTION);
            string(library, &mut self.buffer);
        }
    }

    /// The keys that follow are in this database.
    pub fn database(&mut self, db: u32) {
        self.buffer.push(DATABASE);
        length(u64::from(db), &mut self.buffer);
    }

    /// How many keys will follow in the database; a hint.
    pub fn sizes(&mut self, keys: u64, expires: u64) {
        self.buffer.push(SIZES);
        length(keys, &mut self.buffer);
        length(expires, &mut self.buffer);
    }

    /// A key with the whole body of its value, without the type code, as [`dump::open`](crate::dump::open) gives it.
    pub fn key(&mut self, key: &Key, body: &[u8]) {
        self.key_head(key);
        self.part(body);
    }

    /// A key whose value's body follows in [`Writer::part`]s.
    pub fn key_head(&mut self, key: &Key) {
        if let Some(at) = key.expires_at_ms {
            self.buffer.push(EXPIRES_AT_MS);
            self.buffer.extend_from_slice(&at.to_le_bytes());
        }
        if let Some(seconds) = key.idle_s {
            self.buffer.push(IDLE);
            length(seconds, &mut self.buffer);
        }
        if let Some(frequency) = key.frequency {
            self.buffer.push(FREQUENCY);
            self.buffer.push(frequency);
        }
        self.buffer.push(key.code.0);
        string(&key.name, &mut self.buffer);
    }

    /// Bytes of the value's body.
    pub fn part(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The end and the checksum.
    pub fn end(&mut self) {
        self.buffer.push(END);
        self.sum();
        self.buffer.extend_from_slice(&self.crc.value().to_le_bytes());
        self.summed = self.buffer.len();
    }

    fn sum(&mut self) {
        self.crc.update(&self.buffer[self.summed..]);
        self.summed = self.buffer.len();
    }
}

impl fmt::Debug for Writer {
    /// Without the buffer, which holds keys and values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("version", &self.version)
            .field("buffered", &self.buffered())
            .finish_non_exhaustive()
    }
}
