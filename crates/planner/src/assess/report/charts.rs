//! What the data and the traffic are like, as bars.

use std::collections::BTreeMap;

use super::{Bar, Block};
use crate::assess::{Inventory, Sample, Share, TTL_BANDS};

/// Bars of a chart, at most.
const LONGEST: usize = 12;

pub(super) fn charts(inventory: &Inventory) -> Vec<Block> {
    let Some(live) = &inventory.live else { return Vec::new() };
    let mut charts = Vec::new();
    if let Some(sample) = live.sample.as_ref().filter(|sample| sample.keys > 0) {
        charts.push(by_share("by type", &sample.types, sample));
        charts.push(by_share("by beginning of the name", &sample.prefixes, sample));
        let bars = TTL_BANDS.iter().zip(sample.ttls).map(|(band, keys)| Bar {
            label: (*band).to_owned(),
            value: keys,
            shown: format!("{keys} keys"),
        });
        charts.push(Block::Bars { caption: "Times to live".into(), bars: bars.collect() });
    }
    let mut commands: Vec<(&String, &u64)> = live.commands.iter().collect();
    commands.sort_by_key(|(name, calls)| (std::cmp::Reverse(**calls), *name));
    if !commands.is_empty() {
        let bars = commands.into_iter().take(LONGEST).map(|(name, calls)| Bar {
            label: name.clone(),
            value: *calls,
            shown: format!("{calls} calls"),
        });
        charts.push(Block::Bars { caption: "Commands used most".into(), bars: bars.collect() });
    }
    if !live.slow.is_empty() {
        let bars = live.slow.iter().map(|(name, count)| Bar {
            label: name.clone(),
            value: *count,
            shown: format!("{count} times"),
        });
        charts.push(Block::Bars { caption: "Commands in the slow log".into(), bars: bars.collect() });
    }
    charts
}

/// Memory where it could be asked, else keys.
fn by_share(by: &str, shares: &BTreeMap<String, Share>, sample: &Sample) -> Block {
    let value = |share: &Share| if sample.without_sizes { share.keys } else { share.bytes };
    let mut sorted: Vec<(&String, &Share)> = shares.iter().collect();
    sorted.sort_by_key(|(name, share)| (std::cmp::Reverse(value(share)), *name));
    let bars = sorted.into_iter().take(LONGEST).map(|(name, share)| Bar {
        label: if name.is_empty() { "(others)".into() } else { name.clone() },
        value: value(share),
        shown: if sample.without_sizes {
            format!("{} keys", share.keys)
        } else {
            format!("{}, {} keys", bytes(share.bytes), share.keys)
        },
    });
    let what = if sample.without_sizes { "Keys" } else { "Memory" };
    Block::Bars { caption: format!("{what} {by}"), bars: bars.collect() }
}

fn bytes(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
        _ => format!("{:.2} GiB", bytes as f64 / 1_073_741_824.0),
    }
}
