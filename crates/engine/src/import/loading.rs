//! The task that writes: payloads out, acknowledgements in, and what follows from them.

mod answers;
mod recovery;

use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use client::{Error, Kind, Side, Topology};
use migration::sequence::Sequence;
use migration::tally::{Cause, Outcome, Tally};
use rdb::Version;
use rdb::file::Checksum;
use tokio::task::JoinSet;

use super::putting::Ticket;
use super::reading::{Item, Reading};
use super::{Book, ImportProgress, Seen};
use crate::checkpoint::CheckpointError;
use crate::feed::FeedError;
use crate::pieces::{Body, FileCopier, PiecesEnd};
use crate::route::Importers;
use crate::run::Run;
use crate::stop::Halt;
use crate::writer::Writer;

/// How often clocks, state and the wish to stop are looked at.
const TICK: Duration = Duration::from_millis(50);

/// Below Azure's limit of 10 minutes for idle connections.
const IDLE_PING: Duration = Duration::from_secs(60);

/// Pause after an answer that means "not now".
const NOT_NOW: Duration = Duration::from_millis(200);

/// How long a stopped import waits for what is in flight.
const DRAIN: Duration = Duration::from_secs(5);

/// Items that wait to be written, below which more are taken.
const LOW_WATER: usize = 1024;

/// Keys from the oldest that is open to the newest: one slow key must not let all others be remembered.
const SPAN: usize = 65_536;

/// Values in pieces under way at once; each costs some round trips, which are waited for side by side.
const IN_PIECES: usize = 16;

/// Lost writes of one key after which it is suspected of breaking the connection.
const TOO_OFTEN: u8 = 8;

/// How reading a file through came to its end.
#[derive(Debug)]
pub(super) enum PassEnd {
    /// Every key is settled.
    Done,
    /// It has to be read again from the first key that is not settled; why.
    Again(String),
}

/// Why `turn` came back.
enum Turn {
    Tick,
    Relayout,
    Database(u32),
    Function(bytes::Bytes),
    Ended,
    Stopped,
}

/// Writes files, one after the other.
pub(super) struct Loader {
    pub(super) run: Arc<Run<()>>,
    pub(super) version: Option<Version>,
    functions: bool,
    book: Book,
    progress: ImportProgress,
    pub(super) seen: Seen,
    /// The same before the file that is being imported.
    seen_before: Seen,
    // The target.
    pub(super) layout: Arc<Topology>,
    pub(super) writers: Vec<Writer<Ticket>>,
    /// The target's database that the writers write to.
    pub(super) db: Option<u32>,
    pub(super) importers: Importers,
    pub(super) relayout: bool,
    pub(super) scratch: Vec<u8>,
    // The keys.
    pub(super) ready: VecDeque<Item>,
    pub(super) again: VecDeque<Ticket>,
    pub(super) sequence: Sequence,
    pieces: JoinSet<(Box<Ticket>, FileCopier, Result<PiecesEnd, Error>)>,
    idle: Vec<FileCopier>,
    // How the file ends.
    ended: Option<Result<Checksum, FeedError>>,
    lost_large: Option<String>,
    // Time.
    pub(super) hold_until: Option<Instant>,
    last_heard: Instant,
    last_ping: Instant,
    last_save: Instant,
    unwell_since: Option<(Instant, String)>,
    pub(super) stopping_since: Option<Instant>,
    pub(super) halted: Option<Halt>,
    said: Vec<Cause>,
}

impl Loader {
    pub(super) fn new(
        run: Arc<Run<()>>,
        version: Option<Version>,
        functions: bool,
        book: Book,
        progress: ImportProgress,
    ) -> Loader {
        let now = Instant::now();
        Loader {
            layout: run.target_layout(),
            sequence: Sequence::resume(book.state.position.clone()),
            run,
            version,
            functions,
            book,
            progress,
            seen: Seen::default(),
            seen_before: Seen::default(),
            writers: Vec::new(),
            db: None,
            importers: Importers::default(),
            relayout: false,
            scratch: Vec::new(),
            ready: VecDeque::new(),
            again: VecDeque::new(),
            pieces: JoinSet::new(),
            idle: Vec::new(),
            ended: None,
            lost_large: None,
            hold_until: None,
            last_heard: now,
            last_ping: now,
            last_save: now,
            unwell_since: None,
            stopping_since: None,
            halted: None,
            said: Vec::new(),
        }
    }

