//! Options may stand in front of the word whose they are: `edits --root-folder X export` is `edits export --root-folder X`.

use std::ffi::OsString;

use clap::{Arg, Command};

/// The command line with options moved behind the words of the command that they belong to. What is not understood stays
/// where it is: the parser tells about it.
pub(crate) fn options_last(
    command: &Command,
    words: impl IntoIterator<Item = OsString>,
) -> Vec<OsString> {
    let words: Vec<_> = words.into_iter().collect();
    let (mut at, mut here) = (1, command);
    let mut path = Vec::new();
    let mut options: Vec<(usize, usize)> = Vec::new();
    // Where the command's own words end: what is behind the last of them is in order.
    let mut end = None;
    while let Some(word) = words.get(at).and_then(|word| word.to_str()) {
        if let Some(below) = here.find_subcommand(word) {
            path.push(at);
            here = below;
            end = Some((at, options.len(), here));
            at += 1;
            continue;
        }
        let Some(option) = option(command, here, word) else {
            break;
        };
        let takes_next = takes_value(option) && is_whole(word, option);
        options.push((at, 1 + usize::from(takes_next)));
        at += 1 + usize::from(takes_next);
    }
    let Some((last, count, here)) = end else {
        return words;
    };
    options.truncate(count);
    // Those that only the words in front know are for the parser to judge.
    options.retain(|(at, _)| {
        let word = words[*at].to_str().unwrap_or_default();
        find(here, word).is_some()
    });
    let moved: Vec<usize> = options
        .iter()
        .flat_map(|(at, length)| *at..at + length)
        .collect();
    let (front, behind) = words.split_at(last + 1);
    let stay = (0..).zip(front).filter(|(at, _)| !moved.contains(at));
    let mut ordered: Vec<_> = stay.map(|(_, word)| word.clone()).collect();
    ordered.extend(moved.iter().filter_map(|at| words.get(*at)).cloned());
    ordered.extend_from_slice(behind);
    ordered
}

/// The option that a word is, of this command, of all, or of a command below it.
fn option<'c>(all: &'c Command, here: &'c Command, word: &str) -> Option<&'c Arg> {
    let own = find(here, word).or_else(|| find(all, word));
    own.or_else(|| {
        here.get_subcommands()
            .find_map(|below| option(all, below, word))
    })
}

fn find<'c>(command: &'c Command, word: &str) -> Option<&'c Arg> {
    let is_called = |arg: &&Arg| {
        if let Some(long) = word.strip_prefix("--") {
            let name = long.split_once('=').map_or(long, |(name, _)| name);
            let aliases = arg.get_all_aliases().unwrap_or_default();
            arg.get_long() == Some(name) || aliases.contains(&name)
        } else {
            let short = word.strip_prefix('-').and_then(|word| word.chars().next());
            short.is_some() && arg.get_short() == short
        }
    };
    command.get_arguments().find(is_called)
}

fn takes_value(option: &Arg) -> bool {
    option.get_action().takes_values()
}

/// Whether a word is an option's name alone, so that its value is the next word.
fn is_whole(word: &str, option: &Arg) -> bool {
    match word.strip_prefix("--") {
        Some(long) => !long.contains('='),
        None => option.get_short().is_some() && word.chars().count() == 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::command;

    fn ordered(line: &str) -> String {
        let words = std::iter::once("accession").chain(line.split(' '));
        let ordered = options_last(&command(), words.map(OsString::from));
        let words: Vec<_> = ordered[1..]
            .iter()
            .map(|word| word.to_string_lossy())
            .collect();
        words.join(" ")
    }

    #[test]
    fn options_go_behind_the_words_of_their_command_and_nothing_else_moves() {
        for (given, expected) in [
            (
                "music edits --root-folder X export",
                "music edits export --root-folder X",
            ),
            (
                "music --root=X edits export -o F",
                "music edits export --root=X -o F",
            ),
            (
                "music --root-folder X settings --database D get key",
                "music settings get --root-folder X --database D key",
            ),
            ("--format json music status", "--format json music status"),
            ("music -v edits export", "music -v edits export"),
            (
                "books storage --run-name R -y rm raw",
                "books storage rm --run-name R -y raw",
            ),
            // What belongs to the words in front stays there, and so does what is no option of anything.
            ("music edits --undo 3 export", "music edits --undo 3 export"),
            (
                "music edits --undo 3 --root-folder X",
                "music edits --undo 3 --root-folder X",
            ),
            (
                "music --nonsense edits export",
                "music --nonsense edits export",
            ),
            ("music show edits", "music show edits"),
            ("music import -- edits", "music import -- edits"),
            ("music status", "music status"),
        ] {
            assert_eq!(ordered(given), expected, "{given}");
        }
    }
}
