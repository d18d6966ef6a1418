//! What a lane writes to: a node of the target, or a file.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use client::{Error, Node, Peer, Side};
use migration::expiry::Clock;
use migration::tally::Cause;
use rdb::file::Key;
use rdb::{Lost, Unfit};

use super::work::Written;
use crate::export::{FileSink, Record, RecordBody};
use crate::names::KeyRef;
use crate::run::Run;
use crate::unlink::Removal;
use crate::writer::{Ack, Payload, Use, Writer};

/// Where values go.
#[derive(Debug)]
pub(super) enum Out {
    Node(Box<Writer<Written>>),
    File(FileOut),
}

/// A file. A key stays here until it is known that its expiry was read exactly, since the file cannot be changed.
#[derive(Debug)]
pub(super) struct FileOut {
    sink: Arc<FileSink>,
    db: u32,
    node: Node,
    acks: VecDeque<(Written, Ack)>,
    held: HashMap<KeyRef, Record>,
}

/// The same clock, and nothing is moved from one to another.
const ONE_CLOCK: Clock = Clock { offset_us: 0, error_us: 0 };

impl Out {
    /// A file, for the keys of one database.
    pub(super) fn file(sink: Arc<FileSink>, db: u32, node: Node) -> Out {
        Out::File(FileOut { sink, db, node, acks: VecDeque::new(), held: HashMap::new() })
    }

    pub(super) fn node(&self) -> &Node {
        match self {
            Out::Node(writer) => writer.node(),
            Out::File(file) => &file.node,
        }
    }

    pub(super) fn peer(&self) -> Peer {
        match self {
            Out::Node(writer) => writer.peer(),
            Out::File(file) => Peer { side: Side::Target, node: file.node.clone() },
        }
    }

    /// Clocks between which an expiry is moved: the source's, and that of what is written to.
    pub(super) fn clocks(&self, source: Clock) -> (Clock, Clock) {
        match self {
            Out::Node(writer) => (source, writer.clock),
            Out::File(_) => (ONE_CLOCK, ONE_CLOCK),
        }
    }

    pub(super) fn set_clock(&mut self, clock: Clock) {
        if let Out::Node(writer) = self {
            writer.clock = clock;
        }
    }

    /// Whether as much may be read as before.
    pub(super) fn keeps_up(&self, unsent: usize, due: usize) -> bool {
        match self {
            Out::Node(writer) => writer.unsent() < unsent && writer.due() < due,
            Out::File(file) => file.sink.keeps_up(),
        }
    }

    /// Writes whose acknowledgement is due.
    pub(super) fn due(&self) -> usize {
        match self {
            Out::Node(writer) => writer.due(),
            Out::File(file) => file.acks.len(),
        }
    }

    /// Everything whose acknowledgement will not come.
    pub(super) fn into_due(self) -> Vec<Written> {
        match self {
            Out::Node(writer) => writer.into_due().collect(),
            Out::File(file) => file.acks.into_iter().map(|(written, _)| written).collect(),
        }
    }

    pub(super) fn ping(&mut self) {
        if let Out::Node(writer) = self {
            writer.ping();
        }
    }

    pub(super) fn asking(&mut self) {
        if let Out::Node(writer) = self {
            writer.asking();
        }
    }

    /// Removes a key. In a file it simply is not.
    pub(super) fn remove(&mut self, removal: Removal, name: &[u8], written: Written) {
        match self {
            Out::Node(writer) => writer.remove(removal, name, written),
            Out::File(file) => file.acks.push_back((written, Ack::Done)),
        }
    }

    /// Writes a string.
    pub(super) fn set(
        &mut self,
        run: &Run,
        name: &[u8],
        value: Payload<'_>,
        expire_at: Option<i64>,
        written: Written,
    ) {
        match self {
            Out::Node(writer) => writer.set(run, name, value, expire_at, written),
            Out::File(file) => {
                let text = match value {
                    Payload::Small(bytes) => Bytes::copy_from_slice(bytes),
                    Payload::Large(bytes) => bytes,
                };
                let key = key(name, rdb::TypeCode::STRING, expire_at, None);
                file.hold(written, key, RecordBody::Text(text), Lost::default());
            }
        }
    }

    /// Writes a value in the source's own encoding.
    pub(super) fn restore(
        &mut self,
        run: &Run,
        name: &[u8],
        payload: Payload<'_>,
        expire_at: Option<i64>,
        last_use: Option<Use>,
        written: Written,
    ) {
        match self {
            Out::Node(writer) => writer.restore(run, name, payload, expire_at, last_use, written),
            Out::File(file) => {
                let payload = match payload {
                    Payload::Small(bytes) => Bytes::copy_from_slice(bytes),
                    Payload::Large(bytes) => bytes,
                };
                match file.sink.dumped(&payload) {
                    Ok((code, body, lost)) => {
                        let key = key(name, code, expire_at, last_use);
                        file.hold(written, key, RecordBody::Whole(body), lost);
                    }
                    Err(unfit) => file.acks.push_back((written, Ack::Not(cause_of(&unfit)))),
                }
            }
        }
    }

    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        match self {
            Out::Node(writer) => writer.poll_write(cx),
            Out::File(file) => file.sink.poll_room(cx).map(Ok),
        }
    }

    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, Error>> {
        match self {
            Out::Node(writer) => writer.poll_read(cx),
            Out::File(file) if file.acks.is_empty() => Poll::Pending,
            Out::File(file) => Poll::Ready(Ok(file.acks.len())),
        }
    }

    pub(super) fn next_ack(&mut self) -> Result<Option<(Written, Ack)>, Error> {
        match self {
            Out::Node(writer) => writer.next_ack(),
            Out::File(file) => Ok(file.acks.pop_front()),
        }
    }

    /// A key is settled for good. `false` when the file had it already.
    pub(super) fn keep(&mut self, key: KeyRef) -> bool {
        match self {
            Out::Node(_) => true,
            Out::File(file) => file.held.remove(&key).is_some_and(|record| file.sink.put(record)),
        }
    }

    /// A key is read again.
    pub(super) fn forget(&mut self, key: KeyRef) {
        if let Out::File(file) = self {
            file.held.remove(&key);
        }
    }
}

impl FileOut {
    fn hold(&mut self, written: Written, key: Key, body: RecordBody, lost: Lost) {
        let record = Record { db: self.db, key, body, lost };
        self.held.insert(written.work.key, record);
        self.acks.push_back((written, Ack::Done));
    }
}

fn key(name: &[u8], code: rdb::TypeCode, expire_at: Option<i64>, last_use: Option<Use>) -> Key {
    let (idle_s, frequency) = match last_use {
        Some(Use::IdleSeconds(seconds)) => (u64::try_from(seconds).ok(), None),
        Some(Use::Frequency(frequency)) => (None, u8::try_from(frequency).ok()),
        None => (None, None),
    };
    Key {
        name: Bytes::copy_from_slice(name),
        code,
        expires_at_ms: expire_at.map(|at| u64::try_from(at).unwrap_or(0)),
        idle_s,
        frequency,
    }
}

/// Why a value has no place in a file.
pub(crate) fn cause_of(unfit: &Unfit) -> Cause {
    match unfit {
        Unfit::Damaged(_) => Cause::Damaged,
        Unfit::Module => Cause::ModuleTypeUnknown,
        Unfit::TooLarge => Cause::TooLarge,
        _ => Cause::FormatUnfit,
    }
}
