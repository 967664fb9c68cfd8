//! Runs what blocks (the database, files, decoding) beside the network's threads.

use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;

use run::Cancel;
use tokio::sync::mpsc;

use crate::App;
use crate::error::Refusal;

/// Bytes of a file that are in memory at once for a listener. A guess: two seconds of a usual MP3.
const PIECE: usize = 64 << 10;

/// Pieces of some kilobytes that are made before they are asked for. A guess: half a second of sound.
const AHEAD: usize = 16;

/// Whoever takes nothing for so long loses what is made for it, and a player asks for the rest when it goes on: what
/// decodes is for those who listen. A guess.
const STALLED: Duration = Duration::from_secs(5);

/// Asks work to stop when nobody waits for it any more.
#[derive(Debug, Default)]
pub(crate) struct StopWhenDropped(Cancel);

impl StopWhenDropped {
    /// What the work is to look at.
    pub(crate) fn cancel(&self) -> Cancel {
        self.0.clone()
    }
}

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        self.0.request(run::Reason::Asked);
    }
}

/// Runs `work` on a thread that may block, and waits for what it returns.
pub(crate) async fn blocking<T, F>(app: &Arc<App>, work: F) -> Result<T, Refusal>
where
    T: Send + 'static,
    F: FnOnce(&App) -> Result<T, Refusal> + Send + 'static,
{
    let app = Arc::clone(app);
    run_blocking(move || work(&app).map_err(|refused| app.health.note(&app.library, refused))).await
}

/// The same for work that needs nothing of a library.
pub(crate) async fn run_blocking<T, F>(work: F) -> Result<T, Refusal>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, Refusal> + Send + 'static,
{
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(Refusal::internal("the request could not be worked on")))
}

/// Runs `work` on a thread that may block, and waits for nothing; to be called from such a thread, too.
pub(crate) fn beside(work: impl FnOnce() + Send + 'static) {
    drop(tokio::task::spawn_blocking(work));
}

/// The next `length` bytes of a file as a body, read piece by piece as they are asked for.
pub(crate) fn body_of(file: File, length: u64) -> Body {
    let pieces = futures_util::stream::try_unfold((file, length), |(mut file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let size = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let read = tokio::task::spawn_blocking(move || {
            let mut piece = vec![0; size];
            file.read_exact(&mut piece).map(|()| (piece, file))
        });
        let (piece, file) = read.await.map_err(std::io::Error::other)??;
        Ok::<_, std::io::Error>(Some((piece, (file, left - size as u64))))
    });
    Body::from_stream(pieces)
}

/// What `work` hands to the function that it gets, as a body: made as fast as it is taken, and no longer than somebody
/// takes it. Waits for the first bytes, as many as said, or all there are.
///
/// # Errors
///
/// When `work` fails before it has made those.
pub(crate) async fn body_by<F>(first: u64, work: F) -> std::io::Result<Body>
where
    F: FnOnce(&mut dyn FnMut(&[u8]) -> ControlFlow<()>) -> std::io::Result<()> + Send + 'static,
{
    let (sender, mut receiver) = mpsc::channel::<std::io::Result<Vec<u8>>>(AHEAD);
    tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Handle::current();
        let mut take = |piece: &[u8]| {
            let sent = sender.send_timeout(Ok(piece.to_vec()), STALLED);
            match runtime.block_on(sent) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        };
        if let Err(error) = work(&mut take) {
            let _ = sender.blocking_send(Err(error));
        }
    });
    let mut made = Vec::new();
    while (made.len() as u64) < first
        && let Some(piece) = receiver.recv().await
    {
        made.extend(piece?);
    }
    let begun = (Some(made), receiver);
    let pieces = futures_util::stream::unfold(begun, |(made, mut receiver)| async move {
        let piece = match made {
            Some(made) => Ok(made),
            None => receiver.recv().await?,
        };
        Some((piece, (None, receiver)))
    });
    Ok(Body::from_stream(pieces))
}
