//! What users get wrong and what networks and servers do to them: each ends with its exit code and with the
//! words that the engineer on call needs.

mod access;
mod network;
mod state;
mod target_in_trouble;
mod tls;
mod usage;
mod wrong_way;

use testkit::{Access, Server};

use crate::support::{Ended, Redferry};

/// Fails the test unless the run ended so, and its message and its document say each of these words.
#[track_caller]
fn ends(ended: Ended, code: i32, words: &[&str]) -> Ended {
    let status = match code {
        0 => "done",
        1 => "done_with_differences",
        2 => "usage",
        3 => "refused",
        4 => "interrupted",
        _ => "failed",
    };
    let ended = ended.expect(code);
    assert_eq!(ended.report["status"], status, "{ended:#?}");
    assert_eq!(ended.report["exit_code"], code, "{ended:#?}");
    if code <= 1 {
        assert!(ended.report["error"].is_null(), "{ended:#?}");
    }
    let error = ended.report["error"].as_str().unwrap_or_default();
    assert!(code <= 1 || !error.is_empty(), "no reason in {ended:#?}");
    for words in words {
        assert!(error.contains(words), "nothing about {words:?} in the document's error: {error}");
        assert!(ended.said.contains(words), "nothing about {words:?} in: {}", ended.said);
    }
    ended
}

/// A source with a few keys and an empty target.
fn pair() -> (Server, Server) {
    let source = Server::acr().start();
    for key in ["a", "b", "c"] {
        source.command(&["SET", key, "value"]);
    }
    (source, Server::plain7().start())
}

/// From this source to a target with which all is well.
fn from(source: &str, options: &[&str]) -> Ended {
    let target = Server::plain7().start();
    Redferry::between_addresses(source, &target.access().url()).copy(options)
}

/// Keys of database 0.
#[track_caller]
fn keys(server: &Server) -> i64 {
    match server.command(&["DBSIZE"]) {
        testkit::server::Reply::Integer(keys) => keys,
        other => panic!("DBSIZE was answered with {other:?}"),
    }
}

/// An address with user and password in it, as a URL.
pub(crate) fn url_as(user: &str, password: &str, access: &Access) -> String {
    format!("redis://{user}:{password}@{}:{}", access.host, access.port)
}
