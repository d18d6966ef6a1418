//! What is said about files.

use serde_json::Value;
use testkit::{Server, dataset};

use super::{SEED, saved, text};
use crate::support::Redferry;

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_those_of_the_server() {
    let source = Server::plain6().start();
    let summary = dataset::every_type(&source.access(), SEED, 1).await;
    dataset::big(&source.access(), dataset::Kind::Hash, 1 << 20).await;
    let file = saved(&source).await;
    let redferry = Redferry::between(&source.access(), &source.access());
    let page = redferry.folder().join("page.html");
    let ended = redferry.rdb("inspect", &[text(&file), "--report", text(&page)]).expect(0);
    let mut connection = source.access().connect().await;
    let keys: u64 = redis::cmd("DBSIZE").query_async(&mut connection).await.unwrap();
    assert_eq!(ended.number("keys"), keys, "{summary:?}");
    let types = ended.report["types"].as_object().unwrap();
    assert_eq!(types.values().map(|count| count["keys"].as_u64().unwrap()).sum::<u64>(), keys);
    let ttl = ended.report["ttl"].as_object().unwrap();
    assert_eq!(ttl.values().map(|keys| keys.as_u64().unwrap()).sum::<u64>(), keys);
    assert_eq!(ended.report["files"][0]["checksum"], "right");
    assert_eq!(ended.report["largest"][0]["type"], "hash");
    assert!(ended.report["largest"][0].get("key").is_none(), "names only where they are asked for");
    // The estimate against what MEMORY USAGE adds up to, which is what it is made after.
    let names: Vec<Vec<u8>> = redis::cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap();
    let mut memory = 0;
    for name in names {
        let mut usage = redis::cmd("MEMORY");
        let bytes: u64 =
            usage.arg("USAGE").arg(name).arg("SAMPLES").arg(0).query_async(&mut connection).await.unwrap();
        memory += bytes;
    }
    let estimate = ended.number("resident_bytes_estimate");
    assert!(
        (memory * 6 / 10..=memory * 14 / 10).contains(&estimate),
        "{estimate} estimated, {memory} in use"
    );
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n") && page.contains("<svg"));
    assert!(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"));
    let shown = redferry.rdb("inspect", &[text(&file), "--show-keys", "--top", "1"]).expect(0);
    assert_eq!(shown.report["largest"].as_array().unwrap().len(), 1);
    assert_eq!(shown.report["largest"][0]["key"], "big:hash");
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_json_and_hold_every_key() {
    let source = Server::plain6().start();
    dataset::every_type(&source.access(), SEED, 1).await;
    let mut connection = source.access().connect().await;
    let commands: [&[&[u8]]; 5] = [
        &[b"SET", b"known:text", "gr\u{fc}\u{df}e\n\"".as_bytes()],
        &[b"HSET", b"known:hash", b"a", b"1", b"b", b"\xff"],
        &[b"ZADD", b"known:zset", b"1.5", b"m", b"-inf", b"n"],
        &[b"RPUSH", b"known:list", b"x", b"y"],
        &[b"XADD", b"known:stream", b"5-1", b"f", b"v"],
    ];
    for command in commands {
        let mut cmd = redis::Cmd::new();
        command.iter().for_each(|arg| _ = cmd.arg(*arg));
        let _: redis::Value = cmd.query_async(&mut connection).await.unwrap();
    }
    let file = saved(&source).await;
    let redferry = Redferry::between(&source.access(), &source.access());
    let output = redferry.rdb_output("inspect", &["--keys", text(&file)]);
    assert!(output.status.success(), "{output:?}");
    let lines: Vec<Value> = output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    let keys: usize = redis::cmd("DBSIZE").query_async(&mut connection).await.unwrap();
    assert_eq!(lines.len(), keys);
    let of = |name: &str| {
        let line = lines.iter().find(|line| line["key"] == name).unwrap();
        assert_eq!((&line["db"], &line["expire_at_ms"]), (&0.into(), &Value::Null));
        line["value"].to_string()
    };
    assert_eq!(of("known:text"), "\"gr\u{fc}\u{df}e\\n\\\"\"");
    assert_eq!(of("known:hash"), r#"{"a":"1","b":{"base64":"/w=="}}"#);
    assert_eq!(of("known:zset"), r#"[["n","-inf"],["m",1.5]]"#);
    assert_eq!(of("known:list"), r#"["x","y"]"#);
    assert_eq!(of("known:stream"), r#"{"entries":[["5-1",[["f","v"]]]],"groups":[],"last_id":"5-1"}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn large_values_are_written_as_they_come() {
    let source = Server::plain6().start();
    for kind in dataset::Kind::ALL {
        dataset::big(&source.access(), kind, 20 << 20).await;
    }
    let file = saved(&source).await;
    let redferry = Redferry::between(&source.access(), &source.access());
    let output = redferry.rdb_output("inspect", &["--keys", text(&file)]);
    assert!(output.status.success());
    let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let kinds: Vec<String> = lines
        .map(|line| serde_json::from_slice::<Value>(line).unwrap()["type"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds.len(), dataset::Kind::ALL.len());
    // To a file, with the report: memory does not follow the size of the values.
    let ended = redferry.rdb("convert", &[text(&file), "lines.json", "--to", "json"]).expect(0);
    let peak = ended.number("peak_rss_bytes");
    assert!(peak < 120 << 20, "{peak} bytes of memory for values of 20 MiB each");
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_does_not_follow_the_size_of_the_file() {
    let (source, target) = (Server::plain6().start(), Server::amr().start());
    dataset::strings(&source.access(), 200_000, 400).await;
    for kind in dataset::Kind::ALL {
        dataset::big(&source.access(), kind, 40 << 20).await;
    }
    let file = saved(&source).await;
    let size = std::fs::metadata(&file).unwrap().len();
    assert!(size > 300 << 20, "{size}");
    let redferry = Redferry::between(&source.access(), &target.access());
    let inspected = redferry.rdb("inspect", &[text(&file)]).expect(0);
    let imported = redferry.rdb("import", &[text(&file), "--big-key", "1MiB", "--memory", "8MiB"]).expect(0);
    let exported = redferry.rdb("export", &["out.rdb", "--big-key", "1MiB", "--memory", "8MiB"]).expect(0);
    // Streams are dumped whole by an export, so it holds this one.
    for (ended, most) in [(inspected, 48 << 20), (imported, 96 << 20), (exported, 220 << 20)] {
        let peak = ended.number("peak_rss_bytes");
        assert!(peak < most, "{} took {peak} bytes", ended.report["command"]);
    }
}
