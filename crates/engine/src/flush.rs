//! Emptying the target. It cannot be pointed at a source.

mod one_by_one;

use client::reply::ReplyKind;
use client::{Endpoint, Error, Kind, Node, Side, TargetConnection, Topology};
use resp::Value;
use serde::Serialize;

use crate::preflight::info::Info;
use crate::preflight::{Findings, Status};

/// What was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FlushReport {
    /// One for each node.
    pub nodes: Vec<FlushedNode>,
}

impl FlushReport {
    /// Keys removed from all nodes.
    pub fn keys(&self) -> u64 {
        self.nodes.iter().map(|node| node.keys).sum()
    }
}

/// One emptied node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FlushedNode {
    /// `host:port`.
    pub address: String,
    /// Keys that it held in all databases.
    pub keys: u64,
    /// `FLUSHALL`, or `UNLINK` where that is blocked.
    pub by: &'static str,
}

/// Why the target was not emptied.
#[derive(Debug, thiserror::Error)]
pub enum FlushError {
    /// The endpoint is a source's.
    #[error("{0} is the source, and a source is never emptied; nothing was removed")]
    Source(Node),
    /// What was typed is not the target's host name.
    #[error(
        "the target was not emptied: to confirm that all its keys may be removed, type its host name exactly: {host}"
    )]
    NotConfirmed {
        /// What has to be typed.
        host: String,
    },
    /// Source and target are one server, or it could not be proved that they are not.
    #[error("the target was not emptied: {0}")]
    SameServer(String),
    /// The preflight looked at another target.
    #[error(
        "the target was not emptied: the preflight looked at {checked} and this is {given}; run it for this target"
    )]
    OtherTarget {
        /// The address in the findings.
        checked: String,
        /// The address given.
        given: Node,
    },
    /// The preflight refuses the copy that would follow.
    #[error("the target was not emptied, because the copy would be refused: {0}")]
    Refused(String),
    /// Keys came back while it was emptied.
    #[error(
        "{node} holds {keys} keys after it was emptied: something else writes to the target; stop it and try again"
    )]
    NotEmpty {
        /// The node.
        node: Node,
        /// Keys that are there.
        keys: u64,
    },
    /// The target cannot be reached or refuses the commands.
    #[error("the target may be emptied in part: {0}")]
    Client(#[from] Error),
}

/// Removes all keys of all databases from every primary of the target.
///
/// `findings` is the proof that the preflight has looked at this pair, with
/// [`flush_target`](crate::preflight::Wishes::flush_target) set.
///
/// # Errors
/// Nothing is removed unless `confirmed_host` is the target's host name, the preflight has proved that source
/// and target are different servers, and it refuses nothing.
pub async fn target(
    endpoint: &Endpoint,
    topology: &Topology,
    confirmed_host: &str,
    findings: &Findings,
) -> Result<FlushReport, FlushError> {
    permit(endpoint, confirmed_host, findings)?;
    let mut nodes = Vec::new();
    for node in topology.primaries() {
        nodes.push(flush_node(endpoint, node).await?);
    }
    Ok(FlushReport { nodes })
}

fn permit(endpoint: &Endpoint, confirmed_host: &str, findings: &Findings) -> Result<(), FlushError> {
    let node = endpoint.seed();
    if endpoint.side() != Side::Target {
        return Err(FlushError::Source(node.clone()));
    }
    let checked = &findings.target.address;
    if checked.split_once("://").is_none_or(|(_, checked)| checked != node.to_string()) {
        return Err(FlushError::OtherTarget { checked: checked.clone(), given: node.clone() });
    }
    match findings.check("same_server") {
        Some(check) if check.status == Status::Ok => {}
        Some(check) => return Err(FlushError::SameServer(check.text.clone())),
        None => return Err(FlushError::SameServer("the preflight did not compare the servers".into())),
    }
    if let Some(check) = findings.refusals().next() {
        return Err(FlushError::Refused(format!("{}; {}", check.text, check.remedy)));
    }
    if confirmed_host != node.host {
        return Err(FlushError::NotConfirmed { host: node.host.clone() });
    }
    Ok(())
}

async fn flush_node(endpoint: &Endpoint, node: &Node) -> Result<FlushedNode, FlushError> {
    let mut connection = endpoint.connect_target(node, 0).await?;
    let before = keys_by_database(&mut connection).await?;
    let reply = connection.ask(&[b"FLUSHALL"]).await?;
    let by = match &reply {
        Value::Error(text) if is_blocked(&ReplyKind::of(text)) => {
            one_by_one::remove(endpoint, node, before.iter().map(|(db, _)| *db)).await?;
            "UNLINK"
        }
        Value::Error(_) => return Err(Error::from_reply(connection.peer(), "FLUSHALL", &reply).into()),
        _ => "FLUSHALL",
    };
    let left: u64 = keys_by_database(&mut connection).await?.iter().map(|(_, keys)| keys).sum();
    if left > 0 {
        return Err(FlushError::NotEmpty { node: node.clone(), keys: left });
    }
    let keys = before.iter().map(|(_, keys)| keys).sum();
    Ok(FlushedNode { address: node.to_string(), keys, by })
}

/// A geo-replicated cache refuses FLUSHALL in words of its own; what a server says for a while is another
/// matter.
fn is_blocked(kind: &ReplyKind) -> bool {
    matches!(kind, ReplyKind::UnknownCommand | ReplyKind::NoPerm | ReplyKind::Other)
}

/// Databases that hold keys, and how many.
async fn keys_by_database(connection: &mut TargetConnection) -> Result<Vec<(u32, u64)>, Error> {
    let info = Info::of(&connection.ask(&[b"INFO"]).await?);
    if let Some(databases) = info.databases() {
        return Ok(databases.map(|database| (database.db, database.keys)).collect());
    }
    let reply = connection.ask(&[b"DBSIZE"]).await?;
    match reply.as_i64().map(u64::try_from) {
        Some(Ok(keys)) => Ok(vec![(0, keys)]),
        Some(Err(_)) => Err(connection.peer().error(Kind::Shape { command: "DBSIZE" })),
        None => Err(Error::from_reply(connection.peer(), "DBSIZE", &reply)),
    }
}
