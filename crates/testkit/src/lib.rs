//! What the tests and benches of the other crates share: generated audio, files broken in every known way,
//! and tools that watch a program from outside.
//!
//! The crate is a dev-dependency only, and refuses to know the crates it tests: it looks at files, processes and
//! SQLite databases, never at types of the program under test.

#![expect(
    clippy::missing_errors_doc,
    reason = "every error is the file system's or SQLite's, and a test ends with it"
)]

pub mod archives;
pub mod binary;
pub mod broken;
#[cfg(feature = "databases")]
pub mod contend;
pub mod corpus;
pub mod dump;
#[cfg(feature = "databases")]
pub mod grin;
mod http;
pub mod kill;
#[cfg(feature = "databases")]
pub mod library;
#[cfg(feature = "databases")]
pub mod locks;
#[cfg(unix)]
pub mod postgres;
#[cfg(feature = "databases")]
pub mod services;
#[cfg(feature = "stores")]
pub mod stores;
pub mod synth;

pub use binary::{accession_bin, json_events};
