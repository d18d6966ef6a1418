//! A test run that is killed leaves no server behind.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use testkit::Server;

/// Set for the copy of this program that is to be killed.
const VICTIM: &str = "TESTKIT_ORPHAN_VICTIM";

#[test]
fn killing_the_test_run_kills_its_servers() {
    if std::env::var_os(VICTIM).is_some() {
        be_the_victim();
    }
    if Command::new("setpriv").arg("--version").output().is_err() {
        eprintln!("SKIPPED: no setpriv on this machine, servers cannot be tied to the test run");
        return;
    }
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killing_the_test_run_kills_its_servers", "--nocapture"])
        .env(VICTIM, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let (pid, folder) = lines
        .map_while(Result::ok)
        .find_map(|line| line.split_once("server ").and_then(|(_, rest)| rest.split_once(' ')).map(owned))
        .expect("the copy did not start its server");
    let process = Path::new("/proc").join(&pid);
    assert!(process.exists(), "the server is not running");

    victim.kill().unwrap();
    victim.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    let is_running = || std::fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == Path::new(&folder));
    while is_running() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(20));
    }
    let outlived = is_running();
    if outlived {
        Command::new("kill").args(["-KILL", &pid]).status().unwrap();
    }
    // Nobody else is left to remove it.
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(!outlived, "server {pid} outlived the test run that started it");
}

fn owned((pid, folder): (&str, &str)) -> (String, String) {
    (pid.to_owned(), folder.to_owned())
}

/// Starts the server on a thread that ends, as tests do, and waits to be killed.
fn be_the_victim() -> ! {
    let server = thread::spawn(|| Server::plain6().start()).join().unwrap();
    thread::sleep(Duration::from_millis(300));
    assert_eq!(server.command(&["PING"]).text(), "PONG", "the server died with the thread that started it");
    println!("server {} {}", server.pid(), server.folder().display());
    loop {
        thread::sleep(Duration::from_secs(60));
    }
}
