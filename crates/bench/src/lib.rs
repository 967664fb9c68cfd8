//! Measures what the other crates promise; every figure in `BENCHMARKS.md` has its command here.
//!
//! - [`lock`]: three ways to write down an audio file, side by side, under contention.
//! - [`import`]: the whole import against decoding alone, and where its CPU time goes.
//! - [`hear`]: hearing and collecting against importing, and how fast records are collected.
//! - [`scale`]: who works on what, among a thousand workers that fail, in virtual time.
//! - [`rescan`]: importing again with nothing changed.
//! - [`boundaries`]: how right album rips are cut.
//! - [`cuts`]: the same on recordings of every medium, and the fitting of the model that cuts them.
//! - [`identify`](mod@identify): how often identification is right, on a made MusicBrainz.
//! - [`tempo`]: how right tempo and key are, on songs that are made for it and on annotated ones.
//! - [`pages`]: how long a server takes for each page of a large library.
//! - [`outage`]: what a service costs an import that answers too late or never.
//!
//! Every table sets a measurement beside another one of the same run: absolute numbers are those of a machine and a
//! day, ratios are those of the program. Nothing is asserted about time, only about counts.

#![expect(
    clippy::missing_errors_doc,
    reason = "every error is the file system's, SQLite's or a wrong count, and the run ends with it"
)]

pub mod boundaries;
pub mod cli;
pub mod corpus;
pub mod cuts;
pub mod engine;
pub mod hear;
pub mod identify;
pub mod import;
pub mod lock;
pub mod outage;
pub mod pages;
mod printer;
pub mod rescan;
pub mod scale;
pub mod table;
pub mod tempo;
