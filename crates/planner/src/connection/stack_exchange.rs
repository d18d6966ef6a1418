//! Connection strings of StackExchange.Redis: `host:port,host:port,option=value,...`.
//!
//! Option names: `ConfigurationOptions.OptionKeys` of StackExchange.Redis 2.8.

use std::ops::Range;

const OPTIONS: &[&str] = &[
    "abortconnect",
    "allowadmin",
    "asynctimeout",
    "channelprefix",
    "checkcertificaterevocation",
    "configchannel",
    "configcheckseconds",
    "connectretry",
    "connecttimeout",
    "defaultdatabase",
    "heartbeatinterval",
    "highintegrity",
    "highprioritythreads",
    "keepalive",
    "libname",
    "name",
    "password",
    "preserveasyncorder",
    "protocol",
    "proxy",
    "resolvedns",
    "responsetimeout",
    "servicename",
    "setlib",
    "ssl",
    "sslhost",
    "sslprotocols",
    "synctimeout",
    "tiebreaker",
    "tunnel",
    "user",
    "version",
    "writebuffer",
];

/// Where the parts of a string stand.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    /// `host` or `host:port`.
    pub(super) endpoints: Vec<Range<usize>>,
    /// Name in lower case, the item, the value.
    pub(super) options: Vec<(String, Range<usize>, Range<usize>)>,
    /// The password has commas in it, which StackExchange.Redis does not read.
    pub(super) comma: bool,
}

/// Splits at commas and at the first `=`. What comes after the password and is no option belongs to it.
pub(super) fn parse(text: &str) -> Option<Parts> {
    let mut parts = Parts::default();
    let mut at = 0;
    for item in text.split(',') {
        let span = trimmed(text, at..at + item.len());
        at += item.len() + 1;
        let item = &text[span.clone()];
        let option = item.split_once('=').map(|(name, value)| (name.trim_end(), value));
        match option.filter(|(name, _)| is_option(name)) {
            Some((name, value)) => {
                let value = span.end - value.len()..span.end;
                parts.options.push((name.to_ascii_lowercase(), span, value));
            }
            None => match parts.options.last_mut() {
                Some((name, whole, value)) if name == "password" => {
                    (whole.end, value.end) = (span.end, span.end);
                    parts.comma = true;
                }
                Some(_) if !item.is_empty() => return None,
                None if option.is_some() => return None,
                None if !item.is_empty() => parts.endpoints.push(span),
                _ => {}
            },
        }
    }
    let hosts = parts.endpoints.iter().all(|span| is_endpoint(&text[span.clone()]));
    (hosts && !parts.endpoints.is_empty()).then_some(parts)
}

/// Whether a text is one, rather than a name and its value.
pub(super) fn looks_like(text: &str) -> bool {
    parse(text).is_some()
}

/// A string that is more than a host and a port.
pub(super) fn has_options(text: &str) -> bool {
    parse(text).is_some_and(|parts| !parts.options.is_empty())
}

/// Whether StackExchange.Redis has an option of that name.
pub(crate) fn is_option(name: &str) -> bool {
    name.starts_with('$') || OPTIONS.contains(&name.to_ascii_lowercase().as_str())
}

fn is_endpoint(text: &str) -> bool {
    let (host, port) = split(text);
    !host.is_empty()
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_[]:".contains(&byte))
        && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

/// Host and port of an endpoint.
pub(super) fn split(endpoint: &str) -> (&str, Option<&str>) {
    match endpoint.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port)),
        _ => (endpoint, None),
    }
}

pub(super) fn trimmed(text: &str, span: Range<usize>) -> Range<usize> {
    let part = &text[span.clone()];
    let begin = span.start + (part.len() - part.trim_start().len());
    begin..(begin + part.trim().len())
}
