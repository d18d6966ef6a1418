//! How a server is to be set up, and the configuration file that says so.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::ports::{BUS_OFFSET, Ports};
use super::profile::Profile;
use super::{ADMIN_PASSWORD, ADMIN_USER, PASSWORD, Server};
use crate::Binaries;
use crate::tls::{Identity, authority};

/// Options of a server that is not started yet.
#[derive(Debug, Clone)]
#[must_use = "nothing runs before start()"]
pub struct ServerBuilder {
    pub(super) profile: Profile,
    pub(super) tls: bool,
    client_auth: bool,
    identity: Option<Identity>,
    pub(super) password: Option<String>,
    modules: bool,
    settings: Vec<(String, String)>,
    pub(super) clock_ahead_seconds: i64,
    pub(super) node: Option<Node>,
}

/// Set for a node of a cluster.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    pub(crate) has_replicas: bool,
}

impl ServerBuilder {
    pub(crate) fn new(profile: Profile) -> ServerBuilder {
        let is_azure = matches!(profile, Profile::Acr | Profile::Amr);
        ServerBuilder {
            profile,
            tls: false,
            client_auth: false,
            identity: None,
            password: is_azure.then(|| PASSWORD.to_owned()),
            modules: profile == Profile::Amr,
            settings: Vec::new(),
            clock_ahead_seconds: 0,
            node: None,
        }
    }

    /// Opens a TLS port beside the plaintext one.
    ///
    /// # Panics
    /// `start` panics if the server was built without TLS: see [`Binaries::source_has_tls`].
    pub fn tls(mut self, tls: bool) -> Self {
        self.tls = tls;
        self
    }

    /// Asks clients of the TLS port for a certificate of our authority.
    pub fn client_auth(mut self, asked: bool) -> Self {
        self.client_auth = asked;
        self
    }

    /// Shows another certificate than the good one, for example [`Authority::expired`](crate::tls::Authority).
    pub fn identity(mut self, identity: &Identity) -> Self {
        self.identity = Some(identity.clone());
        self
    }

    /// The default user's password; `None` lets everybody in.
    pub fn password(mut self, password: Option<&str>) -> Self {
        self.password = password.map(str::to_owned);
        self
    }

    /// Memory limit in Redis's notation, for example `50mb`.
    pub fn maxmemory(self, limit: &str) -> Self {
        self.arg("maxmemory", limit)
    }

    /// What happens at the memory limit, for example `noeviction` or `allkeys-lru`.
    pub fn policy(self, policy: &str) -> Self {
        self.arg("maxmemory-policy", policy)
    }

    /// Loads the modules of Redis Stack. Redis 7.4 only.
    pub fn modules(mut self, loaded: bool) -> Self {
        self.modules = loaded;
        self
    }

    /// Any further line of the configuration; it overrides what the profile sets. Values are written as they
    /// are, so quote what holds spaces and is one argument.
    pub fn arg(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Shows the server a time of day that is ahead of this machine's (behind, if negative). Redis 7.4 only:
    /// Debian's Redis 6.0 uses jemalloc as a shared library, and with that libfaketime crashes at once.
    ///
    /// # Panics
    /// `start` panics without libfaketime: see [`Binaries::clock_shifter`].
    pub fn clock_ahead_seconds(mut self, seconds: i64) -> Self {
        self.clock_ahead_seconds = seconds;
        self
    }

    /// Starts the server and waits until it answers. Blocks; takes about 50 ms, with modules 300 ms.
    ///
    /// # Panics
    /// When the server does not answer within 20 seconds, with its log.
    pub fn start(self) -> Server {
        Server::start(self)
    }

    pub(crate) fn has_tls(&self) -> bool {
        self.tls
    }

    /// Makes the server a node of a cluster that is yet to be joined.
    pub(crate) fn node(mut self, node: Node) -> Self {
        self.node = Some(node);
        self
    }

    /// The configuration file.
    pub(super) fn config(&self, ports: Ports) -> String {
        let mut config = Config(String::new());
        config.line("bind", "127.0.0.1");
        config.line("port", ports.plain);
        config.line("save", "\"\"");
        config.line("daemonize", "no");
        if self.profile == Profile::Amr {
            config.line("databases", 1);
        }
        if matches!(self.profile, Profile::Plain7 | Profile::Further(_)) {
            for name in ["enable-debug-command", "enable-module-command", "enable-protected-configs"] {
                config.line(name, "yes");
            }
        }
        if let Some(port) = ports.tls {
            self.write_tls(&mut config, port);
        }
        match self.node {
            Some(node) => self.write_cluster(&mut config, node, ports),
            None => {
                if let Some(password) = &self.password {
                    config.line("requirepass", quoted(password));
                }
            }
        }
        let has_replicas = self.node.is_some_and(|node| node.has_replicas);
        for name in self.profile.removed(has_replicas) {
            config.line("rename-command", format!("{name} \"\""));
        }
        for path in self.module_paths() {
            config.line("loadmodule", quoted(&path.to_string_lossy()));
        }
        for (name, value) in &self.settings {
            config.line(name, if value.is_empty() { "\"\"" } else { value });
        }
        config.0
    }

    fn write_tls(&self, config: &mut Config, port: u16) {
        let authority = authority();
        let identity = self.identity.as_ref().unwrap_or(&authority.server);
        config.line("tls-port", port);
        config.line("tls-ca-cert-file", quoted(&authority.ca.to_string_lossy()));
        config.line("tls-cert-file", quoted(&identity.cert.to_string_lossy()));
        config.line("tls-key-file", quoted(&identity.key.to_string_lossy()));
        config.line("tls-auth-clients", if self.client_auth { "yes" } else { "no" });
    }

    fn write_cluster(&self, config: &mut Config, node: Node, ports: Ports) {
        config.line("cluster-enabled", "yes");
        config.line("cluster-node-timeout", 2000);
        // A replica may take over however long it was cut off: the tests decide when that happens.
        config.line("cluster-replica-validity-factor", 0);
        config.line("cluster-announce-ip", "127.0.0.1");
        config.line("repl-diskless-sync", "yes");
        config.line("repl-diskless-sync-delay", 0);
        if let Some(port) = ports.tls {
            config.line("tls-cluster", "yes");
            config.line("tls-replication", "yes");
            if self.profile.is_redis7() {
                config.line("cluster-port", port + BUS_OFFSET);
            }
        }
        let password =
            self.password.as_ref().map_or("nopass".into(), |password| quoted(&format!(">{password}")));
        let rules = self.profile.cluster_client_rules(node.has_replicas).join(" ");
        config.line("user", format!("default on {password} {rules}"));
        let channels = if self.profile.is_redis7() { "&* " } else { "" };
        config.line("user", format!("{ADMIN_USER} on >{ADMIN_PASSWORD} ~* {channels}+@all"));
        config.line("masteruser", ADMIN_USER);
        config.line("masterauth", ADMIN_PASSWORD);
    }

    fn module_paths(&self) -> Vec<PathBuf> {
        if !self.modules {
            return Vec::new();
        }
        assert!(self.profile.takes_modules(), "the modules load into Redis 7.4 only");
        match Binaries::get().modules() {
            Ok(paths) => paths,
            Err(error) => panic!("no modules to load: {error:#}"),
        }
    }
}

struct Config(String);

impl Config {
    fn line(&mut self, name: &str, value: impl std::fmt::Display) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{name} {value}");
    }
}

/// One argument in the quotes of `redis.conf`.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
