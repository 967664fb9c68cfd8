//! The `books` commands as a user runs them, against a GRIN of our own.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test ends with its first error")]

mod damage;
mod ends;
mod moving;
mod outputs;
mod postgres;
mod secrets;
mod served;
mod settings;
mod stops;
mod support;
mod sync;
mod tokens;
