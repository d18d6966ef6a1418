//! What a person does about an error reply.

use super::ReplyKind;

/// One plain sentence for the engineer on call.
pub fn remedy(kind: &ReplyKind) -> &'static str {
    match kind {
        ReplyKind::Moved { .. } => {
            "Nothing to do if it stops within a minute; if it goes on, check that the network lets you reach \
             the node it names."
        }
        ReplyKind::Ask { .. } => {
            "Nothing to do: a slot is moving, which happens while the cache is being scaled."
        }
        ReplyKind::TryAgain => {
            "Nothing to do: a slot is moving; if it goes on, wait until scaling has finished."
        }
        ReplyKind::ClusterDown => {
            "Look at the cache's health in the portal: a shard is failing over or gone, and the run goes on \
             when it is back."
        }
        ReplyKind::Loading => "Wait: the server is loading its data after a restart.",
        ReplyKind::MasterDown => {
            "Wait for the failover to finish; if it does not, look at the cache's health in the portal."
        }
        ReplyKind::ReadOnly => {
            "Wait for the failover to finish; if it goes on, the address is a replica's: use the cache's own \
             host name."
        }
        ReplyKind::Oom => {
            "Scale the target up or delete keys you do not need there; the run goes on by itself when there \
             is memory."
        }
        ReplyKind::BusyKey => {
            "Decide who wins and run again: skip keeps the target's key, replace overwrites it."
        }
        ReplyKind::NoAuth => {
            "Give a password or token for this side, or sign in again if the token has expired."
        }
        ReplyKind::WrongPass => {
            "Check user name and access key: keys may have been regenerated, or access by key may be \
             switched off."
        }
        ReplyKind::NoPerm => {
            "Give this user a data access policy that allows the command and all keys, or use another user."
        }
        ReplyKind::WrongType => "Nothing to do: the key changed its type meanwhile and is read again.",
        ReplyKind::UnknownCommand => {
            "Look in the preflight report for another way: this server does not offer the command."
        }
        ReplyKind::CrossSlot => {
            "Report this as a fault of redferry, together with the report of the run; trying again does not help."
        }
        ReplyKind::ExecAbort => {
            "Look for the error before this one: a command in the transaction was refused."
        }
        ReplyKind::NoScript => "Nothing to do: the script is sent again in full.",
        ReplyKind::Busy => {
            "Find the application's script that does not end; SCRIPT KILL stops it if it has not written."
        }
        ReplyKind::MisConf => {
            "Fix the persistence error that the cache reports: it refuses writes because it cannot save to disk."
        }
        ReplyKind::NoReplicas => {
            "Wait for the replicas to come back; if they do not, look at the cache's health in the portal."
        }
        ReplyKind::BadPayload => {
            "Check that the target is not older than the source; the key is written another way where that \
             is possible."
        }
        ReplyKind::BadDataFormat => {
            "Check that the target has the module that this key's type belongs to, then copy the reported \
             keys again."
        }
        ReplyKind::MaxClients => {
            "Let redferry open fewer connections, or close idle clients: the cache is at its connection limit."
        }
        ReplyKind::DbIndexOutOfRange => {
            "Map the database onto database 0 with a key prefix: clustered and managed caches have only that one."
        }
        ReplyKind::NoProto => {
            "Nothing to do: the connection goes on with RESP2, but changes cannot be followed by client tracking."
        }
        ReplyKind::SyntaxError | ReplyKind::WrongArity => {
            "Report this as a fault of redferry, with both servers' versions; trying again does not help."
        }
        ReplyKind::Other => {
            "Read the server's text; single keys that failed are in the report and can be copied again."
        }
    }
}
