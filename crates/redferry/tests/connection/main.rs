//! `redferry connection`, through the real binary. Only `check` needs servers.

mod parsers;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use testkit::{Access, Cluster, Server};

const NEW: &str = "shop.westeurope.redis.azure.net";

fn redferry(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_redferry"));
    command.env_clear().args(arguments).stdin(std::process::Stdio::null());
    command
}

#[track_caller]
fn ended(command: &mut Command, code: i32) -> Output {
    let output = command.output().expect("the binary runs");
    let (out, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}{said}");
    output
}

#[track_caller]
fn document(arguments: &[&str], code: i32) -> Value {
    let output = ended(redferry(arguments).args(["--output", "json"]), code);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["exit_code"], code);
    document
}

#[track_caller]
fn text(arguments: &[&str], code: i32) -> (String, String) {
    let output = ended(&mut redferry(arguments), code);
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn convert_has_the_fields_that_scripts_rely_on() {
    let old = "shop.redis.cache.windows.net:6380,password=se=cr,et\"',ssl=True";
    let converted = document(&["connection", "convert", old, "--region", "westeurope"], 0);
    assert_eq!(converted["command"], "connection convert");
    assert_eq!(converted["converted"], format!("{NEW}:10000,password=se=cr,et\"',ssl=True"));
    let notes = converted["notes"].to_string();
    assert!(notes.contains("guess") && notes.contains("port 6380 -> 10000"), "{notes}");
    assert!(!notes.contains("se=cr") && !notes.contains("et\\\""), "{notes}");
}

#[test]
fn convert_prints_what_can_be_piped() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), ".env", "REDIS_URL=redis://:k@shop.redis.cache.windows.net/3\n");
    let path = folder.path().join(".env");
    let arguments =
        ["connection", "convert", "--file", path.to_str().unwrap(), "--to-host", "new.example.com"];
    let (out, said) = text(&arguments, 0);
    assert_eq!(out, "REDIS_URL=rediss://:k@new.example.com:10000/0\n");
    assert!(said.contains("note: database 3 -> 0"), "{said}");
    assert!(read(folder.path(), ".env").contains("windows.net"), "the file stays as it is");
    let mut command = redferry(&["connection", "convert", "-", "--to-host", NEW, "--entra"]);
    let child =
        command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(
        &mut child.stdin.as_ref().unwrap(),
        b"rediss://:k@shop.redis.cache.windows.net:6380",
    )
    .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("rediss://{NEW}:10000\n"));
}

#[test]
fn convert_refuses_with_a_reason_and_without_secrets() {
    for (arguments, words) in [
        (vec!["node1.shop.redis.cache.windows.net:6380,password=topsecret"], "--to-host"),
        (vec!["localhost:6379,password=topsecret"], "no host of Azure Cache for Redis"),
        (vec!["{\"a\": \"topsecret\"", "--to-host", NEW], "not json"),
        (vec!["shop.redis.cache.windows.net:6380", "--to-host", "rediss://x"], "no host name"),
        (vec!["shop.redis.cache.windows.net:6380", "--policy", "topmost"], "OSSCluster"),
        (vec!["shop.redis.cache.windows.net:6380", "--form", "toml"], "stack-exchange"),
        (vec![""], "nothing to convert"),
    ] {
        let arguments = [vec!["connection", "convert"], arguments].concat();
        let (out, said) = text(&arguments, 2);
        assert!(said.contains(words) && !said.contains("topsecret") && out.is_empty(), "{words}: {said}");
        assert_eq!(document(&arguments, 2)["converted"], Value::Null);
    }
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "settings", [0xff, 0xfe, b'a']);
    let path = folder.path().join("settings");
    let (_, said) = text(&["connection", "convert", "--file", path.to_str().unwrap()], 2);
    assert!(said.contains("no UTF-8"), "{said}");
}

/// An application with something of everything, and files that are none of its own.
fn application(folder: &Path) {
    write(
        folder,
        "src/cache.py",
        "import redis\nr = redis.Redis(host='shop.redis.cache.windows.net',\n    port=6380, ssl=False, db=2, password='topsecret')\nr.bgsave()\nr.sinter('a', 'b')\n",
    );
    write(
        folder,
        "appsettings.json",
        "{\"Redis\": \"shop.redis.cache.windows.net:6380,password=topsecret,ssl=True\"}",
    );
    write(folder, "src/clean.py", "print('nothing')\n");
    write(folder, "node_modules/redis/index.js", "const host = 'x.redis.cache.windows.net'");
    write(folder, ".git/config", "url = x.redis.cache.windows.net");
    write(folder, "logo.png", b"\x89PNG\0redis shop.redis.cache.windows.net");
    write(folder, "latin.txt", b"redis caf\xe9 shop.redis.cache.windows.net");
    write(folder, "dump.sql", "redis shop.redis.cache.windows.net ".repeat(80_000));
    // 2 GB, of which only the beginning is on the disk.
    write(folder, "huge.log", "redis shop.redis.cache.windows.net\n".repeat(1000));
    std::fs::File::options().append(true).open(folder.join("huge.log")).unwrap().set_len(2 << 30).unwrap();
}

