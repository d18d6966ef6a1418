//! What a failed handshake means, and what to do about it.

use std::fmt;
use std::io;
use std::time::Duration;

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};

/// Why a TLS handshake failed. `Display` is one sentence; [`TlsFault::remedy`] says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsFault {
    /// The server's certificate has expired, this long ago by this machine's clock.
    Expired(Option<Duration>),
    /// The server's certificate becomes valid only in this time, by this machine's clock.
    NotYetValid(Option<Duration>),
    /// No trusted authority has signed the server's certificate.
    UnknownIssuer,
    /// The server's certificate is for other names.
    NameMismatch {
        /// The name that was asked for; empty when unknown.
        expected: String,
        /// The names in the certificate.
        presented: Vec<String>,
    },
    /// The server answered with something that is not TLS.
    NotTls,
    /// Nothing came back in time. A plaintext Redis server does this: it takes the handshake for the beginning of a
    /// command and waits for its end (seen with Redis 6.0), so the caller must set a deadline.
    NoAnswer,
    /// The server closed the connection within the handshake.
    Closed,
    /// The server refused with a TLS alert.
    Alert(AlertDescription),
    /// Something rarer; the message of the library or the operating system.
    Other(String),
}

/// Explains the error of a TLS connect, or of the first read after it: with TLS 1.3 a server refuses a client
/// certificate only then. A deadline that passed comes as [`io::ErrorKind::TimedOut`].
pub fn explain(error: &io::Error) -> TlsFault {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(error) => explain_rustls(error),
        None => match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                TlsFault::Closed
            }
            io::ErrorKind::TimedOut => TlsFault::NoAnswer,
            _ => TlsFault::Other(error.to_string()),
        },
    }
}

/// Explains an error of rustls itself.
pub fn explain_rustls(error: &Error) -> TlsFault {
    match error {
        Error::InvalidCertificate(error) => explain_certificate(error),
        // The first bytes of a plaintext server's reply, read as a TLS record header.
        Error::InvalidMessage(
            InvalidMessage::InvalidContentType
            | InvalidMessage::UnknownProtocolVersion
            | InvalidMessage::MessageTooLarge,
        ) => TlsFault::NotTls,
        Error::AlertReceived(alert) => TlsFault::Alert(*alert),
        error => TlsFault::Other(error.to_string()),
    }
}

fn explain_certificate(error: &CertificateError) -> TlsFault {
    match error {
        CertificateError::Expired => TlsFault::Expired(None),
        CertificateError::ExpiredContext { time, not_after } => {
            TlsFault::Expired(Some(between(*not_after, *time)))
        }
        CertificateError::NotValidYet => TlsFault::NotYetValid(None),
        CertificateError::NotValidYetContext { time, not_before } => {
            TlsFault::NotYetValid(Some(between(*time, *not_before)))
        }
        // A trusted authority of the same name with another key, as after making a private authority anew.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => TlsFault::UnknownIssuer,
        CertificateError::NotValidForName => {
            TlsFault::NameMismatch { expected: String::new(), presented: Vec::new() }
        }
        CertificateError::NotValidForNameContext { expected, presented } => TlsFault::NameMismatch {
            expected: expected.to_str().into_owned(),
            presented: presented.iter().map(|name| bare_name(name).to_owned()).collect(),
        },
        error => TlsFault::Other(format!("the server's certificate is refused: {error}")),
    }
}

fn between(from: UnixTime, to: UnixTime) -> Duration {
    Duration::from_secs(to.as_secs().saturating_sub(from.as_secs()))
}

/// The library writes a name with its type around it: `DnsName("cache.example")`.
fn bare_name(name: &str) -> &str {
    name.split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'))
        .map_or(name, |inner| inner.trim_matches('"'))
}

impl TlsFault {
    /// What to do about it, as an instruction.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Expired(_) | Self::NotYetValid(_) => {
                "check this machine's clock; if it is right, have the server's certificate renewed"
            }
            Self::UnknownIssuer => {
                "pass the certificate of the authority that signed it with --ca FILE; for an Azure cache, check that \
                 no proxy on the way replaces certificates and that this system's ca-certificates are up to date"
            }
            Self::NameMismatch { .. } => {
                "use the server's DNS name in the address (not its IP or private-link name), \
                 or give the certificate's name with sslHost= or ?server_name="
            }
            Self::NotTls => {
                "this port speaks plaintext: use redis://, or the TLS port (6380 for Azure Cache for Redis, \
                 10000 for Azure Managed Redis)"
            }
            Self::NoAnswer | Self::Closed => {
                "check that the port speaks TLS (6380 for Azure Cache for Redis, 10000 for Azure Managed Redis), that \
                 it allows TLS 1.2 or 1.3, and that a firewall does not close the connection"
            }
            Self::Alert(
                AlertDescription::CertificateRequired
                | AlertDescription::BadCertificate
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::CertificateRevoked
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateUnknown
                | AlertDescription::UnknownCA
                | AlertDescription::AccessDenied,
            ) => "the server wants another client certificate: pass --client-cert FILE and --client-key FILE",
            Self::Alert(AlertDescription::ProtocolVersion) => {
                "redferry speaks TLS 1.2 and 1.3: raise the server's TLS version"
            }
            Self::Alert(AlertDescription::UnrecognisedName) => {
                "the server does not know this name: give the one it expects with sslHost= or ?server_name="
            }
            Self::Alert(_) => {
                "look into the server's log; it may want a client certificate (--client-cert, --client-key) or other \
                 TLS versions or ciphers"
            }
            Self::Other(_) => "try `openssl s_client -connect HOST:PORT` to see what the server presents",
        }
    }
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired(None) => f.write_str("the server's certificate has expired"),
            Self::Expired(Some(ago)) => {
                write!(f, "the server's certificate expired {} ago", Span(*ago))
            }
            Self::NotYetValid(None) => f.write_str("the server's certificate is not valid yet"),
            Self::NotYetValid(Some(ahead)) => {
                write!(f, "the server's certificate becomes valid only in {}", Span(*ahead))
            }
            Self::UnknownIssuer => f.write_str("no trusted authority has signed the server's certificate"),
            Self::NameMismatch { expected, presented } => write_mismatch(f, expected, presented),
            Self::NotTls => f.write_str("the server answered with something that is not TLS"),
            Self::NoAnswer => f.write_str("the server did not answer the TLS handshake in time"),
            Self::Closed => f.write_str("the server closed the connection within the TLS handshake"),
            Self::Alert(alert) => write!(f, "the server refused the TLS connection: {alert:?}"),
            Self::Other(message) => write!(f, "the TLS connection failed: {message}"),
        }
    }
}

fn write_mismatch(f: &mut fmt::Formatter<'_>, expected: &str, presented: &[String]) -> fmt::Result {
    f.write_str("the server's certificate is not for ")?;
    f.write_str(if expected.is_empty() { "the name asked for" } else { expected })?;
    match presented {
        [] => f.write_str(", it carries no names"),
        names => write!(f, ", it is for {}", names.join(", ")),
    }
}

/// A time span in its largest whole unit.
struct Span(Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (count, unit) = [(86_400, "day"), (3_600, "hour"), (60, "minute")]
            .into_iter()
            .find(|&(length, _)| seconds >= length)
            .map_or((seconds, "second"), |(length, unit)| (seconds / length, unit));
        write!(f, "{count} {unit}{}", if count == 1 { "" } else { "s" })
    }
}
