//! Where a store is.

use crate::kind::Kind;

/// Where a store is, and who asks.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which store.
    pub kind: Kind,
    /// Its address, where it is not the kind's own.
    pub endpoint: Option<String>,
    /// A file with credentials, besides the usual places.
    pub credentials_file: Option<std::path::PathBuf>,
}
