//! What has to change in a document.

use std::ops::Range;

use super::document::{Document, Edit, Field};
use super::host::{PORT, Places, Renewed, Wish};
use super::role::{self, Role};
use super::{Form, source, spring, stack_exchange, url};
use crate::ClusteringPolicy;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub kind: Kind,
    /// From what to what; never a password.
    pub text: String,
    /// Where it stands in the text.
    pub at: usize,
}

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Host,
    Port,
    Tls,
    Database,
    Password,
    Cluster,
}

/// All of them.
#[derive(Default)]
pub(crate) struct Changes {
    pub(crate) list: Vec<Change>,
    pub(crate) edits: Vec<Edit>,
    pub(crate) notes: Vec<String>,
    /// A host to convert was found, or one that is converted.
    pub(crate) found: bool,
    /// A host whose new name is not known.
    pub(crate) unresolved: Option<String>,
    pub(crate) enterprise: Option<String>,
}

pub(super) fn find(document: &Document, places: &Places, wish: &Wish) -> Changes {
    // Only a host to put in everywhere asks for it, and a document can be large.
    let about_redis = places.wished().is_some() && document.text().to_ascii_lowercase().contains("redis");
    let mut search = Search {
        document,
        places,
        wish,
        about_redis,
        changes: Changes::default(),
        anchors: Vec::new(),
        hosts: Vec::new(),
    };
    for field in document.fields() {
        if let Some(renewed) = search.string(field) {
            search.hosts.push(field.span.start);
            if role::of(&field.name).is_some_and(|(role, _)| role == Role::Host) {
                search.anchors.push((field.file, role::anchor(&field.name)));
            }
            search.accept(field, renewed);
        } else if search.is_host(field) {
            search.host(field);
        }
    }
    search.settings();
    search.changes
}

/// A connection string or a host, renewed.
struct Value {
    text: String,
    changes: Vec<(Kind, String)>,
}

struct Search<'d> {
    document: &'d Document,
    places: &'d Places,
    wish: &'d Wish,
    /// The document speaks of Redis somewhere.
    about_redis: bool,
    changes: Changes,
    /// Which file or element hosts are in ([`Field::file`]), and what the names of their settings begin with.
    anchors: Vec<(usize, Vec<String>)>,
    /// Where they stand.
    hosts: Vec<usize>,
}

