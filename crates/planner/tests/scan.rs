//! What the sources of an application say about its cache.

use planner::connection::Wish;
use planner::scan::{self, Finding, Scanner};
use planner::{Catalog, ClusteringPolicy};
use proptest::prelude::*;

fn found(path: &str, text: &str, policy: Option<ClusteringPolicy>) -> Vec<Finding> {
    let wish = Wish { policy, ..Wish::default() };
    Scanner::new(&wish, &Catalog::embedded()).unwrap().text(path, text)
}

/// Line and id of everything.
fn ids(findings: &[Finding]) -> Vec<(usize, &'static str)> {
    findings.iter().map(|finding| (finding.line, finding.id)).collect()
}

#[track_caller]
fn one(path: &str, line: &str, id: &str) -> Finding {
    let text = format!("// redis\n{line}\n");
    let findings = found(path, &text, Some(ClusteringPolicy::OSSCluster));
    let [finding] = findings.as_slice() else { panic!("{line}: {findings:?}") };
    assert_eq!((finding.line, finding.id), (2, id), "{line}: {findings:?}");
    assert!(!finding.remedy.is_empty(), "{finding:?}");
    finding.clone()
}

#[track_caller]
fn nothing(path: &str, line: &str) {
    let findings = found(path, &format!("// redis\n{line}\n"), Some(ClusteringPolicy::OSSCluster));
    assert!(findings.is_empty(), "{line}: {findings:?}");
}

fn scanner() -> Scanner {
    let wish = Wish { to_host: Some("shop.westeurope.redis.azure.net".into()), ..Wish::default() };
    Scanner::new(&wish, &Catalog::embedded()).unwrap()
}

#[test]
fn hosts_ports_and_tls() {
    one("README.md", "use shop.redis.cache.windows.net for redis", "host");
    one("main.tf", "name = \"privatelink.redis.cache.windows.net\"", "dns_zone");
    one("a.cs", "options.EndPoints.Add(host, 6380); // port: 6380", "port");
    one("a.py", "redis.Redis(host=HOST, port=6379)", "port");
    one("a.go", "addr := host + \":6380\"; redisPort := 13001", "port");
    one("a.py", "r = redis.Redis(host=HOST, ssl=False)", "tls");
    one(".env", "REDIS_SSL=false", "tls");
    one("main.tf", "non_ssl_port_enabled = true", "tls");
    nothing("a.py", "redis.Redis(host=HOST, port=10000, ssl=True)");
    nothing("a.yaml", "redis: localhost:6379");
    nothing("a.py", "order = 16380 + 6379");
    nothing("a.py", "port = 5432");
    assert!(found("a.py", "port = 6379\nssl = False\n", None).is_empty(), "nothing about the cache");
}

#[test]
fn databases() {
    for (path, line) in [
        ("a.cs", "var db = redis.GetDatabase(3);"),
        ("a.java", "jedis.select(2);"),
        ("a.js", "await client.select(7);"),
        ("a.py", "r = redis.Redis(host=HOST, db=4)"),
        ("a.go", "redis.NewClient(&redis.Options{Addr: addr, DB: 2})"),
        ("a.json", "{\"conn\": \"cache,defaultDatabase=5\"}"),
        ("a.rb", "redis = Redis.new(url: \"redis://localhost/5\")"),
        ("a.php", "$redis->select(4);"),
        ("a.py", "r.execute_command('SELECT', 6)"),
    ] {
        one(path, line, "database");
    }
    for (path, line) in [
        ("a.cs", "var db = redis.GetDatabase(0);"),
        ("a.cs", "var db = redis.GetDatabase();"),
        ("a.py", "r = redis.Redis(host=HOST, db=0)"),
        ("a.js", "client.select(0)"),
        ("a.cs", "rows.Select(row => row.Id)"),
        ("a.js", "document.select(name)"),
    ] {
        nothing(path, line);
    }
}

