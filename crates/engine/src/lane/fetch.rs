//! Asking the source, and what its replies lead to.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use client::reply::ReplyKind;
use client::{Read, SHARE_FROM};
use migration::conflict::OnConflict;
use migration::expiry::deadline_on_target_ms;
use migration::tally::{Cause, KeyType, Outcome};
use rdb::TypeCode;

use super::Lane;
use super::groups::READINGS;
use super::in_pieces::Why;
use super::listing::{Listing, PAGE_BYTES};
use super::older::ForTarget;
use super::reply::Reply;
use super::work::{Asked, Step, Work, Written};
use crate::guess::Guess;
use crate::stop::Halt;
use crate::temporary;
use crate::writer::{Payload, Use};

/// A string up to this length is read without asking for its length first. With the most keys that are
/// in flight at once this bounds what the source has to buffer for us to 32 MiB.
const SHORT: u64 = 16 * 1024;

/// Keys in flight on the source at most.
const MAX_KEYS: usize = 2048;

/// Keys between two looks at the source's clock.
const GROUP: usize = 64;

/// Bytes between two looks at the source's clock, about: reading them takes time, and that time is the
/// error of a key's expiry.
const GROUP_BYTES: u64 = 256 * 1024;

/// Keys waiting to be read, below which the next page is asked for.
const LOW_WATER: usize = 1024;

/// Bytes of names of unfinished pages above which no more pages are asked for. One slow key keeps its
/// page and all later ones open.
const NAME_BYTES: usize = 8 * 1024 * 1024;

/// What MULTI and the commands after it are answered with unless something is wrong.
const QUEUED: &[u8] = b"+OK\r\n+QUEUED\r\n+QUEUED\r\n";
const QUEUED_WITH_USE: &[u8] = b"+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n";

/// Payloads of hashes whose fields expire. The times in them are those of the source's clock, and RESTORE leaves
/// them so.
const FIELDS_EXPIRE: RangeInclusive<u8> = TypeCode::HASH_METADATA_PRE_GA.0..=TypeCode::HASH_LISTPACK_EX.0;

/// Clocks further apart than this make such hashes go in pieces, with every time moved to the target's clock.
const FIELD_EXPIRY_OFF_US: i64 = 2_000;

/// What a request without a value costs of the budget.
const SMALL: u64 = 64;

impl Lane {
    /// Sends requests as long as there is room for their replies.
    pub(super) fn ask(&mut self) {
        if self.stopping_since.is_some() || self.hold_until.is_some() || self.relayout {
            return;
        }
        self.ask_for_page();
        let window = self.window();
        while !self.todo.is_empty() && self.has_room(window) {
            let keys = self.todo.len().min(GROUP);
            let now_us = self.run.now_us();
            let wait =
                self.run.throttled.then(|| self.run.throttle().try_take(now_us, keys as u64, 0)).flatten();
            if let Some(wait_us) = wait {
                self.hold(Duration::from_micros(wait_us));
                return;
            }
            self.ask_for_group(keys, window);
            let pause_us = self.run.guard().pause_us();
            if pause_us > 0 {
                self.hold(Duration::from_micros(pause_us));
                return;
            }
        }
    }

    fn hold(&mut self, time: Duration) {
        self.hold_until = Some(Instant::now() + time);
    }

    /// Keys that may be in flight now; fewer when the source is slow to answer others.
    fn window(&self) -> usize {
        ((MAX_KEYS as f32 * self.run.guard().window_factor()) as usize).max(GROUP)
    }

    fn has_room(&self, window: usize) -> bool {
        self.in_flight_keys == 0
            || (self.in_flight_keys + GROUP / 2 <= window && self.in_flight_bytes < self.run.memory_per_lane)
    }

