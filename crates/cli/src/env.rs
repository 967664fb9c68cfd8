//! The names of the environment variables that are read, and nothing else.

/// The library's root folder.
pub(crate) const ROOT_FOLDER: &str = "WKMP_ROOT_FOLDER";

/// The library's root folder, by its older name.
pub(crate) const ROOT: &str = "WKMP_ROOT";

/// Where configuration files lie, on Linux.
pub(crate) const XDG_CONFIG_HOME: &str = "XDG_CONFIG_HOME";

/// The key for `AcoustID`.
pub(crate) const ACOUSTID_API_KEY: &str = "WKMP_ACOUSTID_API_KEY";

/// Anything but nothing and `0`: no service on the network is asked by an import.
pub(crate) const OFFLINE: &str = "ACCESSION_OFFLINE";

/// What is logged, in the syntax of `tracing`'s filters.
pub(crate) const LOG: &str = "ACCESSION_LOG";

/// The folder of runs.
pub(crate) const OUTPUT_DIR: &str = "GRIN_OUTPUT_DIR";

/// The folder of logs.
pub(crate) const LOG_DIR: &str = "GRIN_LOG_DIR";

/// Where GRIN is.
pub(crate) const BASE_URL: &str = "GRIN_BASE_URL";

/// Requests in any second.
pub(crate) const RATE_LIMIT: &str = "GRIN_RATE_LIMIT_QPS";

/// Where credential files are.
pub(crate) const CREDENTIALS_DIR: &str = "GRIN_CREDENTIALS_DIR";

/// Where tokens are written, if not there.
pub(crate) const WRITABLE_CREDENTIALS_DIR: &str = "GRIN_WRITABLE_CREDENTIALS_DIR";

/// The port a browser comes back to.
pub(crate) const OAUTH_PORT: &str = "GRIN_OAUTH_PORT";

/// Settings of a run: this, and the setting's name in capitals.
pub(crate) const RUN_PREFIX: &str = "ACCESSION_BOOKS_";
