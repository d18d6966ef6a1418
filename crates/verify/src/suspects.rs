//! Keys that seemed to differ, until it is known whether they do.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::bytes_as_text;
use crate::outcome::Kind;
use crate::verdict::{Kinds, Pair, State, Verdict};

/// Bytes that suspects may take, about. Beyond it they are judged before the listing goes on.
const BUDGET: usize = 32 * 1024 * 1024;

/// What one takes besides its names, about.
const OVERHEAD: usize = 256;

/// A key that seemed to differ.
#[derive(Debug, Clone)]
pub(crate) struct Suspect {
    pub(crate) pair: Pair,
    /// What the last look said.
    last: Verdict,
    /// When the first of the latest looks was made that all saw the same; `None` before this process looked.
    unchanged_since: Option<Instant>,
    looks: u32,
}

/// What there is to say about a suspect in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judgement {
    Innocent,
    Differs(Kinds),
    NotCompared(&'static str),
}

/// All of them, each once, by database and name on the target.
#[derive(Debug, Clone, Default)]
pub(crate) struct Suspects {
    by_name: HashMap<(u32, Box<[u8]>), Suspect>,
    bytes: usize,
}

/// How a suspect is kept on disk: it is looked at anew anyway.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    db: u32,
    #[serde(with = "bytes_as_text")]
    key: Vec<u8>,
    target_db: u32,
    #[serde(with = "bytes_as_text")]
    name: Vec<u8>,
    leftover: bool,
}

impl Suspects {
    /// Takes a key up, unless the look says that nothing is wrong with it.
    pub(crate) fn add(&mut self, pair: Pair, verdict: Verdict) {
        if matches!(verdict, Verdict::Equal | Verdict::Gone) {
            return;
        }
        self.insert(Suspect { pair, last: verdict, unchanged_since: None, looks: 1 });
    }

    fn insert(&mut self, suspect: Suspect) {
        let name = (suspect.pair.target_db, suspect.pair.name().into());
        let bytes = bytes(&suspect.pair);
        if self.by_name.insert(name, suspect).is_none() {
            self.bytes += bytes;
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.by_name.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Whether they have to be judged before more are taken up.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes > BUDGET
    }

    /// All of them, to be looked at.
    pub(crate) fn pairs(&self) -> Vec<Pair> {
        self.by_name.values().map(|suspect| suspect.pair.clone()).collect()
    }

    /// A suspect was looked at again. One with which nothing is wrong is one no more.
    pub(crate) fn looked_at(&mut self, pair: &Pair, verdict: Verdict, at: Instant, tolerance_ms: i64) {
        let name = (pair.target_db, Box::from(pair.name()));
        let Some(suspect) = self.by_name.get_mut(&name) else { return };
        if matches!(verdict, Verdict::Equal | Verdict::Gone) {
            self.remove(pair);
            return;
        }
        if !alike(&suspect.last, &verdict, tolerance_ms) || suspect.unchanged_since.is_none() {
            suspect.unchanged_since = Some(at);
        }
        suspect.last = verdict;
        suspect.looks += 1;
    }

    /// Those of which the looks so far say too little.
    pub(crate) fn unclear(&self) -> Vec<Pair> {
        let unclear = self.by_name.values().filter(|suspect| suspect.looks == 0 || suspect.is_vague());
        unclear.map(|suspect| suspect.pair.clone()).collect()
    }

    /// What all of them are. One that stood still for at least that long differs; one that did not is unstable.
    pub(crate) fn judgements(&self, now: Instant, still_for: Duration) -> Vec<(Pair, Judgement)> {
        let judge = |suspect: &Suspect| (suspect.pair.clone(), suspect.judge(now, still_for));
        self.by_name.values().map(judge).collect()
    }

    /// Drops one of them.
    pub(crate) fn remove(&mut self, pair: &Pair) {
        if let Some(suspect) = self.by_name.remove(&(pair.target_db, Box::from(pair.name()))) {
            self.bytes -= bytes(&suspect.pair);
        }
    }

    /// For the state on disk.
    pub(crate) fn records(&self) -> Vec<Record> {
        let record = |Suspect { pair, .. }: &Suspect| Record {
            db: pair.db,
            key: pair.key.to_vec(),
            target_db: pair.target_db,
            name: pair.name().to_vec(),
            leftover: pair.leftover,
        };
        self.by_name.values().map(record).collect()
    }

    /// From the state on disk.
    pub(crate) fn of_records(records: Vec<Record>) -> Suspects {
        let mut suspects = Suspects::default();
        for Record { db, key, target_db, name, leftover } in records {
            let renamed = (name != key).then(|| name.into_boxed_slice());
            let pair = Pair { db, key: key.into_boxed_slice(), target_db, renamed, leftover };
            // Seen by another process: nothing is known of how it was.
            let last = Verdict::Differs(Kinds::default().with(Kind::Unstable), State::default());
            suspects.insert(Suspect { pair, last, unchanged_since: None, looks: 0 });
        }
        suspects
    }
}

impl Suspect {
    fn is_vague(&self) -> bool {
        matches!(self.last, Verdict::Vague(_))
    }

