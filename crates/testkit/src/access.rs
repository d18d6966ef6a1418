//! How to reach a test cache, and connections to it by the `redis` crate.
//!
//! The `redis` crate shares no code with redferry's own client, so what it reads back is an independent
//! witness of what redferry did.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClientBuilder;
use redis::cluster_async::ClusterConnection;
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo,
    RedisConnectionInfo, RedisResult, TlsCertificates,
};

/// A loaded test machine may take this long to accept a connection or to finish a TLS handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// Longest a single reply may take. The `redis` crate's own limit of 500 ms is too short for big values.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(120);

/// The address of a cache and what a client needs to be let in.
#[derive(Clone, PartialEq, Eq)]
pub struct Access {
    /// Host name. With TLS this is the name that the certificate is for, never an IP address.
    pub host: String,
    /// Port of the server, or of any node of a cluster.
    pub port: u16,
    /// Whether the port speaks TLS.
    pub tls: bool,
    /// ACL user; `None` is the server's default user.
    pub user: Option<String>,
    /// Password, if the server asks for one.
    pub password: Option<String>,
    /// PEM file of the authority that signed the server's certificate.
    pub ca: Option<PathBuf>,
    /// Whether the server is a node of a cluster.
    pub cluster: bool,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("url", &self.url())
            .field("password", &self.password.as_ref().map(|_| "***"))
            .field("cluster", &self.cluster)
            .finish()
    }
}

impl Access {
    /// `redis://host:port` or `rediss://host:port`, with neither user nor password.
    pub fn url(&self) -> String {
        format!("{}://{}:{}", self.scheme(), self.host, self.port)
    }

    /// The same URL with user and password in it, percent-encoded.
    pub fn url_with_password(&self) -> String {
        let user = self.user.as_deref().map(percent_encoded).unwrap_or_default();
        match &self.password {
            Some(password) => {
                format!(
                    "{}://{user}:{}@{}:{}",
                    self.scheme(),
                    percent_encoded(password),
                    self.host,
                    self.port
                )
            }
            None => self.url(),
        }
    }

    /// The same cache behind another port of this machine, for example a relay's.
    #[must_use]
    pub fn via(&self, port: u16) -> Access {
        Access { port, ..self.clone() }
    }

    /// Opens a connection to this one server.
    ///
    /// # Panics
    /// When the connection cannot be made; [`Access::try_connect`] gives the error instead.
    pub async fn connect(&self) -> MultiplexedConnection {
        match self.try_connect().await {
            Ok(connection) => connection,
            Err(error) => panic!("cannot connect to {}: {error}", self.url()),
        }
    }

    /// Opens a connection to this one server, or says why not.
    pub async fn try_connect(&self) -> RedisResult<MultiplexedConnection> {
        self.connect_with(0, None).await
    }

    /// Opens a connection to this one server that works in database `db`.
    ///
    /// # Panics
    /// When the connection cannot be made.
    pub async fn connect_db(&self, db: i64) -> MultiplexedConnection {
        match self.connect_with(db, None).await {
            Ok(connection) => connection,
            Err(error) => panic!("cannot connect to database {db} of {}: {error}", self.url()),
        }
    }

    /// Opens a connection with this database selected, if the server is there.
    pub async fn try_connect_db(&self, db: i64) -> RedisResult<MultiplexedConnection> {
        self.connect_with(db, None).await
    }

    /// Opens a connection that shows the given client certificate (PEM files), for servers that ask for one.
    pub async fn try_connect_as(&self, cert: &Path, key: &Path) -> RedisResult<MultiplexedConnection> {
        let identity = ClientTlsConfig { client_cert: pem(cert), client_key: pem(key) };
        self.connect_with(0, Some(identity)).await
    }

    /// Opens a connection to the whole cluster that this node belongs to.
    ///
    /// Host names are not verified here: the nodes announce themselves as IP addresses that no certificate
    /// names, and the `redis` crate cannot verify against another name. The signature is still verified.
    ///
    /// # Panics
    /// When no connection can be made.
    pub async fn connect_cluster(&self) -> ClusterConnection {
        match self.try_connect_cluster().await {
            Ok(connection) => connection,
            Err(error) => panic!("cannot connect to the cluster at {}: {error}", self.url()),
        }
    }

    async fn try_connect_cluster(&self) -> RedisResult<ClusterConnection> {
        install_crypto();
        let mut builder = ClusterClientBuilder::new([self.connection_info(0)?])
            .connection_timeout(CONNECT_TIMEOUT)
            .response_timeout(RESPONSE_TIMEOUT);
        if self.tls {
            builder = builder.certs(self.certificates(None)).danger_accept_invalid_hostnames(true);
        }
        builder.build()?.get_async_connection().await
    }

    async fn connect_with(
        &self,
        db: i64,
        identity: Option<ClientTlsConfig>,
    ) -> RedisResult<MultiplexedConnection> {
        install_crypto();
        let info = self.connection_info(db)?;
        let client = if self.tls {
            Client::build_with_tls(info, self.certificates(identity))?
        } else {
            Client::open(info)?
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT));
        client.get_multiplexed_async_connection_with_config(&config).await
    }

    fn connection_info(&self, db: i64) -> RedisResult<ConnectionInfo> {
        Ok(self.address().into_connection_info()?.set_redis_settings(self.credentials(db)))
    }

    fn scheme(&self) -> &'static str {
        if self.tls { "rediss" } else { "redis" }
    }

    fn address(&self) -> ConnectionAddr {
        let host = self.host.clone();
        if self.tls {
            ConnectionAddr::TcpTls { host, port: self.port, insecure: false, tls_params: None }
        } else {
            ConnectionAddr::Tcp(host, self.port)
        }
    }

    fn credentials(&self, db: i64) -> RedisConnectionInfo {
        let mut info = RedisConnectionInfo::default().set_db(db);
        if let Some(user) = &self.user {
            info = info.set_username(user);
        }
        if let Some(password) = &self.password {
            info = info.set_password(password);
        }
        info
    }

    fn certificates(&self, client_tls: Option<ClientTlsConfig>) -> TlsCertificates {
        TlsCertificates { client_tls, root_cert: self.ca.as_deref().map(pem) }
    }
}

fn pem(path: &Path) -> Vec<u8> {
    match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => panic!("cannot read the certificate file {}: {error}", path.display()),
    }
}

/// Chooses the provider once for the process: rustls refuses to guess when several are compiled in.
fn install_crypto() {
    // The only error is that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Percent-encodes everything but the unreserved characters of RFC 3986.
fn percent_encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_hide_and_encode_the_password() {
        let access = Access {
            host: "localhost".into(),
            port: 6380,
            tls: true,
            user: None,
            password: Some("a b/=@".into()),
            ca: None,
            cluster: false,
        };
        assert_eq!(access.url(), "rediss://localhost:6380");
        assert_eq!(access.url_with_password(), "rediss://:a%20b%2F%3D%40@localhost:6380");
        assert!(!format!("{access:?}").contains("a b"));
    }
}
