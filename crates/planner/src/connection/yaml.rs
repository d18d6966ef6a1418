//! The part of YAML that settings are written in: mappings and lists by indentation, scalars on one line, and blocks
//! (`|`, `>`), which are whole files in a ConfigMap and are read as what they look like.
//!
//! Flow collections and anchors stay as they are.

use std::ops::Range;

use super::document::{Coding, Field, parts};
use super::lines::{self, is_env};
use super::stack_exchange::trimmed;
use super::{Form, json, source, xml};

/// A file in a file in a file: more is not settings.
const DEEPEST: usize = 3;

pub(super) fn fields(text: &str) -> Vec<Field> {
    fields_within(text, 0)
}

fn fields_within(text: &str, depth: usize) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    // Indentation and name of the mappings around a line.
    let mut around: Vec<(usize, Vec<String>)> = Vec::new();
    let mut block: Option<Block> = None;
    // `name` of a list's item, for the `value` that follows.
    let mut called: Option<(usize, Vec<String>)> = None;
    let mut at = 0;
    for whole in text.split_inclusive('\n') {
        let begin = at;
        at += whole.len();
        let line = whole.trim_end();
        let content = line.trim_start();
        let mut indent = line.len() - content.len();
        if content.is_empty() {
            continue;
        }
        if let Some(open) = block.as_mut().filter(|open| indent > open.outer) {
            open.span.end = at;
            continue;
        }
        fields.extend(block.take().into_iter().flat_map(|block| block.fields(text, depth)));
        if content.starts_with('#') {
            continue;
        }
        let mut content_at = begin + indent;
        let mut content = content;
        if content == "---" {
            around.clear();
            continue;
        }
        let dash = indent;
        while let Some(item) = content.strip_prefix("- ") {
            let blanks = 2 + item.len() - item.trim_start().len();
            (content, content_at, indent) = (item.trim_start(), content_at + blanks, indent + blanks);
            called = None;
        }
        around.retain(|(outer, _)| *outer < indent);
        let path = || around.iter().flat_map(|(_, name)| name.clone()).collect::<Vec<String>>();
        if begins_block(content) {
            block = Some(Block { outer: dash, name: path(), span: at..at });
            continue;
        }
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
            Some('|' | '>') => {
                block = Some(Block { outer: indent, name: [path(), parts(name)].concat(), span: at..at });
            }
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
    fields.extend(block.into_iter().flat_map(|block| block.fields(text, depth)));
    fields
}

/// A scalar of several lines.
struct Block {
    /// How far the line that began it is indented.
    outer: usize,
    name: Vec<String>,
    span: Range<usize>,
}

impl Block {
    /// What is set in it, by the names that it has there.
    fn fields(self, text: &str, depth: usize) -> Vec<Field> {
        let (inner, begin) = (&text[self.span.clone()], self.span.start);
        let one_value = !inner.trim().contains(['\n', '"', '\'']);
        let mut fields = match Form::of(inner) {
            _ if depth == DEEPEST => return Vec::new(),
            Form::Yaml => fields_within(inner, depth + 1),
            Form::Json => json::fields(inner).unwrap_or_default(),
            Form::Xml => xml::fields(inner),
            Form::Properties => lines::properties(inner),
            // `NAME=` sets nothing; base64 ends like that.
            Form::Env if !one_value || !inner.trim_end().ends_with('=') => lines::env(inner),
            Form::Source if !one_value => source::fields(inner),
            Form::Env | Form::Source | Form::StackExchange | Form::Url => {
                let span = trimmed(inner, 0..inner.len());
                return vec![Field::plain(self.name, text, span.start + begin..span.end + begin)];
            }
        };
        for field in &mut fields {
            field.span = field.span.start + begin..field.span.end + begin;
            field.file += begin;
        }
        fields
    }
}

/// `|`, `>-`, `|2+` and the like.
pub(super) fn begins_block(content: &str) -> bool {
    let content = content.split(" #").next().unwrap_or_default().trim_end();
    content.strip_prefix(['|', '>']).is_some_and(|rest| {
        rest.len() <= 2 && rest.bytes().all(|byte| byte.is_ascii_digit() || b"+-".contains(&byte))
    })
}

/// The lines that are not within blocks.
pub(super) fn outside_blocks<'t>(lines: &[&'t str]) -> Vec<&'t str> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut block = None;
    let mut outside = Vec::new();
    for line in lines {
        if block.is_some_and(|outer| indent(line) > outer) {
            continue;
        }
        let content = line.trim_start().trim_start_matches("- ");
        let value = name(content).map_or(content, |(_, colon)| content[colon + 1..].trim_start());
        let within = if name(content).is_some() { line.len() - content.len() } else { indent(line) };
        block = begins_block(value).then_some(within);
        outside.push(*line);
    }
    outside
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

fn scalar(fields: &mut Vec<Field>, text: &str, name: Vec<String>, span: Range<usize>) {
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
        Some(Field { name: name.clone(), value, span, file: 0, coding })
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
