//! Data that only Redis 7.4, or its modules, can hold.

use super::loader::{Entry, Loader};
use super::{Place, Summary};

/// Keys of RedisJSON, RedisTimeSeries and RedisBloom (Bloom and cuckoo filter, count-min sketch, top-k, t-digest).
pub async fn modules(place: impl Into<Place>) -> Summary {
    let mut loader = Loader::open(&place.into()).await;
    let document = r#"{"name":"Zoë \"x\"","n":[1,-2.5,1e300,null,true],"deep":{"a":{"b":[{},[],""]}},"big":9007199254740993}"#;
    let documents = [("json:document", document), ("json:scalar", "42"), ("json:empty", "{}")];
    for (key, text) in documents {
        loader.create(Entry::new("ReJSON-RL", key).run("JSON.SET", ["$", text])).await;
    }
    let series = Entry::new("TSDB-TYPE", "ts:samples").run(
        "TS.CREATE",
        ["RETENTION", "0", "DUPLICATE_POLICY", "LAST", "LABELS", "sensor", "1", "area", "north"],
    );
    let series = (0..500).fold(series, |series, n: i64| {
        series.run("TS.ADD", [(1_700_000_000_000 + n * 1_000).to_string(), (n as f64 / 7.0).to_string()])
    });
    loader.create(series).await;
    loader.create(Entry::new("TSDB-TYPE", "ts:empty").run("TS.CREATE", ["RETENTION", "60000"])).await;
    let members: Vec<String> = (0..200).map(|n| format!("member{n}")).collect();
    let members = || members.iter();
    loader
        .create(
            Entry::new("MBbloom--", "bloom")
                .run("BF.RESERVE", ["0.01", "100", "EXPANSION", "2"])
                .run("BF.MADD", members()),
        )
        .await;
    let cuckoo = Entry::new("MBbloomCF", "cuckoo").run("CF.RESERVE", ["1000"]);
    loader.create(members().fold(cuckoo, |cuckoo, member| cuckoo.run("CF.ADD", [member]))).await;
    let counts = members().enumerate().flat_map(|(n, member)| [member.clone(), (n + 1).to_string()]);
    loader
        .create(
            Entry::new("CMSk-TYPE", "sketch").run("CMS.INITBYDIM", ["200", "5"]).run("CMS.INCRBY", counts),
        )
        .await;
    loader
        .create(Entry::new("TopK-TYPE", "topk").run("TOPK.RESERVE", ["10"]).run("TOPK.ADD", members()))
        .await;
    let values = (0..200).map(|n| (f64::from(n) * 1.5).to_string());
    loader
        .create(
            Entry::new("TDIS-TYPE", "digest")
                .run("TDIGEST.CREATE", ["COMPRESSION", "100"])
                .run("TDIGEST.ADD", values),
        )
        .await;
    loader.finish().await
}

/// Hashes whose fields have their own time to live (`HPEXPIRE`, Redis 7.4): some, all, and beside a key's own.
pub async fn hash_field_ttls(place: impl Into<Place>) -> Summary {
    let mut loader = Loader::open(&place.into()).await;
    let fill = |key: &str, fields: usize| {
        let pairs = (0..fields).flat_map(|n| [format!("f{n}"), format!("value{n}")]);
        Entry::new("hash", key).run("HSET", pairs)
    };
    let some = fill("fieldttl:some", 5).run("HPEXPIRE", ["3600123", "FIELDS", "2", "f1", "f3"]);
    let all = fill("fieldttl:all", 2).run("HPEXPIRE", ["60000", "FIELDS", "2", "f0", "f1"]);
    let both =
        fill("fieldttl:both", 3).run("HPEXPIRE", ["60000", "FIELDS", "1", "f2"]).run("PEXPIRE", ["7200000"]);
    let table = fill("fieldttl:table", 700).run("HPEXPIRE", ["315360000000", "FIELDS", "2", "f5", "f600"]);
    for entry in [some, all, both, table] {
        loader.create(entry).await;
    }
    loader.finish().await
}
