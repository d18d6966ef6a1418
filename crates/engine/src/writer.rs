//! A connection to one target node: values go in, acknowledgements come out.

use std::collections::VecDeque;
use std::task::{Context, Poll};

use bytes::Bytes;
use client::reply::ReplyKind;
use client::{Error, Node, Peer, Side, TargetConnection};
use migration::conflict::OnConflict;
use migration::expiry::Clock;
use migration::tally::Cause;
use resp::{Token, encode};

use crate::clocks;
use crate::fence::{self, Place};
use crate::run::Run;
use crate::unlink::Removal;

/// What the target said to one write.
#[derive(Debug)]
pub(crate) enum Ack {
    Done,
    /// SET NX met a key.
    Exists,
    /// A file has no place for it.
    Not(Cause),
    Refused(ReplyKind, String),
}

/// A value as it was read.
#[derive(Debug)]
pub(crate) enum Payload<'a> {
    Small(&'a [u8]),
    Large(Bytes),
}

impl Payload<'_> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Payload::Small(bytes) => bytes.len(),
            Payload::Large(bytes) => bytes.len(),
        }
    }
}

/// How recently or often a key was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    IdleSeconds(i64),
    Frequency(i64),
}

/// A command whose reply is due.
#[derive(Debug)]
enum Due<T> {
    Ping,
    Write {
        ticket: T,
        /// Replies still to come.
        replies: u8,
    },
}

/// The connection. Whoever writes hands over a ticket, which comes back with the acknowledgement.
#[derive(Debug)]
pub(crate) struct Writer<T> {
    connection: TargetConnection,
    _place: Place,
    pub(crate) clock: Clock,
    due: VecDeque<Due<T>>,
    writes: usize,
    /// ASKING was sent for the write that comes next.
    asking: bool,
    refused: Option<(ReplyKind, String)>,
    exists: bool,
}

impl<T> Writer<T> {
    /// A connection to a node's database; `of` is the source node and database whose keys it writes, where there is one.
    ///
    /// # Errors
    /// The node cannot be reached, or the connection is lost.
    pub(crate) async fn open<S>(
        run: &Run<S>,
        node: &Node,
        db: u32,
        of: Option<(&Node, u32)>,
    ) -> Result<Writer<T>, Error> {
        let mut connection = run.target().connect_target(node, db).await?;
        let place = fence::enter(run, &mut connection, of).await?;
        let clock = clocks::of_target(&mut connection, || run.now_us()).await?;
        let clock = clock.ok_or_else(|| connection.peer().error(client::Kind::Shape { command: "TIME" }))?;
        run.set_clock(Side::Target, node, clock);
        Ok(Writer {
            connection,
            _place: place,
            clock,
            due: VecDeque::new(),
            writes: 0,
            asking: false,
            refused: None,
            exists: false,
        })
    }

    pub(crate) fn node(&self) -> &Node {
        &self.connection.peer().node
    }

    pub(crate) fn peer(&self) -> Peer {
        self.connection.peer().clone()
    }

    /// Bytes that wait to be sent.
    pub(crate) fn unsent(&self) -> usize {
        self.connection.unsent()
    }

    /// Writes whose acknowledgement is due.
    pub(crate) fn due(&self) -> usize {
        self.writes
    }

    /// Everything whose acknowledgement will not come on this connection.
    pub(crate) fn into_due(self) -> impl Iterator<Item = T> {
        self.due.into_iter().filter_map(|due| match due {
            Due::Write { ticket, .. } => Some(ticket),
            Due::Ping => None,
        })
    }

    pub(crate) fn ping(&mut self) {
        if self.due.is_empty() {
            self.connection.push(&[b"PING"]);
            self.due.push_back(Due::Ping);
        }
    }

    /// Lets the next write use a slot that this node is importing.
    pub(crate) fn asking(&mut self) {
        self.connection.push(&[b"ASKING"]);
        self.asking = true;
    }

    /// Writes a string. `expire_at` is in milliseconds of the target's clock.
    pub(crate) fn set<S>(
        &mut self,
        run: &Run<S>,
        name: &[u8],
        value: Payload<'_>,
        expire_at: Option<i64>,
        ticket: T,
    ) {
        let mut replies = 1;
        let only_new = run.options.on_conflict == OnConflict::Skip;
        let in_set = expire_at.filter(|_| run.abilities.set_pxat);
        let left_ms =
            expire_at.filter(|_| only_new && !run.abilities.set_pxat).map(|at| self.left_ms(run, at));
        let expiry = in_set.map(|at| (&b"PXAT"[..], at)).or(left_ms.map(|left| (&b"PX"[..], left)));
        let out = self.connection.buffer();
        encode::array(out, 3 + usize::from(only_new) + 2 * usize::from(expiry.is_some()));
        out.extend_from_slice(b"$3\r\nSET\r\n");
        encode::bulk(out, name);
        self.push(value);
        let out = self.connection.buffer();
        if only_new {
            out.extend_from_slice(b"$2\r\nNX\r\n");
        }
        if let Some((word, at)) = expiry {
            encode::bulk(out, word);
            encode::bulk_int(out, at);
        }
        if let (Some(at), None) = (expire_at, expiry) {
            // Before 6.2 SET knows no absolute expiry. Both commands leave in one write, and a lost
            // connection between them brings both again.
            encode::array(out, 3);
            out.extend_from_slice(b"$9\r\nPEXPIREAT\r\n");
            encode::bulk(out, name);
            encode::bulk_int(out, at);
            replies += 1;
        }
        self.is_due(ticket, replies);
    }

