//! `redferry verify`: what it must see, what it must not see, and what can happen to it on the way.

mod choice;
mod clocks;
mod commands;
mod corruption;
mod edges;
mod encodings;
mod equal;
mod findings;
mod interruption;
mod live;
mod reads_only;
mod repair;
mod report;

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use testkit::{Access, compare};

use crate::support::{Ended, Redferry, Running};
use findings::{Expected, expect_findings};

/// Two caches that are copied, spoiled and compared.
struct Pair {
    source: Access,
    target: Access,
    redferry: Redferry,
}

impl Pair {
    fn of(source: &Access, target: &Access) -> Pair {
        Pair { source: source.clone(), target: target.clone(), redferry: Redferry::between(source, target) }
    }

    #[track_caller]
    fn copy(&self, options: &[&str]) -> Ended {
        self.redferry.copy(options).expect(0)
    }

    /// `redferry verify` to its end, with every differing key named.
    fn verify(&self, options: &[&str]) -> Ended {
        self.redferry.run("verify", &complete(options))
    }

    /// Fails the test unless verify says that both are equal.
    #[track_caller]
    fn expect_equal(&self, options: &[&str]) -> Ended {
        let ended = self.verify(options);
        expect_findings(&ended, &Expected::new());
        ended
    }

    /// Fails the test unless verify names exactly these keys, each with exactly these kinds.
    #[track_caller]
    fn expect_differences(&self, options: &[&str], expected: &Expected) -> Ended {
        let ended = self.verify(options);
        expect_findings(&ended, expected);
        ended
    }

    /// `redferry verify`, going on in the background.
    fn start(&self, options: &[&str]) -> Running {
        Running::start(self.command(&complete(options)).args(["--output", "json"]))
    }

    /// Exit code and everything that a person sees.
    fn as_text(&self, options: &[&str]) -> (i32, String) {
        let output = self.command(options).output().expect("the binary runs");
        let said = [&output.stdout[..], &output.stderr[..]].concat();
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned())
    }

    fn command(&self, options: &[&str]) -> Command {
        let (source, target) = (self.source.url_with_password(), self.target.url_with_password());
        let mut process = Command::new(env!("CARGO_BIN_EXE_redferry"));
        process
            .current_dir(self.redferry.folder())
            .env_clear()
            .args(["verify", "--source", &source, "--target", &target])
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if self.source.tls || self.target.tls {
            process.arg("--ca").arg(&testkit::tls::authority().ca);
        }
        process
    }

    /// Fails the test unless the independent comparison finds differences in exactly these keys: the test itself
    /// is right then.
    async fn expect_witness(&self, expected: &Expected) {
        let mut options = compare::Options::default().ttl_tolerance_ms(20);
        options.max_differences = 100_000;
        let report = compare::caches(&self.source, &self.target, &options).await;
        let found: BTreeSet<String> =
            report.differences.iter().map(|found| String::from_utf8_lossy(&found.key).into_owned()).collect();
        let expected: BTreeSet<String> = expected.keys().cloned().collect();
        assert_eq!(found, expected, "{report}");
    }

    /// What the independent comparison says.
    async fn compare(&self) -> compare::Report {
        let mut options = compare::Options::default();
        options.max_differences = 100_000;
        compare::caches(&self.source, &self.target, &options).await
    }
}

/// Caches at rest need no patience, and every key is to be named.
fn complete<'a>(options: &[&'a str]) -> Vec<&'a str> {
    let mut options = options.to_vec();
    if !options.contains(&"--until-stable") {
        options.extend(["--until-stable", "300ms"]);
    }
    if !options.contains(&"--show-keys") {
        options.extend(["--show-keys", "100000"]);
    }
    options
}
