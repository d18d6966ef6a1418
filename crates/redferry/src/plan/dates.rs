//! `redferry dates`: what ends when.

use std::time::SystemTime;

use serde_json::json;

use super::table::aligned;
use crate::args::DatesArgs;
use crate::exit::{Code, Exit};

/// Runs the command.
pub(crate) fn run(args: &DatesArgs) -> Exit {
    let catalog = match super::catalog(&args.catalog) {
        Ok(catalog) => catalog,
        Err(exit) => return exit,
    };
    let today = super::day(SystemTime::now());
    let left = planner::dates::left(&catalog, today);
    let mut rows = Vec::new();
    for event in &left {
        let days = match event.days_left {
            1 => "1 day left".to_owned(),
            0 => "today".to_owned(),
            days if days < 0 => format!("{} days ago", -days),
            days => format!("{days} days left"),
        };
        rows.push(vec![event.date.to_string(), days, format!("{}: {}", event.service.name(), event.what)]);
        for was in &event.was {
            let told = format!("-> {}", super::contradiction(event.origin.date, was));
            rows.push(vec![String::new(), String::new(), told]);
        }
    }
    let text =
        format!("{}today is {today}; dates as published {}\n", aligned(&rows, &[1]), catalog.dates.date);
    let document = json!({ "today": today, "dates": left });
    Exit::new(Code::Equal, document, text)
}
