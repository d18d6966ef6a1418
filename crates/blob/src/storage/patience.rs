//! When to try again, and when to give up.

use std::time::Duration;

use tokio::time::Instant;

use super::Answer;

/// First and longest wait between two attempts.
const WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// How long to try for the first time. Most often it is a mistyped account, which will not come up meanwhile.
const FIRST_CONTACT: Duration = Duration::from_secs(15);

/// The time since something last moved. However long a transfer takes, only standing still wears patience out.
#[derive(Debug)]
pub(crate) struct Patience {
    give_up: Duration,
    limit: Duration,
    since: Instant,
    wait: Duration,
}

impl Patience {
    pub(super) fn new(give_up: Duration) -> Self {
        Self { give_up, limit: FIRST_CONTACT.min(give_up), since: Instant::now(), wait: WAITS.0 }
    }

    /// Something moved.
    pub(crate) fn progress(&mut self) {
        self.limit = self.give_up;
        self.since = Instant::now();
        self.wait = WAITS.0;
    }

    /// Waits before the next attempt, or hands `answer` back when the time is over.
    pub(crate) async fn wait(&mut self, answer: Answer) -> Result<(), Answer> {
        let left = self.limit.saturating_sub(self.since.elapsed());
        if left.is_zero() {
            return Err(answer);
        }
        tracing::debug!(wait = ?self.wait, %answer, "storage: trying again");
        tokio::time::sleep(answer.asked_wait().unwrap_or(self.wait).min(left)).await;
        self.wait = (self.wait * 2).min(WAITS.1);
        Ok(())
    }
}
