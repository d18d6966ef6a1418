//! Each fault of the relay, seen from a client of a real server.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use testkit::Server;
use testkit::relay::{Relay, Way};
use testkit::server::Reply;

const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";
const PONG: &[u8] = b"+PONG\r\n";

struct Client(TcpStream);

impl Client {
    fn new(relay: &Relay) -> Client {
        let stream = TcpStream::connect(("127.0.0.1", relay.port())).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Client(stream)
    }

    fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
    }

    fn receive(&mut self, length: usize) -> Vec<u8> {
        let mut reply = vec![0; length];
        self.0.read_exact(&mut reply).unwrap();
        reply
    }

    fn ping(&mut self) {
        self.send(PING);
        assert_eq!(self.receive(PONG.len()), PONG);
    }

    /// What still comes until the connection ends; a reset is an end too.
    fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
            ended => drop(ended.expect("the connection should have been closed")),
        }
        rest
    }

    fn hears_nothing_for(&mut self, time: Duration) {
        self.0.set_read_timeout(Some(time)).unwrap();
        let error = self.0.read(&mut [0; 100]).unwrap_err();
        assert!(
            matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut),
            "{error}"
        );
        self.0.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    }
}

fn server_and_relay() -> (Server, Relay) {
    let server = Server::plain6().start();
    let relay = Relay::to("127.0.0.1", server.access().port);
    (server, relay)
}

fn set(key: &str, value: &str) -> Vec<u8> {
    format!("*3\r\n$3\r\nSET\r\n${}\r\n{key}\r\n${}\r\n{value}\r\n", key.len(), value.len()).into_bytes()
}