    /// Removes a key, whether or not it is there.
    pub(crate) fn remove(&mut self, removal: Removal, name: &[u8], ticket: T) {
        self.connection.push(&[removal.command(), name]);
        self.is_due(ticket, 1);
    }

    /// Writes a value in the source's own encoding.
    pub(crate) fn restore<S>(
        &mut self,
        run: &Run<S>,
        name: &[u8],
        payload: Payload<'_>,
        expire_at: Option<i64>,
        last_use: Option<Use>,
        ticket: T,
    ) {
        let only_new = run.options.on_conflict == OnConflict::Skip;
        self.restore_as(name, payload, expire_at, last_use, only_new, ticket);
    }

    /// The same, by whether the target may have a key of that name.
    pub(crate) fn restore_as(
        &mut self,
        name: &[u8],
        payload: Payload<'_>,
        expire_at: Option<i64>,
        last_use: Option<Use>,
        only_new: bool,
        ticket: T,
    ) {
        let replace = !only_new;
        let out = self.connection.buffer();
        let extra =
            usize::from(replace) + usize::from(expire_at.is_some()) + 2 * usize::from(last_use.is_some());
        encode::array(out, 4 + extra);
        out.extend_from_slice(b"$7\r\nRESTORE\r\n");
        encode::bulk(out, name);
        encode::bulk_int(out, expire_at.unwrap_or(0));
        self.push(payload);
        let out = self.connection.buffer();
        if replace {
            out.extend_from_slice(b"$7\r\nREPLACE\r\n");
        }
        if expire_at.is_some() {
            out.extend_from_slice(b"$6\r\nABSTTL\r\n");
        }
        match last_use {
            Some(Use::IdleSeconds(seconds)) => {
                out.extend_from_slice(b"$8\r\nIDLETIME\r\n");
                encode::bulk_int(out, seconds);
            }
            Some(Use::Frequency(frequency)) => {
                out.extend_from_slice(b"$4\r\nFREQ\r\n");
                encode::bulk_int(out, frequency);
            }
            None => {}
        }
        self.is_due(ticket, 1);
    }

    fn is_due(&mut self, ticket: T, replies: u8) {
        let replies = replies + u8::from(std::mem::take(&mut self.asking));
        self.due.push_back(Due::Write { ticket, replies });
        self.writes += 1;
    }

    fn push(&mut self, value: Payload<'_>) {
        match value {
            Payload::Small(bytes) => encode::bulk(self.connection.buffer(), bytes),
            Payload::Large(bytes) => self.connection.push_bulk(bytes),
        }
    }

    /// Milliseconds from now to a point in time of the target's clock, at least 1.
    fn left_ms<S>(&self, run: &Run<S>, at_ms: i64) -> i64 {
        let now_ms = (run.now_us() as i64 + self.clock.offset_us) / 1000;
        (at_ms - now_ms).max(1)
    }

    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.connection.poll_write(cx)
    }

    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, Error>> {
        self.connection.poll_read(cx)
    }

    /// The next write that is fully answered.
    pub(crate) fn next_ack(&mut self) -> Result<Option<(T, Ack)>, Error> {
        while let Some(token) = self.connection.next_token()? {
            let replies = match self.due.front_mut() {
                Some(Due::Write { replies, .. }) => replies,
                Some(Due::Ping) => {
                    self.due.pop_front();
                    continue;
                }
                None => return Err(self.peer().error(client::Kind::Shape { command: "nothing" })),
            };
            match token {
                Token::Error(range) => {
                    let text = self.connection.bytes(range);
                    let kind = ReplyKind::of(text);
                    let text = String::from_utf8_lossy(text).into_owned();
                    self.refused.get_or_insert((kind, text));
                }
                Token::Null => self.exists = true,
                _ => {}
            }
            *replies -= 1;
            if *replies > 0 {
                continue;
            }
            let Some(Due::Write { ticket, .. }) = self.due.pop_front() else { continue };
            self.writes -= 1;
            let exists = std::mem::take(&mut self.exists);
            let ack = match self.refused.take() {
                Some((kind, text)) => Ack::Refused(kind, text),
                None if exists => Ack::Exists,
                None => Ack::Done,
            };
            return Ok(Some((ticket, ack)));
        }
        Ok(None)
    }
}
