//! From chunks of a file to events.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::error::{Error, Problem};
use crate::input::{Input, Trouble};
use crate::kind::TypeCode;
use crate::scan::{Scan, Stop};
use crate::version::Version;
use crate::walk::{KEY_METADATA, MODULE_AUX, Piece, Walk, Walker, grammar};

use super::record::{Record, record};
use super::{Checksum, Event, Key, Limits};

/// Cuts a file into keys and the bytes of their values.
#[derive(Debug)]
pub struct Reader {
    limits: Limits,
    input: Input,
    version: Version,
    state: State,
    inside: Inside,
    /// What is known of the next key.
    key: Known,
    /// Bytes up to the end of the last event.
    told: u64,
    failed: Option<Error>,
}

#[derive(Debug, Default)]
struct Known {
    expires_at_ms: Option<u64>,
    idle_s: Option<u64>,
    frequency: Option<u8>,
}

#[derive(Debug)]
enum State {
    Head,
    Between,
    Inside,
    Sum,
    Padding,
}

/// Something whose end is found by walking through it.
#[derive(Debug)]
struct Inside {
    what: What,
    walker: Walker,
    /// What was walked through and not told, as long as it may come in one piece; a value begins with its code.
    held: Vec<u8>,
    /// It is larger than what comes in one piece.
    large: bool,
    /// Parts to tell, the last one with its mark.
    ready: VecDeque<(Bytes, bool)>,
}

#[derive(Debug, Clone, Copy)]
enum What {
    Value(TypeCode),
    ModuleAux,
    KeyMetadata,
}

impl What {
    fn code(self) -> Option<TypeCode> {
        match self {
            What::Value(code) => Some(code),
            What::ModuleAux | What::KeyMetadata => None,
        }
    }
}

impl Reader {
    /// At the beginning of a file.
    pub fn new(limits: Limits) -> Reader {
        Reader {
            limits: Limits { whole: limits.whole.max(1), ..limits },
            input: Input::with_checksum(),
            version: Version(0),
            state: State::Head,
            inside: Inside::new(What::ModuleAux, MODULE_AUX),
            key: Known::default(),
            told: 0,
            failed: None,
        }
    }

    /// Takes the next bytes of the file.
    pub fn feed(&mut self, bytes: Bytes) {
        self.input.feed(bytes);
    }

    /// Says that no more bytes come.
    pub fn finish(&mut self) {
        self.input.finish();
    }

    /// What comes next; `None` when more bytes are needed, or after the end.
    ///
    /// Behind the end only zeros may come: go on until `None` after [`finish`](Self::finish), so that they are looked
    /// at.
    ///
    /// # Errors
    /// The file is damaged, cut off or of an unknown version; the reader cannot go on. As Redis does, it refuses
    /// versions that it does not know before it reads anything else: their codes may mean something else.
    #[expect(clippy::should_implement_trait, reason = "an iterator would end where more bytes are needed")]
    pub fn next(&mut self) -> Result<Option<Event>, Error> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        match self.step() {
            Ok(Some(event)) => {
                self.told = self.input.offset();
                Ok(Some(event))
            }
            Ok(None) => Ok(None),
            Err((problem, offset)) => {
                let of_type = match self.state {
                    State::Inside => self.inside.what.code(),
                    _ => None,
                };
                let error = Error { problem, offset, of_type };
                self.failed = Some(error.clone());
                Err(error)
            }
        }
    }

    /// Whether [`Event::End`] has been given.
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Padding)
    }

    /// Bytes of the file up to the end of the last event.
    pub fn offset(&self) -> u64 {
        self.told
    }

    /// Bytes that came and were not told yet: at most [`Limits::whole`] (or a text of [`Limits::text`]) and the last
    /// chunk, however large the values of the file are.
    pub fn buffered(&self) -> usize {
        let ready: usize = self.inside.ready.iter().map(|(bytes, _)| bytes.len()).sum();
        self.input.available() + self.inside.held.len() + ready
    }

    fn step(&mut self) -> Result<Option<Event>, Trouble> {
        loop {
            let event = match self.state {
                State::Head => {
                    let Some(version) = self.input.unit(head)? else { return Ok(None) };
                    self.version = version;
                    self.state = State::Between;
                    Event::Version(version)
                }
                State::Between => {
                    let (version, limit) = (self.version, self.limits.text);
                    match self.input.unit(|scan| record(scan, version, limit))? {
                        Some(record) => match self.take(record)? {
                            Some(event) => event,
                            None => continue,
                        },
                        None => return Ok(None),
                    }
                }
                State::Inside => match self.inside.go_on(&mut self.input, self.limits)? {
                    Some((event, last)) => {
                        if last {
                            self.state = State::Between;
                        }
                        event
                    }
                    None => return Ok(None),
                },
                State::Sum => match self.sum()? {
                    Some(checksum) => {
                        self.state = State::Padding;
                        Event::End(checksum)
                    }
                    None => return Ok(None),
                },
                State::Padding => return self.padding(),
            };
            return Ok(Some(event));
        }
    }

    fn take(&mut self, record: Record) -> Result<Option<Event>, Trouble> {
        match record {
            Record::Event(event) => return Ok(Some(event)),
            Record::Passed => {}
            Record::Expires(at) => self.key.expires_at_ms = Some(at),
            Record::Idle(seconds) => self.key.idle_s = Some(seconds),
            Record::Frequency(frequency) => self.key.frequency = Some(frequency),
            Record::Key(code, name) => {
                let pieces = grammar(code, self.version).map_err(|problem| (problem, self.input.offset()))?;
                self.enter(What::Value(code), pieces);
                let Known { expires_at_ms, idle_s, frequency } = std::mem::take(&mut self.key);
                return Ok(Some(Event::Key(Key { name, code, expires_at_ms, idle_s, frequency })));
            }
            Record::ModuleAux => self.enter(What::ModuleAux, MODULE_AUX),
            Record::KeyMetadata => self.enter(What::KeyMetadata, KEY_METADATA),
            Record::End => self.state = State::Sum,
        }
        Ok(None)
    }

    fn enter(&mut self, what: What, pieces: &'static [Piece]) {
        self.inside = Inside::new(what, pieces);
        self.state = State::Inside;
    }

    fn sum(&mut self) -> Result<Option<Checksum>, Trouble> {
        if self.version < Version(5) {
            return Ok(Some(Checksum::Absent));
        }
        let at = self.input.offset();
        let right = self.input.checksum();
        match self.input.unit(|scan| scan.array().map(u64::from_le_bytes))? {
            None => Ok(None),
            Some(0) => Ok(Some(Checksum::Absent)),
            Some(sum) if sum == right => Ok(Some(Checksum::Right)),
            Some(_) => Err((Problem::Checksum, at)),
        }
    }

    fn padding(&mut self) -> Result<Option<Event>, Trouble> {
        while self.input.available() > 0 {
            self.input.wait_for(1)?;
            let rest = self.input.rest();
            if let Some(at) = rest.iter().position(|&byte| byte != 0) {
                let offset = self.input.offset() + at as u64;
                return Err((Problem::Malformed("something else than zeros follows behind the end"), offset));
            }
            self.input.skip(rest.len());
        }
        Ok(None)
    }
}

