//! The report as Markdown.

use std::fmt::Write as _;

use super::{Block, Cell, Report};

/// Characters of the longest bar.
const WIDTH: u64 = 30;

/// Writes the report.
pub fn markdown(report: &Report) -> String {
    let mut out = format!("# {}\n\n**{}**\n", inline(&report.title), inline(&report.verdict));
    for section in &report.sections {
        _ = write!(out, "\n## {}\n", inline(&section.heading));
        for block in &section.blocks {
            out.push('\n');
            write_block(&mut out, block);
        }
    }
    out
}

fn write_block(out: &mut String, block: &Block) {
    match block {
        Block::Text(text) => _ = writeln!(out, "{}", inline(text)),
        Block::List(items) => {
            for item in items {
                _ = writeln!(out, "- {}", inline(item));
            }
        }
        Block::Facts(facts) => {
            out.push_str("| | |\n|---|---|\n");
            for (name, value) in facts {
                _ = writeln!(out, "| {} | {} |", inline(name), inline(value));
            }
        }
        Block::Finding(finding) => {
            let severity = finding.severity.as_str();
            _ = writeln!(out, "### {severity}: {} (`{}`)\n", inline(&finding.title), finding.id);
            _ = writeln!(out, "- found: {}", inline(&finding.evidence));
            _ = writeln!(out, "- to do: {}", inline(&finding.remedy));
        }
        Block::Bars { caption, bars } => {
            let whole = bars.iter().map(|bar| bar.value).max().unwrap_or(0).max(1);
            _ = writeln!(out, "| {} | | |\n|---|---|---|", inline(caption));
            for bar in bars {
                let length = (u128::from(bar.value) * u128::from(WIDTH)).div_ceil(u128::from(whole));
                let drawn = "#".repeat(usize::try_from(length).unwrap_or(0));
                _ = writeln!(out, "| {} | {drawn} | {} |", inline(&bar.label), inline(&bar.shown));
            }
        }
        Block::Step(step) => {
            _ = writeln!(out, "### {}. {}\n\n{}", step.number, inline(&step.title), inline(&step.why));
            if !step.commands.is_empty() {
                _ = writeln!(out, "\n```sh\n{}\n```", step.commands.join("\n"));
            }
            if let Some(time) = &step.takes {
                _ = writeln!(out, "\nTakes: {}", inline(time));
            }
            if let Some(back) = &step.roll_back {
                _ = writeln!(out, "\nWay back: {}", inline(back));
            }
        }
        Block::Table { head, rows } => {
            let names: Vec<String> = head.iter().map(|(name, _)| inline(name)).collect();
            let rules: Vec<&str> =
                head.iter().map(|(_, number)| if *number { "--:" } else { "---" }).collect();
            _ = writeln!(out, "| {} |\n|{}|", names.join(" | "), rules.join("|"));
            for row in rows {
                let cells: Vec<String> = row.iter().map(cell).collect();
                _ = writeln!(out, "| {} |", cells.join(" | "));
            }
        }
    }
}

fn cell(cell: &Cell) -> String {
    let text = inline(&cell.text);
    match &cell.link {
        Some(link) => format!("[{}]({link})", text.replace('[', "\\[").replace(']', "\\]")),
        None => text,
    }
}

/// Text that stays in its line and cell: names come from caches and files.
fn inline(text: &str) -> String {
    let mut out = String::new();
    for char in text.chars() {
        match char {
            '\\' | '|' | '<' | '*' | '`' => {
                out.push('\\');
                out.push(char);
            }
            char if char.is_control() => out.push(' '),
            char => out.push(char),
        }
    }
    out
}
