//! Where a lane's names come from: a scan of its database, or somebody who named the keys.

use std::sync::Arc;
use std::vec::IntoIter;

use migration::tally::Outcome;

use super::Lane;
use super::reply::PageBuffer;
use crate::ledger::Ledger;

/// Bytes of names that one page should have at most.
pub(super) const PAGE_BYTES: u64 = 256 * 1024;

/// The producer of a lane's names.
pub(super) enum Listing {
    Scan,
    Given(Given),
}

/// Names that somebody gave, and where their ends are written down.
pub(super) struct Given {
    names: IntoIter<Vec<u8>>,
    db: u32,
    ledger: Arc<Ledger>,
}

impl Lane {
    /// The same lane for exactly these keys. Nothing is scanned, no filter applies.
    pub(crate) fn of_named(self, names: Vec<Vec<u8>>, ledger: Arc<Ledger>) -> Lane {
        let given = Given { names: names.into_iter(), db: self.db, ledger };
        Lane { listing: Listing::Given(given), ..self }
    }
}

impl Given {
    /// Writes a key's end down.
    pub(super) fn settle(&self, name: &[u8], outcome: Outcome) {
        self.ledger.settle(self.db, name, outcome);
    }

    /// Fills a page as a scan would.
    pub(super) fn fill(&mut self, page: &mut PageBuffer, count: u32) {
        while page.ends.len() < count as usize && (page.bytes.len() as u64) < PAGE_BYTES {
            let Some(name) = self.names.next() else { break };
            page.bytes.extend_from_slice(&name);
            page.ends.push(page.bytes.len() as u32);
        }
        // As a server says it: 0 is the end, anything else goes on.
        page.cursor = u64::from(self.names.len() > 0);
    }
}
