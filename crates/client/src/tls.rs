//! TLS to a server: which certificates are trusted, which name they must carry, and what a failed handshake means.

mod fault;
mod insecure;
mod pem;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};

use crate::address::Address;
pub use fault::{TlsFault, explain, explain_rustls};

/// What the user says about certificates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// PEM file of certificate authorities to trust, in addition to the system's.
    pub ca: Option<PathBuf>,
    /// PEM file of the client certificate and its chain.
    pub client_cert: Option<PathBuf>,
    /// PEM file of the client certificate's key (PKCS#8, PKCS#1 or SEC1); when absent it is looked for in `client_cert`.
    pub client_key: Option<PathBuf>,
    /// Accept any certificate. Anyone on the path can then read and change everything.
    pub insecure: bool,
}

/// Builds the configuration for connections of TLS 1.2 and 1.3. Reads files and the system's certificate store: build it
/// once per server.
pub fn client_config(options: &TlsOptions) -> Result<Arc<ClientConfig>, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Provider)?
        .dangerous();
    let builder = if options.insecure {
        builder.with_custom_certificate_verifier(Arc::new(insecure::AnyCertificate::new(&provider)))
    } else {
        builder.with_custom_certificate_verifier(verifier(options.ca.as_deref(), provider)?)
    };
    let config = match &options.client_cert {
        Some(cert) => {
            let key = options.client_key.as_ref().unwrap_or(cert);
            builder
                .with_client_auth_cert(pem::certificates(cert)?, pem::key(key)?)
                .map_err(|source| TlsError::Identity { cert: cert.clone(), key: key.clone(), source })?
        }
        None if options.client_key.is_some() => return Err(TlsError::KeyWithoutCertificate),
        None => builder.with_no_client_auth(),
    };
    Ok(Arc::new(config))
}

/// The name that the server's certificate must carry: `sslHost` if given, else the host as the user wrote it.
///
/// Cluster nodes announce themselves as IP addresses that no certificate holds, so their connections are
/// verified against the name of the cache's own [`Address`] too.
pub fn server_name(address: &Address) -> Result<ServerName<'static>, TlsError> {
    let name = address.server_name.as_deref().unwrap_or(&address.host);
    ServerName::try_from(name.trim_end_matches('.').to_owned()).map_err(|_| TlsError::Name(name.to_owned()))
}

fn verifier(ca: Option<&Path>, provider: Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    // Single broken certificates in a system's store are no reason to stop, as with every other client.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca {
        for certificate in pem::certificates(path)? {
            roots.add(certificate).map_err(|source| TlsError::Authority { path: path.to_owned(), source })?;
        }
    }
    if roots.is_empty() {
        return Err(TlsError::NoAuthorities);
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|_| TlsError::NoAuthorities)
}

/// Why TLS cannot be set up. Nothing here comes from the network; for that see [`explain`].
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{} cannot be read; check the path and its permissions", path.display())]
    Unreadable {
        /// The file asked for.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file has broken PEM framing or base64.
    #[error("{} is not valid PEM ({problem}); export it again, with its BEGIN and END lines", path.display())]
    BrokenPem {
        /// The file asked for.
        path: PathBuf,
        /// What the PEM reader said.
        problem: String,
    },
    /// A file has no certificate.
    #[error(
        "{} holds no PEM certificate (BEGIN CERTIFICATE); convert a DER file with \
         `openssl x509 -inform der -in FILE -out FILE.pem`", .0.display()
    )]
    NoCertificate(PathBuf),
    /// A file has no private key.
    #[error("{} holds no PEM private key (BEGIN PRIVATE KEY); give the key file too (--client-key)", .0.display())]
    NoKey(PathBuf),
    /// The private key needs a passphrase.
    #[error(
        "the private key in {} is encrypted, which is not supported; decrypt it with \
         `openssl pkey -in FILE -out FILE.pem`", .0.display()
    )]
    EncryptedKey(PathBuf),
    /// A certificate authority is refused.
    #[error("a certificate in {} cannot be used as a certificate authority", path.display())]
    Authority {
        /// The file it stands in.
        path: PathBuf,
        /// What rustls said.
        source: rustls::Error,
    },
    /// Client certificate and key do not work.
    #[error(
        "the client certificate in {} and the private key in {} cannot be used together; check that they are a pair",
        cert.display(), key.display()
    )]
    Identity {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What rustls said.
        source: rustls::Error,
    },
    /// There is a key and no certificate.
    #[error(
        "a client key is given without a client certificate; give the certificate file too (--client-cert)"
    )]
    KeyWithoutCertificate,
    /// Nothing could ever be verified.
    #[error(
        "this system has no certificate authorities to verify the server with; install them \
         (package ca-certificates) or give a file with --ca"
    )]
    NoAuthorities,
    /// Not a name that a certificate can carry.
    #[error(
        "{0} is not a name that a certificate can carry; give the server's DNS name (sslHost, server_name)"
    )]
    Name(String),
    /// The cryptography provider lacks what TLS needs.
    #[error("TLS cannot be set up in this build")]
    Provider(#[source] rustls::Error),
}
