//! How lanes end, each and all of a round together.

use crate::run::Stop;
use crate::stop::Halt;

/// How a lane came to its end.
#[derive(Debug)]
pub(crate) enum LaneEnd {
    /// Every key that it listed is settled, or has left the node.
    Done,
    /// The node does not own its slots any more, or is gone for good: the cluster has to be asked again.
    NodeLost,
    /// The run cannot go on.
    Halted(Halt),
}

/// How the lanes of one round ended.
#[derive(Debug, Default)]
pub(crate) struct RoundEnd {
    /// A node is lost.
    pub(crate) lost: bool,
    /// Why the run cannot go on.
    pub(crate) halt: Option<Halt>,
}

impl RoundEnd {
    /// One more lane has ended. When it was halted the others are asked to end too; what stopped first is
    /// what the user is told.
    pub(crate) fn add(&mut self, lane: LaneEnd, stop: &Stop) {
        match lane {
            LaneEnd::Done => {}
            LaneEnd::NodeLost => self.lost = true,
            LaneEnd::Halted(why) => {
                stop.ask();
                if matches!(self.halt, None | Some(Halt::Asked)) {
                    self.halt = Some(why);
                }
            }
        }
    }
}