    fn ask_for_page(&mut self) {
        while self.wants_page() {
            let Some(cursor) = self.pages.next_cursor() else { return };
            match &mut self.listing {
                Listing::Scan => {
                    self.source.push(Read::Scan {
                        cursor,
                        count: self.scan_count,
                        pattern: self.run.selection.scan_match(),
                        kind: self.run.selection.scan_type(),
                    });
                    self.asked.push_back(Asked::Scan);
                    self.scan_pending = true;
                }
                Listing::Given(given) => {
                    given.fill(self.front.page(), self.scan_count);
                    self.listed();
                }
                Listing::Followed(followed) => {
                    if !followed.fill(self.front.page(), self.scan_count) {
                        return;
                    }
                    self.listed();
                }
            }
        }
    }

    fn wants_page(&self) -> bool {
        let enough = self.todo.len() >= LOW_WATER || self.in_pieces.has_enough();
        !(self.scan_pending || enough || self.names.bytes() > NAME_BYTES)
    }

    /// Asks for a group of keys between two looks at the clock.
    fn ask_for_group(&mut self, keys: usize, window: usize) {
        self.source.push(Read::Time);
        self.asked.push_back(Asked::Begin);
        let mut bytes = 0;
        for _ in 0..keys {
            let Some(work) = self.todo.pop_front() else { break };
            let before = self.in_flight_bytes;
            self.ask_for_key(work);
            bytes += self.in_flight_bytes - before;
            if bytes > GROUP_BYTES || !self.has_room(window + GROUP) {
                break;
            }
        }
        self.source.push(Read::Time);
        self.asked.push_back(Asked::End);
    }

    fn ask_for_key(&mut self, mut work: Work) {
        let key = self.names.get(work.key);
        if work.step == Step::Guess {
            work.step = match self.guesses.of(key) {
                // Only RESTORE carries idle time and frequency, so everything is dumped then.
                _ if self.run.options.preserve_idle => Step::AskSize,
                Guess::ShortString => Step::ReadShort,
                Guess::LongString => Step::AskLength,
                Guess::Collection => Step::AskSize,
            };
            if work.step == Step::AskSize && !self.run.abilities.memory_usage {
                work.step = Step::Dump(SHORT);
            }
        }
        let asked = match work.step {
            Step::Screen | Step::Guess => {
                self.source.push(Read::Type(key));
                self.source.push(Read::PTtl(key));
                Asked::Screen(work)
            }
            Step::AskLength => {
                self.source.push(Read::StrLen(key));
                Asked::Length(work)
            }
            Step::AskSize => {
                self.source.push(Read::MemoryUsage(key));
                Asked::Size(work)
            }
            Step::ReadShort | Step::ReadLong(_) | Step::Dump(_) => {
                let with_use = self.with_use();
                self.source.push(Read::Multi);
                self.source.push(Read::PTtl(key));
                if with_use {
                    let frequency = self.frequency;
                    self.source.push(if frequency {
                        Read::ObjectFreq(key)
                    } else {
                        Read::ObjectIdleTime(key)
                    });
                }
                self.source.push(match work.step {
                    Step::ReadShort => Read::GetRange(key, 0, SHORT - 1),
                    Step::ReadLong(_) => Read::GetRange(key, 0, self.run.options.big_key),
                    _ => Read::Dump(key),
                });
                self.source.push(Read::Exec);
                Asked::Value(work)
            }
        };
        self.asked.push_back(asked);
        self.in_flight_keys += 1;
        self.in_flight_bytes += self.cost(work.step);
    }

    fn with_use(&self) -> bool {
        self.run.options.preserve_idle
    }

    /// What a step may bring back, in bytes.
    fn cost(&self, step: Step) -> u64 {
        match step {
            Step::ReadShort => SMALL + self.typical_len,
            Step::ReadLong(bytes) | Step::Dump(bytes) => SMALL + bytes,
            Step::Guess | Step::Screen | Step::AskLength | Step::AskSize => SMALL,
        }
    }

