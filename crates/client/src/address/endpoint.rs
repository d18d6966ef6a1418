//! `host`, `host:port`, `[IPv6]:port`.

use std::fmt;
use std::net::Ipv6Addr;

use super::error::{AddressError, Part};

/// A host, and the port when one was given. The host is in lower case and an IPv6 address has no brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub(super) host: String,
    pub(super) port: Option<u16>,
}

impl Endpoint {
    pub(super) fn parse(text: &str) -> Result<Self, AddressError> {
        let (host, port) = split(text)?;
        Ok(Self { host: parse_host(host)?, port: port.map(parse_port).transpose()? })
    }
}

fn split(text: &str) -> Result<(&str, Option<&str>), AddressError> {
    if text.starts_with('[') {
        let end =
            text.find(']').ok_or_else(|| host_error("the bracket of the IPv6 address is not closed"))?;
        let (host, rest) = text.split_at(end + 1);
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(host_error("after an IPv6 address in brackets only :port may follow")),
        };
    }
    match text.split_once(':') {
        // `::1:6379` could end in a port or in an address group.
        Some((_, port)) if port.contains(':') => Err(host_error(
            "there is more than one colon; write an IPv6 address in brackets, [::1]:6379, \
             and a user and password as rediss://user:password@host",
        )),
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((text, None)),
    }
}

/// Checks a host name, an IPv4 address, or an IPv6 address in brackets.
pub(super) fn parse_host(text: &str) -> Result<String, AddressError> {
    if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let address: Ipv6Addr = inner.parse().map_err(|_| {
            host_error("what stands in brackets is not an IPv6 address (a zone is not supported)")
        })?;
        return Ok(address.to_string());
    }
    if text.is_empty() {
        return Err(host_error("there is none"));
    }
    if text.contains('@') {
        return Err(host_error(
            "it contains @; user and password need a scheme, rediss://user:password@host",
        ));
    }
    // RFC 1035 limits; the underscore is outside of them but common in container networks.
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let labels = text.strip_suffix('.').unwrap_or(text);
    let valid = labels.len() <= 253
        && labels.split('.').all(|label| {
            !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && label.bytes().all(allowed)
        });
    if !valid {
        return Err(host_error("it is neither a host name (letters, digits, - and .) nor an IP address"));
    }
    Ok(text.to_ascii_lowercase())
}

fn parse_port(text: &str) -> Result<u16, AddressError> {
    parse_digits(text)
        .and_then(|number| u16::try_from(number).ok())
        .filter(|&port| port != 0)
        .ok_or_else(|| AddressError::new(Part::Port, "it is not a number from 1 to 65535"))
}

pub(super) fn parse_database(text: &str) -> Result<u32, AddressError> {
    parse_digits(text).ok_or_else(|| AddressError::new(Part::Database, "it is not a number such as 0 or 15"))
}

/// Digits only: the standard parser would take a sign.
fn parse_digits(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn host_error(problem: &'static str) -> AddressError {
    AddressError::new(Part::Host, problem)
}

/// A host as it stands in a URL: IPv6 in brackets.
pub(super) struct UrlHost<'a>(pub(super) &'a str);

impl fmt::Display for UrlHost<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.contains(':') { write!(f, "[{}]", self.0) } else { f.write_str(self.0) }
    }
}
