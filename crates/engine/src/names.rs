//! Key names between the scan that lists them and the acknowledgement of their copy.

use std::collections::VecDeque;

/// Where a key's name is kept: a page and a place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct KeyRef {
    pub(crate) page: u64,
    from: u32,
    len: u32,
}

/// The names of all open pages, each page's in one buffer.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pages: VecDeque<Vec<u8>>,
    first: u64,
    spare: Vec<Vec<u8>>,
    bytes: usize,
}

impl Names {
    /// Keeps a page's names; `ends` are the offsets at which they end. Pages come in their order.
    pub(crate) fn keep<'e>(
        &mut self,
        page: u64,
        bytes: Vec<u8>,
        ends: &'e [u32],
    ) -> impl Iterator<Item = KeyRef> + use<'e> {
        if self.pages.is_empty() {
            self.first = page;
        }
        self.bytes += bytes.len();
        self.pages.push_back(bytes);
        let mut from = 0;
        ends.iter().map(move |&end| {
            let key = KeyRef { page, from, len: end - from };
            from = end;
            key
        })
    }

    pub(crate) fn get(&self, key: KeyRef) -> &[u8] {
        let page = &self.pages[(key.page - self.first) as usize];
        &page[key.from as usize..(key.from + key.len) as usize]
    }

    /// Forgets the pages before this one.
    pub(crate) fn forget_before(&mut self, oldest: u64) {
        while self.first < oldest {
            let Some(mut page) = self.pages.pop_front() else { break };
            self.first += 1;
            self.bytes -= page.len();
            if self.spare.len() < 4 && page.capacity() <= 1 << 20 {
                page.clear();
                self.spare.push(page);
            }
        }
    }

    /// Bytes of all names that are kept.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// An empty buffer for the next page.
    pub(crate) fn buffer(&mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_default()
    }
}
