//! Joining nodes to a cluster with `CLUSTER` commands, as `redis-cli --cluster create` does.

use std::thread;
use std::time::{Duration, Instant};

use crate::server::{BUS_OFFSET, Reply, Server};

const SLOTS: usize = 16_384;

/// How long the nodes may take to agree.
const LIMIT: Duration = Duration::from_secs(30);

/// Makes one cluster of `nodes`: the first `primaries` share the slots, each other one replicates the
/// primary of the same rank.
pub(super) fn join(nodes: &[Server], primaries: usize) {
    for (index, node) in nodes.iter().enumerate() {
        // Different epochs from the start spare the nodes from settling a collision.
        expect_ok(node, &["CLUSTER", "SET-CONFIG-EPOCH", &(index + 1).to_string()]);
    }
    for (index, node) in nodes[..primaries].iter().enumerate() {
        let slots = (SLOTS * index / primaries)..(SLOTS * (index + 1) / primaries);
        let slots: Vec<String> = slots.map(|slot| slot.to_string()).collect();
        let args: Vec<&str> =
            ["CLUSTER", "ADDSLOTS"].into_iter().chain(slots.iter().map(String::as_str)).collect();
        expect_ok(node, &args);
    }
    // Everybody meets everybody: quicker than waiting for gossip.
    for (index, node) in nodes.iter().enumerate() {
        for other in &nodes[index + 1..] {
            let port = other.node_port();
            expect_ok(
                node,
                &["CLUSTER", "MEET", "127.0.0.1", &port.to_string(), &(port + BUS_OFFSET).to_string()],
            );
        }
    }
    wait(nodes, "know each other", |node| known_nodes(node) == nodes.len());
    for (replica, primary) in nodes[primaries..].iter().zip(nodes) {
        let id = primary.admin(&["CLUSTER", "MYID"]).text();
        expect_ok(replica, &["CLUSTER", "REPLICATE", &id]);
    }
    wait(nodes, "find the cluster whole", is_whole);
    wait(nodes, "agree on the roles", |node| {
        shown(node, " slave ") + shown(node, "myself,slave ") == nodes.len() - primaries
    });
    wait(&nodes[primaries..], "be in step with their primary", |node| {
        node.admin(&["INFO", "replication"]).text().contains("master_link_status:up")
    });
}

/// Whether every slot is served, as this node sees it.
pub(super) fn is_whole(node: &Server) -> bool {
    node.admin(&["CLUSTER", "INFO"]).text().contains("cluster_state:ok")
}

/// Nodes whose handshake is done; during it they have a preliminary name.
fn known_nodes(node: &Server) -> usize {
    shown(node, "") - shown(node, "handshake")
}

/// How many lines of the node's list hold `text`.
fn shown(node: &Server, text: &str) -> usize {
    node.admin(&["CLUSTER", "NODES"]).text().lines().filter(|line| line.contains(text)).count()
}

fn expect_ok(node: &Server, args: &[&str]) {
    match node.admin(args) {
        Reply::Status(_) => {}
        other => panic!("{} {} was refused: {}", args[0], args[1], other.text()),
    }
}

fn wait(nodes: &[Server], what: &str, mut done: impl FnMut(&Server) -> bool) {
    let deadline = Instant::now() + LIMIT;
    for node in nodes {
        while !done(node) {
            if Instant::now() > deadline {
                let list = node.admin(&["CLUSTER", "NODES"]).text();
                panic!("the nodes of a test cluster do not {what}:\n{list}\n{}", node.log());
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}
