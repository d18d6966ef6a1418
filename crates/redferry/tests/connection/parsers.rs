//! Converted settings, read by the clients that applications use: they must find the new place and the old password.
//!
//! The clients come from their registries into the target folder. Where they cannot be had, the test says so and ends.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{NEW, document};

const PASSWORDS: &[&str] =
    &["key", "aB3+/xyz=", "p@ss:w/rd", "a,b=c,d", "quote\"s'and\\", "50%?#&", "ünï €", "a b"];

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Whether a program ran well; what it said does not matter.
fn runs(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).output().is_ok_and(|output| output.status.success())
}

/// What a script answers to these texts.
fn answers(command: &mut Command, asked: &Value) -> Value {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(asked.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            },
        )
        .collect()
}

/// URLs of the old cache with each password.
fn old_urls() -> Vec<String> {
    let forms = [
        "redis://:{}@shop.redis.cache.windows.net:6379/3",
        "rediss://user:{}@shop.redis.cache.windows.net:6380",
    ];
    forms
        .iter()
        .flat_map(|form| PASSWORDS.iter().map(|password| form.replace("{}", &encoded(password))))
        .collect()
}

fn converted(text: &str) -> String {
    document(&["connection", "convert", text, "--to-host", NEW], 0)["converted"].as_str().unwrap().to_owned()
}

/// Reads old and new URLs and compares.
fn compare(command: &mut Command) {
    let old = old_urls();
    let new: Vec<String> = old.iter().map(|url| converted(url)).collect();
    let answered = answers(command, &json!({ "old": old, "new": new }));
    assert_eq!(answered["new"].as_array().unwrap().len(), old.len());
    for (index, url) in old.iter().enumerate() {
        let (before, after) = (&answered["old"][index], &answered["new"][index]);
        assert_eq!(before["password"], PASSWORDS[index % PASSWORDS.len()], "{url}");
        assert_eq!((&before["password"], &before["user"]), (&after["password"], &after["user"]), "{url}");
        assert_eq!(
            (&after["host"], &after["port"], &after["db"], &after["tls"]),
            (&json!(NEW), &json!(10000), &json!(0), &json!(true)),
            "{url}"
        );
    }
}

const PYTHON: &str = r"
import json, sys, redis
def read(url):
    pool = redis.ConnectionPool.from_url(url)
    options = pool.connection_kwargs
    return {'host': options['host'], 'port': options['port'], 'db': options.get('db') or 0, 'user': options.get('username'),
            'password': options.get('password'), 'tls': pool.connection_class is redis.SSLConnection}
print(json.dumps({name: [read(url) for url in urls] for name, urls in json.load(sys.stdin).items()}))
";

#[test]
fn redis_py_reads_converted_urls() {
    let folder = folder("redis-py");
    let python = folder.join("bin/python");
    let there = || runs(Command::new(&python).args(["-c", "import redis"]));
    let install = || {
        runs(Command::new("python3").args(["-m", "venv"]).arg(&folder))
            && runs(Command::new(&python).args([
                "-m",
                "pip",
                "install",
                "-q",
                "--timeout",
                "5",
                "--retries",
                "1",
                "redis",
            ]))
    };
    let ready = there() || (install() && there());
    if !ready {
        return eprintln!("SKIPPED: redis-py cannot be installed here");
    }
    compare(Command::new(&python).args(["-c", PYTHON]));
}

const NODE: &str = r"
const Redis = require('ioredis');
const read = (url) => {
  const options = new Redis(url, { lazyConnect: true }).options;
  return { host: options.host, port: options.port, db: options.db, user: options.username || null,
           password: options.password, tls: Boolean(options.tls) };
};
const asked = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const answer = {};
for (const name of Object.keys(asked)) answer[name] = asked[name].map(read);
process.stdout.write(JSON.stringify(answer));
";

#[test]
fn ioredis_reads_converted_urls() {
    let folder = folder("ioredis");
    let there = || runs(Command::new("node").current_dir(&folder).args(["-e", "require('ioredis')"]));
    let install = || {
        let options = [
            "install",
            "--silent",
            "--no-audit",
            "--no-fund",
            "--fetch-timeout=5000",
            "--fetch-retries=0",
            "ioredis",
        ];
        std::fs::write(folder.join("package.json"), "{\"private\": true}").is_ok()
            && runs(Command::new("npm").current_dir(&folder).args(options))
    };
    let ready = there() || (install() && there());
    if !ready {
        return eprintln!("SKIPPED: ioredis cannot be installed here");
    }
    compare(Command::new("node").current_dir(&folder).args(["-e", NODE]));
}

#[test]
fn options_of_ioredis_stay_json_with_the_same_password() {
    for password in PASSWORDS {
        let old = json!({ "host": "shop.redis.cache.windows.net", "port": 6380, "password": password, "db": 1, "tls": {} });
        let new: Value = serde_json::from_str(&converted(&old.to_string())).unwrap();
        assert_eq!(new, json!({ "host": NEW, "port": 10000, "password": password, "db": 0, "tls": {} }));
    }
}
