//! From the line of an error reply to its kind.

use super::ReplyKind;

impl ReplyKind {
    /// Classifies an error reply, given without its `\r\n`, with or without its leading `-`.
    ///
    /// Only the beginning counts: Redis Enterprise and the newer versions put more text behind it
    /// (`CROSSSLOT ... (context='', command=...`).
    pub fn of(line: &[u8]) -> ReplyKind {
        let line = line.strip_prefix(b"-").unwrap_or(line).trim_ascii();
        let (code, text) = split_word(line);
        match code {
            b"MOVED" => match redirection(text) {
                Some((slot, addr)) => ReplyKind::Moved { slot, addr },
                None => ReplyKind::Other,
            },
            b"ASK" => match redirection(text) {
                Some((slot, addr)) => ReplyKind::Ask { slot, addr },
                None => ReplyKind::Other,
            },
            b"TRYAGAIN" => ReplyKind::TryAgain,
            b"CLUSTERDOWN" => ReplyKind::ClusterDown,
            b"LOADING" => ReplyKind::Loading,
            b"MASTERDOWN" => ReplyKind::MasterDown,
            b"READONLY" => ReplyKind::ReadOnly,
            b"OOM" => ReplyKind::Oom,
            b"BUSYKEY" => ReplyKind::BusyKey,
            b"NOAUTH" => ReplyKind::NoAuth,
            b"WRONGPASS" => ReplyKind::WrongPass,
            b"NOPERM" => ReplyKind::NoPerm,
            b"WRONGTYPE" => ReplyKind::WrongType,
            b"CROSSSLOT" => ReplyKind::CrossSlot,
            b"EXECABORT" => ReplyKind::ExecAbort,
            b"NOSCRIPT" => ReplyKind::NoScript,
            b"BUSY" => ReplyKind::Busy,
            b"MISCONF" => ReplyKind::MisConf,
            b"NOREPLICAS" => ReplyKind::NoReplicas,
            b"NOPROTO" => ReplyKind::NoProto,
            b"ERR" => generic(text),
            _ => ReplyKind::Other,
        }
    }
}

/// `ERR` says nothing by itself: the kind is in the first words of the text.
fn generic(text: &[u8]) -> ReplyKind {
    let begins = |with: &str| {
        text.get(..with.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(with.as_bytes()))
    };
    GENERIC.iter().find(|(beginning, _)| begins(beginning)).map_or(ReplyKind::Other, |(_, kind)| kind.clone())
}

/// Beginnings of texts behind `ERR`, of Redis 5 to 7.4 (server.c, networking.c, cluster.c, db.c, acl.c).
const GENERIC: &[(&str, ReplyKind)] = &[
    ("unknown command", ReplyKind::UnknownCommand),
    ("unknown subcommand", ReplyKind::UnknownCommand),
    ("This instance has cluster support disabled", ReplyKind::UnknownCommand),
    ("DUMP payload version or checksum are wrong", ReplyKind::BadPayload),
    ("Bad data format", ReplyKind::BadDataFormat),
    ("max number of clients", ReplyKind::MaxClients),
    ("DB index is out of range", ReplyKind::DbIndexOutOfRange),
    ("invalid DB index", ReplyKind::DbIndexOutOfRange),
    ("SELECT is not allowed in cluster mode", ReplyKind::DbIndexOutOfRange),
    ("syntax error", ReplyKind::SyntaxError),
    ("wrong number of arguments", ReplyKind::WrongArity),
    ("invalid password", ReplyKind::WrongPass),
    ("Client sent AUTH, but no password is set", ReplyKind::WrongPass),
    ("AUTH <password> called without any password", ReplyKind::WrongPass),
];

/// `3999 10.0.0.5:6381`, also `3999 :6381` and `3999 ::1:6381`.
fn redirection(text: &[u8]) -> Option<(u16, String)> {
    const SLOTS: u16 = 16384;
    let (slot, rest) = split_word(text);
    let slot = std::str::from_utf8(slot).ok()?.parse().ok().filter(|&slot| slot < SLOTS)?;
    let addr = std::str::from_utf8(split_word(rest).0).ok()?;
    let (_host, port) = addr.rsplit_once(':')?;
    port.parse::<u16>().ok()?;
    Some((slot, addr.to_owned()))
}

fn split_word(line: &[u8]) -> (&[u8], &[u8]) {
    match line.iter().position(|&byte| byte == b' ') {
        Some(at) => (&line[..at], line[at..].trim_ascii_start()),
        None => (line, b""),
    }
}
