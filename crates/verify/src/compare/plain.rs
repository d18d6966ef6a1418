//! One question about each key, without judging the answers.

use client::Read;
use resp::Value;

use super::drive::Work;
use super::line::{Line, Refusal, Want};
use super::lines::Lines;
use super::setback::Setback;
use super::sides::Sides;

pub(super) struct Plain {
    answers: Vec<Option<Value>>,
    left: usize,
}

impl Plain {
    /// For so many keys.
    pub(super) fn new(keys: usize) -> Plain {
        Plain { answers: vec![None; keys], left: keys }
    }

    /// Asks about the key of that position.
    pub(super) fn ask(line: &mut Line, key: u32, read: Read<'_>) {
        line.push(key, Want::Whole, read);
    }

    /// `None` where the server would not answer.
    pub(super) fn answers(self) -> Vec<Option<Value>> {
        self.answers
    }
}

impl Work for Plain {
    fn digest(&mut self, line: &mut Line, _sides: &Sides) -> Result<(), Setback> {
        while let Some(due) = line.oldest() {
            let Some(reply) = line.connection.next_value()? else { return Ok(()) };
            match &reply {
                Value::Error(text) => match line.refusal(due, text)? {
                    Refusal::NotAllowed | Refusal::Other => {}
                    Refusal::WrongType | Refusal::Vanished => return Err(line.odd(due)),
                },
                Value::Integer(_) | Value::Simple(_) => self.answers[due.look as usize] = Some(reply),
                _ => return Err(line.odd(due)),
            }
            line.answered();
            self.left -= 1;
        }
        Ok(())
    }

    fn go_on(&mut self, _lines: &mut Lines) {}

    fn is_done(&self) -> bool {
        self.left == 0
    }
}
