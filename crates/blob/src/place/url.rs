//! URLs of blobs.

use std::net::IpAddr;

use super::percent;
use super::sas::Sas;
use super::{BlobPlace, Endpoint, PlaceError};

pub(super) fn parse(scheme: &str, rest: &str) -> Result<BlobPlace, PlaceError> {
    if rest.contains('#') {
        return Err(PlaceError("a URL with a fragment has no meaning here; write # in a blob's name as %23"));
    }
    let (location, query) = rest.split_once('?').unwrap_or((rest, ""));
    let sas = Sas::of_query(query)?;
    let (host, path) = location.split_once('/').unwrap_or((location, ""));
    if host.contains('@') {
        return Err(PlaceError("no user or password belongs into a blob's URL"));
    }
    let scheme = scheme.to_ascii_lowercase();
    match scheme.as_str() {
        "az" => {
            let (container, path) = container_and_path(path)?;
            Ok(BlobPlace { account: account(host)?, container, path, endpoint: None, sas })
        }
        "https" | "http" => {
            let host = host.to_ascii_lowercase();
            let endpoint =
                |account_in_path| Endpoint { tls: scheme == "https", host: host.clone(), account_in_path };
            if is_plain_host(&host) {
                if scheme == "http" && !is_this_machine(&host) {
                    return Err(PlaceError(
                        "plain http:// is for an emulator on this machine only; write https://",
                    ));
                }
                let (name, path) = path.split_once('/').ok_or(NO_BLOB)?;
                let (container, path) = container_and_path(path)?;
                return Ok(BlobPlace {
                    account: account(name)?,
                    container,
                    path,
                    endpoint: Some(endpoint(true)),
                    sas,
                });
            }
            if scheme == "http" {
                return Err(PlaceError("a storage account is reached by https:// only"));
            }
            let (name, domain) = host.split_once('.').unwrap_or((&host, ""));
            if domain.starts_with("dfs.") {
                return Err(PlaceError("it names the Data Lake endpoint (dfs); write blob instead of dfs"));
            }
            if !domain.starts_with("blob.") && !domain.contains(".blob.") {
                return Err(PlaceError("its host is no storage account's (account.blob.core.windows.net)"));
            }
            let (container, path) = container_and_path(path)?;
            Ok(BlobPlace { account: account(name)?, container, path, endpoint: Some(endpoint(false)), sas })
        }
        "file" => Err(PlaceError("a local file is written as a path, without file://")),
        _ => Err(PlaceError("before :// there is neither az nor https")),
    }
}

const NO_BLOB: PlaceError = PlaceError("it names no blob: container and path are needed");

fn container_and_path(text: &str) -> Result<(String, String), PlaceError> {
    let (container, path) = text.split_once('/').ok_or(NO_BLOB)?;
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'$';
    if container.len() < 3 || container.len() > 63 || !container.bytes().all(allowed) {
        return Err(PlaceError(
            "its container has no valid name: 3 to 63 lower-case letters, digits and hyphens",
        ));
    }
    let path = percent::decode(path).ok_or(PlaceError(
        "percent signs encode other characters in a URL (two hexadecimal digits, UTF-8); write one as %25",
    ))?;
    if path.is_empty() || path.ends_with('/') {
        return Err(NO_BLOB);
    }
    // Every client removes such parts from a URL, so another blob would be meant. So it is with empty ones in front.
    if path.starts_with('/') || path.split('/').any(|part| part == "." || part == "..") {
        return Err(PlaceError("its path has parts that are empty or only dots"));
    }
    if path.chars().any(char::is_control) || path.contains('\\') {
        return Err(PlaceError("its path has control characters or backslashes"));
    }
    Ok((container.to_owned(), path))
}

/// 3 to 24 lower-case letters and digits; a secondary's name ends in `-secondary`.
pub(crate) fn account(name: &str) -> Result<String, PlaceError> {
    let plain = name.strip_suffix("-secondary").unwrap_or(name);
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if plain.len() < 3 || plain.len() > 24 || !plain.bytes().all(allowed) {
        return Err(PlaceError(
            "its storage account has no valid name: 3 to 24 lower-case letters and digits",
        ));
    }
    Ok(name.to_owned())
}

/// Hosts that cannot carry an account's name: IP addresses, `localhost`, names without a dot (containers).
fn is_plain_host(host: &str) -> bool {
    let name = without_port(host);
    ip(name).is_some() || !name.contains('.')
}

/// Whether a host is this machine.
pub(crate) fn is_this_machine(host: &str) -> bool {
    let name = without_port(host);
    name == "localhost" || ip(name).is_some_and(|ip| ip.is_loopback())
}

fn ip(name: &str) -> Option<IpAddr> {
    name.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}
