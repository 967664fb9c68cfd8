//! The only place that prints: results to standard output, everything else to standard error.

use std::borrow::Cow;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, StdoutLock, Write};

use serde::Serialize;

use crate::args::{Format, Global};

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

    /// A line of a result.
    pub(crate) fn result(self, line: &str) {
        put(&mut io::stdout().lock(), &printable(line));
    }

    /// A result for machines, on one line.
    pub(crate) fn json(self, value: &impl Serialize) {
        match serde_json::to_string(value) {
            Ok(line) => self.result(&line),
            Err(error) => self.error(&format!("cannot write JSON: {error}")),
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
            put(&mut io::stderr().lock(), &printable(line));
        }
    }

    /// What went wrong; said even to those who want silence.
    pub(crate) fn error(self, line: &str) {
        put(&mut io::stderr().lock(), line);
    }

    /// Standard output as a whole, for results too long for lines in memory.
    pub(crate) fn stdout() -> BufWriter<StdoutLock<'static>> {
        BufWriter::new(io::stdout().lock())
    }
}

/// A file's name may hold line breaks and what a terminal takes for commands; what is said stays one line of text.
fn printable(line: &str) -> Cow<'_, str> {
    if !line.contains(char::is_control) {
        return Cow::Borrowed(line);
    }
    let escaped = line.chars().flat_map(|c| {
        let control = c.is_control().then(|| c.escape_default());
        let plain = control.is_none().then_some(c);
        control.into_iter().flatten().chain(plain)
    });
    Cow::Owned(escaped.collect())
}

/// A reader that has seen enough, such as `head`, is no reason to complain.
fn put(out: &mut impl Write, line: &str) {
    if let Err(error) = writeln!(out, "{line}").and_then(|()| out.flush())
        && error.kind() != ErrorKind::BrokenPipe
    {
        tracing::warn!("cannot print: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_line_of_text_whatever_a_file_is_called() {
        assert_eq!(printable("雨の駅/01 é.mp3"), "雨の駅/01 é.mp3");
        assert_eq!(printable("a\nb\x1b[31m.mp3"), "a\\nb\\u{1b}[31m.mp3");
    }
}
