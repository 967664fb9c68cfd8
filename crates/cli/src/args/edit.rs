//! `music edit` and `music edits`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::ArgValueCompleter;
use music::edit::{LONGEST_SECONDS, Ticks};

use crate::args::{Place, complete};

/// What a person says about a passage. Positions are seconds, M:SS or H:MM:SS from the beginning of the file.
#[derive(Debug, Args)]
pub(crate) struct Edit {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The id of a passage, or the path of a file that has one
    #[arg(value_name = "FILE|PASSAGE", add = ArgValueCompleter::new(complete::passages))]
    pub(crate) name: String,
    /// Where it starts
    #[arg(long, value_name = "TIME", value_parser = position)]
    pub(crate) start: Option<Ticks>,
    /// Where it ends
    #[arg(long, value_name = "TIME", value_parser = position)]
    pub(crate) end: Option<Ticks>,
    /// Cut it in two here
    #[arg(long, value_name = "TIME", value_parser = position)]
    pub(crate) split_at: Option<Ticks>,
    /// Make it one with the passage that follows it
    #[arg(long)]
    pub(crate) join: bool,
    /// Until when the passage before may still sound
    #[arg(long, value_name = "TIME", value_parser = position)]
    pub(crate) lead_in: Option<Ticks>,
    /// From when the next passage may sound
    #[arg(long, value_name = "TIME", value_parser = position)]
    pub(crate) lead_out: Option<Ticks>,
    /// Where its fade-in ends
    #[arg(long, value_name = "TIME", value_parser = position)]
    pub(crate) fade_in: Option<Ticks>,
    /// Where its fade-out begins
    #[arg(long, value_name = "TIME", value_parser = position)]
    pub(crate) fade_out: Option<Ticks>,
    /// Its title
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
    /// Its artist
    #[arg(long, value_name = "TEXT")]
    pub(crate) artist: Option<String>,
    /// Its album
    #[arg(long, value_name = "TEXT")]
    pub(crate) album: Option<String>,
    /// It is no song that is known
    #[arg(long)]
    pub(crate) no_song: bool,
    /// Take back everything that was said about it before, and how its file was cut by hand
    #[arg(long)]
    pub(crate) reset: bool,
}

/// Lists what a person said about passages, takes it back, or carries it to another library.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Edits {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Take these back, by their numbers
    #[arg(long, value_name = "NUMBER", num_args = 1..)]
    pub(crate) undo: Vec<i64>,
    #[command(subcommand)]
    pub(crate) carry: Option<Carry>,
}

/// How edits go from one library to another.
#[derive(Debug, Subcommand)]
pub(crate) enum Carry {
    /// Write all edits as lines of JSON
    Export {
        #[command(flatten)]
        place: Place,
        /// The file to write; standard output if none
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Take edits over from a file that `export` wrote
    Import {
        #[command(flatten)]
        place: Place,
        /// The file to read
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// Seconds, minutes and seconds, or hours, minutes and seconds; seconds may have a fraction.
fn position(text: &str) -> Result<Ticks, String> {
    let expected = || format!("`{text}` is no position, expected seconds, M:SS or H:MM:SS");
    let parts: Vec<_> = text.split(':').collect();
    if parts.len() > 3 {
        return Err(expected());
    }
    let mut seconds = 0.0;
    for part in &parts {
        let is_number = !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.');
        let value: f64 = part.parse().map_err(|_| expected())?;
        if !is_number {
            return Err(expected());
        }
        seconds = seconds * 60.0 + value;
    }
    if seconds > LONGEST_SECONDS {
        return Err(expected());
    }
    Ok(Ticks::from_seconds(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("0", 0.0),
            ("61.5", 61.5),
            ("1:01.5", 61.5),
            ("1:00:02", 3602.0),
        ] {
            assert_eq!(position(text), Ok(Ticks::from_seconds(seconds)), "{text}");
        }
        for wrong in ["", "-1", "1:", "a", "1:2:3:4", "nan", "inf", "1e9", "1e300"] {
            assert!(position(wrong).is_err(), "{wrong}");
        }
    }
}
