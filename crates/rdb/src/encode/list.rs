//! Lists.

use bytes::Bytes;

use super::compact::{LIST_NODE, PIECE};
use super::listpack::Listpack;
use super::string::{count, length, string};
use super::ziplist::Ziplist;
use crate::kind::TypeCode;
use crate::version::Version;

/// What an entry of a node takes besides its bytes, at most.
const ENTRY_OVERHEAD: usize = 11;

/// A node that is one element as it is, and one that is a listpack (`QUICKLIST_NODE_CONTAINER_*`).
const PLAIN: u64 = 1;
const PACKED: u64 = 2;

pub(super) fn body(items: &[Bytes], version: Version, out: &mut Vec<u8>) -> TypeCode {
    if items.iter().any(|item| item.len() > PIECE - LIST_NODE) {
        return plain(items, out);
    }
    if version.knows(TypeCode::LIST_QUICKLIST_2) {
        listpacks(items, out);
        TypeCode::LIST_QUICKLIST_2
    } else {
        ziplists(items, out);
        TypeCode::LIST_QUICKLIST
    }
}

/// Item by item: for items that are too large for a node. Servers put each into a form of their own.
fn plain(items: &[Bytes], out: &mut Vec<u8>) -> TypeCode {
    count(items.len(), out);
    for item in items {
        string(item, out);
    }
    TypeCode::LIST
}

fn ziplists(items: &[Bytes], out: &mut Vec<u8>) {
    let mut nodes = Nodes::default();
    let mut node = Ziplist::new();
    for item in items {
        if !node.is_empty() && node.size() + item.len() + ENTRY_OVERHEAD > LIST_NODE {
            nodes.add(&std::mem::replace(&mut node, Ziplist::new()).finish());
        }
        node.push(item);
    }
    if !node.is_empty() {
        nodes.add(&node.finish());
    }
    nodes.write(out);
}

fn listpacks(items: &[Bytes], out: &mut Vec<u8>) {
    let mut nodes = Nodes::default();
    let mut node = Listpack::new();
    for item in items {
        let is_large = item.len() > LIST_NODE;
        if !node.is_empty() && (is_large || node.size() + item.len() + ENTRY_OVERHEAD > LIST_NODE) {
            nodes.add_as(PACKED, &std::mem::replace(&mut node, Listpack::new()).finish());
        }
        if is_large {
            nodes.add_as(PLAIN, item);
        } else {
            node.push(item);
        }
    }
    if !node.is_empty() {
        nodes.add_as(PACKED, &node.finish());
    }
    nodes.write(out);
}

/// Nodes behind their number.
#[derive(Default)]
struct Nodes {
    bytes: Vec<u8>,
    count: usize,
}

impl Nodes {
    fn add(&mut self, node: &[u8]) {
        string(node, &mut self.bytes);
        self.count += 1;
    }

    fn add_as(&mut self, container: u64, node: &[u8]) {
        length(container, &mut self.bytes);
        self.add(node);
    }

    fn write(self, out: &mut Vec<u8>) {
        count(self.count, out);
        out.extend_from_slice(&self.bytes);
    }
}
