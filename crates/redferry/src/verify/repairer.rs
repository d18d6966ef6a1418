//! Keys are repaired by the copy's own operation.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use engine::{Repair, Stop};
use migration::tally::{Cause, Fate};
use verify::{RepairWork, Repaired, Repairer};

/// Why keys were not repaired, and how many.
pub(super) type NotRepaired = BTreeMap<Cause, u64>;

/// Copies keys, and deletes those that only the target has if it was told to.
#[derive(Debug)]
pub(super) struct Mender {
    repair: Repair,
    deletes: bool,
    stop: Arc<Stop>,
    not_repaired: Mutex<NotRepaired>,
}

impl Mender {
    pub(super) fn new(repair: Repair, deletes: bool, stop: Arc<Stop>) -> Mender {
        Mender { repair, deletes, stop, not_repaired: Mutex::default() }
    }

    /// What could not be repaired, and why.
    pub(super) fn not_repaired(&self) -> NotRepaired {
        self.not_repaired.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn failed(&self, cause: Cause) {
        *self.not_repaired.lock().unwrap_or_else(PoisonError::into_inner).entry(cause).or_default() += 1;
    }

    async fn mend(&self, mut work: RepairWork) -> Repaired {
        if !work.delete.is_empty() {
            let deleted = self.repair.delete_extras(work.delete, &self.stop).await;
            if let Some(halt) = deleted.halt {
                return Err(halt.to_string());
            }
            deleted.refused.iter().for_each(|_| self.failed(Cause::TargetForbids));
            // The source got these keys since they were compared.
            let appeared = deleted.on_source.iter();
            work.copy.extend(appeared.flat_map(|(db, name)| self.repair.naming.origins(name, *db)));
            work.copy.retain(|(_, key)| !key.starts_with(engine::temporary::PREFIX));
        }
        let copied = self.repair.copy_keys(work.copy, Arc::clone(&self.stop)).await;
        // A key that the source no longer has is extra now, if anything, and will be found so.
        let lacking = copied.not_copied.iter().map(|(.., cause)| *cause);
        lacking.filter(|cause| cause.fate() != Fate::Expired).for_each(|cause| self.failed(cause));
        copied.halt.map_or(Ok(()), |halt| Err(halt.to_string()))
    }
}

impl Repairer for Mender {
    fn deletes(&self) -> bool {
        self.deletes
    }

    fn repair(&self, work: RepairWork) -> Pin<Box<dyn Future<Output = Repaired> + Send + '_>> {
        Box::pin(self.mend(work))
    }
}
