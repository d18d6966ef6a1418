//! Pieces of programs: literals, and what they are called where a name stands before them.

use std::sync::LazyLock;

use regex::Regex;

use super::document::{Field, parts};

/// A name with its value, a literal or URL alone, or a literal and the number before or after it.
static SETTING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?x)
        (?: \b(?P<before>[0-9]{4,5}) \s*,\s* )?
        (?: (?P<name>[A-Za-z_][\w.\-]*) ["'\]]* \s* (?: => | := | = | : ) \s* )?
        (?:
            "(?P<double>(?:[^"\\\n]|\\.)*)" | '(?P<single>(?:[^'\\\n]|\\.)*)' | `(?P<back>[^`\n]*)`
            | (?P<url>\b(?:rediss?|valkeys?)://[^\s"'`<>]+)
            | \b(?P<bare>true|false|True|False|[0-9]+)\b
        )
        (?: \s*,\s* (?P<port>[0-9]{4,5}) \b )?"#,
    )
    .expect("an expression of this file, which every test of it compiles")
});

/// How the port is called that has no name and stands before its host; no name that is read looks like this.
pub(super) const BEFORE_HOST: &str = "(before)";
/// The same after it.
pub(super) const AFTER_HOST: &str = "(after)";

/// What literals say. Backslashes are left as they are: none is needed in what is exchanged.
pub(super) fn fields(text: &str) -> Vec<Field> {
    let mut fields = Vec::new();
    for found in SETTING.captures_iter(text) {
        let literal = ["double", "single", "back", "url"].iter().find_map(|group| found.name(group));
        let name = found.name("name").map(|name| parts(name.as_str()));
        let (Some(value), named) = (literal.or(found.name("bare")), name.is_some()) else { continue };
        if literal.is_none() && !named {
            continue;
        }
        let name = name.unwrap_or_default();
        // `createClient(6380, "host")`, `Jedis("host", 6380)`: a port when a host stands beside it, which only its value
        // tells.
        let port = |group: &str, place: &str| {
            let port = found.name(group).filter(|_| literal.is_some())?;
            Some(Field::plain(vec![place.into(), "port".into()], text, port.range()))
        };
        fields.extend(port("before", BEFORE_HOST));
        fields.push(Field::plain(name, text, value.range()));
        fields.extend(port("port", AFTER_HOST));
    }
    fields
}
