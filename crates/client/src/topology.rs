//! Which node owns which slot, as the server itself announces it.

use std::fmt;
use std::time::Duration;

use resp::Value;
use tokio::time::timeout;

use crate::connect::Endpoint;
use crate::error::{Error, Kind};
use crate::peer::{Node, Peer};
use crate::read::Read;
use crate::reply::ReplyKind;

/// Slots of a cluster (`CLUSTER_SLOTS` in Redis' cluster.h).
pub const SLOTS: usize = 16_384;

/// How long a node may take to describe its cluster.
const DESCRIBE_TIMEOUT: Duration = Duration::from_secs(10);

/// How a cache is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Topology {
    /// One address for all keys: a single node, or a proxy before several (AMR's Enterprise policy).
    Single(Node),
    /// Every primary has its own address (ACR clustering, AMR's OSS policy).
    Cluster(SlotMap),
}

impl Topology {
    /// The nodes that hold keys, in the order of their first slot.
    pub fn primaries(&self) -> &[Node] {
        match self {
            Topology::Single(node) => std::slice::from_ref(node),
            Topology::Cluster(map) => &map.nodes,
        }
    }

    /// Index (into `primaries`) of the node that owns a key's slot.
    pub fn owner(&self, key: &[u8]) -> Option<usize> {
        match self {
            Topology::Single(_) => Some(0),
            Topology::Cluster(map) => map.owner(commands::slot(key)),
        }
    }
}

/// The primaries of a cluster and their slots.
#[derive(Clone, PartialEq, Eq)]
pub struct SlotMap {
    nodes: Vec<Node>,
    owners: Vec<u16>,
}

/// In `owners`: nobody announced the slot.
const NOBODY: u16 = u16::MAX;

impl SlotMap {
    /// The primaries in the order of their first slot.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Index of the primary that owns a slot.
    #[inline]
    pub fn owner(&self, slot: u16) -> Option<usize> {
        match self.owners.get(usize::from(slot)) {
            Some(&owner) if owner != NOBODY => Some(usize::from(owner)),
            _ => None,
        }
    }

    /// How many slots nobody owns; such a cluster is not whole.
    pub fn unowned(&self) -> usize {
        self.owners.iter().filter(|&&owner| owner == NOBODY).count()
    }

    /// The slots of one primary as inclusive ranges.
    pub fn ranges(&self, node: usize) -> Vec<(u16, u16)> {
        let mut ranges: Vec<(u16, u16)> = Vec::new();
        for (slot, &owner) in (0u16..).zip(&self.owners) {
            if usize::from(owner) != node {
                continue;
            }
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == slot => *last = slot,
                _ => ranges.push((slot, slot)),
            }
        }
        ranges
    }

    /// Reads the answer to `CLUSTER SLOTS`. A node announced without a host is on the asked host.
    pub fn parse(reply: &Value, asked: &Node) -> Option<SlotMap> {
        let mut entries = Vec::new();
        for entry in reply.as_array()? {
            let entry = entry.as_array()?;
            let first = u16::try_from(entry.first()?.as_i64()?).ok()?;
            let last = u16::try_from(entry.get(1)?.as_i64()?).ok()?;
            let primary = entry.get(2)?.as_array()?;
            let host = primary.first()?.as_str().filter(|host| !host.is_empty() && *host != "?");
            let port = u16::try_from(primary.get(1)?.as_i64()?).ok()?;
            if usize::from(last) >= SLOTS || first > last {
                return None;
            }
            entries.push((first, last, Node { host: host.unwrap_or(&asked.host).to_owned(), port }));
        }
        entries.sort_by_key(|(first, ..)| *first);
        let mut map = SlotMap { nodes: Vec::new(), owners: vec![NOBODY; SLOTS] };
        for (first, last, node) in entries {
            let index = map.nodes.iter().position(|known| *known == node).unwrap_or_else(|| {
                map.nodes.push(node);
                map.nodes.len() - 1
            });
            let index = u16::try_from(index).ok()?;
            map.owners[usize::from(first)..=usize::from(last)].fill(index);
        }
        (!map.nodes.is_empty()).then_some(map)
    }
}

