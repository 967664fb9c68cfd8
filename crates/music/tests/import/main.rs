//! Imports through the library: what becomes of rows when files are copied, moved, changed and removed.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it should be"
)]

mod changes;
mod copies;
mod gone;
mod moves;
mod retagged;
mod support;
