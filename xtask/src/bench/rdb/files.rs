//! The files: a data set as Redis 6.0 saves it, and as Redis 7.4 saves what it loaded from that.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;
use testkit::Server;
use testkit::server::{Reply, ServerBuilder};

use crate::bench::data::DataSet;
use crate::bench::{Ways, complete, say};

/// Who wrote a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Ziplists and quicklists; what Azure Cache for Redis exports.
    Redis6,
    /// Listpacks.
    Redis7,
}

impl Origin {
    /// Both.
    pub const ALL: [Origin; 2] = [Origin::Redis6, Origin::Redis7];

    /// As it is printed.
    pub fn name(self) -> &'static str {
        match self {
            Origin::Redis6 => "6.0",
            Origin::Redis7 => "7.4",
        }
    }

    fn file(self) -> &'static str {
        match self {
            Origin::Redis6 => "redis-6.rdb",
            Origin::Redis7 => "redis-7.rdb",
        }
    }
}

/// Both files of a data set; they are gone when this is dropped.
#[derive(Debug)]
pub struct Files {
    _folder: TempDir,
    paths: [PathBuf; 2],
    /// Keys in each.
    pub keys: u64,
}

impl Files {
    /// Where one is.
    pub fn path(&self, origin: Origin) -> &Path {
        &self.paths[origin as usize]
    }

    /// How large it is.
    ///
    /// # Errors
    /// It is gone.
    pub fn size(&self, origin: Origin) -> Result<u64> {
        Ok(self.path(origin).metadata().context("a file of the benchmark is gone")?.len())
    }
}

/// Has both servers write the data set.
///
/// # Errors
/// No room, or a server does not save.
pub async fn written(set: DataSet, ways: &Ways) -> Result<Files> {
    let folder = tempfile::tempdir().context("no temporary folder for files")?;
    let paths = Origin::ALL.map(|origin| folder.path().join(origin.file()));
    let redis6 = beside(Server::plain6(), &paths[0]).start();
    let keys = ways.load(set, set.keys(), &redis6).await?;
    say(set, "saving by Redis 6.0 and by Redis 7.4");
    save(&redis6).await.context("Redis 6.0")?;
    drop(redis6);
    let redis7 = beside(Server::plain7(), &paths[0]).start();
    complete(keys, &redis7)?;
    let reply = redis7.command(&["CONFIG", "SET", "dbfilename", Origin::Redis7.file()]).text();
    ensure!(reply == "OK", "CONFIG SET dbfilename answers {reply}");
    save(&redis7).await.context("Redis 7.4")?;
    Ok(Files { _folder: folder, paths, keys })
}

/// A server that loads this file at its start, if there is one, and saves to it.
pub fn beside(server: ServerBuilder, file: &Path) -> ServerBuilder {
    let folder = file.parent().unwrap_or(file).display();
    let name = file.file_name().unwrap_or_default().display();
    server.arg("dir", &format!("\"{folder}\"")).arg("dbfilename", &name.to_string())
}

/// In the background, so that no command has to wait for it.
async fn save(server: &Server) -> Result<()> {
    let reply = server.command(&["BGSAVE"]);
    ensure!(!matches!(reply, Reply::Error(_)), "BGSAVE answers {}", reply.text());
    loop {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let info = server.command(&["INFO", "persistence"]).text();
        let says = |line: &str| info.lines().any(|there| there == line);
        if says("rdb_bgsave_in_progress:0") {
            ensure!(says("rdb_last_bgsave_status:ok"), "BGSAVE failed; the log:\n{}", server.log());
            return Ok(());
        }
    }
}
