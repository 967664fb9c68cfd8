//! What the tests and benches of the other crates share: generated audio, files broken in every known way,
//! and tools that watch a program from outside.
//!
//! The crate is a dev-dependency only, and refuses to know the crates it tests: it looks at files, processes and
//! SQLite databases, never at types of the program under test.

pub mod corpus;
pub mod synth;
