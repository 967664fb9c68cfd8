//! The requests of all processes that work on a run, counted on its server.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use web::Pace;

use crate::catalogue::Catalogue;
use crate::catalogue::server::Server;
use crate::catalogue::store::{Store, Tx};
use crate::error::Error;

/// A place in the line of all requests to GRIN.
#[derive(Debug)]
struct SharedPace {
    server: Server,
    /// Microseconds from one request to the next.
    between: u64,
}

impl Catalogue {
    /// The pace that all processes on this run keep together; none where the run is a file, or there is no limit.
    pub(crate) fn shared_pace(&self, per_second: f64) -> Option<Arc<dyn Pace>> {
        let Store::Server(server) = &self.store else {
            return None;
        };
        (per_second > 0.0).then(|| {
            let pace: Arc<dyn Pace> = Arc::new(SharedPace {
                server: server.clone(),
                between: (1e6 / per_second).ceil() as u64,
            });
            pace
        })
    }
}

impl SharedPace {
    /// Takes the next place; how long it is until then.
    async fn next(&self) -> Result<Duration, Error> {
        let between = self.between;
        let taken = self.server.write(move |tx| {
            Tx::Server(tx).returning(
                "UPDATE accession_pace SET next_at = greatest(next_at, CURRENT_TIMESTAMP)
                     + CAST(?1 AS BIGINT) * INTERVAL '1 microsecond'
                 WHERE service = 'grin'
                 RETURNING CAST(1000000 * extract(epoch FROM next_at - CURRENT_TIMESTAMP) AS BIGINT)",
                &[between.into()],
                |row| row.get::<u64>(0),
            )
        });
        let until = taken.await?.first().copied().unwrap_or_default();
        Ok(Duration::from_micros(until.saturating_sub(between)))
    }
}

impl Pace for SharedPace {
    fn ready(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            match self.next().await {
                Ok(pause) => tokio::time::sleep(pause).await,
                // This process's own pace still holds, and what comes is recorded nowhere until the server is back.
                Err(error) => tracing::warn!("the shared pace is not known: {error}"),
            }
        })
    }
}
