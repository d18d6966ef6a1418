//! The task that cuts a file: from its bytes to payloads that the target takes.

use std::sync::Arc;

use bytes::Bytes;
use migration::tally::{Cause, KeyType};
use rdb::file::{Checksum, Event, Key, Limits};
use rdb::{Kind, Lost, TypeCode, Unfit, Version, dump, transcode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::AbortHandle;

use super::look::Fingerprint;
use crate::feed::{Chunks, Feed, FeedError};
use crate::pieces::{FromFile, Part};
use crate::run::Run;

/// Items handed over at once.
const BATCH: usize = 128;

/// Batches that wait at most.
const BATCHES: usize = 8;

/// Bytes that one permit of the room stands for.
const PERMIT: usize = 1024;

/// Parts of a large value that wait at most, and bytes of one.
const PARTS: usize = 4;

/// What was found in a file, in its order.
#[derive(Debug)]
pub(super) enum Item {
    /// What tells the file from others, before its first key.
    Head(String),
    /// A key that goes whole.
    Value(Value),
    /// A key that goes in pieces as the file brings them.
    Large(FromFile, mpsc::Receiver<Part>),
    /// A key that is not imported.
    Not(Bytes, Cause),
    /// A library of functions.
    Function(Bytes),
    /// A fact of a module.
    ModuleAux,
    /// The file's end.
    End(Checksum),
    /// The file cannot be read on.
    Fault(FeedError),
}

/// A key and its payload.
#[derive(Debug)]
pub(super) struct Value {
    pub(super) what: FromFile,
    pub(super) kind: KeyType,
    /// Type code, body and footer.
    pub(super) payload: Bytes,
    pub(super) lost: Lost,
    /// Given back when the key is settled.
    pub(super) _room: OwnedSemaphorePermit,
}

/// A file that is being read. The task ends with this.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) items: mpsc::Receiver<Vec<Item>>,
    task: AbortHandle,
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Begins to read; the first `skip` keys are passed over.
pub(super) fn begin<C: Chunks + 'static>(
    run: Arc<Run<()>>,
    file: String,
    chunks: C,
    skip: u64,
    target_version: Option<Version>,
) -> Reading {
    let (items, received) = mpsc::channel(BATCHES);
    let whole = usize::try_from(run.options.big_key).unwrap_or(usize::MAX);
    let most = usize::try_from(run.options.memory).unwrap_or(usize::MAX).max(2 * whole) / PERMIT;
    let reader = Reader {
        feed: Feed::new(file, chunks, Limits { whole, ..Limits::default() }),
        run,
        skip,
        target_version,
        version: Version::NEWEST_OF_REDIS,
        db: 0,
        head: Some(Fingerprint::default()),
        room: Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS >> 1))),
        most: most.clamp(1, Semaphore::MAX_PERMITS >> 1),
        batch: Vec::with_capacity(BATCH),
        items,
    };
    Reading { items: received, task: tokio::spawn(reader.read()).abort_handle() }
}

struct Reader<C> {
    feed: Feed<C>,
    run: Arc<Run<()>>,
    skip: u64,
    target_version: Option<Version>,
    version: Version,
    db: u32,
    /// `None` once it was told.
    head: Option<Fingerprint>,
    room: Arc<Semaphore>,
    most: usize,
    batch: Vec<Item>,
    items: mpsc::Sender<Vec<Item>>,
}

/// Nobody listens any more.
struct Gone;

impl<C: Chunks> Reader<C> {
    async fn read(mut self) {
        loop {
            let event = match self.next().await {
                Ok(Some(event)) => event,
                Ok(None) => break,
                Err(error) => {
                    self.batch.push(Item::Fault(error));
                    break;
                }
            };
            match self.event(event).await {
                Ok(()) => {}
                Err(Some(error)) => {
                    self.batch.push(Item::Fault(error));
                    break;
                }
                Err(None) => return,
            }
        }
        let _ = self.hand_over().await;
    }

    /// The next event. What was gathered is handed over before the file is waited for.
    async fn next(&mut self) -> Result<Option<Event>, FeedError> {
        if let Some(event) = self.feed.poll()? {
            return Ok(Some(event));
        }
        let _ = self.hand_over().await;
        self.feed.next().await
    }

