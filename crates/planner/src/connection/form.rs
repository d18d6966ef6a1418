//! How settings are written down.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::{ConnectionError, lines, stack_exchange, url, yaml};

/// A way to write connection settings down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// `host:port,password=...,ssl=True`
    StackExchange,
    /// `rediss://user:password@host:port/0`
    Url,
    /// `appsettings.json`, the options of node-redis and ioredis
    Json,
    /// `web.config`
    Xml,
    /// Spring, Jedis
    Properties,
    /// `.env`
    Env,
    /// Spring, Kubernetes, Sidekiq
    Yaml,
    /// A piece of a program: literals and named arguments
    Source,
}

impl Form {
    pub const ALL: [Form; 8] = [
        Form::StackExchange,
        Form::Url,
        Form::Json,
        Form::Xml,
        Form::Properties,
        Form::Env,
        Form::Yaml,
        Form::Source,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Form::StackExchange => "stack-exchange",
            Form::Url => "url",
            Form::Json => "json",
            Form::Xml => "xml",
            Form::Properties => "properties",
            Form::Env => "env",
            Form::Yaml => "yaml",
            Form::Source => "source",
        }
    }

    /// What a text looks like.
    pub fn of(text: &str) -> Form {
        let text = text.trim();
        match text.chars().next() {
            Some('{' | '[') => return Form::Json,
            Some('<') => return Form::Xml,
            _ => {}
        }
        if !text.contains('\n') {
            if url::scheme(text).is_some() {
                return Form::Url;
            }
            if stack_exchange::looks_like(text) {
                return Form::StackExchange;
            }
        }
        let lines: Vec<&str> = (text.lines())
            .map(str::trim_end)
            .filter(|line| !line.trim_start().is_empty() && !line.trim_start().starts_with(['#', '!']))
            .collect();
        let all = |is: fn(&str) -> bool| !lines.is_empty() && lines.iter().all(|line| is(line));
        let outside_blocks = yaml::outside_blocks(&lines);
        if all(lines::is_env) {
            Form::Env
        } else if all(lines::is_properties) && outside_blocks.iter().any(|line| lines::has_equals(line)) {
            Form::Properties
        } else if !lines.is_empty() && outside_blocks.into_iter().all(is_yaml) {
            Form::Yaml
        } else {
            Form::Source
        }
    }
}

/// A line `name: value`, `name:`, `- value` or the like.
fn is_yaml(line: &str) -> bool {
    let line = line.trim_start();
    if let Some(item) = line.strip_prefix("- ")
        && (item.starts_with("- ") || lines::is_env(item))
    {
        return true;
    }
    let line = line.strip_prefix("- ").unwrap_or(line);
    if line == "---" || line == "-" || yaml::begins_block(line) {
        return true;
    }
    let name = line.trim_start_matches(':').split_once(':');
    name.is_some_and(|(name, rest)| {
        !name.is_empty()
            && (rest.is_empty() || rest.starts_with(' '))
            && name.chars().all(|char| char.is_alphanumeric() || "_-./\"'".contains(char))
            && !rest.trim_end().ends_with([',', '{', '('])
    })
}

impl FromStr for Form {
    type Err = ConnectionError;

    fn from_str(given: &str) -> Result<Form, ConnectionError> {
        Form::ALL.into_iter().find(|form| form.as_str() == given).ok_or_else(|| {
            ConnectionError::UnknownForm {
                given: given.to_owned(),
                known: Form::ALL.map(Form::as_str).join(", "),
            }
        })
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
