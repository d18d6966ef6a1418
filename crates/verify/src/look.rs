//! One look at some pairs, whatever they are.

use client::Side;

use crate::compare::{Comparer, Setback};
use crate::outcome::Kind;
use crate::verdict::{Kinds, Pair, State, Verdict};

/// One verdict for each pair, in order.
///
/// # Errors
/// Nothing was decided about any of them.
pub(crate) async fn at(comparer: &mut Comparer, pairs: &[Pair]) -> Result<Vec<Verdict>, Setback> {
    if !pairs.iter().any(|pair| pair.leftover) {
        return comparer.compare(pairs).await;
    }
    let (leftovers, others): (Vec<&Pair>, Vec<&Pair>) = pairs.iter().partition(|pair| pair.leftover);
    let others: Vec<Pair> = others.into_iter().cloned().collect();
    let mut compared = comparer.compare(&others).await?.into_iter();
    let names: Vec<(u32, &[u8])> = leftovers.iter().map(|pair| (pair.target_db, pair.name())).collect();
    let mut there = comparer.exist(Side::Target, &names).await?.into_iter();
    let verdict = |pair: &Pair| if pair.leftover { there.next().map(extra) } else { compared.next() };
    // There are as many answers as questions, so none is missing.
    Ok(pairs.iter().map(verdict).map(|verdict| verdict.unwrap_or(Verdict::Gone)).collect())
}

/// What nobody copied there: that it is there is all that matters.
fn extra(there: Option<bool>) -> Verdict {
    match there {
        Some(true) => Verdict::Differs(Kinds::default().with(Kind::Extra), State::default()),
        Some(false) => Verdict::Gone,
        None => Verdict::NotCompared("no_permission"),
    }
}
