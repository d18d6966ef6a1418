//! Spring Boot has other names for a cluster than for one address.

use super::Form;
use super::document::{Document, Edit, Field};
use super::host::PORT;

/// Whether a field is a setting of Spring for Redis.
pub(super) fn is(field: &Field) -> bool {
    field.name.first().is_some_and(|name| name == "spring") && field.name.iter().any(|name| name == "redis")
}

/// `cluster.nodes` in place of `host`. The port beside it is not read then.
pub(super) fn nodes(document: &Document, field: &Field, host: &str) -> Option<Edit> {
    let (begin, name) = key(document, field)?;
    let new = match document.form() {
        Form::Properties => format!("{}cluster.nodes={host}:{PORT}", name.strip_suffix("host")?),
        Form::Env => format!("{}CLUSTER_NODES={host}:{PORT}", name.strip_suffix("HOST")?),
        Form::Yaml if name == "host" => {
            format!("cluster:\n{}  nodes: {host}:{PORT}", " ".repeat(column(document, begin)))
        }
        _ => return None,
    };
    Some(Edit { span: begin..whole(document, field), new })
}

/// `host` and `port` in place of `cluster.nodes`.
pub(super) fn host(document: &Document, field: &Field, host: &str) -> Option<Edit> {
    let (begin, name) = key(document, field)?;
    let new = match document.form() {
        Form::Properties => {
            let stem = name.strip_suffix("cluster.nodes")?;
            format!("{stem}host={host}\n{stem}port={PORT}")
        }
        Form::Env => {
            let stem = name.strip_suffix("CLUSTER_NODES")?;
            format!("{stem}HOST={host}\n{stem}PORT={PORT}")
        }
        _ => return None,
    };
    Some(Edit { span: begin..whole(document, field), new })
}

/// Where a field's name begins in its line, and the name.
fn key<'d>(document: &'d Document, field: &Field) -> Option<(usize, &'d str)> {
    let text = document.text();
    let line = text[..field.span.start].rfind('\n').map_or(0, |at| at + 1);
    let before = &text[line..field.span.start];
    let begin = line + before.len() - before.trim_start().len();
    let name = before.trim().trim_end_matches(['"', '\'']).trim_end().strip_suffix(['=', ':'])?.trim_end();
    Some((begin, name))
}

fn column(document: &Document, at: usize) -> usize {
    at - document.text()[..at].rfind('\n').map_or(0, |at| at + 1)
}

/// The end of a value with its quote.
fn whole(document: &Document, field: &Field) -> usize {
    let quoted = document.text()[field.span.end..].starts_with(['"', '\'']);
    field.span.end + usize::from(quoted)
}
