//! Decoding the source's replies token by token, as they arrive.

use std::ops::Range;

use client::reply::ReplyKind;
use resp::Token;

/// How far the reply that is due first has been decoded.
#[derive(Debug, Default)]
pub(crate) struct Front {
    step: u8,
    number: i64,
    last_use: Option<i64>,
    fault: Option<(ReplyKind, String)>,
    page: PageBuffer,
    kind: Vec<u8>,
}

/// A page of key names under way.
#[derive(Debug, Default)]
pub(crate) struct PageBuffer {
    pub(crate) cursor: u64,
    pub(crate) bytes: Vec<u8>,
    pub(crate) ends: Vec<u32>,
    left: u64,
}

/// What a complete reply says.
#[derive(Debug)]
pub(crate) enum Reply {
    /// The reply is one number.
    Number(i64),
    /// No such key.
    Nothing,
    /// An error of the server.
    Fault(ReplyKind, String),
    /// TIME, microseconds since 1970.
    Time(u64),
    /// A page of names.
    Page,
    /// Type name and time to live.
    Screen { kind: Vec<u8>, pttl: i64 },
    /// Time to live, idle time or frequency, and where the value lies in the buffer.
    Value { pttl: i64, last_use: Option<i64>, value: Range<usize> },
}

impl Front {
    pub(crate) fn page(&mut self) -> &mut PageBuffer {
        &mut self.page
    }

    /// Nothing of the reply that is due first has been decoded.
    pub(crate) fn is_fresh(&self) -> bool {
        self.step == 0
    }

    /// The replies to MULTI and the queued commands of a value were passed over as `QUEUED`.
    pub(crate) fn skipped(&mut self, with_use: bool) {
        self.step = 3 + u8::from(with_use);
    }

    fn done(&mut self, reply: Reply) -> Option<Reply> {
        self.step = 0;
        self.last_use = None;
        Some(match self.fault.take() {
            Some((kind, text)) => Reply::Fault(kind, text),
            None => reply,
        })
    }

    fn fault(&mut self, text: &[u8]) {
        let kind = ReplyKind::of(text);
        self.fault.get_or_insert_with(|| (kind, String::from_utf8_lossy(text).into_owned()));
    }

    /// One token of a reply that is a single value.
    pub(crate) fn single(&mut self, token: Token, bytes: impl Fn(Range<usize>) -> Vec<u8>) -> Option<Reply> {
        match token {
            Token::Integer(number) => self.done(Reply::Number(number)),
            Token::Error(range) => {
                self.fault(&bytes(range));
                self.done(Reply::Nothing)
            }
            _ => self.done(Reply::Nothing),
        }
    }

    /// One token of the reply to TIME.
    pub(crate) fn time(&mut self, token: Token, bytes: impl Fn(Range<usize>) -> Vec<u8>) -> Option<Reply> {
        match token {
            Token::Error(range) => {
                self.fault(&bytes(range));
                self.done(Reply::Nothing)
            }
            Token::Bulk(range) => {
                let number = parse_number(&bytes(range))?;
                self.step += 1;
                if self.step == 1 {
                    self.number = number;
                    return None;
                }
                let us = self.number.saturating_mul(1_000_000).saturating_add(number);
                self.done(Reply::Time(u64::try_from(us).unwrap_or(0)))
            }
            _ => None,
        }
    }

    /// One token of the reply to SCAN.
    pub(crate) fn scan<'a>(
        &mut self,
        token: Token,
        bytes: impl Fn(Range<usize>) -> &'a [u8],
    ) -> Option<Reply> {
        match token {
            Token::Error(range) => {
                self.fault(bytes(range));
                self.done(Reply::Nothing)
            }
            Token::Array(count) => {
                self.step += 1;
                if self.step == 1 {
                    return None;
                }
                self.page.left = count;
                (count == 0).then(|| self.done(Reply::Page)).flatten()
            }
            Token::Bulk(range) if self.step == 1 => {
                self.page.cursor = parse_unsigned(bytes(range)).unwrap_or(0);
                None
            }
            Token::Bulk(range) => {
                self.page.bytes.extend_from_slice(bytes(range));
                self.page.ends.push(self.page.bytes.len() as u32);
                self.page.left -= 1;
                (self.page.left == 0).then(|| self.done(Reply::Page)).flatten()
            }
            _ => None,
        }
    }

    /// One token of the replies to TYPE and PTTL.
    pub(crate) fn screen(&mut self, token: Token, bytes: impl Fn(Range<usize>) -> Vec<u8>) -> Option<Reply> {
        if let Token::Error(range) = &token {
            self.fault(&bytes(range.clone()));
        }
        self.step += 1;
        if self.step == 1 {
            if let Token::Simple(range) = token {
                self.kind = bytes(range);
            }
            return None;
        }
        let pttl = if let Token::Integer(number) = token { number } else { -2 };
        let kind = std::mem::take(&mut self.kind);
        self.done(Reply::Screen { kind, pttl })
    }

    /// One token of the replies to MULTI, PTTL, (OBJECT,) the value's command and EXEC.
    pub(crate) fn value(
        &mut self,
        token: Token,
        with_use: bool,
        bytes: impl Fn(Range<usize>) -> Vec<u8>,
    ) -> Option<Reply> {
        let queued = 2 + u8::from(with_use);
        // Whichever of idle time and frequency the policy does not keep is an error there, and no loss.
        let optional = with_use && self.step == queued + 3;
        if let Token::Error(range) = &token
            && !optional
        {
            self.fault(&bytes(range.clone()));
        }
        self.step += 1;
        match self.step - 1 {
            step if step <= queued => None,
            // EXEC: an error or nothing ends it, an array goes on.
            step if step == queued + 1 => match token {
                Token::Array(_) => None,
                _ => self.done(Reply::Nothing),
            },
            step if step == queued + 2 => {
                self.number = if let Token::Integer(number) = token { number } else { -2 };
                None
            }
            _ if optional => {
                self.last_use = if let Token::Integer(number) = token { Some(number) } else { None };
                None
            }
            _ => {
                let (pttl, last_use) = (self.number, self.last_use);
                match token {
                    Token::Bulk(value) if pttl != -2 => self.done(Reply::Value { pttl, last_use, value }),
                    _ => self.done(Reply::Nothing),
                }
            }
        }
    }
}

fn parse_number(bytes: &[u8]) -> Option<i64> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

fn parse_unsigned(bytes: &[u8]) -> Option<u64> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}
