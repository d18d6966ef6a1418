//! A set of hash slots.

use std::fmt;
use std::ops::RangeInclusive;

/// Slots of a Redis cluster (cluster.h, CLUSTER_SLOTS).
const SLOTS: u16 = 16384;

/// One bit for every slot.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct SlotSet {
    bits: Box<[u64; SLOTS as usize / 64]>,
}

impl Default for SlotSet {
    fn default() -> Self {
        SlotSet { bits: Box::new([0; SLOTS as usize / 64]) }
    }
}

impl SlotSet {
    pub(super) fn insert(&mut self, slots: RangeInclusive<u16>) {
        for slot in slots {
            if let Some(word) = self.bits.get_mut(usize::from(slot / 64)) {
                *word |= 1 << (slot % 64);
            }
        }
    }

    pub(super) fn contains(&self, slot: u16) -> bool {
        self.bits.get(usize::from(slot / 64)).is_some_and(|word| word & (1 << (slot % 64)) != 0)
    }
}

impl fmt::Debug for SlotSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count: u32 = self.bits.iter().map(|word| word.count_ones()).sum();
        write!(f, "SlotSet({count} slots)")
    }
}

/// Reads `77` or `0-5460`; the error is what is wrong with it.
pub(super) fn range(text: &str) -> Result<RangeInclusive<u16>, &'static str> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let range = number(first)?..=number(last)?;
    if range.is_empty() {
        return Err("ends before it begins");
    }
    Ok(range)
}

fn number(text: &str) -> Result<u16, &'static str> {
    match text.trim().parse::<u16>() {
        Ok(slot) if slot < SLOTS => Ok(slot),
        Ok(_) => Err("is beyond the last slot, 16383"),
        Err(_) => Err("is no slot; write a number from 0 to 16383, or two with a dash between"),
    }
}
