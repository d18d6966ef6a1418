//! Where the keys of a command are: Redis' key specifications (`db.c` `getKeysUsingKeySpecs`), and for the few
//! commands that these do not describe in full, their own rules ([`parse`](crate::parse)).

use crate::bits::{Access, Flags};
use crate::command::{Command, find};
use crate::parse;

/// No command has keys in more groups (`GEORADIUS`: its key, `STORE`, `STOREDIST`).
const MAX_GROUPS: usize = 3;

/// An argument that is a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPosition {
    /// Among the arguments; the command's name is 0.
    pub index: usize,
    /// What the command does to it.
    pub access: Access,
}

/// Why a command's keys are not known. Nothing may be concluded from it but that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeysError {
    /// Not a command or subcommand of Redis itself.
    UnknownCommand,
    /// The arguments are not what the command asks for; Redis would refuse it too.
    Malformed,
    /// Redis does not say which arguments are keys.
    Undescribed,
}

impl std::fmt::Display for KeysError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::UnknownCommand => "the command is none of Redis' own, so its keys are unknown",
            Self::Malformed => {
                "the arguments do not fit the command, so its keys are unknown; Redis refuses it"
            }
            Self::Undescribed => "Redis does not describe which arguments of the command are keys",
        })
    }
}

impl std::error::Error for KeysError {}

/// The keys of a command line, in the order of its key specifications. Shard channels are none, and neither are
/// keys that the data of others name (`SORT ... BY`, `GET`) or that a script does not declare.
///
/// # Errors
/// The keys are not known; they are never guessed.
pub fn keys<A: AsRef<[u8]>>(argv: &[A]) -> Result<Keys, KeysError> {
    let command = find(argv).ok_or(KeysError::UnknownCommand)?;
    command.keys(argv.len(), |index| argv.get(index).map(AsRef::as_ref).unwrap_or_default())
}

impl Command {
    /// As [`keys`], for a caller that found the command already and does not hold its arguments as a slice.
    /// `argument` is asked for positions below `count` only.
    ///
    /// # Errors
    /// The keys are not known; they are never guessed.
    pub fn keys<'a>(&self, count: usize, argument: impl Fn(usize) -> &'a [u8]) -> Result<Keys, KeysError> {
        if !self.allows(count) {
            return Err(KeysError::Malformed);
        }
        let line = Line { count, argument: &argument };
        if self.flags.contains(Flags::MOVABLEKEYS)
            && let Some(found) = parse::own_rule(self.name, &line)
        {
            return found;
        }
        let mut keys = Keys::default();
        for spec in self.key_specs {
            if spec.access.contains(Access::NOT_KEY) {
                continue;
            }
            if spec.access.contains(Access::INCOMPLETE) {
                return Err(KeysError::Undescribed);
            }
            if let Some(group) = spec.resolve(&line)? {
                keys.add(group)?;
            }
        }
        Ok(keys)
    }
}

/// The arguments of a command.
pub(crate) struct Line<'f, F> {
    pub(crate) count: usize,
    argument: &'f F,
}

impl<'a, F: Fn(usize) -> &'a [u8]> Line<'_, F> {
    pub(crate) fn get(&self, index: usize) -> Option<&'a [u8]> {
        (index < self.count).then(|| (self.argument)(index))
    }

    /// True when the argument is that word, in any case.
    pub(crate) fn is(&self, index: usize, word: &str) -> bool {
        self.get(index).is_some_and(|argument| argument.eq_ignore_ascii_case(word.as_bytes()))
    }
}

/// One rule of a command's `COMMAND` reply. Relative positions and negative ones mean what Redis' documentation of
/// key specifications says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct KeySpec {
    pub(crate) begin: Begin,
    pub(crate) find: Find,
    pub(crate) access: Access,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// At that argument.
    Index(u16),
    /// Behind that word, searched from that argument on (negative: from the end, backwards).
    Keyword(&'static str, i16),
    Unknown,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Find {
    Range { last: i16, step: u16, limit: u16 },
    Count { at: u16, first: u16, step: u16 },
    Unknown,
}

impl KeySpec {
    /// The group of keys, or `None` when the line has none by this rule.
    fn resolve<'a, F: Fn(usize) -> &'a [u8]>(&self, line: &Line<'_, F>) -> Result<Option<Group>, KeysError> {
        let begin = match self.begin {
            Begin::Index(index) => usize::from(index),
            Begin::Keyword(word, from) => match behind_keyword(line, word, from) {
                Some(begin) => begin,
                None => return Ok(None),
            },
            Begin::Unknown => return Err(KeysError::Undescribed),
        };
        let (first, last, step) = match self.find {
            Find::Range { last, step, .. } if last >= 0 => {
                (begin, begin + usize::from(last.unsigned_abs()), step)
            }
            Find::Range { last, step, limit } => {
                let back = usize::from(last.unsigned_abs());
                let end = match limit {
                    0 | 1 => line.count,
                    parts => begin + line.count.saturating_sub(begin) / usize::from(parts),
                };
                (begin, end.checked_sub(back).ok_or(KeysError::Malformed)?, step)
            }
            Find::Count { at, first, step } => {
                let count =
                    line.get(begin + usize::from(at)).and_then(decimal).ok_or(KeysError::Malformed)?;
                if count == 0 {
                    return Ok(None);
                }
                let first = begin + usize::from(first);
                (first, first.saturating_add((count - 1).saturating_mul(usize::from(step))), step)
            }
            Find::Unknown => return Err(KeysError::Undescribed),
        };
        if last < first || last >= line.count {
            return Err(KeysError::Malformed);
        }
        let step = usize::from(step.max(1));
        Ok(Some(Group { first, count: (last - first) / step + 1, step, access: self.access }))
    }
}

fn behind_keyword<'a, F: Fn(usize) -> &'a [u8]>(line: &Line<'_, F>, word: &str, from: i16) -> Option<usize> {
    let distance = usize::from(from.unsigned_abs());
    let found = if from >= 0 {
        (distance..line.count).find(|&index| line.is(index, word))
    } else {
        (1..=line.count.checked_sub(distance)?).rev().find(|&index| line.is(index, word))
    };
    found.map(|index| index + 1)
}

/// A number of keys as Redis reads it: decimal digits.
pub(crate) fn decimal(text: &[u8]) -> Option<usize> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Keys at equal distances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) first: usize,
    pub(crate) count: usize,
    pub(crate) step: usize,
    pub(crate) access: Access,
}

/// The keys of a command line. Takes no memory of its own, however many they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    groups: [Group; MAX_GROUPS],
    used: usize,
}

impl Keys {
    pub(crate) fn of(groups: &[Group]) -> Result<Self, KeysError> {
        let mut keys = Self::default();
        groups.iter().try_for_each(|&group| keys.add(group))?;
        Ok(keys)
    }

    fn add(&mut self, group: Group) -> Result<(), KeysError> {
        // The table's commands fit, which a test holds.
        *self.groups.get_mut(self.used).ok_or(KeysError::Undescribed)? = group;
        self.used += 1;
        Ok(())
    }

    /// The keys one by one. An argument can come twice.
    pub fn iter(&self) -> impl Iterator<Item = KeyPosition> + '_ {
        self.groups[..self.used].iter().flat_map(|group| {
            (0..group.count)
                .map(|nth| KeyPosition { index: group.first + nth * group.step, access: group.access })
        })
    }

    /// The positions alone.
    pub fn indices(&self) -> impl Iterator<Item = usize> + '_ {
        self.iter().map(|key| key.index)
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.groups[..self.used].iter().map(|group| group.count).sum()
    }

    /// True for a command line without keys.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
