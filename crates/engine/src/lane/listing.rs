//! Where a lane's names come from: a scan of its database, somebody who named the keys, or the queue of keys that
//! change while it works.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::vec::IntoIter;

use migration::dirty::{Settled, Ticket};
use migration::tally::{Cause, Outcome};

use super::Lane;
use super::reply::PageBuffer;
use crate::follow::Queue;
use crate::ledger::Ledger;
use crate::names::KeyRef;

/// Bytes of names that one page should have at most.
pub(super) const PAGE_BYTES: u64 = 256 * 1024;

/// The producer of a lane's names.
pub(super) enum Listing {
    Scan,
    Given(Given),
    Followed(Followed),
}

/// Keys that change, and their tickets while they are under way.
pub(super) struct Followed {
    queue: Arc<Queue>,
    /// Tickets of the page that is being listed, in its order.
    fresh: VecDeque<Ticket>,
    tickets: HashMap<KeyRef, UnderWay>,
}

/// A key that is being read.
struct UnderWay {
    ticket: Ticket,
    since_us: u64,
    /// The source does not have it, and it is being removed from the target.
    removing: bool,
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

    /// The same lane for the keys of a queue, as they come, until it is stopped. Nothing is scanned. A key that the
    /// source does not have is removed from the target (design rule R4).
    pub(crate) fn of_followed(self, queue: Arc<Queue>) -> Lane {
        let followed = Followed { queue, fresh: VecDeque::new(), tickets: HashMap::new() };
        Lane { listing: Listing::Followed(followed), ..self }
    }
}

impl Followed {
    pub(super) fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    /// Fills a page with keys that are to be read now; says whether there are any.
    pub(super) fn fill(&mut self, page: &mut PageBuffer, count: u32) -> bool {
        for taken in self.queue.take(count as usize) {
            page.bytes.extend_from_slice(&taken.key);
            page.ends.push(page.bytes.len() as u32);
            self.fresh.push_back(taken.ticket);
        }
        // There is always a page after this one.
        page.cursor = 1;
        !self.fresh.is_empty()
    }

    /// The next key of the page has this place among the lane's names.
    pub(super) fn keep(&mut self, key: KeyRef) {
        if let Some(ticket) = self.fresh.pop_front() {
            let since_us = self.queue.now_us();
            self.tickets.insert(key, UnderWay { ticket, since_us, removing: false });
        }
    }

    /// Whether a key of this end is to be removed from the target; it is being removed then. After a lost
    /// acknowledgement it is read once more and comes here again.
    pub(super) fn begins_removing(&mut self, key: KeyRef, outcome: Outcome) -> bool {
        let gone = matches!(outcome, Outcome::Not(Cause::GoneBeforeRead | Cause::ExpiredOnTheWay));
        if gone && let Some(under_way) = self.tickets.get_mut(&key) {
            under_way.removing = true;
            return true;
        }
        false
    }

    /// A key has come to its end.
    pub(super) fn settle(&mut self, key: KeyRef, name: &[u8], outcome: Outcome) {
        let Some(UnderWay { ticket, since_us, removing }) = self.tickets.remove(&key) else { return };
        let cost_us = self.queue.now_us().saturating_sub(since_us);
        // Before the key may be taken again: the next look at it has the last word.
        self.queue.lacking().judge(name, outcome);
        self.queue.settle(ticket, Settled::Synced { cost_us });
        match outcome {
            Outcome::Copied { .. } if removing => self.queue.removed(),
            Outcome::Copied { .. } => self.queue.carried(),
            Outcome::Not(Cause::GoneBeforeRead | Cause::ExpiredOnTheWay | Cause::Filtered) => {}
            Outcome::Not(cause) => self.queue.refused(cause),
        }
    }

    /// A key's slot has left the node: its mark goes to the node that has it now.
    pub(super) fn has_left(&mut self, key: KeyRef, name: &[u8]) {
        if let Some(UnderWay { ticket, .. }) = self.tickets.remove(&key) {
            self.queue.lacking().forget(name);
            // First the name: at no moment is it in neither place.
            self.queue.has_left(name);
            self.queue.settle(ticket, Settled::Synced { cost_us: 0 });
        }
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
