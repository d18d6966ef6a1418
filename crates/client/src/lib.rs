//! Connections to Redis servers: addresses, TLS, authentication, topology, pipelining.

pub mod address;
pub mod secret;
pub mod tls;
