//! Compares two Redis caches, every key, both ways, and says what differs.
//!
//! It shares no code with the copying engine but protocol, commands and connections, so that a fault of the
//! engine cannot hide itself. Both sides are only ever read: connections of both take nothing but the closed list
//! of [`client::Read`].
//!
//! [`Verify`] compares everything; [`SpotCheck`] compares keys that somebody names.
//!
//! What the caller brings along: which keys are meant and how they are called ([`Scope`]), how the source is
//! spared ([`Brake`]), and what repairs a key ([`Repairer`]).

mod brake;
mod bytes_as_text;
mod clock;
mod compare;
mod count;
mod digest;
mod guardian;
mod halt;
mod judged;
mod lane;
mod look;
mod meter;
mod options;
mod outcome;
mod page;
mod repairer;
mod rounds;
mod run;
mod scanner;
mod scope;
mod settle;
mod spot_check;
mod state;
mod sums;
mod suspects;
mod verdict;
mod verify;

pub use brake::Brake;
pub use count::{DbTotals, Totals};
pub use halt::Halt;
pub use judged::prefix_of;
pub use options::{Level, Options, Sample};
pub use outcome::{Counts, Example, Kind, LaneStatus, Outcome, PrefixCounts, Progress};
pub use repairer::{RepairWork, Repaired, Repairer};
pub use scope::Scope;
pub use spot_check::{SpotCheck, Spotted};
pub use state::StateError;
pub use verify::{StopAsked, Verify};
