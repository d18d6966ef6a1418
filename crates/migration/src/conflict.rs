//! What to do when a key that is to be written exists on the target already.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The operator's choice for a target that already holds a key of that name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnConflict {
    /// Do not start when the target holds keys. Keys that somebody writes there later are overwritten: a
    /// write of ours whose acknowledgement was lost looks just like them when it is repeated.
    #[default]
    Refuse,
    /// Keep the target's key and count it as skipped.
    Skip,
    /// Overwrite the target's key.
    Replace,
}

impl OnConflict {
    /// The word used on the command line and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            OnConflict::Refuse => "refuse",
            OnConflict::Skip => "skip",
            OnConflict::Replace => "replace",
        }
    }
}

impl fmt::Display for OnConflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is none of the three words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is no way to handle a conflict; use refuse, skip or replace")]
pub struct UnknownConflictChoice {
    given: String,
}

impl FromStr for OnConflict {
    type Err = UnknownConflictChoice;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "refuse" => Ok(OnConflict::Refuse),
            "skip" => Ok(OnConflict::Skip),
            "replace" => Ok(OnConflict::Replace),
            _ => Err(UnknownConflictChoice { given: text.to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_word_for_command_line_report_and_json() {
        for choice in [OnConflict::Refuse, OnConflict::Skip, OnConflict::Replace] {
            assert_eq!(choice.as_str().parse(), Ok(choice));
            assert_eq!(serde_json::to_string(&choice).unwrap(), format!("\"{choice}\""));
        }
        assert_eq!(OnConflict::default(), OnConflict::Refuse);
        let message = "overwrite".parse::<OnConflict>().unwrap_err().to_string();
        assert!(message.contains("overwrite") && message.contains("replace"), "{message}");
    }
}
