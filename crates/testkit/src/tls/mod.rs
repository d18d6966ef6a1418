//! Certificates for test servers: one authority, the good certificates and the bad ones.
//!
//! The server's certificate names `cache.redferry.test` and `localhost` but not `127.0.0.1`, so a client
//! that verifies the address a cluster node announces, and not the name of the cache, fails as it does
//! against Azure.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

use crate::binaries::store;

/// The name of the cache that certificates are for; `localhost` stands in the certificate beside it.
pub const SERVER_NAME: &str = "cache.redferry.test";

/// A certificate and its private key, as PEM files.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The certificate.
    pub cert: PathBuf,
    /// Its private key, unencrypted.
    pub key: PathBuf,
}

/// Everything there is to verify with and against. Made once per machine and kept beside the servers.
#[derive(Debug, Clone)]
pub struct Authority {
    /// The authority that clients are told to trust.
    pub ca: PathBuf,
    /// For `cache.redferry.test` and `localhost`.
    pub server: Identity,
    /// For a client that has to show who it is.
    pub client: Identity,
    /// For the right names, but out of date since 2021.
    pub expired: Identity,
    /// Valid, but for `other.redferry.test`.
    pub other_name: Identity,
    /// An authority that nobody trusts.
    pub foreign_ca: PathBuf,
    /// For the right names, signed by the foreign authority.
    pub foreign: Identity,
}

/// The certificates, made now if this machine does not have them yet.
///
/// # Panics
/// When they cannot be made or written.
pub fn authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(|| match store().and_then(|store| store.installed("certificates-1", write_all)) {
        Ok(folder) => Authority {
            ca: folder.join("ca.pem"),
            server: identity(&folder, "server"),
            client: identity(&folder, "client"),
            expired: identity(&folder, "expired"),
            other_name: identity(&folder, "other-name"),
            foreign_ca: folder.join("foreign-ca.pem"),
            foreign: identity(&folder, "foreign"),
        },
        Err(error) => panic!("cannot make certificates for the test servers: {error:#}"),
    })
}

fn identity(folder: &Path, name: &str) -> Identity {
    Identity { cert: folder.join(format!("{name}.pem")), key: folder.join(format!("{name}.key")) }
}

fn write_all(folder: &Path) -> Result<String> {
    let ca = new_authority("redferry test authority")?;
    let foreign_ca = new_authority("redferry foreign authority")?;
    fs::write(folder.join("ca.pem"), ca.pem()).context("cannot write the authority")?;
    fs::write(folder.join("foreign-ca.pem"), foreign_ca.pem()).context("cannot write the authority")?;
    let names = [SERVER_NAME, "localhost"];
    write_signed(&ca, &identity(folder, "server"), &names, 2049)?;
    write_signed(&ca, &identity(folder, "client"), &["client.redferry.test"], 2049)?;
    write_signed(&ca, &identity(folder, "expired"), &names, 2021)?;
    write_signed(&ca, &identity(folder, "other-name"), &["other.redferry.test"], 2049)?;
    write_signed(&foreign_ca, &identity(folder, "foreign"), &names, 2049)?;
    Ok("certificates for tests\n".into())
}

fn new_authority(name: &str) -> Result<CertifiedIssuer<'static, KeyPair>> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2049, 12, 31);
    CertifiedIssuer::self_signed(params, KeyPair::generate()?).context("cannot sign an authority")
}

fn write_signed(
    issuer: &CertifiedIssuer<'static, KeyPair>,
    files: &Identity,
    names: &[&str],
    last_year: i32,
) -> Result<()> {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names.clone())?;
    params.distinguished_name.push(DnType::CommonName, names[0].as_str());
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    // Nodes of a cluster are each other's clients and show the same certificate.
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(last_year, 12, 31);
    let key = KeyPair::generate()?;
    let cert = params.signed_by(&key, issuer).context("cannot sign a certificate")?;
    fs::write(&files.cert, cert.pem()).context("cannot write a certificate")?;
    fs::write(&files.key, key.serialize_pem()).context("cannot write a private key")
}
