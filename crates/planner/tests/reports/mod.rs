//! The report, held against a file that a person has looked at. `REDFERRY_WRITE_GOLDEN=1` writes it anew.

use planner::Catalog;
use planner::assess::report::{markdown, report};

#[test]
fn the_markdown_is_as_it_was_looked_at() {
    let mut inventory = super::calls("EVAL", 3);
    let resource = inventory.resource.as_mut().unwrap();
    resource.subnet = Some("/x/subnets/caches".into());
    resource.plaintext = true;
    let catalog = Catalog::embedded();
    let plan = super::plan(&inventory);
    let report = report(&catalog, &inventory, &plan, "2026-11-26".parse().unwrap());
    let written = markdown(&report);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reports/plan.md");
    if std::env::var_os("REDFERRY_WRITE_GOLDEN").is_some() {
        std::fs::write(file, &written).unwrap();
    }
    let golden = std::fs::read_to_string(file).unwrap();
    assert!(written == golden, "the report is not {file} any more:\n{written}");
}