impl Search<'_> {
    fn accept(&mut self, field: &Field, value: Value) {
        let at = field.span.start;
        if let Some(edit) = self.one_address(field, &value) {
            let text = "cluster.nodes -> host and port (clustering policy)".to_owned();
            self.changes.list.push(Change { kind: Kind::Cluster, text, at });
            self.changes.edits.push(edit);
        } else if value.text != field.value {
            self.changes.edits.push(field.edit(&value.text));
        }
        self.changes.list.extend(value.changes.into_iter().map(|(kind, text)| Change { kind, text, at }));
    }

    /// Nodes of Spring, where the policy has one address.
    fn one_address(&self, field: &Field, value: &Value) -> Option<Edit> {
        let single = self.wish.policy.is_some_and(|policy| policy != ClusteringPolicy::OSSCluster);
        let nodes = role::of(&field.name).is_some_and(|(role, _)| role == Role::Nodes);
        let host = stack_exchange::split(&value.text).0;
        (single && nodes && spring::is(field) && is_name(host))
            .then(|| spring::host(self.document, field, host))
            .flatten()
    }

    /// The new name of a host; none when it stays.
    fn renewed(&mut self, host: &str) -> Option<String> {
        match self.places.renew(host) {
            Renewed::To { host, note } => {
                self.changes.found = true;
                self.changes.notes.extend(note);
                Some(host)
            }
            Renewed::Already => {
                self.changes.found = true;
                self.changes.notes.push(format!("{host} is of Azure Managed Redis already"));
                None
            }
            Renewed::Unknown => {
                self.changes.found = true;
                self.changes.unresolved.get_or_insert(host.to_owned());
                None
            }
            Renewed::Enterprise => {
                self.changes.enterprise.get_or_insert(host.to_owned());
                None
            }
            Renewed::Other => None,
        }
    }

    /// Whether a text, or the host in it, is one that concerns us. By itself, any host does that is to be replaced.
    fn concerns(&self, host: &str) -> bool {
        match self.places.renew(host) {
            Renewed::Other => {
                self.places.wished().is_some()
                    && matches!(self.document.form(), Form::StackExchange | Form::Url)
            }
            _ => true,
        }
    }

    /// Exchanges what a connection string or URL has to have otherwise.
    fn string(&mut self, field: &Field) -> Option<Value> {
        let text = field.value.as_str();
        if url::scheme(text).is_some() {
            let parts = url::parse(text)?;
            self.concerned(text, &parts.endpoints).then(|| self.url(text, &parts))
        } else {
            let parts = stack_exchange::parse(text)?;
            let alone = field.name.is_empty() && self.document.form() == Form::StackExchange;
            let port = stack_exchange::split(&text[parts.endpoints[0].clone()]).1;
            (alone || stack_exchange::has_options(text) || port.is_some() || parts.endpoints.len() > 1)
                .then(|| {
                    self.concerned(text, &parts.endpoints).then(|| {
                        self.stack_exchange(text, &parts, alone || stack_exchange::has_options(text))
                    })
                })
                .flatten()
        }
    }

    fn concerned(&self, text: &str, endpoints: &[Range<usize>]) -> bool {
        endpoints.iter().any(|span| self.concerns(stack_exchange::split(&text[span.clone()]).0))
    }

    /// The endpoints of a string: one for all of the same cache.
    fn endpoints(
        &mut self,
        text: &str,
        spans: &[Range<usize>],
        changes: &mut Vec<(Kind, String)>,
    ) -> (String, bool) {
        let mut new: Vec<String> = Vec::new();
        let mut renewed_any = false;
        for span in spans {
            let old = &text[span.clone()];
            let (host, port) = stack_exchange::split(old);
            let to = match self.renewed(host) {
                None if matches!(self.places.renew(host), Renewed::Other) => {
                    self.places.wished().filter(|_| self.concerns(host)).map(|wished| {
                        self.changes.found = true;
                        wished.to_owned()
                    })
                }
                other => other,
            };
            let already = self.places.renew(host) == Renewed::Already;
            let endpoint = match &to {
                Some(to) => {
                    changes.push((Kind::Host, format!("host {host} -> {to}")));
                    format!("{to}:{PORT}")
                }
                None if already => format!("{host}:{PORT}"),
                None => old.to_owned(),
            };
            if to.is_some() || already {
                renewed_any = true;
                match port {
                    Some(port) if port != PORT.to_string() => {
                        changes.push((Kind::Port, format!("port {port} -> {PORT}")))
                    }
                    Some(_) => {}
                    None => changes.push((Kind::Port, format!("port {PORT} (there was none)"))),
                }
            }
            if !new.contains(&endpoint) {
                new.push(endpoint);
            }
        }
        (new.join(","), renewed_any)
    }

    fn url(&mut self, text: &str, parts: &url::Parts) -> Value {
        let mut changes = Vec::new();
        let (endpoints, _) = self.endpoints(text, &parts.endpoints, &mut changes);
        let mut edits: Vec<(Range<usize>, String)> = Vec::new();
        let scheme = &text[parts.scheme.clone()];
        let encrypted = match scheme.to_ascii_lowercase().as_str() {
            "redis" => "rediss",
            "valkey" => "valkeys",
            _ => scheme,
        };
        if encrypted != scheme {
            changes.push((Kind::Tls, format!("{scheme}:// -> {encrypted}:// (TLS)")));
            edits.push((parts.scheme.clone(), encrypted.to_owned()));
        }
        if self.wish.entra && !parts.user_info.is_empty() {
            changes.push((Kind::Password, "user and password are out".to_owned()));
            edits.push((parts.user_info.clone(), String::new()));
        }
        if let (Some(first), Some(last)) = (parts.endpoints.first(), parts.endpoints.last()) {
            edits.push((first.start..last.end, endpoints));
        }
        for span in &parts.databases {
            self.database(&text[span.clone()], &mut changes, |zero| edits.push((span.clone(), zero)));
        }
        Value { text: exchanged(text, &edits), changes }
    }

    fn stack_exchange(&mut self, text: &str, parts: &stack_exchange::Parts, options: bool) -> Value {
        let mut changes = Vec::new();
        let (endpoints, renewed) = self.endpoints(text, &parts.endpoints, &mut changes);
        let mut edits: Vec<(Range<usize>, String)> = Vec::new();
        if let (Some(first), Some(last)) = (parts.endpoints.first(), parts.endpoints.last()) {
            edits.push((first.start..last.end, endpoints));
        }
        let mut tls = false;
        for (name, item, span) in &parts.options {
            let value = &text[span.clone()];
            match name.as_str() {
                "ssl" => {
                    tls = true;
                    if is_off(value) {
                        changes.push((Kind::Tls, "ssl=False -> True: one port, with TLS unless the database was made for plaintext".to_owned()));
                        edits.push((span.clone(), "True".to_owned()));
                    }
                }
                "sslhost" => {
                    if let Some(new) = self.renewed(value) {
                        changes.push((Kind::Tls, format!("sslHost {value} -> {new}")));
                        edits.push((span.clone(), new));
                    }
                }
                "defaultdatabase" => {
                    self.database(value, &mut changes, |zero| edits.push((span.clone(), zero)))
                }
                "password" if self.wish.entra => {
                    changes.push((Kind::Password, "the password is out".to_owned()));
                    // The comma before it goes with it: options never come first.
                    edits
                        .push((text[..item.start].rfind(',').unwrap_or(item.start)..item.end, String::new()));
                }
                "servicename" => {
                    self.changes.notes.push("serviceName: there is no Sentinel; leave it out".to_owned())
                }
                _ => {}
            }
        }
        if parts.comma && !self.wish.entra {
            self.changes.notes.push(
                "the password has a comma in it, which StackExchange.Redis does not read from a string: set it in code"
                    .to_owned(),
            );
        }
        let mut text = exchanged(text, &edits);
        if !tls && options && renewed {
            changes.push((Kind::Tls, "ssl=True is added".to_owned()));
            text.push_str(",ssl=True");
        }
        Value { text, changes }
    }

    fn database(&mut self, value: &str, changes: &mut Vec<(Kind, String)>, set: impl FnOnce(String)) {
        let number = value.trim();
        if number.is_empty()
            || number.bytes().any(|byte| !byte.is_ascii_digit())
            || number.bytes().all(|byte| byte == b'0')
        {
            return;
        }
        let remedy =
            "database 0 only: bring its keys there with a prefix, as redferry copy --prefix-by-db writes it";
        changes.push((Kind::Database, format!("database {number} -> 0; {remedy}")));
        if !self.wish.cautious {
            set("0".to_owned());
        }
    }

    /// A field that is nothing but a host.
    fn is_host(&self, field: &Field) -> bool {
        let value = field.value.trim();
        match self.places.renew(value) {
            Renewed::Other => {
                if self.places.wished().is_none() {
                    return false;
                }
                let named = role::of(&field.name).is_some_and(|(role, _)| role == Role::Host);
                let about_redis =
                    field.name.iter().any(|part| part.contains("redis") || part.contains("cache"))
                        || self.about_redis && field.name.len() <= 2;
                named && about_redis && is_name(value)
            }
            _ => is_name(value),
        }
    }

    fn host(&mut self, field: &Field) {
        let old = field.value.trim();
        let new = match self.places.renew(old) {
            Renewed::Other => self.places.wished().map(|wished| {
                self.changes.found = true;
                wished.to_owned()
            }),
            _ => self.renewed(old),
        };
        self.hosts.push(field.span.start);
        self.anchors.push((field.file, role::anchor(&field.name)));
        if let Some(new) = new {
            if self.wish.policy == Some(ClusteringPolicy::OSSCluster)
                && spring::is(field)
                && let Some(edit) = spring::nodes(self.document, field, &new)
            {
                let at = field.span.start;
                let list = &mut self.changes.list;
                list.push(Change { kind: Kind::Host, text: format!("host {old} -> {new}"), at });
                list.push(Change {
                    kind: Kind::Cluster,
                    text: "host -> cluster.nodes (clustering policy)".to_owned(),
                    at,
                });
                self.changes.edits.push(edit);
                return;
            }
            let value = Value {
                text: field.value.replace(old, &new),
                changes: vec![(Kind::Host, format!("host {old} -> {new}"))],
            };
            self.accept(field, value);
        }
    }

    /// Ports, TLS and the like that stand beside a host.
    fn settings(&mut self) {
        let (anchors, hosts) = (std::mem::take(&mut self.anchors), std::mem::take(&mut self.hosts));
        let fields = self.document.fields();
        for (index, field) in fields.iter().enumerate() {
            let host = match field.name.first().map(String::as_str) {
                Some(source::BEFORE_HOST) => fields.get(index + 1),
                Some(source::AFTER_HOST) => index.checked_sub(1).and_then(|index| fields.get(index)),
                _ => None,
            };
            let beside = match host {
                Some(host) => hosts.binary_search(&host.span.start).is_ok(),
                None => (anchors.iter().filter(|(file, _)| *file == field.file))
                    .any(|(_, anchor)| role::belongs(&field.name, anchor)),
            };
            if let (true, Some((role, _))) = (beside, role::of(&field.name)) {
                self.setting(field, role);
            }
        }
    }

    fn setting(&mut self, field: &Field, role: Role) {
        let old = field.value.trim();
        let mut changes = Vec::new();
        let mut new = None;
        match role {
            Role::Port if self.places.is_old_port(old) => {
                changes.push((Kind::Port, format!("port {old} -> {PORT}")));
                new = Some(PORT.to_string());
            }
            Role::Port if old != PORT.to_string() => {
                self.changes
                    .notes
                    .push(format!("{}: not a port of the old cache; it stays", field.name.join(".")));
            }
            Role::Tls if is_off(old) => {
                changes.push((Kind::Tls, format!("{}: {old} -> on (TLS)", field.name.join("."))));
                new = Some(opposite(old));
            }
            Role::Database => self.database(old, &mut changes, |zero| new = Some(zero)),
            Role::Password if self.wish.entra && !old.is_empty() => {
                changes.push((Kind::Password, format!("{}: the password is out", field.name.join("."))));
                new = Some(String::new());
            }
            Role::Cluster => {
                let clustered = self.wish.policy.map(|policy| policy == ClusteringPolicy::OSSCluster);
                if clustered == Some(true) && is_off(old) || clustered == Some(false) && is_on(old) {
                    let to = opposite(old);
                    changes.push((
                        Kind::Cluster,
                        format!("{}: {old} -> {to} (clustering policy)", field.name.join(".")),
                    ));
                    new = Some(to);
                }
            }
            _ => {}
        }
        let text = new.map_or(field.value.clone(), |new| field.value.replacen(old, &new, 1));
        self.accept(field, Value { text, changes });
    }
}

