//! Each profile starts, refuses what its service refuses, and can be stopped, paused and started again.

use std::time::{Duration, Instant};

use testkit::Server;
use testkit::server::Reply;

#[track_caller]
fn assert_unknown(server: &Server, commands: &[&str]) {
    for command in commands {
        match server.command(&[command]) {
            Reply::Error(error) => assert!(error.starts_with("ERR unknown command"), "{command}: {error}"),
            other => panic!("{command} is not blocked: {other:?}"),
        }
    }
}

fn ok() -> Reply {
    Reply::Status("OK".into())
}

#[test]
fn acr_refuses_what_the_service_refuses() {
    let server = Server::acr().start();
    assert_unknown(
        &server,
        &[
            "BGREWRITEAOF",
            "BGSAVE",
            "CONFIG",
            "DEBUG",
            "MIGRATE",
            "SAVE",
            "SHUTDOWN",
            "SLAVEOF",
            "REPLICAOF",
            "PSYNC",
            "SYNC",
            "MODULE",
            "ACL",
        ],
    );
    assert_eq!(server.command(&["SELECT", "15"]), ok());
    assert!(server.command(&["INFO", "server"]).text().contains("redis_version:6."));
}

#[test]
fn amr_has_modules_one_database_and_refuses_what_the_service_refuses() {
    let server = Server::amr().start();
    assert_unknown(
        &server,
        &[
            "BGREWRITEAOF",
            "BGSAVE",
            "SAVE",
            "SHUTDOWN",
            "SLAVEOF",
            "REPLICAOF",
            "PSYNC",
            "SYNC",
            "REPLCONF",
            "MIGRATE",
            "MOVE",
            "DEBUG",
            "SWAPDB",
            "FAILOVER",
            "ROLE",
            "LASTSAVE",
        ],
    );
    assert_eq!(server.command(&["SELECT", "1"]).text(), "ERR DB index is out of range");
    assert_eq!(server.command(&["JSON.SET", "doc", "$", "{\"a\":1}"]), ok());
    assert_eq!(server.command(&["BF.ADD", "filter", "x"]), Reply::Integer(1));
    assert_eq!(server.command(&["TS.ADD", "series", "1000", "1"]), Reply::Integer(1000));
    assert_eq!(server.command(&["FT.CREATE", "index", "SCHEMA", "title", "TEXT"]), ok());
}

#[test]
fn plain_servers_keep_everything() {
    for server in [Server::plain6().start(), Server::plain7().start()] {
        assert_eq!(server.access().password, None);
        assert_eq!(server.command(&["CONFIG", "SET", "maxmemory", "100mb"]), ok());
        assert_eq!(server.command(&["DEBUG", "SLEEP", "0"]), ok());
        assert_eq!(server.command(&["REPLICAOF", "NO", "ONE"]), ok());
    }
}

#[test]
fn options_reach_the_server() {
    let server = Server::plain7()
        .password(Some("with \"quotes\" and \\"))
        .maxmemory("50mb")
        .policy("allkeys-lru")
        .arg("notify-keyspace-events", "KEA")
        .start();
    for (name, value) in
        [("maxmemory", "52428800"), ("maxmemory-policy", "allkeys-lru"), ("notify-keyspace-events", "AKE")]
    {
        let Reply::Array(pair) = server.command(&["CONFIG", "GET", name]) else {
            panic!("no setting {name}")
        };
        assert_eq!(pair[1].text(), value);
    }
}

#[test]
fn restart_keeps_the_port_and_loses_the_data_unless_asked_to_keep_them() {
    let forgetful = Server::acr().start();
    let lasting = Server::acr().arg("appendonly", "yes").arg("appendfsync", "always").start();
    for (server, left) in [(&forgetful, 0), (&lasting, 1)] {
        let (port, pid) = (server.access().port, server.pid());
        assert_eq!(server.command(&["SET", "key", "value"]), ok());
        server.restart();
        assert_eq!(server.access().port, port);
        assert_ne!(server.pid(), pid);
        assert_eq!(server.command(&["DBSIZE"]), Reply::Integer(left));
    }
}

#[test]
fn a_paused_server_answers_only_after_it_is_resumed() {
    let server = Server::plain7().start();
    server.pause();
    std::thread::scope(|scope| {
        let begun = Instant::now();
        let answer = scope.spawn(|| server.command(&["PING"]));
        std::thread::sleep(Duration::from_millis(300));
        assert!(!answer.is_finished());
        server.resume();
        assert_eq!(answer.join().unwrap(), Reply::Status("PONG".into()));
        assert!(begun.elapsed() >= Duration::from_millis(300));
    });
}

#[test]
fn usage_is_measured() {
    let server = Server::plain7().start();
    let (before, memory) = (server.cpu_time(), server.rss());
    assert!(memory > 1_000_000, "{memory}");
    server.command(&["EVAL", "for i = 1, 3000000 do redis.sha1hex('x') end", "0"]);
    assert!(server.cpu_time() - before >= Duration::from_millis(50), "{:?}", server.cpu_time() - before);
    server.kill();
    assert_eq!(server.rss(), 0);
    assert!(server.log().contains("Ready to accept connections"));
}

#[test]
fn the_folder_and_the_process_go_with_the_server() {
    let server = Server::plain6().start();
    let (folder, pid) = (server.folder().to_owned(), server.pid());
    drop(server);
    assert!(!folder.exists());
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
}
