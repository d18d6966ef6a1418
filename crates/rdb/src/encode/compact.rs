//! Up to which size a server of the default configuration holds a collection in one piece of memory
//! (`*-max-ziplist-*`, `*-max-listpack-*` and `set-max-intset-entries` in redis.conf of 6.0 and 7.4).
//!
//! A server with other limits converts what it loads.

/// Entries of hashes.
pub(super) const HASH_ENTRIES: usize = 512;
/// Entries of sorted sets.
pub(super) const ZSET_ENTRIES: usize = 128;
/// Members of sets that are no integers.
pub(super) const SET_ENTRIES: usize = 128;
/// Members of sets that are integers.
pub(super) const INTSET_ENTRIES: usize = 512;
/// Bytes of a field, value or member.
pub(super) const ELEMENT: usize = 64;
/// Bytes of a node of a list (`list-max-ziplist-size -2`).
pub(super) const LIST_NODE: usize = 8192;
/// Bytes of a node of a stream (`stream-node-max-bytes`).
pub(super) const STREAM_NODE: usize = 4096;
/// Entries of a node of a stream (`stream-node-max-entries`).
pub(super) const STREAM_ENTRIES: usize = 100;

/// Ziplists and listpacks tell their size by 32 bits, and servers refuse those above 1 GiB
/// (`LISTPACK_MAX_SAFETY_LIMIT` in Redis' listpack.h).
pub(super) const PIECE: usize = 1 << 30;
