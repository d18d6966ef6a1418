//! `redferry rdb`: files of real servers, and into real servers.

mod blob;
mod convert;
mod damage;
mod export;
mod import;
mod inspect;
mod interruption;

use std::path::{Path, PathBuf};

use testkit::{Access, Server, compare};

/// Another one for random data fails in the same place again.
const SEED: u64 = 20_261_125;

/// The file that a server writes now. It must let itself be asked (`Server::plain6`, `Server::plain7`).
async fn saved(server: &Server) -> PathBuf {
    let mut connection = server.access().connect().await;
    let _: () = redis::cmd("SAVE").query_async(&mut connection).await.unwrap();
    let mut found = Vec::new();
    for name in ["dir", "dbfilename"] {
        let pair: Vec<String> =
            redis::cmd("CONFIG").arg("GET").arg(name).query_async(&mut connection).await.unwrap();
        found.push(pair[1].clone());
    }
    Path::new(&found[0]).join(&found[1])
}

async fn equal(source: &Access, target: &Access) {
    compare::caches(source, target, &compare::Options::default()).await.assert_equal();
}

/// A path as text.
fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are text")
}
