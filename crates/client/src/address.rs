//! Where a server is and how to log in, read from what people have at hand: a URL, the connection string of the Azure
//! portal, or `host:port`.
//!
//! Defaults, where the text does not say:
//!
//! | Host | TLS | Port |
//! |---|---|---|
//! | Azure Cache for Redis | yes, except on port 6379 | 6380, plaintext 6379 |
//! | Azure Managed Redis, Enterprise tiers | yes | 10000 |
//! | other | no, except on ports 6380 and 10000 | 6379; a connection string with `ssl=True` 6380 |
//!
//! A scheme always says: `redis://` is plaintext, `rediss://` is TLS. Both mean port 6379 on other hosts, as in redis-cli.

mod endpoint;
mod error;
mod percent;
mod service;
mod stack_exchange;
mod url;

use std::fmt;
use std::str::FromStr;

use crate::secret::Secret;
use endpoint::{Endpoint, UrlHost};
pub use error::{AddressError, Part};
use percent::encoded;
pub use service::Service;

/// One server, or the first contact of a cluster.
///
/// `Display` gives a URL without the password that parses back to the same address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Host name in lower case, or IP address (IPv6 without brackets).
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Whether to speak TLS.
    pub tls: bool,
    /// ACL user; `None` logs in as `default`.
    pub user: Option<String>,
    /// Password, access key or token.
    pub password: Option<Secret>,
    /// Database number, when the address names one.
    pub database: Option<u32>,
    /// Name to verify the certificate against and to send as SNI, when it is not `host` (`sslHost`).
    pub server_name: Option<String>,
    /// Name for `CLIENT SETNAME`, without the characters that Redis refuses there.
    pub client_name: Option<String>,
    /// Further servers of the same text, host and port. They are kept and not used.
    pub more: Vec<(String, u16)>,
}

impl Address {
    /// Reads any of the accepted forms. Never panics; an error repeats no part of the text but the name of an option.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = without_quotes(text.trim());
        let parts = if text.is_empty() {
            return Err(AddressError::new(Part::Whole, "it is empty"));
        } else if let Some((scheme, rest)) = url::split_scheme(text) {
            url::parse(scheme, rest)?
        } else {
            stack_exchange::parse(text)?
        };
        parts.complete()
    }

    /// The service that the host name belongs to.
    pub fn kind(&self) -> Service {
        Service::of_host(&self.host)
    }

    /// The same address with another password, or none.
    #[must_use]
    pub fn with_password(self, password: Option<Secret>) -> Self {
        Self { password, ..self }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.tls { "rediss://" } else { "redis://" })?;
        if let Some(user) = &self.user {
            write!(f, "{}@", encoded(user))?;
        }
        write!(f, "{}:{}", UrlHost(&self.host), self.port)?;
        for (host, port) in &self.more {
            write!(f, ",{}:{port}", UrlHost(host))?;
        }
        if let Some(database) = self.database {
            write!(f, "/{database}")?;
        }
        let mut separator = '?';
        if let Some(name) = &self.server_name {
            write!(f, "{separator}server_name={}", UrlHost(name))?;
            separator = '&';
        }
        if let Some(name) = &self.client_name {
            write!(f, "{separator}client_name={}", encoded(name))?;
        }
        Ok(())
    }
}

/// A value copied out of JSON or a shell script brings its quotes along. No host begins with one.
fn without_quotes(text: &str) -> &str {
    ['"', '\'']
        .into_iter()
        .find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))
        .map_or(text, str::trim)
}

/// What the text says, before defaults fill in the rest.
struct Parts {
    endpoints: Vec<Endpoint>,
    tls: Option<bool>,
    user: Option<String>,
    password: Option<Secret>,
    database: Option<u32>,
    server_name: Option<String>,
    client_name: Option<String>,
    /// The port this form means by TLS on a host that is not Azure's.
    default_tls_port: u16,
}

impl Parts {
    fn new(default_tls_port: u16) -> Self {
        Self {
            endpoints: Vec::new(),
            tls: None,
            user: None,
            password: None,
            database: None,
            server_name: None,
            client_name: None,
            default_tls_port,
        }
    }

    fn complete(self) -> Result<Address, AddressError> {
        let first = self.endpoints.first().ok_or_else(|| AddressError::new(Part::Host, "there is none"))?;
        let tls = self.tls.unwrap_or_else(|| Service::of_host(&first.host).default_tls(first.port));
        let mut servers = self.endpoints.into_iter().map(|Endpoint { host, port }| {
            let port =
                port.unwrap_or_else(|| Service::of_host(&host).default_port(tls, self.default_tls_port));
            (host, port)
        });
        let (host, port) = servers.next().ok_or_else(|| AddressError::new(Part::Host, "there is none"))?;
        Ok(Address {
            host,
            port,
            tls,
            user: self.user,
            password: self.password,
            database: self.database,
            server_name: self.server_name,
            client_name: self.client_name,
            more: servers.collect(),
        })
    }
}

/// Drops what `CLIENT SETNAME` refuses: all but printable ASCII without the space (Redis, networking.c).
fn client_name(text: &str) -> Option<String> {
    let name: String = text.chars().filter(char::is_ascii_graphic).collect();
    (!name.is_empty()).then_some(name)
}
