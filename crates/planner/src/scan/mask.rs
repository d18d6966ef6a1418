//! Lines without their passwords.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::connection::is_option;

/// What comes right before a password, and the user and password of a URL.
static SECRET: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?xi)
        :// (?P<user_info>[^\s"']+) @
        | (?:pass(?:word|wd)?|pwd|(?:access|primary|redis|cache)[_-]?key|secret|auth(?:[_-]?token)?|token)["']?
          \s*(?:=>|:=|=|:)\s*"#,
    )
    .expect("an expression of this file, which every test of it compiles")
});

/// What comes before the name of a password in a line that is one setting: no code, no string.
static SETTING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?i)^\s*(?:(?:export|set|env|arg|-|#+|;)\s+)*[^\s"'(){}<>\[\]]*(?:\s*[=:]\s*[^\s"'(){}<>\[\]]*)?$"#,
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
    let mut quotes = Quotes::default();
    let mut seen = 0;
    while let Some(found) = SECRET.captures_at(line, at) {
        let Some(whole) = found.get(0) else { break };
        quotes.read(&line[seen..whole.end()]);
        seen = whole.end();
        let secret = found
            .name("user_info")
            .map_or_else(|| value(line, whole.range(), quotes.open), |found| found.range());
        masked.push_str(&line[at..secret.start]);
        if !secret.is_empty() {
            masked.push_str("****");
        }
        at = secret.end;
    }
    masked.push_str(&line[at..]);
    ENCODED.replace_all(&masked, "****").into_owned()
}

/// Where the password behind a name stands. Too much rather than too little: any character may be in it.
fn value(line: &str, name: Range<usize>, open: Option<char>) -> Range<usize> {
    let at = name.end;
    let rest = &line[at..];
    if let Some(quote) = open {
        return at..at + option(&rest[..closing(rest, quote).unwrap_or(rest.len())]);
    }
    let setting = SETTING.is_match(&line[..name.start]);
    if let Some(quote) = rest.chars().next().filter(|char| is_quote(*char))
        && let Some(length) = closing(&rest[1..], quote)
    {
        let after = rest[length + 2..].chars().next();
        if !setting || after.is_none_or(|char| char.is_whitespace() || ",;)]}/>".contains(char)) {
            return at + 1..at + 1 + length;
        }
    }
    let length = if setting { option(rest) } else { word(rest) };
    at..at + length
}

fn is_quote(char: char) -> bool {
    ['"', '\''].contains(&char)
}

/// The string that a text ends in.
#[derive(Default)]
struct Quotes {
    open: Option<char>,
    escaped: bool,
}

impl Quotes {
    fn read(&mut self, text: &str) {
        for char in text.chars() {
            if is_quote(char) && !self.escaped {
                self.open = match self.open {
                    None => Some(char),
                    Some(quote) if quote == char => None,
                    other => other,
                };
            }
            self.escaped = char == '\\' && !self.escaped;
        }
    }
}

/// Where a string ends: at a quote that has no backslash before it and is not doubled.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut chars = text.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        if char == '\\' {
            chars.next();
        } else if char == quote && chars.next_if(|(_, next)| *next == quote).is_none() {
            return Some(at);
        }
    }
    None
}

/// Where the next option of a connection string begins: what comes behind a comma and is none belongs to the password.
fn option(text: &str) -> usize {
    let begins = |at: &usize| {
        let item = text[at + 1..].split(',').next();
        item.and_then(|item| item.split_once('=')).is_some_and(|(name, _)| is_option(name.trim_end()))
    };
    text.match_indices(',').map(|(at, _)| at).find(begins).unwrap_or(text.len())
}

/// Where an argument in code ends.
fn word(text: &str) -> usize {
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let end = option(&text[..end]);
    if text[..end].ends_with(',') { end - 1 } else { end }
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
            ("REDIS_PASSWORD=ab'cdef", "REDIS_PASSWORD=****"),
            ("REDIS_PASSWORD='ab'cdef", "REDIS_PASSWORD=****"),
            ("PASSWORD=correct horse battery", "PASSWORD=****"),
            ("h:6380,password=se=cr,et\"',ssl=True", "h:6380,password=****,ssl=True"),
            ("REDIS_KEY=hunter2", "REDIS_KEY=****"),
            ("export CACHE_KEY=a b", "export CACHE_KEY=****"),
            (
                "\"Redis\": \"h:6380,password=a'b c,ssl=True\",",
                "\"Redis\": \"h:6380,password=****,ssl=True\",",
            ),
            ("s = \"h:6380,ssl=True,password=a'b\"", "s = \"h:6380,ssl=True,password=****\""),
            ("s = \"h:6380,password=\" + key", "s = \"h:6380,password=\" + key"),
            ("url: 'h:6380,password=a''b,ssl=True'", "url: 'h:6380,password=****,ssl=True'"),
            ("Redis(password=os.environ['K'], port=1)", "Redis(password=****, port=1)"),
        ] {
            assert_eq!(masked(line), shown);
        }
    }
}
