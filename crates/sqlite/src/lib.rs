#![doc = include_str!("../README.md")]
//!
//! ## In short
//!
//! | To | Use |
//! |---|---|
//! | open or create | [`Options`], [`Schema`], [`Options::open`], [`Options::open_read_only`] |
//! | change | [`Db::write`], [`Db::try_write`] and [`Db::write_async`] with a [`Tx`]: `execute`, `returning`, `insert_rows` |
//! | look up | [`Db::read`] with a [`Snapshot`]: `query_row`, `query_optional`, `query_all`, `query_each` |
//! | know the cost | [`Db::report`] |
//! | keep in memory what was read | [`Db::state`] |
//! | stop soon | [`Db::hurry_when`] |
//! | care | [`Db::check`], [`Db::backup`], [`Db::close`] |
#![expect(
    clippy::missing_errors_doc,
    reason = "there is one error type, and its variants say when they happen"
)]

mod backup;
mod check;
mod connect;
mod create;
mod db;
mod error;
mod foreign;
mod gate;
mod home;
mod inside;
mod log;
mod open;
mod options;
mod patience;
mod readers;
mod report;
mod restore;
mod schema;
mod settings;
mod snapshot;
mod tx;
mod writer;

pub use rusqlite::Result as RowResult;
pub use rusqlite::{Params, Row, ToSql, params, params_from_iter, types};

pub use crate::check::{CheckReport, Orphan};
pub use crate::db::{Db, State};
pub use crate::error::Error;
pub use crate::foreign::Foreign;
pub use crate::gate::Pending;
pub use crate::options::Options;
pub use crate::report::{LabelReport, Spread, WriteReport};
pub use crate::restore::{Restore, Restored};
pub use crate::schema::{Column, Migration, Newer, Schema, Warning};
pub use crate::settings::{Synchronous, Tuning};
pub use crate::snapshot::Snapshot;
pub use crate::tx::Tx;

/// The version of `SQLite` that is linked in, such as `3.51.1`.
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}
