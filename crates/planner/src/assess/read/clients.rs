//! CLIENT LIST.

use std::collections::{BTreeMap, BTreeSet};

/// The connections at that moment, without their addresses and names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clients {
    /// Connections of others than redferry.
    pub count: u64,
    /// Connections in each database.
    pub databases: BTreeMap<u32, u64>,
    /// Libraries with version, where clients tell (Redis 7.2 on), and how many connections each has.
    pub libraries: BTreeMap<String, u64>,
    /// Users of the connections, without the default user.
    pub named_users: u64,
    /// Connections that have subscribed to channels, or to patterns of channels.
    pub subscribers: u64,
    pub pattern_subscribers: u64,
    /// The largest output buffer, bytes.
    pub largest_output: u64,
    /// Addresses that connections come from.
    pub hosts: u64,
}

/// Reads the answer to CLIENT LIST. Connections with this name are redferry's own and left out.
pub fn clients(text: &str, own_name: &str) -> Clients {
    let mut clients = Clients::default();
    let mut hosts = BTreeSet::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let fields: BTreeMap<&str, &str> = line.split(' ').filter_map(|pair| pair.split_once('=')).collect();
        let number = |name: &str| fields.get(name).and_then(|value| value.parse::<u64>().ok()).unwrap_or(0);
        let flags = fields.get("flags").copied().unwrap_or_default();
        // Replicas and primaries are connections too.
        if fields.get("name") == Some(&own_name) || flags.contains(['S', 'M']) {
            continue;
        }
        clients.count += 1;
        if let Some(database) = fields.get("db").and_then(|db| db.parse().ok()) {
            *clients.databases.entry(database).or_default() += 1;
        }
        if let Some(library) = fields.get("lib-name").filter(|name| !name.is_empty()) {
            let version = fields.get("lib-ver").copied().unwrap_or_default();
            *clients.libraries.entry(format!("{library} {version}").trim().to_owned()).or_default() += 1;
        }
        clients.named_users +=
            u64::from(fields.get("user").is_some_and(|user| !matches!(*user, "default" | "")));
        clients.subscribers += u64::from(number("sub") > 0);
        clients.pattern_subscribers += u64::from(number("psub") > 0);
        clients.largest_output = clients.largest_output.max(number("omem"));
        if let Some((host, _)) = fields.get("addr").and_then(|addr| addr.rsplit_once(':')) {
            hosts.insert(host);
        }
    }
    clients.hosts = hosts.len() as u64;
    clients
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_counted_without_redferrys_own() {
        let text = "id=3 addr=10.0.0.4:50000 fd=8 name= age=1 idle=0 flags=N db=0 sub=0 psub=0 multi=-1 omem=0 cmd=get user=default\n\
             id=4 addr=10.0.0.4:50001 fd=9 name=w age=1 idle=0 flags=P db=3 sub=1 psub=2 multi=-1 omem=20480 cmd=subscribe user=app lib-name=jedis lib-ver=5.1\n\
             id=5 addr=[::1]:50002 fd=9 name=redferry age=1 idle=0 flags=N db=7 sub=0 psub=0 multi=-1 omem=0 cmd=client user=default\n\
             id=6 addr=10.0.0.9:50003 fd=9 name= age=1 idle=0 flags=S db=0 sub=0 psub=0 multi=-1 omem=0 cmd=psync user=default\n\n";
        let clients = clients(text, "redferry");
        assert_eq!(clients.count, 2);
        assert_eq!(clients.databases, BTreeMap::from([(0, 1), (3, 1)]));
        assert_eq!(clients.libraries, BTreeMap::from([("jedis 5.1".to_owned(), 1)]));
        assert_eq!((clients.named_users, clients.subscribers, clients.pattern_subscribers), (1, 1, 1));
        assert_eq!((clients.largest_output, clients.hosts), (20_480, 1));
    }
}
