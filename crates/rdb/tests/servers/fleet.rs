//! The servers, and which versions each reads.

use rdb::{Version, dump};
use redis::{Client, Connection};
use testkit::Server;
use testkit::server::ServerBuilder;

/// A running server and a connection to it.
pub struct Ship {
    pub name: &'static str,
    pub connection: Connection,
    /// The version of its own payloads.
    pub writes: Version,
    pub server: Server,
}

impl Ship {
    pub fn launch(name: &'static str, builder: ServerBuilder) -> Ship {
        let server = builder.start();
        let client = Client::open(server.access().url()).expect("an address");
        let mut connection = client.get_connection().expect("a connection");
        redis::cmd("SET").arg("probe").arg("x").exec(&mut connection).expect("SET");
        let writes = dump::open(&dump_of(&mut connection, "probe")).expect("a payload").version;
        redis::cmd("DEL").arg("probe").exec(&mut connection).expect("DEL");
        Ship { name, connection, writes, server }
    }

    /// Whether the server takes payloads of that version.
    pub fn reads(&self, version: Version) -> bool {
        // Valkey leaves out the versions that are Redis' own (`rdbIsForeignVersion` in its rdb.h).
        let foreign = self.writes.0 >= 80 && (12..80).contains(&version.0);
        version <= self.writes && !foreign
    }

    pub fn restore(&mut self, key: &str, payload: &[u8]) -> redis::RedisResult<()> {
        redis::cmd("RESTORE").arg(key).arg(0).arg(payload).arg("REPLACE").exec(&mut self.connection)
    }

    pub fn dump(&mut self, key: &str) -> Vec<u8> {
        dump_of(&mut self.connection, key)
    }
}

fn dump_of(connection: &mut Connection, key: &str) -> Vec<u8> {
    redis::cmd("DUMP").arg(key).query(connection).expect("DUMP")
}

/// All servers that this machine can have, not started yet.
pub fn builders() -> Vec<(&'static str, ServerBuilder)> {
    let further = [
        ("Redis 7.0", Server::plain70()),
        ("Redis 8.2", Server::redis8()),
        ("Valkey 9.1", Server::valkey9()),
    ];
    let further = further.into_iter().filter_map(|(name, builder)| Some((name, builder?)));
    let modern = std::iter::once(("Redis 7.4", Server::plain7())).chain(further);
    // From 6.2 on servers can be told to go through every payload byte by byte.
    let modern = modern.map(|(name, builder)| (name, builder.arg("sanitize-dump-payload", "yes")));
    std::iter::once(("Redis 6.0", Server::plain6())).chain(modern).collect()
}

/// All of them, running.
pub fn all() -> Vec<Ship> {
    builders().into_iter().map(|(name, builder)| Ship::launch(name, builder)).collect()
}
