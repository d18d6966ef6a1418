//! Error replies of a Redis server: what they are, whether to try again, what a person can do.

mod parse;
mod remedy;
mod retry;

pub use remedy::remedy;
pub use retry::{Retry, retry};

/// What an error reply means, whatever the server's version words it like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplyKind {
    /// The slot lives on another node.
    Moved {
        /// The slot that has moved.
        slot: u16,
        /// `host:port` as the server wrote it. An empty host means the host that answered.
        addr: String,
    },
    /// This key of a migrating slot lives on another node; to be asked there after ASKING.
    Ask {
        /// The slot under migration.
        slot: u16,
        /// `host:port` as the server wrote it. An empty host means the host that answered.
        addr: String,
    },
    /// Keys of a multi-key command are spread over two nodes while their slot migrates.
    TryAgain,
    /// The cluster does not serve the slot.
    ClusterDown,
    /// The server is loading its data set.
    Loading,
    /// A replica has lost its primary and may not serve stale data.
    MasterDown,
    /// A write reached a replica.
    ReadOnly,
    /// The server is at its memory limit and may not evict.
    Oom,
    /// RESTORE without REPLACE met an existing key.
    BusyKey,
    /// The connection is not authenticated.
    NoAuth,
    /// User name, password or token is refused.
    WrongPass,
    /// The user may not run this command, or not on this key.
    NoPerm,
    /// The key holds another type.
    WrongType,
    /// The server does not offer the command or subcommand, or has it blocked.
    UnknownCommand,
    /// The keys of one command do not share a slot.
    CrossSlot,
    /// EXEC was refused because a queued command was.
    ExecAbort,
    /// EVALSHA of a script the server does not hold.
    NoScript,
    /// A script has been running for too long.
    Busy,
    /// Writes are stopped because the server cannot persist.
    MisConf,
    /// Writes are stopped because too few replicas are in sync.
    NoReplicas,
    /// RESTORE refuses the payload's version or checksum.
    BadPayload,
    /// RESTORE accepts the version but cannot read the content.
    BadDataFormat,
    /// The server has no connection left.
    MaxClients,
    /// The database does not exist, or the server has only one.
    DbIndexOutOfRange,
    /// The server does not know the RESP version asked for by HELLO.
    NoProto,
    /// The arguments do not parse.
    SyntaxError,
    /// The number of arguments is wrong.
    WrongArity,
    /// Anything else.
    Other,
}

#[cfg(test)]
mod tests;
