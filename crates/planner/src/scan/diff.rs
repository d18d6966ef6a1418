//! A unified diff of what fixes do.

use std::collections::BTreeMap;

use super::{Finding, Fix, masked};

/// Lines around a change.
const CONTEXT: usize = 3;

/// What the fixes of a file's findings change in its text, without passwords; empty when there is nothing.
pub fn unified(path: &str, text: &str, findings: &[Finding]) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let fixes: BTreeMap<usize, &Fix> = (findings.iter())
        .filter_map(|finding| Some((finding.line.checked_sub(1)?, finding.fix.as_ref()?)))
        .filter(|(at, _)| *at < lines.len())
        .collect();
    let mut hunks: Vec<std::ops::Range<usize>> = Vec::new();
    for at in fixes.keys() {
        let (begin, end) = (at.saturating_sub(CONTEXT), (at + CONTEXT + 1).min(lines.len()));
        match hunks.last_mut() {
            Some(hunk) if begin <= hunk.end => hunk.end = end,
            _ => hunks.push(begin..end),
        }
    }
    if hunks.is_empty() {
        return String::new();
    }
    let mut diff = format!("--- a/{path}\n+++ b/{path}\n");
    // How much further down a line stands in the new text.
    let mut shift = 0;
    for hunk in hunks {
        let (first, old) = (hunk.start, hunk.len());
        let mut body = String::new();
        let mut new = 0;
        for at in hunk {
            let line = masked(lines[at]);
            match fixes.get(&at) {
                None => {
                    body.push_str(&format!(" {line}\n"));
                    new += 1;
                }
                Some(fix) => {
                    body.push_str(&format!("-{line}\n"));
                    for line in fix.line().lines() {
                        body.push_str(&format!("+{}\n", masked(line)));
                        new += 1;
                    }
                }
            }
        }
        diff.push_str(&format!("@@ -{},{old} +{},{new} @@\n{body}", first + 1, first + 1 + shift));
        shift += new - old;
    }
    diff
}
