//! Keys whose slot is not where the cluster said it was.

use std::sync::Arc;
use std::time::Duration;

use engine::Stop;
use testkit::relay::Relay;
use testkit::server::Reply;
use testkit::{Access, Cluster, Server};

use crate::{Key, assert_equal, copy_all, named, plain_repair, run};

/// The slot of this tag, and keys of it: strings, a list, and one that goes in pieces.
const TAG: &str = "moving";

async fn fill(cluster: &Cluster) -> Vec<Key> {
    let mut connection = cluster.access().connect_cluster().await;
    let mut names = Vec::new();
    for number in 0..50 {
        names.push(format!("{{{TAG}}}:{number}"));
        run(&mut connection, &format!("SET {{{TAG}}}:{number} {number} PX 3600123")).await;
        names.push(format!("other:{number}"));
        run(&mut connection, &format!("SET other:{number} {number}")).await;
    }
    names.push(format!("{{{TAG}}}:list"));
    run(&mut connection, &format!("RPUSH {{{TAG}}}:list a b c")).await;
    for kind in ["big", "huge"] {
        names.push(format!("{{{TAG}}}:{kind}"));
        let elements = vec!["element"; 20_000].join(" ");
        run(&mut connection, &format!("RPUSH {{{TAG}}}:{kind} {elements}")).await;
    }
    named(0, names)
}

/// A cluster's slot on its way from one node to another.
struct Move<'c> {
    cluster: &'c Cluster,
    slot: String,
    from: usize,
    to: usize,
}

impl Move<'_> {
    fn of_tag(cluster: &Cluster) -> Move<'_> {
        let Reply::Integer(slot) = cluster.admin(0, &["CLUSTER", "KEYSLOT", TAG]) else { panic!("no slot") };
        let holds = |node: usize| {
            cluster.admin(node, &["CLUSTER", "COUNTKEYSINSLOT", &slot.to_string()]) != Reply::Integer(0)
        };
        let from = (0..3).find(|&node| holds(node)).unwrap();
        Move { cluster, slot: slot.to_string(), from, to: (from + 1) % 3 }
    }

    /// From now on the old node sends clients to the new one for keys that it does not have.
    fn begin(&self) {
        let (from, to) = (self.id(self.from), self.id(self.to));
        self.ok(self.to, &["CLUSTER", "SETSLOT", &self.slot, "IMPORTING", &from]);
        self.ok(self.from, &["CLUSTER", "SETSLOT", &self.slot, "MIGRATING", &to]);
    }

    /// Moves so many of the slot's keys.
    fn keys(&self, count: &str) {
        let found = self.cluster.admin(self.from, &["CLUSTER", "GETKEYSINSLOT", &self.slot, count]);
        let Reply::Array(names) = found else { panic!("{found:?}") };
        let names: Vec<String> = names.iter().map(Reply::text).collect();
        let port = self.cluster.node_access(self.to).port.to_string();
        let mut args = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "10000", "KEYS"];
        args.extend(names.iter().map(String::as_str));
        self.ok(self.from, &args);
    }

    /// The new node owns the slot, and all nodes know it.
    fn end(&self) {
        let to = self.id(self.to);
        for node in [self.to, self.from, 3 - self.to - self.from] {
            self.ok(node, &["CLUSTER", "SETSLOT", &self.slot, "NODE", &to]);
        }
    }

    fn id(&self, node: usize) -> String {
        self.cluster.admin(node, &["CLUSTER", "MYID"]).text()
    }

    fn ok(&self, node: usize, args: &[&str]) {
        assert_eq!(self.cluster.admin(node, args), Reply::Status("OK".into()), "{args:?}");
    }
}

