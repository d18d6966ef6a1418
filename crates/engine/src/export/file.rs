//! What the lanes write to, and the task that makes a file of it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use rdb::file::{Key, Writer};
use rdb::{Lost, TypeCode, Unfit, Value, Version, dump, encode, transcode};
use tokio::sync::mpsc;

use super::Vessel;
use super::once::Once;
use crate::aside::Aside;
use crate::run::{Stop, lock};

/// Bytes that are gathered before they are written.
const GATHERED: usize = 256 * 1024;

/// Bytes that wait for the file, above which nothing more is read.
const BACKLOG: u64 = 4 << 20;

/// A key and its value, as they go into a file.
#[derive(Debug)]
pub(crate) struct Record {
    /// The database in the file.
    pub(crate) db: u32,
    /// Its name and all that stands before the value.
    pub(crate) key: Key,
    /// The value behind its type code.
    pub(crate) body: RecordBody,
    /// What the file's version has no place for.
    pub(crate) lost: Lost,
}

/// A value's bytes.
#[derive(Debug)]
pub(crate) enum RecordBody {
    /// Here.
    Whole(Bytes),
    /// A string that is yet to be encoded.
    Text(Bytes),
    /// On disk, behind the bytes that begin the value.
    Aside(Vec<u8>, Aside),
}

impl RecordBody {
    fn len(&self) -> u64 {
        match self {
            RecordBody::Whole(bytes) | RecordBody::Text(bytes) => bytes.len() as u64,
            RecordBody::Aside(head, aside) => head.len() as u64 + aside.len(),
        }
    }
}

/// A file, for those that write to it.
#[derive(Debug)]
pub(crate) struct FileSink {
    version: Version,
    records: Mutex<Option<mpsc::UnboundedSender<Option<Record>>>>,
    once: Mutex<Once>,
    /// Bytes in memory that wait to be written.
    waiting: AtomicU64,
    wakers: Mutex<Vec<Waker>>,
}

/// What a writing task came to.
#[derive(Debug)]
pub(super) struct Written<V> {
    pub(super) bytes: u64,
    pub(super) streams_lost: u64,
    /// The whole file, if it is whole.
    pub(super) vessel: Option<V>,
}

impl FileSink {
    /// A file of this version, for about so many keys, and the receiver of what is written to it.
    pub(super) fn new(
        version: Version,
        keys: u64,
    ) -> (Arc<FileSink>, mpsc::UnboundedReceiver<Option<Record>>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let sink = FileSink {
            version,
            records: Mutex::new(Some(sender)),
            once: Mutex::new(Once::for_keys(keys)),
            waiting: AtomicU64::new(0),
            wakers: Mutex::default(),
        };
        (Arc::new(sink), receiver)
    }

    /// A DUMP payload as it is put into this file.
    ///
    /// # Errors
    /// It is damaged, or the file's version cannot hold it.
    pub(crate) fn dumped(&self, payload: &Bytes) -> Result<(TypeCode, Bytes, Lost), Unfit> {
        let of = dump::open(payload)?;
        let body = payload.slice_ref(of.body);
        if self.version.knows(of.code) {
            return Ok((of.code, body, Lost::default()));
        }
        let (payload, lost) = transcode(payload, self.version)?;
        Ok((TypeCode(payload[0]), payload.slice(1..payload.len() - dump::FOOTER), lost))
    }

    /// Puts a key into the file, unless it is there already; whether it was.
    pub(crate) fn put(&self, record: Record) -> bool {
        if !lock(&self.once).is_first(record.db, &record.key.name) {
            return false;
        }
        self.waiting.fetch_add(record.in_memory(), Ordering::Relaxed);
        if let Some(records) = &*lock(&self.records) {
            // A task that is gone has said why, and asked everybody to stop.
            let _ = records.send(Some(record));
        }
        true
    }

    /// No more keys come. Without `whole` there will be no file.
    pub(crate) fn close(&self, whole: bool) {
        if let Some(records) = lock(&self.records).take()
            && whole
        {
            let _ = records.send(None);
        }
    }