    /// Decodes what has arrived and acts on every complete reply.
    pub(super) fn take_replies(&mut self) -> Result<(), Halt> {
        loop {
            let with_use = self.run.options.preserve_idle;
            if let Some(Asked::Value(_)) = self.asked.front()
                && self.front.is_fresh()
                && self.source.skip(if with_use { QUEUED_WITH_USE } else { QUEUED })
            {
                self.front.skipped(with_use);
            }
            let Some(token) = self.source.next_token()? else { break };
            let Some(asked) = self.asked.front().copied() else {
                // Nothing was asked: a server that talks by itself is no Redis in RESP2.
                return Err(self.source.peer().error(client::Kind::Shape { command: "nothing" }).into());
            };
            let source = &self.source;
            let bytes = |range: std::ops::Range<usize>| source.bytes(range).to_vec();
            let reply = match asked {
                Asked::Ping | Asked::Length(_) | Asked::Size(_) => self.front.single(token, bytes),
                Asked::Begin | Asked::End => self.front.time(token, bytes),
                Asked::Scan => self.front.scan(token, |range| source.bytes(range)),
                Asked::Screen(_) => self.front.screen(token, bytes),
                Asked::Value(_) => self.front.value(token, with_use, bytes),
            };
            let Some(reply) = reply else { continue };
            self.asked.pop_front();
            self.act(asked, reply)?;
        }
        Ok(())
    }

    fn act(&mut self, asked: Asked, reply: Reply) -> Result<(), Halt> {
        if let Some(work) = asked.work() {
            self.in_flight_keys -= 1;
            self.in_flight_bytes = self.in_flight_bytes.saturating_sub(self.cost(work.step));
        }
        match (asked, reply) {
            (Asked::Begin, Reply::Time(us)) => {
                self.groups.begin(us);
            }
            (Asked::End, Reply::Time(us)) => self.group_ended(us),
            (Asked::Begin, _) => {
                self.groups.begin(self.source_now_us());
            }
            (Asked::End | Asked::Ping, _) => {}
            (Asked::Scan, Reply::Page) => self.listed(),
            (Asked::Scan, Reply::Fault(kind, text)) => self.scan_failed(kind, text)?,
            (Asked::Scan, _) => {
                return Err(self.source.peer().error(client::Kind::Shape { command: "SCAN" }).into());
            }
            (Asked::Screen(work), Reply::Screen { kind, pttl }) => self.screened(work, &kind, pttl),
            (Asked::Length(work), Reply::Number(length)) => self.length_is(work, length.unsigned_abs()),
            (Asked::Size(work), Reply::Number(size)) => self.size_is(work, size.unsigned_abs()),
            (Asked::Value(work), Reply::Value { pttl, last_use, value }) => {
                self.fetched(work, pttl, last_use, value);
            }
            (asked, Reply::Fault(kind, text)) => {
                if let Some(work) = asked.work() {
                    self.read_failed(work, &kind, &text);
                }
            }
            (asked, _) => {
                if let Some(work) = asked.work() {
                    self.settle(work.key, Outcome::Not(Cause::GoneBeforeRead));
                }
            }
        }
        Ok(())
    }

    /// The look at the clock after a group: its acknowledged keys with an expiry are judged now.
    pub(super) fn group_ended(&mut self, us: u64) {
        if let Some(error_ms) = self.groups.end(us) {
            self.run.saw_ttl_error(error_ms);
        }
        for written in std::mem::take(&mut self.unjudged) {
            self.acknowledged(written);
        }
    }

    /// The source's clock now, as well as it is known.
    pub(super) fn source_now_us(&self) -> u64 {
        u64::try_from(self.run.now_us() as i64 + self.source_clock.offset_us).unwrap_or(0)
    }