/// The slot moves between the question for the layout and the reading: the old node answers MOVED.
#[tokio::test(flavor = "multi_thread")]
async fn keys_are_tried_on_the_node_that_they_moved_to() {
    let (source, target) = (Cluster::plain6(3).start(), Server::plain7().start());
    let keys = fill(&source).await;
    let relay = Relay::to("127.0.0.1", target.access().port);
    let mut repair = plain_repair(&source.access(), &target.access().via(relay.port())).await;
    repair.options.big_key = 64 * 1024;
    // The target's layout is asked for after the source's.
    relay.stall(true);
    let before = relay.accepted();
    let copying = tokio::spawn(async move { copy_all(&repair, &keys).await });
    while relay.accepted() == before {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let slot = Move::of_tag(&source);
    slot.begin();
    slot.keys("1000");
    slot.end();
    let old = &source.nodes()[slot.from];
    let (asked_before, Reply::Integer(left)) = (reads(old), old.command(&["DBSIZE"])) else { panic!() };
    relay.stall(false);
    copying.await.unwrap();
    assert_eq!(
        reads(old) - asked_before,
        left + 53,
        "the old node was asked for what it has and what left it"
    );
    assert_equal(&source.access(), &target.access()).await;
}

/// Reads that a node was asked for, redirected or not.
fn reads(server: &Server) -> i64 {
    let stats = server.command(&["INFO", "commandstats"]).text();
    let line = stats.lines().find(|line| line.starts_with("cmdstat_multi:"));
    line.and_then(|line| line.split(['=', ',']).nth(1)).map_or(0, |calls| calls.parse().unwrap())
}

/// Half of the slot's keys have moved: for those the old node answers ASK until the move is over.
#[tokio::test(flavor = "multi_thread")]
async fn keys_of_a_slot_on_its_way_are_waited_for() {
    let (source, target) = (Cluster::plain6(3).start(), Server::plain7().start());
    let keys = fill(&source).await;
    let slot = Move::of_tag(&source);
    slot.begin();
    slot.keys("25");
    let mut repair = plain_repair(&source.access(), &target.access()).await;
    repair.options.big_key = 64 * 1024;
    let (count, copied_of) = (keys.len(), target.access());
    let copying = tokio::spawn(async move { copy_all(&repair, &keys).await });
    until_keys(&copied_of, count - 25).await;
    assert!(!copying.is_finished(), "25 keys are neither here nor there");
    slot.keys("1000");
    slot.end();
    copying.await.unwrap();
    assert_equal(&source.access(), &target.access()).await;
}

/// Big keys wait their turn when the slot moves. The node is asked for them then, by the connections for
/// pieces.
#[tokio::test(flavor = "multi_thread")]
async fn big_keys_that_move_while_they_wait_are_found() {
    let (source, target) = (Cluster::plain6(3).start(), Server::plain7().start());
    let mut connection = source.access().connect_cluster().await;
    let names: Vec<String> = (0..12).map(|number| format!("{{{TAG}}}:{number}")).collect();
    let elements = vec!["element"; 20_000].join(" ");
    for name in &names {
        run(&mut connection, &format!("RPUSH {name} {elements}")).await;
    }
    let relay = Relay::to("127.0.0.1", target.access().port);
    let mut repair = plain_repair(&source.access(), &target.access().via(relay.port())).await;
    repair.options.big_key = 64 * 1024;
    relay.delay(Duration::from_millis(10));
    let copying = tokio::spawn(async move { copy_all(&repair, &named(0, names)).await });
    until_keys(&target.access(), 1).await;
    // Two are under way at once; the others wait.
    relay.stall(true);
    let slot = Move::of_tag(&source);
    slot.begin();
    slot.keys("1000");
    slot.end();
    let Reply::Integer(there) = target.command(&["DBSIZE"]) else { panic!("no size") };
    assert!(there < 8, "{there} of 12 keys were there before the slot had moved");
    relay.heal();
    copying.await.unwrap();
    assert_equal(&source.access(), &target.access()).await;
}

/// It never ends: what is left is told, and why.
#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_never_arrives_is_given_up() {
    let (source, target) = (Cluster::plain6(3).start(), Server::plain7().start());
    let keys = fill(&source).await;
    let slot = Move::of_tag(&source);
    slot.begin();
    slot.keys("25");
    let mut repair = plain_repair(&source.access(), &target.access()).await;
    repair.options.give_up_after = Duration::from_millis(300);
    let outcome = repair.copy_keys(keys.clone(), Arc::new(Stop::default())).await;
    assert!(matches!(outcome.halt, Some(engine::Halt::Outage { .. })), "{outcome:?}");
    assert_eq!((outcome.left.len(), outcome.total.copied), (25, keys.len() as u64 - 25), "{outcome:?}");
    assert!(outcome.not_copied.is_empty(), "{outcome:?}");
}

async fn until_keys(access: &Access, count: usize) {
    let mut connection = access.connect().await;
    loop {
        let keys: usize = redis::cmd("DBSIZE").query_async(&mut connection).await.unwrap();
        if keys >= count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
