//! The `books` commands as a user runs them, against a GRIN of our own.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test ends with its first error")]

mod ends;
mod secrets;
mod settings;
mod support;
mod sync;
