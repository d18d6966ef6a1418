//! Many caches at once: one table, a plan for each, and what they come to together.

mod answer;
mod folder;
mod list;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use futures_util::{StreamExt, stream};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use planner::assess::fleet::{Member, totals};
use planner::assess::{Inventory, Plan, report};

use self::list::Entry;
use super::{Planning, live, location, name};
use crate::args::AssessArgs;
use crate::exit::Exit;
use crate::interrupt;

/// Caches that are read at the same time. They may share a network, and nobody is in a hurry.
const AT_A_TIME: usize = 4;

/// What no link of a page needs to have encoded.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A cache and what came of it.
struct Done {
    name: String,
    inventory: Inventory,
    /// None where nothing is known of it.
    plan: Option<Plan>,
    /// Why it could not be read, or not be planned.
    trouble: Option<String>,
}

impl Done {
    fn member(&self) -> Member<'_> {
        let resource = self.inventory.resource.as_ref();
        Member {
            name: &self.name,
            today: resource.map(|resource| format!("{} {}", resource.sku.tier, resource.sku.name)),
            plan: self.plan.as_ref(),
            trouble: self.trouble.as_deref(),
            read: self.inventory.live.is_some(),
        }
    }
}

pub(super) async fn run(args: &AssessArgs, mut planning: Planning, file: &Path) -> Result<Exit, Exit> {
    let (entries, warnings) = list::read(args, file)?;
    planning.price(args, entries.iter().filter_map(|entry| entry.resource.as_ref())).await?;
    let done: Vec<Done> = {
        let each = entries.into_iter().map(|entry| one(args, &planning, entry));
        // In the order of the list, whichever answers first.
        let all = stream::iter(each).buffered(AT_A_TIME).collect();
        tokio::select! {
            done = all => done,
            () = interrupt::asked() => {
                return Err(Exit::interrupted("interrupted while the caches were read; nothing was written"));
            }
        }
    };
    let members: Vec<Member<'_>> = done.iter().map(Done::member).collect();
    let totals = totals(&members);
    let parts = parts(&done);
    for file in &args.report {
        for (cache, part) in done.iter().zip(&parts) {
            if let Some(plan) = &cache.plan {
                planning.write(&cache.inventory, plan, &beside(file, part))?;
            }
        }
        let links: Vec<Option<String>> = done
            .iter()
            .zip(&parts)
            .map(|(cache, part)| cache.plan.as_ref().map(|_| link(&beside(file, part))))
            .collect();
        let index = report::fleet(&planning.catalog, &members, &links, &totals, &warnings, planning.today);
        planning.write_report(&index, file)?;
    }
    Ok(answer::of(&done, &members, &totals, &warnings))
}

async fn one(args: &AssessArgs, planning: &Planning, entry: Entry) -> Done {
    let mut inventory = planning.inventory();
    inventory.resource = entry.resource;
    inventory.metrics = entry.metrics;
    let trouble = match entry.source {
        Ok(None) => None,
        Ok(Some(source)) => match live::read(&source.endpoint, args.sample).await {
            Ok(live) => {
                inventory.address = Some(location(&source.address));
                inventory.live = Some(live);
                None
            }
            Err(error) => Some(error.to_string()),
        },
        Err(why) => Some(why),
    };
    if trouble.is_some() && inventory.resource.is_none() {
        return Done { name: entry.name, inventory, plan: None, trouble };
    }
    name(&mut inventory);
    let mut plan = planning.plan(&inventory);
    if let Some(why) = &trouble {
        plan.notes.insert(0, format!("the live cache could not be read: {why}"));
    }
    Done { name: inventory.name.clone(), inventory, plan: Some(plan), trouble }
}

/// The part of a file's name for each cache; no two are the same, even where capitals do not matter.
fn parts(done: &[Done]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut parts = Vec::new();
    for (number, cache) in (1..).zip(done) {
        let mut part = file_part(&cache.name);
        while !taken.insert(part.to_ascii_lowercase()) {
            part = format!("{part}-{number}");
        }
        parts.push(part);
    }
    parts
}

/// `plan-orders.html` for `plan.html`.
fn beside(report: &Path, part: &str) -> PathBuf {
    let stem = report.file_stem().unwrap_or_default().to_string_lossy();
    let ending = report.extension().unwrap_or_default().to_string_lossy();
    report.with_file_name(format!("{stem}-{part}.{ending}"))
}

/// A name as a part of a file's.
fn file_part(name: &str) -> String {
    let plain = |char: char| if char.is_ascii_alphanumeric() || "-_.".contains(char) { char } else { '-' };
    name.chars().take(100).map(plain).collect()
}

/// From one page to another in the same folder.
fn link(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    utf8_percent_encode(&name, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Done {
        Done { name: name.into(), inventory: Inventory::default(), plan: None, trouble: None }
    }

    #[test]
    fn reports_lie_beside_each_other() {
        assert_eq!(
            beside(Path::new("out/plan.html"), &file_part("orders")),
            Path::new("out/plan-orders.html")
        );
        assert_eq!(beside(Path::new("p.md"), &file_part("../a b")), Path::new("p-..-a-b.md"));
        assert_eq!(link(Path::new("out/my: plan-a.html")), "my%3A%20plan-a.html");
    }

    #[test]
    fn no_report_takes_the_place_of_another() {
        let parts = parts(&["a", "A", "a-3", "a", "b/c", "b:c"].map(named));
        assert_eq!(parts, ["a", "A-2", "a-3", "a-4", "b-c", "b-c-6"]);
        let parts = super::parts(&["a-2", "a", "a-3", "a-2", "a"].map(named));
        assert_eq!(parts.iter().collect::<BTreeSet<_>>().len(), 5, "{parts:?}");
    }
}
