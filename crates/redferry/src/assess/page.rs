//! The plan as one page for people.

use planner::assess::report::{Bar, Block, Cell, Report};
use planner::assess::{Finding, Severity, Step};

use crate::page::{Html, bar};

pub(super) fn of(report: &Report) -> String {
    let mut page = Html::page(&report.title);
    page.raw("<header>\n<h1>").text(&report.title).raw("</h1>\n</header>\n");
    let class = match report.worst {
        Some(Severity::Blocker) => "bad",
        Some(Severity::Warning) => "wait",
        Some(Severity::Note) | None => "good",
    };
    page.raw("<p class=\"verdict ").raw(class).raw("\">").text(&report.verdict).raw("</p>\n");
    for section in &report.sections {
        page.heading(&section.heading);
        for block in &section.blocks {
            write(&mut page, block);
        }
    }
    page.ended()
}

fn write(page: &mut Html, block: &Block) {
    match block {
        Block::Text(text) => _ = page.raw("<p>").text(text).raw("</p>\n"),
        Block::List(items) => _ = page.list(items),
        Block::Facts(facts) => {
            page.facts_begin();
            for (name, value) in facts {
                page.fact(name, value);
            }
            page.facts_end();
        }
        Block::Finding(finding) => write_finding(page, finding),
        Block::Bars { caption, bars } => write_bars(page, caption, bars),
        Block::Step(step) => write_step(page, step),
        Block::Table { head, rows } => write_table(page, head, rows),
    }
}

fn write_finding(page: &mut Html, finding: &Finding) {
    let class = match finding.severity {
        Severity::Blocker => "bad",
        Severity::Warning => "wait",
        Severity::Note => "good",
    };
    page.raw("<section class=\"card ").raw(class).raw("\">\n<h3>").text(finding.severity.as_str()).raw(": ");
    page.text(&finding.title)
        .raw("</h3>\n<p>")
        .text(&finding.evidence)
        .raw("</p>\n<p><strong>To do:</strong> ");
    page.text(&finding.remedy).raw("</p>\n<p class=\"small\"><code>").text(finding.id);
    page.raw("</code></p>\n</section>\n");
}

fn write_bars(page: &mut Html, caption: &str, bars: &[Bar]) {
    let whole = bars.iter().map(|bar| bar.value).max().unwrap_or(0);
    page.raw("<table class=\"chart\">\n<thead><tr><th class=\"name\">").text(caption);
    page.raw("</th><th></th><th class=\"number\"></th></tr></thead>\n<tbody>\n");
    for one in bars {
        page.raw("<tr class=\"plain\"><td><code>").text(&one.label).raw("</code></td><td class=\"bar\">");
        page.raw(&bar(one.value, whole))
            .raw("</td><td class=\"number\">")
            .text(&one.shown)
            .raw("</td></tr>\n");
    }
    page.raw("</tbody>\n</table>\n");
}

fn write_step(page: &mut Html, step: &Step) {
    page.raw("<section class=\"step\">\n<h3>")
        .text(&format!("{}. {}", step.number, step.title))
        .raw("</h3>\n<p>");
    page.text(&step.why).raw("</p>\n");
    if !step.commands.is_empty() {
        page.raw("<pre><code>").text(&step.commands.join("\n")).raw("</code></pre>\n");
    }
    for (name, text) in [("Takes", &step.takes), ("Way back", &step.roll_back)] {
        if let Some(text) = text {
            page.raw("<p class=\"small\"><strong>").raw(name).raw(":</strong> ").text(text).raw("</p>\n");
        }
    }
    page.raw("</section>\n");
}

fn write_table(page: &mut Html, head: &[(String, bool)], rows: &[Vec<Cell>]) {
    page.raw("<table class=\"fleet\">\n<thead><tr>");
    for (name, number) in head {
        page.raw(if *number { "<th class=\"number\">" } else { "<th>" }).text(name).raw("</th>");
    }
    page.raw("</tr></thead>\n<tbody>\n");
    for row in rows {
        page.raw("<tr>");
        for (cell, (_, number)) in row.iter().zip(head) {
            page.raw(if *number { "<td class=\"number\">" } else { "<td>" });
            match &cell.link {
                Some(link) => page.raw("<a href=\"").text(link).raw("\">").text(&cell.text).raw("</a>"),
                None => page.text(&cell.text),
            };
            page.raw("</td>");
        }
        page.raw("</tr>\n");
    }
    page.raw("</tbody>\n</table>\n");
}

#[cfg(test)]
mod tests {
    use planner::assess::report::report;
    use planner::assess::{Inventory, Live, Sample, Share, assess, read};
    use planner::price::Prices;
    use planner::{Catalog, Date};

    use super::of;

    fn page() -> String {
        let catalog = Catalog::embedded();
        let live = Live {
            nodes: vec![read::info(
                "redis_version:6.0.14\nused_memory:1000000\ndb0:keys=9,expires=9\ndb2:keys=1,expires=0",
            )],
            commands: read::commandstats("cmdstat_get:calls=90,usec=1\ncmdstat_eval:calls=9,usec=1"),
            sample: Some(Sample {
                keys: 10,
                of: 10,
                types: [("hash".to_owned(), Share { keys: 10, bytes: 4096 })].into(),
                prefixes: [("<b>:".to_owned(), Share { keys: 10, bytes: 4096 })].into(),
                ttls: [1, 0, 9, 0, 0, 0],
                ..Sample::default()
            }),
            ..Live::default()
        };
        let inventory = Inventory { name: "<i>&".into(), live: Some(live), ..Inventory::default() };
        let plan = assess(&catalog, &Prices::snapshot(&catalog), &inventory);
        let today: Date = "2026-11-26".parse().expect("a date");
        of(&report(&catalog, &inventory, &plan, today))
    }

    /// Held against a page that a person has looked at; `REDFERRY_WRITE_GOLDEN=1` writes it anew.
    #[test]
    fn the_page_is_as_it_was_looked_at() {
        let page = page();
        // The style is shared and looked at elsewhere.
        let body = &page[page.find("<body>").expect("a body")..page.find("<footer>").expect("a footer")];
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/assess/page/golden.html");
        if std::env::var_os("REDFERRY_WRITE_GOLDEN").is_some() {
            std::fs::write(file, body).expect("the golden file");
        }
        let golden = std::fs::read_to_string(file).expect("the golden file");
        assert!(body == golden, "the page is not {file} any more:\n{body}");
    }

    #[test]
    fn names_stay_text_and_nothing_is_loaded() {
        let page = page();
        assert!(page.contains("&lt;i&gt;&amp;") && page.contains("&lt;b&gt;:"), "{page}");
        assert!(
            !page.contains("<i>")
                && !page.contains("<b>")
                && !page.contains("<script")
                && !page.contains("src=")
        );
    }
}
