//! Comparing both sides before the other one takes over, by the code of `redferry verify`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ::verify::{Example, Kind, Level, Options, Progress, Sample, Verify};
use engine::Stop;
use serde::{Deserialize, Serialize};

use super::direction::Direction;
use super::leg::Plan;
use crate::verify::Chosen;
use crate::verify::brake::Limits;

/// Expiries that differ by no more than this are equal, as in `redferry verify`.
const TTL_TOLERANCE: Duration = Duration::from_millis(20);

/// How long a key that differs is looked at again. Nobody writes, so this is for expiries.
const UNTIL_STABLE: Duration = Duration::from_secs(3);

/// How many keys are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Depth {
    /// Those that changed lately, and a sample of the others.
    Sample,
    /// All.
    Full,
    /// None.
    None,
}

/// What the comparison came to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proof {
    /// Keys that were compared.
    pub(crate) compared: u64,
    /// Keys that differ, or of which nothing can be said, by kind.
    pub(crate) found: BTreeMap<Kind, u64>,
    /// Some of them.
    pub(crate) examples: Vec<Example>,
}

impl Proof {
    /// Keys that are not known to be equal.
    pub(crate) fn differing(&self) -> u64 {
        self.found.values().sum()
    }
}

/// Compares both sides of a direction; `share` of the keys (0 to 1) unless all of them.
pub(super) async fn prove(
    plan: &Plan,
    direction: Direction,
    depth: Depth,
    share: f64,
    progress: &Progress,
    stop: &Arc<Stop>,
) -> Result<Proof, String> {
    let sample = match depth {
        Depth::None => return Ok(Proof::default()),
        Depth::Sample => Sample::new(share),
        Depth::Full => None,
    };
    let (source, target) = plan.sides(direction);
    let naming = plan.naming(direction).unwrap_or_else(|| plan.naming.clone());
    let verify = Verify {
        source,
        target,
        scope: Arc::new(Chosen { selection: plan.selection.clone(), naming }),
        brake: Arc::new(Limits::new(plan.protection)),
        repairer: None,
        options: Options {
            level: Level::Full,
            sample,
            ttl_tolerance: TTL_TOLERANCE,
            until_stable: UNTIL_STABLE,
            big_key: plan.options.big_key,
            scan_count: plan.options.scan_count,
            give_up_after: plan.options.give_up_after,
            silence: plan.options.silence,
            examples: plan.options.examples,
            state: None,
            save_every: Duration::from_secs(1),
        },
        arguments: BTreeMap::new(),
    };
    let asked = {
        let stop = Arc::clone(stop);
        Arc::new(move || stop.is_asked())
    };
    let outcome = verify.run(progress, asked).await.map_err(|halt| halt.to_string())?;
    if let Some(halt) = outcome.halt {
        return Err(halt.to_string());
    }
    let found = outcome.counts.found.into_iter().filter(|(_, keys)| *keys > 0).collect();
    Ok(Proof { compared: outcome.counts.keys_compared, found, examples: outcome.examples })
}
