//! Comparing both sides before the other one takes over, by the code of `redferry verify`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ::verify::{Example, Kind, Level, Options, Progress, Sample, Scope, SpotCheck, Verify};
use engine::{ChangedKeys, Stop};
use serde::{Deserialize, Serialize};

use super::leg::{Leg, Plan};
use crate::verify::Chosen;
use crate::verify::brake::Limits;

/// Expiries that differ by no more than this are equal, as in `redferry verify`.
const TTL_TOLERANCE: Duration = Duration::from_millis(20);

/// How long a key that differs is looked at again. Nobody writes, so this is for expiries.
const UNTIL_STABLE: Duration = Duration::from_secs(3);

/// Keys that changed within this time are compared in any case.
const RECENT: Duration = Duration::from_secs(300);

/// How often those that differ are looked at.
const LOOKS: u32 = 5;

/// Keys that are compared at once.
const PAGE: usize = 1_000;

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
    /// Keys that changed lately, and differ.
    pub(crate) recent: u64,
    /// Changes of the last minutes whose keys have no name here, so that they were not compared as such.
    pub(crate) nameless: u64,
    /// Some of them.
    pub(crate) examples: Vec<Example>,
}

impl Proof {
    /// Keys that are not known to be equal.
    pub(crate) fn differing(&self) -> u64 {
        self.found.values().sum::<u64>() + self.recent
    }
}

/// Compares both sides of a leg; `share` of the keys (0 to 1) and those that changed lately, unless all of them.
pub(super) async fn prove(
    plan: &Plan,
    leg: &Leg,
    depth: Depth,
    share: f64,
    progress: &Progress,
    stop: &Arc<Stop>,
) -> Result<Proof, String> {
    let direction = leg.direction;
    let sample = match depth {
        Depth::None => return Ok(Proof::default()),
        Depth::Sample => Sample::new(share),
        Depth::Full => None,
    };
    let (source, target) = plan.sides(direction);
    let naming = plan.naming(direction).unwrap_or_else(|| plan.naming.clone());
    let unfit = leg.watch.incompatible(usize::MAX);
    let scope = Arc::new(Chosen::new(plan.selection.clone(), naming).without(unfit));
    let (source_too, target_too, scope_too) = (source.clone(), target.clone(), Arc::clone(&scope));
    let verify = Verify {
        source,
        target,
        scope,
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
    let proof = Proof {
        compared: outcome.counts.keys_compared,
        found,
        recent: 0,
        nameless: 0,
        examples: outcome.examples,
    };
    if depth == Depth::Full {
        return Ok(proof);
    }
    let recent = leg.watch.changed_within(RECENT);
    let check = SpotCheck::new(
        source_too,
        target_too,
        scope_too.clone(),
        TTL_TOLERANCE,
        plan.options.big_key,
        plan.options.silence,
    );
    let differing = recently_changed(&check, &scope_too, &recent).await?;
    Ok(Proof {
        compared: proof.compared + recent.keys.len() as u64,
        recent: differing,
        nameless: recent.nameless,
        ..proof
    })
}

/// How many of these keys differ, however often they are looked at.
async fn recently_changed(check: &SpotCheck, scope: &Chosen, changed: &ChangedKeys) -> Result<u64, String> {
    let mut left: BTreeMap<u32, Vec<Box<[u8]>>> = BTreeMap::new();
    let meant = changed.keys.iter().filter(|(db, key)| scope.wants_key(*db, &key.key));
    meant.for_each(|(db, key)| left.entry(*db).or_default().push(key.key.clone()));
    for look in 0..LOOKS {
        if look > 0 {
            tokio::time::sleep(UNTIL_STABLE / LOOKS).await;
        }
        for (db, names) in &mut left {
            let mut differing = Vec::new();
            for page in names.chunks(PAGE) {
                differing
                    .extend(check.differing(*db, page).await.map_err(|halt| halt.to_string())?.differing);
            }
            *names = differing;
        }
        left.retain(|_, names| !names.is_empty());
        if left.is_empty() {
            return Ok(0);
        }
    }
    Ok(left.values().map(|names| names.len() as u64).sum())
}
