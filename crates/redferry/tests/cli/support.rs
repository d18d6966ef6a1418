//! Running the binary.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use testkit::access::Access;

/// A folder for state files, and the two sides' addresses and passwords.
pub(crate) struct Redferry {
    folder: tempfile::TempDir,
    source: Side,
    target: Side,
    variables: Vec<(&'static str, String)>,
}

struct Side {
    address: String,
    password: Option<String>,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code; -1 when it was killed.
    pub(crate) code: i32,
    /// The JSON document.
    pub(crate) report: Value,
    /// What was said on standard error.
    pub(crate) said: String,
}

impl Ended {
    /// A number of the report.
    #[track_caller]
    pub(crate) fn number(&self, field: &str) -> u64 {
        self.report[field].as_u64().unwrap_or_else(|| panic!("no number {field} in {self:#?}"))
    }

    /// Fails the test unless the run ended so.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Ended {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// Fails the test unless the error says this.
    #[track_caller]
    pub(crate) fn expect_said(self, words: &str) -> Ended {
        assert!(self.said.contains(words), "nothing about {words:?} in: {}", self.said);
        self
    }

    /// Fails the test if anything at WARN or ERROR was said.
    #[track_caller]
    pub(crate) fn expect_calm(self) -> Ended {
        assert!(!self.said.contains("WARN") && !self.said.contains("ERROR"), "{}", self.said);
        self
    }
}

impl Redferry {
    /// Between two caches, with our certificate authority trusted where one of them speaks TLS.
    pub(crate) fn between(source: &Access, target: &Access) -> Redferry {
        let side = |access: &Access| Side { address: access.url(), password: access.password.clone() };
        Redferry {
            folder: tempfile::tempdir().unwrap(),
            source: side(source),
            target: side(target),
            variables: Vec::new(),
        }
    }

    /// Between two addresses as a user would type them.
    pub(crate) fn between_addresses(source: &str, target: &str) -> Redferry {
        let side = |address: &str| Side { address: address.to_owned(), password: None };
        Redferry {
            folder: tempfile::tempdir().unwrap(),
            source: side(source),
            target: side(target),
            variables: Vec::new(),
        }
    }

    pub(crate) fn with_passwords(mut self, source: &str, target: &str) -> Redferry {
        self.source.password = Some(source.to_owned());
        self.target.password = Some(target.to_owned());
        self
    }

    /// With this in the environment of `rdb`.
    pub(crate) fn with_variable(mut self, name: &'static str, value: &str) -> Redferry {
        self.variables.push((name, value.to_owned()));
        self
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, command: &str, options: &[&str]) -> Command {
        let mut process = Command::new(env!("CARGO_BIN_EXE_redferry"));
        process
            .current_dir(self.folder.path())
            .env_clear()
            .arg(command)
            .args(["--source", &self.source.address, "--target", &self.target.address, "--output", "json"])
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if self.source.address.starts_with("rediss") || self.target.address.starts_with("rediss") {
            process.arg("--ca").arg(&testkit::tls::authority().ca);
        }
        for (name, side) in
            [("REDFERRY_SOURCE_PASSWORD", &self.source), ("REDFERRY_TARGET_PASSWORD", &self.target)]
        {
            if let Some(password) = &side.password {
                process.env(name, password);
            }
        }
        process
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, command: &str, options: &[&str]) -> Ended {
        ended(self.command(command, options).output().expect("the binary runs"))
    }

    /// `redferry rdb ...` to its end; only the sides that the subcommand knows are named.
    pub(crate) fn rdb(&self, subcommand: &str, options: &[&str]) -> Ended {
        ended(self.rdb_command(subcommand, options).output().expect("the binary runs"))
    }

    /// The same, going on in the background.
    pub(crate) fn start_rdb(&self, subcommand: &str, options: &[&str]) -> Running {
        Running::start(&mut self.rdb_command(subcommand, options))
    }

