//! Runs what blocks (the database, files, decoding) beside the network's threads.

use std::sync::Arc;

use crate::App;
use crate::error::Refusal;

/// Runs `work` on a thread that may block, and waits for what it returns.
pub(crate) async fn blocking<T, F>(app: &Arc<App>, work: F) -> Result<T, Refusal>
where
    T: Send + 'static,
    F: FnOnce(&App) -> Result<T, Refusal> + Send + 'static,
{
    let app = Arc::clone(app);
    tokio::task::spawn_blocking(move || work(&app))
        .await
        .unwrap_or_else(|_| Err(Refusal::internal("the request could not be worked on")))
}
