//! The result of a benchmark in words and numbers.

use clap::ValueEnum;

/// For whom it is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Layout {
    /// For the terminal
    Text,
    /// A table for docs/benchmarks.md
    Markdown,
}

/// Name and value of everything that is printed of one data set.
pub type Cells = Vec<(String, String)>;

/// All data sets, ready to print. All have the same names in the same order.
pub fn of(sets: &[Cells], layout: Layout) -> String {
    let lines: Vec<String> = match layout {
        Layout::Text => {
            let width = sets.iter().flatten().map(|(name, _)| name.len()).max().unwrap_or_default();
            let line = |(name, value): &(String, String)| format!("{name:>width$}  {value}");
            sets.iter().flat_map(|cells| cells.iter().map(line).chain([String::new()])).collect()
        }
        // One column per set: the sets are few and the numbers are many.
        Layout::Markdown => {
            let names = sets.first().into_iter().flatten().map(|(name, _)| name);
            let rule = std::iter::once(format!("|---|{}", "---|".repeat(sets.len())));
            let mut lines: Vec<String> = names
                .enumerate()
                .map(|(line, name)| {
                    let values: Vec<&str> = sets.iter().map(|cells| cells[line].1.as_str()).collect();
                    format!("| {name} | {} |", values.join(" | "))
                })
                .collect();
            lines.splice(lines.len().min(1)..lines.len().min(1), rule);
            lines
        }
    };
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::{Cells, Layout, of};

    #[test]
    fn sets_are_columns_in_markdown_and_blocks_on_the_terminal() {
        let set = |name: &str, keys: &str| -> Cells {
            vec![("set".into(), name.into()), ("keys".into(), keys.into())]
        };
        let sets = [set("a", "1"), set("b", "2")];
        assert_eq!(of(&sets, Layout::Markdown), "| set | a | b |\n|---|---|---|\n| keys | 1 | 2 |");
        assert_eq!(of(&sets, Layout::Text), " set  a\nkeys  1\n\n set  b\nkeys  2\n");
        assert_eq!(of(&[], Layout::Text), "");
    }
}
