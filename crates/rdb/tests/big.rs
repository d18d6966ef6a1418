//! A file of 256 MiB with values of 64 MiB goes through a reader and a decoder that hold a few chunks of it.
//! `cargo xtask bench rdb --stream 20g` does the same with values of 5 GiB.

#[path = "support/generated.rs"]
mod generated;

use bytes::Bytes;
use rdb::decode::{Decoder, Element};
use rdb::file::{Checksum, Event, Limits, Reader};

use generated::{CHUNK, Generated, Written};

const FILE: u64 = 256 << 20;

/// Far below the size of the large values.
const WHOLE: usize = 1 << 20;

/// What the process may hold at its peak, with the program itself and everything that the test runner needs.
const MEMORY: u64 = 64 << 20;

#[test]
fn values_larger_than_memory_pass_through() {
    let mut file = Generated::new(FILE);
    let mut reader = Reader::new(Limits { whole: WHOLE, ..Limits::default() });
    let mut seen = Seen::default();
    for chunk in file.by_ref() {
        reader.feed(chunk);
        seen.all(&mut reader);
    }
    reader.finish();
    seen.all(&mut reader);
    let read = Written { bytes: reader.offset(), ..seen.read };
    assert_eq!(read, file.written());
    assert_eq!(seen.checksum, Some(Checksum::Right));
    // A chunk is a little larger than its size, since it ends with a whole element.
    let chunk = CHUNK + CHUNK / 8;
    assert!(seen.most_in_reader <= WHOLE + chunk, "the reader held {} bytes", seen.most_in_reader);
    assert!(seen.most_in_decoder <= chunk, "the decoder held {} bytes", seen.most_in_decoder);
    let peak = peak_rss();
    assert!(peak.is_none_or(|peak| peak <= MEMORY), "the process held {peak:?} bytes");
}

#[derive(Default)]
struct Seen {
    read: Written,
    checksum: Option<Checksum>,
    decoder: Option<Decoder>,
    /// Only the type code stands before the next part.
    fresh: bool,
    most_in_reader: usize,
    most_in_decoder: usize,
}

impl Seen {
    fn all(&mut self, reader: &mut Reader) {
        self.most_in_reader = self.most_in_reader.max(reader.buffered());
        while let Some(event) = reader.next().expect("the file is well formed") {
            self.most_in_reader = self.most_in_reader.max(reader.buffered());
            match event {
                Event::Key(key) => {
                    self.read.keys += 1;
                    self.decoder = Some(Decoder::new(key.code));
                    self.fresh = true;
                }
                Event::Part { bytes, last } => self.part(bytes, last),
                Event::End(checksum) => self.checksum = Some(checksum),
                _ => {}
            }
        }
        self.most_in_reader = self.most_in_reader.max(reader.buffered());
    }

    fn part(&mut self, bytes: Bytes, last: bool) {
        assert!(bytes.len() <= WHOLE);
        self.read.value_bytes += bytes.len() as u64;
        let decoder = self.decoder.as_mut().expect("a key came before");
        let code = usize::from(std::mem::take(&mut self.fresh));
        decoder.feed(bytes.slice(code..));
        self.most_in_decoder = self.most_in_decoder.max(decoder.rest());
        if last {
            decoder.finish();
        }
        while let Some(element) = decoder.next().expect("the value is well formed") {
            let text = match element {
                Element::Text(text) => text.len(),
                Element::Item(item) => {
                    self.read.elements += 1;
                    item.len()
                }
                Element::Field(field) => {
                    self.read.elements += 1;
                    field.name.len() + field.value.len()
                }
                other => panic!("there is no {other:?} in the file"),
            };
            self.read.text_bytes += text as u64;
        }
        assert_eq!(decoder.is_done(), last);
    }
}

/// The largest resident set of this process so far; `None` where there is no `/proc`.
fn peak_rss() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}
