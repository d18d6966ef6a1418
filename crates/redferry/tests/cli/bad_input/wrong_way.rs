//! One server on both sides under two names, and the two sides exchanged.

use testkit::Server;
use testkit::relay::Relay;

use super::{ends, keys, pair};
use crate::support::Redferry;

const PASSWORD: &str = "testkit-secret";

#[test]
fn one_server_on_both_sides() {
    for server in [Server::acr().start(), Server::amr().start()] {
        server.command(&["SET", "key", "value"]);
        let port = server.access().port;
        let relay = Relay::to("127.0.0.1", port);
        for other in
            [format!("127.0.0.1:{port}"), format!("localhost:{port}"), format!("127.0.0.1:{}", relay.port())]
        {
            let redferry = Redferry::between_addresses(&format!("127.0.0.1:{port}"), &other)
                .with_passwords(PASSWORD, PASSWORD);
            let host = other.split_once(':').unwrap().0;
            let ended =
                redferry.copy(&["--flush-target", "--confirm-flush", host, "--skip-check", "same_server"]);
            ends(ended, 3, &["same server", "check both addresses"]);
            assert_eq!(keys(&server), 1, "{other}");
        }
    }
}

#[test]
fn a_replica_of_the_source_is_no_target() {
    let (source, target) = (Server::plain7().start(), Server::plain7().start());
    source.command(&["SET", "key", "value"]);
    target.command(&["REPLICAOF", "127.0.0.1", &source.access().port.to_string()]);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while !target.command(&["INFO", "replication"]).text().contains("master_link_status:up") {
        assert!(std::time::Instant::now() < deadline, "the replica does not follow");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let ended = Redferry::between(&source.access(), &target.access()).copy(&["--on-conflict", "replace"]);
    ends(ended, 3, &["replica"]);
}

#[test]
fn source_and_target_swapped() {
    let (full, empty) = pair();
    let redferry = Redferry::between(&empty.access(), &full.access());
    ends(redferry.copy(&[]), 3, &["the target holds 3 keys", "did you swap --source and --target?"]);
    let ended = redferry.copy(&["--flush-target", "--confirm-flush", "127.0.0.1"]);
    ends(ended, 3, &["the source is empty", "did you swap --source and --target?"]);
    assert_eq!(keys(&full), 3);
}
