//! INFO commandstats.

use std::collections::BTreeMap;

/// Calls of each command, by name in capitals. Redis 7 counts subcommands by themselves (`CONFIG|GET`), Redis 6 does
/// not. Commands that were never called are left out.
pub fn commandstats(text: &str) -> BTreeMap<String, u64> {
    let mut commands = BTreeMap::new();
    for line in text.lines() {
        let Some((name, numbers)) =
            line.trim_end().strip_prefix("cmdstat_").and_then(|line| line.split_once(':'))
        else {
            continue;
        };
        let calls = numbers.split(',').find_map(|pair| pair.strip_prefix("calls=")?.parse::<u64>().ok());
        if let Some(calls) = calls.filter(|calls| *calls > 0) {
            let entry: &mut u64 = commands.entry(name.to_ascii_uppercase()).or_default();
            *entry = entry.saturating_add(calls);
        }
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_both_versions_are_read() {
        let six = commandstats("# Commandstats\r\ncmdstat_get:calls=12,usec=30,usec_per_call=2.50\r\n");
        assert_eq!(six, BTreeMap::from([("GET".to_owned(), 12)]));
        let seven = commandstats(
            "cmdstat_config|get:calls=3,usec=9,usec_per_call=3.00,rejected_calls=0,failed_calls=0\r\n\
             cmdstat_lpop:calls=0,usec=0,usec_per_call=0,rejected_calls=4,failed_calls=0\r\ncmdstat_broken\r\n",
        );
        assert_eq!(seven, BTreeMap::from([("CONFIG|GET".to_owned(), 3)]));
    }
}
