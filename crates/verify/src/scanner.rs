//! Listing the names of one node and database, page by page.

use std::time::Duration;

use client::{Endpoint, Error, Kind, Node, Read, SourceConnection};
use resp::Value;
use tokio::time::timeout;

/// Bytes of names that a page should have at most, so that long names cost no memory.
const PAGE_BYTES: usize = 256 * 1024;

/// Keys that the first page asks for, before anything is known of the length of names.
const FIRST_COUNT: u32 = 100;

/// A connection that lists names.
pub(crate) struct Scanner {
    connection: SourceConnection,
    count: u32,
    most: u32,
    silence: Duration,
}

/// Who answers at a node's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// `None` where the server hides it.
    pub(crate) run_id: Option<String>,
    pub(crate) is_replica: bool,
    /// Keys in the database, expired ones included.
    pub(crate) keys: u64,
}

/// Some names.
#[derive(Debug)]
pub(crate) struct Page {
    /// Where the next page begins; 0 when there is none.
    pub(crate) next: u64,
    pub(crate) names: Vec<Box<[u8]>>,
}

impl Scanner {
    /// Connects and asks who is there.
    pub(crate) async fn open(
        endpoint: &Endpoint,
        node: &Node,
        db: u32,
        most: u32,
        silence: Duration,
    ) -> Result<(Scanner, Identity), Error> {
        let connection = endpoint.connect_source(node, db).await?;
        let mut scanner = Scanner { connection, count: most.min(FIRST_COUNT), most, silence };
        let info = scanner.ask("INFO", Read::Info("")).await?;
        let keys = scanner.ask("DBSIZE", Read::DbSize).await?.as_i64().unwrap_or(0).unsigned_abs();
        let text = info.as_str().unwrap_or_default();
        let field = |name: &str| {
            let found = text.lines().find_map(|line| line.trim_end().strip_prefix(name)?.strip_prefix(':'));
            found.filter(|value| !value.is_empty())
        };
        let is_replica = field("role") == Some("slave");
        Ok((scanner, Identity { run_id: field("run_id").map(str::to_owned), is_replica, keys }))
    }

    /// Asks for the page at a cursor.
    pub(crate) async fn page(
        &mut self,
        cursor: u64,
        pattern: Option<&[u8]>,
        kind: Option<&str>,
    ) -> Result<Page, Error> {
        let read = Read::Scan { cursor, count: self.count, pattern, kind };
        let reply = self.ask("SCAN", read).await?;
        let shape = || self.connection.peer().error(Kind::Shape { command: "SCAN" });
        let parts = reply.as_array().ok_or_else(shape)?;
        let next = parts.first().and_then(Value::as_str).and_then(|text| text.parse().ok());
        let names = parts.get(1).and_then(Value::as_array);
        let (Some(next), Some(names)) = (next, names) else { return Err(shape()) };
        let names: Option<Vec<Box<[u8]>>> = names.iter().map(|name| name.as_bytes().map(Box::from)).collect();
        let names = names.ok_or_else(shape)?;
        self.adapt(&names);
        Ok(Page { next, names })
    }

    /// Asks for fewer keys while names are long, for more while they are short.
    fn adapt(&mut self, names: &[Box<[u8]>]) {
        let bytes: usize = names.iter().map(|name| name.len()).sum();
        self.count = if bytes > PAGE_BYTES {
            (self.count / 2).max(1)
        } else if bytes < PAGE_BYTES / 4 {
            (self.count * 2).min(self.most)
        } else {
            self.count
        };
    }

    async fn ask(&mut self, command: &'static str, read: Read<'_>) -> Result<Value, Error> {
        let silence = self.silence;
        let reply = timeout(silence, self.connection.ask(read)).await;
        let reply = reply.map_err(|_| self.connection.peer().error(Kind::Silent(silence)))??;
        if reply.is_error() {
            Err(Error::from_reply(self.connection.peer(), command, &reply))
        } else {
            Ok(reply)
        }
    }
}