    fn judge(&self, now: Instant, still_for: Duration) -> Judgement {
        let stood_still =
            still_for.is_zero() || self.unchanged_since.is_some_and(|since| now - since >= still_for);
        match self.last {
            Verdict::Equal | Verdict::Gone => Judgement::Innocent,
            Verdict::NotCompared(reason) => Judgement::NotCompared(reason),
            Verdict::Vague(_) if stood_still => Judgement::NotCompared("ttl_measured_too_vaguely"),
            Verdict::Differs(kinds, _) if stood_still => Judgement::Differs(kinds),
            Verdict::Differs(..) | Verdict::Vague(_) => {
                Judgement::Differs(Kinds::default().with(Kind::Unstable))
            }
        }
    }
}

fn bytes(pair: &Pair) -> usize {
    OVERHEAD + 2 * pair.key.len() + pair.name().len()
}

/// Whether nothing changed between two looks.
fn alike(before: &Verdict, now: &Verdict, tolerance_ms: i64) -> bool {
    match (before, now) {
        (Verdict::Differs(kinds, state), Verdict::Differs(kinds_now, state_now)) => {
            kinds == kinds_now && state.is_like(state_now, tolerance_ms)
        }
        (Verdict::Vague(state), Verdict::Vague(state_now)) => state.is_like(state_now, tolerance_ms),
        // As far as anything could be seen, the same as before.
        (Verdict::NotCompared(_), _) | (_, Verdict::NotCompared(_)) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(name: &str) -> Pair {
        Pair { db: 0, key: name.as_bytes().into(), target_db: 0, renamed: None, leftover: false }
    }

    fn differs(kind: Kind, hash: u128) -> Verdict {
        Verdict::Differs(Kinds::default().with(kind), State { hash, expires_ms: [None, None] })
    }

    fn after(looks: &[(u64, Verdict)], window_ms: u64, still_ms: u64) -> Vec<Judgement> {
        let begin = Instant::now();
        let at = |ms: u64| begin + Duration::from_millis(ms);
        let mut suspects = Suspects::default();
        suspects.add(pair("a"), looks[0].1);
        for (ms, verdict) in &looks[1..] {
            suspects.looked_at(&pair("a"), *verdict, at(*ms), 5);
        }
        let judged = suspects.judgements(at(window_ms), Duration::from_millis(still_ms));
        judged.iter().for_each(|(pair, _)| suspects.remove(pair));
        assert_eq!((suspects.len(), suspects.bytes), (0, 0));
        judged.into_iter().map(|(_, judgement)| judgement).collect()
    }

    const UNSTABLE: fn() -> Judgement = || Judgement::Differs(Kinds::default().with(Kind::Unstable));

    #[test]
    fn what_stands_still_differs_and_what_moves_is_unstable() {
        let value = differs(Kind::Value, 1);
        let still = after(&[(0, value), (50, value), (500, value), (1000, value)], 1000, 500);
        assert_eq!(still, [Judgement::Differs(Kinds::default().with(Kind::Value))]);
        let late = after(&[(0, value), (50, value), (600, differs(Kind::Value, 2))], 1000, 500);
        assert_eq!(late, [UNSTABLE()]);
        let back = after(&[(0, value), (50, value), (600, differs(Kind::Value, 2)), (700, value)], 1000, 500);
        assert_eq!(back, [UNSTABLE()]);
    }

    #[test]
    fn one_equal_look_acquits() {
        let value = differs(Kind::Value, 1);
        assert!(after(&[(0, value), (50, Verdict::Equal)], 1000, 500).is_empty());
        assert!(after(&[(0, value), (50, value), (900, Verdict::Gone)], 1000, 500).is_empty());
        assert!(after(&[(0, Verdict::Equal)], 1000, 500).is_empty());
    }

    #[test]
    fn what_is_measured_vaguely_is_told_from_what_moves() {
        let vague = |hash| Verdict::Vague(State { hash, expires_ms: [None, None] });
        let still = after(&[(0, vague(1)), (50, vague(1)), (900, vague(1))], 1000, 500);
        assert_eq!(still, [Judgement::NotCompared("ttl_measured_too_vaguely")]);
        assert_eq!(after(&[(0, vague(1)), (50, vague(2)), (900, vague(3))], 1000, 500), [UNSTABLE()]);
    }

    #[test]
    fn without_patience_the_first_look_counts() {
        assert_eq!(
            after(&[(0, differs(Kind::Missing, 1))], 0, 0),
            [Judgement::Differs(Kinds::default().with(Kind::Missing))]
        );
    }

    #[test]
    fn one_look_is_not_standing_still() {
        let value = differs(Kind::Value, 1);
        assert_eq!(after(&[(0, value)], 1000, 500), [UNSTABLE()]);
        assert_eq!(after(&[(0, value), (999, value)], 1000, 500), [UNSTABLE()]);
    }

    #[test]
    fn a_key_is_kept_once_and_survives_the_disk() {
        let mut suspects = Suspects::default();
        let renamed = Pair { renamed: Some(Box::from(&b"\xff\n"[..])), target_db: 3, ..pair("\u{fc}") };
        for pair in [pair("a"), pair("a"), renamed.clone()] {
            suspects.add(pair, differs(Kind::Value, 1));
        }
        assert_eq!(suspects.len(), 2);
        let text = serde_json::to_string(&suspects.records()).unwrap();
        let again = Suspects::of_records(serde_json::from_str(&text).unwrap());
        assert_eq!((again.len(), again.bytes), (2, suspects.bytes));
        let mut pairs = again.pairs();
        pairs.sort_by_key(|pair| pair.target_db);
        assert_eq!(pairs[1], renamed);
        assert_eq!(again.judgements(Instant::now(), Duration::from_secs(1))[0].1, UNSTABLE());
    }
}
