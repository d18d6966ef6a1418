//! Files read whole, in pieces, and as values.

// Every test file is a program of its own and uses its part of this.
#![allow(dead_code)]

use std::path::PathBuf;

use bytes::{Bytes, BytesMut};
use rdb::decode::{Decoder, Element};
use rdb::file::{Event, Key, Limits, Reader};
use rdb::{Error, TypeCode, Version};

/// Small enough to let most values come in several parts.
pub const IN_PARTS: Limits = Limits { whole: 16, text: 512 << 20 };

pub fn fixture(name: &str) -> Bytes {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).into()
}

/// The names of all files, in order.
pub fn fixtures() -> Vec<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .filter(|name| name.ends_with(".rdb"))
        .collect();
    names.sort();
    assert!(names.len() > 30);
    names
}

/// The file in two pieces.
pub fn split(file: &Bytes, at: usize) -> Vec<Bytes> {
    vec![file.slice(..at), file.slice(at..)]
}

/// The file in pieces of that size.
pub fn pieces(file: &Bytes, size: usize) -> Vec<Bytes> {
    file.chunks(size).map(|piece| file.slice_ref(piece)).collect()
}

/// All events, with the parts of each value put together, or the error.
pub fn events(pieces: &[Bytes], limits: Limits) -> Result<Vec<Event>, Error> {
    let mut reader = Reader::new(limits);
    let mut events = Vec::new();
    let mut value = BytesMut::new();
    let mut parts = 0;
    for piece in pieces.iter().map(Some).chain([None]) {
        match piece {
            Some(piece) => reader.feed(piece.clone()),
            None => reader.finish(),
        }
        while let Some(event) = reader.next()? {
            match event {
                Event::Part { bytes, last } => {
                    assert!(!bytes.is_empty() && bytes.len() <= limits.whole);
                    parts += 1;
                    value.extend_from_slice(&bytes);
                    if last {
                        assert_eq!(parts == 1, value.len() <= limits.whole);
                        parts = 0;
                        events.push(Event::Part { bytes: value.split().freeze(), last });
                    }
                }
                other => events.push(other),
            }
        }
    }
    assert!(reader.is_done(), "neither ended nor failed");
    assert_eq!(reader.next(), Ok(None));
    Ok(events)
}

/// A key and its value from the type code on.
pub struct Entry {
    pub db: u32,
    pub key: Key,
    pub payload: Bytes,
}

impl Entry {
    pub fn code(&self) -> TypeCode {
        self.key.code
    }

    pub fn body(&self) -> Bytes {
        assert_eq!(self.payload[0], self.code().0);
        self.payload.slice(1..)
    }
}

/// The keys of a file.
pub fn keys(events: &[Event]) -> Vec<Entry> {
    let (mut db, mut keys) = (0, Vec::new());
    for pair in events.windows(2) {
        match pair {
            [Event::Database(number), _] => db = *number,
            [Event::Key(key), Event::Part { bytes, .. }] => {
                keys.push(Entry { db, key: key.clone(), payload: bytes.clone() });
            }
            _ => {}
        }
    }
    keys
}

/// All elements, with the pieces of texts and modules put together, or the error.
pub fn elements(code: TypeCode, version: Version, pieces: &[Bytes]) -> Result<Vec<Element>, Error> {
    let mut decoder = Decoder::of_version(code, version);
    let mut elements = Vec::new();
    for piece in pieces.iter().map(Some).chain([None]) {
        match piece {
            Some(piece) => decoder.feed(piece.clone()),
            None => decoder.finish(),
        }
        while let Some(element) = decoder.next()? {
            match (elements.last_mut(), element) {
                (Some(Element::Text(before)), Element::Text(more))
                | (Some(Element::Module(before)), Element::Module(more)) => {
                    *before = [&before[..], &more].concat().into();
                }
                (_, element) => elements.push(element),
            }
        }
    }
    assert!(decoder.is_done(), "neither ended nor failed");
    assert_eq!(decoder.next(), Ok(None));
    Ok(elements)
}
