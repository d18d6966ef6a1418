//! Lines without their passwords.

use std::sync::LazyLock;

use regex::Regex;

use crate::connection::is_option;

static SECRET: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?xi)
        :// (?P<user_info>[^\s"']+) @
        | (?:pass(?:word|wd)?|pwd|access[_-]?key|primary[_-]?key|secret|auth(?:[_-]?token)?|token)["']?\s*(?:=>|:=|=|:)\s*
          (?: "(?P<double>(?:[^"\\]|\\.)+)" | '(?P<single>(?:[^'\\]|\\.)+)' | (?P<bare>(?:[^\s"',\\]|\\.)+) )"#,
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
    let mut masked = String::with_capacity(line.len());
    let mut at = 0;
    while let Some(found) = SECRET.captures_at(line, at) {
        let bare = found.name("bare").map(|bare| bare.start()..end(line, bare.end()));
        let other =
            ["user_info", "double", "single"].iter().find_map(|group| Some(found.name(group)?.range()));
        let Some(secret) = bare.or(other) else { break };
        masked.push_str(&line[at..secret.start]);
        masked.push_str("****");
        at = secret.end;
    }
    masked.push_str(&line[at..]);
    ENCODED.replace_all(&masked, "****").into_owned()
}

/// Where a password in a connection string ends: what comes behind a comma and is no option belongs to it.
fn end(line: &str, mut at: usize) -> usize {
    while let Some(rest) = line[at..].strip_prefix(',') {
        let mut escaped = false;
        let length = rest.find(|char: char| {
            let ends = !escaped && [',', '"', '\'', ' '].contains(&char);
            escaped = char == '\\' && !escaped;
            ends
        });
        let item = &rest[..length.unwrap_or(rest.len())];
        if item.is_empty() || is_option(item.split('=').next().unwrap_or(item)) {
            break;
        }
        at += 1 + item.len();
    }
    at
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn no_password_is_left() {
        for (line, shown) in [
            ("h:6380,password=a=b,c=d\\\"e,ssl=True", "h:6380,password=****,ssl=True"),
            ("accessKey=\"a&quot;b\" ssl=\"true\"", "accessKey=\"****\" ssl=\"true\""),
            ("url = 'rediss://:p@s/s@host:6380/0'", "url = 'rediss://****@host:6380/0'"),
            ("Redis(host='h', password='it\\'s', port=1)", "Redis(host='h', password='****', port=1)"),
            ("  redis-password: azE=", "  redis-password: ****"),
            ("  url: cmVkaXNzOi8vOmtleUBzaG9wLnJlZGlzLmNhY2hl", "  url: ****"),
            ("port = 6380", "port = 6380"),
        ] {
            assert_eq!(masked(line), shown);
        }
    }
}
