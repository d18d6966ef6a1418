//! What a target's error reply to the write of a key means.

use client::reply::ReplyKind;
use migration::tally::Cause;

use crate::stop::Halt;

/// What follows from an error reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The target has a key of that name.
    HasKey,
    /// Another node has the slot.
    Moved,
    /// Another node is importing the slot.
    Ask {
        /// The slot.
        slot: u16,
        /// `host:port` of that node.
        addr: String,
    },
    /// The same write may work in a moment.
    NotNow {
        /// The layout has to be asked for again.
        relayout: bool,
    },
    /// Every write is refused, not this key's.
    Altogether,
    /// The target does not read this payload: type by type it may.
    Unreadable,
    /// This key is not written.
    Not(Cause),
}

impl Refusal {
    /// What this reply means.
    pub(crate) fn of(kind: &ReplyKind, text: &str) -> Refusal {
        match kind {
            ReplyKind::BusyKey => Refusal::HasKey,
            ReplyKind::Moved { .. } => Refusal::Moved,
            ReplyKind::Ask { slot, addr } => Refusal::Ask { slot: *slot, addr: addr.clone() },
            ReplyKind::TryAgain
            | ReplyKind::Loading
            | ReplyKind::Busy
            | ReplyKind::NoReplicas
            | ReplyKind::MasterDown
            | ReplyKind::ExecAbort => Refusal::NotNow { relayout: false },
            // A failover: the node's role changed under us. A new connection finds the new primary.
            ReplyKind::ClusterDown | ReplyKind::ReadOnly => Refusal::NotNow { relayout: true },
            ReplyKind::Oom | ReplyKind::MisConf | ReplyKind::NoAuth | ReplyKind::WrongPass => {
                Refusal::Altogether
            }
            ReplyKind::NoPerm => Refusal::Not(Cause::TargetForbids),
            ReplyKind::BadPayload | ReplyKind::BadDataFormat | ReplyKind::UnknownCommand => {
                Refusal::Unreadable
            }
            ReplyKind::Other
                if text.contains("invalid bulk length") || text.contains("maximum allowed size") =>
            {
                Refusal::Not(Cause::TooLarge)
            }
            ReplyKind::WrongType
            | ReplyKind::CrossSlot
            | ReplyKind::NoScript
            | ReplyKind::MaxClients
            | ReplyKind::DbIndexOutOfRange
            | ReplyKind::NoProto
            | ReplyKind::SyntaxError
            | ReplyKind::WrongArity
            | ReplyKind::Other => Refusal::Not(Cause::TargetError),
        }
    }
}

/// The end of a run whose target refuses every write.
pub(crate) fn halt(node: String, kind: ReplyKind, text: String) -> Halt {
    match kind {
        ReplyKind::Oom => Halt::TargetFull { node, text },
        kind => Halt::TargetRefuses { node, kind, text },
    }
}
