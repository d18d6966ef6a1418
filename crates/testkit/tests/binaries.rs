//! The programs are fetched, of the pinned versions, and start.

use testkit::binaries::Further;
use testkit::server::Reply;
use testkit::{Binaries, Server};

#[test]
fn the_pinned_servers_are_here() {
    let binaries = Binaries::get();
    let wanted = if binaries.source_has_tls() { "6.0." } else { "6.2." };
    assert!(binaries.redis6.version().starts_with(wanted), "{}", binaries.redis6.version());
    assert_eq!(binaries.redis7.version(), "7.4.1");
    for module in binaries.modules().unwrap() {
        assert!(module.is_file(), "{} is missing", module.display());
    }
}

#[test]
fn further_servers_are_of_the_pinned_versions() {
    let wanted = [(Further::Redis70, "7.0."), (Further::Redis82, "8.2.3"), (Further::Valkey91, "9.1.2")];
    for (further, version) in wanted {
        if let Some(program) = further.program() {
            assert!(program.version().starts_with(version), "{}", program.version());
        }
    }
    for server in [Server::plain70(), Server::redis8(), Server::valkey9()].into_iter().flatten() {
        assert_eq!(server.start().command(&["PING"]), Reply::Status("PONG".into()));
    }
}
