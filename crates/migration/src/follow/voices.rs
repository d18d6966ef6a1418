//! Several feeds of one node: while one of them is lost, another one may have heard everything.
//!
//! A feed is known to be lost only some time after it was: a dead connection says nothing. So "the others are heard"
//! is not enough. What a lost feed certainly heard ends with the last proof that it was alive, and another one must have
//! been heard since before that. That other one may be dead too, and nobody knows it yet; when it is found
//! out, it is asked the same about it, so a time that nobody heard is always noticed.

use super::{GapReason, Happened};

/// The feeds of one node, by number. All times are microseconds of the run's clock.
#[derive(Debug)]
pub struct Voices {
    voices: Vec<Option<Voice>>,
    process: Option<String>,
}

#[derive(Debug)]
struct Voice {
    since_us: u64,
    /// It comes from the process that is the node now. What another one tells says nothing about this one.
    counts: bool,
}

impl Voices {
    /// So many feeds, none of which is heard yet.
    pub fn new(feeds: usize) -> Voices {
        Voices { voices: (0..feeds).map(|_| None).collect(), process: None }
    }

    /// A feed is heard; it tells everything that changes after `since_us`. `process` is the run id of who speaks, where
    /// that is told. Returns what that means for the node, if anything.
    pub fn heard(&mut self, voice: usize, since_us: u64, process: Option<String>) -> Option<Happened> {
        let other = self.process.is_some() && process.is_some() && self.process != process;
        if other {
            self.voices.iter_mut().flatten().for_each(|voice| voice.counts = false);
        }
        let first = !self.is_heard();
        self.process = process.clone().or(self.process.take());
        *self.voices.get_mut(voice)? = Some(Voice { since_us, counts: true });
        (first || other).then_some(Happened::FeedHeard { process })
    }

    /// A feed is lost; it certainly told everything that changed before `proven_us`. Returns what that means for the
    /// node, if anything.
    pub fn lost(&mut self, voice: usize, proven_us: u64) -> Option<Happened> {
        let lost = self.voices.get_mut(voice)?.take()?;
        let mut left = self.voices.iter().flatten().filter(|voice| voice.counts).peekable();
        match (lost.counts, left.peek().is_some()) {
            (false, _) => None,
            (true, false) => Some(Happened::FeedLost),
            (true, true) if left.any(|voice| voice.since_us <= proven_us) => None,
            (true, true) => Some(Happened::GapOpened(GapReason::FeedLost)),
        }
    }

    /// Whether the node is heard.
    pub fn is_heard(&self) -> bool {
        self.voices.iter().flatten().any(|voice| voice.counts)
    }