    pub(super) fn book(&self) -> &Book {
        &self.book
    }

    pub(super) fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Keys of this file that are settled, without a gap.
    pub(super) fn done(&self) -> u64 {
        self.sequence.position().keys
    }

    /// What became of all keys of all files so far.
    pub(super) fn total(&self) -> Tally {
        let mut total = self.book.state.before.clone();
        total.add(self.sequence.total());
        total
    }

    pub(super) fn save(&mut self) -> Result<(), CheckpointError> {
        self.book.state.position = self.sequence.position().clone();
        self.book.save()
    }

    /// The next file begins.
    pub(super) fn file_is_done(&mut self) {
        let sequence = std::mem::replace(&mut self.sequence, Sequence::resume(Default::default()));
        let state = &mut self.book.state;
        state.before.add(sequence.total());
        state.file += 1;
        state.fingerprint = None;
        state.position = Default::default();
        self.seen_before = self.seen.clone();
    }

    /// Writes what a file brings, until every key is settled.
    pub(super) async fn pass(&mut self, file: &str, mut reading: Reading) -> Result<PassEnd, Halt> {
        self.progress.change(|status| status.file = file.to_owned());
        self.sequence = Sequence::resume(self.sequence.position().clone());
        self.ready.clear();
        self.again.clear();
        self.pieces = JoinSet::new();
        (self.ended, self.lost_large) = (None, None);
        // What has no key is seen again with every pass.
        self.seen.functions = self.seen_before.functions;
        self.seen.functions_loaded = self.seen_before.functions_loaded;
        self.seen.module_aux = self.seen_before.module_aux;
        loop {
            let turn = self.turn(&mut reading).await;
            self.publish();
            let error = match turn {
                Ok(Turn::Tick) => match self.tick()? {
                    None => continue,
                    Some(error) => error,
                },
                Ok(Turn::Ended) => return self.pass_ended(),
                Ok(Turn::Stopped) => return Err(Halt::Asked),
                Ok(Turn::Relayout) => match self.follow_target().await {
                    Ok(()) => continue,
                    Err(error) => error,
                },
                Ok(Turn::Database(db)) => {
                    self.db = Some(db);
                    match self.connect().await {
                        Ok(()) => continue,
                        Err(error) => error,
                    }
                }
                Ok(Turn::Function(library)) => match self.function(&library).await {
                    Ok(()) => continue,
                    Err(error) => {
                        self.ready.push_front(Item::Function(library));
                        error
                    }
                },
                Err(Halt::Side(error)) => error,
                Err(halt) => return Err(halt),
            };
            self.recover(error).await?;
        }
    }

    fn pass_ended(&mut self) -> Result<PassEnd, Halt> {
        if let Some(why) = self.lost_large.take() {
            return Ok(PassEnd::Again(why));
        }
        match self.ended.take() {
            Some(Ok(checksum)) => {
                self.seen.checksums.push(checksum);
                Ok(PassEnd::Done)
            }
            Some(Err(error)) => Err(Halt::File(error)),
            None => Ok(PassEnd::Again("the file was not read to its end".to_owned())),
        }
    }

    /// Moves bytes until something has to be decided outside.
    async fn turn(&mut self, reading: &mut Reading) -> Result<Turn, Halt> {
        let held = self.hold_until.map(|until| until.saturating_duration_since(Instant::now()));
        let wait = held.map_or(TICK, |held| held.clamp(Duration::from_millis(1), TICK));
        let tick = tokio::time::sleep(wait);
        tokio::pin!(tick);
        std::future::poll_fn(|cx| {
            match self.poll(cx, reading) {
                Ok(Some(turn)) => return Poll::Ready(Ok(turn)),
                Ok(None) => {}
                Err(halt) => return Poll::Ready(Err(halt)),
            }
            tick.as_mut().poll(cx).map(|()| Ok(Turn::Tick))
        })
        .await
    }

