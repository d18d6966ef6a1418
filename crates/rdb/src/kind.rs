//! Types of values and the codes of their encodings.

/// The code in front of a value (`RDB_TYPE_*` in Redis' rdb.h).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TypeCode(pub u8);

/// What a value is, whatever its encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Text, numbers, bitmaps, HyperLogLogs.
    String,
    /// A list.
    List,
    /// A set.
    Set,
    /// A sorted set.
    Zset,
    /// A hash.
    Hash,
    /// A stream.
    Stream,
    /// A module's.
    Module,
}

impl Kind {
    /// As TYPE names it; a module's own name is in its value.
    pub fn name(self) -> &'static str {
        match self {
            Kind::String => "string",
            Kind::List => "list",
            Kind::Set => "set",
            Kind::Zset => "zset",
            Kind::Hash => "hash",
            Kind::Stream => "stream",
            Kind::Module => "module",
        }
    }
}

impl TypeCode {
    /// `RDB_TYPE_STRING`
    pub const STRING: TypeCode = TypeCode(0);
    /// `RDB_TYPE_LIST`
    pub const LIST: TypeCode = TypeCode(1);
    /// `RDB_TYPE_SET`
    pub const SET: TypeCode = TypeCode(2);
    /// `RDB_TYPE_ZSET`: scores as text
    pub const ZSET: TypeCode = TypeCode(3);
    /// `RDB_TYPE_HASH`
    pub const HASH: TypeCode = TypeCode(4);
    /// `RDB_TYPE_ZSET_2`: scores as binary doubles
    pub const ZSET_2: TypeCode = TypeCode(5);
    /// `RDB_TYPE_MODULE_PRE_GA`
    pub const MODULE: TypeCode = TypeCode(6);
    /// `RDB_TYPE_MODULE_2`
    pub const MODULE_2: TypeCode = TypeCode(7);
    /// `RDB_TYPE_HASH_ZIPMAP`
    pub const HASH_ZIPMAP: TypeCode = TypeCode(9);
    /// `RDB_TYPE_LIST_ZIPLIST`
    pub const LIST_ZIPLIST: TypeCode = TypeCode(10);
    /// `RDB_TYPE_SET_INTSET`
    pub const SET_INTSET: TypeCode = TypeCode(11);
    /// `RDB_TYPE_ZSET_ZIPLIST`
    pub const ZSET_ZIPLIST: TypeCode = TypeCode(12);
    /// `RDB_TYPE_HASH_ZIPLIST`
    pub const HASH_ZIPLIST: TypeCode = TypeCode(13);
    /// `RDB_TYPE_LIST_QUICKLIST`
    pub const LIST_QUICKLIST: TypeCode = TypeCode(14);
    /// `RDB_TYPE_STREAM_LISTPACKS`
    pub const STREAM_1: TypeCode = TypeCode(15);
    /// `RDB_TYPE_HASH_LISTPACK`
    pub const HASH_LISTPACK: TypeCode = TypeCode(16);
    /// `RDB_TYPE_ZSET_LISTPACK`
    pub const ZSET_LISTPACK: TypeCode = TypeCode(17);
    /// `RDB_TYPE_LIST_QUICKLIST_2`
    pub const LIST_QUICKLIST_2: TypeCode = TypeCode(18);
    /// `RDB_TYPE_STREAM_LISTPACKS_2`
    pub const STREAM_2: TypeCode = TypeCode(19);
    /// `RDB_TYPE_SET_LISTPACK`
    pub const SET_LISTPACK: TypeCode = TypeCode(20);
    /// `RDB_TYPE_STREAM_LISTPACKS_3`
    pub const STREAM_3: TypeCode = TypeCode(21);
    /// `RDB_TYPE_HASH_METADATA_PRE_GA`
    pub const HASH_METADATA_PRE_GA: TypeCode = TypeCode(22);
    /// `RDB_TYPE_HASH_LISTPACK_EX_PRE_GA`
    pub const HASH_LISTPACK_EX_PRE_GA: TypeCode = TypeCode(23);
    /// `RDB_TYPE_HASH_METADATA`: fields with expiry
    pub const HASH_METADATA: TypeCode = TypeCode(24);
    /// `RDB_TYPE_HASH_LISTPACK_EX`
    pub const HASH_LISTPACK_EX: TypeCode = TypeCode(25);
    /// `RDB_TYPE_STREAM_LISTPACKS_4`: with what is remembered of producers (Redis 8.6)
    pub const STREAM_4: TypeCode = TypeCode(26);
    /// `RDB_TYPE_STREAM_LISTPACKS_5`: with entries that were given back (Redis 8.8)
    pub const STREAM_5: TypeCode = TypeCode(27);
    /// `RDB_TYPE_ARRAY` (Redis 8.8): passed through, and not decoded
    pub const ARRAY: TypeCode = TypeCode(28);

    /// What such a value is; `None` for a code that is not known.
    pub fn kind(self) -> Option<Kind> {
        Some(match self.0 {
            0 => Kind::String,
            1 | 10 | 14 | 18 => Kind::List,
            2 | 11 | 20 => Kind::Set,
            3 | 5 | 12 | 17 => Kind::Zset,
            4 | 9 | 13 | 16 | 22..=25 => Kind::Hash,
            15 | 19 | 21 | 26 | 27 => Kind::Stream,
            6 | 7 => Kind::Module,
            _ => return None,
        })
    }
}
