//! The names of the environment variables that are read, and nothing else.

/// The library's root folder.
pub(crate) const ROOT_FOLDER: &str = "WKMP_ROOT_FOLDER";

/// The library's root folder, by its older name.
pub(crate) const ROOT: &str = "WKMP_ROOT";

/// Where configuration files lie, on Linux.
pub(crate) const XDG_CONFIG_HOME: &str = "XDG_CONFIG_HOME";

/// What is logged, in the syntax of `tracing`'s filters.
pub(crate) const LOG: &str = "ACCESSION_LOG";
