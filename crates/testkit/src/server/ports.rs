//! Ports that nobody uses.
//!
//! They are taken from below Linux's range for outgoing connections (32768 and up, ip(7)), so that a client
//! connection of another test cannot take a port between the check and the server's start, and low enough
//! that the cluster bus, 10000 above, still has room below that range.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::{Ipv4Addr, TcpListener};

/// Distance of the cluster bus from the port that clients use (Redis, `cluster.h`).
pub(crate) const BUS_OFFSET: u16 = 10_000;

const FIRST: u16 = 12_000;
const COUNT: u64 = 10_000;

/// The ports of one server on 127.0.0.1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) plain: u16,
    pub(crate) tls: Option<u16>,
}

impl Ports {
    /// Picks ports that are free right now. Another process may still be faster: the caller tries again.
    pub(crate) fn pick(tls: bool, cluster: bool) -> Ports {
        let plain = free_port(cluster);
        let tls = tls.then(|| {
            loop {
                let port = free_port(cluster);
                if port != plain {
                    break port;
                }
            }
        });
        Ports { plain, tls }
    }
}

/// A port that is free right now, with the one of the cluster bus if that is wanted.
pub(crate) fn free_port(with_bus: bool) -> u16 {
    loop {
        // A fresh `RandomState` is the standard library's only source of randomness.
        let offset = RandomState::new().hash_one(std::process::id()) % COUNT;
        let Ok(offset) = u16::try_from(offset) else { continue };
        let port = FIRST + offset;
        if is_free(port) && (!with_bus || is_free(port + BUS_OFFSET)) {
            return port;
        }
    }
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}
