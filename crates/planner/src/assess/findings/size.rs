//! Sizes that leave little room, or that cannot be taken back.

use super::super::{Severity, size};
use super::{Finding, Known};

/// Percent of the memory for data from which it is close.
const CLOSE: f64 = 90.0;

pub(super) fn at_the_edge(known: &Known<'_>) -> Option<Finding> {
    let size = known.size?;
    let peak = size.peak_bytes? as f64 / 1e9;
    let percent = peak / size.usable_gb * 100.0;
    let guide = size::sku(known.catalog, size).and_then(|sku| sku.guide);
    // What fits one of the two published sizes and not the other is at the edge, too.
    let disputed = guide.is_some_and(|guide| peak > guide.usable_gb.min(size.usable_gb));
    if percent < CLOSE && !disputed {
        return None;
    }
    let mut evidence =
        format!("{peak:.2} GB at the peak, {} has {} GB for data ({percent:.0} %)", size.sku, size.usable_gb);
    if let Some(guide) = guide.filter(|_| disputed) {
        evidence.push_str(&format!("; the guide says {} GB", guide.usable_gb));
    }
    Some(Finding::new(
        "size_at_the_edge",
        Severity::Warning,
        "The smallest size that fits is nearly full",
        evidence,
        "enough for a cache that evicts; take the next size where writes must never fail or the data grow",
    ))
}

pub(super) fn smaller_than_the_guide(known: &Known<'_>) -> Option<Finding> {
    let size = known.size?;
    let guide = size.guide.as_deref()?;
    let mapped = crate::sku::target(known.catalog, guide).ok()?;
    (size.advertised_gb < mapped.gb).then(|| {
        Finding::new(
            "scaling_down",
            Severity::Note,
            "The use asks for less than the source has: choose the smaller size now",
            format!("{} fits, the guide maps the source to {guide}", size.sku),
            "scaling up is easy later; scaling down works for some sizes only (since November 2025; the guide of May 2026 \
             says not at all)",
        )
    })
}
