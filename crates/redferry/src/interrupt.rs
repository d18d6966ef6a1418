//! Ctrl-C and SIGTERM: the first asks for a clean end, the second ends at once.

use std::sync::Arc;

use engine::Stop;

/// Listens for the rest of the process's life, and asks for the end by what it returns. The checkpoint of at most a
/// second ago survives the second signal, as it survives any crash.
pub(crate) fn listen() -> Arc<Stop> {
    let stop = Arc::new(Stop::default());
    let asked = Arc::clone(&stop);
    tokio::spawn(async move {
        wait().await;
        tracing::warn!("stopping: finishing what is in flight; once more ends at once");
        asked.ask();
        wait().await;
        std::process::exit(4);
    });
    stop
}

/// The same for work that leaves nothing behind and cannot go on: its end is waited for with this.
pub(crate) async fn asked() {
    wait().await;
}

async fn wait() {
    let mut terminate = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(signal) => signal,
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
            return;
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
