//! TLS handshakes by a client that is not ours, good and bad.

use testkit::tls::authority;
use testkit::{Access, Binaries, Server};

async fn ping(access: &Access) -> redis::RedisResult<String> {
    redis::cmd("PING").query_async(&mut access.try_connect().await?).await
}

#[tokio::test]
async fn the_good_certificate_is_accepted_by_name_only() {
    let mut servers = vec![Server::amr().modules(false).tls(true).start()];
    if Binaries::get().source_has_tls() {
        servers.push(Server::acr().tls(true).start());
    } else {
        eprintln!("SKIPPED: the Redis 6 of this machine has no TLS");
    }
    for server in &servers {
        let access = server.tls_access();
        assert_eq!(ping(&access).await.unwrap(), "PONG");
        assert!(access.url().starts_with("rediss://localhost:"));
        // The way a cluster node is announced.
        ping(&Access { host: "127.0.0.1".into(), ..access.clone() }).await.unwrap_err();
        ping(&Access { password: Some("wrong".into()), ..access.clone() }).await.unwrap_err();
        ping(&Access { ca: Some(authority().foreign_ca.clone()), ..access }).await.unwrap_err();
        // The plaintext port is there beside it.
        assert_eq!(ping(&server.access()).await.unwrap(), "PONG");
    }
}

#[tokio::test]
async fn bad_certificates_are_refused() {
    let authority = authority();
    for (identity, complaint) in [
        (&authority.expired, "xpired"),
        (&authority.other_name, "name"),
        (&authority.foreign, "nknownIssuer"),
    ] {
        let server = Server::plain7().tls(true).identity(identity).start();
        let error = ping(&server.tls_access()).await.unwrap_err().to_string();
        assert!(error.contains(complaint), "{complaint}: {error}");
    }
}

#[tokio::test]
async fn client_certificates_are_asked_for() {
    let authority = authority();
    let server = Server::plain7().tls(true).client_auth(true).start();
    let access = server.tls_access();
    ping(&access).await.unwrap_err();
    let mut connection = access.try_connect_as(&authority.client.cert, &authority.client.key).await.unwrap();
    let pong: String = redis::cmd("PING").query_async(&mut connection).await.unwrap();
    assert_eq!(pong, "PONG");
}
