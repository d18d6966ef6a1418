//! Reading INFO, and the few answers that stand in for it.

use std::collections::{BTreeMap, HashMap};

use super::findings::{DatabaseFacts, ModuleFacts};
use resp::Value;

/// What a node says about itself. Everything may be missing: managed services leave fields out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Info {
    fields: HashMap<String, String>,
    modules: Vec<ModuleFacts>,
    databases: BTreeMap<u32, DatabaseFacts>,
    tells_keyspace: bool,
}

impl Info {
    /// Reads the answer to INFO; an error is an account without fields.
    pub(crate) fn of(reply: &Value) -> Info {
        match reply {
            Value::Bulk(text) | Value::Verbatim(text) => Info::parse(&String::from_utf8_lossy(text)),
            _ => Info::default(),
        }
    }

    fn parse(text: &str) -> Info {
        let mut info = Info::default();
        for line in text.lines() {
            if line.eq_ignore_ascii_case("# keyspace") {
                info.tells_keyspace = true;
            }
            let Some((name, value)) = line.split_once(':') else { continue };
            if name == "module" {
                info.modules.extend(module(value));
            } else if let Some(database) = database(name, value) {
                info.databases.insert(database.db, database);
            } else {
                info.fields.insert(name.to_owned(), value.trim().to_owned());
            }
        }
        info
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    /// An id of 40 hexadecimal digits; all zeros is a service's way of hiding it.
    pub(crate) fn id(&self, name: &str) -> Option<String> {
        self.text(name).filter(|id| id.bytes().any(|digit| digit != b'0')).map(str::to_owned)
    }

    /// Databases that hold keys; `None` when the node does not say.
    pub(crate) fn databases(&self) -> Option<impl Iterator<Item = DatabaseFacts>> {
        self.tells_keyspace.then(|| self.databases.values().copied())
    }

    pub(crate) fn modules(&self) -> &[ModuleFacts] {
        &self.modules
    }

    /// Bytes that the keys take: what another server would need for them. An empty server's own memory,
    /// the replication backlog and clients' buffers are not among it (object.c, getMemoryOverheadData).
    pub(crate) fn data_memory(&self) -> Option<u64> {
        const NOT_DATA: [&str; 5] = [
            "used_memory_startup",
            "mem_replication_backlog",
            "mem_clients_normal",
            "mem_clients_slaves",
            "mem_aof_buffer",
        ];
        let other: u64 = NOT_DATA.iter().filter_map(|name| self.number(name)).sum();
        Some(self.number("used_memory")?.saturating_sub(other))
    }
}

/// `db0` and `keys=1,expires=0,avg_ttl=0`.
fn database(name: &str, value: &str) -> Option<DatabaseFacts> {
    let db = name.strip_prefix("db")?.parse().ok()?;
    let part = |name| value.trim().split(',').find_map(|part| part.strip_prefix(name)?.parse().ok());
    Some(DatabaseFacts { db, keys: part("keys=")?, expires: part("expires=").unwrap_or(0) })
}

/// `name=ReJSON,ver=20808,api=1,...`
fn module(value: &str) -> Option<ModuleFacts> {
    let part = |name| value.trim().split(',').find_map(|part| part.strip_prefix(name));
    Some(ModuleFacts { name: part("name=")?.to_owned(), version: part("ver=")?.parse().ok()? })
}

/// Reads the answer to MODULE LIST: for each module name, value, name, value. `None` for an error.
pub(super) fn module_list(reply: &Value) -> Option<Vec<ModuleFacts>> {
    let modules = reply.as_array()?.iter().filter_map(|module| {
        let parts = module.as_array()?;
        let part =
            |name| parts.chunks_exact(2).find(|pair| pair[0].as_str() == Some(name)).map(|pair| &pair[1]);
        Some(ModuleFacts {
            name: part("name")?.as_str()?.to_owned(),
            version: part("ver").and_then(Value::as_i64).and_then(|ver| ver.try_into().ok()).unwrap_or(0),
        })
    });
    Some(modules.collect())
}

/// Reads the answer to CONFIG GET of one name.
pub(super) fn config_value(reply: &Value) -> Option<String> {
    Some(reply.as_array()?.get(1)?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const REDIS_6: &str = "# Server\r\nredis_version:6.0.16\r\nrun_id:ab01\r\n\r\n# Memory\r\n\
        used_memory:1000\r\nused_memory_startup:300\r\nmem_clients_normal:100\r\nmem_replication_backlog:50\r\n\
        maxmemory:0\r\n\r\n# Modules\r\nmodule:name=ReJSON,ver=20808,api=1,filters=0\r\n\r\n# Keyspace\r\n\
        db0:keys=3,expires=1,avg_ttl=0\r\ndb12:keys=5,expires=0,avg_ttl=0,subexpiry=0\r\n";

    #[test]
    fn info_of_redis_is_read() {
        let info = Info::parse(REDIS_6);
        assert_eq!(info.text("redis_version"), Some("6.0.16"));
        assert_eq!(info.id("run_id").as_deref(), Some("ab01"));
        assert_eq!(info.data_memory(), Some(550));
        assert_eq!(info.modules(), [ModuleFacts { name: "ReJSON".into(), version: 20808 }]);
        let databases: Vec<_> = info.databases().unwrap().collect();
        assert_eq!(databases[0], DatabaseFacts { db: 0, keys: 3, expires: 1 });
        assert_eq!(databases[1], DatabaseFacts { db: 12, keys: 5, expires: 0 });
    }

    #[test]
    fn a_node_that_says_nothing_has_no_fields_and_no_databases() {
        let info = Info::of(&Value::Error(bytes::Bytes::from_static(b"ERR unknown command 'INFO'")));
        assert!(info.fields.is_empty());
        assert!(info.databases().is_none(), "unknown is not the same as empty");
        assert_eq!(info.data_memory(), None);
        assert!(Info::parse("# Keyspace\r\n").databases().is_some());
    }

    #[test]
    fn an_id_of_zeros_is_no_id() {
        assert_eq!(Info::parse("run_id:0000000000\r\n").id("run_id"), None);
        assert_eq!(Info::parse("run_id:\r\n").id("run_id"), None);
    }
}
