//! On real servers: every type in many pieces, both ways, and each way in which it can go wrong.

mod collections;
mod faults;
mod streams;

use std::sync::Arc;

use client::address::Address;
use client::tls::TlsOptions;
use client::{Endpoint, Node, Side, Topology};
use migration::conflict::OnConflict;
use migration::naming::Naming;
use migration::selection::{Selection, SelectionOptions};
use testkit::compare::{self, Options};
use testkit::{Access, Server};

use super::{PieceCopier, PiecesEnd};
use crate::options::CopyOptions;
use crate::run::{Abilities, Run, Stop};

/// Pieces so small that keys of a few kilobytes have many.
const SMALL: u64 = 512;

/// Two servers and what copies between them.
struct Pair {
    source: Access,
    target: Access,
    on_conflict: OnConflict,
    /// Whether the source is Redis 7.4.
    source_is_7: bool,
    piece: u64,
    stop: Arc<Stop>,
}

impl Pair {
    fn of_6_and_7(source: &Server, target: &Server) -> Pair {
        Pair::new(source.access(), target.access(), false)
    }

    fn of_7_and(source: &Server, target: &Server) -> Pair {
        Pair::new(source.access(), target.access(), true)
    }

    fn new(source: Access, target: Access, source_is_7: bool) -> Pair {
        let on_conflict = OnConflict::Replace;
        Pair { source, target, on_conflict, source_is_7, piece: SMALL, stop: Arc::new(Stop::default()) }
    }

    fn run(&self) -> Arc<Run> {
        let mut options = CopyOptions::new("unused".into());
        options.on_conflict = self.on_conflict;
        options.silence = std::time::Duration::from_secs(20);
        let target = endpoint(Side::Target, &self.target);
        Arc::new(Run::new(
            options,
            endpoint(Side::Source, &self.source),
            target.clone(),
            Selection::new(&SelectionOptions::default()).unwrap(),
            Naming::identity([0]).unwrap(),
            Abilities { memory_usage: true, hash_field_expiry: self.source_is_7, ..Abilities::default() },
            Topology::Single(target.seed().clone()),
            Arc::clone(&self.stop),
            1,
        ))
    }

    fn copier(&self) -> PieceCopier {
        let node = Node { host: self.source.host.clone(), port: self.source.port };
        PieceCopier::new(self.run(), node, 0).with_piece(self.piece)
    }

    async fn copy(&self, key: &str) -> PiecesEnd {
        self.copier().copy(key.as_bytes()).await.unwrap()
    }

    /// Copies all keys of the source and expects both sides to be equal, without left-overs.
    async fn copy_all_and_compare(&self) {
        let mut connection = self.source.connect().await;
        let keys: Vec<Vec<u8>> = redis::cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap();
        assert!(!keys.is_empty());
        let mut copier = self.copier();
        for key in &keys {
            let end = copier.copy(key).await.unwrap();
            assert!(matches!(end, PiecesEnd::Copied { .. }), "{}: {end:?}", key.escape_ascii());
        }
        compare::caches(&self.source, &self.target, &Options::default()).await.assert_equal();
    }
}

fn endpoint(side: Side, access: &Access) -> Endpoint {
    let address = Address::parse(&access.url_with_password()).unwrap();
    Endpoint::new(side, &address, &TlsOptions::default()).unwrap()
}

/// Runs one command, written as words.
async fn run(access: &Access, command: &str) -> redis::Value {
    let mut words = command.split_whitespace();
    let mut cmd = redis::cmd(words.next().unwrap());
    words.for_each(|word| {
        cmd.arg(word);
    });
    let mut connection = access.connect().await;
    cmd.query_async(&mut connection).await.unwrap_or_else(|error| panic!("{command}: {error}"))
}

async fn keys(access: &Access) -> Vec<String> {
    let mut connection = access.connect().await;
    redis::cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap()
}