    fn poll(&mut self, cx: &mut Context<'_>, reading: &mut Reading) -> Result<Option<Turn>, Halt> {
        loop {
            let mut moved = self.take_items(cx, reading);
            let turn = self.put();
            for index in 0..self.writers.len() {
                let _ = self.writers[index].poll_write(cx)?;
                while let Poll::Ready(read) = self.writers[index].poll_read(cx) {
                    read?;
                    self.take_acks(index)?;
                    moved = true;
                }
            }
            moved |= self.poll_pieces(cx)?;
            if let Some(halt) = self.halted.take() {
                return Err(halt);
            }
            if self.relayout {
                return Ok(Some(Turn::Relayout));
            }
            if self.stopping_since.is_some() && self.is_written() && self.pieces.is_empty() {
                return Ok(Some(Turn::Stopped));
            }
            if turn.is_some() {
                return Ok(turn);
            }
            let over = self.ended.is_some() || self.lost_large.is_some();
            if over && self.ready.is_empty() && self.is_settled() {
                return Ok(Some(Turn::Ended));
            }
            if !moved {
                return Ok(None);
            }
            self.last_heard = Instant::now();
        }
    }

    /// Takes what was read of the file, while there is room for it.
    fn take_items(&mut self, cx: &mut Context<'_>, reading: &mut Reading) -> bool {
        let mut moved = false;
        while self.ended.is_none()
            && self.lost_large.is_none()
            && self.ready.len() < LOW_WATER
            && self.sequence.span() < SPAN
            && self.stopping_since.is_none()
        {
            match reading.items.poll_recv(cx) {
                Poll::Ready(Some(batch)) => {
                    self.ready.extend(batch);
                    moved = true;
                }
                Poll::Ready(None) => {
                    // Its last item says how it ended; without one the task broke down.
                    if !self.ready.iter().any(|item| matches!(item, Item::End(_) | Item::Fault(_))) {
                        self.lost_large = Some("reading the file broke off".to_owned());
                    }
                    break;
                }
                Poll::Pending => break,
            }
        }
        moved
    }

    /// Takes items until one has to be written, or to be decided outside.
    fn put(&mut self) -> Option<Turn> {
        while self.may_put() {
            if let Some(ticket) = self.again.pop_front() {
                self.write(ticket);
                continue;
            }
            // After a large value is lost nothing more is begun: all of it is read again.
            if self.lost_large.is_some() {
                self.ready.clear();
                return None;
            }
            if let Some(db) = self.ready.front().and_then(|item| self.database_of(item))
                && self.db != Some(db)
            {
                return self.is_settled().then_some(Turn::Database(db));
            }
            match self.ready.pop_front()? {
                Item::Head(fingerprint) => self.head(fingerprint),
                Item::Not(name, cause) => {
                    let number = self.sequence.listed();
                    self.settle(number, &name, Outcome::Not(cause));
                }
                Item::Value(value) => {
                    let number = self.sequence.listed();
                    self.begin(number, value);
                }
                Item::Large(what, parts) => {
                    let number = self.sequence.listed();
                    match self.without_time(what.key.expires_at_ms) {
                        Some(cause) => self.settle(number, &what.key.name, Outcome::Not(cause)),
                        None => self.in_pieces(Ticket::large(number, what), Body::Arriving(parts)),
                    }
                }
                Item::Function(library) => return Some(Turn::Function(library)),
                Item::ModuleAux => self.seen.module_aux += 1,
                Item::End(checksum) => self.ended = Some(Ok(checksum)),
                Item::Fault(error) => self.ended = Some(Err(error)),
            }
        }
        None
    }

