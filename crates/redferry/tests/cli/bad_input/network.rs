//! Hosts that are not there, ports where nobody listens, and servers that are no Redis.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use testkit::Server;

use super::{ends, from};
use crate::support::Redferry;

/// A port that answers every connection's first bytes with these.
fn answering(bytes: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(bytes);
            // Waits for the client to hang up, so that no reset overtakes the answer.
            let _ = stream.read(&mut [0; 1024]);
        }
    });
    port
}

#[test]
fn a_name_without_an_address() {
    ends(
        from("redis://cache.invalid:6379", &[]),
        5,
        &["source cache.invalid:6379", "cannot be resolved", "DNS"],
    );
}

#[test]
fn a_port_where_nobody_listens() {
    // Port 1, because a port that was free a moment ago may be another test's by now.
    ends(from("127.0.0.1:1", &[]), 5, &["source 127.0.0.1:1", "nothing listens there", "check the port"]);
    let source = Server::plain6().start();
    let ended = Redferry::between_addresses(&source.access().url(), "127.0.0.1:1").copy(&[]);
    ends(ended, 5, &["target 127.0.0.1:1", "nothing listens there"]);
}

#[test]
fn a_server_that_speaks_something_else() {
    let web = answering(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    let noise = answering(b"\x00\xff\x80\x13garbage\r\n\x07\x00");
    for port in [web, noise] {
        let ended = from(&format!("redis://127.0.0.1:{port}"), &[]);
        ends(ended, 5, &["not RESP", "does not look like a Redis server"]);
        let ended = from(&format!("rediss://127.0.0.1:{port}"), &[]);
        ends(ended, 5, &["TLS failed", "not TLS"]);
    }
}

#[test]
fn a_server_that_promises_more_than_memory_holds() {
    let port = answering(b"$999999999999\r\nabc");
    ends(
        from(&format!("redis://127.0.0.1:{port}"), &["--connect-timeout", "1s"]),
        5,
        &["not RESP", "more than the limit"],
    );
}

#[test]
fn a_server_that_accepts_and_says_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    for (scheme, words) in [("redis", "within 1 s"), ("rediss", "did not answer the TLS handshake")] {
        let began = Instant::now();
        let ended = from(&format!("{scheme}://127.0.0.1:{port}"), &["--connect-timeout", "1s"]);
        ends(ended, 5, &[words, "firewall"]);
        assert!(began.elapsed() < Duration::from_secs(5), "took {:?}", began.elapsed());
    }
}