#[test]
fn without_faults_bytes_pass_and_are_counted() {
    let (_server, relay) = server_and_relay();
    let (mut one, mut two) = (Client::new(&relay), Client::new(&relay));
    one.ping();
    two.ping();
    assert_eq!((relay.connections(), relay.accepted()), (2, 2));
    assert_eq!(relay.bytes(Way::ToServer), 2 * PING.len() as u64);
    assert_eq!(relay.bytes(Way::ToClient), 2 * PONG.len() as u64);
    drop(one);
    let give_up = Instant::now() + Duration::from_secs(5);
    while relay.connections() != 1 {
        assert!(Instant::now() < give_up, "a closed connection is still counted");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn cut_closes_what_is_open_and_lets_new_connections_in() {
    let (_server, relay) = server_and_relay();
    let mut client = Client::new(&relay);
    client.ping();
    relay.cut();
    assert_eq!(relay.connections(), 0);
    assert_eq!(client.rest(), b"");
    Client::new(&relay).ping();
}

#[test]
fn refused_clients_are_closed_at_once_and_others_go_on() {
    let (_server, relay) = server_and_relay();
    let mut early = Client::new(&relay);
    early.ping();
    relay.refuse(true);
    assert_eq!(Client::new(&relay).rest(), b"");
    early.ping();
    relay.refuse(false);
    Client::new(&relay).ping();
}

#[test]
fn a_request_is_cut_at_the_byte() {
    let (server, relay) = server_and_relay();
    let request = set("key", "value");
    relay.cut_after(Way::ToServer, request.len() as u64 * 2 - 1);
    for round in 0..3 {
        let mut client = Client::new(&relay);
        client.send(&set("key", &format!("val{round:02}")));
        assert_eq!(client.receive(5), b"+OK\r\n");
        client.send(&set("key", "never"));
        assert_eq!(client.rest(), b"");
        assert_eq!(server.command(&["GET", "key"]), Reply::Bulk(Some(format!("val{round:02}").into_bytes())));
    }
    relay.heal();
    let mut client = Client::new(&relay);
    client.send(&[request.clone(), request].concat());
    assert_eq!(client.receive(10), b"+OK\r\n+OK\r\n");
}

#[test]
fn a_reply_is_cut_at_the_byte() {
    let (_server, relay) = server_and_relay();
    relay.cut_after(Way::ToClient, 10);
    let mut client = Client::new(&relay);
    client.send(&PING.repeat(3));
    assert_eq!(client.rest(), b"+PONG\r\n+PO");
}

#[test]
fn random_cuts_follow_from_the_seed() {
    let (_server, relay) = server_and_relay();
    let lengths = |seed| {
        relay.cut_randomly(seed, 5_000);
        let lengths: Vec<u64> = (0..8)
            .map(|_| {
                let before = relay.bytes(Way::ToServer) + relay.bytes(Way::ToClient);
                let mut client = Client::new(&relay);
                // Requests in step with replies, until the relay has had enough.
                while client.0.write_all(PING).is_ok() && matches!(client.0.read(&mut [0; 7]), Ok(1..)) {}
                relay.cut();
                relay.bytes(Way::ToServer) + relay.bytes(Way::ToClient) - before
            })
            .collect();
        lengths
    };
    let (first, again, other) = (lengths(1), lengths(1), lengths(2));
    assert_eq!(first, again);
    assert_ne!(first, other);
    let mean = first.iter().chain(&other).sum::<u64>() / 16;
    assert!((1_000..15_000).contains(&mean), "{first:?} {other:?}");
}

#[test]
fn a_lost_reply_leaves_the_write_done() {
    let (server, relay) = server_and_relay();
    let mut client = Client::new(&relay);
    client.ping();
    relay.lose_next_reply();
    client.send(&[set("one", "1"), set("two", "2")].concat());
    assert_eq!(client.rest(), b"");
    assert_eq!(server.command(&["GET", "two"]), Reply::Bulk(Some(b"2".to_vec())));
    Client::new(&relay).ping();

    relay.drop_replies(true);
    for _ in 0..2 {
        let mut client = Client::new(&relay);
        client.send(&set("three", "3"));
        assert_eq!(client.rest(), b"");
    }
    assert_eq!(server.command(&["GET", "three"]), Reply::Bulk(Some(b"3".to_vec())));
    relay.drop_replies(false);
    Client::new(&relay).ping();
}

#[test]
fn a_stall_keeps_connections_and_loses_nothing() {
    let (_server, relay) = server_and_relay();
    let mut client = Client::new(&relay);
    client.ping();
    relay.stall(true);
    client.send(PING);
    client.hears_nothing_for(Duration::from_millis(200));
    assert_eq!(relay.connections(), 1);
    relay.stall(false);
    assert_eq!(client.receive(PONG.len()), PONG);
    relay.stall(true);
    client.send(PING);
    relay.cut();
    assert_eq!(client.rest(), b"");
}

#[test]
fn a_delay_adds_up_over_both_ways_and_keeps_the_rate() {
    let (_server, relay) = server_and_relay();
    let mut client = Client::new(&relay);
    relay.delay(Duration::from_millis(50));
    let began = Instant::now();
    client.ping();
    assert!(began.elapsed() >= Duration::from_millis(100), "{:?}", began.elapsed());
    let began = Instant::now();
    for _ in 0..200 {
        client.send(PING);
    }
    assert_eq!(client.receive(PONG.len() * 200), PONG.repeat(200));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[test]
fn dropping_the_relay_closes_everything() {
    let (_server, relay) = server_and_relay();
    let port = relay.port();
    let mut client = Client::new(&relay);
    client.ping();
    drop(relay);
    assert_eq!(client.rest(), b"");
    TcpStream::connect(("127.0.0.1", port)).expect_err("nobody should listen");
}

#[tokio::test]
async fn tls_passes_through() {
    let server = Server::plain7().tls(true).start();
    let access = server.tls_access();
    let relay = Relay::to("127.0.0.1", access.port);
    let mut connection = access.via(relay.port()).connect().await;
    let pong: String = redis::cmd("PING").query_async(&mut connection).await.unwrap();
    assert_eq!(pong, "PONG");
    relay.cut();
    let lost: redis::RedisResult<String> = redis::cmd("PING").query_async(&mut connection).await;
    assert!(lost.is_err());
}

#[test]
fn what_a_client_sent_before_it_was_gone_reaches_the_server_later() {
    let (server, relay) = server_and_relay();
    let mut early = Client::new(&relay);
    early.ping();
    relay.withhold();
    let request = set("key", "old");
    early.send(&request);
    let mut late = Client::new(&relay);
    late.ping();
    let give_up = Instant::now() + Duration::from_secs(5);
    while relay.withheld() < request.len() as u64 {
        assert!(Instant::now() < give_up, "the request was not received");
        std::thread::sleep(Duration::from_millis(1));
    }
    relay.part();
    assert_eq!(early.rest(), b"");
    late.send(&set("key", "new"));
    assert_eq!(late.receive(5), b"+OK\r\n");
    assert_eq!(server.command(&["GET", "key"]).text(), "new");
    relay.deliver();
    assert_eq!(server.command(&["GET", "key"]).text(), "old");
    late.ping();
    assert_eq!(relay.connections(), 1);
}
