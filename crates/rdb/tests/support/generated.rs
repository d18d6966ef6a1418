//! A file of any size that nobody stores: a string, a list and a hash of a quarter each, and small keys for the rest.
//! The benchmark of `xtask` uses this too.

use bytes::Bytes;
use rdb::file::{Key, Writer};
use rdb::{TypeCode, Version};

/// About the size of the chunks.
pub const CHUNK: usize = 1 << 20;

/// Bytes of a long string that are written at once.
const STRETCH: u64 = 64 << 10;

/// Every third small key expires, at this time.
const EXPIRES_AT_MS: u64 = 4_000_000_000_000;

/// Fields of a small hash.
const FIELDS: u64 = 10;

/// What has been written so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Bytes of the file.
    pub bytes: u64,
    /// Keys.
    pub keys: u64,
    /// Bytes of values from their type codes on.
    pub value_bytes: u64,
    /// Items and fields.
    pub elements: u64,
    /// Bytes of strings, of items, and of fields with their names.
    pub text_bytes: u64,
}

/// Makes the file chunk by chunk.
#[derive(Debug)]
pub struct Generated {
    writer: Writer,
    written: Written,
    part: Part,
    /// Bytes that a quarter has.
    quarter: u64,
    /// A node of the list, and how many items it has.
    pack: Vec<u8>,
    pack_items: u64,
}

#[derive(Debug)]
enum Part {
    Begin,
    String { left: u64 },
    List { left: u64 },
    Hash { next: u64, of: u64 },
    Small { until: u64 },
    Ended,
}

impl Generated {
    /// A file of about so many bytes.
    pub fn new(bytes: u64) -> Generated {
        Generated {
            writer: Writer::new(Version::REDIS_7_4),
            written: Written::default(),
            part: Part::Begin,
            quarter: bytes / 4,
            pack: text(&listpack(200, 40)),
            pack_items: 200,
        }
    }

    /// What is in the chunks so far.
    pub fn written(&self) -> Written {
        self.written
    }

    fn step(&mut self) {
        match self.part {
            Part::Begin => {
                self.writer.aux(b"redis-ver", b"7.4.1");
                self.writer.database(0);
                self.head("huge:string", TypeCode::STRING, None);
                // A length of 64 bits.
                self.body(&[&[0x81], &self.quarter.to_be_bytes()[..]].concat());
                self.part = Part::String { left: self.quarter };
            }
            Part::String { left: 0 } => {
                let packs = self.quarter / self.pack.len() as u64;
                self.head("huge:list", TypeCode::LIST_QUICKLIST_2, None);
                self.body(&count(packs));
                self.part = Part::List { left: packs };
            }
            Part::String { left } => {
                let stretch = left.min(STRETCH);
                self.body(&[b's'; STRETCH as usize][..stretch as usize]);
                self.written.text_bytes += stretch;
                self.part = Part::String { left: left - stretch };
            }
            Part::List { left: 0 } => {
                let of = self.quarter / self.field(0).len() as u64;
                self.head("huge:hash", TypeCode::HASH, None);
                self.body(&count(of));
                self.part = Part::Hash { next: 0, of };
            }
            Part::List { left } => {
                // `QUICKLIST_NODE_CONTAINER_PACKED` in Redis' quicklist.h.
                self.body(&[2]);
                let pack = std::mem::take(&mut self.pack);
                self.body(&pack);
                self.pack = pack;
                self.written.elements += self.pack_items;
                self.written.text_bytes += self.pack_items * 40;
                self.part = Part::List { left: left - 1 };
            }
            Part::Hash { next, of } if next == of => {
                self.part = Part::Small { until: self.written.bytes + self.quarter };
            }
            Part::Hash { next, of } => {
                let field = self.field(next);
                self.body(&field);
                self.written.elements += 1;
                // Two lengths of 5 bytes.
                self.written.text_bytes += field.len() as u64 - 10;
                self.part = Part::Hash { next: next + 1, of };
            }
            Part::Small { until } if self.written.bytes >= until => {
                self.writer.end();
                self.part = Part::Ended;
            }
            Part::Small { .. } => self.small(),
            Part::Ended => {}
        }
    }

    fn small(&mut self) {
        let number = self.written.keys;
        let name = format!("small:{number:012}");
        let expires_at_ms = number.is_multiple_of(3).then_some(EXPIRES_AT_MS);
        if number.is_multiple_of(2) {
            self.head(&name, TypeCode::STRING, expires_at_ms);
            self.body(&text(&[b't'; 100]));
            self.written.text_bytes += 100;
        } else {
            self.head(&name, TypeCode::HASH_LISTPACK, expires_at_ms);
            self.body(&text(&listpack(2 * FIELDS as u16, 30)));
            self.written.elements += FIELDS;
            self.written.text_bytes += 2 * FIELDS * 30;
        }
    }

    fn field(&self, number: u64) -> Vec<u8> {
        [text(format!("field:{number:014}").as_bytes()), text(&[b'f'; 100])].concat()
    }

    fn head(&mut self, name: &str, code: TypeCode, expires_at_ms: Option<u64>) {
        let name = Bytes::copy_from_slice(name.as_bytes());
        self.writer.key_head(&Key { name, code, expires_at_ms, idle_s: None, frequency: None });
        self.written.keys += 1;
        self.written.value_bytes += 1;
    }

    fn body(&mut self, bytes: &[u8]) {
        self.writer.part(bytes);
        self.written.value_bytes += bytes.len() as u64;
    }
}

impl Iterator for Generated {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        while self.writer.buffered() < CHUNK && !matches!(self.part, Part::Ended) {
            self.step();
        }
        let chunk = self.writer.take();
        self.written.bytes += chunk.len() as u64;
        (!chunk.is_empty()).then_some(chunk)
    }
}

/// A count of elements, in 64 bits.
fn count(of: u64) -> Vec<u8> {
    [&[0x81], &of.to_be_bytes()[..]].concat()
}

/// A string with a length of 32 bits.
fn text(bytes: &[u8]) -> Vec<u8> {
    [&[0x80], &(bytes.len() as u32).to_be_bytes()[..], bytes].concat()
}

/// So many texts of up to 63 bytes.
fn listpack(count: u16, size: u8) -> Vec<u8> {
    let mut pack = vec![0; 4];
    pack.extend(count.to_le_bytes());
    for _ in 0..count {
        pack.push(0x80 | size);
        pack.resize(pack.len() + usize::from(size), b'p');
        pack.push(size + 1);
    }
    pack.push(0xff);
    let length = pack.len() as u32;
    pack[..4].copy_from_slice(&length.to_le_bytes());
    pack
}
