//! URLs of redis-py, ioredis, go-redis, Lettuce, Celery and Sidekiq.

use std::ops::Range;

use super::stack_exchange::trimmed;

const SCHEMES: &[&str] = &["redis", "rediss", "redis+ssl", "redis+tls", "valkey", "valkeys"];

/// Where the parts of a URL stand.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) scheme: Range<usize>,
    /// With the `@`; empty when there is none.
    pub(super) user_info: Range<usize>,
    /// `host` or `host:port`, one or more.
    pub(super) endpoints: Vec<Range<usize>>,
    /// The database's number, in the path or the query.
    pub(super) databases: Vec<Range<usize>>,
}

/// The scheme when it is one of Redis.
pub(super) fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.trim_start().split_once("://")?;
    SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known)).then_some(scheme)
}

/// Finds the last `@` as the end of user and password: a pasted key may have `/` and `@` in it.
pub(super) fn parse(text: &str) -> Option<Parts> {
    let all = trimmed(text, 0..text.len());
    let length = scheme(text)?.len();
    let begin = all.start + length + 3;
    let rest = &text[begin..all.end];
    let host = rest.rfind('@').map_or(0, |at| at + 1);
    let place = &rest[host..];
    let end = place.find(['/', '?', '#']).unwrap_or(place.len());
    let host_at = begin + host;
    let mut endpoints = Vec::new();
    let mut at = host_at;
    for endpoint in place[..end].split(',') {
        if !endpoint.is_empty() {
            endpoints.push(at..at + endpoint.len());
        }
        at += endpoint.len() + 1;
    }
    let tail = host_at + end..all.end;
    let question = text[tail.clone()].find('?').map_or(tail.end, |at| tail.start + at);
    let mut databases = Vec::new();
    let path = tail.start..question;
    if text[path.clone()].starts_with('/') && is_number(&text[path.start + 1..path.end]) {
        databases.push(path.start + 1..path.end);
    }
    let query = (question + 1).min(tail.end)..tail.end;
    let mut at = query.start;
    for option in text[query.clone()].split('&') {
        if let Some((name, value)) = option.split_once('=')
            && ["db", "database"].contains(&name.to_ascii_lowercase().as_str())
            && is_number(value)
        {
            databases.push(at + name.len() + 1..at + option.len());
        }
        at += option.len() + 1;
    }
    (!endpoints.is_empty()).then_some(Parts {
        scheme: all.start..all.start + length,
        user_info: begin..host_at,
        endpoints,
        databases,
    })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
