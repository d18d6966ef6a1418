//! Connection strings of StackExchange.Redis: `host:port,host:port,option=value,...`, as the Azure portal shows them.
//!
//! Option names: `ConfigurationOptions.OptionKeys` of StackExchange.Redis 2.8, and the older names it still takes.

use super::endpoint::{Endpoint, parse_database, parse_host};
use super::error::{AddressError, Part};
use super::{Parts, client_name};
use crate::secret::Secret;

/// TLS without a port on a host that is not Azure's: 6380, as StackExchange.Redis does.
const DEFAULT_TLS_PORT: u16 = 6380;

/// Options that tune the .NET client and change nothing here.
const IGNORED: &[&str] = &[
    "abortconnect",
    "allowadmin",
    "asynctimeout",
    "channelprefix",
    "checkcertificaterevocation",
    "configchannel",
    "configcheckseconds",
    "connectretry",
    "connecttimeout",
    "highintegrity",
    "highprioritythreads",
    "keepalive",
    "libname",
    "preserveasyncorder",
    "protocol",
    "resolvedns",
    "responsetimeout",
    "setlib",
    "sslprotocols",
    "synctimeout",
    "tiebreaker",
    "version",
    "writebuffer",
];

/// Like StackExchange.Redis, splits at commas, then at the first `=`; nothing is quoted or encoded.
pub(super) fn parse(text: &str) -> Result<Parts, AddressError> {
    let mut parts = Parts::new(DEFAULT_TLS_PORT);
    let mut seen = Seen::default();
    for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        match item.split_once('=') {
            Some((name, value)) => apply_option(&mut parts, &mut seen, name.trim(), value.trim())?,
            None if seen.any => return Err(stray_item()),
            None => parts.endpoints.push(Endpoint::parse(item)?),
        }
    }
    Ok(parts)
}

/// What came before the item at hand.
#[derive(Default)]
struct Seen {
    any: bool,
    password: bool,
    tls: bool,
}

fn apply_option(parts: &mut Parts, seen: &mut Seen, name: &str, value: &str) -> Result<(), AddressError> {
    seen.any = true;
    let lower = name.to_ascii_lowercase();
    match lower.as_str() {
        "password" => {
            once(&mut seen.password, "password")?;
            parts.password = (!value.is_empty()).then(|| Secret::new(value));
        }
        "user" => parts.user = (!value.is_empty()).then(|| value.to_owned()),
        "ssl" => {
            once(&mut seen.tls, "ssl")?;
            parts.tls = Some(parse_bool(value)?);
        }
        "sslhost" => parts.server_name = Some(parse_host(value)?),
        "defaultdatabase" => parts.database = Some(parse_database(value)?),
        "name" => parts.client_name = client_name(value),
        "servicename" => {
            return Err(unsupported(
                "serviceName: Redis Sentinel is not supported, give the primary's address",
            ));
        }
        "tunnel" => return Err(unsupported("tunnel: connecting through a tunnel is not supported")),
        "proxy" if !value.eq_ignore_ascii_case("none") => {
            return Err(unsupported(
                "proxy: give the address of the server itself, not of a proxy before it",
            ));
        }
        "proxy" => {}
        // `$COMMAND=name` renames or disables a command in the .NET client only.
        name if name.starts_with('$') || IGNORED.contains(&name) => {}
        // Past the password, what looks like an option may be the rest of a password with a comma in it.
        _ if seen.password => return Err(after_password()),
        _ => {
            return Err(AddressError::unknown_option(
                name,
                "password, user, ssl, sslHost, defaultDatabase and name",
            ));
        }
    }
    Ok(())
}

fn once(seen: &mut bool, name: &str) -> Result<(), AddressError> {
    if std::mem::replace(seen, true) {
        return Err(AddressError::new(Part::Option, format!("{name} is given twice")));
    }
    Ok(())
}

/// The spellings that StackExchange.Redis takes for a boolean.
fn parse_bool(value: &str) -> Result<bool, AddressError> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(AddressError::new(Part::Option, "ssl is neither True nor False")),
    }
}

fn unsupported(problem: &'static str) -> AddressError {
    AddressError::new(Part::Option, problem)
}

fn stray_item() -> AddressError {
    AddressError::new(
        Part::Option,
        "after the first option there is an item without =; servers come first, \
         and a password with a comma cannot stand in a connection string: give it in a file or the environment",
    )
}

fn after_password() -> AddressError {
    AddressError::new(
        Part::Option,
        "an option after the password is not known (its name is not shown, it may belong to the password); \
         if the password contains a comma, give it in a file or the environment",
    )
}
