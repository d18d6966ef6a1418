//! Real Redis servers, set up as the caches of Azure, one process each.
//!
//! ```no_run
//! let source = testkit::Server::acr().tls(true).start();
//! println!("{}", source.tls_access().url());
//! ```

pub(crate) mod admin;
mod builder;
pub(crate) mod ports;
pub(crate) mod process;
mod profile;

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::process::Child;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::Access;
use crate::binaries::{Further, Program};
use admin::Admin;
use ports::Ports;

pub use admin::Reply;
pub(crate) use builder::Node;
pub use builder::ServerBuilder;
pub(crate) use ports::BUS_OFFSET;
pub(crate) use profile::Profile;

/// The password of servers that play an Azure cache, unless the test chose another.
pub const PASSWORD: &str = "testkit-secret";

/// A user of cluster nodes who may do what clients of Azure may not.
pub(crate) const ADMIN_USER: &str = "testkit-admin";
pub(crate) const ADMIN_PASSWORD: &str = "testkit-admin-secret";

/// How long a server may take to answer its first PING.
const START_LIMIT: Duration = Duration::from_secs(20);

/// How often other ports are tried when somebody else was faster.
const PORT_ATTEMPTS: usize = 10;

/// A running `redis-server`. Dropping it kills the process and removes its folder; if the test has failed,
/// the end of the server's log is printed.
#[derive(Debug)]
pub struct Server {
    builder: ServerBuilder,
    ports: Ports,
    folder: TempDir,
    child: Mutex<Child>,
}

/// Why a started process is not a server that answers.
enum Failure {
    /// The port was taken in the meantime.
    PortTaken,
    Other(String),
}

impl Server {
    /// Azure Cache for Redis: Redis 6.0.16, 16 databases, the service's blocked commands unknown, a password.
    pub fn acr() -> ServerBuilder {
        ServerBuilder::new(Profile::Acr)
    }

    /// Azure Managed Redis: Redis 7.4.1 with modules, one database, the blocked commands unknown, a password.
    pub fn amr() -> ServerBuilder {
        ServerBuilder::new(Profile::Amr)
    }

    /// Redis 6.0.16 with nothing taken away and no password.
    pub fn plain6() -> ServerBuilder {
        ServerBuilder::new(Profile::Plain6)
    }

    /// Redis 7.4.1 with nothing taken away and no password; modules only if asked for.
    pub fn plain7() -> ServerBuilder {
        ServerBuilder::new(Profile::Plain7)
    }

    /// Redis 7.0.15 with nothing taken away and no password; `None`, and a line that says so, where it cannot be had.
    pub fn plain70() -> Option<ServerBuilder> {
        Server::further(Further::Redis70)
    }

    /// The same of Redis 8.2.3.
    pub fn redis8() -> Option<ServerBuilder> {
        Server::further(Further::Redis82)
    }

    /// The same of Valkey 9.1.2.
    pub fn valkey9() -> Option<ServerBuilder> {
        Server::further(Further::Valkey91)
    }

    fn further(further: Further) -> Option<ServerBuilder> {
        further.program()?;
        Some(ServerBuilder::new(Profile::Further(further)))
    }

    fn start(builder: ServerBuilder) -> Server {
        assert!(
            !builder.tls || builder.profile.has_tls(),
            "this server has no TLS: of Redis 6, ask Binaries::source_has_tls() first"
        );
        let folder = match tempfile::Builder::new().prefix("redferry-server-").tempdir() {
            Ok(folder) => folder,
            Err(error) => panic!("cannot make a folder for a test server: {error}"),
        };
        for _ in 0..PORT_ATTEMPTS {
            let ports = Ports::pick(builder.tls, builder.node.is_some());
            if let Err(error) = fs::write(folder.path().join("redis.conf"), builder.config(ports)) {
                panic!("cannot write the configuration of a test server: {error}");
            }
            match launch(&builder, ports, folder.path()) {
                Ok(child) => return Server { builder, ports, folder, child: Mutex::new(child) },
                // The next attempt's log must not show this one's complaint.
                Err(Failure::PortTaken) => drop(fs::remove_file(folder.path().join(LOG))),
                Err(Failure::Other(message)) => panic!("{message}"),
            }
        }
        panic!("no free ports for a test server after {PORT_ATTEMPTS} attempts")
    }

    /// The plaintext port.
    pub fn access(&self) -> Access {
        Access {
            host: "127.0.0.1".into(),
            port: self.ports.plain,
            tls: false,
            user: None,
            password: self.builder.password.clone(),
            ca: None,
            cluster: self.builder.node.is_some(),
        }
    }

    /// The TLS port, by the name that the certificate is for.
    ///
    /// # Panics
    /// When the server was started without TLS.
    pub fn tls_access(&self) -> Access {
        let Some(port) = self.ports.tls else { panic!("this server was started without tls(true)") };
        let ca = Some(crate::tls::authority().ca.clone());
        Access { host: "localhost".into(), port, tls: true, ca, ..self.access() }
    }