#[test]
fn scan_names_file_and_line_and_what_was_not_read() {
    let folder = tempfile::tempdir().unwrap();
    application(folder.path());
    let root = folder.path().to_str().unwrap();
    let scanned = document(&["connection", "scan", root, "--policy", "OSSCluster"], 1);
    let found: Vec<String> = (scanned["findings"].as_array().unwrap().iter())
        .map(|found| {
            format!("{}:{}:{}", found["file"].as_str().unwrap(), found["line"], found["id"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        found,
        [
            "appsettings.json:1:host",
            "appsettings.json:1:port",
            "src/cache.py:2:host",
            "src/cache.py:3:port",
            "src/cache.py:3:tls",
            "src/cache.py:3:database",
            "src/cache.py:4:command",
            "src/cache.py:5:multi_key"
        ]
    );
    assert_eq!((&scanned["files_read"], &scanned["files_skipped"]), (&json!(3), &json!(4)), "{scanned:#}");
    assert_eq!(
        scanned["skipped"],
        json!({"binary": 1, "not_utf8": 1, "too_large": 2, "unreadable": 0, "folders": 2})
    );
    assert!(scanned["findings"][0]["fix"].is_null() && !scanned.to_string().contains("topsecret"));
    let (out, _) = text(&["connection", "scan", root], 1);
    assert!(
        out.contains("src/cache.py:4: bgsave: Azure Managed Redis refuses BGSAVE [command]\n    -> "),
        "{out}"
    );
    assert!(out.contains("1 binary, 1 not UTF-8, 2 too large"), "{out}");
    // A larger limit lets the large file in, a clean tree has nothing.
    let all = document(&["connection", "scan", root, "--max-file", "10MB"], 1);
    assert_eq!(all["files_skipped"], 3);
    let clean = document(&["connection", "scan", folder.path().join("src/clean.py").to_str().unwrap()], 0);
    assert_eq!((&clean["findings"], &clean["files_read"]), (&json!([]), &json!(1)));
}

#[test]
fn fix_shows_a_diff_and_writes_only_with_yes() {
    let folder = tempfile::tempdir().unwrap();
    application(folder.path());
    let root = folder.path().to_str().unwrap();
    let before = read(folder.path(), "src/cache.py");
    let arguments = ["connection", "scan", root, "--to-host", NEW, "--fix"];
    let (out, _) = text(&arguments, 1);
    assert!(out.contains("--- a/src/cache.py\n+++ b/src/cache.py\n@@ -1,5 +1,5 @@\n"), "{out}");
    assert!(out.contains("+    port=10000, ssl=True, db=2, password='****')"), "{out}");
    assert!(
        out.contains("2 files can be rewritten; nothing was written: --yes does it")
            && !out.contains("topsecret"),
        "{out}"
    );
    assert_eq!(
        read(folder.path(), "src/cache.py"),
        before,
        "no question could be asked, so nothing is written"
    );

    let written = document(&[&arguments[..], &["--yes"]].concat(), 1);
    assert_eq!(written["written"], json!(["appsettings.json", "src/cache.py"]), "{written:#}");
    assert!(written["diff"].as_str().unwrap().contains(NEW) && !written.to_string().contains("topsecret"));
    assert_eq!(
        read(folder.path(), "src/cache.py"),
        before.replace("shop.redis.cache.windows.net", NEW).replace("6380, ssl=False", "10000, ssl=True")
    );
    assert_eq!(
        read(folder.path(), "appsettings.json"),
        format!("{{\"Redis\": \"{NEW}:10000,password=topsecret,ssl=True\"}}")
    );
    assert!(read(folder.path(), "node_modules/redis/index.js").contains("windows.net"));
    // What is left is what no rewriting does.
    let left = document(&arguments, 1);
    let ids: Vec<&str> =
        left["findings"].as_array().unwrap().iter().map(|found| found["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["database", "command", "multi_key"]);
    // With everything fixed, nothing is left to do.
    std::fs::remove_file(folder.path().join("src/cache.py")).unwrap();
    write(folder.path(), ".env", "REDIS_HOST=shop.redis.cache.windows.net\nREDIS_PORT=6380\n");
    document(&[&arguments[..], &["--yes"]].concat(), 0);
    assert_eq!(read(folder.path(), ".env"), format!("REDIS_HOST={NEW}\nREDIS_PORT=10000\n"));
}

#[cfg(unix)]
#[test]
fn a_file_keeps_its_permissions_and_links_are_not_followed() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(folder.path(), "run.sh", "export REDIS_URL=rediss://:k@shop.redis.cache.windows.net:6380\n");
    std::fs::set_permissions(folder.path().join("run.sh"), std::fs::Permissions::from_mode(0o750)).unwrap();
    write(other.path(), "a.env", "REDIS_URL=rediss://:k@shop.redis.cache.windows.net:6380\n");
    symlink(other.path(), folder.path().join("elsewhere")).unwrap();
    symlink(folder.path(), folder.path().join("circle")).unwrap();
    let root = folder.path().to_str().unwrap();
    let written = document(&["connection", "scan", root, "--to-host", NEW, "--fix", "--yes"], 0);
    assert_eq!(written["written"], json!(["run.sh"]), "{written:#}");
    let mode = std::fs::metadata(folder.path().join("run.sh")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o750);
    assert!(read(other.path(), "a.env").contains("windows.net"));
}

#[test]
fn scan_says_all_of_what_a_long_row_of_the_catalogue_says() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.py", "import redis\nr.config_set('maxmemory', 1)\n");
    let arguments = ["connection", "scan", folder.path().to_str().unwrap()];
    let whole = document(&arguments, 1)["findings"][0]["text"].as_str().unwrap().to_owned();
    let (out, _) = text(&arguments, 1);
    assert!(whole.len() > 200 && out.contains(&whole), "{out}");
}

#[test]
fn scan_refuses_what_is_not_there() {
    let (_, said) = text(&["connection", "scan", "/no/such/folder"], 2);
    assert!(said.contains("/no/such/folder"), "{said}");
    let (_, said) = text(&["connection", "scan", ".", "--yes"], 2);
    assert!(said.contains("--fix"), "{said}");
}

fn check(access: &Access, more: &[&str], code: i32) -> Value {
    let mut command = redferry(&["connection", "check", &access.url(), "--output", "json"]);
    command.args(more);
    if let Some(password) = &access.password {
        command.env("REDFERRY_PASSWORD", password);
    }
    if let Some(ca) = &access.ca {
        command.arg("--ca").arg(ca);
    }
    let output = ended(&mut command, code);
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn check_tells_the_two_services_apart() {
    let (old, new) = (Server::acr().start(), Server::amr().tls(true).start());
    let met = check(&old.access(), &[], 0);
    assert_eq!(
        (&met["version"], &met["tls"], &met["cluster"]),
        (&json!("6.0.16"), &json!(false), &json!(false))
    );
    assert_eq!(
        (&met["databases"], &met["resp3"], &met["certificate"]),
        (&json!("several"), &json!(true), &Value::Null)
    );
    let met = check(&new.tls_access(), &[], 0);
    assert_eq!(
        (&met["version"], &met["tls"], &met["databases"]),
        (&json!("7.4.1"), &json!(true), &json!("0 only"))
    );
    assert_eq!(met["certificate"], "valid for localhost");
    let settings = met["settings"].to_string();
    assert!(
        settings.contains("TLS on")
            && settings.contains("cluster mode off")
            && settings.contains("database 0"),
        "{settings}"
    );
    assert_eq!(check(&new.tls_access(), &["--insecure"], 0)["certificate"], "not checked (--insecure)");
}

#[test]
fn check_says_when_it_is_a_cluster_and_what_is_out_of_reach() {
    let cluster = Cluster::amr(3).start();
    let met = check(&cluster.access(), &[], 0);
    assert_eq!((&met["cluster"], &met["shards"], &met["unreachable"]), (&json!(true), &json!(3), &json!([])));
    assert!(met["settings"].to_string().contains("cluster mode on"));
    cluster.kill_node(2);
    let met = check(&cluster.access(), &[], 1);
    assert_eq!(met["unreachable"].as_array().unwrap().len(), 1, "{met:#}");
    assert!(met["error"].as_str().unwrap().contains("1 of 3 nodes"), "{met:#}");
}

#[test]
fn check_says_why_it_cannot_connect() {
    let server = Server::amr().tls(true).start();
    let mut access = server.access();
    access.password = Some("wrong-and-secret".into());
    let refused = check(&access, &[], 5)["error"].to_string();
    assert!(
        refused.contains("credentials were refused") && !refused.contains("wrong-and-secret"),
        "{refused}"
    );
    let untrusted = Access { ca: None, ..server.tls_access() };
    assert!(check(&untrusted, &[], 5)["error"].to_string().contains("TLS failed"));
    let (_, said) = text(&["connection", "check", "127.0.0.1:1"], 5);
    assert!(said.contains("redferry: 127.0.0.1:1: ") && !said.contains("target"), "{said}");
    let (_, said) = text(&["connection", "check", "http://localhost"], 2);
    assert!(said.contains("ADDRESS: "), "{said}");
    drop(server);
    assert!(check(&access, &[], 5)["error"].to_string().contains("nothing listens there"));
}
