//! A key that does not exist, in a slot of the node that is asked.

use std::hash::{BuildHasher, RandomState};

use client::Topology;

/// The name of a key that nobody has: 128 random bits.
#[derive(Debug, Clone)]
pub(super) struct ProbeKey(Vec<u8>);

impl ProbeKey {
    /// A key of primary `index`; of any slot where there is only one node.
    pub(super) fn on(layout: &Topology, index: usize) -> ProbeKey {
        let slot = match layout {
            Topology::Single(_) => None,
            Topology::Cluster(map) => map.ranges(index).first().map(|(first, _)| *first),
        };
        let tag = slot.map(commands::tag_for_slot).unwrap_or_default();
        ProbeKey(format!("redferry:probe:{{{tag}}}:{}", random_name()).into_bytes())
    }

    pub(super) fn name(&self) -> &[u8] {
        &self.0
    }
}

/// 32 hexadecimal digits that nobody else has. The standard library seeds its hashers from the system.
pub(super) fn random_name() -> String {
    let (first, second) = (RandomState::new(), RandomState::new());
    format!("{:016x}{:016x}", first.hash_one(1), second.hash_one((2, std::process::id())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ() {
        assert_ne!(random_name(), random_name());
        assert_eq!(random_name().len(), 32);
    }
}
