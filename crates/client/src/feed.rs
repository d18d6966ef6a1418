//! A connection on which a server says which keys change.
//!
//! It asks for nothing but that, by a closed list of its own: HELLO, CLIENT TRACKING, SUBSCRIBE, PSUBSCRIBE and
//! PING, none of which changes a key (design rule R12).
//!
//! [`FeedKind::Tracking`] needs RESP3 (Redis 6) and no configuration. What it sees of each kind of change, what it
//! does not see (R9) and what it costs was measured and is listed in docs/live-sync.md. Blind spots:
//! consumer groups (XGROUP, XREADGROUP, XACK, XCLAIM, XAUTOCLAIM), XSETID, SWAPDB, CMS.INCRBY, the number of the
//! database, and keys whose time is over but that nobody has removed yet.
//!
//! [`FeedKind::Events`] needs notify-keyspace-events on the server. Blind spots: the same but for XGROUP and XSETID,
//! and FLUSHDB and FLUSHALL.
//!
//! A tracking connection also subscribes to a channel that nobody publishes to. Only then does the server limit how
//! much it keeps for a reader that stops: it cuts the reader off. Without it, the reader's backlog grows until the
//! server evicts keys of others (measured: 9,824 keys).

use bytes::Bytes;
use resp::{Value, encode};
use tokio::time::timeout;

use crate::connect::Endpoint;
use crate::error::{Error, Kind};
use crate::peer::{Node, Peer};
use crate::pipe::Pipe;

/// How a server tells which keys change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FeedKind {
    /// `CLIENT TRACKING ON BCAST`.
    Tracking,
    /// `__keyevent@*__:*`.
    Events,
}

impl FeedKind {
    /// The name in options and reports.
    pub fn name(self) -> &'static str {
        match self {
            FeedKind::Tracking => "tracking",
            FeedKind::Events => "events",
        }
    }
}

/// What a server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedEvent {
    /// These keys changed, each in this database; `None`: in one that the feed does not tell.
    Changed(Vec<(Option<u32>, Bytes)>),
    /// Every key may have changed (FLUSHALL, FLUSHDB, a full resynchronisation).
    Everything,
    /// The answer to a [`Feed::ping`].
    Pong,
}

/// A connection on which a server says which keys change. It must be read all the time.
#[derive(Debug)]
pub struct Feed {
    pipe: Pipe,
    kind: FeedKind,
}

impl Endpoint {
    /// Connects to a node and asks it to say which keys change from now on.
    ///
    /// # Errors
    /// Names the node and the step that failed; a server that does not know, or does not allow, this kind of feed
    /// answers one of the commands with an error.
    pub async fn connect_feed(&self, node: &Node, kind: FeedKind, channel: &str) -> Result<Feed, Error> {
        let mut pipe = self.connect(node, 0).await?;
        let silent = pipe.peer().error(Kind::Silent(self.connect_timeout));
        timeout(self.connect_timeout, subscribe(&mut pipe, kind, channel)).await.map_err(|_| silent)??;
        Ok(Feed { pipe, kind })
    }
}

async fn subscribe(pipe: &mut Pipe, kind: FeedKind, channel: &str) -> Result<(), Error> {
    let out = pipe.outbox.buffer();
    encode::command(out, &[b"HELLO", b"3"]);
    let command = match kind {
        FeedKind::Tracking => {
            encode::command(out, &[b"CLIENT", b"TRACKING", b"ON", b"BCAST"]);
            encode::command(out, &[b"SUBSCRIBE", channel.as_bytes()]);
            "SUBSCRIBE"
        }
        FeedKind::Events => {
            encode::command(out, &[b"PSUBSCRIBE", b"__keyevent@*__:*"]);
            "PSUBSCRIBE"
        }
    };
    let hello = pipe.value().await?;
    if hello.is_error() {
        return Err(Error::from_reply(pipe.peer(), "HELLO 3", &hello));
    }
    let mut tracks = kind == FeedKind::Events;
    loop {
        match pipe.value().await? {
            Value::Push(message) if confirms(&message, command) => return Ok(()),
            // Changes may be told before that; whoever begins to listen compares everything afterwards.
            Value::Push(_) => {}
            reply if !tracks && !reply.is_error() => tracks = true,
            reply => {
                let command = if tracks { command } else { "CLIENT TRACKING" };
                return Err(Error::from_reply(pipe.peer(), command, &reply));
            }
        }
    }
}