#[test]
fn notifications_config_and_refused_commands() {
    one("a.cs", "sub.Subscribe(\"__keyevent@0__:expired\", handler);", "notifications");
    one("main.bicep", "'notify-keyspace-events': 'KEA'", "notifications");
    one("main.tf", "notify_keyspace_events = \"KEA\"", "notifications");
    for (path, line) in [
        ("a.py", "r.config_set('maxmemory-policy', 'allkeys-lru')"),
        ("a.js", "await client.configGet('maxmemory')"),
        ("a.cs", "server.ConfigSet(\"maxmemory\", value);"),
        ("a.java", "jedis.configResetStat();"),
        ("a.cs", "mux.GetServer(\"a\", 10000).ConfigSet(\"maxmemory-policy\", \"x\");"),
        ("a.go", "rdb.ConfigGet(ctx, \"maxmemory\")"),
        ("a.rb", "redis.call('CONFIG', 'GET', '*')"),
    ] {
        one(path, line, "config");
    }
    for (path, line, command) in [
        ("a.py", "r.bgsave()", "BGSAVE"),
        ("a.py", "r.lastsave()", "LASTSAVE"),
        ("a.cs", "db.Execute(\"DEBUG\", \"SLEEP\", \"1\");", "DEBUG"),
        ("a.go", "rdb.Do(ctx, \"CLIENT\", \"PAUSE\", 10)", "CLIENT PAUSE"),
        ("a.js", "await client.sendCommand(['CLIENT', 'PAUSE', '10'])", "CLIENT PAUSE"),
        ("a.java", "jedis.slaveof(host, port);", "SLAVEOF"),
        ("a.cs", "server.FlushDatabase();", "FLUSHDB"),
        ("a.py", "for key in r.keys('*'): pass", "KEYS"),
    ] {
        let finding = one(path, line, "command");
        assert!(finding.text.contains(command), "{finding:?}");
    }
    for (path, line) in [
        ("a.py", "model.save()"),
        ("a.js", "Object.keys(map)"),
        ("a.cs", "task.Wait();"),
        ("a.py", "r.set('a', 'b')"),
        ("a.py", "# r.bgsave()"),
        ("a.cs", "db.StringGet(\"a\");"),
    ] {
        nothing(path, line);
    }
    // Under the other policies, all shards answer.
    let policy = Some(ClusteringPolicy::EnterpriseCluster);
    assert!(found("a.py", "import redis\nr.flushdb()\n", policy).is_empty());
    assert_eq!(
        ids(&found("a.py", "import redis\nr.execute_command('CLUSTER', 'NODES')\n", policy)),
        [(2, "command")]
    );
}

#[test]
fn keys_of_different_slots() {
    for (path, line) in [
        ("a.py", "r.mget('user:1', 'user:2')"),
        ("a.py", "r.mget(['user:1', 'user:2'])"),
        ("a.js", "await redis.sinter('a', 'b')"),
        ("a.java", "jedis.rename(\"a\", \"b\");"),
        ("a.go", "rdb.MGet(ctx, \"a\", \"b\")"),
        ("a.cs", "db.KeyDelete(new RedisKey[] { \"a\", \"b\" });"),
        ("a.cs", "db.Execute(\"SUNION\", \"a\", \"b\");"),
        ("a.php", "$redis->sUnion('a', 'b');"),
        ("a.rb", "redis.rpoplpush('a', 'b')"),
        ("a.js", "await redis.multi().set('a', 1).del('b').exec();"),
    ] {
        let finding = one(path, line, "multi_key");
        assert!(finding.remedy.contains("hash tag"), "{finding:?}");
    }
    for (path, line) in [
        ("a.py", "r.mget('{user:1}:a', '{user:1}:b')"),
        ("a.py", "r.mget(first, second)"),
        ("a.py", "r.mget('a', other)"),
        ("a.js", "redis.mget(`a:${id}`, `b:${id}`)"),
        ("a.py", "r.hmget('a', 'b', 'c')"),
        ("a.js", "list.union('a', 'b')"),
        ("a.js", "redis.multi().set('{a}', 1).del('b:{a}').exec(); redis.get('c')"),
    ] {
        nothing(path, line);
    }
    let line = "import redis\nr.mget('a', 'b')\nr.sinter('a', 'b')\n";
    assert_eq!(ids(&found("a.py", line, None)), [(2, "multi_key"), (3, "multi_key")]);
    assert_eq!(ids(&found("a.py", line, Some(ClusteringPolicy::EnterpriseCluster))), [(3, "multi_key")]);
    assert!(found("a.py", line, Some(ClusteringPolicy::NoCluster)).is_empty());
}

/// The text of the only finding.
fn said(line: &str, policy: Option<ClusteringPolicy>) -> Option<String> {
    let findings = found("a.py", &format!("# redis\n{line}\n"), policy);
    assert!(findings.len() < 2, "{line}: {findings:?}");
    findings.into_iter().next().map(|finding| finding.text)
}

