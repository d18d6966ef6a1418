//! What a client meets at an address: one cache, looked at by itself. Nothing is written.

use client::{Endpoint, Error, Node, Topology};
use resp::Value;

use crate::preflight::info::Info;

/// What was found out.
#[derive(Debug, Clone)]
pub struct Met {
    /// As INFO tells it.
    pub version: Option<String>,
    /// It tells a version of Redis Enterprise too.
    pub enterprise: bool,
    pub topology: Topology,
    /// Nodes of a cluster that do not let a client in.
    pub unreachable: Vec<String>,
    /// Whether there is a database 1, or the server's words.
    pub second_database: Result<(), String>,
    /// Whether it speaks RESP3, or the server's words.
    pub resp3: Result<(), String>,
}

/// Connects to a cache, and to every node where it is a cluster.
///
/// # Errors
/// The node that the user named cannot be reached, refuses the credentials, or is lost while it is asked. Another node
/// is a finding.
pub async fn meet(endpoint: &Endpoint) -> Result<Met, Error> {
    let topology = endpoint.topology().await?;
    let mut first = endpoint.connect_target(endpoint.seed(), 0).await?;
    let info = Info::of(&first.ask(&[b"INFO", b"server"]).await?);
    let second_database = refusal(&first.ask(&[b"SELECT", b"1"]).await?);
    let mut unreachable = Vec::new();
    if let Topology::Cluster(_) = &topology {
        for node in topology.primaries() {
            unreachable.extend(enter(endpoint, node).await.err().map(|error| error.to_string()));
        }
    }
    // Last: the connection speaks another protocol from then on.
    let resp3 = refusal(&first.ask(&[b"HELLO", b"3"]).await?);
    Ok(Met {
        version: info.text("redis_version").map(str::to_owned),
        enterprise: info.text("rlec_version").is_some(),
        topology,
        unreachable,
        second_database,
        resp3,
    })
}

/// Connects to a node as a cluster client would.
async fn enter(endpoint: &Endpoint, node: &Node) -> Result<(), Error> {
    let mut connection = endpoint.connect_target(node, 0).await?;
    connection.ask(&[b"PING"]).await.map(drop)
}

/// The words of an error reply.
fn refusal(reply: &Value) -> Result<(), String> {
    match reply {
        Value::Error(text) => Err(String::from_utf8_lossy(text).into_owned()),
        _ => Ok(()),
    }
}
