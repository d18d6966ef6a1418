//! PEM files made by rcgen, and real handshakes over the loopback.

use std::net::SocketAddr;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;

const NAME: &str = "shop.redis.example";

/// A certificate authority and a directory for PEM files.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: TempDir,
}

impl Authority {
    fn new() -> Self {
        Self::named("authority")
    }

    fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { issuer, directory: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// What a user passes to trust this authority.
    fn trusted(&self) -> TlsOptions {
        TlsOptions { ca: Some(self.file("ca.pem", self.issuer.pem())), ..TlsOptions::default() }
    }

    fn issue(&self, change: impl FnOnce(&mut CertificateParams)) -> (rcgen::Certificate, KeyPair) {
        let mut params = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    fn server(&self, change: impl FnOnce(&mut CertificateParams)) -> ServerConfig {
        let (certificate, key) = self.issue(change);
        server_builder().with_no_client_auth().with_single_cert(chain(&certificate), der(&key)).unwrap()
    }

    /// A server that wants a client certificate of this authority.
    fn strict_server(&self) -> ServerConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        let (certificate, key) = self.issue(|_| {});
        server_builder()
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain(&certificate), der(&key))
            .unwrap()
    }
}

fn server_builder() -> rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier> {
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
}

fn chain(certificate: &rcgen::Certificate) -> Vec<CertificateDer<'static>> {
    vec![certificate.der().clone()]
}

fn der(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivateKeyDer::try_from(key.serialize_der()).unwrap()
}

/// Serves one connection that echoes one byte.
async fn listen(server: ServerConfig) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        // A client that refuses the certificate ends the handshake: that is the test's point.
        if let Ok(mut tls) = TlsAcceptor::from(Arc::new(server)).accept(tcp).await {
            let byte = tls.read_u8().await.unwrap();
            tls.write_u8(byte).await.unwrap();
            tls.flush().await.unwrap();
        }
    });
    address
}

/// Serves one connection in plaintext: reads, writes `reply`, closes.
async fn listen_plaintext(reply: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut tcp, _) = listener.accept().await.unwrap();
        let mut hello = [0; 4096];
        let _ = tcp.read(&mut hello).await.unwrap();
        tcp.write_all(reply).await.unwrap();
        tcp.shutdown().await.unwrap();
    });
    address
}

/// Connects as redferry does and exchanges one byte.
async fn connect(to: SocketAddr, options: &TlsOptions, name: &str) -> Result<(), TlsFault> {
    let config = client_config(options).unwrap();
    let address = Address::parse(&format!("rediss://{to}?server_name={name}")).unwrap();
    let tcp = TcpStream::connect(to).await.unwrap();
    let exchange = async {
        let mut tls = TlsConnector::from(config).connect(server_name(&address).unwrap(), tcp).await?;
        tls.write_u8(7).await?;
        tls.flush().await?;
        tls.read_u8().await
    };
    exchange.await.map(|byte| assert_eq!(byte, 7)).map_err(|error| explain(&error))
}

#[tokio::test]
async fn a_good_certificate_connects() {
    let ca = Authority::new();
    connect(listen(ca.server(|_| {})).await, &ca.trusted(), NAME).await.unwrap();
}

#[tokio::test]
async fn expired() {
    let ca = Authority::new();
    let server = ca.server(|params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    });
    let fault = connect(listen(server).await, &ca.trusted(), NAME).await.unwrap_err();
    assert!(matches!(fault, TlsFault::Expired(Some(ago)) if ago.as_secs() > 365 * 86_400), "{fault}");
    assert!(fault.to_string().ends_with("days ago") && fault.remedy().contains("clock"), "{fault}");
}

#[tokio::test]
async fn not_yet_valid() {
    let ca = Authority::new();
    let server = ca.server(|params| params.not_before = date_time_ymd(3000, 1, 1));
    let fault = connect(listen(server).await, &ca.trusted(), NAME).await.unwrap_err();
    assert!(matches!(fault, TlsFault::NotYetValid(Some(_))), "{fault}");
}

#[tokio::test]
async fn wrong_name() {
    let ca = Authority::new();
    let fault = connect(listen(ca.server(|_| {})).await, &ca.trusted(), "10.0.0.4").await.unwrap_err();
    let expected =
        TlsFault::NameMismatch { expected: "10.0.0.4".to_owned(), presented: vec![NAME.to_owned()] };
    assert_eq!(fault, expected);
    assert_eq!(
        fault.to_string(),
        "the server's certificate is not for 10.0.0.4, it is for shop.redis.example"
    );
    assert!(fault.remedy().contains("sslHost="));
}

#[tokio::test]
async fn unknown_issuer() {
    let ca = Authority::new();
    for stranger in [Authority::named("stranger"), Authority::new()] {
        let fault = connect(listen(ca.server(|_| {})).await, &stranger.trusted(), NAME).await.unwrap_err();
        assert_eq!(fault, TlsFault::UnknownIssuer);
        assert!(fault.remedy().contains("--ca FILE"));
    }
}

#[tokio::test]
async fn insecure_takes_any_certificate() {
    let ca = Authority::new();
    let options = TlsOptions { insecure: true, ..TlsOptions::default() };
    let server = ca.server(|params| params.not_after = date_time_ymd(2021, 1, 1));
    connect(listen(server).await, &options, "another.example").await.unwrap();
}

