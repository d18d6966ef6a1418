//! The last line.

use ::verify::{Counts, Kind, Totals};
use indicatif::HumanCount;

use super::{Account, Found};
use crate::args;

impl Account<'_> {
    /// The result in one sentence.
    pub(in crate::verify) fn verdict(&self) -> String {
        if self.halt().is_some() {
            return "Not finished: what was found until then is above; nothing is said about the other keys."
                .to_owned();
        }
        match &self.found {
            Found::Totals(totals, _) => verdict_of_totals(totals, self.keys()),
            Found::Keys(outcome) => self.verdict_of_keys(&outcome.counts),
        }
    }

    fn verdict_of_keys(&self, counts: &Counts) -> String {
        let left = counts.keys_differing.saturating_sub(counts.repaired);
        if counts.is_clean() {
            let reach = match (self.args.sample, self.args.level) {
                (Some(sample), _) if sample.share() < 1.0 => " as far as the sample goes",
                (_, args::Level::Quick) => " as far as level quick sees",
                _ => "",
            };
            return match counts.repaired {
                0 if counts.keys_source + counts.keys_target == 0 => {
                    format!("Equal{reach}: neither side has a key that is meant.")
                }
                0 => format!("Equal{reach}: {}, no difference.", both(self.keys())),
                repaired => format!(
                    "Equal{reach}: {} that differed {} repaired and compared again.",
                    keys(repaired),
                    if repaired == 1 { "was" } else { "were" }
                ),
            };
        }
        let mut parts = Vec::new();
        if left > 0 {
            parts.push(match counts.repaired {
                0 => format!("{} differ{}", keys(left), if left == 1 { "s" } else { "" }),
                repaired => format!(
                    "{} still differ{}, {} repaired",
                    keys(left),
                    if left == 1 { "s" } else { "" },
                    keys(repaired)
                ),
            });
        }
        if counts.of(Kind::Unstable) > 0 {
            parts.push(format!("{} never stood still", keys(counts.of(Kind::Unstable))));
        }
        if counts.of(Kind::NotCompared) > 0 {
            parts.push(format!("{} could not be compared", keys(counts.of(Kind::NotCompared))));
        }
        let beginning = if left > 0 { "Not equal" } else { "Not proved equal" };
        format!("{beginning}: {}.", parts.join("; "))
    }
}

fn verdict_of_totals(totals: &Totals, (source, target): (u64, u64)) -> String {
    let both = both((source, target));
    if totals.is_equal() {
        format!("Equal totals: {both}. Nothing is said about single keys.")
    } else if source == target {
        format!("Not equal: {both}, but not in the same databases.")
    } else {
        format!("Not equal: {both}.")
    }
}

fn both((source, target): (u64, u64)) -> String {
    format!("{} on the source, {} on the target", keys(source), HumanCount(target))
}

fn keys(count: u64) -> String {
    format!("{} key{}", HumanCount(count), if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_said_in_the_right_form() {
        assert_eq!((keys(1), keys(1234)), ("1 key".to_owned(), "1,234 keys".to_owned()));
        let totals = |source, target| Totals {
            databases: vec![::verify::DbTotals {
                source_dbs: vec![0],
                target_db: 0,
                keys_source: source,
                keys_target: target,
                expires_source: None,
                expires_target: None,
            }],
            ..Totals::default()
        };
        assert!(verdict_of_totals(&totals(5, 5), (5, 5)).starts_with("Equal totals: 5 keys on the source"));
        assert!(verdict_of_totals(&totals(5, 4), (5, 4)).starts_with("Not equal: 5 keys on the source, 4"));
        assert!(verdict_of_totals(&totals(5, 4), (5, 5)).contains("not in the same databases"));
    }
}
