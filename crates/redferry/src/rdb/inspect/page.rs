//! What is in the files, as one page for people.

use indicatif::{HumanBytes, HumanCount};

use super::document::checksum;
use super::survey::{Count, Life, told_beginning};
use super::{Account, refusals};
use crate::page::{Html, bar};
use crate::printable::printable;

/// Beginnings of names that get a line of their own.
const BEGINNINGS: usize = 100;

/// The page.
pub(super) fn of(account: &Account<'_>) -> String {
    let survey = account.survey;
    let mut page = Html::page("redferry rdb inspect");
    page.raw("<header>\n<p>What is in an RDB file</p>\n<h1>");
    for file in &survey.files {
        page.raw("<code>").text(&file.name).raw("</code> ");
    }
    page.raw("</h1>\n</header>\n");
    let verdict = format!(
        "{} keys, {} in the file, about {} in memory",
        HumanCount(survey.total.keys),
        HumanBytes(survey.total.bytes),
        HumanBytes(survey.total.resident)
    );
    let class = if account.fault.is_some() { "bad" } else { "good" };
    page.raw("<p class=\"verdict ").raw(class).raw("\">").text(&verdict).raw("</p>\n");
    if let Some(fault) = &account.fault {
        page.raw("<p>").text(&format!("Only a part was read: {fault}")).raw("</p>\n");
    }
    files(&mut page, account);
    table(
        &mut page,
        "Databases",
        "Database",
        &rows(survey.databases.iter().map(|(db, c)| (db.to_string(), c))),
    );
    table(&mut page, "Types", "Type", &rows(survey.types.iter().map(|(name, c)| (name.clone(), c))));
    let encodings = survey.encodings.iter().map(|((kind, encoding), c)| (format!("{kind}/{encoding}"), c));
    table(&mut page, "Encodings", "Encoding", &rows(encodings));
    let lives = Life::ALL.iter().filter_map(|life| Some((life.words().to_owned(), survey.ttl.get(life)?)));
    table(&mut page, "Time to live", "From now", &rows(lives));
    let prefixes = survey.prefixes();
    let shown = prefixes.iter().take(BEGINNINGS).map(|(prefix, c)| (prefix_name(prefix), *c));
    table(&mut page, "By the beginning of the name", "Beginning", &rows(shown));
    if prefixes.len() > BEGINNINGS {
        let more = format!("And {} more, which the JSON report tells.", prefixes.len() - BEGINNINGS);
        page.raw("<p class=\"small\">").text(&more).raw("</p>\n");
    }
    largest(&mut page, account);
    refused(&mut page, account);
    page.raw("<p class=\"small\">Memory is estimated from the file: what Redis allocates for each key and element, \
              without fragmentation, buffers and the server itself.</p>\n");
    page.ended()
}

fn rows<'c>(rows: impl Iterator<Item = (String, &'c Count)>) -> Vec<(String, &'c Count)> {
    rows.collect()
}

fn files(page: &mut Html, account: &Account<'_>) {
    for file in &account.survey.files {
        page.heading(&file.name);
        page.facts_begin();
        page.fact("RDB version", &file.version.map_or("unknown".to_owned(), |version| version.to_string()));
        page.fact("Bytes", &format!("{} ({})", HumanCount(file.bytes), HumanBytes(file.bytes)));
        page.fact("Checksum", &checksum(file.checksum).replace('_', " "));
        for (name, value) in &file.aux {
            page.fact(&printable(name), &printable(value));
        }
        if file.functions > 0 {
            page.fact("Libraries of functions", &HumanCount(file.functions).to_string());
        }
        page.facts_end();
    }
}

fn table(page: &mut Html, heading: &str, first: &str, rows: &[(String, &Count)]) {
    if rows.is_empty() {
        return;
    }
    let most = rows.iter().map(|(_, count)| count.resident).max().unwrap_or(1).max(1);
    page.heading(heading);
    page.raw("<table>\n<thead><tr><th class=\"name\">")
        .text(first)
        .raw("</th><th class=\"number\">Keys</th>");
    page.raw("<th class=\"number\">With expiry</th><th class=\"number\">In the file</th><th class=\"number\">In memory</th><th>Share of memory</th></tr></thead>\n<tbody>\n");
    for (name, count) in rows {
        page.raw("<tr class=\"plain\"><th class=\"name\">").text(name).raw("</th>");
        for number in [
            HumanCount(count.keys).to_string(),
            HumanCount(count.expires).to_string(),
            HumanBytes(count.bytes).to_string(),
            HumanBytes(count.resident).to_string(),
        ] {
            page.raw("<td class=\"number\">").text(&number).raw("</td>");
        }
        page.raw("<td class=\"bar\">").raw(&bar(count.resident, most)).raw("</td></tr>\n");
    }
    page.raw("</tbody>\n</table>\n");
}

fn prefix_name(prefix: &[u8]) -> String {
    if prefix.is_empty() { "all others".to_owned() } else { printable(prefix) }
}

fn largest(page: &mut Html, account: &Account<'_>) {
    let all = account.survey.largest();
    let Some(most) = all.first().map(|large| large.bytes) else { return };
    page.heading("Largest keys");
    let first = if account.shows_keys { "Key" } else { "Beginning" };
    page.raw("<table>\n<thead><tr><th>")
        .text(first)
        .raw("</th><th class=\"number\">Database</th><th class=\"name\">Type</th>");
    page.raw("<th class=\"number\">In the file</th><th>Size</th></tr></thead>\n<tbody>\n");
    for large in all {
        let name = if account.shows_keys {
            printable(&large.name)
        } else {
            prefix_name(told_beginning(&large.name, false))
        };
        page.raw("<tr class=\"plain\"><td><code>").text(&name).raw("</code></td><td class=\"number\">");
        page.text(&large.db.to_string()).raw("</td><td>").text(&format!("{}/{}", large.kind, large.encoding));
        page.raw("</td><td class=\"number\">").text(&HumanBytes(large.bytes).to_string());
        page.raw("</td><td class=\"bar\">").raw(&bar(large.bytes, most)).raw("</td></tr>\n");
    }
    page.raw("</tbody>\n</table>\n");
}

fn refused(page: &mut Html, account: &Account<'_>) {
    page.heading("What Azure Managed Redis' own import would refuse or lose");
    let reasons: Vec<String> = refusals::of(account.survey)
        .into_iter()
        .map(|refusal| format!("{}: {}", refusal.text, refusal.remedy))
        .collect();
    if reasons.is_empty() {
        page.raw("<p>Nothing that can be seen in the file.</p>\n");
    } else {
        page.list(&reasons);
    }
}
