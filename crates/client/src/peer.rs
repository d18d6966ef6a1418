//! Who is at the other end of a connection, for errors and logs.

use std::fmt;

use crate::error::{Error, Kind};

/// Which of the two caches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The cache that is copied from; only ever read.
    Source,
    /// The cache that is copied to.
    Target,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Side::Source => "source",
            Side::Target => "target",
        })
    }
}

/// One node's address as it was announced or typed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node {
    /// Host name or IP address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// A side and one of its nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Source or target.
    pub side: Side,
    /// The node.
    pub node: Node,
}

impl Peer {
    /// An error of this peer.
    pub fn error(&self, kind: Kind) -> Error {
        Error { peer: self.clone(), kind: Box::new(kind) }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.side, self.node)
    }
}
