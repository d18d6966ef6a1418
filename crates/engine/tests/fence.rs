//! Writes of lost connections come late on purpose: they must not win over newer ones.

mod support;

use std::time::{Duration, Instant};

use client::{FeedKind, Side};
use engine::{Sync, temporary};
use support::endpoint;
use support::following::{Following, assert_equal, database_0, prepare, start};
use testkit::dataset::Kind;
use testkit::relay::Relay;
use testkit::server::Reply;
use testkit::{Access, Server, dataset};

/// A sync whose way to the target leads over a relay, and that follows.
struct Way {
    source: Server,
    target: Server,
    relay: Relay,
    following: Following,
}

impl Way {
    async fn open(change: impl FnOnce(&mut Sync)) -> Way {
        Way::of(Server::plain6().start(), Server::plain7().start(), change).await
    }

    async fn of(source: Server, target: Server, change: impl FnOnce(&mut Sync)) -> Way {
        let access = target.access();
        let relay = Relay::to(&access.host, access.port);
        source.command(&["SET", "key", "first"]);
        dataset::big(&source.access(), Kind::String, 200_000).await;
        let mut sync =
            prepare(&source.access(), &access.via(relay.port()), FeedKind::Tracking, database_0()).await;
        // Time enough for a slow machine to change something before it ends.
        sync.until_quiet = Some(Duration::from_secs(3));
        change(&mut sync);
        let following = start(sync);
        following.is_following().await;
        Way { source, target, relay, following }
    }

    /// Waits until the target has this value.
    fn arrives(&self, key: &str, value: &str) {
        self.until("the value does not arrive", || self.target.command(&["GET", key]).text() == value);
    }

    fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        let give_up = Instant::now() + Duration::from_secs(60);
        while !is_so() {
            assert!(Instant::now() < give_up, "{what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The source changes, the write is sent and stays on its way, and its connection is lost.
    fn lose_a_write(&self, change: impl Fn(&Server)) {
        self.relay.withhold();
        change(&self.source);
        self.until("no write is on its way", || self.relay.withheld() > 0);
        self.relay.part();
    }

    async fn ends(self) -> (Server, Server) {
        self.following.ends_ready().await;
        assert_equal(&self.source.access(), &self.target.access()).await;
        (self.source, self.target)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_write_does_not_win() {
    let way = Way::open(|_| {}).await;
    way.lose_a_write(|source| _ = source.command(&["SET", "key", "old"]));
    way.source.command(&["SET", "key", "new"]);
    way.arrives("key", "new");
    way.following.until(|status| status.nodes[0].dirty == 0).await;
    way.relay.deliver();
    assert_eq!(way.target.command(&["GET", "key"]).text(), "new");
    way.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_removal_does_not_win() {
    let way = Way::open(|_| {}).await;
    way.lose_a_write(|source| _ = source.command(&["DEL", "key"]));
    way.source.command(&["SET", "key", "new"]);
    way.arrives("key", "new");
    way.following.until(|status| status.nodes[0].dirty == 0).await;
    way.relay.deliver();
    assert_eq!(way.target.command(&["GET", "key"]).text(), "new");
    way.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn late_pieces_leave_nothing_behind() {
    let way = Way::open(|sync| sync.options.big_key = 100_000).await;
    let key = Kind::String.key();
    way.lose_a_write(|source| _ = source.command(&["SETRANGE", &key, "0", "old"]));
    way.source.command(&["SETRANGE", &key, "0", "new"]);
    way.until("the value does not arrive", || {
        way.target.command(&["GETRANGE", &key, "0", "2"]).text() == "new"
    });
    way.following.until(|status| status.nodes[0].dirty == 0).await;
    way.relay.deliver();
    let temp = String::from_utf8(temporary::name(key.as_bytes())).unwrap();
    assert_eq!(way.target.command(&["EXISTS", &temp]), Reply::Integer(0));
    way.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_connections_may_not_be_closed_the_keys_are_carried_once_more() {
    for forbidden in ["-client|kill", "-client|id"] {
        let target = Server::plain7().start();
        target.command(&["ACL", "SETUSER", "default", forbidden]);
        let way = Way::of(Server::plain6().start(), target, |sync| {
            sync.options.late_writes = Duration::from_secs(6);
        })
        .await;
        way.lose_a_write(|source| _ = source.command(&["SET", "key", "old"]));
        way.source.command(&["SET", "key", "new"]);
        way.arrives("key", "new");
        // The one that waits is this key, until it is carried once more.
        way.following.until(|status| status.nodes[0].dirty == 1).await;
        way.relay.deliver();
        assert_eq!(way.target.command(&["GET", "key"]).text(), "old", "the write came late");
        way.arrives("key", "new");
        way.ends().await;
    }
}

/// Connections by their name.
fn named(server: &Server, name: &str) -> usize {
    let list = server.command(&["CLIENT", "LIST"]).text();
    list.lines().filter(|line| line.contains(&format!("name={name} "))).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_process_closes_the_connections_of_an_earlier_one() {
    let way = Way::open(|sync| sync.options.run_name = Some("one".into())).await;
    assert_eq!(named(&way.target, "redferry:one"), 1);
    // What the earlier process sent before it crashed is still on its way.
    way.relay.withhold();
    way.source.command(&["SET", "key", "old"]);
    way.until("no write is on its way", || way.relay.withheld() > 0);
    way.following.task.abort();
    way.relay.part();
    let other = engine::fence(&endpoint(Side::Target, &way.target.access()), "on").await.unwrap();
    let killed = engine::fence(&endpoint(Side::Target, &way.target.access()), "one").await.unwrap();
    assert_eq!((other, killed, named(&way.target, "redferry:one")), (0, 1, 0));
    way.target.command(&["SET", "key", "new"]);
    way.relay.deliver();
    assert_eq!(way.target.command(&["GET", "key"]).text(), "new");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_does_not_let_connections_be_closed_says_so() {
    let target = Server::plain7().start();
    target.command(&["ACL", "SETUSER", "default", "-client|list"]);
    let access: Access = target.access();
    let refused = engine::fence(&endpoint(Side::Target, &access), "one").await.unwrap_err();
    assert!(refused.to_string().contains("CLIENT LIST"), "{refused}");
}
