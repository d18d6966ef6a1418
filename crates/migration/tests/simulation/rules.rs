//! What a live sync must do, each of which can be left out: then some world must go wrong.

/// One thing that a live sync must do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// R1: a key leaves the dirty set before its state is read, so a change after the reading marks it again.
    UnmarksBeforeReading,
    /// R2: one reading of a key at a time.
    ReadsOneAtATime,
    /// R4, R7: keys that only the target has are looked for too.
    ComparesBothWays,
    /// R7: a lost feed is a gap.
    ComparesAfterLostFeed,
    /// R7: a comparison begins when the feed is heard already.
    HearsBeforeComparing,
    /// R8: a null invalidation is a gap.
    HeedsEverything,
    /// R9: the counters tell of what no feed sees.
    CountsTheUnseen,
    /// R9: streams with groups are carried once more before "ready".
    CarriesGroupsOnceMore,
    /// R9: a look at the counters that failed is not a look that found nothing.
    KnowsFailedLooks,
    /// The barrier is two PINGs, the second one sent when the first one is answered.
    PingsTwice,
    /// The answer to an older PING, which only asked for a sign of life, is none of the barrier's.
    TellsPongsApart,
    /// Marks that were given up are a gap.
    RemembersOverflow,
    /// A listing waits for room instead of giving marks up.
    ListsIntoRoom,
    /// A write that the target refused is tried again.
    RetriesRefusedWrites,
    /// What is being read when a comparison begins is read once more.
    RereadsForComparison,
    /// R5: after a crash everything is compared.
    ComparesAfterCrash,
    /// R5: the connections of a crashed process are closed by the target before anything is compared.
    FencesOnTakeover,
    /// So are connections of the same process that were lost, before there are new ones.
    FencesLostConnections,
    /// So are those of a lane that is not needed any more.
    FencesAbandonedLanes,
}

/// All rules, but for the one that is left out.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    pub left_out: Option<Rule>,
}

impl Rules {
    pub fn hold(self, rule: Rule) -> bool {
        self.left_out != Some(rule)
    }
}
