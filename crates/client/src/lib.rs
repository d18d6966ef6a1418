//! Connections to Redis servers: addresses, TLS, authentication, topology, pipelining.
//!
//! A source is reached by a [`SourceConnection`], which takes only the reads of the closed list
//! [`Read`]; a target by a [`TargetConnection`]. Both are driven by their owner's task, without threads
//! or locks of their own.

pub mod address;
mod backoff;
mod connect;
mod error;
mod feed;
mod outbox;
mod peer;
mod pipe;
mod read;
pub mod reply;
pub mod secret;
mod source;
mod stream;
mod target;
pub mod tls;
mod topology;

pub use backoff::Backoff;
pub use connect::{CONNECT_TIMEOUT, Endpoint};
pub use error::{Error, Kind, Recovery};
pub use feed::{Feed, FeedEvent, FeedKind};
pub use outbox::SHARE_FROM;
pub use peer::{Node, Peer, Side};
pub use read::Read;
pub use source::SourceConnection;
pub use target::TargetConnection;
pub use topology::{SLOTS, SlotMap, Topology};