    /// `redferry rdb ...` whose standard output is not a JSON document.
    pub(crate) fn rdb_output(&self, subcommand: &str, options: &[&str]) -> Output {
        let mut process = self.rdb_command(subcommand, options);
        process.output().expect("the binary runs")
    }

    fn rdb_command(&self, subcommand: &str, options: &[&str]) -> Command {
        let mut process = Command::new(env!("CARGO_BIN_EXE_redferry"));
        process
            .current_dir(self.folder.path())
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (*name, value)))
            .args(["rdb", subcommand, "--output", "json"])
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let side = match subcommand {
            "export" => Some(("--source", "REDFERRY_SOURCE_PASSWORD", &self.source)),
            "import" => Some(("--target", "REDFERRY_TARGET_PASSWORD", &self.target)),
            _ => None,
        };
        if let Some((option, variable, side)) = side {
            process.args([option, &side.address]);
            if side.address.starts_with("rediss") {
                process.arg("--ca").arg(&testkit::tls::authority().ca);
            }
            if let Some(password) = &side.password {
                process.env(variable, password);
            }
        }
        process
    }

    /// `redferry copy` to its end.
    pub(crate) fn copy(&self, options: &[&str]) -> Ended {
        self.run("copy", options)
    }

    /// `redferry status` to its end, with a document.
    pub(crate) fn status(&self, options: &[&str]) -> Ended {
        self.ask("status", options)
    }

    /// A command to a running sync, to its end, with a document.
    pub(crate) fn ask(&self, command: &str, options: &[&str]) -> Ended {
        let mut process = self.asking(command, options);
        ended(process.args(["--output", "json"]).output().expect("the binary runs"))
    }

    /// `redferry status`, for people.
    pub(crate) fn status_command(&self, options: &[&str]) -> Command {
        self.asking("status", options)
    }

    fn asking(&self, command: &str, options: &[&str]) -> Command {
        let mut process = Command::new(env!("CARGO_BIN_EXE_redferry"));
        process
            .current_dir(self.folder.path())
            .env_clear()
            .arg(command)
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        process
    }

    /// A command, going on in the background.
    pub(crate) fn start(&self, command: &str, options: &[&str]) -> Running {
        Running::start(&mut self.command(command, options))
    }

    /// `redferry copy`, going on in the background.
    pub(crate) fn start_copy(&self, options: &[&str]) -> Running {
        self.start("copy", options)
    }
}

/// A command in the background, which is killed if the test fails.
#[derive(Debug)]
pub(crate) struct Running(Option<Child>);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Running {
        Running(Some(command.spawn().expect("the binary runs")))
    }

    fn child(&mut self) -> &mut Child {
        self.0.as_mut().expect("only its end takes the process")
    }

    pub(crate) fn id(&mut self) -> u32 {
        self.child().id()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child().try_wait().expect("the process can be asked").is_some()
    }

    /// Sends a signal, such as `-STOP`.
    #[track_caller]
    pub(crate) fn signal(&mut self, name: &str) {
        let sent = Command::new("kill").args([name, &self.id().to_string()]).status();
        assert!(sent.is_ok_and(|sent| sent.success()), "{name} cannot be sent");
    }

    /// Waits until it ends by itself.
    pub(crate) fn wait(mut self) -> Ended {
        let child = self.0.take().expect("only its end takes the process");
        ended(child.wait_with_output().expect("the process can be waited for"))
    }

    /// Ends it as Ctrl-C does.
    #[track_caller]
    pub(crate) fn stop(mut self) -> Ended {
        self.signal("-INT");
        self.wait()
    }

    /// Ends it as nobody wants it.
    #[track_caller]
    pub(crate) fn kill(mut self) {
        self.child().kill().expect("the process can be killed");
        self.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn ended(output: Output) -> Ended {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let text = String::from_utf8_lossy(&output.stdout);
    // A killed process may have printed half of it.
    let report = if text.is_empty() || output.status.code().is_none() {
        Value::Null
    } else {
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: not one JSON document: {text}"))
    };
    Ended { code: output.status.code().unwrap_or(-1), report, said }
}
