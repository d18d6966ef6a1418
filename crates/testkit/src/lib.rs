//! Real servers, a faulty relay, data sets and an independent comparison, for tests.

pub mod access;
pub mod azurite;
pub mod binaries;
pub mod cluster;
pub mod compare;
pub mod dataset;
pub mod relay;
pub mod server;
pub mod tls;
pub mod workload;

pub use access::Access;
pub use azurite::Azurite;
pub use binaries::Binaries;
pub use cluster::Cluster;
pub use server::Server;
