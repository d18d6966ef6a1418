//! A whole comparison.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use client::{Endpoint, Side};

use crate::brake::Brake;
use crate::compare::{Setback, Sides};
use crate::halt::Halt;
use crate::options::Options;
use crate::outcome::{Outcome, Progress};
use crate::repairer::Repairer;
use crate::rounds::Rounds;
use crate::run::Run;
use crate::scope::Scope;
use crate::state::State;

/// Says whether somebody wants the run to end.
pub type StopAsked = Arc<dyn Fn() -> bool + Send + Sync>;

/// Everything a comparison needs to know.
#[derive(Debug, Clone)]
pub struct Verify {
    /// One side; a connection to it takes nothing but reads.
    pub source: Endpoint,
    /// The other side; a connection to it takes nothing but reads either.
    pub target: Endpoint,
    /// Which keys.
    pub scope: Arc<dyn Scope>,
    /// How the source is spared.
    pub brake: Arc<dyn Brake>,
    /// What repairs differing keys, if anything does.
    pub repairer: Option<Arc<dyn Repairer>>,
    /// How.
    pub options: Options,
    /// What decides what is compared and how: a state is only taken up by a run with the same.
    pub arguments: BTreeMap<String, String>,
}

impl Verify {
    /// Compares every key, at level quick or full. With a state file it goes on where an earlier run with the same
    /// arguments stopped; the file is removed after a complete run.
    ///
    /// # Errors
    /// The state cannot be used, or a side cannot be used at the very beginning; nothing was compared.
    pub async fn run(self, progress: &Progress, stop: StopAsked) -> Result<Outcome, Halt> {
        let began = Instant::now();
        let loaded = match &self.options.state {
            Some(path) => State::load(path, &self.arguments)?,
            None => None,
        };
        let resumed = loaded.is_some();
        let state = loaded.unwrap_or_else(|| State::new(self.arguments.clone()));
        let sides = Sides::find(&self.source, &self.target, began, self.options.silence).await;
        let sides = sides.map_err(Setback::into_halt)?;
        let run = Arc::new(Run::new(self, progress.clone(), stop, sides, state));
        let mut rounds = Rounds::new(Arc::clone(&run), began);
        let halt = rounds.until_all_is_judged().await.err();
        let halt = match (halt, &run.verify.options.state) {
            (Some(halt), _) => rounds.save().err().or(Some(halt)),
            (None, Some(path)) => State::remove(path).err().map(Halt::from),
            (None, None) => None,
        };
        Ok(outcome(&run, began, resumed, halt))
    }
}

fn outcome(run: &Run, began: Instant, resumed: bool, halt: Option<Halt>) -> Outcome {
    let book = run.book();
    let state = &book.state;
    let mut counts = state.judged.counts.clone();
    for scan in &state.scans {
        match scan.side {
            Side::Source => {
                counts.keys_source += scan.reached.listed;
                counts.keys_compared += scan.reached.compared;
            }
            Side::Target => counts.keys_target += scan.reached.listed,
        }
    }
    let elapsed_here = began.elapsed();
    Outcome {
        counts,
        examples: state.judged.examples.clone(),
        prefixes: state.judged.prefixes(),
        ttl_error_bound_ms: run.ttl_error_bound_ms(&book),
        resumed,
        restarts: state.scans.iter().map(|scan| scan.restarts).sum(),
        elapsed: elapsed_here + Duration::from_millis(state.elapsed_ms),
        elapsed_here,
        halt,
    }
}