    /// Ready while the file keeps up; else the task is woken when it does again.
    pub(crate) fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        if self.keeps_up() {
            return Poll::Ready(());
        }
        lock(&self.wakers).push(cx.waker().clone());
        // It may have caught up in between.
        if self.keeps_up() { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Whether more should be read.
    pub(crate) fn keeps_up(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) < BACKLOG
    }

    fn written(&self, bytes: u64) {
        let before = self.waiting.fetch_sub(bytes, Ordering::Relaxed);
        if before >= BACKLOG && before - bytes < BACKLOG {
            lock(&self.wakers).drain(..).for_each(Waker::wake);
        }
    }
}

/// Makes a file of what comes, up to its end, which the caller gives its name.
pub(super) async fn write<V: Vessel>(
    mut vessel: V,
    sink: Arc<FileSink>,
    mut records: mpsc::UnboundedReceiver<Option<Record>>,
    facts: &[(String, String)],
    stop: &Stop,
) -> Result<Written<V>, String> {
    let mut bytes = 0;
    let mut streams_lost = 0;
    let written = all(&mut vessel, &sink, &mut records, facts, &mut bytes, &mut streams_lost).await;
    let whole = written.inspect_err(|_| {
        // Nobody must wait for room that will never be.
        stop.ask();
        records.close();
        lock(&sink.wakers).drain(..).for_each(Waker::wake);
    })?;
    Ok(Written { bytes, streams_lost, vessel: whole.then_some(vessel) })
}

/// Whether the end was reached.
async fn all<V: Vessel>(
    vessel: &mut V,
    sink: &FileSink,
    records: &mut mpsc::UnboundedReceiver<Option<Record>>,
    facts: &[(String, String)],
    bytes: &mut u64,
    streams_lost: &mut u64,
) -> Result<bool, String> {
    let mut writer = Writer::new(sink.version);
    for (name, value) in facts {
        writer.aux(name.as_bytes(), value.as_bytes());
    }
    let mut db = None;
    let mut text_body = Vec::new();
    while let Some(record) = records.recv().await {
        let in_memory = record.as_ref().map_or(0, Record::in_memory);
        let Some(Record { db: of, key, body, lost }) = record else {
            writer.end();
            pass(vessel, &mut writer, bytes, 0).await?;
            return Ok(true);
        };
        if db != Some(of) {
            db = Some(of);
            writer.database(of);
        }
        sink.written(in_memory);
        *streams_lost += u64::from(lost.stream_facts || lost.consumer_activity);
        match body {
            RecordBody::Whole(body) => writer.key(&key, &body),
            RecordBody::Text(text) => {
                text_body.clear();
                // Every version holds every string.
                let code = encode::body(&Value::String(text), sink.version, &mut text_body);
                writer.key(&Key { code: code.unwrap_or(TypeCode::STRING), ..key }, &text_body);
            }
            RecordBody::Aside(head, mut aside) => {
                writer.key_head(&key);
                writer.part(&head);
                let unreadable =
                    |error| format!("what was put aside of a large value cannot be read ({error})");
                aside.rewind().map_err(unreadable)?;
                while let Some(part) = aside.read().map_err(unreadable)? {
                    writer.part(&part);
                    pass(vessel, &mut writer, bytes, 0).await?;
                }
            }
        }
        pass(vessel, &mut writer, bytes, GATHERED).await?;
    }
    Ok(false)
}

async fn pass<V: Vessel>(
    vessel: &mut V,
    writer: &mut Writer,
    bytes: &mut u64,
    from: usize,
) -> Result<(), String> {
    if writer.buffered() > from {
        let gathered = writer.take();
        *bytes += gathered.len() as u64;
        vessel.write(gathered).await?;
    }
    Ok(())
}

impl Record {
    /// Bytes that it takes until it is written.
    fn in_memory(&self) -> u64 {
        let body = match &self.body {
            RecordBody::Whole(bytes) | RecordBody::Text(bytes) => bytes.len(),
            RecordBody::Aside(head, _) => head.len(),
        };
        (body + self.key.name.len()) as u64
    }

    /// Bytes of the value.
    pub(crate) fn bytes(&self) -> u64 {
        self.body.len()
    }
}
