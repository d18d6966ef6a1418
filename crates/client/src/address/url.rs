//! `redis://` and `rediss://` URLs.

use super::endpoint::{Endpoint, parse_database, parse_host};
use super::error::{AddressError, Part};
use super::percent;
use super::{Parts, client_name};
use crate::secret::Secret;

/// TLS without a port on a host that is not Azure's: 6379, as redis-cli does.
const DEFAULT_TLS_PORT: u16 = 6379;

/// Query options of other clients' URLs that change nothing here.
const IGNORED: &[&str] = &[
    "protocol",
    "ssl_cert_reqs",
    "socket_timeout",
    "socket_connect_timeout",
    "socket_keepalive",
    "health_check_interval",
    "max_connections",
    "decode_responses",
    "family",
];

/// The text before `://` when it has the shape of a scheme. A password in a connection string may contain `://` too.
pub(super) fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    scheme.bytes().all(allowed).then_some((scheme, rest))
}

pub(super) fn parse(scheme: &str, rest: &str) -> Result<Parts, AddressError> {
    let tls = match scheme.to_ascii_lowercase().as_str() {
        "redis" => false,
        "rediss" => true,
        _ => return Err(AddressError::new(Part::Scheme, "it is neither redis:// nor rediss:// (with TLS)")),
    };
    let (user_info, place) = split_user_info(rest)?;
    let (user, password) = user_info.map_or(Ok((None, None)), parse_user_info)?;

    if place.contains('#') {
        return Err(AddressError::new(Part::Whole, "a URL with a fragment (#) has no meaning here"));
    }
    let (place, query) = place.split_once('?').unwrap_or((place, ""));
    let (hosts, path) = place.split_once('/').unwrap_or((place, ""));
    let mut parts = Parts {
        endpoints: hosts.split(',').map(Endpoint::parse).collect::<Result<_, _>>()?,
        tls: Some(tls),
        user,
        password,
        database: if path.is_empty() { None } else { Some(parse_database(path)?) },
        ..Parts::new(DEFAULT_TLS_PORT)
    };
    for option in query.split('&').filter(|option| !option.is_empty()) {
        apply_option(&mut parts, option)?;
    }
    Ok(parts)
}

/// Splits at the last `@`, so that a pasted access key may contain `/`, `:` and `@` as it is. A `?` or `#` before the
/// `@` could be the key's or a query's: that must be encoded.
fn split_user_info(rest: &str) -> Result<(Option<&str>, &str), AddressError> {
    match rest.rsplit_once('@') {
        None => Ok((None, rest)),
        Some((user_info, _)) if user_info.contains(['?', '#']) => Err(AddressError::new(
            Part::Credentials,
            "there is a ? or # before an @; write them as %3F, %23 and %40 inside user, password and options",
        )),
        Some((user_info, place)) => Ok((Some(user_info), place)),
    }
}

type Credentials = (Option<String>, Option<Secret>);

fn parse_user_info(text: &str) -> Result<Credentials, AddressError> {
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    // redis://KEY@host: some clients read this as the password. It would be shown as the user.
    if password.is_empty() && user.len() >= 32 && user.contains(['=', '+', '/']) {
        return Err(AddressError::new(
            Part::Credentials,
            "the user looks like an access key; a password without a user is written rediss://:password@host",
        ));
    }
    let user = decode(user)?;
    let password = decode(password)?;
    Ok(((!user.is_empty()).then_some(user), (!password.is_empty()).then(|| Secret::new(password))))
}

fn decode(text: &str) -> Result<String, AddressError> {
    percent::decode(text).ok_or_else(|| {
        AddressError::new(
            Part::Credentials,
            "percent signs encode other characters in a URL (two hexadecimal digits, UTF-8); write a percent sign as %25",
        )
    })
}

fn apply_option(parts: &mut Parts, option: &str) -> Result<(), AddressError> {
    let (name, value) = option.split_once('=').unwrap_or((option, ""));
    let name = name.to_ascii_lowercase();
    let value = percent::decode(value).ok_or_else(|| {
        AddressError::new(Part::Option, "a percent sign is not followed by two hexadecimal digits")
    })?;
    match name.as_str() {
        "db" | "database" => {
            let database = parse_database(&value)?;
            if parts.database.is_some_and(|other| other != database) {
                return Err(AddressError::new(Part::Database, "it is given twice, with different numbers"));
            }
            parts.database = Some(database);
        }
        "client_name" | "name" => parts.client_name = client_name(&value),
        "server_name" => parts.server_name = Some(parse_host(&value)?),
        "password" | "user" | "username" => {
            return Err(AddressError::new(
                Part::Option,
                "user and password stand before the host, rediss://user:password@host",
            ));
        }
        name if IGNORED.contains(&name) => {}
        _ => return Err(AddressError::unknown_option(&name, "db, client_name and server_name")),
    }
    Ok(())
}