/// `REDIS` and 4 digits, or `VALKEY` and 3.
fn head(scan: &mut Scan<'_>) -> Result<Version, Stop> {
    let there = scan.rest();
    let begins = |magic: &[u8]| there.iter().zip(magic).all(|(is, must)| is == must);
    if !begins(b"REDIS") && !begins(b"VALKEY") {
        return Err(Problem::NoMagic.into());
    }
    if there.len() < 9 {
        // Byte by byte, so that another file is known as such from its first bytes, however they come.
        return Err(Stop::Need(there.len() + 1));
    }
    let head: [u8; 9] = scan.array()?;
    let of_redis = head.starts_with(b"REDIS");
    let digits = if of_redis { &head[5..] } else { &head[6..] };
    let version = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|c| c.is_ascii_digit()));
    let version = version.and_then(|text| text.parse().ok()).map(Version).ok_or(Problem::NoMagic)?;
    let known = if of_redis {
        Version(1)..=Version::NEWEST_OF_REDIS
    } else {
        Version::VALKEY_9..=Version::NEWEST_OF_VALKEY
    };
    if known.contains(&version) { Ok(version) } else { Err(Problem::UnknownVersion(version.0).into()) }
}

impl Inside {
    fn new(what: What, pieces: &'static [Piece]) -> Inside {
        Inside { what, walker: Walker::new(pieces), held: Vec::new(), large: false, ready: VecDeque::new() }
    }

    /// The next event, and whether it is the last one.
    fn go_on(&mut self, input: &mut Input, limits: Limits) -> Result<Option<(Event, bool)>, Trouble> {
        loop {
            if let Some(part) = self.part(limits.whole) {
                return Ok(Some(part));
            }
            let (used, walk) = self.walker.walk(input.rest());
            let walk = walk.map_err(|problem| (problem, input.offset() + used as u64))?;
            let ended = walk == Walk::Ended;
            self.hold_code(used);
            let size = (self.held.len() as u64 + used as u64).saturating_add(self.walker.pending());
            match self.what {
                What::Value(_) => self.large |= size > limits.whole as u64,
                _ if size > limits.text => return Err((Problem::TooLong(size), input.offset())),
                _ => {}
            }
            if self.large {
                if !self.held.is_empty() {
                    self.ready.push_back((std::mem::take(&mut self.held).into(), false));
                }
                if used > 0 {
                    self.ready.push_back((input.take(used), ended));
                }
            } else {
                self.held.extend_from_slice(&input.rest()[..used]);
                input.skip(used);
                if ended {
                    let bytes = std::mem::take(&mut self.held).into();
                    return Ok(Some(match self.what {
                        What::Value(_) => (Event::Part { bytes, last: true }, true),
                        What::ModuleAux => (Event::ModuleAux(bytes), true),
                        What::KeyMetadata => (Event::KeyMetadata(bytes), true),
                    }));
                }
            }
            if let Walk::Needs(count) = walk
                && self.ready.is_empty()
                && !input.wait_for(count)?
            {
                return Ok(None);
            }
        }
    }

    /// Puts the code in front, with room for exactly so many bytes, which mostly are the whole value.
    fn hold_code(&mut self, room: usize) {
        if self.held.is_empty() && !self.large {
            self.held.reserve_exact(1 + room);
            self.held.extend(self.what.code().map(|code| code.0));
        }
    }

    /// Of what is ready, at most so many bytes.
    fn part(&mut self, whole: usize) -> Option<(Event, bool)> {
        let (bytes, last) = self.ready.front_mut()?;
        if bytes.len() > whole {
            return Some((Event::Part { bytes: bytes.split_to(whole), last: false }, false));
        }
        let (bytes, last) = (std::mem::take(bytes), *last);
        self.ready.pop_front();
        Some((Event::Part { bytes, last }, last))
    }
}
