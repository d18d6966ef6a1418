//! What a comparison came to as one page for people.

use std::time::Duration;

use ::verify::{Kind, Totals};
use indicatif::{HumanBytes, HumanCount, HumanDuration};

use super::account::{Account, Found, level, meaning, sees};
use crate::page::{Html, bar};
use crate::printable::printable;
use crate::{utc, wishes};

/// Beginnings of names that get a line of their own.
const BEGINNINGS: usize = 100;

/// The page.
pub(super) fn of(account: &Account<'_>) -> String {
    let mut page = Html::page(&format!("redferry verify: {}", account.verdict()));
    header(&mut page, account);
    what(&mut page, account);
    how(&mut page, account);
    match &account.found {
        Found::Keys(_) => keys(&mut page, account),
        Found::Totals(totals, _) => databases(&mut page, totals),
    }
    let notes = account.notes();
    if !notes.is_empty() {
        page.heading("Worth knowing").list(&notes);
    }
    page.heading("What this comparison cannot see").list(&account.not_seen());
    examples(&mut page, account);
    page.ended()
}

fn header(page: &mut Html, account: &Account<'_>) {
    let look = account.look;
    page.raw("<header>\n<p>Comparison of two Redis caches</p>\n<h1><code>").text(&look.source.address);
    page.raw("</code> and <code>").text(&look.target.address).raw("</code></h1>\n</header>\n");
    let class = match account.halt() {
        Some(_) => "wait",
        None if account.is_equal() => "good",
        None => "bad",
    };
    page.raw("<p class=\"verdict ").raw(class).raw("\">").text(&account.verdict()).raw("</p>\n");
    if let Some(halt) = account.halt() {
        page.raw("<p>").text(&format!("It ended early: {halt}")).raw("</p>\n");
    }
    if let Some(confidence) = account.confidence() {
        page.raw("<p>").text(&format!("Sample: {confidence}.")).raw("</p>\n");
    }
}

fn what(page: &mut Html, account: &Account<'_>) {
    page.heading("What was compared");
    let look = account.look;
    page.raw(
        "<table>\n<thead><tr><th class=\"name\"></th><th>Source</th><th>Target</th></tr></thead>\n<tbody>\n",
    );
    let (keys_source, keys_target) = account.keys();
    let nodes = |facts: &engine::preflight::SideFacts| facts.nodes.len().to_string();
    let tls = |facts: &engine::preflight::SideFacts| if facts.tls { "TLS" } else { "none" }.to_owned();
    for (name, source, target) in [
        ("Address", look.source.address.clone(), look.target.address.clone()),
        ("Product", look.source.product.clone(), look.target.product.clone()),
        ("Nodes", nodes(&look.source), nodes(&look.target)),
        ("Encryption", tls(&look.source), tls(&look.target)),
        ("Keys that are meant", HumanCount(keys_source).to_string(), HumanCount(keys_target).to_string()),
    ] {
        page.raw("<tr><th class=\"name\">").text(name).raw("</th><td>").text(&source);
        page.raw("</td><td>").text(&target).raw("</td></tr>\n");
    }
    page.raw("</tbody>\n</table>\n");
    page.facts_begin();
    page.fact("Databases and names", &account.naming.describe().join("; "));
    let typed = wishes::as_typed(&account.args.choice);
    let choice: Vec<String> = typed.iter().map(|(option, value)| format!("{option} {value}")).collect();
    let choice = if choice.is_empty() { "every key".to_owned() } else { choice.join("  ") };
    page.fact("Choice", &choice);
    page.facts_end();
}