#[test]
fn what_happens_to_several_keys_under_the_policy() {
    let (oss, enterprise) = (Some(ClusteringPolicy::OSSCluster), Some(ClusteringPolicy::EnterpriseCluster));
    for command in ["mget", "exists", "delete", "touch", "unlink"] {
        let line = format!("r.{command}('a', 'b')");
        let text = said(&line, oss).unwrap();
        assert!(
            text.ends_with("a, b; under OSSCluster: keys of one slot, others are answered CROSSSLOT"),
            "{text}"
        );
        assert_eq!(said(&line, enterprise), None, "{line}");
        let text = said(&line, None).unwrap();
        assert!(text.contains(
            "under NoCluster and EnterpriseCluster: keys of any slots; under OSSCluster: keys of one"
        ));
    }
    for line in
        ["r.rename('a', 'b')", "r.sinter('a', 'b')", "r.eval(script, 2, 'a', 'b')", "r.blpop('a', 'b', 0)"]
    {
        for (policy, name) in [(oss, "OSSCluster"), (enterprise, "EnterpriseCluster")] {
            let text = said(line, policy).unwrap();
            assert!(text.contains(&format!("under {name}: keys of one slot")), "{text}");
        }
        assert_eq!(said(line, Some(ClusteringPolicy::NoCluster)), None, "{line}");
    }
    let text = said("r.eval(script, 2, 'a', 'b')", enterprise).unwrap();
    assert!(text.contains("not declared"), "{text}");
    // One shard only where clients speak to shards.
    let text = said("keys = r.keys('*')", oss).unwrap();
    assert!(text.contains("KEYS works in part: the shard of the connection only"), "{text}");
    assert_eq!(said("keys = r.keys('*')", enterprise), None);
}

#[test]
fn several_keys_of_modules() {
    let enterprise = Some(ClusteringPolicy::EnterpriseCluster);
    for line in ["r.json().mget(['a', 'b'], '$')", "r.execute_command('JSON.MGET', 'a', 'b', '$')"] {
        let text = said(line, enterprise).unwrap();
        assert!(text.starts_with("JSON.MGET with keys of different slots: a, b; "), "{text}");
        assert!(text.ends_with("others are left out without an error"), "{text}");
    }
    assert_eq!(said("r.json().mget(['{a}1', '{a}2'], '$')", enterprise), None);
    assert_eq!(said("r.json().set('a', '$', 'b')", enterprise), None);
    let text = said("r.ts().mrange('-', '+', ['area=1'])", enterprise).unwrap();
    assert_eq!(text, "TS.MRANGE; under EnterpriseCluster: all shards, but not inside MULTI");
    let text = said("r.execute_command('TS.MADD', 'a', 1, 2, 'b', 1, 2)", enterprise).unwrap();
    assert!(text.starts_with("TS.MADD with keys of different slots: a, b; "), "{text}");
    let text =
        said("r.execute_command('TS.CREATERULE', 'a', 'b', 'AGGREGATION', 'avg', 60)", enterprise).unwrap();
    assert!(text.contains("ERR TSDB"), "{text}");
    assert_eq!(said("r.ts().mrange('-', '+', ['area=1'])", Some(ClusteringPolicy::NoCluster)), None);
    let text = said("r.execute_command('FT.CONFIG', 'SET', 'TIMEOUT', 100)", None).unwrap();
    assert!(text.contains("refuses FT.CONFIG"), "{text}");
}

#[test]
fn scripts() {
    one("a.py", "r.eval(script, 2, 'a', 'b', 'value')", "script_keys");
    one("a.js", "await client.eval(script, { keys: ['a', 'b'], arguments: ['1'] })", "script_keys");
    one("a.lua", "redis.call('INCR', 'counter')", "script_keys");
    one("a.js", "const script = \"return redis.call('get', 'counter')\"", "script_keys");
    nothing("a.py", "r.eval(script, 1, 'a', 'b')");
    nothing("a.lua", "redis.call('INCR', KEYS[1])");
}

#[test]
fn what_is_safe_is_fixed_and_the_rest_stays() {
    let text = "import redis\r\nurl = 'redis://:se:cret@shop.redis.cache.windows.net:6379/2'\r\nr = redis.Redis(host='shop.redis.cache.windows.net',\r\n    port=6380, ssl=False, db=1, password='se:cret')\r\nr.bgsave()\r\n";
    let findings = scanner().text("a.py", text);
    let fixed = scan::fixed(text, &findings);
    assert_eq!(
        fixed,
        "import redis\r\nurl = 'rediss://:se:cret@shop.westeurope.redis.azure.net:10000/2'\r\nr = redis.Redis(host='shop.westeurope.redis.azure.net',\r\n    port=10000, ssl=True, db=1, password='se:cret')\r\nr.bgsave()\r\n"
    );
    let left = scanner().text("a.py", &fixed);
    assert!(left.iter().all(|finding| finding.fix.is_none()), "{left:?}");
    assert_eq!(ids(&left), [(2, "database"), (4, "database"), (5, "command")]);
    let said = format!(
        "{findings:?}{}{}",
        serde_json::to_string(&findings).unwrap(),
        scan::unified("a.py", text, &findings)
    );
    assert!(said.contains("shop.westeurope") && !said.contains("se:cret"), "{said}");
}