#[tokio::test]
async fn a_plaintext_server() {
    let ca = Authority::new();
    for reply in [
        &b"-ERR Protocol error: unbalanced quotes in request\r\n"[..],
        b"-ERR unknown command\r\n",
        b"HTTP/1.1 400\r\n",
    ] {
        let fault = connect(listen_plaintext(reply).await, &ca.trusted(), NAME).await.unwrap_err();
        assert_eq!(fault, TlsFault::NotTls);
    }
    let fault = connect(listen_plaintext(b"").await, &ca.trusted(), NAME).await.unwrap_err();
    assert_eq!(fault, TlsFault::Closed);
    let fault = explain(&io::ErrorKind::TimedOut.into());
    assert!(fault == TlsFault::NoAnswer && fault.remedy().contains("speaks TLS"), "{fault}");
}

#[tokio::test]
async fn a_client_certificate_is_wanted() {
    let ca = Authority::new();
    let fault = connect(listen(ca.strict_server()).await, &ca.trusted(), NAME).await.unwrap_err();
    assert!(matches!(fault, TlsFault::Alert(_)), "{fault}");
    assert!(fault.remedy().contains("--client-cert"), "{fault}");

    let (certificate, key) = ca.issue(|_| {});
    let separate = TlsOptions {
        client_cert: Some(ca.file("client.pem", certificate.pem())),
        client_key: Some(ca.file("client.key", key.serialize_pem())),
        ..ca.trusted()
    };
    connect(listen(ca.strict_server()).await, &separate, NAME).await.unwrap();

    let both = format!("{}{}", certificate.pem(), key.serialize_pem());
    let combined = TlsOptions { client_cert: Some(ca.file("both.pem", both)), ..ca.trusted() };
    connect(listen(ca.strict_server()).await, &combined, NAME).await.unwrap();
}

#[test]
fn a_file_may_hold_several_authorities() {
    let (one, two) = (Authority::new(), Authority::new());
    let bundle = one.file("bundle.pem", format!("# two\n{}\n{}", one.issuer.pem(), two.issuer.pem()));
    assert_eq!(pem::certificates(&bundle).unwrap().len(), 2);
}

#[test]
fn keys_in_every_encoding() {
    // Only the label and the framing matter for loading; whether a key is sound is found with its certificate.
    let ca = Authority::new();
    for (label, is_right) in [
        ("PRIVATE KEY", (|key| matches!(key, PrivateKeyDer::Pkcs8(_))) as fn(&PrivateKeyDer<'_>) -> bool),
        ("RSA PRIVATE KEY", |key| matches!(key, PrivateKeyDer::Pkcs1(_))),
        ("EC PRIVATE KEY", |key| matches!(key, PrivateKeyDer::Sec1(_))),
    ] {
        let path = ca.file("key.pem", format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n"));
        assert!(is_right(&pem::key(&path).unwrap()), "{label}");
    }
}

#[test]
fn errors_name_the_file_and_never_quote_it() {
    let ca = Authority::new();
    let (certificate, key) = ca.issue(|_| {});
    let certificate = ca.file("client.pem", certificate.pem());
    let other_key = ca.file("other.key", KeyPair::generate().unwrap().serialize_pem());
    let broken =
        ca.file("broken.pem", "-----BEGIN PRIVATE KEY-----\nsesame sesame !!\n-----END PRIVATE KEY-----\n");
    let open = ca.file("open.pem", "-----BEGIN CERTIFICATE-----\nsesame\n");
    let encrypted = ca.file(
        "encrypted.pem",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    let not_a_certificate =
        ca.file("not.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let der = ca.file("ca.der", ca.issuer.der());
    let missing = ca.directory.path().join("missing.pem");
    let key_only = ca.file("only.key", key.serialize_pem());

    let with_ca = |path: &PathBuf| TlsOptions { ca: Some(path.clone()), ..TlsOptions::default() };
    let with_key = |path: &PathBuf| TlsOptions {
        client_cert: Some(certificate.clone()),
        client_key: Some(path.clone()),
        ..ca.trusted()
    };
    for (options, file, words) in [
        (with_ca(&missing), "missing.pem", "cannot be read"),
        (with_ca(&der), "ca.der", "-inform der"),
        (with_ca(&key_only), "only.key", "no PEM certificate"),
        (with_ca(&open), "open.pem", "END"),
        (with_ca(&not_a_certificate), "not.pem", "certificate authority"),
        (with_key(&missing), "missing.pem", "cannot be read"),
        (with_key(&broken), "broken.pem", "base64"),
        (with_key(&encrypted), "encrypted.pem", "openssl pkey"),
        (with_key(&certificate), "client.pem", "--client-key"),
        (with_key(&other_key), "other.key", "pair"),
        (TlsOptions { client_key: Some(key_only.clone()), ..ca.trusted() }, "", "--client-cert"),
    ] {
        let error = client_config(&options).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(file) && text.contains(words), "{text}");
        assert!(!format!("{text} {error:?}").contains("sesame"), "{text}");
    }
}

#[test]
fn the_name_to_verify() {
    let name = |text: &str| server_name(&Address::parse(text).unwrap()).unwrap().to_str().into_owned();
    assert_eq!(name("shop.redis.azure.net"), "shop.redis.azure.net");
    assert_eq!(name("shop.redis.azure.net.:10000"), "shop.redis.azure.net");
    assert_eq!(name("10.0.0.4:6380,ssl=True,sslHost=shop.redis.azure.net"), "shop.redis.azure.net");
    assert_eq!(name("[::1]:6380"), "::1");
}