fn how(page: &mut Html, account: &Account<'_>) {
    let args = account.args;
    page.heading("When and how");
    page.facts_begin();
    page.fact("Began", &utc::text(account.began));
    page.fact("Ended", &utc::text(account.ended));
    let here = account.ended.duration_since(account.began).unwrap_or_default();
    if account.elapsed() > here + Duration::from_secs(1) {
        page.fact("Time", &format!("{} with earlier runs", HumanDuration(account.elapsed())));
    }
    page.fact("Level", &format!("{}: {}", level(args.level).name(), sees(args.level)));
    if let Some(sample) = args.sample {
        let share = sample.share() * 100.0;
        page.fact("Sample", &format!("{share} % of all keys, chosen by a hash of their names"));
    }
    if let Some(counts) = account.counts() {
        page.fact("Looked at", &format!("{} keys on both sides", HumanCount(counts.keys_compared)));
        let stable = format!(
            "a key that differed was looked at again for {} before it was reported; {} were",
            time(args.until_stable),
            HumanCount(counts.rechecked)
        );
        page.fact("Patience", &stable);
    }
    if let Some(bound) = account.ttl_bound() {
        page.fact("Times to live", &bound);
    }
    if args.writes() {
        let extra = if args.delete_extra { ", and keys that only the target had deleted" } else { "" };
        page.fact(
            "Repair",
            &format!("keys that differed were copied again{extra}; then they were compared again"),
        );
    }
    page.facts_end();
}

fn time(time: Duration) -> String {
    match time.as_millis() {
        whole if whole % 1000 == 0 => format!("{} s", whole / 1000),
        part => format!("{part} ms"),
    }
}

fn keys(page: &mut Html, account: &Account<'_>) {
    let Some(counts) = account.counts() else { return };
    page.heading("Result");
    page.raw(
        "<table>\n<thead><tr><th class=\"name\">Difference</th><th class=\"number\">Keys</th><th>Share</th>",
    );
    page.raw("<th>Meaning</th></tr></thead>\n<tbody>\n");
    let all = counts.keys_source.max(counts.keys_target).max(1);
    for kind in Kind::ALL {
        let found = counts.of(kind);
        let class = if matches!(kind, Kind::Unstable | Kind::NotCompared) { "wait" } else { "difference" };
        page.raw(&format!("<tr class=\"{class}\"><th class=\"name\">")).text(kind.name());
        page.raw("</th><td class=\"number\">").text(&HumanCount(found).to_string());
        page.raw("</td><td class=\"bar\">").raw(&bar(found, all)).raw("</td><td>").text(meaning(kind));
        page.raw("</td></tr>\n");
    }
    page.raw("</tbody>\n</table>\n<p class=\"small\">A key with two kinds of difference counts in both. ");
    page.text(&format!("{} keys differ in any way", HumanCount(counts.keys_differing)));
    if account.args.writes() {
        page.text(&format!(", as they were found; {} of them were repaired", HumanCount(counts.repaired)));
    }
    page.raw(".</p>\n");
    if let Some(plan) = account.plan() {
        let plan = format!(
            "A repair would copy {} keys and delete {}. Nothing was written.",
            HumanCount(plan.copy),
            HumanCount(plan.delete)
        );
        page.raw("<p>").text(&plan).raw("</p>\n");
    }
    for (heading, rows) in [
        ("Why keys were not compared", not_compared(account)),
        ("Why keys were not repaired", not_repaired(account)),
    ] {
        if !rows.is_empty() {
            page.heading(heading).list(&rows);
        }
    }
    beginnings(page, account);
}

fn not_compared(account: &Account<'_>) -> Vec<String> {
    let reasons = account.reasons();
    reasons.iter().map(|(why, keys, remedy)| format!("{why}: {} keys; {remedy}", HumanCount(*keys))).collect()
}

fn not_repaired(account: &Account<'_>) -> Vec<String> {
    let causes = account.not_repaired.iter();
    causes
        .map(|(cause, keys)| format!("{}: {} keys; {}", cause.name(), HumanCount(*keys), cause.remedy()))
        .collect()
}

