//! One key of a file on its way to the target.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use migration::conflict::OnConflict;
use migration::tally::{Cause, KeyType, Outcome};
use rdb::{Lost, dump};
use tokio::sync::OwnedSemaphorePermit;

use super::loading::Loader;
use super::reading::Value;
use crate::pieces::FromFile;
use crate::run::Run;
use crate::writer::{Payload, Use};

/// Unsent bytes above which the target is not keeping up, and no more is written.
const BACKLOG: usize = 2 * 1024 * 1024;

/// Unacknowledged writes above which no more is written.
const MAX_DUE: usize = 8192;

/// Payloads from here on are queued as they are, and not copied.
const SHARE_FROM: usize = client::SHARE_FROM;

/// A key that is not settled, with its value, so that it can be written again after its connection was lost.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) number: u64,
    pub(super) what: FromFile,
    pub(super) kind: KeyType,
    /// Type code, body and footer. Empty where the value only passes through.
    pub(super) payload: Bytes,
    pub(super) lost: Lost,
    /// How often the connection broke while its write was under way.
    pub(super) losses: u8,
    _room: Option<OwnedSemaphorePermit>,
}

impl Ticket {
    fn new(number: u64, value: Value) -> Ticket {
        let Value { what, kind, payload, lost, _room } = value;
        Ticket { number, what, kind, payload, lost, losses: 0, _room: Some(_room) }
    }

    /// For a value that passes through without being held.
    pub(super) fn large(number: u64, what: FromFile) -> Ticket {
        let kind = KeyType::of_payload(what.key.code.0).unwrap_or(KeyType::Module);
        let payload = Bytes::new();
        Ticket { number, what, kind, payload, lost: Lost::default(), losses: 0, _room: None }
    }

    pub(super) fn lost(self) -> Ticket {
        Ticket { losses: self.losses.saturating_add(1), ..self }
    }

    /// The value behind its type code.
    pub(super) fn body(&self) -> Bytes {
        let end = self.payload.len().saturating_sub(dump::FOOTER).max(1);
        self.payload.slice(1.min(self.payload.len())..end.min(self.payload.len()))
    }
}

impl Loader {
    /// Whether the target keeps up.
    pub(super) fn has_room(&self) -> bool {
        self.writers.iter().all(|writer| writer.unsent() < BACKLOG && writer.due() < MAX_DUE)
    }

    /// Begins with a key, unless its time is over or a filter leaves it out.
    pub(super) fn begin(&mut self, number: u64, value: Value) {
        let name = &value.what.key.name;
        if let Some(cause) = self.without_time(value.what.key.expires_at_ms) {
            let name = name.clone();
            return self.settle(number, &name, Outcome::Not(cause));
        }
        if self.run.throttled {
            let bytes = value.payload.len() as u64;
            let wait_us = {
                let mut throttle = self.run.throttle();
                let now_us = self.run.now_us();
                let wait_us = throttle.try_take(now_us, 1, bytes);
                if wait_us.is_some() {
                    // It is written all the same; those after it wait.
                    throttle.charge(now_us, 1, bytes);
                }
                wait_us
            };
            if let Some(wait_us) = wait_us {
                self.hold_until = Some(Instant::now() + Duration::from_micros(wait_us));
            }
        }
        let ticket = Ticket::new(number, value);
        if self.run.abilities.restore { self.write(ticket) } else { self.whole_in_pieces(ticket) }
    }

    /// Why a key with this expiry is not imported, if so.
    pub(super) fn without_time(&self, expires_at_ms: Option<u64>) -> Option<Cause> {
        let selection = &self.run.selection;
        let at_ms = expires_at_ms?;
        let offset_us = self.writers.first().map_or(0, |writer| writer.clock.offset_us);
        let now_ms = u64::try_from(self.run.now_us() as i64 + offset_us).unwrap_or(0) / 1000;
        if at_ms <= now_ms {
            return Some(Cause::ExpiredInFile);
        }
        let left = i64::try_from(at_ms - now_ms).unwrap_or(i64::MAX);
        (!selection.accepts_ttl(left)).then_some(Cause::Filtered)
    }

    /// Writes a payload to the node that owns the slot of the new name.
    pub(super) fn write(&mut self, ticket: Ticket) {
        let (run, key) = (Arc::clone(&self.run), ticket.what.key.clone());
        let mut scratch = std::mem::take(&mut self.scratch);
        let name = run.naming.target_name(ticket.what.db, &key.name, &mut scratch);
        match self.importers.route(&self.layout, self.writers.len(), name) {
            None => {
                self.again.push_back(ticket);
                self.relayout = true;
            }
            Some(route) => {
                let writer = &mut self.writers[route.index];
                if route.asking {
                    writer.asking();
                }
                let expire_at = key.expires_at_ms.map(|at| i64::try_from(at).unwrap_or(i64::MAX));
                let last_use = run.options.preserve_idle.then(|| used(&key)).flatten();
                let shared = ticket.payload.clone();
                let payload = match shared.len() < SHARE_FROM {
                    true => Payload::Small(&shared),
                    false => Payload::Large(shared.clone()),
                };
                let only_new = only_new(&run, name, ticket.what.db);
                writer.restore_as(name, payload, expire_at, last_use, only_new, ticket);
            }
        }
        self.scratch = scratch;
    }
}

/// Whether a key must not replace another. Where the rules for names let keys of two databases meet in one name, the
/// second of them must not take the place of the first unseen.
pub(crate) fn only_new(run: &Run<()>, name: &[u8], db: u32) -> bool {
    match run.options.on_conflict {
        OnConflict::Skip => true,
        OnConflict::Replace => false,
        OnConflict::Refuse => {
            let target_db = run.naming.target_db(db).unwrap_or(db);
            run.names_may_meet && run.naming.origins(name, target_db).len() > 1
        }
    }
}

/// What the file says about the use of a key.
fn used(key: &rdb::file::Key) -> Option<Use> {
    let idle = key.idle_s.map(|seconds| Use::IdleSeconds(i64::try_from(seconds).unwrap_or(i64::MAX)));
    idle.or(key.frequency.map(|frequency| Use::Frequency(i64::from(frequency))))
}
