use super::*;

const NODE: &str = "cache:6379";

fn after(happened: &[Happened]) -> Follow {
    let mut follow = Follow::default();
    for (now_us, happened) in happened.iter().enumerate() {
        follow.handle(now_us as u64, NODE, happened.clone());
    }
    follow
}

fn heard(process: &str) -> Happened {
    Happened::FeedHeard { process: Some(process.to_owned()) }
}

use Happened::{
    ComparisonBegan, ComparisonEnded, ComparisonFailed, FeedLost, GapOpened, KnownEqual, NodeAppeared,
    NodeLeft,
};

fn followed() -> Vec<Happened> {
    vec![NodeAppeared, heard("a"), ComparisonBegan, ComparisonEnded]
}

#[test]
fn the_snapshot_heals_the_first_gap() {
    assert_eq!(Follow::default().phase(), Phase::Probing);
    assert_eq!(after(&[NodeAppeared]).phase(), Phase::Probing);
    let follow = after(&[NodeAppeared, heard("a")]);
    assert_eq!((follow.phase(), follow.to_compare()), (Phase::Snapshot, vec![NODE]));
    let follow = after(&[NodeAppeared, heard("a"), ComparisonBegan]);
    assert!(follow.to_compare().is_empty(), "one comparison at a time");
    let follow = after(&followed());
    assert_eq!((follow.phase(), follow.open_gaps()), (Phase::Following, 0));
    assert_eq!(follow.gaps()[0].healed_us, Some(3));
}

#[test]
fn a_comparison_that_began_before_the_feed_was_heard_heals_nothing() {
    let follow = after(&[NodeAppeared, ComparisonBegan, heard("a"), ComparisonEnded]);
    assert_eq!((follow.phase(), follow.to_compare()), (Phase::Snapshot, vec![NODE]));
}

#[test]
fn a_gap_during_the_comparison_needs_another_one() {
    let mut happened = vec![NodeAppeared, heard("a"), ComparisonBegan, FeedLost, heard("a"), ComparisonEnded];
    let follow = after(&happened);
    assert_eq!((follow.phase(), follow.open_gaps()), (Phase::Snapshot, 1));
    assert_eq!(follow.to_compare(), [NODE]);
    happened.extend([ComparisonBegan, ComparisonEnded]);
    assert_eq!(after(&happened).phase(), Phase::Following);
}

#[test]
fn every_gap_is_healed_by_a_comparison_and_by_nothing_else() {
    for gap in [
        vec![FeedLost, heard("a")],
        vec![FeedLost, heard("b")],
        vec![heard("b")],
        vec![GapOpened(GapReason::Everything)],
        vec![GapOpened(GapReason::Overflow)],
    ] {
        let mut happened = [followed(), gap].concat();
        assert_eq!(after(&happened).phase(), Phase::Healing, "{happened:?}");
        happened.extend([ComparisonBegan, ComparisonFailed]);
        assert_eq!((after(&happened).phase(), after(&happened).to_compare()), (Phase::Healing, vec![NODE]));
        happened.extend([ComparisonBegan, ComparisonEnded]);
        let follow = after(&happened);
        assert_eq!(follow.phase(), Phase::Following, "{happened:?}");
        assert!(follow.gaps().iter().all(|gap| gap.healed_us.is_some()));
    }
    let lost = after(&[followed(), vec![FeedLost]].concat());
    assert!(lost.to_compare().is_empty() && lost.phase() == Phase::Healing, "not before the feed is heard");
}

#[test]
fn a_node_that_left_holds_nothing_up() {
    let follow = after(&[followed(), vec![FeedLost, NodeLeft]].concat());
    assert_eq!((follow.open_gaps(), follow.phase()), (0, Phase::Probing));
}

#[test]
fn a_cut_over_needs_every_condition() {
    let follow = after(&followed());
    let facts = Facts { dirty: 0, lag_us: 0, quiet: true };
    assert!(conditions(&follow, &facts).iter().all(|condition| condition.met));
    let unmet = |follow: &Follow, facts: Facts| {
        let conditions = conditions(follow, &facts);
        conditions
            .iter()
            .filter(|condition| !condition.met)
            .map(|condition| condition.name)
            .collect::<Vec<_>>()
    };
    assert!(unmet(&follow, Facts { dirty: 3, lag_us: 2_000, ..facts }).is_empty());
    assert_eq!(unmet(&follow, Facts { dirty: 3, lag_us: 2_000_000, ..facts }), ["drained"]);
    assert_eq!(unmet(&follow, Facts { quiet: false, ..facts }), ["quiet"]);
    let gap = after(&[followed(), vec![GapOpened(GapReason::Everything)]].concat());
    assert_eq!(unmet(&gap, facts), ["followed", "no_gaps"]);
}

#[test]
fn what_somebody_else_knows_to_be_equal_is_not_compared() {
    let follow = after(&[NodeAppeared, heard("a"), KnownEqual]);
    assert_eq!((follow.phase(), follow.open_gaps()), (Phase::Following, 0));
    let unheard = after(&[NodeAppeared, KnownEqual]);
    assert_eq!((unheard.phase(), unheard.open_gaps()), (Phase::Probing, 1));
    let interrupted = after(&[NodeAppeared, heard("a"), FeedLost, heard("a"), KnownEqual]);
    assert_eq!((interrupted.phase(), interrupted.open_gaps()), (Phase::Snapshot, 2));
    let flushed = after(&[NodeAppeared, heard("a"), GapOpened(GapReason::Everything), KnownEqual]);
    assert_eq!(flushed.open_gaps(), 2);
}

/// A new reason or phase does not compile before it has its place in these chains.
#[test]
fn the_lists_of_reasons_and_phases_are_complete() {
    let next = |reason: &GapReason| match reason {
        GapReason::Beginning => Some(GapReason::Restart),
        GapReason::Restart => Some(GapReason::FeedLost),
        GapReason::FeedLost => Some(GapReason::OtherProcess),
        GapReason::OtherProcess => Some(GapReason::OtherTarget),
        GapReason::OtherTarget => Some(GapReason::Everything),
        GapReason::Everything => Some(GapReason::Overflow),
        GapReason::Overflow => Some(GapReason::Unseen),
        GapReason::Unseen => None,
    };
    let reasons: Vec<_> = std::iter::successors(Some(GapReason::Beginning), next).collect();
    assert_eq!(reasons, GapReason::ALL);
    let next = |phase: &Phase| match phase {
        Phase::Probing => Some(Phase::Snapshot),
        Phase::Snapshot => Some(Phase::Following),
        Phase::Following => Some(Phase::Healing),
        Phase::Healing => None,
    };
    let phases: Vec<_> = std::iter::successors(Some(Phase::Probing), next).collect();
    assert_eq!(phases, Phase::ALL);
}
