//! The only place that prints: results to standard output, everything else to standard error.
//!
//! JSON is what serde writes, for any program to read. Lines for people are escaped, since a file's name may hold what
//! a terminal takes for commands. Standard output that cannot be written makes the program fail; standard error that
//! cannot be written is nobody's fault and stops nothing.

mod escape;

use std::io::{self, BufWriter, ErrorKind, IsTerminal, Stdout, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use run::ExitStatus;
use serde::Serialize;

use crate::args::{Format, Global};
pub(crate) use crate::printer::escape::printable;

/// Whether some of a result could not be written.
static RESULT_LOST: AtomicBool = AtomicBool::new(false);

/// How much is said besides results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Volume {
    /// Errors only.
    Errors,
    /// What went wrong, and how it ended.
    Brief,
    /// That, and progress.
    Normal,
    /// A line for every file.
    Verbose,
    /// Everything.
    Debug,
}

/// Prints.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Printer {
    format: Format,
    volume: Volume,
}

#[expect(
    clippy::unused_self,
    reason = "whoever prints must have been handed a printer"
)]
impl Printer {
    pub(crate) fn new(global: &Global) -> Self {
        let volume = match (global.quiet, global.verbose) {
            (0, 0) => Volume::Normal,
            (1, _) => Volume::Brief,
            (2.., _) => Volume::Errors,
            (0, 1) => Volume::Verbose,
            (0, _) => Volume::Debug,
        };
        Self {
            format: global.format,
            volume,
        }
    }

    pub(crate) fn is_json(self) -> bool {
        self.format == Format::Json
    }

    pub(crate) fn says(self, volume: Volume) -> bool {
        self.volume >= volume
    }

    /// Whether a bar may be drawn.
    pub(crate) fn may_draw(self) -> bool {
        !self.is_json() && self.says(Volume::Normal) && io::stderr().is_terminal()
    }

    /// A line of a result, for people.
    pub(crate) fn result(self, line: &str) {
        self.put_result(&printable(line));
    }

    /// A result for machines, on one line.
    pub(crate) fn json(self, value: &impl Serialize) {
        match serde_json::to_string(value) {
            // A person who looks at JSON on a terminal gets the same text, with the same meaning.
            Ok(line) if io::stdout().is_terminal() => self.put_result(&escape::json(&line)),
            Ok(line) => self.put_result(&line),
            Err(error) => {
                RESULT_LOST.store(true, Ordering::Relaxed);
                self.error(&format!("error: cannot write JSON: {error}"));
            }
        }
    }

    /// A result for whom it was asked: JSON, or lines of text.
    pub(crate) fn show(self, value: &impl Serialize, text: impl FnOnce() -> Vec<String>) {
        if self.is_json() {
            self.json(value);
        } else {
            for line in text() {
                self.result(&line);
            }
        }
    }

    /// Something said beside the result.
    pub(crate) fn note(self, volume: Volume, line: &str) {
        if self.says(volume) {
            let _ = writeln!(io::stderr().lock(), "{}", printable(line));
        }
    }

    /// What went wrong; said even to those who want silence. Its lines stay lines, all else in it is text.
    pub(crate) fn error(self, text: &str) {
        say_error(text);
    }

    /// Standard output as a whole, for results too long for lines in memory.
    pub(crate) fn stdout() -> BufWriter<Box<dyn Write + Send>> {
        BufWriter::new(data(io::stdout()))
    }

    /// How the program ended, given how the command did: a result that nobody got is a failure.
    pub(crate) fn ended(self, status: ExitStatus) -> ExitStatus {
        match status {
            ExitStatus::Done | ExitStatus::SomeFailed if RESULT_LOST.load(Ordering::Relaxed) => {
                ExitStatus::CouldNotRun
            }
            status => status,
        }
    }

    fn put_result(self, line: &str) {
        let mut out = io::stdout().lock();
        let Err(error) = writeln!(out, "{line}").and_then(|()| out.flush()) else {
            return;
        };
        // A reader that has seen enough, such as `head`, is no reason to complain.
        if error.kind() != ErrorKind::BrokenPipe && !RESULT_LOST.swap(true, Ordering::Relaxed) {
            self.error(&format!("error: cannot write to standard output: {error}"));
        }
    }
}

/// What went wrong before there was a printer.
pub(crate) fn say_error(text: &str) {
    let mut err = io::stderr().lock();
    for line in text.lines() {
        // There is no other place to say that this one is full.
        let _ = writeln!(err, "{}", printable(line));
    }
}

/// Data as it is, but for a terminal as text.
fn data(out: Stdout) -> Box<dyn Write + Send> {
    if out.is_terminal() {
        Box::new(escape::Escaped::new(out))
    } else {
        Box::new(out)
    }
}

/// Standard error for the log: names in it are text, and what cannot be written is let go.
#[derive(Debug)]
pub(crate) struct LogWriter;

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // All at once, so that lines of several threads do not mix.
        let _ = escape::Escaped::new(io::stderr().lock()).write_all(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
