//! The plan on the terminal.

use std::fmt::Write as _;

use planner::assess::Plan;
use planner::assess::report::{facts, verdict};

use crate::printable::is_invisible;
use crate::report::line;

pub(super) fn of(plan: &Plan) -> String {
    let mut out = String::new();
    line(&mut out, "cache", &plan.name);
    line(&mut out, "verdict", &verdict(plan));
    for finding in &plan.findings {
        _ = writeln!(out, "\n{:>12}  {} ({})", finding.severity.as_str(), finding.title, finding.id);
        line(&mut out, "found", &finding.evidence);
        line(&mut out, "to do", &finding.remedy);
    }
    out.push('\n');
    for (name, value) in facts(plan).into_iter().filter(|(name, _)| name != "guidance") {
        line(&mut out, &name, &value);
    }
    for (index, scored) in plan.strategies.iter().enumerate() {
        let score = if scored.possible { scored.score.to_string() } else { "not possible".into() };
        line(&mut out, if index == 0 { "ways" } else { "" }, &format!("{}: {score}", scored.title));
    }
    for (index, step) in plan.runbook.iter().enumerate() {
        let takes = step.takes.as_ref().map_or(String::new(), |time| format!(" ({time})"));
        let name = if index == 0 { "runbook" } else { "" };
        line(&mut out, name, &format!("{}. {}{takes}", step.number, step.title));
    }
    for note in &plan.notes {
        line(&mut out, "note", note);
    }
    harmless(&out)
}

/// Names come from files and caches: none of them moves the cursor or turns text around.
pub(super) fn harmless(text: &str) -> String {
    let harms = |char: char| char.is_control() && char != '\n' || is_invisible(char);
    text.chars().map(|char| if harms(char) { ' ' } else { char }).collect()
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn names_do_no_harm_to_the_terminal() {
        assert_eq!(harmless("a\x1b[2J\n\u{202e}b größe\n"), "a [2J\n b größe\n");
    }
}
