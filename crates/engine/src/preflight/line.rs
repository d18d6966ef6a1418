//! A connection to a node of either side, for questions that both are asked alike.

use std::time::Duration;

use client::{Endpoint, Error, Kind, Node, Peer, Read, Side, SourceConnection, TargetConnection};
use resp::Value;
use tokio::time::timeout;

/// A node that does not answer a single cheap question within this time is not there.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection to one node.
#[derive(Debug)]
pub(super) enum Line {
    /// Takes only reads, by its type.
    Source(SourceConnection),
    /// Takes anything.
    Target(TargetConnection),
}

impl Line {
    pub(super) async fn open(endpoint: &Endpoint, node: &Node) -> Result<Line, Error> {
        match endpoint.side() {
            Side::Source => endpoint.connect_source(node, 0).await.map(Line::Source),
            Side::Target => endpoint.connect_target(node, 0).await.map(Line::Target),
        }
    }

    pub(super) fn peer(&self) -> &Peer {
        match self {
            Line::Source(connection) => connection.peer(),
            Line::Target(connection) => connection.peer(),
        }
    }

    /// Queues a question of the closed list of reads.
    pub(super) fn push(&mut self, read: Read<'_>) {
        match self {
            Line::Source(connection) => connection.push(read),
            Line::Target(connection) => read.encode(connection.buffer()),
        }
    }

    /// The answer to the oldest unanswered question; an error reply is an answer.
    pub(super) async fn reply(&mut self) -> Result<Value, Error> {
        let reply = async {
            match self {
                Line::Source(connection) => connection.reply().await,
                Line::Target(connection) => connection.reply().await,
            }
        };
        match timeout(ANSWER_TIMEOUT, reply).await {
            Ok(reply) => reply,
            Err(_) => Err(self.peer().error(Kind::Silent(ANSWER_TIMEOUT))),
        }
    }

    pub(super) async fn ask(&mut self, read: Read<'_>) -> Result<Value, Error> {
        self.push(read);
        self.reply().await
    }
}
