//! How code that blocks waits for the network.

use std::future::Future;
use std::path::Path;

use crate::error::Error;

/// Blocks until `work` is done: one thread for the network, others for what blocks.
pub(crate) fn wait<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::file("start work with", Path::new("the network")))?
        .block_on(work)
}
