//! Both sides as all comparers share them, and what was found out about them beforehand.

use std::time::{Duration, Instant};

use client::reply::ReplyKind;
use client::{Endpoint, Kind, Node, Read, Side, SourceConnection, Topology};
use resp::Value;
use tokio::time::timeout;

use super::setback::Setback;

/// Arrays of two have the source first.
pub(super) const SOURCE: usize = 0;
pub(super) const TARGET: usize = 1;
pub(super) const BOTH: [usize; 2] = [SOURCE, TARGET];

pub(super) fn position(side: Side) -> usize {
    match side {
        Side::Source => SOURCE,
        Side::Target => TARGET,
    }
}

/// What every comparer needs to know.
#[derive(Debug)]
pub(crate) struct Sides {
    /// How the source is reached.
    pub(crate) source: Endpoint,
    /// How the target is reached.
    pub(crate) target: Endpoint,
    /// Which node of the source has which keys.
    pub(crate) source_layout: Topology,
    /// Which node of the target has which keys.
    pub(crate) target_layout: Topology,
    /// What was probed.
    pub(crate) abilities: Abilities,
    /// When this machine's clock of the run showed 0.
    pub(crate) clock_zero: Instant,
}

impl Sides {
    /// Asks both sides how they are laid out and what they can do.
    ///
    /// # Errors
    /// A node cannot be reached or does not answer.
    pub(crate) async fn find(
        source: &Endpoint,
        target: &Endpoint,
        clock_zero: Instant,
        silence: Duration,
    ) -> Result<Sides, Setback> {
        let (source_layout, target_layout) = tokio::try_join!(source.topology(), target.topology())?;
        Sides::probed((source, source_layout), (target, target_layout), clock_zero, silence).await
    }

    /// Asks again, any of the nodes known so far.
    ///
    /// # Errors
    /// As for [`Sides::find`].
    pub(crate) async fn again(&self, silence: Duration) -> Result<Sides, Setback> {
        let (source_layout, target_layout) = tokio::try_join!(
            self.source.topology_by_any(&self.source_layout),
            self.target.topology_by_any(&self.target_layout)
        )?;
        let (source, target) = ((&self.source, source_layout), (&self.target, target_layout));
        Sides::probed(source, target, self.clock_zero, silence).await
    }

    async fn probed(
        (source, source_layout): (&Endpoint, Topology),
        (target, target_layout): (&Endpoint, Topology),
        clock_zero: Instant,
        silence: Duration,
    ) -> Result<Sides, Setback> {
        let sides = ((source, &source_layout), (target, &target_layout));
        let abilities = Abilities::probe(sides.0, sides.1, silence).await?;
        let (source, target) = (source.clone(), target.clone());
        Ok(Sides { source, target, source_layout, target_layout, abilities, clock_zero })
    }

    pub(super) fn endpoint(&self, side: usize) -> &Endpoint {
        if side == SOURCE { &self.source } else { &self.target }
    }

    pub(super) fn layout(&self, side: usize) -> &Topology {
        if side == SOURCE { &self.source_layout } else { &self.target_layout }
    }

    /// Microseconds on this machine's clock of the run.
    pub(super) fn now_us(&self) -> i64 {
        i64::try_from(self.clock_zero.elapsed().as_micros()).unwrap_or(i64::MAX)
    }
}

/// Whether fields of hashes can expire (Redis 7.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Abilities {
    /// Whether the source, the target knows HPEXPIRETIME.
    pub(crate) knows_field_expiry: [bool; 2],
    /// Whether any hash had such a field when it was asked for: only then do hashes have to be asked.
    pub(crate) fields_expire: bool,
}

impl Abilities {
    /// Asks every node of both sides. What it says about a cache in use can be outdated soon: ask again before
    /// each pass.
    ///
    /// # Errors
    /// A node cannot be reached or does not answer.
    pub(crate) async fn probe(
        source: (&Endpoint, &Topology),
        target: (&Endpoint, &Topology),
        silence: Duration,
    ) -> Result<Abilities, Setback> {
        let (source, target) = tokio::try_join!(side(source, silence), side(target, silence))?;
        Ok(Abilities { knows_field_expiry: [source.0, target.0], fields_expire: source.1 || target.1 })
    }
}

/// Whether a side knows the expiry of fields, and whether it may have any.
async fn side(
    (endpoint, layout): (&Endpoint, &Topology),
    silence: Duration,
) -> Result<(bool, bool), Setback> {
    let mut known = false;
    let mut may_have = false;
    for node in layout.primaries() {
        let mut connection = endpoint.connect_source(node, 0).await?;
        let probe = Read::HPExpireTime(b"redferry:probe", &[b"f"]);
        let reply = ask(&mut connection, probe, silence).await?;
        // Any other error, such as MOVED or NOPERM, comes from a server that knows the command.
        let unknown =
            matches!(&reply, Value::Error(text) if ReplyKind::of(text) == ReplyKind::UnknownCommand);
        if unknown {
            continue;
        }
        known = true;
        let keyspace = ask(&mut connection, Read::Info("keyspace"), silence).await?;
        may_have |= keyspace.as_str().is_none_or(|text| keyspace.is_error() || may_expire(text));
    }
    Ok((known, may_have))
}

/// Reads `db0:keys=3,expires=0,avg_ttl=0,subexpiry=1`: a database that does not say may have such fields.
fn may_expire(keyspace: &str) -> bool {
    let databases = keyspace.lines().filter_map(|line| line.strip_prefix("db")?.split_once(':'));
    databases.into_iter().any(|(_, facts)| {
        facts.split(',').find_map(|fact| fact.trim().strip_prefix("subexpiry=")) != Some("0")
    })
}

async fn ask(connection: &mut SourceConnection, read: Read<'_>, silence: Duration) -> Result<Value, Setback> {
    match timeout(silence, connection.ask(read)).await {
        Ok(reply) => Ok(reply?),
        Err(_) => Err(connection.peer().error(Kind::Silent(silence)).into()),
    }
}

/// The node of that position.
pub(super) fn node(layout: &Topology, index: usize) -> Option<&Node> {
    layout.primaries().get(index)
}

#[cfg(test)]
mod tests {
    use super::may_expire;

    #[test]
    fn only_a_server_that_says_so_has_no_expiring_fields() {
        assert!(!may_expire("# Keyspace\r\ndb0:keys=3,expires=0,avg_ttl=0,subexpiry=0\r\n"));
        assert!(!may_expire("# Keyspace\r\n"));
        assert!(may_expire("db0:keys=3,expires=0,avg_ttl=0,subexpiry=0\r\ndb5:keys=1,subexpiry=1\r\n"));
        assert!(may_expire("# Keyspace\r\ndb0:keys=3,expires=0,avg_ttl=0\r\n"));
    }
}
