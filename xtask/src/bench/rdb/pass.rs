//! Reading a file or a stream, in a process that does nothing else.

#[path = "../../../../crates/rdb/tests/support/generated.rs"]
mod generated;

use std::fs::File;
use std::hint::black_box;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use clap::{Args, ValueEnum};
use rdb::decode::{Decoder, Element};
use rdb::file::{Checksum, Event, Limits, Reader};

use crate::bench::data;
use crate::bench::machine::{own_cpu, own_peak_rss};
pub use generated::Written;
use generated::{CHUNK, Generated};

/// Small files are read again until so much CPU time is used.
const ENOUGH: Duration = Duration::from_secs(1);

/// How much is done with the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// They are read, or generated: what the others have to do as well.
    Bytes,
    /// Cut into keys and payloads.
    Raw,
    /// Values become elements.
    Decoded,
    /// The same by Redis' own parser.
    Librdb,
}

impl Level {
    /// As it is printed.
    pub fn name(self) -> &'static str {
        match self {
            Level::Bytes => "bytes only",
            Level::Raw => "raw",
            Level::Decoded => "decoded",
            Level::Librdb => "librdb",
        }
    }
}

/// What is read and how.
#[derive(Debug, Clone, Args)]
pub struct Pass {
    level: Level,
    #[arg(long, required_unless_present = "stream")]
    file: Option<PathBuf>,
    #[arg(long, value_parser = data::size)]
    stream: Option<u64>,
}

/// Reads, and prints a report as JSON: keys and bytes of one pass, CPU time of one pass and of all, peak memory.
///
/// # Errors
/// The file is damaged or has no checksum, or something else than what was generated has been read.
pub fn run(pass: &Pass) -> Result<()> {
    let begin = own_cpu();
    let mut passes = 0;
    let (read, cpu) = loop {
        let read = once(pass)?;
        passes += 1;
        let cpu = own_cpu().saturating_sub(begin);
        if cpu >= ENOUGH {
            break (read, cpu / passes);
        }
    };
    let report = serde_json::json!({
        "bytes": read.bytes,
        "keys": read.keys,
        "cpu_ns": cpu.as_nanos() as u64,
        "cpu_ns_of_all": own_cpu().as_nanos() as u64,
        "peak_rss_bytes": own_peak_rss(),
    });
    println!("{report}");
    Ok(())
}

fn once(pass: &Pass) -> Result<Written> {
    match (pass.stream, &pass.file) {
        (Some(size), _) => stream(size, pass.level),
        (None, Some(file)) if pass.level == Level::Librdb => librdb(file),
        (None, Some(file)) => through(pass.level, chunks(file)?),
        (None, None) => bail!("nothing to read"),
    }
}

#[cfg(feature = "librdb")]
use super::librdb::read as librdb;

#[cfg(not(feature = "librdb"))]
fn librdb(_file: &Path) -> Result<Written> {
    bail!("librdb: not built, use --features librdb")
}

/// The chunks of a file.
///
/// # Errors
/// It cannot be opened.
pub fn chunks(file: &Path) -> Result<impl Iterator<Item = io::Result<Bytes>>> {
    let mut file = File::open(file).with_context(|| file.display().to_string())?;
    Ok(std::iter::from_fn(move || {
        let mut chunk = Vec::with_capacity(CHUNK);
        match (&mut file).take(CHUNK as u64).read_to_end(&mut chunk) {
            Ok(0) => None,
            Ok(_) => Some(Ok(chunk.into())),
            Err(error) => Some(Err(error)),
        }
    }))
}

fn stream(size: u64, level: Level) -> Result<Written> {
    let mut generated = Generated::new(size);
    let read = through(level, generated.by_ref().map(Ok))?;
    let all = generated.written();
    let expected = match level {
        Level::Bytes => Written { bytes: all.bytes, ..Written::default() },
        Level::Raw => Written { elements: 0, text_bytes: 0, ..all },
        Level::Decoded => all,
        Level::Librdb => bail!("librdb reads files only"),
    };
    ensure!(read == expected, "{expected:?} was generated, {read:?} was read");
    Ok(read)
}

fn through(level: Level, chunks: impl Iterator<Item = io::Result<Bytes>>) -> Result<Written> {
    let mut read = Written::default();
    if level == Level::Bytes {
        for chunk in chunks {
            read.bytes += black_box(chunk?).len() as u64;
        }
        return Ok(read);
    }
    let mut reader = Reader::new(Limits::default());
    let mut values = (level == Level::Decoded).then(Values::default);
    let mut sum = None;
    for chunk in chunks.map(Some).chain([None]) {
        match chunk {
            Some(chunk) => reader.feed(chunk?),
            None => reader.finish(),
        }
        while let Some(event) = reader.next()? {
            match event {
                Event::Key(key) => {
                    read.keys += 1;
                    if let Some(values) = &mut values {
                        values.begin(Decoder::new(key.code));
                    }
                    black_box(key);
                }
                Event::Part { bytes, last } => {
                    read.value_bytes += bytes.len() as u64;
                    match &mut values {
                        Some(values) => values.part(bytes, last, &mut read)?,
                        None => drop(black_box(bytes)),
                    }
                }
                Event::End(checksum) => sum = Some(checksum),
                other => drop(black_box(other)),
            }
        }
    }
    ensure!(sum == Some(Checksum::Right), "the file has no checksum");
    read.bytes = reader.offset();
    Ok(read)
}

/// Decodes one value after the other.
#[derive(Default)]
struct Values {
    decoder: Option<Decoder>,
    /// The type code stands before the next part.
    fresh: bool,
}

impl Values {
    fn begin(&mut self, decoder: Decoder) {
        (self.decoder, self.fresh) = (Some(decoder), true);
    }

    fn part(&mut self, bytes: Bytes, last: bool, read: &mut Written) -> Result<()> {
        let decoder = self.decoder.as_mut().context("a value without a key")?;
        decoder.feed(bytes.slice(usize::from(std::mem::take(&mut self.fresh))..));
        if last {
            decoder.finish();
        }
        while let Some(element) = decoder.next()? {
            read.elements += u64::from(!matches!(element, Element::Text(_)));
            read.text_bytes += match black_box(&element) {
                Element::Text(text) | Element::Item(text) | Element::Member(text) => text.len(),
                Element::Scored(member, _) => member.len(),
                Element::Field(field) => field.name.len() + field.value.len(),
                Element::Entry(entry) => {
                    entry.fields.iter().map(|(name, value)| name.len() + value.len()).sum()
                }
                Element::Facts(_) | Element::Group(_) | Element::Module(_) => 0,
            } as u64;
        }
        ensure!(decoder.is_done() == last, "a value does not end where its part does");
        Ok(())
    }
}
