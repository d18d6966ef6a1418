//! Redis 6.0 and OpenSSL 1.1 out of Debian 11 and Redis 7.0 out of Debian 12, through the APT that this machine has
//! already.
//!
//! APT checks the signatures. It gets its own state folder and an empty list of installed packages, so that
//! nothing of the system changes and the versions of the wanted release are chosen.

mod sources;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::external::run;
use super::install::Store;
use sources::Mirror;

/// A release of Debian and what is taken out of it.
#[derive(Debug)]
struct Release {
    codename: &'static str,
    /// Where it is kept.
    folder: &'static str,
    /// The server and the libraries that other releases have in other versions or not at all.
    packages: &'static [&'static str],
    advice: &'static str,
}

/// With Redis 6.0.16.
const DEBIAN_11: Release = Release {
    codename: "bullseye",
    folder: "redis-6.0-bullseye-with-faketime",
    packages: &[
        "redis-server",
        "redis-tools",
        "libssl1.1",
        "libjemalloc2",
        "liblua5.1-0",
        "libhiredis0.14",
        "lua-cjson",
        "lua-bitop",
        "liblzf1",
        "libsystemd0",
        // Not for the server to run, but to run it with another clock.
        "libfaketime",
    ],
    advice: "cannot fetch Redis 6.0 from Debian 11 (REDFERRY_REDIS6 can name another server; \
             REDFERRY_WITHOUT_APT=1 takes Redis 6.2 without TLS instead)",
};

/// With Redis 7.0.15.
const DEBIAN_12: Release = Release {
    codename: "bookworm",
    folder: "redis-7.0-bookworm",
    packages: &["redis-server", "redis-tools", "libssl3", "libjemalloc2", "liblzf1", "libsystemd0"],
    advice: "cannot fetch Redis 7.0 from Debian 12",
};

/// What a slim machine may lack besides. Fetched only if the server does not start without.
const MORE_LIBRARIES: [&str; 6] =
    ["liblz4-1", "libzstd1", "libgcrypt20", "libgpg-error0", "liblzma5", "libatomic1"];

/// A Debian machine's own mirror.
#[derive(Debug)]
pub(super) struct Debian {
    running: String,
}

impl Debian {
    /// Reads this machine's APT sources. `None` where they are not Debian's.
    pub(super) fn of_this_machine() -> Option<Debian> {
        let running = sources::running_release()?;
        let has_mirrors = !sources::mirrors_of(&running, DEBIAN_11.codename).is_empty();
        has_mirrors.then_some(Debian { running })
    }

    /// Downloads and unpacks Redis 6.0 once, and returns the folder with its `usr`.
    pub(super) fn redis6(&self, store: &Store) -> Result<PathBuf> {
        self.installed(&DEBIAN_11, store)
    }

    /// Downloads and unpacks Redis 7.0 once, and returns the folder with its `usr`.
    pub(super) fn redis70(&self, store: &Store) -> Result<PathBuf> {
        self.installed(&DEBIAN_12, store)
    }

    fn installed(&self, release: &Release, store: &Store) -> Result<PathBuf> {
        store.installed(release.folder, |folder| self.unpack(release, folder).context(release.advice))
    }

    fn unpack(&self, release: &Release, folder: &Path) -> Result<String> {
        let mirrors = sources::mirrors_of(&self.running, release.codename);
        let apt = Apt::new(&folder.join("apt"), &mirrors)?;
        eprintln!("testkit: reading the package lists of Debian {} ...", release.codename);
        apt.update()?;
        let mut installed = apt.unpack(release.packages, folder)?;
        if !starts(folder)? {
            installed.extend(apt.unpack(&MORE_LIBRARIES, folder)?);
            if !starts(folder)? {
                bail!("the unpacked server does not start: a shared library is missing");
            }
        }
        fs::remove_dir_all(folder.join("apt")).context("cannot remove APT's state folder")?;
        Ok(installed.join("\n"))
    }
}

/// The folders of shared libraries below an unpacked root, as `LD_LIBRARY_PATH`.
pub(super) fn libraries(folder: &Path) -> Result<OsString> {
    let mut found = Vec::new();
    for parent in ["usr/lib", "lib"] {
        let Ok(entries) = fs::read_dir(folder.join(parent)) else { continue };
        let folders = entries.filter_map(|entry| Some(entry.ok()?.path()));
        found.extend(folders.filter(|path| path.to_string_lossy().ends_with("-linux-gnu")));
    }
    std::env::join_paths(found).context("the path of the test servers contains a colon; use another folder")
}

fn starts(folder: &Path) -> Result<bool> {
    let mut server = Command::new(folder.join("usr/bin/redis-server"));
    server.arg("--version").env("LD_LIBRARY_PATH", libraries(folder)?);
    Ok(run(&mut server, "try the unpacked server").is_ok())
}

/// APT with a state of its own.
struct Apt {
    state: PathBuf,
}

impl Apt {
    fn new(state: &Path, mirrors: &[Mirror]) -> Result<Apt> {
        for folder in ["lists/partial", "archives/partial", "packages"] {
            fs::create_dir_all(state.join(folder)).context("cannot make APT's state folder")?;
        }
        fs::write(state.join("status"), "").context("cannot write APT's status file")?;
        let lines: String = mirrors.iter().map(Mirror::source_line).collect();
        fs::write(state.join("sources.list"), lines).context("cannot write APT's sources")?;
        Ok(Apt { state: state.to_owned() })
    }

    fn command(&self) -> Command {
        let mut command = Command::new("apt-get");
        let state = self.state.display();
        for option in [
            format!("Dir::Etc::SourceList={state}/sources.list"),
            "Dir::Etc::SourceParts=/dev/null".into(),
            "Dir::Etc::Preferences=/dev/null".into(),
            "Dir::Etc::PreferencesParts=/dev/null".into(),
            format!("Dir::State::Lists={state}/lists"),
            format!("Dir::State::Status={state}/status"),
            format!("Dir::Cache={state}"),
            format!("Dir::Cache::Archives={state}/archives"),
            // The folder belongs to whoever runs the tests; APT's own user cannot write there.
            "APT::Sandbox::User=".into(),
            "Acquire::Languages=none".into(),
            "Acquire::Retries=3".into(),
        ] {
            command.arg("-o").arg(option);
        }
        command
    }

    fn update(&self) -> Result<()> {
        run(self.command().args(["-q", "update"]), "read Debian's package lists").map(drop)
    }

    /// Downloads packages, unpacks them into `root`, and returns their file names, which hold the versions.
    fn unpack(&self, packages: &[&str], root: &Path) -> Result<Vec<String>> {
        let folder = self.state.join("packages");
        let mut download = self.command();
        download.args(["-q", "download"]).args(packages).current_dir(&folder);
        run(&mut download, "download Debian packages")?;
        let mut names = Vec::new();
        for entry in fs::read_dir(&folder).context("cannot list the downloaded packages")? {
            let archive = entry.context("cannot list the downloaded packages")?.path();
            let mut extract = Command::new("dpkg-deb");
            run(extract.arg("-x").arg(&archive).arg(root), "unpack a Debian package")?;
            let name = archive.file_name().unwrap_or_default().to_string_lossy().replace("%3a", ":");
            eprintln!("testkit: fetched {name}");
            names.push(name);
            fs::remove_file(&archive).context("cannot remove an unpacked package")?;
        }
        names.sort();
        Ok(names)
    }
}
