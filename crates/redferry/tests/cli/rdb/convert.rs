//! Files of other versions and forms.

use std::io::Write as _;
use std::net::TcpStream;

use testkit::{Server, dataset};

use super::{SEED, equal, saved, text};
use crate::support::Redferry;

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_7_4_becomes_one_that_6_0_takes() {
    let (source, target) = (Server::plain7().start(), Server::acr().start());
    dataset::every_type(&source.access(), SEED, 1).await;
    dataset::mixed(&source.access(), 2_000, SEED).await;
    let file = saved(&source).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    let ended = redferry.rdb("convert", &[text(&file), "old.rdb.gz", "--version", "9"]).expect(0);
    assert_eq!(ended.number("keys_scanned"), ended.number("keys_copied"));
    let inspected = redferry.rdb("inspect", &["old.rdb.gz"]).expect(0);
    assert_eq!(inspected.report["files"][0]["rdb_version"], 9);
    redferry.rdb("import", &["old.rdb.gz"]).expect(0).expect_calm();
    equal(&source.access(), &target.access()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_make_the_same_keys() {
    let (source, target) = (Server::plain7().start(), Server::plain7().start());
    dataset::every_type(&source.access(), SEED, 1).await;
    dataset::mixed(&source.access(), 1_000, SEED).await;
    for kind in dataset::Kind::ALL {
        dataset::big(&source.access(), kind, 9 << 20).await;
    }
    let file = saved(&source).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    redferry.rdb("convert", &[text(&file), "commands.resp", "--to", "resp"]).expect(0);
    // As redis-cli --pipe sends them: all of it, then wait for the last answer. Twice changes nothing.
    let commands = std::fs::read(redferry.folder().join("commands.resp")).unwrap();
    for _ in 0..2 {
        let access = target.access();
        let mut stream = TcpStream::connect((access.host.as_str(), access.port)).unwrap();
        let mut answers = stream.try_clone().unwrap();
        let errors = std::thread::spawn(move || {
            let mut all = Vec::new();
            _ = std::io::Read::read_to_end(&mut answers, &mut all);
            let text = String::from_utf8_lossy(&all).into_owned();
            text.lines().filter(|line| line.starts_with('-')).map(str::to_owned).collect::<Vec<_>>()
        });
        stream.write_all(&commands).unwrap();
        stream.write_all(b"*1\r\n$4\r\nQUIT\r\n").unwrap();
        assert_eq!(errors.join().unwrap(), Vec::<String>::new());
    }
    equal(&source.access(), &target.access()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_told_and_left_out() {
    let source = Server::plain7().start();
    dataset::strings(&source.access(), 10, 20).await;
    let mut connection = source.access().connect().await;
    let _: () = redis::cmd("HSET").arg(&["expiring", "a", "1"]).query_async(&mut connection).await.unwrap();
    let mut expire = redis::cmd("HEXPIRE");
    let _: redis::Value =
        expire.arg(&["expiring", "1000", "FIELDS", "1", "a"]).query_async(&mut connection).await.unwrap();
    let file = saved(&source).await;
    let redferry = Redferry::between(&source.access(), &source.access());
    let ended = redferry.rdb("convert", &[text(&file), "old.rdb", "--version", "9", "--show-keys"]).expect(1);
    assert_eq!(ended.report["examples"]["format_unfit"], serde_json::json!(["expiring"]));
    assert_eq!(redferry.rdb("inspect", &["old.rdb"]).expect(0).number("keys"), 10);
    let newer = redferry.rdb("convert", &[text(&file), "new.rdb", "--version", "12"]).expect(0);
    assert_eq!(newer.number("keys_copied"), 11);
}
