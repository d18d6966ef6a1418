//! Looking at suspects again until it is known what they are; and, where that is wanted, repairing them.

use std::time::{Duration, Instant};

use crate::compare::Comparer;
use crate::halt::Halt;
use crate::look;
use crate::outcome::Kind;
use crate::repairer::{RepairWork, Repairer};
use crate::run::{Patience, Run};
use crate::suspects::Judgement;
use crate::verdict::{Pair, Verdict};

/// Pairs in one look.
const BATCH: usize = 1000;

/// Pairs in one repair.
const REPAIRS: usize = 10_000;

/// The wait before the second look; later ones are twice as long each.
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// Looks in a window at least, so that what stands still is seen to.
const LOOKS: u32 = 6;

/// Looks and repairs of a key that still differs after one.
const TRIES: u32 = 3;

/// However many keys differ, they are given so much time.
const SHORTEST_WINDOW: Duration = Duration::from_millis(200);

/// Judges all suspects. With `early`, because there are too many of them, they are given less time from
/// the second time on: so many are not late, they differ.
pub(crate) async fn all(run: &Run, early: bool) -> Result<(), Halt> {
    if run.book().suspects.is_empty() {
        return Ok(());
    }
    let patience = run.verify.options.until_stable;
    let window = match run.book().state.overflows {
        0 => patience,
        overflows => (patience / (1 << overflows.min(16))).max(SHORTEST_WINDOW).min(patience),
    };
    let hurried = window < patience;
    if early {
        run.book().state.overflows += 1;
    }
    let mut eyes = Eyes { run, comparer: run.comparer() };
    eyes.look_for(window).await?;
    let judged = run.book().suspects.judgements(Instant::now(), window / 2);
    for part in judged.chunks(REPAIRS) {
        let repaired = match &run.verify.repairer {
            Some(repairer) => eyes.repair(&**repairer, part).await?,
            None => 0,
        };
        let mut book = run.book();
        let book = &mut *book;
        for (pair, judgement) in part {
            book.suspects.remove(pair);
            book.state.judged.enter(pair, *judgement, run.verify.options.examples);
        }
        let counts = &mut book.state.judged.counts;
        counts.repaired += repaired;
        counts.hurried += if hurried { part.len() as u64 } else { 0 };
        run.progress.set_suspects(book.suspects.len() as u64);
    }
    Ok(())
}

/// Looks at pairs, over the same connections as long as they hold.
struct Eyes<'r> {
    run: &'r Run,
    comparer: Comparer,
}

impl Eyes<'_> {
    /// Looks at all suspects again and again for so long, or until none is left.
    async fn look_for(&mut self, window: Duration) -> Result<(), Halt> {
        if window.is_zero() {
            return self.look_at_the_unclear().await;
        }
        let begin = Instant::now();
        let mut wait = FIRST_WAIT;
        let mut first = true;
        loop {
            let left = window.saturating_sub(begin.elapsed());
            self.run.sleep(wait.min(window / LOOKS).min(left)).await;
            if self.run.is_ending() {
                return Err(Halt::Asked);
            }
            let pairs = self.run.book().suspects.pairs();
            if std::mem::take(&mut first) {
                self.run.book().state.judged.counts.rechecked += pairs.len() as u64;
            }
            self.look_at(&pairs).await?;
            if left.is_zero() || self.run.book().suspects.is_empty() {
                return Ok(());
            }
            wait *= 2;
        }
    }

    /// Without patience only those of which nothing is known are worth another look.
    async fn look_at_the_unclear(&mut self) -> Result<(), Halt> {
        for _ in 0..TRIES {
            let pairs = self.run.book().suspects.unclear();
            self.look_at(&pairs).await?;
        }
        Ok(())
    }

    /// One look at each.
    async fn look_at(&mut self, pairs: &[Pair]) -> Result<(), Halt> {
        for part in pairs.chunks(BATCH) {
            let verdicts = self.verdicts(part).await?;
            let now = Instant::now();
            let mut book = self.run.book();
            for (pair, verdict) in part.iter().zip(verdicts) {
                book.suspects.looked_at(pair, verdict, now, self.run.ttl_play_ms());
            }
            self.run.progress.set_suspects(book.suspects.len() as u64);
        }
        Ok(())
    }

    async fn verdicts(&mut self, pairs: &[Pair]) -> Result<Vec<Verdict>, Halt> {
        let mut patience = Patience::new();
        loop {
            if self.run.is_ending() {
                return Err(Halt::Asked);
            }
            match look::at(&mut self.comparer, pairs).await {
                Ok(verdicts) => {
                    self.run.saw_ttl_error(self.comparer.ttl_error_bound_ms());
                    return Ok(verdicts);
                }
                Err(setback) => self.run.overcome(setback, &mut patience).await?,
            }
            self.comparer = self.run.comparer();
        }
    }

    /// Repairs what can be, and says how many of these are equal then.
    async fn repair(&mut self, repairer: &dyn Repairer, judged: &[(Pair, Judgement)]) -> Result<u64, Halt> {
        let mut left: Vec<(&Pair, bool)> = judged
            .iter()
            .filter_map(|(pair, judgement)| match judgement {
                Judgement::Differs(kinds) if kinds.contains(Kind::Unstable) => None,
                Judgement::Differs(kinds) if kinds.contains(Kind::Extra) => {
                    repairer.deletes().then_some((pair, true))
                }
                Judgement::Differs(_) => Some((pair, false)),
                Judgement::Innocent | Judgement::NotCompared(_) => None,
            })
            .collect();
        let mut repaired = 0;
        for _ in 0..TRIES {
            if left.is_empty() {
                break;
            }
            if let Err(why) = repairer.repair(work_of(&left)).await {
                return Err(if self.run.is_asked_to_stop() { Halt::Asked } else { Halt::Repair(why) });
            }
            let mut still = Vec::new();
            for part in left.chunks(BATCH) {
                let pairs: Vec<Pair> = part.iter().map(|(pair, _)| (*pair).clone()).collect();
                let verdicts = self.verdicts(&pairs).await?;
                let differs = |verdict: &Verdict| !matches!(verdict, Verdict::Equal | Verdict::Gone);
                let differing = part.iter().zip(verdicts).filter(|(_, verdict)| differs(verdict));
                still.extend(differing.map(|(repair, _)| *repair));
            }
            repaired += (left.len() - still.len()) as u64;
            left = still;
        }
        Ok(repaired)
    }
}

/// Pairs to repair, each with whether its key is extra.
fn work_of(pairs: &[(&Pair, bool)]) -> RepairWork {
    let mut work = RepairWork::default();
    for (pair, extra) in pairs {
        if *extra {
            work.delete.push((pair.target_db, pair.name().to_vec()));
        } else {
            work.copy.push((pair.db, pair.key.to_vec()));
        }
    }
    work
}
