//! Which of the target's nodes a key is written to.

use std::collections::HashMap;

use client::Topology;

/// Slots that are on their way to another node of the target, and that node's place in the layout.
#[derive(Debug, Default)]
pub(crate) struct Importers(HashMap<u16, usize>);

/// Where a key is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Route {
    /// The node's place in the layout.
    pub(crate) index: usize,
    /// The slot is still being imported there: ASKING has to come first.
    pub(crate) asking: bool,
}

impl Importers {
    /// Where a key of this name goes; `None` when no node with a writer, of which there are so many, has its slot.
    pub(crate) fn route(&self, layout: &Topology, writers: usize, name: &[u8]) -> Option<Route> {
        let importer = if self.0.is_empty() { None } else { self.0.get(&commands::slot(name)).copied() };
        let index = importer.or_else(|| layout.owner(name)).filter(|index| *index < writers)?;
        Some(Route { index, asking: importer.is_some() })
    }

    /// A node said that another one (`host:port`) imports the slot. `false` when the layout does not have that one.
    pub(crate) fn learn(&mut self, layout: &Topology, slot: u16, addr: &str) -> bool {
        let place = layout.primaries().iter().position(|node| node.to_string() == addr);
        place.is_some_and(|place| {
            self.0.insert(slot, place);
            true
        })
    }

    /// The layout is a new one.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use client::{Node, SlotMap, Topology};
    use resp::Value;

    use super::{Importers, Route};

    #[test]
    fn an_importer_goes_before_the_owner() {
        let slots = |first, last, port| {
            let node = vec![Value::Bulk(Bytes::from_static(b"10.0.0.1")), Value::Integer(port)];
            Value::Array(vec![Value::Integer(first), Value::Integer(last), Value::Array(node)])
        };
        let reply = Value::Array(vec![slots(0, 8_191, 1), slots(8_192, 16_383, 2)]);
        let asked = Node { host: "10.0.0.1".into(), port: 1 };
        let layout = Topology::Cluster(SlotMap::parse(&reply, &asked).unwrap());
        let mut importers = Importers::default();
        // CLUSTER KEYSLOT foo: 12182.
        let to = |importers: &Importers, writers| importers.route(&layout, writers, b"foo");
        assert_eq!(to(&importers, 2), Some(Route { index: 1, asking: false }));
        assert_eq!(to(&importers, 1), None, "there is no writer for it");
        assert!(!importers.learn(&layout, 12_182, "10.0.0.9:1"), "that node is not known");
        assert!(importers.learn(&layout, 12_182, "10.0.0.1:1"));
        assert_eq!(to(&importers, 2), Some(Route { index: 0, asking: true }));
        importers.clear();
        assert_eq!(to(&importers, 2), Some(Route { index: 1, asking: false }));
    }
}
