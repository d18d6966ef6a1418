//! Lines without their passwords.

use std::sync::LazyLock;

use regex::{Captures, Regex};

static SECRET: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?xi)
        (?P<url>:// [^\s/"'@:]* : ) (?P<in_url>[^\s"']+) @
        | (?P<name>(?:pass(?:word|wd)?|pwd|access[_-]?key|primary[_-]?key|secret|auth(?:[_-]?token)?|token)["']?\s*(?:=>|:=|=|:)\s*)
          (?: "(?P<double>(?:[^"\\]|\\.)+)" | '(?P<single>(?:[^'\\]|\\.)+)' | (?P<bare>[^\s"',;<>)}]+(?:=+)?) )"#,
    )
    .expect("an expression of this file, which every test of it compiles")
});

/// Values of a Kubernetes secret or other long encoded words.
static ENCODED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[A-Za-z0-9+/]{32,}={0,2}")
        .expect("an expression of this file, which every test of it compiles")
});

/// The line with `****` for each password and each word that could be one.
pub fn masked(line: &str) -> String {
    let without = SECRET.replace_all(line, |found: &Captures<'_>| {
        if let Some(url) = found.name("url") {
            return format!("{}****@", url.as_str());
        }
        let name = found.name("name").map_or("", |name| name.as_str());
        match (found.name("double"), found.name("single")) {
            (Some(_), _) => format!("{name}\"****\""),
            (_, Some(_)) => format!("{name}'****'"),
            _ => format!("{name}****"),
        }
    });
    ENCODED.replace_all(&without, "****").into_owned()
}