    /// A page of names has arrived.
    fn listed(&mut self) {
        self.scan_pending = false;
        let fresh = self.names.buffer();
        let page = self.front.page();
        let bytes = std::mem::replace(&mut page.bytes, fresh);
        let (ends, next) = (std::mem::take(&mut page.ends), page.cursor);
        let keys = ends.len() as u64;
        let average = bytes.len() as u64 / keys.max(1);
        let number = self.pages.opened(keys, next);
        let screen = self.needs_screening();
        for key in self.names.keep(number, bytes, &ends) {
            let name = self.names.get(key);
            if let Listing::Followed(followed) = &mut self.listing {
                followed.keep(key);
            }
            if name.starts_with(temporary::PREFIX) {
                let outcome = Outcome::Not(Cause::TemporaryKey);
                match &mut self.listing {
                    Listing::Scan => {}
                    Listing::Given(given) => given.settle(name, outcome),
                    Listing::Followed(followed) => followed.settle(key, name, outcome),
                }
                self.pages.settle(key.page, outcome);
            } else if !self.run.selection.accepts_name(name) {
                if let Listing::Followed(followed) = &mut self.listing {
                    followed.settle(key, name, Outcome::Not(Cause::Filtered));
                }
                self.pages.settle(key.page, Outcome::Not(Cause::Filtered));
            } else {
                self.todo.push_back(Work::new(key, screen));
            }
        }
        self.names.forget_before(self.pages.oldest());
        let fitting = PAGE_BYTES / average.max(1);
        self.scan_count = u32::try_from(fitting).unwrap_or(u32::MAX).clamp(1, self.run.options.scan_count);
        let mut ends = ends;
        ends.clear();
        self.front.page().ends = ends;
    }

    fn needs_screening(&self) -> bool {
        let selection = &self.run.selection;
        selection.filters_by_ttl() || (selection.filters_by_type() && selection.scan_type().is_none())
    }

    fn scan_failed(&mut self, kind: ReplyKind, text: String) -> Result<(), Halt> {
        self.scan_pending = false;
        let page = self.front.page();
        page.bytes.clear();
        page.ends.clear();
        match kind {
            ReplyKind::Loading | ReplyKind::Busy | ReplyKind::MasterDown | ReplyKind::ClusterDown => {
                self.unwell(&text);
                Ok(())
            }
            _ => Err(Halt::ScanRefused { node: self.node.to_string(), kind, text }),
        }
    }

    fn screened(&mut self, work: Work, kind: &[u8], pttl: i64) {
        let name = String::from_utf8_lossy(kind);
        if pttl == -2 || name == "none" {
            self.settle(work.key, Outcome::Not(Cause::GoneBeforeRead));
        } else if !self.run.selection.accepts_type(&name) || !self.run.selection.accepts_ttl(pttl) {
            self.settle(work.key, Outcome::Not(Cause::Filtered));
        } else {
            self.todo.push_back(Work { step: Step::Guess, screened: true, ..work });
        }
    }

    fn length_is(&mut self, work: Work, length: u64) {
        let next = match length {
            // Missing and empty look alike here; the read tells them apart.
            0 => Step::ReadShort,
            length if length > self.run.options.big_key => {
                self.in_pieces.push(work, Why::Big);
                return;
            }
            length => Step::ReadLong(length),
        };
        if length < SHORT {
            self.guesses.learn(self.names.get(work.key), Guess::ShortString);
        }
        self.todo.push_front(work.then(next));
    }

    fn size_is(&mut self, work: Work, size: u64) {
        if size > self.run.options.big_key {
            self.in_pieces.push(work, Why::Big);
        } else if !self.run.abilities.restore {
            self.in_pieces.push(work, Why::Refused);
        } else {
            self.todo.push_front(work.then(Step::Dump(size)));
        }
    }

    /// The source answered a key's read with an error.
    fn read_failed(&mut self, work: Work, kind: &ReplyKind, text: &str) {
        match kind {
            ReplyKind::WrongType => {
                self.guesses.learn(self.names.get(work.key), Guess::Collection);
                let next = if self.run.abilities.memory_usage { Step::AskSize } else { Step::Dump(SHORT) };
                self.todo.push_front(work.then(next));
            }
            ReplyKind::Moved { .. } | ReplyKind::Ask { .. } => self.has_left(work.key),
            ReplyKind::Loading
            | ReplyKind::Busy
            | ReplyKind::MasterDown
            | ReplyKind::ClusterDown
            | ReplyKind::TryAgain => {
                self.todo.push_back(work.again());
                self.unwell(text);
            }
            ReplyKind::NoPerm => self.settle(work.key, Outcome::Not(Cause::SourceForbids)),
            _ => {
                self.say_once(Cause::SourceError, "source", text);
                self.settle(work.key, Outcome::Not(Cause::SourceError));
            }
        }
    }

