//! Many caches together.

use serde::Serialize;

use super::{CURRENCY, Plan, Severity};
use crate::Date;
use crate::price::PriceSource;

/// A cache of a fleet and what came of it.
#[derive(Clone, Debug)]
pub struct Member<'a> {
    pub name: &'a str,
    /// What it is today, such as `premium P2`; none where nobody told.
    pub today: Option<String>,
    /// Its plan; none where nothing is known of it.
    pub plan: Option<&'a Plan>,
    /// What went wrong: it could not be read, or not be planned.
    pub trouble: Option<&'a str>,
    /// Whether the plan knows what the live cache told.
    pub read: bool,
}

/// What all caches come to.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Totals {
    pub caches: usize,
    pub planned: usize,
    /// Those whose live cache was read.
    pub read: usize,
    /// Those that something stands in the way of.
    pub blocked: usize,
    pub blockers: usize,
    pub warnings: usize,
    pub notes: usize,
    pub currency: &'static str,
    pub source: Sum,
    pub target: Sum,
    /// Target less source, of the caches where both are known.
    pub difference: Sum,
    /// Where the prices come from; none where no cache has one.
    pub prices: Option<PriceSource>,
    /// The oldest day of a price.
    pub priced_at: Option<Date>,
}

/// A month of those caches that have a price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Sum {
    /// None where no cache has one.
    pub monthly: Option<f64>,
    /// How many have one.
    pub caches: usize,
}

impl Sum {
    fn add(&mut self, monthly: Option<f64>) {
        if let Some(monthly) = monthly {
            // In cents: the sum of the lines is what the lines show.
            let sum = self.monthly.unwrap_or(0.0) + monthly;
            self.monthly = Some((sum * 100.0).round() / 100.0);
            self.caches += 1;
        }
    }
}

/// Adds everything up.
pub fn totals(members: &[Member<'_>]) -> Totals {
    let mut totals = Totals { caches: members.len(), currency: CURRENCY, ..Totals::default() };
    for member in members {
        let Some(plan) = member.plan else { continue };
        totals.planned += 1;
        totals.read += usize::from(member.read);
        totals.blocked += usize::from(plan.is_blocked());
        totals.blockers += plan.count(Severity::Blocker);
        totals.warnings += plan.count(Severity::Warning);
        totals.notes += plan.count(Severity::Note);
        if let Some(price) = &plan.price {
            totals.source.add(price.source_monthly);
            totals.target.add(price.target_monthly);
            totals.difference.add(price.difference_monthly);
            totals.prices = Some(price.prices);
            totals.priced_at = [totals.priced_at, price.priced_at].into_iter().flatten().min();
        }
    }
    totals
}

impl Totals {
    /// The totals in lines of a name and a value.
    pub fn facts(&self) -> Vec<(String, String)> {
        let sum = |name: &str, sum: Sum, sign: bool| {
            let monthly = match sum.monthly {
                None => "not known".to_owned(),
                Some(monthly) => {
                    let amount = if sign { format!("{monthly:+.2}") } else { format!("{monthly:.2}") };
                    format!("{amount} {} a month, of {} of {} caches", self.currency, sum.caches, self.caches)
                }
            };
            (name.to_owned(), monthly)
        };
        let mut facts = vec![
            (
                "caches".into(),
                format!("{}: {} planned, {} of them read live", self.caches, self.planned, self.read),
            ),
            (
                "blockers".into(),
                format!(
                    "{} in {} of the caches; {} warnings, {} notes",
                    self.blockers, self.blocked, self.warnings, self.notes
                ),
            ),
            sum("price now", self.source, false),
            sum("price then", self.target, false),
            sum("difference", self.difference, true),
        ];
        if let Some(source) = self.prices {
            let dated = self.priced_at.map_or(String::new(), |date| format!(" of {date}, the oldest,"));
            facts.push(("prices".into(), format!("list prices{dated} from {source}")));
        }
        facts
    }
}
