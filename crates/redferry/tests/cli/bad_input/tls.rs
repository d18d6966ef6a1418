//! TLS on one side only, and certificates that are not right.

use testkit::Server;
use testkit::server::ServerBuilder;
use testkit::tls::{Identity, authority};

use super::{ends, from};
use crate::support::{Ended, Redferry};

const PASSWORD: &str = "testkit-secret";

fn secured() -> ServerBuilder {
    Server::acr().tls(true)
}

/// Copies from a source that shows this certificate to an empty target.
fn copy_from(source: &Server, options: &[&str]) -> Ended {
    let target = Server::plain7().start();
    Redferry::between(&source.tls_access(), &target.access()).copy(options)
}

fn showing(identity: &Identity) -> Ended {
    copy_from(&secured().identity(identity).start(), &[])
}

#[test]
fn tls_to_a_plaintext_port() {
    for server in [Server::acr().start(), Server::amr().start()] {
        let address = format!("rediss://localhost:{}", server.access().port);
        ends(from(&address, &["--connect-timeout", "1s"]), 5, &["TLS failed", "port speaks TLS"]);
    }
}

#[test]
fn plaintext_to_a_tls_port() {
    let source = secured().start();
    let address = format!("redis://localhost:{}", source.tls_access().port);
    ends(from(&address, &[]), 5, &["source localhost", "TLS", "rediss://"]);
}

#[test]
fn an_expired_certificate() {
    ends(showing(&authority().expired), 5, &["certificate expired", "days ago", "clock"]);
}

#[test]
fn a_certificate_of_a_foreign_authority() {
    ends(showing(&authority().foreign), 5, &["no trusted authority", "--ca"]);
}

#[test]
fn a_certificate_for_another_name() {
    ends(showing(&authority().other_name), 5, &["not for localhost", "other.redferry.test", "sslHost"]);
    // The certificate names localhost, and the address does not.
    let source = secured().start();
    let address = format!("rediss://127.0.0.1:{}", source.tls_access().port);
    ends(from(&address, &[]), 5, &["not for 127.0.0.1", "localhost"]);
}

#[test]
fn an_authority_that_is_not_named() {
    let source = secured().start();
    let address = format!("localhost:{},password={PASSWORD},ssl=True", source.tls_access().port);
    ends(from(&address, &[]), 5, &["no trusted authority", "--ca"]);
    ends(from(&address, &["--ca", "nothing-here.pem"]), 2, &["nothing-here.pem"]);
    ends(from(&address, &["--ca", &authority().server.key.display().to_string()]), 2, &["server.key"]);
}

#[test]
fn insecure_works_and_shouts() {
    let source = secured().identity(&authority().expired).start();
    let target = Server::plain7().start();
    source.command(&["SET", "key", "value"]);
    let address = format!("localhost:{},password={PASSWORD},ssl=True", source.tls_access().port);
    let ended = Redferry::between_addresses(&address, &target.access().url()).copy(&["--insecure"]);
    let ended = ends(ended, 0, &[]).expect_said("WARNING: --insecure");
    assert_eq!(ended.number("keys_copied"), 1);
}

#[test]
fn a_client_certificate_that_the_server_wants() {
    let source = secured().client_auth(true).start();
    ends(copy_from(&source, &[]), 5, &["--client-cert", "--client-key"]);
    let (client, foreign) = (&authority().client, &authority().foreign);
    let paths =
        |identity: &Identity| (identity.cert.display().to_string(), identity.key.display().to_string());
    let (cert, key) = paths(foreign);
    ends(copy_from(&source, &["--client-cert", &cert, "--client-key", &key]), 5, &["--client-cert"]);
    let (cert, key) = paths(client);
    ends(copy_from(&source, &["--client-cert", &cert, "--client-key", &key]), 0, &[]);
}