    async fn hand_over(&mut self) -> Result<(), Gone> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let batch = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH));
        self.items.send(batch).await.map_err(|_| Gone)
    }

    async fn give(&mut self, item: Item) -> Result<(), Option<FeedError>> {
        self.batch.push(item);
        if self.batch.len() < BATCH {
            return Ok(());
        }
        self.hand_over().await.map_err(|Gone| None)
    }

    async fn event(&mut self, event: Event) -> Result<(), Option<FeedError>> {
        match event {
            Event::Version(version) => {
                self.version = version;
                self.add_to_head(&version.0.to_le_bytes());
            }
            Event::Aux(name, value) => {
                self.add_to_head(&name);
                self.add_to_head(&value);
            }
            Event::ModuleAux(_) | Event::KeyMetadata(_) => self.give(Item::ModuleAux).await?,
            Event::Function(library) => self.give(Item::Function(library)).await?,
            Event::Database(db) => self.db = db,
            Event::Key(key) => {
                self.tell_head().await?;
                self.key(key).await?;
            }
            Event::End(checksum) => {
                self.tell_head().await?;
                self.give(Item::End(checksum)).await?;
            }
            Event::Sizes { .. } | Event::Slot { .. } | Event::Part { .. } => {}
        }
        Ok(())
    }

    fn add_to_head(&mut self, bytes: &[u8]) {
        if let Some(head) = &mut self.head {
            head.add(bytes);
        }
    }

    async fn tell_head(&mut self) -> Result<(), Option<FeedError>> {
        match self.head.take() {
            Some(head) => self.give(Item::Head(head.finish())).await,
            None => Ok(()),
        }
    }

    async fn key(&mut self, key: Key) -> Result<(), Option<FeedError>> {
        let skipped = self.skip > 0;
        self.skip = self.skip.saturating_sub(1);
        let Some((begun, last)) = self.part().await? else { return Ok(()) };
        let left_out = if skipped { None } else { self.left_out(&key, &begun) };
        if skipped || left_out.is_some() {
            let mut over = last;
            while !over {
                over = self.part().await?.is_none_or(|(_, last)| last);
            }
            return match left_out {
                Some(cause) => self.give(Item::Not(key.name, cause)).await,
                None => Ok(()),
            };
        }
        let what = FromFile { db: self.db, key, version: self.version };
        if last { self.whole(what, begun).await } else { self.large(what, begun).await }
    }

    async fn part(&mut self) -> Result<Option<(Bytes, bool)>, FeedError> {
        match self.next().await? {
            Some(Event::Part { bytes, last }) => Ok(Some((bytes, last))),
            _ => Ok(None),
        }
    }

    /// Why a key is not imported, as far as its name and type tell.
    fn left_out(&self, key: &Key, begun: &Bytes) -> Option<Cause> {
        let selection = &self.run.selection;
        let wanted = self.run.naming.target_db(self.db).is_some()
            && selection.accepts_name(&key.name)
            && (!selection.filters_by_type() || selection.accepts_type(&type_name(key, begun)));
        if !wanted {
            return Some(Cause::Filtered);
        }
        let is_module = key.code.kind() == Some(Kind::Module);
        if is_module && !self.target_version.is_some_and(Version::refuses_unknown_modules) {
            return Some(Cause::ModuleTypeUnknown);
        }
        key.name.starts_with(crate::temporary::PREFIX).then_some(Cause::TemporaryKey)
    }

    async fn whole(&mut self, mut what: FromFile, bytes: Bytes) -> Result<(), Option<FeedError>> {
        let kind = KeyType::of_payload(what.key.code.0).unwrap_or(KeyType::Module);
        let footer = dump::footer([&bytes[..]], self.version);
        let payload = Bytes::from([&bytes[..], &footer].concat());
        let (payload, lost) = match self.target_version {
            Some(target) if !target.reads(self.version) => match transcode(&payload, target) {
                Ok((payload, lost)) => {
                    what.key.code = TypeCode(payload[0]);
                    what.version = target;
                    (payload, lost)
                }
                Err(unfit) => return self.give(Item::Not(what.key.name, cause_of(&unfit))).await,
            },
            _ => (payload, Lost::default()),
        };
        let permits = (1 + payload.len() / PERMIT).min(self.most);
        let permits = u32::try_from(permits).unwrap_or(u32::MAX);
        let room = match Arc::clone(&self.room).try_acquire_many_owned(permits) {
            Ok(room) => room,
            Err(_) => {
                // Those who have the room may be waiting in this very batch.
                self.hand_over().await.map_err(|Gone| None)?;
                Arc::clone(&self.room).acquire_many_owned(permits).await.map_err(|_| None)?
            }
        };
        self.give(Item::Value(Value { what, kind, payload, lost, _room: room })).await
    }

    async fn large(&mut self, what: FromFile, begun: Bytes) -> Result<(), Option<FeedError>> {
        let (parts, received) = mpsc::channel(PARTS);
        self.batch.push(Item::Large(what, received));
        self.hand_over().await.map_err(|Gone| None)?;
        // The type code stands in front of the body. Whoever wants no more has dropped the other end.
        let mut listens = parts.send(Part::More(begun.slice(1.min(begun.len())..))).await.is_ok();
        loop {
            let Some((bytes, last)) = self.part().await? else { return Ok(()) };
            let part = if last { Part::Last(bytes) } else { Part::More(bytes) };
            if listens {
                listens = parts.send(part).await.is_ok();
            }
            if last {
                return Ok(());
            }
        }
    }
}

fn cause_of(unfit: &Unfit) -> Cause {
    match unfit {
        Unfit::Damaged(_) => Cause::Damaged,
        Unfit::Module => Cause::ModuleTypeUnknown,
        Unfit::TooLarge => Cause::TooLarge,
        _ => Cause::FormatUnfit,
    }
}

/// As TYPE names it. A module's value begins with a length of eight bytes that is the module's id.
fn type_name(key: &Key, value: &Bytes) -> String {
    match key.code.kind() {
        Some(Kind::Module) => {
            let id = value.get(2..10).and_then(|id| id.try_into().ok()).map(u64::from_be_bytes);
            id.map_or("module".to_owned(), |id| rdb::module_name(id).0)
        }
        Some(kind) => kind.name().to_owned(),
        None => "unknown".to_owned(),
    }
}