fn exchanged(text: &str, edits: &[(Range<usize>, String)]) -> String {
    let mut edits: Vec<_> = edits.iter().collect();
    edits.sort_by_key(|(span, _)| span.start);
    let mut new = text.to_owned();
    for (span, to) in edits.into_iter().rev() {
        new.replace_range(span.clone(), to);
    }
    new
}

fn is_name(text: &str) -> bool {
    text.contains('.') && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}

fn is_off(text: &str) -> bool {
    ["false", "0", "no", "off", "disabled"].contains(&text.trim().to_ascii_lowercase().as_str())
}

fn is_on(text: &str) -> bool {
    ["true", "1", "yes", "on", "enabled"].contains(&text.trim().to_ascii_lowercase().as_str())
}

/// The other value of a switch, spelled in the same way.
fn opposite(old: &str) -> String {
    const PAIRS: [(&str, &str); 5] =
        [("false", "true"), ("0", "1"), ("no", "yes"), ("off", "on"), ("disabled", "enabled")];
    let lower = old.to_ascii_lowercase();
    let other = PAIRS.iter().find_map(|(off, on)| match lower.as_str() {
        lower if lower == *off => Some(*on),
        lower if lower == *on => Some(*off),
        _ => None,
    });
    let other = other.unwrap_or("true");
    let mut letters = other.chars();
    match (old.chars().next().is_some_and(char::is_uppercase), letters.next()) {
        (true, _) if old.len() > 1 && old == old.to_uppercase() => other.to_uppercase(),
        (true, Some(first)) => first.to_uppercase().chain(letters).collect(),
        _ => other.to_owned(),
    }
}
