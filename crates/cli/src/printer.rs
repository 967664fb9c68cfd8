//! The only place that prints: results to standard output, everything else to standard error.
//!
//! JSON is what serde writes, for any program to read. Lines for people are escaped, since a file's name may hold what
//! a terminal takes for commands. Standard output that cannot be written makes the program fail; standard error that
//! cannot be written is nobody's fault and stops nothing.

mod escape;
mod paint;

use std::fmt::Display;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Stdout, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use run::ExitStatus;
use serde::Serialize;

use crate::args::{Color, Format, Global};
use crate::env;
pub(crate) use crate::printer::escape::printable;
use crate::words::{counted, plural};

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
    /// Whether standard error gets colours.
    colours: bool,
}

/// What made a command impossible, as JSON.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename = "error")]
struct Failure<'a> {
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    exit_code: u8,
}

/// What was written to a file or a folder, as JSON.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename = "written")]
struct Written<'a> {
    what: &'a str,
    count: u64,
    path: &'a Path,
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
            colours: match global.color {
                Color::Always => true,
                Color::Never => false,
                Color::Auto => io::stderr().is_terminal() && !is_plain(),
            },
        }
    }

    /// For tests that print nothing.
    #[cfg(test)]
    pub(crate) fn silent() -> Self {
        Self {
            format: Format::Text,
            volume: Volume::Errors,
            colours: false,
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
        !self.is_json() && self.says(Volume::Normal) && io::stderr().is_terminal() && !is_dumb()
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
                self.say(&format!("error: cannot write JSON: {error}"));
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

    /// How much of what was written to a file or a folder: a note for people, whose result is the file, and an event for machines.
    pub(crate) fn wrote(self, number: impl TryInto<u64>, noun: &str, path: &Path) {
        let number = number.try_into().unwrap_or(u64::MAX);
        let written = Written {
            what: &plural(0, noun),
            count: number,
            path,
        };
        if self.is_json() {
            self.json(&written);
        } else {
            let line = format!("{} written to `{}`", counted(number, noun), path.display());
            self.note(Volume::Normal, &line);
        }
    }

    /// Something said beside the result.
    pub(crate) fn note(self, volume: Volume, line: &str) {
        if self.says(volume) {
            self.say(line);
        }
    }

    /// What a person may do, on a line of its own.
    pub(crate) fn hint(self, volume: Volume, hint: &str) {
        self.note(volume, &format!("hint: {hint}"));
    }

    /// What a person should know and that stops nothing.
    pub(crate) fn warning(self, warning: impl Display) {
        self.note(Volume::Brief, &format!("warning: {warning}"));
    }

    /// Why the command could not run; said even to those who want silence, and to machines as their last line.
    pub(crate) fn error(self, message: &str, hint: Option<&str>) {
        self.say(&format!("error: {message}"));
        if let Some(hint) = hint {
            self.say(&format!("hint: {hint}"));
        }
        if self.is_json() {
            self.json(&Failure {
                message,
                hint,
                exit_code: ExitStatus::CouldNotRun.code(),
            });
        }
    }

    fn say(self, line: &str) {
        let line = printable(line);
        let line = if self.colours {
            paint::painted(&line).into()
        } else {
            line
        };
        // There is no other place to say that this one is full.
        let _ = writeln!(io::stderr().lock(), "{line}");
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
            self.say(&format!("error: cannot write to standard output: {error}"));
        }
    }
}

/// Whether the terminal can do no more than print lines.
fn is_dumb() -> bool {
    std::env::var_os(env::TERM).is_some_and(|term| term == "dumb")
}

/// Whether nothing is to be coloured, as <https://no-color.org> has it, or cannot be.
fn is_plain() -> bool {
    is_dumb()
        || std::env::var_os(env::NO_COLOR).is_some_and(|value| !value.is_empty())
        || !obeys_escapes()
}

/// Whether what reads standard error obeys escape sequences. A console of Windows is asked to, and an old one cannot.
fn obeys_escapes() -> bool {
    !cfg!(windows) || console::Term::stderr().features().colors_supported()
}

/// What is wrong with the arguments, said before there is a printer; whether JSON was wanted is looked for by hand.
pub(crate) fn refuse_arguments(text: &str) {
    say_lines(text);
    let mut arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
    let json = arguments.any(|argument| argument == "--format=json")
        || std::env::args_os()
            .zip(std::env::args_os().skip(1))
            .any(|(option, value)| option == "--format" && value == "json");
    if json {
        // A list, such as of what is missing, has a line for each; what follows an empty line is help.
        let message: Vec<&str> = text
            .lines()
            .take_while(|line| !line.is_empty())
            .map(str::trim)
            .collect();
        let message = message.join(" ");
        let tip = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("tip: "));
        let global = Global {
            format: Format::Json,
            quiet: 0,
            verbose: 0,
            color: Color::Never,
        };
        Printer::new(&global).json(&Failure {
            message: message.trim_start_matches("error: "),
            hint: tip,
            exit_code: ExitStatus::CouldNotRun.code(),
        });
    }
}

/// Text for standard output before there is a printer.
pub(crate) fn put(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush())
}

/// Text of several lines for standard error, whose lines stay lines; all else in it is text.
pub(crate) fn say_lines(text: &str) {
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
