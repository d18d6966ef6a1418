//! A real storage account, as far as Azurite is one: containers, blobs, keys and shared access signatures.
//!
//! What is put and signed here goes over an HTTP client and a signature of its own, so that tests of the `blob` crate
//! have a witness that shares no code with it.

mod http;
mod sign;

use std::fs::{self, OpenOptions};
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use tempfile::TempDir;

use crate::server::{ports, process};
pub use http::Answer;
use http::Call;

/// The account that every Azurite has.
pub const ACCOUNT: &str = "devstoreaccount1";

/// Its key, known to everybody.
pub const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// How long it may take to start. Node reads some thousand files.
const START_LIMIT: Duration = Duration::from_secs(60);

const LOG: &str = "azurite.log";

/// A running Azurite. Dropping it kills the process and removes its folder.
#[derive(Debug)]
pub struct Azurite {
    port: u16,
    tls: bool,
    folder: TempDir,
    child: Child,
}

/// What a shared access signature is for.
#[derive(Debug, Clone, Copy)]
pub struct Sas<'a> {
    /// The container.
    pub container: &'a str,
    /// The blob; `None` for every blob of the container.
    pub blob: Option<&'a str>,
    /// Permissions, `rcw` for example.
    pub permissions: &'a str,
    /// Seconds from now until it expires; negative for one that has.
    pub expires_in: i64,
}

impl Azurite {
    /// Starts one over plain HTTP. `None` where node or npm is missing, with a line that says so.
    ///
    /// # Panics
    /// When it cannot be fetched or does not start.
    pub fn start() -> Option<Azurite> {
        Self::launch(false)
    }

    /// Starts one over TLS, with the test kit's own certificate for `localhost`. It takes tokens of Entra, of which it
    /// checks issuer, audience and expiry but not the signature.
    ///
    /// # Panics
    /// When it cannot be fetched or does not start.
    pub fn start_with_tls() -> Option<Azurite> {
        Self::launch(true)
    }

    fn launch(tls: bool) -> Option<Azurite> {
        let words = match crate::binaries::azurite() {
            Ok(Ok(words)) => words,
            Ok(Err(missing)) => {
                eprintln!("SKIPPED: {missing}");
                return None;
            }
            Err(error) => panic!("no Azurite to test with: {error:#}"),
        };
        for _ in 0..10 {
            let folder =
                tempfile::Builder::new().prefix("redferry-azurite-").tempdir().expect("a folder for Azurite");
            let port = ports::free_port(false);
            let mut words = words.clone();
            for word in ["--blobHost", "127.0.0.1", "--blobPort", &port.to_string(), "--location", "."] {
                words.push(word.into());
            }
            words.extend(["--skipApiVersionCheck".into(), "--disableTelemetry".into()]);
            if tls {
                let identity = &crate::tls::authority().server;
                words.extend([
                    "--cert".into(),
                    (&identity.cert).into(),
                    "--key".into(),
                    (&identity.key).into(),
                ]);
                words.extend(["--oauth".into(), "basic".into()]);
            }
            let log = OpenOptions::new().create(true).append(true).open(folder.path().join(LOG));
            let child = process::spawn_other(&words, folder.path(), log.expect("a log for Azurite"));
            let child = child.unwrap_or_else(|error| panic!("cannot start Azurite: {error}"));
            let mut azurite = Azurite { port, tls, folder, child };
            if azurite.is_up() {
                return Some(azurite);
            }
        }
        panic!("no free port for Azurite")
    }

