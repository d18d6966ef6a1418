//! Keys of RDB files into a cache.
//!
//! One task cuts the file into payloads, another writes them: RESTORE with the file's own bytes wherever the target
//! takes them. Nothing is deleted, keys may be left out, renamed, moved to other databases; and an import goes on
//! where it stopped. The files are read one after the other, each from its beginning: what is done already is passed
//! over without being decoded.

mod loading;
mod look;
mod putting;
mod reading;
mod state;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use client::Endpoint;
use migration::naming::Naming;
use migration::selection::Selection;
use migration::tally::{Cause, Tally};
use rdb::Version;
use rdb::file::Checksum;

use crate::checkpoint::Arguments;
use crate::feed::{Chunks, FeedError};
use crate::guardian;
use crate::options::CopyOptions;
use crate::patience::Patience;
use crate::run::{Abilities, Run, Stop, lock};
use crate::stop::Halt;
use loading::{Loader, PassEnd};
pub use look::{FileLook, look};
pub(crate) use putting::only_new;
pub use state::ImportState;

/// A file that can be opened more than once.
pub trait Origin: Send + Sync + 'static {
    /// Its bytes.
    type Chunks: Chunks + 'static;

    /// Its name, for errors and reports.
    fn name(&self) -> String;

    /// Opens it at its beginning.
    fn open(&self) -> impl Future<Output = Result<Self::Chunks, FeedError>> + Send;
}

/// Everything an import needs to know.
#[derive(Debug)]
pub struct Import<O> {
    /// The files, in the order in which they are imported.
    pub files: Vec<O>,
    /// Where to.
    pub target: Endpoint,
    /// Which keys.
    pub selection: Selection,
    /// Under which names, into which databases. Databases of the files that it does not name are left out.
    pub naming: Naming,
    /// What the target can do.
    pub abilities: Abilities,
    /// The newest RDB version whose payloads the target takes; `None` when it takes no RESTORE.
    pub version: Option<Version>,
    /// Whether the files' functions are loaded.
    pub functions: bool,
    /// How.
    pub options: CopyOptions,
    /// The arguments by which a state file is recognised.
    pub arguments: Arguments,
    /// Keys that the files have, where that is known, for whoever shows progress.
    pub expected: u64,
}

/// What an import came to.
#[derive(Debug)]
pub struct ImportOutcome {
    /// What became of the keys, in this run and the ones it resumed.
    pub total: Tally,
    /// Whether the state of an earlier run was taken up.
    pub resumed: bool,
    /// Time of this run and the ones it resumed.
    pub elapsed: Duration,
    /// Time of this run alone.
    pub elapsed_here: Duration,
    /// Keys imported by this run alone.
    pub copied_here: u64,
    /// Keys by cause, as many as asked for.
    pub examples: BTreeMap<Cause, Vec<Vec<u8>>>,
    /// What this run saw besides keys.
    pub seen: Seen,
    /// Why it ended before it was done.
    pub halt: Option<Halt>,
}

/// What stands in files besides keys and values.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Libraries of functions.
    pub functions: u64,
    /// Those of them that were loaded.
    pub functions_loaded: u64,
    /// Facts that modules keep besides keys, or about keys: passed over.
    pub module_aux: u64,
    /// Streams that lost counters which the target's version has no place for.
    pub stream_facts_lost: u64,
    /// Streams that lost the time when a consumer was last active.
    pub consumer_activity_lost: u64,
    /// What the checksum of each file that was read to its end says.
    pub checksums: Vec<Checksum>,
}

/// An import under way, for whoever shows its progress.
#[derive(Debug, Clone, Default)]
pub struct ImportProgress {
    status: Arc<Mutex<ImportStatus>>,
}

/// Where an import is.
#[derive(Debug, Clone, Default)]
pub struct ImportStatus {
    /// The file that is read.
    pub file: String,
    /// What became of the keys so far, of all files.
    pub total: Tally,
    /// Keys of all files, where that is known.
    pub expected: u64,
    /// Why nothing moves, where that is so.
    pub waiting: Option<String>,
}

