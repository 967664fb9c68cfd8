//! A run: its directory, settings, lock, log and summary. Other tools know these files, too.

mod config;
mod database;
mod directory;
mod json;
mod lock;
mod log;
mod options;
mod summary;

pub use config::{RunConfig, StorageConfig, StorageKind, SyncConfig, build as build_config};
pub use database::{Access, DatabaseUrl, Place};
pub use directory::{CONFIG, DATABASE, OUTPUT, Run, clean_name, default_name, outputs};
pub use lock::SessionLock;
pub use log::RunLog;
pub use options::RunOptions;
pub use summary::{SUMMARY, Stage, StageResult, record_stage};

pub(crate) use database::{Protection, ServerAddress};
pub(crate) use directory::{JOURNAL, replace};
pub(crate) use json::pretty;
pub(crate) use summary::LARGEST as LARGEST_SUMMARY;
