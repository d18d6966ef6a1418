//! Does it fit, and what happens when it does not?

use client::reply::ReplyKind;
use migration::conflict::OnConflict;

use super::{Outcome, Picture};
use crate::preflight::table::bytes;

/// Azure Managed Redis keeps a fifth of the advertised memory back for itself.
const MANAGED_SHARE: f64 = 0.8;

/// From this share of the usable memory on, a target is called nearly full.
const NEARLY_FULL: f64 = 0.9;

/// What is known about the target's room, in bytes.
struct Room {
    /// What the data may take at most.
    usable: u64,
    used: u64,
    need: u64,
}

impl Room {
    fn free(&self) -> u64 {
        self.usable.saturating_sub(self.used)
    }
}

pub(super) fn memory(picture: &Picture<'_>) -> Outcome {
    let full = picture.target.faults.iter().any(|(_, kind)| *kind == ReplyKind::Oom);
    if full && !picture.wishes.flush_target {
        return Outcome::refused(
            "the target is at its memory limit and refuses writes",
            "scale the target up or remove keys there",
        );
    }
    let Some(need) = need(picture) else {
        let origin = picture.origin();
        return Outcome::note(format!("{origin} does not tell how much memory its keys take"));
    };
    let Some(room) = room(picture, need) else {
        return match picture.target.facts.maxmemory {
            Some(0) => Outcome::ok(format!("the keys take {}, and the target has no limit", bytes(need))),
            _ => Outcome::note(format!(
                "the target does not tell its limit; the keys take {} (give it with --target-memory)",
                bytes(need)
            )),
        };
    };
    let text = format!(
        "{}'s keys take {}, the target has {} free of {} that can be used{}",
        picture.origin(),
        bytes(room.need),
        bytes(room.free()),
        bytes(room.usable),
        if picture.target.is_managed() { " (80 % of its limit)" } else { "" }
    );
    // Keys that are on the target already take no more room when they are written again.
    let again = picture.wishes.resuming || picture.wishes.on_conflict != OnConflict::Refuse;
    let fits = room.need <= if again { room.usable } else { room.free() };
    let remedy = "choose a larger target, or copy less";
    match fits {
        true if room.need <= room.free() => Outcome::ok(text),
        true => {
            Outcome::warning(format!("{text}; it fits only if the target has these keys already"), remedy)
        }
        false if is_upper_bound(picture) => {
            Outcome::warning(format!("{text}; it fits only if what you leave out is large enough"), remedy)
        }
        false => Outcome::refused(text, remedy),
    }
}

pub(super) fn eviction(picture: &Picture<'_>) -> Outcome {
    let (source, target) = (&picture.source.facts.eviction_policy, &picture.target.facts.eviction_policy);
    let Some(policy) = target else { return Outcome::note("the target does not tell its eviction policy") };
    let mut found = Vec::new();
    if policy != "noeviction"
        && let Some(room) = need(picture).and_then(|need| room(picture, need))
        && (room.used + room.need) as f64 > NEARLY_FULL * room.usable as f64
    {
        found.push(Outcome::warning(
            format!("the target evicts keys when it is full ({policy}), and the copy nearly fills it"),
            "choose a larger target, or noeviction until the copy is done: keys evicted meanwhile are missing",
        ));
    }
    match source {
        Some(source) if source != policy => found.push(Outcome::warning(
            format!("the eviction policies differ: {source} on the source, {policy} on the target"),
            "set the target's policy to what the applications expect",
        )),
        None => found.push(Outcome::note("the source does not tell its eviction policy")),
        Some(_) => {}
    }
    if picture.wishes.preserve_idle
        && source.as_deref().is_some_and(keeps_frequency) != keeps_frequency(policy)
    {
        found.push(Outcome::warning(
            "one side keeps access frequencies and the other idle times, so neither is carried",
            "choose the same kind of eviction policy on both sides, or leave --preserve-idle out",
        ));
    }
    Outcome::worst_of(found, format!("both sides use {policy}"))
}

fn keeps_frequency(policy: &str) -> bool {
    policy.ends_with("lfu")
}

/// Bytes that the wanted databases take, by their share of the keys.
fn need(picture: &Picture<'_>) -> Option<u64> {
    let facts = &picture.source.facts;
    let (all, data) = (facts.keys(), facts.data_memory?);
    if all == 0 {
        return Some(0);
    }
    let wanted: u64 = picture.wanted.iter().map(|&db| facts.keys_in(db)).sum();
    Some((u128::from(data) * u128::from(wanted) / u128::from(all)) as u64)
}

fn room(picture: &Picture<'_>, need: u64) -> Option<Room> {
    let target = picture.target;
    let limit = picture.wishes.target_memory.or(target.facts.maxmemory).filter(|&limit| limit > 0)?;
    let usable = if target.is_managed() { (limit as f64 * MANAGED_SHARE) as u64 } else { limit };
    let flushed = if picture.wishes.flush_target { target.facts.data_memory.unwrap_or(0) } else { 0 };
    Some(Room { usable, used: target.facts.used_memory.unwrap_or(0).saturating_sub(flushed), need })
}

/// Whether less than what was measured, or estimated by numbers of keys, may be copied.
fn is_upper_bound(picture: &Picture<'_>) -> bool {
    let facts = &picture.source.facts;
    let wanted: u64 = picture.wanted.iter().map(|&db| facts.keys_in(db)).sum();
    picture.wishes.filters || wanted < facts.keys()
}