fn beginnings(page: &mut Html, account: &Account<'_>) {
    let all = account.beginnings();
    if all.iter().all(|(name, _)| name.is_empty()) {
        return;
    }
    page.heading("By the beginning of the name");
    page.raw("<table>\n<thead><tr><th class=\"name\">Beginning</th><th class=\"number\">Differences</th><th>Share</th>");
    page.raw("<th>Kinds</th></tr></thead>\n<tbody>\n");
    let most = all.iter().map(|(_, counts)| counts.values().sum::<u64>()).max().unwrap_or(1).max(1);
    for (name, counts) in all.iter().take(BEGINNINGS) {
        let sum = counts.values().sum();
        let kinds: Vec<String> =
            counts.iter().map(|(kind, keys)| format!("{} {}", HumanCount(*keys), kind.name())).collect();
        page.raw("<tr><th class=\"name\">");
        if name.is_empty() {
            page.text("all others");
        } else {
            page.raw("<code>").text(name).raw("</code>");
        }
        page.raw("</th><td class=\"number\">")
            .text(&HumanCount(sum).to_string())
            .raw("</td><td class=\"bar\">");
        page.raw(&bar(sum, most)).raw("</td><td>").text(&kinds.join(", ")).raw("</td></tr>\n");
    }
    page.raw("</tbody>\n</table>\n");
    if all.len() > BEGINNINGS {
        let more = format!("And {} more, which the JSON report tells.", all.len() - BEGINNINGS);
        page.raw("<p class=\"small\">").text(&more).raw("</p>\n");
    }
}

fn databases(page: &mut Html, totals: &Totals) {
    page.heading("Result");
    page.raw("<table>\n<thead><tr><th>Databases of the source</th><th>Database of the target</th>");
    page.raw("<th class=\"number\">Source</th><th class=\"number\">Target</th><th class=\"number\">Apart</th></tr></thead>\n<tbody>\n");
    for db in &totals.databases {
        let from: Vec<String> = db.source_dbs.iter().map(u32::to_string).collect();
        page.raw("<tr><td>").text(&from.join(", ")).raw("</td><td>").text(&db.target_db.to_string());
        for number in [db.keys_source, db.keys_target, db.keys_source.abs_diff(db.keys_target)] {
            page.raw("</td><td class=\"number\">").text(&HumanCount(number).to_string());
        }
        page.raw("</td></tr>\n");
    }
    page.raw("</tbody>\n</table>\n");
    let memory =
        |bytes: Option<u64>| bytes.map_or("not told".to_owned(), |bytes| HumanBytes(bytes).to_string());
    let types = |types: &std::collections::BTreeMap<String, u64>| {
        let all: Vec<String> =
            types.iter().map(|(name, keys)| format!("{} {name}", HumanCount(*keys))).collect();
        if all.is_empty() { "none".to_owned() } else { all.join(", ") }
    };
    page.facts_begin();
    page.fact("Types of a sample, source", &types(&totals.types_source));
    page.fact("Types of a sample, target", &types(&totals.types_target));
    page.fact("Memory, source", &memory(totals.memory_source));
    page.fact("Memory, target", &memory(totals.memory_target));
    page.facts_end();
}

fn examples(page: &mut Html, account: &Account<'_>) {
    let examples = account.examples();
    if examples.is_empty() {
        return;
    }
    page.heading("Keys");
    page.raw("<p class=\"small\">").text(&format!(
        "Up to {} of each kind. Names are the source's; those of keys that only the target has are the target's.",
        HumanCount(account.args.show_keys.most() as u64)
    ));
    page.raw("</p>\n<table>\n<thead><tr><th class=\"name\">Difference</th><th class=\"number\">Database</th><th>Key</th></tr></thead>\n<tbody>\n");
    for kind in Kind::ALL {
        for example in examples.iter().filter(|example| example.kind == kind) {
            page.raw("<tr><th class=\"name\">").text(kind.name()).raw("</th><td class=\"number\">");
            page.text(&example.db.to_string()).raw("</td><td><code>").text(&printable(&example.key));
            page.raw("</code></td></tr>\n");
        }
    }
    page.raw("</tbody>\n</table>\n");
}
