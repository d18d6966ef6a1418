//! One of the two caches: its databases and all its keys.

use std::collections::{BTreeMap, HashSet};

use redis::Value;

use super::reply;
use crate::access::Access;
use crate::dataset::nodes::Nodes;

/// One database of one cache.
#[derive(Clone)]
pub(super) struct Database {
    pub(super) nodes: Nodes,
    /// Whether the server knows a time to live for hash fields (Redis 7.4).
    pub(super) has_field_ttl: bool,
}

pub(super) struct Side {
    access: Access,
    has_field_ttl: bool,
    databases: BTreeMap<u16, Database>,
}

impl Side {
    pub(super) async fn open(access: &Access) -> Self {
        let nodes = Nodes::open(access, 0).await;
        let mut question = redis::cmd("HPTTL");
        question.arg(&["redferry:no such key", "FIELDS", "1", "field"]);
        let has_field_ttl = nodes.ask_one(b"redferry:no such key", &question).await.is_ok();
        let databases = BTreeMap::from([(0, Database { nodes, has_field_ttl })]);
        Side { access: access.clone(), has_field_ttl, databases }
    }

    pub(super) async fn database(&mut self, db: u16) -> Database {
        if let Some(database) = self.databases.get(&db) {
            return database.clone();
        }
        let nodes = Nodes::open(&self.access, db).await;
        let database = Database { nodes, has_field_ttl: self.has_field_ttl };
        self.databases.insert(db, database.clone());
        database
    }

    /// Every key of every database of every primary, once.
    pub(super) async fn keys(&mut self) -> HashSet<(u16, Vec<u8>)> {
        let mut keys = HashSet::new();
        for db in self.databases_in_use().await {
            let nodes = self.database(db).await.nodes;
            for node in 0..nodes.count() {
                let mut connection = nodes.connection(node);
                let mut cursor = b"0".to_vec();
                loop {
                    let mut scan = redis::cmd("SCAN");
                    scan.arg(cursor).arg("COUNT").arg(10_000);
                    let page: Value = scan
                        .query_async(&mut connection)
                        .await
                        .unwrap_or_else(|error| panic!("SCAN on {} failed: {error}", self.access.url()));
                    let (next, page) = reply::page(page);
                    keys.extend(page.into_iter().map(|key| (db, key)));
                    if next == b"0" {
                        break;
                    }
                    cursor = next;
                }
            }
        }
        keys
    }

    async fn databases_in_use(&mut self) -> Vec<u16> {
        if self.access.cluster {
            return vec![0];
        }
        let mut connection = self.database(0).await.nodes.connection(0);
        let keyspace: Value = redis::cmd("INFO")
            .arg("keyspace")
            .query_async(&mut connection)
            .await
            .unwrap_or_else(|error| panic!("INFO keyspace on {} failed: {error}", self.access.url()));
        String::from_utf8_lossy(&reply::bytes(keyspace))
            .lines()
            .filter_map(|line| line.strip_prefix("db")?.split_once(':')?.0.parse().ok())
            .collect()
    }
}
