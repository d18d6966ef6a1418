//! Passwords, users and databases.

use testkit::Server;

use super::{ends, keys, pair, url_as};
use crate::support::Redferry;

#[test]
fn a_wrong_password_is_refused_and_never_shown() {
    let (source, target) = pair();
    let (source, target) = (source.access(), target.access());
    let in_file = Redferry::between_addresses(&source.url(), &target.url());
    std::fs::write(in_file.folder().join("password"), "wrong-S3cret").unwrap();
    let in_url = Redferry::between_addresses(&url_as("", "wrong-S3cret", &source), &target.url());
    let in_environment = Redferry::between(&target, &source).with_passwords("none-S3cret", "wrong-S3cret");
    for ended in [
        in_file.copy(&["-vv", "--source-password-file", "password"]),
        in_url.copy(&["-vv"]),
        in_environment.copy(&["-vv"]),
    ] {
        let ended = ends(ended, 5, &["credentials were refused", "access key"]);
        assert!(!ended.said.contains("S3cret") && !ended.report.to_string().contains("S3cret"), "{ended:#?}");
    }
}

#[test]
fn no_password_where_one_is_needed() {
    let (source, target) = pair();
    let redferry = Redferry::between_addresses(&source.access().url(), &target.access().url());
    ends(redferry.copy(&[]), 5, &["source", "NOAUTH", "password"]);
    let redferry = Redferry::between_addresses(&target.access().url(), &source.access().url());
    ends(redferry.copy(&[]), 5, &["target", "NOAUTH", "password"]);
}

#[test]
fn a_password_file_that_is_not_there() {
    let (source, target) = pair();
    let redferry = Redferry::between(&source.access(), &target.access());
    ends(redferry.copy(&["--source-password-file", "no-such-file"]), 2, &["--source", "no-such-file"]);
}

#[test]
fn a_password_from_a_file_works() {
    let (source, target) = pair();
    let redferry = Redferry::between_addresses(&source.access().url(), &target.access().url());
    std::fs::write(redferry.folder().join("password"), "testkit-secret\n").unwrap();
    ends(redferry.copy(&["--source-password-file", "password"]), 0, &[]);
}

#[test]
fn a_source_user_who_may_not_read() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    source.command(&["RPUSH", "list", "a"]);
    source.command(&["ACL", "SETUSER", "reader", "on", ">pw", "~*", "+@all", "-dump"]);
    let redferry =
        Redferry::between_addresses(&url_as("reader", "pw", &source.access()), &target.access().url());
    ends(redferry.copy(&[]), 3, &["the source lacks DUMP", "data access policy"]);
    source.command(&["ACL", "SETUSER", "reader", "+dump", "-scan"]);
    ends(redferry.copy(&[]), 3, &["the source lacks SCAN"]);
    source.command(&["ACL", "SETUSER", "reader", "+scan"]);
    ends(redferry.copy(&[]), 0, &[]);
}

#[test]
fn a_target_user_who_may_not_write() {
    let (source, target) = pair();
    target.command(&["ACL", "SETUSER", "writer", "on", ">pw", "~*", "+@all", "-set"]);
    let source_url = url_as("", "testkit-secret", &source.access());
    let redferry = Redferry::between_addresses(&source_url, &url_as("writer", "pw", &target.access()));
    ends(redferry.copy(&[]), 3, &["the target lacks SET", "data access policy"]);
    assert_eq!(keys(&target), 0);
}

#[test]
fn keys_that_a_target_user_may_not_write_are_counted_and_the_rest_is_copied() {
    let (source, target) = pair();
    source.command(&["SET", "app:1", "value"]);
    target.command(&["ACL", "SETUSER", "writer", "on", ">pw", "~app:*", "~redferry:*", "+@all"]);
    let source_url = url_as("", "testkit-secret", &source.access());
    let redferry = Redferry::between_addresses(&source_url, &url_as("writer", "pw", &target.access()));
    let ended = ends(redferry.copy(&["--show-keys"]), 1, &[]);
    assert_eq!((ended.number("keys_copied"), ended.number("keys_failed")), (1, 3), "{ended:#?}");
    assert_eq!(ended.report["causes"]["target_forbids"], 3);
    assert_eq!(ended.report["examples"]["target_forbids"].as_array().map(Vec::len), Some(3));
    assert_eq!(keys(&target), 1);
}

#[test]
fn databases_that_are_not_there() {
    let (source, target) = pair();
    let redferry = Redferry::between(&source.access(), &target.access());
    ends(redferry.copy(&["--db", "99"]), 3, &["the source has no database 99", "--db"]);
    let amr = Server::amr().start();
    let redferry = Redferry::between(&source.access(), &amr.access());
    ends(redferry.copy(&["--db", "3"]), 3, &["the target has no database 3", "--db-map 3=0"]);
    ends(redferry.copy(&["--db-map", "0=7"]), 3, &["the target has no database 7"]);
}

#[test]
fn an_empty_source_is_copied_in_no_time() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let ended = ends(Redferry::between(&source.access(), &target.access()).copy(&[]), 0, &[]).expect_calm();
    assert_eq!((ended.number("keys_scanned"), ended.number("keys_copied")), (0, 0));
}
