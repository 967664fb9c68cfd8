//! The only place that prints.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark is there to be read"
)]

/// A result.
pub(crate) fn result(text: &str) {
    println!("{text}");
}

/// What is being done.
pub(crate) fn note(text: &str) {
    eprintln!("{text}");
}