    /// Sends one command over a connection of its own and returns the answer, errors included.
    ///
    /// # Panics
    /// When the connection fails.
    pub fn command(&self, args: &[&str]) -> Reply {
        self.asked(None, self.builder.password.as_deref(), args)
    }

    /// The same as the user of cluster nodes who may do everything.
    pub(crate) fn admin(&self, args: &[&str]) -> Reply {
        self.asked(Some(ADMIN_USER), Some(ADMIN_PASSWORD), args)
    }

    fn asked(&self, user: Option<&str>, password: Option<&str>, args: &[&str]) -> Reply {
        let asked =
            Admin::connect(self.ports.plain, user, password).and_then(|mut admin| admin.command(args));
        match asked {
            Ok(reply) => reply,
            // Only the command's name: arguments may be secrets of a test.
            Err(error) => panic!("{} failed on the server at port {}: {error}", args[0], self.ports.plain),
        }
    }

    /// Kills the process (SIGKILL), as a crash would.
    pub fn kill(&self) {
        stop(&mut self.child());
    }

    /// Kills the process if it runs and starts it again on the same ports in the same folder. The data are
    /// gone, unless the server was set up with `.arg("appendonly", "yes")`.
    ///
    /// # Panics
    /// When the server does not answer within 20 seconds, with its log.
    pub fn restart(&self) {
        let mut child = self.child();
        stop(&mut child);
        for _ in 0..PORT_ATTEMPTS {
            match launch(&self.builder, self.ports, self.folder.path()) {
                Ok(started) => {
                    *child = started;
                    return;
                }
                Err(Failure::PortTaken) => thread::sleep(Duration::from_millis(200)),
                Err(Failure::Other(message)) => panic!("{message}"),
            }
        }
        panic!("somebody else holds port {} of a test server", self.ports.plain)
    }

    /// Stops the process in its tracks (SIGSTOP): connections stay open and nothing answers.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    /// Lets a paused process go on (SIGCONT).
    pub fn resume(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        if let Err(error) = process::signal(self.pid(), name) {
            panic!("cannot signal the server at port {}: {error}", self.ports.plain);
        }
    }

    /// Process id; another one after a restart.
    pub fn pid(&self) -> u32 {
        self.child().id()
    }

    /// User and system time used since the start, in steps of 10 ms; zero when the process is gone.
    pub fn cpu_time(&self) -> Duration {
        process::cpu_time(self.pid()).unwrap_or_default()
    }

    /// Resident memory in bytes; zero when the process is gone.
    pub fn rss(&self) -> u64 {
        process::resident(self.pid()).unwrap_or_default()
    }

    /// Everything that the server has logged, over all its restarts.
    pub fn log(&self) -> String {
        read_log(self.folder.path())
    }

    /// The program that runs.
    pub fn program(&self) -> &'static Program {
        self.builder.profile.program()
    }

    /// The folder that the server works in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The port that other nodes of a cluster are told.
    pub(crate) fn node_port(&self) -> u16 {
        self.ports.tls.unwrap_or(self.ports.plain)
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            eprintln!("log of the server at port {}:\n{}", self.ports.plain, last_lines(&self.log(), 40));
        }
    }
}

const LOG: &str = "server.log";

/// Starts the process and waits until it answers.
fn launch(builder: &ServerBuilder, ports: Ports, folder: &Path) -> Result<Child, Failure> {
    let program = builder.profile.program();
    let started = OpenOptions::new().create(true).append(true).open(folder.join(LOG)).and_then(|log| {
        let config = folder.join("redis.conf");
        process::spawn(program, &config, folder, log, builder.clock_ahead_seconds)
    });
    let mut child = match started {
        Ok(child) => child,
        Err(error) => {
            return Err(Failure::Other(format!("cannot start {}: {error}", program.path().display())));
        }
    };
    let log_before = read_log(folder).len();
    let deadline = Instant::now() + START_LIMIT;
    loop {
        if answers(builder, ports, child.id()) {
            return Ok(child);
        }
        let exited = !matches!(child.try_wait(), Ok(None));
        if exited || Instant::now() > deadline {
            stop(&mut child);
            let log = read_log(folder);
            // The log says "Address already in use" for the client ports and the bus alike.
            if exited && log[log_before.min(log.len())..].contains("already in use") {
                return Err(Failure::PortTaken);
            }
            let what = if exited { "stopped at once" } else { "does not answer" };
            return Err(Failure::Other(format!("a test server {what}; its log:\n{}", last_lines(&log, 40))));
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// Whether this very process answers, and not somebody else's server on the same port.
fn answers(builder: &ServerBuilder, ports: Ports, pid: u32) -> bool {
    let Ok(mut admin) = Admin::connect(ports.plain, None, builder.password.as_deref()) else { return false };
    let pong = admin.command(&["PING"]).is_ok_and(|reply| reply == Reply::Status("PONG".into()));
    pong && admin
        .command(&["INFO", "server"])
        .is_ok_and(|info| info.text().lines().any(|line| line == format!("process_id:{pid}")))
}

/// Kills the process and waits until it is gone. An error means that it is gone already.
fn stop(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn read_log(folder: &Path) -> String {
    fs::read(folder.join(LOG)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
