//! Settings that are told by a look at the line alone.

use std::sync::LazyLock;

use regex::Regex;

use super::{Line, Said};
use crate::connection::Places;

fn expression(text: &str) -> Regex {
    Regex::new(text).expect("an expression of this file, which every test of it compiles")
}

static PORT: LazyLock<Regex> = LazyLock::new(|| {
    expression(r#"(?i)(?:port\b["'\])]*\s*(?:=>|:=|=|:|,)?\s*["']?|\w:|["'],\s*)([0-9]{4,5})\b"#)
});
static TLS_OFF: LazyLock<Regex> = LazyLock::new(|| {
    expression(
        r#"(?xi) \b (?:
            (?:redis_?)? (?:use_?)? (?:ssl|tls) (?:[._]?enabled)? ["'\]]* \s* (?:=>|:=|=|:) \s* ["']? (?:false|no|off)
            | (?:enable_?non_?ssl_?port|non_?ssl_?port_?enabled) ["']? \s* [:=] \s* ["']? true
        ) \b"#,
    )
});
static DATABASE: LazyLock<Regex> = LazyLock::new(|| {
    expression(
        r#"(?x)
        (?: GetDatabase\( \s* | \.[sS]elect(?:Async)?\( \s* | (?i:defaultDatabase|databaseId|database_?index|redis_?db) ["'\]]* \s* (?:=>|:=|=|:)? \s* ["']?
          | \b(?:db|DB|Db)["']? \s* (?:=>|:=|=|:) \s* ["']? | ["']SELECT["']? \s* ,? \s* ["']?
          | rediss?://[^\s"']*?/ )
        (?P<number>[1-9][0-9]?) (?: \b )"#,
    )
});
static NOTIFICATIONS: LazyLock<Regex> =
    LazyLock::new(|| expression(r"(?i)__key(?:space|event)@|notify[-_]?keyspace[-_]?events"));

/// Hosts and zones of the old service.
pub(super) fn hosts(line: &Line<'_>, places: &Places) -> Vec<Said> {
    let lower = line.text.to_ascii_lowercase();
    let Some(suffix) = places.old_suffixes().find(|suffix| lower.contains(suffix.trim_start_matches('.')))
    else {
        return Vec::new();
    };
    let zone = format!("privatelink{suffix}");
    let id = if lower.contains(&zone) { "dns_zone" } else { "host" };
    let text = match id {
        "dns_zone" => format!("the private DNS zone {zone}"),
        _ => format!("a host of Azure Cache for Redis (*{suffix})"),
    };
    vec![Said { id, text, remedy: remedy(id).to_owned() }]
}

pub(super) fn look(line: &Line<'_>, places: &Places) -> Vec<Said> {
    let mut said = Vec::new();
    let mut say =
        |id: &'static str, text: String| said.push(Said { id, text, remedy: remedy(id).to_owned() });
    let near = line.text.to_ascii_lowercase();
    // A Redis of one's own beside the program.
    let local = ["localhost:", "127.0.0.1:", "0.0.0.0:"];
    let old = (PORT.captures_iter(line.text))
        .filter_map(|found| found.get(1))
        .filter(|port| !local.iter().any(|host| line.text[..port.start()].ends_with(host)))
        .map(|port| port.as_str())
        .find(|port| places.is_old_port(port));
    if let Some(port) = old
        && (port.len() == 4 || near.contains("redis"))
    {
        say("port", format!("port {port} of Azure Cache for Redis"));
    }
    if TLS_OFF.is_match(line.text) {
        say("tls", "TLS is off".to_owned());
    }
    if let Some(found) = DATABASE.captures(line.text) {
        say("database", format!("database {}", &found["number"]));
    }
    if NOTIFICATIONS.is_match(line.text) {
        say("notifications", "keyspace notifications".to_owned());
    }
    said
}

/// What to do about a kind of finding that says nothing else.
pub(super) fn remedy(id: &str) -> &'static str {
    match id {
        "host" => "the name of the new cache (`hostName` of the resource)",
        "port" => {
            "port 10000; nodes of a cluster have ports of their own (85XX) that the client finds by itself"
        }
        "tls" => {
            "TLS on: Azure Managed Redis has one port, with TLS unless the database was made for plaintext"
        }
        "database" => {
            "database 0 only: a prefix for each other one, as redferry copy --prefix-by-db writes it"
        }
        "dns_zone" => "privatelink.redis.azure.net (group redisEnterprise); other clouds have others",
        "notifications" => {
            "notifyKeyspaceEvents of the database (preview since June 2026); channels carry database 0; with the OSS \
             policy subscribe to every primary node"
        }
        _ => "",
    }
}