    /// Waits until it says that it listens. False when somebody else was faster with the port.
    fn is_up(&mut self) -> bool {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            let log = self.log();
            if log.contains("successfully listen") {
                return true;
            }
            let exited = !matches!(self.child.try_wait(), Ok(None));
            if log.contains("EADDRINUSE") {
                return false;
            }
            assert!(!exited && Instant::now() < deadline, "Azurite does not start; its log:\n{log}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// The port of 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// URL of a blob as it is reached through `port`, which may be a relay's.
    pub fn url_through(&self, port: u16, container: &str, blob: &str) -> String {
        let (scheme, host) = if self.tls { ("https", "localhost") } else { ("http", "127.0.0.1") };
        format!("{scheme}://{host}:{port}/{ACCOUNT}/{container}/{blob}")
    }

    /// URL of a blob.
    pub fn url(&self, container: &str, blob: &str) -> String {
        self.url_through(self.port, container, blob)
    }

    /// What it has logged: a line for each request, at its end.
    pub fn log(&self) -> String {
        fs::read(self.folder.path().join(LOG))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// Creates a container.
    ///
    /// # Panics
    /// When it is refused.
    pub fn create_container(&self, container: &str) {
        self.call(Call::put(&format!("/{container}")).query("restype", "container")).expect_success();
    }

    /// Puts a block blob, replacing what is there.
    ///
    /// # Panics
    /// When it is refused.
    pub fn put_blob(&self, container: &str, blob: &str, bytes: &[u8]) {
        let call =
            Call::put(&format!("/{container}/{blob}")).header("x-ms-blob-type", "BlockBlob").body(bytes);
        self.call(call).expect_success();
    }

    /// Puts a page blob, as Azure Cache for Redis exports: zeros fill the last page of 512 bytes. Returns its size.
    ///
    /// # Panics
    /// When it is refused.
    pub fn put_page_blob(&self, container: &str, blob: &str, bytes: &[u8]) -> usize {
        let size = bytes.len().next_multiple_of(512);
        let path = format!("/{container}/{blob}");
        let length = size.to_string();
        let call =
            Call::put(&path).header("x-ms-blob-type", "PageBlob").header("x-ms-blob-content-length", &length);
        self.call(call).expect_success();
        // One request carries 4 MiB at most ("Put Page").
        for (index, part) in bytes.chunks(4 << 20).enumerate() {
            let mut part = part.to_vec();
            part.resize(part.len().next_multiple_of(512), 0);
            let start = index * (4 << 20);
            let range = format!("bytes={start}-{}", start + part.len() - 1);
            let call = Call::put(&path).query("comp", "page").header("x-ms-page-write", "update");
            self.call(call.header("x-ms-range", &range).body(&part)).expect_success();
        }
        size
    }

    /// Deletes a blob.
    ///
    /// # Panics
    /// When it is refused.
    pub fn delete_blob(&self, container: &str, blob: &str) {
        self.call(Call::new("DELETE", &format!("/{container}/{blob}"))).expect_success();
    }

    /// The bytes of a blob. `None` if there is none.
    ///
    /// # Panics
    /// When the request fails in another way.
    pub fn get_blob(&self, container: &str, blob: &str) -> Option<Vec<u8>> {
        let answer = self.call(Call::new("GET", &format!("/{container}/{blob}")));
        if answer.status == 404 { None } else { Some(answer.expect_success().body) }
    }

    /// Names of the blobs that a listing shows, sorted.
    ///
    /// # Panics
    /// When the request fails.
    pub fn list_blobs(&self, container: &str) -> Vec<String> {
        let call =
            Call::new("GET", &format!("/{container}")).query("restype", "container").query("comp", "list");
        let answer = self.call(call).expect_success();
        let xml = String::from_utf8_lossy(&answer.body).into_owned();
        let names = xml.split("<Name>").skip(1).filter_map(|rest| rest.split_once("</Name>"));
        names.map(|(name, _)| name.to_owned()).collect()
    }

    /// A shared access signature, to be put behind a question mark.
    pub fn sas(&self, sas: Sas<'_>) -> String {
        sign::service_sas(sas, SystemTime::now())
    }

    fn call(&self, call: Call<'_>) -> Answer {
        let path = call.path.clone();
        match http::send(self.port, self.tls, &sign::authorize(call, SystemTime::now())) {
            Ok(answer) => answer,
            Err(error) => panic!("a request to Azurite for {path} failed: {error}"),
        }
    }
}

impl Drop for Azurite {
    fn drop(&mut self) {
        // An error means that it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!(
                "log of Azurite at port {}:\n{}",
                self.port,
                lines[lines.len().saturating_sub(40)..].join("\n")
            );
        }
    }
}