fn confirms(message: &[Value], command: &str) -> bool {
    message.first().and_then(Value::as_str).is_some_and(|kind| kind.eq_ignore_ascii_case(command))
}

impl Feed {
    /// Which node this leads to.
    pub fn peer(&self) -> &Peer {
        self.pipe.peer()
    }

    /// Which kind it is.
    pub fn kind(&self) -> FeedKind {
        self.kind
    }

    /// Asks for a sign of life; it is sent with the next [`Feed::next`]. Two of them, the second one sent when the first
    /// one is answered, are a barrier: every change that a client was told of before the first one was sent has
    /// been told here by then. One is not enough for tracking: its answer overtakes the changes of the
    /// same turn of the server's event loop (measured, always).
    pub fn ping(&mut self) {
        encode::command(self.pipe.outbox.buffer(), &[b"PING"]);
    }

    /// Waits for what the server says next. Nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// The connection is lost, or the server sent something that is no such message. What changed since then is not
    /// known: a gap.
    pub async fn next(&mut self) -> Result<FeedEvent, Error> {
        loop {
            let value = self.pipe.value().await?;
            if let Some(event) = self.read(value)? {
                return Ok(event);
            }
        }
    }

    /// `None`: a message that says nothing of keys.
    fn read(&self, value: Value) -> Result<Option<FeedEvent>, Error> {
        let message = match value {
            Value::Push(message) => message,
            Value::Simple(_) | Value::Bulk(_) => return Ok(Some(FeedEvent::Pong)),
            Value::Error(_) => return Err(Error::from_reply(self.pipe.peer(), "PING", &value)),
            _ => return Err(self.odd()),
        };
        let mut parts = message.into_iter();
        let kind = parts.next().ok_or_else(|| self.odd())?;
        match kind.as_bytes() {
            Some(b"invalidate") => match parts.next() {
                Some(Value::Null) => Ok(Some(FeedEvent::Everything)),
                Some(Value::Array(keys)) => {
                    let keys = keys.into_iter().map(|key| match key {
                        Value::Bulk(key) => Ok((None, key)),
                        _ => Err(self.odd()),
                    });
                    keys.collect::<Result<_, _>>().map(|keys| Some(FeedEvent::Changed(keys)))
                }
                _ => Err(self.odd()),
            },
            // Pattern, channel, and the key as the message.
            Some(b"pmessage") => match (parts.nth(1), parts.next()) {
                (Some(channel), Some(Value::Bulk(key))) => {
                    let db = channel.as_bytes().and_then(database).ok_or_else(|| self.odd())?;
                    Ok(Some(FeedEvent::Changed(vec![(Some(db), key)])))
                }
                _ => Err(self.odd()),
            },
            // Somebody published to the channel, or the server confirms something.
            _ => Ok(None),
        }
    }

    fn odd(&self) -> Error {
        self.pipe.peer().error(Kind::Shape { command: "CLIENT TRACKING" })
    }
}

/// The number in `__keyevent@3__:set`.
fn database(channel: &[u8]) -> Option<u32> {
    let number = channel.strip_prefix(b"__keyevent@")?;
    let end = number.iter().position(|byte| *byte == b'_')?;
    std::str::from_utf8(&number[..end]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use resp::Value;

    use super::{confirms, database};

    #[test]
    fn the_database_stands_in_the_channel() {
        assert_eq!(database(b"__keyevent@0__:set"), Some(0));
        assert_eq!(database(b"__keyevent@15__:expired"), Some(15));
        assert_eq!((database(b"__keyevent@__:set"), database(b"__keyspace@1__:a")), (None, None));
    }

    #[test]
    fn a_change_is_no_confirmation() {
        let push = |kind: &'static str| [Value::Bulk(Bytes::from_static(kind.as_bytes())), Value::Null];
        assert!(confirms(&push("subscribe"), "SUBSCRIBE") && confirms(&push("psubscribe"), "PSUBSCRIBE"));
        assert!(!confirms(&push("invalidate"), "SUBSCRIBE") && !confirms(&push("pmessage"), "PSUBSCRIBE"));
        assert!(!confirms(&[], "SUBSCRIBE"));
    }
}
