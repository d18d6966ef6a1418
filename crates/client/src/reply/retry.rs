//! What the program does about an error reply.

use super::ReplyKind;

/// The program's next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retry {
    /// Sending it again cannot help, and the cause is not this key: stop.
    Never,
    /// It passes by itself: the same again, later and later.
    Backoff,
    /// Send it to the node that the reply names; after MOVED look at the topology as well.
    Redirect,
    /// The node's role or slots are not what they were: read the topology, then again.
    RefreshTopology,
    /// The server is overloaded: fewer and smaller batches, then again.
    SlowDown,
    /// Report this key as not copied and go on with the others.
    FailKey,
    /// Only a person can lift it: keep the key, say so, and try again now and then.
    AskOperator,
    /// The server does not do it this way: read or write the key another way; without one, fail the key.
    Fallback,
}

/// The next step after an error reply.
pub fn retry(kind: &ReplyKind) -> Retry {
    match kind {
        ReplyKind::Moved { .. } | ReplyKind::Ask { .. } => Retry::Redirect,
        ReplyKind::ClusterDown | ReplyKind::ReadOnly | ReplyKind::MasterDown => Retry::RefreshTopology,
        // EXECABORT heals when the command that was refused in the queue does; that one's own reply says more.
        ReplyKind::TryAgain | ReplyKind::Loading | ReplyKind::NoReplicas | ReplyKind::ExecAbort => {
            Retry::Backoff
        }
        ReplyKind::Busy | ReplyKind::MaxClients => Retry::SlowDown,
        ReplyKind::Oom
        | ReplyKind::NoAuth
        | ReplyKind::WrongPass
        | ReplyKind::NoPerm
        | ReplyKind::MisConf => Retry::AskOperator,
        // WRONGTYPE: the key changed its type since it was looked at.
        ReplyKind::WrongType
        | ReplyKind::UnknownCommand
        | ReplyKind::NoScript
        | ReplyKind::BadPayload
        | ReplyKind::NoProto => Retry::Fallback,
        ReplyKind::BusyKey | ReplyKind::BadDataFormat | ReplyKind::Other => Retry::FailKey,
        ReplyKind::CrossSlot
        | ReplyKind::DbIndexOutOfRange
        | ReplyKind::SyntaxError
        | ReplyKind::WrongArity => Retry::Never,
    }
}