    /// Numbers of the feeds that speak. A change may have been told to a single one of them, so whoever wants to know
    /// everything up to now has to ask all of them.
    pub fn speaking(&self) -> impl Iterator<Item = usize> {
        self.voices.iter().enumerate().filter_map(|(number, voice)| voice.as_ref().map(|_| number))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GAP: Option<Happened> = Some(Happened::GapOpened(GapReason::FeedLost));
    const LOST: Option<Happened> = Some(Happened::FeedLost);

    fn id(process: &str) -> Option<String> {
        Some(process.to_owned())
    }

    fn heard(process: &str) -> Option<Happened> {
        Some(Happened::FeedHeard { process: id(process) })
    }

    fn two() -> Voices {
        let mut voices = Voices::new(2);
        assert!(!voices.is_heard());
        assert_eq!(voices.heard(0, 10, id("a")), heard("a"));
        assert_eq!(voices.heard(1, 11, id("a")), None, "the node is heard already");
        voices
    }

    #[test]
    fn one_feed_is_the_node() {
        let mut voices = Voices::new(1);
        assert_eq!(voices.lost(0, 5), None, "it was never heard");
        assert_eq!(voices.heard(0, 10, None), Some(Happened::FeedHeard { process: None }));
        assert_eq!(voices.lost(0, 20), LOST);
        assert_eq!(voices.heard(0, 30, id("a")), heard("a"));
        assert_eq!(voices.lost(0, 40), LOST);
        assert_eq!(voices.heard(0, 50, id("b")), heard("b"));
    }

    #[test]
    fn one_of_two_may_be_lost_again_and_again() {
        let mut voices = two();
        for (lost_us, round) in (20..).step_by(20).zip(0..6) {
            let voice = round % 2;
            assert_eq!(voices.lost(voice, lost_us), None, "round {round}");
            assert_eq!(voices.speaking().collect::<Vec<_>>(), [1 - voice]);
            assert_eq!(voices.heard(voice, lost_us + 10, id("a")), None);
        }
        assert_eq!(voices.speaking().collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn both_are_lost() {
        let mut voices = two();
        assert_eq!(voices.lost(0, 20), None);
        assert_eq!(voices.lost(1, 21), LOST);
        assert!(!voices.is_heard() && voices.speaking().next().is_none());
        assert_eq!(voices.heard(1, 30, id("a")), heard("a"));
    }

    #[test]
    fn a_feed_that_was_dead_before_the_other_was_back_is_a_gap() {
        let mut voices = two();
        assert_eq!(voices.lost(0, 20), None);
        assert_eq!(voices.heard(0, 30, id("a")), None);
        // Nobody knew it, but from 25 to 30 nobody was heard.
        assert_eq!(voices.lost(1, 25), GAP);
        assert!(voices.is_heard(), "the comparison may begin");
    }

    #[test]
    fn both_were_dead_and_only_one_was_known_to_be() {
        let mut voices = two();
        // Both were dead from 15 on; whoever is noticed first relies on the other.
        assert_eq!(voices.lost(0, 15), None);
        assert_eq!(voices.heard(0, 30, id("a")), None);
        assert_eq!(voices.lost(1, 15), GAP);
    }

    #[test]
    fn another_process_is_told_and_the_feeds_of_the_old_one_count_no_more() {
        let mut voices = two();
        assert_eq!(voices.lost(0, 20), None);
        assert_eq!(voices.heard(0, 30, id("b")), heard("b"));
        assert_eq!(voices.speaking().collect::<Vec<_>>(), [0, 1], "what it tells may still matter");
        assert_eq!(voices.lost(0, 40), LOST, "the other one hears another process");
        assert!(!voices.is_heard());
        assert_eq!(voices.heard(0, 50, id("b")), heard("b"));
        assert_eq!(voices.lost(1, 60), None, "it did not count");
        assert_eq!(voices.heard(1, 70, id("b")), None);
        assert_eq!(voices.lost(0, 80), None);
    }

    #[test]
    fn who_hides_the_process_counts() {
        let mut voices = two();
        assert_eq!(voices.lost(0, 20), None);
        assert_eq!(voices.heard(0, 30, None), None);
        assert_eq!(voices.lost(1, 40), None);
        assert_eq!(voices.heard(1, 50, id("b")), heard("b"), "the process is remembered");
    }

    /// A feed as it is, and as far as it is known.
    #[derive(Debug, Clone, Copy, Default)]
    struct Feed {
        alive: bool,
        thought_alive: bool,
        proven_us: u64,
    }

    proptest! {
        /// Whatever dies and whenever that is noticed: a change that nobody heard is compared in the end.
        #[test]
        fn what_nobody_heard_is_a_gap(steps in proptest::collection::vec((0usize..2, 0u8..4), 1..40)) {
            let mut voices = Voices::new(2);
            let mut feeds = [Feed::default(); 2];
            let mut unheard_us = None;
            // A comparison that begins now finds everything before; `None`: one is due and cannot begin.
            let mut compared_us = None;
            let mut take = |now_us, happened: Option<Happened>| match happened {
                Some(Happened::FeedLost) => compared_us = None,
                Some(_) => compared_us = Some(now_us),
                None => {}
            };
            let closing = [(0, 2), (1, 2), (0, 3), (1, 3)];
            for (now_us, (number, event)) in (1..).zip(steps.into_iter().chain(closing)) {
                if !feeds.iter().any(|feed| feed.alive) {
                    unheard_us = Some(now_us);
                }
                let feed = &mut feeds[number];
                match event {
                    0 if !feed.thought_alive => {
                        *feed = Feed { alive: true, thought_alive: true, proven_us: now_us };
                        take(now_us, voices.heard(number, now_us, id("a")));
                    }
                    1 => feed.alive = false,
                    2 if feed.thought_alive && !feed.alive => {
                        feed.thought_alive = false;
                        take(now_us, voices.lost(number, feed.proven_us));
                    }
                    3 if feed.alive => feed.proven_us = now_us,
                    _ => {}
                }
            }
            prop_assert!(unheard_us <= compared_us || !voices.is_heard(), "{unheard_us:?} {compared_us:?}");
        }
    }
}
