//! What is known of a library's books: the run's database, and every statement that touches it.
//!
//! The tables are an interface that other tools read and write (`sql/schema.sql`). [`open`](Catalogue::open) makes or
//! completes them; `pass` records a pass through the list pages, `record` what was asked about single books, `query`
//! and `rows` read, `sync` is about archives, `stored` counts them, [`claims`] about who brings which, [`check`] looks for
//! contradictions. They say each statement once; `store` runs it on a file of SQLite or on a PostgreSQL server (`server`). No other module of this crate contains SQL.

pub mod check;
pub mod claims;
pub(crate) mod columns;
pub mod copy;
mod open;
mod pace;
pub(crate) mod pass;
pub mod query;
pub(crate) mod record;
#[doc(hidden)]
pub mod rehearse;
pub(crate) mod rows;
mod server;
pub(crate) mod store;
pub mod stored;
pub mod sync;
mod value;

pub use columns::{COLUMNS, Column};
pub use open::{Catalogue, SCHEMA_VERSION};
pub use pass::Pass;
