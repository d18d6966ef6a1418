//! What a key holds, whatever its encoding.

use bytes::Bytes;

/// A whole value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Bytes; numbers as their decimal text.
    String(Bytes),
    /// Items in order.
    List(Vec<Bytes>),
    /// Members, in the order of the payload.
    Set(Vec<Bytes>),
    /// Members and scores, in the order of the payload. A score is never NaN.
    Zset(Vec<(Bytes, f64)>),
    /// Fields, in the order of the payload.
    Hash(Vec<Field>),
    /// A stream.
    Stream(Stream),
    /// A module's value as it is in the payload: behind the type code, with module id and end mark.
    Module(Bytes),
}

/// A field of a hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: Bytes,
    /// Its value.
    pub value: Bytes,
    /// When it expires, in milliseconds since 1970 (Redis 7.4).
    pub expires_at_ms: Option<u64>,
}

/// An entry's place in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct StreamId {
    /// Milliseconds, mostly since 1970.
    pub ms: u64,
    /// A number among those of the same millisecond.
    pub seq: u64,
}

/// A whole stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stream {
    /// Entries in the order of their ids.
    pub entries: Vec<Entry>,
    /// What is known of it besides.
    pub facts: StreamFacts,
    /// Its groups, in the order of the payload.
    pub groups: Vec<Group>,
}

/// What a stream remembers besides its entries and groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StreamFacts {
    /// Entries, as the payload states it.
    pub length: u64,
    /// The last id ever given.
    pub last_id: StreamId,
    /// The id of the first entry (encoding 2, Redis 7.0); `None` in older payloads.
    pub first_id: Option<StreamId>,
    /// The largest id that was deleted (encoding 2).
    pub max_deleted_id: Option<StreamId>,
    /// Entries ever added (encoding 2).
    pub entries_added: Option<u64>,
}

/// An entry of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: StreamId,
    /// Fields and values in order; names may repeat.
    pub fields: Vec<(Bytes, Bytes)>,
}

/// A consumer group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Group {
    /// Its name.
    pub name: Bytes,
    /// The last id that it delivered.
    pub last_id: StreamId,
    /// Entries that it read (encoding 2); `None` when unknown: older payloads, and -1 of newer ones.
    pub entries_read: Option<u64>,
    /// Its consumers, in the order of the payload.
    pub consumers: Vec<Consumer>,
    /// Entries that were delivered and not acknowledged, in the order of their ids.
    pub pending: Vec<Pending>,
}

/// A consumer of a group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Consumer {
    /// Its name.
    pub name: Bytes,
    /// When it last tried anything, in milliseconds since 1970.
    pub seen_at_ms: u64,
    /// When it last got anything (encoding 3, Redis 7.2); `None` in older payloads, and for -1 of newer ones: never.
    pub active_at_ms: Option<u64>,
}

/// An entry that waits for its acknowledgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending {
    /// Which entry.
    pub id: StreamId,
    /// When it was last delivered, in milliseconds since 1970.
    pub delivered_at_ms: u64,
    /// How often it was delivered.
    pub deliveries: u64,
    /// To whom: an index into the group's consumers.
    pub consumer: usize,
}
