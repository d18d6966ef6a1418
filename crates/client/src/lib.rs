//! Connections to Redis servers: addresses, TLS, authentication, topology, pipelining.