    /// A value has arrived: on to the target with it.
    fn fetched(&mut self, work: Work, pttl: i64, last_use: Option<i64>, value: std::ops::Range<usize>) {
        let length = value.len() as u64;
        let whole = match work.step {
            Step::ReadShort => length < SHORT,
            Step::ReadLong(_) => length <= self.run.options.big_key,
            _ => true,
        };
        if !whole {
            self.guesses.learn(self.names.get(work.key), Guess::LongString);
            self.todo.push_front(work.then(Step::AskLength));
            return;
        }
        if self.run.throttled {
            self.run.throttle().charge(self.run.now_us(), 0, length);
        }
        let dumped = matches!(work.step, Step::Dump(_));
        let anew = match if dumped { self.for_target(&value) } else { ForTarget::AsItIs } {
            ForTarget::AsItIs => None,
            ForTarget::Anew(payload) => Some(payload),
            ForTarget::Not(cause) => return self.settle(work.key, Outcome::Not(cause)),
            ForTarget::InPieces => return self.in_pieces.push(work, Why::Refused),
        };
        let name = self.names.get(work.key);
        let sent = anew.as_deref().unwrap_or_else(|| self.source.bytes(value.clone()));
        let first = sent.first().copied().unwrap_or(0);
        let kind = if dumped {
            let kind = KeyType::of_payload(first).unwrap_or(KeyType::Module);
            if kind == KeyType::String {
                self.guesses.learn(name, Guess::ShortString);
            }
            kind
        } else {
            if matches!(work.step, Step::ReadShort) {
                self.typical_len = (self.typical_len * 15 + length) / 16;
            }
            KeyType::String
        };
        let name = if self.same_names {
            name
        } else {
            self.run.naming.target_name(self.db, name, &mut self.scratch)
        };
        let Some(route) = self.importers.route(&self.layout, self.writers.len(), name) else {
            self.todo.push_back(work.again());
            self.relayout = true;
            return;
        };
        let writer = &mut self.writers[route.index];
        let (source_clock, target_clock) = writer.clocks(self.source_clock);
        let clocks_us = target_clock.offset_us - source_clock.offset_us;
        if dumped && FIELDS_EXPIRE.contains(&first) && clocks_us.abs() > FIELD_EXPIRY_OFF_US {
            self.in_pieces.push(work, Why::Refused);
            return;
        }
        let read_at = (self.groups.read_at_us(), self.groups.read_at_us());
        let deadline = deadline_on_target_ms(&source_clock, &target_clock, read_at, pttl);
        let group = deadline.and_then(|deadline| {
            // What NX has written cannot be written again.
            let readings =
                if self.run.options.on_conflict == OnConflict::Skip { READINGS } else { work.readings };
            self.groups.add(deadline.error_ms, readings)
        });
        let expire_at = deadline.map(|deadline| deadline.at_ms);
        let payload = match anew {
            Some(payload) => Payload::Large(payload),
            None if value.len() < SHARE_FROM => Payload::Small(self.source.bytes(value)),
            None => Payload::Large(self.source.take(value)),
        };
        let written = Written { work, kind, bytes: payload.len() as u64, group, removal: None };
        if route.asking {
            writer.asking();
        }
        if dumped {
            let last_use = last_use
                .map(|number| if self.frequency { Use::Frequency(number) } else { Use::IdleSeconds(number) });
            writer.restore(&self.run, name, payload, expire_at, last_use, written);
        } else {
            writer.set(&self.run, name, payload, expire_at, written);
        }
    }
}
