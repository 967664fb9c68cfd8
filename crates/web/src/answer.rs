//! What came back, as a stream.

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::error::Error;
use crate::pause::retry_after;

/// A successful answer whose body is still to come.
#[derive(Debug)]
pub struct Answer {
    response: reqwest::Response,
    host: String,
    limits: Limits,
    /// Time spent waiting for its pieces.
    waited: Duration,
    received: u64,
}

/// How slow an answer may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Silence within it.
    pub(crate) idle: Duration,
    /// Time for it as a whole, besides what its bytes may take.
    pub(crate) whole: Duration,
    /// Bytes a second that it must bring once that time is over.
    pub(crate) least_rate: u64,
}

impl Limits {
    /// How long an answer may have taken that has brought `received` bytes.
    fn allowed(&self, received: u64) -> Duration {
        let millis = received.saturating_mul(1_000) / self.least_rate.max(1);
        self.whole.saturating_add(Duration::from_millis(millis))
    }
}

impl Answer {
    pub(crate) fn new(response: reqwest::Response, host: String, limits: Limits) -> Self {
        Self {
            response,
            host,
            limits,
            waited: Duration::ZERO,
            received: 0,
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// A header's value, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// How long `Retry-After` asks to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        retry_after(self.response.headers())
    }

    /// The host that answered.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The next piece of the body, decompressed; `None` at its end.
    ///
    /// # Errors
    ///
    /// [`Error::Silence`] when nothing comes for too long, [`Error::Slow`] when too little has come for the time that the
    /// whole has taken, [`Error::Truncated`] when the body ends early.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let (idle, waiting) = (self.limits.idle, Instant::now());
        match tokio::time::timeout(idle, self.response.chunk()).await {
            Ok(Ok(chunk)) => {
                self.received += chunk.as_ref().map_or(0, Bytes::len) as u64;
                // Time that the reader took between two pieces is not the sender's.
                self.waited += waiting.elapsed();
                if self.waited > self.limits.allowed(self.received) {
                    return Err(Error::Slow {
                        host: self.host.clone(),
                        received: self.received,
                        elapsed: self.waited,
                    });
                }
                Ok(chunk)
            }
            Ok(Err(error)) => Err(Error::Truncated {
                host: self.host.clone(),
                received: self.received,
                reason: crate::error::reason(error),
            }),
            Err(_) => Err(Error::Silence {
                host: self.host.clone(),
                limit: idle,
            }),
        }
    }

    /// The whole body, at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// Those of [`Answer::chunk`], and [`Error::TooLarge`].
    pub async fn bytes(mut self, limit: usize) -> Result<Vec<u8>, Error> {
        let mut all = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            if all.len() + chunk.len() > limit {
                return Err(Error::TooLarge {
                    host: self.host,
                    limit,
                });
            }
            all.extend_from_slice(&chunk);
        }
        Ok(all)
    }
}