#[test]
fn nothing_is_fixed_by_halves() {
    let text = "REDIS_HOST=shop.redis.cache.windows.net\nREDIS_PORT=6380\n";
    let findings = found(".env", text, None);
    assert_eq!(ids(&findings), [(1, "host"), (2, "port")]);
    assert!(findings.iter().all(|finding| finding.fix.is_none()));
    assert_eq!(
        scan::fixed(text, &scanner().text(".env", text)),
        "REDIS_HOST=shop.westeurope.redis.azure.net\nREDIS_PORT=10000\n"
    );
    // A cache that is not Azure's is none to replace, whatever its name.
    let text = "REDIS_HOST=cache.example.com\nREDIS_PORT=6379\nOTHER=cache.example.com:6379,ssl=False\n";
    assert_eq!(scan::fixed(text, &scanner().text(".env", text)), text);
    // Another cache's port and one that has nothing to do with it.
    let text = "{\"a\": {\"host\": \"shop.redis.cache.windows.net\", \"port\": 6380}, \"b\": {\"redisHost\": \"local\", \"port\": 6379}}";
    assert!(scan::fixed(text, &scanner().text("a.json", text)).contains("\"local\", \"port\": 6379"));
}

#[test]
fn the_diff_is_one_that_patch_takes() {
    let lines: Vec<String> = (1..=40).map(|line| format!("line {line}")).collect();
    let mut old = lines.clone();
    for at in [0, 4, 20, 39] {
        old[at] = "spring.data.redis.host=shop.redis.cache.windows.net".into();
    }
    let old = old.join("\n") + "\n";
    let wish = Wish {
        to_host: Some("new.example".into()),
        policy: Some(ClusteringPolicy::OSSCluster),
        ..Wish::default()
    };
    let findings = Scanner::new(&wish, &Catalog::embedded()).unwrap().text("a.properties", &old);
    let folder = tempfile(&old);
    let diff = scan::unified("a.properties", &old, &findings);
    let run = std::process::Command::new("git")
        .args(["apply", "--unsafe-paths", "-"])
        .current_dir(&folder)
        .stdin(std::process::Stdio::piped())
        .spawn()
        .and_then(|mut git| {
            use std::io::Write;
            git.stdin.take().unwrap().write_all(diff.as_bytes())?;
            git.wait()
        });
    match run {
        Ok(status) => assert!(status.success(), "{diff}"),
        Err(error) => return eprintln!("SKIPPED: git cannot be run: {error}"),
    }
    let new = std::fs::read_to_string(folder.join("a.properties")).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(new, scan::fixed(&old, &findings));
    assert_eq!(new.matches("cluster.nodes=new.example:10000").count(), 4);
}

/// A folder with this file in it.
fn tempfile(text: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("redferry-diff-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("a.properties"), text).unwrap();
    folder
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_line_is_too_strange(
        text in "[\"'{}\\[\\]()$:=,<>/ \\\\\n.;a-c0-9#|@?&äß-]{0,160}",
        path in prop::sample::select(vec!["a.cs", "a.py", "a.js", "a.json", "a.yaml", "a.properties", "a.config", ".env", "a.lua", "a.go", "a.txt"]),
        middle in prop::sample::select(vec!["shop.redis.cache.windows.net:6380", "redis.call(", "r.mget('a',", "host='shop.redis.cache.windows.net', port=6380, ssl=False"]),
    ) {
        let text = format!("redis\n{text}{middle}{text}");
        let findings = scanner().text(path, &text);
        let count = text.lines().count();
        prop_assert!(findings.iter().all(|finding| (1..=count).contains(&finding.line)));
        let fixed = scan::fixed(&text, &findings);
        let _ = scan::unified(path, &text, &findings);
        let again = scanner().text(path, &fixed);
        prop_assert_eq!(scan::fixed(&fixed, &again), fixed, "a fix is final");
    }
}
