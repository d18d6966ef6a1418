//! What replies say, taken from their tokens.

use client::reply::ReplyKind;
use resp::{Token, Value};

use super::Batch;
use crate::compare::line::{Due, Line, Refusal, Want};
use crate::compare::setback::Setback;
use crate::compare::sides::Sides;
use crate::digest::part;

impl Batch<'_> {
    /// Takes all that has come on a line.
    pub(super) fn take_replies(&mut self, line: &mut Line, sides: &Sides) -> Result<(), Setback> {
        while let Some(due) = line.oldest() {
            let is_complete = match due.want {
                Want::Mark | Want::Whole => self.take_whole(line, due, sides)?,
                _ => self.take_token(line, due)?,
            };
            match is_complete {
                None => return Ok(()),
                Some(false) => continue,
                Some(true) => line.answered(),
            }
            if let Some(look) = self.looks.get_mut(due.look as usize) {
                look.waiting -= 1;
                if look.waiting == 0 {
                    self.ready.push(due.look);
                }
            }
        }
        Ok(())
    }

    /// `None` when more has to come, else whether the reply is complete.
    fn take_whole(&mut self, line: &mut Line, due: Due, sides: &Sides) -> Result<Option<bool>, Setback> {
        let Some(reply) = line.connection.next_value()? else { return Ok(None) };
        if due.want == Want::Mark {
            line.marked(&reply, sides);
            self.marks_due -= 1;
            return Ok(Some(true));
        }
        let look = &mut self.looks[due.look as usize];
        if let Value::Error(text) = &reply {
            look.sides[line.side].refusal = Some(line.refusal(due, text)?);
        } else if let Some(job) = &mut look.job {
            job.whole(line.side, reply).map_err(|_| line.odd(due))?;
        }
        Ok(Some(true))
    }

    #[inline]
    fn take_token(&mut self, line: &mut Line, due: Due) -> Result<Option<bool>, Setback> {
        let Some(token) = line.connection.next_token()? else { return Ok(None) };
        let look = &mut self.looks[due.look as usize];
        let seen = &mut look.sides[line.side];
        match (due.want, &token) {
            (Want::Ttl, Token::Integer(ms)) => seen.pttl_ms = *ms,
            (Want::Beginning, Token::Bulk(range)) => {
                seen.size = range.len() as u64;
                seen.digest = part(line.connection.bytes(range.clone()));
            }
            (Want::Size, Token::Integer(size)) => {
                seen.size = u64::try_from(*size).map_err(|_| line.odd(due))?;
            }
            (Want::Memory, Token::Integer(bytes)) => look.memory = u64::try_from(*bytes).ok(),
            // The key went in the meantime.
            (Want::Memory, Token::Null) => {}
            (Want::Type, Token::Simple(range)) => {
                seen.type_name = Some(line.connection.bytes(range.clone()).into());
            }
            (want, Token::Error(range) | Token::BulkError(range)) => {
                let text = line.connection.bytes(range.clone());
                if want == Want::Memory {
                    *self.memory_usage &= !refuses(text);
                }
                let refusal = line.refusal(due, text)?;
                if want != Want::Memory {
                    // What decides is the gravest of several.
                    let graver = seen.refusal == Some(Refusal::NotAllowed);
                    seen.refusal = if graver { seen.refusal } else { Some(refusal) };
                }
            }
            (Want::Tokens, token) => {
                let range = if let Token::Bulk(range) = token { range.clone() } else { 0..0 };
                if let Some(job) = &mut look.job {
                    let taken = job.token(line.side, token, line.connection.bytes(range));
                    taken.map_err(|_| line.odd(due))?;
                }
            }
            _ => return Err(line.odd(due)),
        }
        Ok(Some(line.connection.at_boundary()))
    }
}

/// Whether the command itself is refused, and not this key: it does not exist, or we may not use it.
fn refuses(text: &[u8]) -> bool {
    match ReplyKind::of(text) {
        ReplyKind::UnknownCommand => true,
        ReplyKind::NoPerm => !text.windows(3).any(|word| word == b"key"),
        _ => false,
    }
}
