//! Many caches at once: one table, and a plan for each.

use std::path::{Path, PathBuf};

use planner::assess::read::Resource;
use planner::assess::report::verdict;
use planner::assess::{Inventory, Plan, Severity};
use serde_json::{Value, json};

use super::{Planning, document, name, read_live, text, texts};
use crate::args::AssessArgs;
use crate::exit::{Code, Exit};
use crate::plan::table::aligned;

/// A cache of the list.
enum Member {
    /// Is connected to.
    Address(String),
    /// Is planned from what Azure tells alone.
    Resource(Box<Resource>),
    /// Cannot be planned; why.
    Unusable(String),
}

/// A cache and what came of it.
struct Done {
    name: String,
    result: Result<(Inventory, Plan), String>,
}

pub(super) async fn run(args: &AssessArgs, mut planning: Planning, file: &Path) -> Result<Exit, Exit> {
    let members = members(file)?;
    if members.is_empty() {
        return Err(texts::unusable("--fleet", file, &"there is no cache in it"));
    }
    let resources = match &args.arm {
        Some(arm) => resources(arm)?,
        None => Vec::new(),
    };
    let own = members.iter().filter_map(|member| match member {
        Member::Resource(resource) => Some(&**resource),
        _ => None,
    });
    planning.price(args, own.chain(&resources)).await?;
    let mut done = Vec::new();
    for (index, member) in members.into_iter().enumerate() {
        // One after the other: they may share a network, and nobody is in a hurry.
        done.push(one(args, &planning, &resources, member, index + 1).await);
    }
    for (index, cache) in done.iter().enumerate() {
        let Ok((inventory, plan)) = &cache.result else { continue };
        let twin = done[..index].iter().any(|other| file_part(&other.name) == file_part(&cache.name));
        let part = file_part(&cache.name) + &if twin { format!("-{}", index + 1) } else { String::new() };
        for report in &args.report {
            planning.write(inventory, plan, &beside(report, &part))?;
        }
    }
    Ok(ended(&done))
}

/// The resources of the caches. One that cannot be used would be missing from a plan, and nothing would say so.
fn resources(arm: &Path) -> Result<Vec<Resource>, Exit> {
    let numbered = (1..).zip(texts::resources("--arm", arm)?);
    let usable = numbered.map(|(number, resource)| {
        resource.map_err(|error| texts::unusable("--arm", arm, &format!("entry {number}: {error}")))
    });
    usable.collect()
}

/// A list of addresses, or of resources.
fn members(file: &Path) -> Result<Vec<Member>, Exit> {
    let text = texts::text("--fleet", file)?;
    if text.trim_start_matches('\u{feff}').trim_start().starts_with(['[', '{']) {
        let resources = planner::assess::read::resources(&text)
            .map_err(|error| texts::unusable("--fleet", file, &error))?;
        return Ok(resources
            .into_iter()
            .map(|resource| match resource {
                Ok(resource) => Member::Resource(Box::new(resource)),
                Err(error) => Member::Unusable(error.to_string()),
            })
            .collect());
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(lines.map(|line| Member::Address(line.to_owned())).collect())
}

async fn one(
    args: &AssessArgs,
    planning: &Planning,
    resources: &[Resource],
    member: Member,
    number: usize,
) -> Done {
    let mut inventory = planning.inventory();
    match member {
        Member::Unusable(why) => return Done { name: format!("entry {number}"), result: Err(why) },
        Member::Resource(resource) => inventory.resource = Some(*resource),
        Member::Address(address) => {
            // An address that cannot be read is not repeated: a password may be in it.
            if let Err(exit) = read_live(args, &address, &mut inventory).await {
                let name = inventory.address.map_or(format!("line {number}"), |address| address.host);
                return Done { name, result: Err(exit.message()) };
            }
            let host = inventory.address.as_ref().map(|address| address.host.clone());
            inventory.resource = resources.iter().find(|resource| resource.host == host).cloned();
        }
    }
    name(&mut inventory);
    let plan = planning.plan(&inventory);
    Done { name: inventory.name.clone(), result: Ok((inventory, plan)) }
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

fn ended(done: &[Done]) -> Exit {
    let failed: Vec<&str> =
        done.iter().filter(|cache| cache.result.is_err()).map(|cache| cache.name.as_str()).collect();
    let blocked = done.iter().any(|cache| cache.result.as_ref().is_ok_and(|(_, plan)| plan.is_blocked()));
    let code = if blocked { Code::Differences } else { Code::Equal };
    let exit = |code| Exit::new(code, json!({ "caches": caches(done) }), table(done));
    if failed.is_empty() {
        return exit(code);
    }
    exit(Code::Failed).with_error(format!("no plan for {}; see the table", failed.join(", ")))
}

fn caches(done: &[Done]) -> Vec<Value> {
    let cache = |cache: &Done| match &cache.result {
        Ok((inventory, plan)) => document::of(inventory, plan),
        Err(error) => json!({ "name": cache.name, "error": error }),
    };
    done.iter().map(cache).collect()
}

fn table(done: &[Done]) -> String {
    let head = ["cache", "sku", "clustering", "way", "blockers", "warnings", "notes", "price"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let mut said = String::new();
    for cache in done {
        match &cache.result {
            Ok((_, plan)) => {
                let price = plan.price.as_ref().and_then(|price| price.target_monthly);
                rows.push(vec![
                    cache.name.clone(),
                    plan.size.as_ref().map_or("-".into(), |size| size.sku.clone()),
                    format!("{:?}", plan.clustering.policy),
                    plan.strategy.title().to_owned(),
                    plan.count(Severity::Blocker).to_string(),
                    plan.count(Severity::Warning).to_string(),
                    plan.count(Severity::Note).to_string(),
                    price.map_or("-".into(), |price| format!("{price:.2}")),
                ]);
                said.push_str(&format!("{}: {}\n", cache.name, verdict(plan)));
            }
            Err(error) => said.push_str(&format!("{}: {error}\n", cache.name)),
        }
    }
    text::harmless(&format!("{}\n{said}", aligned(&rows, &[4, 5, 6, 7])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_lie_beside_each_other() {
        assert_eq!(
            beside(Path::new("out/plan.html"), &file_part("orders")),
            Path::new("out/plan-orders.html")
        );
        assert_eq!(beside(Path::new("p.md"), &file_part("../a b")), Path::new("p-..-a-b.md"));
    }
}
