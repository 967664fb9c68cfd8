//! What came back, as a stream.

use std::time::Duration;

use bytes::Bytes;

use crate::error::Error;

/// A successful answer whose body is still to come.
#[derive(Debug)]
pub struct Answer {
    response: reqwest::Response,
    host: String,
    idle_limit: Duration,
    received: u64,
}

impl Answer {
    pub(crate) fn new(response: reqwest::Response, host: String, idle_limit: Duration) -> Self {
        Self {
            response,
            host,
            idle_limit,
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

    /// The host that answered.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The next piece of the body, decompressed; `None` at its end.
    ///
    /// # Errors
    ///
    /// [`Error::Silence`] when nothing comes for too long, [`Error::Truncated`] when the body ends early.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        match tokio::time::timeout(self.idle_limit, self.response.chunk()).await {
            Ok(Ok(chunk)) => {
                self.received += chunk.as_ref().map_or(0, Bytes::len) as u64;
                Ok(chunk)
            }
            Ok(Err(error)) => Err(Error::Truncated {
                host: self.host.clone(),
                received: self.received,
                reason: crate::client::reason(error),
            }),
            Err(_) => Err(Error::Silence {
                host: self.host.clone(),
                limit: self.idle_limit,
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
