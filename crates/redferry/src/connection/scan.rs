//! `redferry connection scan`: what a move changes in the sources of an application.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use planner::scan::{Finding, Scanner, unified};
use serde_json::json;

use super::fix;
use super::tree::{Skipped, Tree};
use crate::args::ScanArgs;
use crate::exit::{Code, Exit};
use crate::plan;
use crate::printable::{escaped, printable};

/// What a source tree says.
#[derive(Debug, Default)]
pub(crate) struct Scanned {
    /// By file and line; files as paths below the folder.
    pub(crate) findings: Vec<Finding>,
    pub(crate) files_read: u64,
    pub(crate) skipped: Skipped,
    /// What could be rewritten.
    pub(super) fixable: Vec<Fixable>,
}

/// A file that could be rewritten.
#[derive(Debug)]
pub(super) struct Fixable {
    pub(super) path: PathBuf,
    /// As findings name it.
    pub(super) name: String,
    pub(super) diff: String,
    /// Of the text that the diff is of.
    pub(super) fingerprint: u64,
}

/// Looks through a folder, or one file. Files larger than `largest` bytes are skipped.
///
/// # Errors
/// The folder cannot be read.
pub(crate) fn folder(root: &Path, scanner: &Scanner, largest: u64) -> Result<Scanned, Exit> {
    let mut scanned = Scanned::default();
    let mut tree = Tree::new(root, largest);
    tree.walk(|path, text| {
        scanned.files_read += 1;
        let name = match path.strip_prefix(root) {
            Ok(below) if !below.as_os_str().is_empty() => below,
            _ => path,
        };
        let name = name.to_string_lossy().into_owned();
        let findings = scanner.text(&name, text);
        let diff = unified(&name, text, &findings);
        if !diff.is_empty() {
            let fingerprint = fix::fingerprint(text);
            scanned.fixable.push(Fixable { path: path.to_owned(), name, diff, fingerprint });
        }
        scanned.findings.extend(findings);
    })
    .map_err(|error| Exit::usage(format!("{}: {error}", root.display())))?;
    scanned.skipped = tree.skipped;
    Ok(scanned)
}

pub(super) fn run(args: &ScanArgs) -> Result<Exit, Exit> {
    let catalog = plan::catalog(&args.catalog)?;
    let scanner = Scanner::new(&args.new.wish(), &catalog).map_err(|error| Exit::usage(error.to_string()))?;
    let largest = args.max_file.get();
    let scanned = folder(&args.folder, &scanner, largest)?;
    let diff: String = scanned.fixable.iter().map(|file| file.diff.as_str()).collect();
    let mut text = lines(&scanned);
    let mut done = fix::Done::default();
    if args.fix {
        let files = scanned.fixable.len();
        let asks = files > 0 && !args.yes && fix::can_ask();
        // Whoever is asked has seen it, on the same terminal.
        if !asks || !io::stdout().is_terminal() {
            text.push_str(&diff);
        }
        if files > 0 && (args.yes || (asks && fix::agreed(&diff, files))) {
            done = fix::write(&scanned.fixable, &scanner, largest);
        }
        text.push_str(&fix::account(&scanned.fixable, &done, &args.new));
    }
    let left =
        scanned.findings.iter().any(|finding| finding.fix.is_none() || !done.written.contains(&finding.file));
    let document = json!({
        "findings": scanned.findings,
        "files_read": scanned.files_read,
        "files_skipped": scanned.skipped.files(),
        "skipped": scanned.skipped,
        "diff": args.fix.then_some(diff),
        "written": done.written,
    });
    let code = if left { Code::Differences } else { Code::Equal };
    let exit = Exit::new(code, document, text);
    Ok(match done.failed.is_empty() {
        true => exit,
        false => exit.with_error(done.failed.join("\nredferry: ")),
    })
}

fn lines(scanned: &Scanned) -> String {
    let mut text = String::new();
    for finding in &scanned.findings {
        let file = printable(finding.file.as_bytes());
        let what = escaped(finding.text.as_bytes());
        let Finding { line, id, remedy, .. } = finding;
        text.push_str(&format!("{file}:{line}: {what} [{id}]\n    -> {remedy}\n"));
    }
    let Skipped { binary, not_utf8, too_large, unreadable, folders } = scanned.skipped;
    text.push_str(&format!(
        "{} findings in {} files; skipped: {binary} binary, {not_utf8} not UTF-8, {too_large} too large, {unreadable} \
         unreadable, {folders} folders of others\n",
        scanned.findings.len(),
        scanned.files_read
    ));
    text
}
