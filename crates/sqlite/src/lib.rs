#![doc = include_str!("../README.md")]
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
pub use crate::db::Db;
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
