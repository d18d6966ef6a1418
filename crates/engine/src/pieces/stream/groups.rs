//! A stream's groups and consumers.

use bytes::Bytes;
use client::Read;
use itoa::Buffer;
use resp::Value;

use super::info::field;
use super::{is_unknown, pending};
use crate::pieces::attempt::Job;
use crate::pieces::early::{Step, no_error};
use crate::pieces::writer::Expect;

/// One group.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) name: Bytes,
    pub(super) pending: i64,
    last_delivered: Bytes,
    /// Since Redis 7.0, and not always known then.
    entries_read: Option<i64>,
    consumers: Vec<Consumer>,
    /// When its consumers were asked for and answered, in milliseconds of the local clock.
    asked_ms: (u64, u64),
}

#[derive(Debug)]
struct Consumer {
    name: Bytes,
    pending: i64,
    idle_ms: i64,
}

/// Groups whose consumers are asked for at once.
const AT_ONCE: usize = 100;

/// Reads all groups and their consumers, without what is pending.
pub(super) async fn read(job: &mut Job<'_>) -> Step<Vec<Group>> {
    let key = job.names.key;
    let reader = &mut job.lines.reader;
    let groups = reader.ask(Read::XInfoGroups(key)).await?.into_array();
    let groups = groups.and_then(|groups| groups.into_iter().map(Group::of).collect::<Option<Vec<_>>>());
    let mut groups = groups.ok_or_else(|| reader.odd("XINFO GROUPS"))?;
    for some in groups.chunks_mut(AT_ONCE) {
        let asked_ms = job.run.now_us() / 1000;
        some.iter().for_each(|group| reader.push(Read::XInfoConsumers(key, &group.name)));
        let replies = reader.collect(some.len()).await?;
        let answered_ms = job.run.now_us() / 1000;
        for (group, reply) in some.iter_mut().zip(replies) {
            let consumers = reply.into_array();
            let consumers =
                consumers.and_then(|all| all.into_iter().map(Consumer::of).collect::<Option<Vec<_>>>());
            group.consumers = consumers.ok_or_else(|| reader.odd("XINFO CONSUMERS"))?;
            group.asked_ms = (asked_ms, answered_ms);
        }
    }
    Ok(groups)
}

/// Makes the groups, their consumers and what is pending for them.
pub(super) async fn write(job: &mut Job<'_>, groups: &[Group]) -> Step<()> {
    for group in groups {
        create(job, group).await?;
        for consumer in &group.consumers {
            // Reading its own past, which is empty, makes a consumer on every version. XGROUP
            // CREATECONSUMER came with 6.2.
            job.lines.writer.push(
                "XREADGROUP",
                &[b"GROUP", &group.name, &consumer.name, b"COUNT", b"1", b"STREAMS", job.names.temp, b"0"],
                Expect::Success,
            );
        }
        job.lines.writer.settle(1).await?;
        if group.pending > 0 {
            pending::write(job, group).await?;
        }
    }
    Ok(())
}

async fn create(job: &mut Job<'_>, group: &Group) -> Step<()> {
    let plain: [&[u8]; 3] = [job.names.temp, &group.name, &group.last_delivered];
    let writer = &mut job.lines.writer;
    if let Some(read) = group.entries_read
        && writer.knows_counters != Some(false)
    {
        let mut text = Buffer::new();
        let args = [plain[0], plain[1], plain[2], b"ENTRIESREAD", text.format(read).as_bytes()];
        if writer.knows_counters == Some(true) {
            writer.push("XGROUP CREATE", &args, Expect::Success);
            return Ok(());
        }
        let reply = writer.try_ask("XGROUP CREATE", &args).await?;
        writer.knows_counters = Some(!is_unknown(&reply));
        if writer.knows_counters == Some(true) {
            return no_error(reply, |reply| writer.refused("XGROUP CREATE", reply)).map(drop);
        }
    }
    writer.push("XGROUP CREATE", &plain, Expect::Success);
    Ok(())
}

/// Whether anything was read, acknowledged or claimed between two looks at the groups.
pub(super) fn changed(before: &[Group], after: &[Group]) -> bool {
    before.len() != after.len() || before.iter().zip(after).any(|(before, after)| before.differs(after))
}

impl Group {
    fn of(reply: Value) -> Option<Group> {
        let group = reply.into_array()?;
        Some(Group {
            name: bytes(&group, "name")?,
            pending: field(&group, "pending")?.as_i64()?,
            last_delivered: bytes(&group, "last-delivered-id")?,
            entries_read: field(&group, "entries-read").and_then(Value::as_i64),
            consumers: Vec::new(),
            asked_ms: (0, 0),
        })
    }

    fn differs(&self, later: &Group) -> bool {
        let counts = |group: &Group| (group.pending, group.entries_read, group.consumers.len());
        // How much longer an untouched consumer is idle, at least: from the first answer to the second
        // question, less what rounding takes.
        let passed_ms = later.asked_ms.0.saturating_sub(self.asked_ms.1).saturating_sub(ROUNDING_MS) as i64;
        (&self.name, &self.last_delivered, counts(self))
            != (&later.name, &later.last_delivered, counts(later))
            || self.consumers.iter().zip(&later.consumers).any(|(before, after)| {
                (&before.name, before.pending) != (&after.name, after.pending)
                    || after.idle_ms - before.idle_ms < passed_ms
            })
    }
}

/// Four times are rounded down to milliseconds.
const ROUNDING_MS: u64 = 4;

impl Consumer {
    fn of(reply: Value) -> Option<Consumer> {
        let consumer = reply.into_array()?;
        Some(Consumer {
            name: bytes(&consumer, "name")?,
            pending: field(&consumer, "pending")?.as_i64()?,
            idle_ms: field(&consumer, "idle")?.as_i64()?,
        })
    }
}

fn bytes(pairs: &[Value], name: &str) -> Option<Bytes> {
    if let Value::Bulk(bytes) = field(pairs, name)? { Some(bytes.clone()) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(idle_ms: i64, asked_ms: (u64, u64)) -> Group {
        let consumer = Consumer { name: Bytes::from_static(b"alice"), pending: 3, idle_ms };
        Group {
            name: Bytes::from_static(b"group"),
            pending: 3,
            last_delivered: Bytes::from_static(b"5-0"),
            entries_read: Some(5),
            consumers: vec![consumer],
            asked_ms,
        }
    }

    #[test]
    fn a_consumer_that_was_idle_all_the_time_is_unchanged() {
        let before = group(10_000, (100, 102));
        assert!(!changed(&[before], &[group(11_000, (1_100, 1_101))]));
    }

    #[test]
    fn a_claim_that_leaves_all_counts_alone_shows_in_the_idle_time() {
        let before = group(10_000, (100, 102));
        assert!(changed(&[before], &[group(300, (1_100, 1_101))]));
    }

    #[test]
    fn counts_and_positions_are_compared() {
        let later = || group(11_000, (1_100, 1_101));
        let before = [group(10_000, (100, 102))];
        assert!(changed(&before, &[]));
        assert!(changed(&before, &[Group { pending: 2, ..later() }]));
        assert!(changed(&before, &[Group { entries_read: Some(6), ..later() }]));
        assert!(changed(&before, &[Group { last_delivered: Bytes::from_static(b"6-0"), ..later() }]));
        assert!(changed(&before, &[Group { consumers: Vec::new(), ..later() }]));
    }
}
