//! Colours of what is said beside results: the word a line begins with tells how much it matters.

use clap::builder::styling::{AnsiColor, Style};

const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const GREEN: Style = AnsiColor::Green.on_default().bold();

/// The words that lines begin with.
const WORDS: [(&str, Style); 9] = [
    ("error", RED),
    ("failed", RED),
    ("warning", YELLOW),
    ("damaged", YELLOW),
    ("left out", YELLOW),
    ("missing", YELLOW),
    ("misnamed, and taken", YELLOW),
    ("hint", GREEN),
    ("next", GREEN),
];

/// The line with its first word in colour, if it is one that has one. The line must be escaped already.
pub(super) fn painted(line: &str) -> String {
    let text = line.trim_start();
    let found = WORDS.iter().find_map(|(word, style)| {
        let rest = text.strip_prefix(word)?.strip_prefix(':')?;
        Some((*word, style, rest))
    });
    match found {
        Some((word, style, rest)) => {
            let indent = &line[..line.len() - text.len()];
            format!("{indent}{style}{word}:{style:#}{rest}")
        }
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_word_that_a_line_begins_with_is_coloured() {
        assert_eq!(
            painted("error: no"),
            "\u{1b}[1m\u{1b}[31merror:\u{1b}[0m no"
        );
        assert_eq!(painted("an error: no"), "an error: no");
        assert_eq!(painted("errors: no"), "errors: no");
    }
}
