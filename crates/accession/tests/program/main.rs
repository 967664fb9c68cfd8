//! The program from outside: arguments, files, signals, other processes, and what comes out.
//!
//! Everything goes through the built binary and looks at the database by SQL, so that a test knows no more than a
//! user or another program does.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails where something is not as it should be, and says when it cannot look"
)]

mod adopt;
mod backup;
mod beside;
mod bundle;
mod collection;
mod copies;
mod door;
mod edits;
#[cfg(target_os = "linux")]
mod engines;
mod flavor;
mod formats;
mod heard;
mod hearing;
mod heirs;
mod identify;
mod killed;
mod locked;
mod moved;
mod names;
mod odd;
mod output;
mod places;
mod real;
mod said;
mod same_audio;
mod serve;
mod settings;
mod soak;
mod special;
mod stopped;
mod stored;
mod support;
mod tags;
mod undone;
mod wkmp;
mod zoo;
