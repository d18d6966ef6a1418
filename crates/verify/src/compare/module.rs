//! Values of modules, by what DUMP gives.

use client::Read;
use resp::Value;

use super::job::{Asker, Finding, Job, Odd};
use super::payload::Payload;
use super::sides::BOTH;
use crate::outcome::Kind;

/// Larger values are not dumped: DUMP cannot go in pieces, and keeps the server busy all the while.
pub(super) const LARGEST: u64 = 64 << 20;

#[derive(Default)]
pub(super) struct ModuleJob {
    begun: bool,
    payloads: [Option<Payload>; 2],
}

impl Job for ModuleJob {
    fn ask(&mut self, asker: &mut Asker<'_>) {
        if !self.begun {
            self.begun = true;
            for side in BOTH {
                asker.whole(side, Read::Dump(asker.name(side)));
            }
        }
    }

    fn whole(&mut self, side: usize, reply: Value) -> Result<(), Odd> {
        self.payloads[side] = match &reply {
            Value::Bulk(payload) => Some(Payload::read(payload)),
            Value::Null => None,
            _ => return Err(Odd),
        };
        Ok(())
    }

    fn finding(&self) -> Finding {
        let mut finding = Finding::default();
        let digest = |payload: &Option<Payload>| payload.map_or(0, |payload| payload.digest);
        finding.compare(Kind::Value, [digest(&self.payloads[0]), digest(&self.payloads[1])]);
        if let [Some(source), Some(target)] = &self.payloads
            && !source.is_same_version(target)
        {
            finding.not_compared = Some("module_versions_differ");
        }
        finding
    }
}
