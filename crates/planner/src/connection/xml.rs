//! Attributes of XML, for `web.config`.

use std::sync::LazyLock;

use regex::Regex;

use super::document::{Coding, Field, parts};

static ELEMENT: LazyLock<Regex> = LazyLock::new(|| {
    expression(r#"(?s)<!--.*?-->|<[A-Za-z][\w.:\-]*(?:\s+[\w.:\-]+\s*=\s*(?:"[^"]*"|'[^']*'))*\s*/?>"#)
});
static ATTRIBUTE: LazyLock<Regex> =
    LazyLock::new(|| expression(r#"(?s)\s([\w.:\-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')"#));

fn expression(text: &str) -> Regex {
    Regex::new(text).expect("an expression of this file, which every test of it compiles")
}

/// Every attribute. Those of one element belong together; a `value` is called as the `key` or `name` beside it.
pub(super) fn fields(text: &str) -> Vec<Field> {
    let mut fields = Vec::new();
    for element in ELEMENT.find_iter(text).filter(|found| !found.as_str().starts_with("<!--")) {
        let attributes: Vec<_> = ATTRIBUTE
            .captures_iter(element.as_str())
            .filter_map(|found| Some((found.get(1)?.as_str(), found.get(2).or(found.get(3))?)))
            .collect();
        let called = attributes
            .iter()
            .find(|(name, _)| ["key", "name"].contains(name))
            .map(|(_, value)| value.as_str());
        for (name, value) in &attributes {
            let (name, file) = match called {
                Some(called) if ["value", "connectionString"].contains(name) => (called, 0),
                _ => (*name, element.start() + 1),
            };
            let span = element.start() + value.start()..element.start() + value.end();
            fields.push(Field {
                name: parts(name),
                value: decode(value.as_str()),
                span,
                file,
                coding: Coding::Xml,
            });
        }
    }
    fields
}

fn decode(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.find(';').unwrap_or(0);
        match rest.get(1..end).and_then(entity) {
            Some(char) => {
                plain.push(char);
                rest = &rest[end + 1..];
            }
            None => {
                plain.push('&');
                rest = &rest[1..];
            }
        }
    }
    plain.push_str(rest);
    plain
}

fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            code.ok().and_then(char::from_u32)
        }
    }
}

pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => encoded.push_str("&amp;"),
            '<' => encoded.push_str("&lt;"),
            '>' => encoded.push_str("&gt;"),
            '"' => encoded.push_str("&quot;"),
            '\'' => encoded.push_str("&apos;"),
            '\n' => encoded.push_str("&#10;"),
            '\r' => encoded.push_str("&#13;"),
            '\t' => encoded.push_str("&#9;"),
            char => encoded.push(char),
        }
    }
    encoded
}
