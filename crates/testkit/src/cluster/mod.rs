//! Real clusters: as many servers as it has nodes, joined by the cluster commands themselves.
//!
//! Nodes announce themselves as `127.0.0.1`, which the certificate does not name: as on Azure, a client has
//! to verify the name of the cache instead.

mod join;

use std::thread;
use std::time::{Duration, Instant};

use crate::Access;
use crate::server::{Node, Profile, Reply, Server, ServerBuilder};
use crate::tls::Identity;

/// How long a failover, started by hand or by a dead primary, may take.
const FAILOVER_LIMIT: Duration = Duration::from_secs(20);

/// Options of a cluster that is not started yet.
#[derive(Debug, Clone)]
#[must_use = "nothing runs before start()"]
pub struct ClusterBuilder {
    node: ServerBuilder,
    primaries: usize,
    replicas: usize,
}

/// A running cluster. Dropping it kills its nodes.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Server>,
    primaries: usize,
    tls: bool,
}

impl Cluster {
    /// Azure Cache for Redis, clustered (Premium): Redis 6.0.16. `CLUSTER` only reads for clients.
    pub fn acr(primaries: usize) -> ClusterBuilder {
        ClusterBuilder::new(Profile::Acr, primaries)
    }

    /// Azure Managed Redis with the OSS clustering policy: Redis 7.4.1 with modules. `CLUSTER` only reads.
    pub fn amr(primaries: usize) -> ClusterBuilder {
        ClusterBuilder::new(Profile::Amr, primaries)
    }

    /// Redis 6.0.16 with nothing taken away and no password.
    pub fn plain6(primaries: usize) -> ClusterBuilder {
        ClusterBuilder::new(Profile::Plain6, primaries)
    }

    /// Redis 7.4.1 with nothing taken away and no password.
    pub fn plain7(primaries: usize) -> ClusterBuilder {
        ClusterBuilder::new(Profile::Plain7, primaries)
    }

    /// All nodes: first those that started as primaries, in the order of their slots, then the replicas in
    /// the same order.
    pub fn nodes(&self) -> &[Server] {
        &self.nodes
    }

    /// The first node. With TLS it is the TLS port, because Redis 6.0 announces TLS ports to everybody then.
    pub fn access(&self) -> Access {
        self.node_access(0)
    }

    /// Node `index`, in the same way.
    pub fn node_access(&self, index: usize) -> Access {
        let node = &self.nodes[index];
        if self.tls { node.tls_access() } else { node.access() }
    }

    /// Runs a command on node `index` as a user who may do everything, also what clients of Azure may not.
    /// Commands that the profile takes away altogether stay unknown.
    ///
    /// # Panics
    /// When the connection fails.
    pub fn admin(&self, index: usize, args: &[&str]) -> Reply {
        self.nodes[index].admin(args)
    }

    /// Kills node `index`. Its replica, if it has one, takes over by itself after two to four seconds;
    /// [`Cluster::wait_for_primary`] waits for that.
    pub fn kill_node(&self, index: usize) {
        self.nodes[index].kill();
    }

    /// Makes the replica of primary `index` take over now, without asking the primary, and returns the
    /// replica's index. What the primary had not replicated yet is lost.
    ///
    /// # Panics
    /// When there are no replicas, or the replica is not a primary within 20 seconds.
    pub fn failover(&self, index: usize) -> usize {
        let replica = self.replica_of(index);
        let reply = self.admin(replica, &["CLUSTER", "FAILOVER", "FORCE"]);
        assert_eq!(reply, Reply::Status("OK".into()), "node {replica} refuses to take over");
        self.wait_for_primary(replica);
        replica
    }

    /// The index of the node that started as the replica of primary `index`.
    ///
    /// # Panics
    /// When the cluster was started without replicas.
    pub fn replica_of(&self, index: usize) -> usize {
        let replica = self.primaries + index;
        assert!(index < self.primaries && replica < self.nodes.len(), "node {index} has no replica");
        replica
    }

    /// Waits until node `index` is a primary, and the cluster as it sees it is whole.
    ///
    /// # Panics
    /// When that takes more than 20 seconds.
    pub fn wait_for_primary(&self, index: usize) {
        let deadline = Instant::now() + FAILOVER_LIMIT;
        while !(is_primary(&self.nodes[index]) && join::is_whole(&self.nodes[index])) {
            assert!(Instant::now() < deadline, "node {index} did not become a primary");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// `ROLE` is not there on every profile; the list of nodes is.
fn is_primary(node: &Server) -> bool {
    let nodes = node.admin(&["CLUSTER", "NODES"]).text();
    nodes.lines().any(|line| line.contains("myself,master"))
}

impl ClusterBuilder {
    fn new(profile: Profile, primaries: usize) -> ClusterBuilder {
        assert!((1..=16).contains(&primaries), "a test cluster has 1 to 16 primaries");
        ClusterBuilder { node: ServerBuilder::new(profile), primaries, replicas: 0 }
    }

    /// Replicas per primary: 0 or 1.
    pub fn replicas(mut self, replicas: usize) -> Self {
        assert!(replicas <= 1, "a test cluster has at most one replica per primary");
        self.replicas = replicas;
        self
    }

    /// Opens TLS ports and announces them; the nodes speak TLS among themselves too.
    pub fn tls(self, tls: bool) -> Self {
        self.with_node(|node| node.tls(tls))
    }

    /// Asks clients, and the nodes among themselves, for a certificate of our authority.
    pub fn client_auth(self, asked: bool) -> Self {
        self.with_node(|node| node.client_auth(asked))
    }

    /// Shows another certificate than the good one. The nodes still have to accept each other's.
    pub fn identity(self, identity: &Identity) -> Self {
        self.with_node(|node| node.identity(identity))
    }

    /// The default user's password; `None` lets everybody in.
    pub fn password(self, password: Option<&str>) -> Self {
        self.with_node(|node| node.password(password))
    }

    /// Memory limit of each node, for example `50mb`.
    pub fn maxmemory(self, limit: &str) -> Self {
        self.with_node(|node| node.maxmemory(limit))
    }

    /// What happens at the memory limit.
    pub fn policy(self, policy: &str) -> Self {
        self.with_node(|node| node.policy(policy))
    }

    /// Loads the modules of Redis Stack. Redis 7.4 only.
    pub fn modules(self, loaded: bool) -> Self {
        self.with_node(|node| node.modules(loaded))
    }

    /// Any further line of each node's configuration.
    pub fn arg(self, name: &str, value: &str) -> Self {
        self.with_node(|node| node.arg(name, value))
    }

    fn with_node(mut self, change: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        self.node = change(self.node);
        self
    }

    /// Starts the nodes, joins them, and waits until each says that the cluster is whole.
    ///
    /// # Panics
    /// When that takes more than 30 seconds, with the nodes' logs.
    pub fn start(self) -> Cluster {
        let tls = self.node.has_tls();
        let builder = self.node.node(Node { has_replicas: self.replicas > 0 });
        let count = self.primaries * (1 + self.replicas);
        // Started at once: a node with modules takes a third of a second.
        let nodes: Vec<Server> = thread::scope(|scope| {
            let starting: Vec<_> = (0..count).map(|_| scope.spawn(|| builder.clone().start())).collect();
            starting
                .into_iter()
                .map(|node| node.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        });
        join::join(&nodes, self.primaries);
        Cluster { nodes, primaries: self.primaries, tls }
    }
}
