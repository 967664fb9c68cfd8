//! Whole commands against a GRIN of our own that fails on demand.

#![expect(clippy::unwrap_used, reason = "a test ends with its first error")]

mod collect;
mod enrich;
mod hostile;
mod interop;
mod moving;
mod support;
