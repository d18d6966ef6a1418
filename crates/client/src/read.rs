//! The closed list of what may ever be sent to a source (design rule R12).
//!
//! A [`SourceConnection`](crate::SourceConnection) takes nothing but these requests, so no bug and no
//! option can change a source. All of them are reads or act on the connection alone. `MULTI`, `EXEC`
//! and `WATCH` only group and guard reads, because nothing else can be queued between them.

use resp::encode;

/// One request to a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read<'a> {
    /// Is the node there?
    Ping,
    /// The node's clock: seconds and microseconds since the epoch.
    Time,
    /// The node's own account of itself; the empty section asks for the default ones.
    Info(&'a str),
    /// Keys in the selected database.
    DbSize,
    /// Chooses the database of this connection.
    Select(u32),
    /// One page of key names.
    Scan {
        /// Where to go on; 0 begins.
        cursor: u64,
        /// How much work the node shall do for this page.
        count: u32,
        /// Only names that match this glob.
        pattern: Option<&'a [u8]>,
        /// Only keys of this type.
        kind: Option<&'a str>,
    },
    /// Groups the reads that follow, so that value and time to live belong together (rule R3).
    Multi,
    /// Runs the group.
    Exec,
    /// Makes the next `Exec` fail if the key changes before it.
    Watch(&'a [u8]),
    /// Forgets what is watched.
    Unwatch,
    /// Lets the next request use a slot that is being imported.
    Asking,
    /// Lets a replica of a cluster answer reads.
    ReadOnly,
    /// The type's name.
    Type(&'a [u8]),
    /// Is the key there?
    Exists(&'a [u8]),
    /// Milliseconds to live; -1 without expiry, -2 without key.
    PTtl(&'a [u8]),
    /// Estimated bytes of a key; some elements of a large collection are sampled.
    MemoryUsage(&'a [u8]),
    /// Seconds since the last access (where the eviction policy keeps them).
    ObjectIdleTime(&'a [u8]),
    /// Logarithmic access frequency (where the eviction policy keeps it).
    ObjectFreq(&'a [u8]),
    /// The whole value in the server's own encoding.
    Dump(&'a [u8]),
    /// Bytes of a string.
    StrLen(&'a [u8]),
    /// A piece of a string; both ends count.
    GetRange(&'a [u8], u64, u64),
    /// Elements of a list.
    LLen(&'a [u8]),
    /// A piece of a list; both ends count.
    LRange(&'a [u8], u64, u64),
    /// Members of a set.
    SCard(&'a [u8]),
    /// All members of a set.
    SMembers(&'a [u8]),
    /// A page of a set.
    SScan(&'a [u8], u64, u32),
    /// Fields of a hash.
    HLen(&'a [u8]),
    /// All fields and values of a hash.
    HGetAll(&'a [u8]),
    /// A page of a hash.
    HScan(&'a [u8], u64, u32),
    /// Absolute expiry of fields, in milliseconds (Redis 7.4).
    HPExpireTime(&'a [u8], &'a [&'a [u8]]),
    /// Members of a sorted set.
    ZCard(&'a [u8]),
    /// A piece of a sorted set in order, with scores; both ends count.
    ZRange(&'a [u8], u64, u64),
    /// Entries of a stream.
    XLen(&'a [u8]),
    /// Entries after (and without) an id when `(` stands before it, at most that many.
    XRange(&'a [u8], &'a str, u32),
    /// Length, last id and more of a stream.
    XInfoStream(&'a [u8]),
    /// Groups of a stream.
    XInfoGroups(&'a [u8]),
    /// Consumers of a group.
    XInfoConsumers(&'a [u8], &'a [u8]),
    /// Pending entries of a group from an id on: id, consumer, idle time, deliveries.
    XPending(&'a [u8], &'a [u8], &'a str, u32),
    /// The cluster's slots and their nodes.
    ClusterSlots,
    /// Modules the node has loaded.
    ModuleList,
    /// One configuration value (blocked on Azure Cache for Redis).
    ConfigGet(&'a str),
    /// All connections (to find out whether two addresses are one server).
    ClientList,
    /// Names this connection, for the server's client list.
    ClientSetName(&'a str),
    /// The newest entries of the slow log, at most that many. They hold arguments: keep the commands' names alone.
    SlowLogGet(u32),
}

impl Read<'_> {
    /// Appends the request as the server wants it.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut number = [itoa::Buffer::new(), itoa::Buffer::new()];
        let [first, second] = &mut number;
        match *self {
            Read::Ping => out.extend_from_slice(b"*1\r\n$4\r\nPING\r\n"),
            Read::Time => out.extend_from_slice(b"*1\r\n$4\r\nTIME\r\n"),
            Read::Info("") => out.extend_from_slice(b"*1\r\n$4\r\nINFO\r\n"),
            Read::Info(section) => encode::command(out, &[b"INFO", section.as_bytes()]),
            Read::DbSize => out.extend_from_slice(b"*1\r\n$6\r\nDBSIZE\r\n"),
            Read::Select(db) => encode::command(out, &[b"SELECT", first.format(db).as_bytes()]),
            Read::Scan { cursor, count, pattern, kind } => {
                let (cursor, count) = (first.format(cursor), second.format(count));
                let mut args: Vec<&[u8]> = vec![b"SCAN", cursor.as_bytes(), b"COUNT", count.as_bytes()];
                if let Some(pattern) = pattern {
                    args.extend_from_slice(&[b"MATCH", pattern]);
                }
                if let Some(kind) = kind {
                    args.extend_from_slice(&[b"TYPE", kind.as_bytes()]);
                }
                encode::command(out, &args);
            }
            Read::Multi => out.extend_from_slice(b"*1\r\n$5\r\nMULTI\r\n"),
            Read::Exec => out.extend_from_slice(b"*1\r\n$4\r\nEXEC\r\n"),
            Read::Watch(key) => with_key(out, b"*2\r\n$5\r\nWATCH\r\n", key),
            Read::Unwatch => out.extend_from_slice(b"*1\r\n$7\r\nUNWATCH\r\n"),
            Read::Asking => out.extend_from_slice(b"*1\r\n$6\r\nASKING\r\n"),
            Read::ReadOnly => out.extend_from_slice(b"*1\r\n$8\r\nREADONLY\r\n"),
            Read::Type(key) => with_key(out, b"*2\r\n$4\r\nTYPE\r\n", key),
            Read::Exists(key) => with_key(out, b"*2\r\n$6\r\nEXISTS\r\n", key),
            Read::PTtl(key) => with_key(out, b"*2\r\n$4\r\nPTTL\r\n", key),
            Read::MemoryUsage(key) => with_key(out, b"*3\r\n$6\r\nMEMORY\r\n$5\r\nUSAGE\r\n", key),
            Read::ObjectIdleTime(key) => with_key(out, b"*3\r\n$6\r\nOBJECT\r\n$8\r\nIDLETIME\r\n", key),
            Read::ObjectFreq(key) => with_key(out, b"*3\r\n$6\r\nOBJECT\r\n$4\r\nFREQ\r\n", key),
            Read::Dump(key) => with_key(out, b"*2\r\n$4\r\nDUMP\r\n", key),
            Read::StrLen(key) => with_key(out, b"*2\r\n$6\r\nSTRLEN\r\n", key),
            Read::GetRange(key, from, to) => {
                with_key(out, b"*4\r\n$8\r\nGETRANGE\r\n", key);
                encode::bulk(out, first.format(from).as_bytes());
                encode::bulk(out, second.format(to).as_bytes());
            }
            Read::LLen(key) => with_key(out, b"*2\r\n$4\r\nLLEN\r\n", key),
            Read::LRange(key, from, to) => {
                let (from, to) = (first.format(from).as_bytes(), second.format(to).as_bytes());
                encode::command(out, &[b"LRANGE", key, from, to]);
            }
            Read::SCard(key) => with_key(out, b"*2\r\n$5\r\nSCARD\r\n", key),
            Read::SMembers(key) => with_key(out, b"*2\r\n$8\r\nSMEMBERS\r\n", key),
            Read::SScan(key, cursor, count) => {
                let (cursor, count) = (first.format(cursor).as_bytes(), second.format(count).as_bytes());
                encode::command(out, &[b"SSCAN", key, cursor, b"COUNT", count]);
            }
            Read::HLen(key) => with_key(out, b"*2\r\n$4\r\nHLEN\r\n", key),
            Read::HGetAll(key) => with_key(out, b"*2\r\n$7\r\nHGETALL\r\n", key),
            Read::HScan(key, cursor, count) => {
                let (cursor, count) = (first.format(cursor).as_bytes(), second.format(count).as_bytes());
                encode::command(out, &[b"HSCAN", key, cursor, b"COUNT", count]);
            }
            Read::HPExpireTime(key, fields) => {
                let count = first.format(fields.len());
                let mut args: Vec<&[u8]> = vec![b"HPEXPIRETIME", key, b"FIELDS", count.as_bytes()];
                args.extend_from_slice(fields);
                encode::command(out, &args);
            }
            Read::ZCard(key) => with_key(out, b"*2\r\n$5\r\nZCARD\r\n", key),
            Read::ZRange(key, from, to) => {
                let (from, to) = (first.format(from).as_bytes(), second.format(to).as_bytes());
                encode::command(out, &[b"ZRANGE", key, from, to, b"WITHSCORES"]);
            }
            Read::XLen(key) => with_key(out, b"*2\r\n$4\r\nXLEN\r\n", key),
            Read::XRange(key, from, count) => {
                let count = first.format(count).as_bytes();
                encode::command(out, &[b"XRANGE", key, from.as_bytes(), b"+", b"COUNT", count]);
            }
            Read::XInfoStream(key) => with_key(out, b"*3\r\n$5\r\nXINFO\r\n$6\r\nSTREAM\r\n", key),
            Read::XInfoGroups(key) => with_key(out, b"*3\r\n$5\r\nXINFO\r\n$6\r\nGROUPS\r\n", key),
            Read::XInfoConsumers(key, group) => {
                encode::command(out, &[b"XINFO", b"CONSUMERS", key, group]);
            }
            Read::XPending(key, group, from, count) => {
                let count = first.format(count).as_bytes();
                encode::command(out, &[b"XPENDING", key, group, from.as_bytes(), b"+", count]);
            }
            Read::ClusterSlots => encode::command(out, &[b"CLUSTER", b"SLOTS"]),
            Read::ModuleList => encode::command(out, &[b"MODULE", b"LIST"]),
            Read::ConfigGet(name) => encode::command(out, &[b"CONFIG", b"GET", name.as_bytes()]),
            Read::ClientList => encode::command(out, &[b"CLIENT", b"LIST"]),
            Read::ClientSetName(name) => encode::command(out, &[b"CLIENT", b"SETNAME", name.as_bytes()]),
            Read::SlowLogGet(count) => {
                encode::command(out, &[b"SLOWLOG", b"GET", first.format(count).as_bytes()])
            }
        }
    }

    /// The command's name, for messages.
    pub fn name(&self) -> &'static str {
        match self {
            Read::Ping => "PING",
            Read::Time => "TIME",
            Read::Info(_) => "INFO",
            Read::DbSize => "DBSIZE",
            Read::Select(_) => "SELECT",
            Read::Scan { .. } => "SCAN",
            Read::Multi => "MULTI",
            Read::Exec => "EXEC",
            Read::Watch(_) => "WATCH",
            Read::Unwatch => "UNWATCH",
            Read::Asking => "ASKING",
            Read::ReadOnly => "READONLY",
            Read::Type(_) => "TYPE",
            Read::Exists(_) => "EXISTS",
            Read::PTtl(_) => "PTTL",
            Read::MemoryUsage(_) => "MEMORY USAGE",
            Read::ObjectIdleTime(_) => "OBJECT IDLETIME",
            Read::ObjectFreq(_) => "OBJECT FREQ",
            Read::Dump(_) => "DUMP",
            Read::StrLen(_) => "STRLEN",
            Read::GetRange(..) => "GETRANGE",
            Read::LLen(_) => "LLEN",
            Read::LRange(..) => "LRANGE",
            Read::SCard(_) => "SCARD",
            Read::SMembers(_) => "SMEMBERS",
            Read::SScan(..) => "SSCAN",
            Read::HLen(_) => "HLEN",
            Read::HGetAll(_) => "HGETALL",
            Read::HScan(..) => "HSCAN",
            Read::HPExpireTime(..) => "HPEXPIRETIME",
            Read::ZCard(_) => "ZCARD",
            Read::ZRange(..) => "ZRANGE",
            Read::XLen(_) => "XLEN",
            Read::XRange(..) => "XRANGE",
            Read::XInfoStream(_) => "XINFO STREAM",
            Read::XInfoGroups(_) => "XINFO GROUPS",
            Read::XInfoConsumers(..) => "XINFO CONSUMERS",
            Read::XPending(..) => "XPENDING",
            Read::ClusterSlots => "CLUSTER SLOTS",
            Read::ModuleList => "MODULE LIST",
            Read::ConfigGet(_) => "CONFIG GET",
            Read::ClientList => "CLIENT LIST",
            Read::ClientSetName(_) => "CLIENT SETNAME",
            Read::SlowLogGet(_) => "SLOWLOG GET",
        }
    }
}

/// Appends a request whose head is ready made and whose next argument is the key.
#[inline]
fn with_key(out: &mut Vec<u8>, head: &[u8], key: &[u8]) {
    out.extend_from_slice(head);
    encode::bulk(out, key);
}

#[cfg(test)]
mod tests {
    use super::Read;

    #[test]
    fn the_slow_log_is_read_and_never_reset() {
        let mut out = Vec::new();
        Read::SlowLogGet(128).encode(&mut out);
        assert_eq!(out, b"*3\r\n$7\r\nSLOWLOG\r\n$3\r\nGET\r\n$3\r\n128\r\n");
        assert_eq!(Read::SlowLogGet(1).name(), "SLOWLOG GET");
    }
}
