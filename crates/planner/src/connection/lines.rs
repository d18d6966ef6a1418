//! Settings line by line: properties and `.env` files; and a text that is one setting by itself.

use std::ops::Range;

use super::document::{Coding, Field, parts};
use super::stack_exchange::trimmed;

/// The text itself, without quotes around it.
pub(super) fn whole(text: &str) -> Vec<Field> {
    let span = trimmed(text, 0..text.len());
    vec![Field::plain(Vec::new(), text, span)]
}

/// `NAME=value`, perhaps with `export` before it.
pub(super) fn is_env(line: &str) -> bool {
    let line = line.trim_start();
    let line = line.strip_prefix("export ").unwrap_or(line);
    line.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && !name.as_bytes()[0].is_ascii_digit()
    })
}

/// `name=value` or `name: value`. Who quotes values writes a program, unless names have dots in them.
pub(super) fn is_properties(line: &str) -> bool {
    let Some((name, value)) = line.split_once(['=', ':']) else { return false };
    let name = name.trim();
    !name.is_empty()
        && name.chars().all(|char| char.is_alphanumeric() || "._-[]".contains(char))
        && (name.contains('.') || !value.trim_start().starts_with(['"', '\'', '>', '=']))
}

/// A line of properties that YAML does not have.
pub(super) fn has_equals(line: &str) -> bool {
    line.find(['=', ':']).is_some_and(|at| line[at..].starts_with('='))
}

/// Every line with the place where it begins.
fn each(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        let begin = at;
        at += line.len();
        (begin, line.trim_end_matches(['\n', '\r']))
    })
}

pub(super) fn env(text: &str) -> Vec<Field> {
    let mut fields = Vec::new();
    for (at, line) in each(text).filter(|(_, line)| is_env(line)) {
        let Some(equals) = line.find('=') else { continue };
        let name = line[..equals].trim_start();
        let name = parts(name.strip_prefix("export ").unwrap_or(name));
        let span = trimmed(text, at + equals + 1..at + line.len());
        // What a backslash in quotes means differs between shells and libraries: the text is what counts.
        fields.push(Field::plain(name, text, unquoted(text, span)));
    }
    fields
}

/// As java.util.Properties reads them; a line that goes on in the next one stays as it is.
pub(super) fn properties(text: &str) -> Vec<Field> {
    let mut fields = Vec::new();
    for (at, line) in each(text).filter(|(_, line)| !line.trim_start().starts_with(['#', '!'])) {
        let Some(separator) = line.find(['=', ':']) else { continue };
        let slashes = line.len() - line.trim_end_matches('\\').len();
        if slashes % 2 == 1 {
            continue;
        }
        let begin = at + separator + 1;
        let blanks = text[begin..at + line.len()].len() - text[begin..at + line.len()].trim_start().len();
        let mut field = Field::plain(parts(&line[..separator]), text, begin + blanks..at + line.len());
        field.value = unescaped(&field.value);
        field.coding = Coding::Properties;
        fields.push(field);
    }
    fields
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some('n') => plain.push('\n'),
                Some('r') => plain.push('\r'),
                Some('t') => plain.push('\t'),
                Some('u') => {
                    let code: String = chars.by_ref().take(4).collect();
                    plain.extend(u32::from_str_radix(&code, 16).ok().and_then(char::from_u32));
                }
                Some(other) => plain.push(other),
                None => {}
            },
            other => plain.push(other),
        }
    }
    plain
}

/// Without the quotes around it.
fn unquoted(text: &str, span: Range<usize>) -> Range<usize> {
    let value = &text[span.clone()];
    let quoted = ['"', '\'']
        .iter()
        .any(|quote| value.len() >= 2 && value.starts_with(*quote) && value.ends_with(*quote));
    if quoted { span.start + 1..span.end - 1 } else { span }
}