impl ImportProgress {
    /// Where it is now.
    pub fn status(&self) -> ImportStatus {
        lock(&self.status).clone()
    }

    fn change(&self, change: impl FnOnce(&mut ImportStatus)) {
        change(&mut lock(&self.status));
    }
}

impl<O: Origin> Import<O> {
    /// Imports until every key is settled, somebody asks to stop, a file cannot be read on or the target cannot be used
    /// any more. The state file is removed after a complete run and kept otherwise.
    ///
    /// # Errors
    /// The state file is unusable, or the target cannot be reached at the very beginning; nothing was written.
    pub async fn run(self, progress: &ImportProgress, stop: Arc<Stop>) -> Result<ImportOutcome, Halt> {
        let began = Instant::now();
        let names: Vec<String> = self.files.iter().map(Origin::name).collect();
        let loaded = ImportState::load(&self.options.state, &self.arguments)?;
        let resumed = loaded.is_some();
        let state = loaded.unwrap_or_else(|| ImportState::new(self.arguments.clone()));
        let copied_before = state.total().copied;
        let layout = self.target.topology().await?;
        let run = Arc::new(Run::new(
            self.options,
            (),
            self.target,
            self.selection,
            self.naming,
            self.abilities,
            layout,
            stop,
            1,
        ));
        progress.change(|status| {
            status.total = state.total();
            status.expected = self.expected;
        });
        let book = Book { state, began, path: run.options.state.clone() };
        let mut loader = Loader::new(Arc::clone(&run), self.version, self.functions, book, progress.clone());
        // Before the first key: whatever ends this run, the next one knows that these keys are its own.
        loader.save()?;
        let halt = {
            let _guards = guardian::watch_targets(&run);
            all_files(&self.files, &names, &mut loader, &run, self.version).await.err()
        };
        let elapsed_here = began.elapsed();
        let elapsed = elapsed_here + Duration::from_millis(loader.book().state.elapsed_ms);
        let halt = match halt {
            None => crate::checkpoint::Checkpoint::remove(&run.options.state).err().map(Halt::from),
            Some(halt) => loader.save().err().map(Halt::from).or(Some(halt)),
        };
        let total = loader.total();
        Ok(ImportOutcome {
            copied_here: total.copied.saturating_sub(copied_before),
            total,
            resumed,
            elapsed,
            elapsed_here,
            examples: run.examples(),
            seen: loader.seen().clone(),
            halt,
        })
    }
}

/// The state of the run, and where it is kept.
#[derive(Debug)]
struct Book {
    state: ImportState,
    began: Instant,
    path: std::path::PathBuf,
}

impl Book {
    fn save(&self) -> Result<(), crate::checkpoint::CheckpointError> {
        let mut state = self.state.clone();
        state.elapsed_ms += self.began.elapsed().as_millis() as u64;
        state.save(&self.path)
    }
}

/// Every file that is not done, each as often as it has to be read.
async fn all_files<O: Origin>(
    files: &[O],
    names: &[String],
    loader: &mut Loader,
    run: &Arc<Run<()>>,
    version: Option<Version>,
) -> Result<(), Halt> {
    while let Some(file) = files.get(loader.book().state.file) {
        let name = &names[loader.book().state.file];
        let mut patience = Patience::new(&run.options, &run.stop);
        let mut done_before = loader.done();
        loop {
            let chunks = file.open().await.map_err(Halt::File)?;
            let skip = loader.done();
            let reading = reading::begin(Arc::clone(run), name.clone(), chunks, skip, version);
            match loader.pass(name, reading).await? {
                PassEnd::Done => break,
                // A large value's pieces were lost with a connection, and only the file has them.
                PassEnd::Again(last) => {
                    if loader.done() > done_before {
                        done_before = loader.done();
                        patience.renew();
                    }
                    patience.wait(client::Side::Target, last).await?;
                    loader.follow_target_patiently().await?;
                }
            }
        }
        loader.file_is_done();
    }
    Ok(())
}
