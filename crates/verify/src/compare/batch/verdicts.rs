//! From what was seen of a key to its verdict.

use super::Batch;
use crate::compare::expiry::{Agreement, Expiry, agreement, is_about_to_go};
use crate::compare::lines::Lines;
use crate::compare::look::{End, Look};
use crate::compare::sides::{BOTH, SOURCE};
use crate::digest::{both, part};
use crate::outcome::Kind;
use crate::verdict::{Kinds, State, Verdict};

/// What all looks of a batch came to.
pub(in crate::compare) struct Judged {
    pub(in crate::compare) verdicts: Vec<Verdict>,
    /// The largest error of measurement that an expiry was judged with.
    pub(in crate::compare) bound_us: u64,
}

impl Batch<'_> {
    pub(in crate::compare) fn verdicts(&self, lines: &mut Lines) -> Judged {
        let mut bound_us = 0;
        let verdicts = self.looks.iter().map(|look| self.verdict(look, lines, &mut bound_us)).collect();
        Judged { verdicts, bound_us }
    }

    fn verdict(&self, look: &Look, lines: &mut Lines, bound_us: &mut u64) -> Verdict {
        match look.end {
            Some(End::Gone) => Verdict::Gone,
            Some(End::NotCompared(reason)) => Verdict::NotCompared(reason),
            Some(End::OnlyNotOn(side)) => self.one_sided(look, side, lines),
            Some(End::Judged) => self.judged(look, lines, bound_us),
            // No two of these are alike: it changes.
            Some(End::Torn) | None => {
                let moment = part(&lines.sides.now_us().to_le_bytes());
                let hash = both(moment, both(look.sides[0].digest, u128::from(look.surprises)));
                Verdict::Vague(State { hash, expires_ms: [None, None] })
            }
        }
    }

    fn one_sided(&self, look: &Look, missing_on: usize, lines: &mut Lines) -> Verdict {
        let expiries = expiries(look, lines);
        let state = State { hash: part(&[missing_on as u8]), expires_ms: in_ms(expiries) };
        // It expired on one side a little before the other.
        if is_about_to_go(look.sides[1 - missing_on].pttl_ms, self.demands.tolerance_us) {
            return Verdict::Vague(state);
        }
        let kind = if missing_on == SOURCE { Kind::Extra } else { Kind::Missing };
        Verdict::Differs(Kinds::default().with(kind), state)
    }

    fn judged(&self, look: &Look, lines: &mut Lines, bound_us: &mut u64) -> Verdict {
        let mut kinds = look.finding.kinds;
        let mut is_vague = look.finding.vague;
        *bound_us = look.finding.bound_us.max(*bound_us);
        if BOTH.iter().all(|side| look.sides[*side].pttl_ms == -1) {
            if kinds.is_empty() && !is_vague {
                return Verdict::Equal;
            }
            let state = State { hash: look.finding.hash, expires_ms: [None, None] };
            return if kinds.is_empty() { Verdict::Vague(state) } else { Verdict::Differs(kinds, state) };
        }
        let expiries = expiries(look, lines);
        match agreement(expiries, self.demands.tolerance_us) {
            Agreement::Same(bound) => *bound_us = bound.unwrap_or(0).max(*bound_us),
            Agreement::Other(bound) => {
                *bound_us = bound.unwrap_or(0).max(*bound_us);
                // Another type is another key: nobody expects it to expire like this one.
                if !kinds.contains(Kind::Type) {
                    kinds = kinds.with(Kind::Ttl);
                }
            }
            Agreement::Vague => is_vague = true,
        }
        let state = State { hash: look.finding.hash, expires_ms: in_ms(expiries) };
        match (kinds.is_empty(), is_vague) {
            (false, _) => Verdict::Differs(kinds, state),
            (true, true) => Verdict::Vague(state),
            (true, false) => Verdict::Equal,
        }
    }
}

fn expiries(look: &Look, lines: &mut Lines) -> [Option<Expiry>; 2] {
    BOTH.map(|side| {
        let seen = &look.sides[side];
        let line = lines.line(look.routes[side]);
        let before = line.marks.get(seen.mark as usize)?;
        let after = line.marks.get(seen.mark as usize + 1)?;
        Expiry::of_pttl(seen.pttl_ms, *before, *after, line.clock.as_ref())
    })
}

fn in_ms(expiries: [Option<Expiry>; 2]) -> [Option<i64>; 2] {
    expiries.map(|expiry| expiry.map(|expiry| expiry.at_ms()))
}
