//! How long there still is.

use serde::Serialize;

use crate::catalog::{Catalog, Origin, Said};
use crate::{Date, Service};

/// An event and how far away it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Left {
    pub id: String,
    pub date: Date,
    /// Negative when it is over.
    pub days_left: i64,
    pub service: Service,
    pub what: String,
    pub origin: Origin,
    /// What was said otherwise.
    pub was: Vec<Said>,
}

/// All events with the days from `today` on, the earliest first.
pub fn left(catalog: &Catalog, today: Date) -> Vec<Left> {
    let table = &catalog.dates;
    let mut events: Vec<Left> = (table.rows.iter())
        .filter_map(|event| {
            Some(Left {
                id: event.id.clone(),
                date: event.date,
                days_left: event.date.days()? - today.days()?,
                service: event.service,
                what: event.what.clone(),
                origin: event.published.clone().unwrap_or_else(|| table.origin()),
                was: event.was.clone(),
            })
        })
        .collect();
    events.sort_by_key(|event| event.date);
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_to_the_day() {
        let left = left(&Catalog::embedded(), "2026-11-26".parse().unwrap());
        let days = |id: &str| left.iter().find(|event| event.id == id).unwrap().days_left;
        assert_eq!(days("acr_retires"), 674);
        assert_eq!(days("acr_disabled"), 675);
        assert_eq!(days("acre_retires"), 125);
        assert_eq!(days("acre_moved"), 126);
        assert_eq!(days("acr_new_customers_blocked"), -239);
        assert!(left.is_sorted_by_key(|event| event.date));
    }

    #[test]
    fn a_date_that_was_given_up_is_told_with_both_dates() {
        let left = left(&Catalog::embedded(), "2026-11-26".parse().unwrap());
        let blocked = left.iter().find(|event| event.id == "acr_existing_customers_blocked").unwrap();
        assert_eq!(blocked.date.to_string(), "2028-09-30");
        assert!(blocked.was.iter().any(|was| was.said.contains("2026-10-01")), "{blocked:?}");
        assert!(blocked.origin.date > blocked.was[0].date);
    }
}
