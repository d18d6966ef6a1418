//! JSON with comments and commas at the end, as `appsettings.json` has them.

use super::document::{Coding, Field, parts};

/// Deeper nesting is no settings file.
const DEEPEST: usize = 64;

/// Every scalar value with its path.
///
/// # Errors
/// Where it is not JSON.
pub(super) fn fields(text: &str) -> Result<Vec<Field>, String> {
    let mut reader = Reader { text, at: 0, fields: Vec::new() };
    reader.value(&mut Vec::new())?;
    reader.blank();
    match reader.at == text.len() {
        true => Ok(reader.fields),
        false => Err(reader.problem("something comes after its end")),
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    fields: Vec<Field>,
}

impl Reader<'_> {
    fn value(&mut self, path: &mut Vec<Vec<String>>) -> Result<(), String> {
        if path.len() > DEEPEST {
            return Err(self.problem("it is nested too deep"));
        }
        self.blank();
        match self.next() {
            Some('{') => self.list('}', path, |reader, path| {
                let (name, _) = reader.string()?;
                reader.blank();
                reader.expect(':')?;
                path.push(parts(&name));
                Ok(())
            }),
            Some('[') => self.list(']', path, |_, path| {
                path.push(Vec::new());
                Ok(())
            }),
            Some('"') => {
                let (value, span) = self.string()?;
                self.fields.push(Field { name: path.concat(), value, span, file: 0, coding: Coding::Json });
                Ok(())
            }
            Some(_) => {
                let rest = &self.text[self.at..];
                let end = rest.find(|char: char| !(char.is_alphanumeric() || "+-.".contains(char)));
                let span = self.at..self.at + end.unwrap_or(rest.len());
                if span.is_empty() {
                    return Err(self.problem("a value is missing"));
                }
                self.at = span.end;
                self.fields.push(Field::plain(path.concat(), self.text, span));
                Ok(())
            }
            None => Err(self.problem("it ends too early")),
        }
    }

    fn list(
        &mut self,
        end: char,
        path: &mut Vec<Vec<String>>,
        name: fn(&mut Self, &mut Vec<Vec<String>>) -> Result<(), String>,
    ) -> Result<(), String> {
        self.at += 1;
        loop {
            self.blank();
            if self.next() == Some(end) {
                self.at += 1;
                return Ok(());
            }
            name(self, path)?;
            self.value(path)?;
            path.pop();
            self.blank();
            match self.next() {
                Some(',') => self.at += 1,
                Some(char) if char == end => {}
                _ => return Err(self.problem("a comma or an end is missing")),
            }
        }
    }

    /// A string and where it stands without its quotes.
    fn string(&mut self) -> Result<(String, std::ops::Range<usize>), String> {
        self.expect('"')?;
        let begin = self.at;
        let bytes = self.text.as_bytes();
        while bytes.get(self.at).is_some_and(|byte| *byte != b'"') {
            self.at += if bytes[self.at] == b'\\' { 2 } else { 1 };
        }
        if self.at >= bytes.len() {
            self.at = bytes.len();
            return Err(self.problem("a string has no end"));
        }
        let span = begin..self.at;
        self.at += 1;
        match serde_json::from_str(&self.text[begin - 1..self.at]) {
            Ok(value) => Ok((value, span)),
            Err(_) => Err(self.problem("a string has an escape that there is not")),
        }
    }

    fn next(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn expect(&mut self, char: char) -> Result<(), String> {
        if self.next() != Some(char) {
            return Err(self.problem(&format!("{char} is missing")));
        }
        self.at += char.len_utf8();
        Ok(())
    }

    /// Skips blanks and comments.
    fn blank(&mut self) {
        loop {
            let rest = &self.text[self.at..];
            let rest = rest.trim_start_matches(|char: char| char.is_whitespace() || char == '\u{feff}');
            self.at = self.text.len() - rest.len();
            let end = if rest.starts_with("//") {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                rest.find("*/").map_or(rest.len(), |at| at + 2)
            } else {
                return;
            };
            self.at += end;
        }
    }

    fn problem(&self, what: &str) -> String {
        let line = self.text[..self.at].matches('\n').count() + 1;
        format!("line {line}: {what}")
    }
}
