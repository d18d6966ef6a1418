//! The part of YAML that settings are written in: mappings and lists by indentation, scalars on one line.
//!
//! Blocks (`|`, `>`), flow collections and anchors stay as they are.

use super::document::{Coding, Field, parts};
use super::lines::is_env;
use super::stack_exchange::trimmed;

pub(super) fn fields(text: &str) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    // Indentation and name of the mappings around a line.
    let mut around: Vec<(usize, Vec<String>)> = Vec::new();
    // A block scalar, and how far the line that began it is indented.
    let mut block: Option<usize> = None;
    // `name` of a list's item, for the `value` that follows.
    let mut called: Option<(usize, Vec<String>)> = None;
    let mut at = 0;
    for whole in text.split_inclusive('\n') {
        let begin = at;
        at += whole.len();
        let line = whole.trim_end();
        let content = line.trim_start();
        let mut indent = line.len() - content.len();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        if block.is_some_and(|outer| indent > outer) {
            continue;
        }
        block = None;
        let mut content_at = begin + indent;
        let mut content = content;
        if content == "---" {
            around.clear();
            continue;
        }
        while let Some(item) = content.strip_prefix("- ") {
            let blanks = 2 + item.len() - item.trim_start().len();
            (content, content_at, indent) = (item.trim_start(), content_at + blanks, indent + blanks);
            called = None;
        }
        around.retain(|(outer, _)| *outer < indent);
        let path = || around.iter().flat_map(|(_, name)| name.clone()).collect::<Vec<String>>();
        let Some((name, colon)) = name(content) else {
            // An entry of a list: `- NAME=value` as compose files have it, or a value alone.
            let equals = content.find('=').filter(|_| is_env(content));
            let (names, value_at) = match equals {
                Some(at) => (parts(&content[..at]), content_at + at + 1),
                None => (path(), content_at),
            };
            scalar(&mut fields, text, names, value_at..begin + line.len());
            continue;
        };
        let value = content_at + colon + 1..begin + line.len();
        let first = text[value.clone()].trim_start().chars().next();
        match first {
            None | Some('#') => around.push((indent, parts(name))),
            Some('|' | '>') => block = Some(indent),
            Some('{' | '[' | '&' | '*') => {}
            Some(_) => {
                let names = match &called {
                    Some((column, called)) if *column == indent && name == "value" => called.clone(),
                    _ => [path(), parts(name)].concat(),
                };
                scalar(&mut fields, text, names, value);
                if name == "name"
                    && let Some(field) = fields.last()
                {
                    called = Some((indent, parts(&field.value)));
                }
            }
        }
    }
    fields
}

/// The name of a mapping's entry and where its colon stands.
fn name(content: &str) -> Option<(&str, usize)> {
    let skipped = usize::from(content.starts_with(':'));
    let colon = (content[skipped..].match_indices(':'))
        .map(|(at, _)| at + skipped)
        .find(|at| content[at + 1..].is_empty() || content[at + 1..].starts_with([' ', '\t']))?;
    let name = content[..colon].trim_matches(['"', '\'', ':', ' ']);
    let simple = |char: char| char.is_alphanumeric() || "_-./".contains(char);
    (!name.is_empty() && name.chars().all(simple)).then_some((name, colon))
}

fn scalar(fields: &mut Vec<Field>, text: &str, name: Vec<String>, span: std::ops::Range<usize>) {
    let span = trimmed(text, span);
    let value = &text[span.clone()];
    let quoted = |quote: char, coding: Coding| {
        let inner = value.strip_prefix(quote)?;
        let end = end(inner, quote)?;
        let span = span.start + 1..span.start + 1 + end;
        let inner = &inner[..end];
        let value = match quote {
            '"' => serde_json::from_str(&format!("\"{inner}\"")).ok()?,
            _ => inner.replace("''", "'"),
        };
        Some(Field { name: name.clone(), value, span, coding })
    };
    let field = match value.chars().next() {
        Some('"') => quoted('"', Coding::Json),
        Some('\'') => quoted('\'', Coding::YamlSingle),
        _ => {
            let end = value.find(" #").unwrap_or(value.len());
            let end = span.start + value[..end].trim_end().len();
            Some(Field::plain(name.clone(), text, span.start..end))
        }
    };
    fields.extend(field);
}

/// Where a quoted scalar ends, without the quote.
fn end(inner: &str, quote: char) -> Option<usize> {
    let bytes = inner.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if quote == '"' => at += 1,
            b'\'' if quote == '\'' && bytes.get(at + 1) == Some(&b'\'') => at += 1,
            byte if byte == quote as u8 => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}