    fn may_put(&self) -> bool {
        self.stopping_since.is_none()
            && self.hold_until.is_none()
            && !self.relayout
            && self.halted.is_none()
            && self.has_room()
            && self.pieces.len() < IN_PIECES
    }

    /// The target's database that an item is written to.
    fn database_of(&self, item: &Item) -> Option<u32> {
        match item {
            Item::Value(value) => self.run.naming.target_db(value.what.db),
            Item::Large(what, _) => self.run.naming.target_db(what.db),
            _ => None,
        }
    }

    fn head(&mut self, fingerprint: String) {
        match &self.book.state.fingerprint {
            Some(known) if *known != fingerprint => {
                self.halted = Some(Halt::OtherFile(self.progress.status().file));
            }
            _ => self.book.state.fingerprint = Some(fingerprint),
        }
    }

    /// Loads a library of functions on every node.
    async fn function(&mut self, library: &[u8]) -> Result<(), Error> {
        self.seen.functions += 1;
        if !self.functions {
            return Ok(());
        }
        for node in self.layout.primaries() {
            let mut connection =
                self.run.target().connect_target(node, 0).await.inspect_err(|_| self.seen.functions -= 1)?;
            let reply = connection.ask(&[b"FUNCTION", b"LOAD", b"REPLACE", library]).await;
            let reply = reply.inspect_err(|_| self.seen.functions -= 1)?;
            if reply.is_error() {
                let error = Error::from_reply(connection.peer(), "FUNCTION LOAD", &reply);
                tracing::warn!("a library of functions was not loaded: {error}");
                return Ok(());
            }
        }
        self.seen.functions_loaded += 1;
        Ok(())
    }

    pub(super) fn is_written(&self) -> bool {
        self.writers.iter().all(|writer| writer.due() == 0)
    }

    fn is_settled(&self) -> bool {
        self.again.is_empty() && self.is_written() && self.pieces.is_empty()
    }

    /// A key has come to its end.
    pub(super) fn settle(&mut self, number: u64, name: &[u8], outcome: Outcome) {
        if let Outcome::Not(cause) = outcome
            && cause != Cause::Filtered
        {
            self.run.example(cause, name);
        }
        self.sequence.settle(number, outcome);
    }

    /// What is due from time to time. Returns a connection's fault.
    fn tick(&mut self) -> Result<Option<Error>, Halt> {
        let now = Instant::now();
        if self.hold_until.is_some_and(|until| until <= now) {
            self.hold_until = None;
        }
        for writer in &mut self.writers {
            if let Some(clock) = self.run.clock_of(Side::Target, writer.node()) {
                writer.clock = clock;
            }
        }
        if now - self.last_save > self.run.options.checkpoint_every {
            self.last_save = now;
            self.save()?;
        }
        if self.run.stop.is_asked() && self.stopping_since.is_none() {
            self.stopping_since = Some(now);
        }
        if self.stopping_since.is_some_and(|since| now - since > DRAIN) {
            return Err(Halt::Asked);
        }
        if let Some((since, why)) = &self.unwell_since
            && now - *since > self.run.options.give_up_after
        {
            return Err(Halt::Outage {
                side: Side::Target,
                seconds: since.elapsed().as_secs(),
                last: why.clone(),
            });
        }
        if !self.is_written() && now - self.last_heard > self.run.options.silence {
            let silent = self.writers.iter().find(|writer| writer.due() > 0).map(Writer::peer);
            let silence = Kind::Silent(self.run.options.silence);
            return Ok(silent.map(|peer| peer.error(silence)));
        }
        if now - self.last_ping > IDLE_PING {
            self.last_ping = now;
            self.writers.iter_mut().for_each(Writer::ping);
        }
        Ok(None)
    }

    fn publish(&self) {
        let total = self.total();
        let waiting = self.unwell_since.as_ref().map(|(_, why)| why.clone());
        self.progress.change(|status| (status.total, status.waiting) = (total, waiting));
    }
}
