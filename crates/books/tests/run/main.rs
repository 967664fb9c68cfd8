//! Whole commands against a GRIN of our own that fails on demand.

mod collect;
mod enrich;
mod interop;
mod support;
