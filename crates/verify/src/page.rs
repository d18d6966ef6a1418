//! One page of names: which are meant, and how each compares.

use client::Side;

use crate::compare::{Comparer, Setback};
use crate::look;
use crate::run::Run;
use crate::sums::{self, Buckets};
use crate::verdict::{Pair, Verdict};

/// Why a node's names are listed.
#[derive(Debug, Clone)]
pub(crate) enum Work {
    /// The source's names: each key is compared.
    Compare,
    /// The target's names: they are only counted and added up.
    Count,
    /// Again the target's names, those of these buckets: is any of them not on the source?
    Probe(Buckets),
}

impl Work {
    /// Whose names.
    pub(crate) fn side(&self) -> Side {
        match self {
            Work::Compare => Side::Source,
            Work::Count | Work::Probe(_) => Side::Target,
        }
    }
}

/// What a page came to.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Keys that are meant.
    pub(crate) hashes: Vec<u128>,
    /// Keys that were looked at on both sides.
    pub(crate) compared: u64,
    /// Keys that seem to differ.
    pub(crate) suspects: Vec<(Pair, Verdict)>,
}

/// Looks at a page of the names in a database of the side that the work is about. Doing it twice is harmless.
pub(crate) async fn look(
    run: &Run,
    comparer: &mut Comparer,
    work: &Work,
    db: u32,
    names: &[Box<[u8]>],
) -> Result<Seen, Setback> {
    let mut pairs = match work.side() {
        Side::Source => of_source(run, db, names),
        Side::Target => of_target(run, db, names),
    };
    keep_wanted(run, comparer, work.side(), &mut pairs).await?;
    let hashes: Vec<u128> =
        pairs.iter().map(|(pair, _)| sums::name_hash(pair.target_db, pair.name())).collect();
    let sample = run.verify.options.sample;
    let in_sample = |hash: u128| sample.is_none_or(|sample| sums::fraction(hash) < sample.share());
    let to_compare: Vec<Pair> = match work {
        Work::Count => Vec::new(),
        Work::Compare => {
            let sampled = pairs.into_iter().zip(&hashes).filter(|(_, hash)| in_sample(**hash));
            sampled.map(|((pair, _), _)| pair).collect()
        }
        Work::Probe(buckets) => {
            let asked = pairs.into_iter().zip(&hashes);
            let asked = asked.filter(|(_, hash)| in_sample(**hash) && buckets.contain(**hash));
            not_on_source(comparer, asked.map(|(pair, _)| pair).collect()).await?
        }
    };
    let verdicts = look::at(comparer, &to_compare).await?;
    run.saw_ttl_error(comparer.ttl_error_bound_ms());
    let compared = match work {
        Work::Compare => verdicts.iter().filter(|verdict| !matches!(verdict, Verdict::Gone)).count() as u64,
        Work::Count | Work::Probe(_) => 0,
    };
    let suspects = to_compare.into_iter().zip(verdicts);
    let suspects =
        suspects.filter(|(_, verdict)| !matches!(verdict, Verdict::Equal | Verdict::Gone)).collect();
    Ok(Seen { hashes, compared, suspects })
}

/// A pair, and other keys of the source that would have the same name on the target.
type Named = (Pair, Vec<(u32, Vec<u8>)>);

fn of_source(run: &Run, db: u32, names: &[Box<[u8]>]) -> Vec<Named> {
    let scope = &*run.verify.scope;
    let wanted = names.iter().filter(|key| scope.wants_key(db, key));
    wanted.map(|key| (Pair::of_source(scope, db, key), Vec::new())).collect()
}

fn of_target(run: &Run, target_db: u32, names: &[Box<[u8]>]) -> Vec<Named> {
    let scope = &run.verify.scope;
    let dbs = scope.source_dbs();
    let mut here = dbs.iter().filter(|db| scope.target_db(**db) == target_db);
    // As a rule one database goes there, under its own names, and nobody has to look for origins.
    let alone = match (here.next(), here.next()) {
        (Some(db), None) if scope.keeps_names(*db) => Some(*db),
        _ => None,
    };
    let named = names.iter().filter_map(|name| {
        if scope.is_leftover(target_db, name) {
            let pair = Pair { db: 0, key: name.clone(), target_db, renamed: None, leftover: true };
            return Some((pair, Vec::new()));
        }
        if let Some(db) = alone {
            let pair = || Pair { db, key: name.clone(), target_db, renamed: None, leftover: false };
            return scope.wants_key(db, name).then(|| (pair(), Vec::new()));
        }
        let mut origins = scope.origins(target_db, name).into_iter();
        let (db, key) = origins.next()?;
        let renamed = (key[..] != name[..]).then(|| name.clone());
        let pair = Pair { db, key: key.into_boxed_slice(), target_db, renamed, leftover: false };
        Some((pair, origins.collect()))
    });
    named.collect()
}

/// Filters by type and time to live, as the side says them.
async fn keep_wanted(
    run: &Run,
    comparer: &mut Comparer,
    side: Side,
    pairs: &mut Vec<Named>,
) -> Result<(), Setback> {
    let scope = &run.verify.scope;
    if !scope.asks_type() && !scope.asks_ttl() {
        return Ok(());
    }
    let keys: Vec<(u32, &[u8])> = pairs
        .iter()
        .map(|(pair, _)| match side {
            Side::Source => (pair.db, &pair.key[..]),
            Side::Target => (pair.target_db, pair.name()),
        })
        .collect();
    let traits = comparer.traits(side, &keys, scope.asks_type(), scope.asks_ttl()).await?;
    let mut traits = traits.into_iter();
    pairs.retain(|_| {
        traits.next().is_some_and(|(kind, pttl)| {
            // A key that may not be asked, or is gone, is for the comparison to find out.
            kind.is_none_or(|kind| scope.wants_type(&kind)) && pttl.is_none_or(|pttl| scope.wants_ttl(pttl))
        })
    });
    Ok(())
}

/// Those of which the source has no key at all, also none that the filters leave out.
async fn not_on_source(comparer: &mut Comparer, named: Vec<Named>) -> Result<Vec<Pair>, Setback> {
    let (leftovers, named): (Vec<Named>, Vec<Named>) = named.into_iter().partition(|(pair, _)| pair.leftover);
    let keys: Vec<(u32, &[u8])> = named
        .iter()
        .flat_map(|(pair, others)| {
            let others = others.iter().map(|(db, key)| (*db, &key[..]));
            std::iter::once((pair.db, &pair.key[..])).chain(others)
        })
        .collect();
    let mut there = comparer.exist(Side::Source, &keys).await?.into_iter();
    let absent: Vec<bool> = named
        .iter()
        .map(|(_, others)| there.by_ref().take(1 + others.len()).all(|there| there != Some(true)))
        .collect();
    let absent = named.into_iter().zip(absent).filter(|(_, absent)| *absent).map(|(named, _)| named);
    Ok(absent.chain(leftovers).map(|(pair, _)| pair).collect())
}
