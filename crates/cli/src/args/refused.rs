//! Arguments that are none, in other words than the parser's where it says less than it could.

use std::ffi::{OsStr, OsString};
use std::num::{IntErrorKind, ParseFloatError, ParseIntError};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgAction, Command, Error};
use run::nearest;

use crate::args::command;

/// What is wrong with the arguments of this program.
pub(crate) fn explain(said: Error) -> String {
    in_words(said, &command(), std::env::args_os().skip(1))
}

fn in_words(mut said: Error, command: &Command, words: impl Iterator<Item = OsString>) -> String {
    suggest(&mut said, command, words);
    let mut text = said.render().to_string();
    if let Some((theirs, ours)) = number(&said) {
        text = text.replacen(&theirs, ours, 1);
    }
    if let Some((theirs, ours)) = conflict(&said) {
        text = text.replacen(&theirs, &ours, 1);
    }
    // What may be given twice has dots behind its name, which nobody types.
    let counted = command
        .get_arguments()
        .filter(|argument| matches!(argument.get_action(), ArgAction::Count));
    for name in counted.filter_map(clap::Arg::get_long) {
        text = text.replace(&format!("--{name}..."), &format!("--{name}"));
    }
    text
}

/// The command that is meant, where the parser looks for none: behind `help`.
fn suggest(said: &mut Error, command: &Command, words: impl Iterator<Item = OsString>) {
    let is_told = said.get(ContextKind::SuggestedSubcommand).is_some();
    let Some(ContextValue::String(unknown)) = said.get(ContextKind::InvalidSubcommand) else {
        return;
    };
    let unknown = unknown.clone();
    let mut here = command;
    for word in words.take_while(|word| word != OsStr::new(&unknown)) {
        here = here.find_subcommand(&word).unwrap_or(here);
    }
    let below = here.get_subcommands().filter(|below| !below.is_hide_set());
    let meant = nearest(&unknown, below.map(Command::get_name));
    if let (false, Some(meant)) = (is_told, meant) {
        let meant = ContextValue::Strings(vec![meant.to_owned()]);
        said.insert(ContextKind::SuggestedSubcommand, meant);
    }
}

/// What the parser says of two options that exclude each other, and what is expected.
fn conflict(said: &Error) -> Option<(String, String)> {
    if said.kind() != ErrorKind::ArgumentConflict {
        return None;
    }
    let text = |kind| match said.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let one = text(ContextKind::InvalidArg)?;
    let other = text(ContextKind::PriorArg).filter(|other| *other != one)?;
    Some((
        format!("the argument '{one}' cannot be used with '{other}'"),
        format!("'{one}' and '{other}' exclude each other, expected one of them"),
    ))
}

/// What the standard library says of a number that is none, and what was expected.
fn number(said: &Error) -> Option<(String, &'static str)> {
    let source = std::error::Error::source(said)?;
    let integer = source.downcast_ref::<ParseIntError>().map(|error| {
        let ours = match error.kind() {
            IntErrorKind::PosOverflow => "the number is too large",
            IntErrorKind::NegOverflow => "the number is too small",
            _ => "expected a whole number",
        };
        (error.to_string(), ours)
    });
    let float = source.downcast_ref::<ParseFloatError>();
    integer.or_else(|| float.map(|error| (error.to_string(), "expected a number")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_lines(line: &str) -> String {
        let words = || line.split(' ').map(OsString::from);
        let all = std::iter::once("accession".into()).chain(words());
        let said = command().try_get_matches_from(all).unwrap_err();
        let text = in_words(said, &command(), words());
        let end = text.find("\n\nUsage").or(text.find("\n\nFor more"));
        text[..end.unwrap()].to_owned()
    }

    #[test]
    fn what_is_meant_and_what_is_expected_is_told() {
        for (line, expected) in [
            (
                "-q -v doctor",
                "error: '--quiet' and '--verbose' exclude each other, expected one of them",
            ),
            (
                "help musik",
                "error: unrecognized subcommand 'musik'\n\n  tip: a similar subcommand exists: 'music'",
            ),
            (
                "help music imprt",
                "error: unrecognized subcommand 'imprt'\n\n  tip: a similar subcommand exists: 'import'",
            ),
            (
                "music help edits exprt",
                "error: unrecognized subcommand 'exprt'\n\n  tip: a similar subcommand exists: 'export'",
            ),
            ("help xyz", "error: unrecognized subcommand 'xyz'"),
            // Nobody is sent to what is not for people.
            (
                "help referense",
                "error: unrecognized subcommand 'referense'",
            ),
            (
                "music import --jobs x",
                "error: invalid value 'x' for '--jobs <N>': expected a whole number",
            ),
        ] {
            assert_eq!(first_lines(line), expected, "{line}");
        }
    }
}