impl fmt::Debug for SlotMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (index, node) in self.nodes.iter().enumerate() {
            map.entry(&node.to_string(), &self.ranges(index));
        }
        map.finish()
    }
}

impl Endpoint {
    /// Asks the cache how it is laid out.
    ///
    /// # Errors
    /// The node the user named cannot be reached or refuses the credentials.
    pub async fn topology(&self) -> Result<Topology, Error> {
        self.topology_by(self.seed()).await
    }

    /// Asks again, any of the nodes known so far; the first that answers decides.
    ///
    /// # Errors
    /// None of them answers; the error is the seed's.
    pub async fn topology_by_any(&self, known: &Topology) -> Result<Topology, Error> {
        let error = match self.topology().await {
            Ok(topology) => return Ok(topology),
            Err(error) => error,
        };
        for node in known.primaries() {
            if let Ok(topology) = self.topology_by(node).await {
                return Ok(topology);
            }
        }
        Err(error)
    }

    async fn topology_by(&self, node: &Node) -> Result<Topology, Error> {
        let mut pipe = self.connect(node, 0).await?;
        Read::ClusterSlots.encode(pipe.outbox.buffer());
        let peer = Peer { side: self.side(), node: node.clone() };
        let reply: Value = timeout(DESCRIBE_TIMEOUT, pipe.value())
            .await
            .map_err(|_| peer.error(Kind::Silent(DESCRIBE_TIMEOUT)))??;
        match &reply {
            Value::Error(text) => match ReplyKind::of(text) {
                kind @ (ReplyKind::Loading | ReplyKind::NoAuth | ReplyKind::MaxClients) => {
                    Err(peer.error(Kind::Reply {
                        command: "CLUSTER SLOTS",
                        kind,
                        text: String::from_utf8_lossy(text).into_owned(),
                    }))
                }
                // "cluster support disabled", or a managed service that hides its cluster.
                _ => Ok(Topology::Single(node.clone())),
            },
            Value::Array(entries) if entries.is_empty() => Ok(Topology::Single(node.clone())),
            _ => match SlotMap::parse(&reply, node) {
                Some(map) => Ok(Topology::Cluster(map)),
                None => Err(peer.error(Kind::Shape { command: "CLUSTER SLOTS" })),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn entry(first: i64, last: i64, host: &'static str, port: i64) -> Value {
        Value::Array(vec![
            Value::Integer(first),
            Value::Integer(last),
            Value::Array(vec![Value::Bulk(Bytes::from_static(host.as_bytes())), Value::Integer(port)]),
        ])
    }

    fn asked() -> Node {
        Node { host: "cache.example".into(), port: 6380 }
    }

    #[test]
    fn slots_are_owned_by_the_announced_primaries() {
        let reply = Value::Array(vec![
            entry(8192, 16383, "10.0.0.2", 13001),
            entry(0, 99, "10.0.0.1", 13000),
            entry(200, 8191, "10.0.0.1", 13000),
        ]);
        let map = SlotMap::parse(&reply, &asked()).unwrap();
        assert_eq!(map.nodes().len(), 2);
        assert_eq!(map.nodes()[0].port, 13000, "nodes come in the order of their first slot");
        assert_eq!(map.owner(0), Some(0));
        assert_eq!(map.owner(150), None);
        assert_eq!(map.owner(9000), Some(1));
        assert_eq!(map.unowned(), 100);
        assert_eq!(map.ranges(0), [(0, 99), (200, 8191)]);
    }

    #[test]
    fn a_node_without_a_host_is_on_the_host_that_was_asked() {
        for host in ["", "?"] {
            let map = SlotMap::parse(&Value::Array(vec![entry(0, 16383, host, 8500)]), &asked()).unwrap();
            assert_eq!(map.nodes()[0], Node { host: "cache.example".into(), port: 8500 });
        }
    }

    #[test]
    fn answers_of_another_shape_are_refused() {
        for reply in [
            Value::Integer(1),
            Value::Array(vec![entry(0, 16384, "h", 1)]),
            Value::Array(vec![entry(5, 4, "h", 1)]),
            Value::Array(vec![Value::Array(vec![Value::Integer(0)])]),
        ] {
            assert!(SlotMap::parse(&reply, &asked()).is_none());
        }
    }
}
