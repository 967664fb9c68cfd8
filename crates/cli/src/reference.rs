//! What man pages and the guide tell besides options: examples, files, exit codes. One table for each.

/// A command that can be typed as it stands, and what it does.
pub(crate) struct Example {
    /// The words of the command that it is an example of.
    pub(crate) of: &'static [&'static str],
    pub(crate) typed: &'static str,
    pub(crate) does: &'static str,
}

const fn example(of: &'static [&'static str], typed: &'static str, does: &'static str) -> Example {
    Example { of, typed, does }
}

/// Examples in the order in which a newcomer needs them.
pub(crate) const EXAMPLES: [Example; 32] = [
    example(
        &["music", "import"],
        "accession music import ~/Music",
        "Take a folder in; run it again whenever there is new music",
    ),
    example(
        &["music", "import"],
        "accession music import ~/Music --dry-run",
        "List what would be taken in, and do nothing",
    ),
    example(
        &["music", "import"],
        "accession music import ~/Music --offline --jobs 2",
        "Ask no service, and leave cores free for others",
    ),
    example(
        &["music", "import"],
        "accession music import ~/Music/New --root-folder ~/Music",
        "Take in one folder of a library",
    ),
    example(
        &["music", "import"],
        "accession music import ~/Music --database ~/radio.db",
        "Keep the database elsewhere, for music that cannot be written beside",
    ),
    example(
        &["music", "plan"],
        "accession music plan --source s3://archive/radio --shards 64 --out lists",
        "Divide a bucket into 64 even lists of files",
    ),
    example(
        &["music", "hear"],
        "accession music hear --source s3://archive/radio --list lists/shard-00007.txt --out s3://archive/records",
        "Hear one list, on any machine; run again, it goes on",
    ),
    example(
        &["music", "collect"],
        "accession music collect s3://archive/records --source s3://archive/radio --database ~/radio.db",
        "Take what was heard into a library, as an import would have",
    ),
    example(
        &["music", "status"],
        "accession music status ~/Music",
        "What is in the library, and what is wrong, by reason",
    ),
    example(
        &["music", "show"],
        "accession music show 'slow water'",
        "Everything about a file, found by words of its name or title",
    ),
    example(
        &["music", "show"],
        "accession music show 'seite a' --svg seite-a.svg",
        "The same, with a picture",
    ),
    example(
        &["music", "similar"],
        "accession music similar 'slow water' -n 5",
        "The five passages that sound most like it",
    ),
    example(
        &["music", "review"],
        "accession music review ~/Music",
        "What may be wrong, with the command that settles it",
    ),
    example(
        &["music", "edit"],
        "accession music edit 'slow water' --title 'Slow Water'",
        "Say what a passage is called",
    ),
    example(
        &["music", "edit"],
        "accession music edit 1f0c9a52 --split-at 3:05.5",
        "Cut a passage in two",
    ),
    example(
        &["music", "edits"],
        "accession music edits --undo 3",
        "Take a word back",
    ),
    example(
        &["music", "identify"],
        "accession music identify ~/Music",
        "Ask services for what is not identified yet",
    ),
    example(
        &["music", "settings", "set"],
        "accession music settings set acoustid_api_key -",
        "Keep a key, typed without being shown",
    ),
    example(
        &["music", "settings", "set"],
        "accession music settings set silence_min_duration_ticks 2s",
        "Only silences of two seconds separate passages",
    ),
    example(
        &["music", "settings", "list"],
        "accession music settings list",
        "Every setting, its value and what it does",
    ),
    example(
        &["music", "check"],
        "accession music check ~/Music",
        "Whether the library is sound, and its files are there",
    ),
    example(
        &["music", "export"],
        "accession music export ~/Music --as m3u8 --output all.m3u8",
        "A playlist of all passages",
    ),
    example(
        &["music", "export"],
        "accession music export ~/Music --as cue --output cues",
        "A cue sheet for each album rip",
    ),
    example(
        &["music", "backup"],
        "accession music backup ~/library-backup.db",
        "A copy, even while an import runs",
    ),
    example(
        &["serve"],
        "accession serve ~/Music --open",
        "Look at the library in a browser",
    ),
    example(
        &["doctor"],
        "accession doctor ~/Music",
        "Whether everything is there that a command needs",
    ),
    example(
        &["config"],
        "accession config",
        "Which library is meant, and why",
    ),
    example(
        &["books", "auth", "setup"],
        "accession books auth setup --remote",
        "Sign in to GRIN on a machine without a browser",
    ),
    example(
        &["books", "collect"],
        "accession books collect --run-name 2026 --library-directory Harvard",
        "Collect a catalogue; run it again to go on",
    ),
    example(
        &["books", "enrich"],
        "accession books enrich --run-name 2026",
        "Ask for more about each book",
    ),
    example(
        &["books", "export"],
        "accession books export --run-name 2026 --as csv",
        "Write all books out",
    ),
    example(
        &["books", "status"],
        "accession books status --run-name 2026",
        "How far the run is",
    ),
];

/// Files that are read or written, and what they are.
pub(crate) const FILES: [(&str, &str); 17] = [
    (
        "ROOT/wkmp.db",
        "the library: everything that is known about the music, in WKMP's schema; with wkmp.db-wal and wkmp.db-shm beside it while it is in use",
    ),
    (
        "ROOT/wkmp.db-serve.lock",
        "keeps a second server from the library; may be deleted while none runs",
    ),
    (
        "ROOT/wkmp.db-import.lock",
        "tells a second import of the library that one is at work; gone when that has ended",
    ),
    ("ROOT/covers/", "front covers, where they were fetched"),
    (
        "~/.config/accession/accession.toml",
        "root_folder and acoustid_api_key, each as text in quotes",
    ),
    (
        "~/.config/wkmp/wkmp-ai.toml",
        "the same keys, as WKMP's ingest service has them",
    ),
    (
        "~/.config/accession/serve-token",
        "the token of visitors from other machines",
    ),
    (
        "~/.config/grin-transfer/client_secret.json",
        "the application that signs in to GRIN",
    ),
    (
        "~/.config/grin-transfer/credentials.json",
        "the tokens of a sign-in",
    ),
    (
        "~/.config/grin-transfer/gpg_passphrase.asc",
        "the passphrase of archives, on its first line",
    ),
    (
        "output/RUN/run_config.json",
        "the settings of a run of books",
    ),
    (
        "output/RUN/accession_run_id",
        "what tells the run from others of its name that store in the same buckets",
    ),
    ("output/RUN/books.db", "its catalogue"),
    ("output/RUN/staging/", "archives under way"),
    (
        "output/RUN/process_summary.json",
        "what each command on the run did",
    ),
    (
        "logs/grin_pipeline_RUN.log",
        "the log of all commands of a run",
    ),
    ("output/RUN/books_export.csv", "an export, by default"),
];

/// Exit codes and what they mean.
pub(crate) const EXIT_CODES: [(u8, &str); 6] = [
    (0, "everything was done"),
    (
        1,
        "the command came to its end, and some items failed; the rest is recorded",
    ),
    (
        2,
        "the command could not run: the reason is on standard error, with --format json also on standard output",
    ),
    (129, "stopped by SIGHUP; items in hand were finished"),
    (130, "stopped by Ctrl-C; items in hand were finished"),
    (143, "stopped by SIGTERM; items in hand were finished"),
];

/// The examples of one command.
pub(crate) fn examples(of: &[&str]) -> Vec<&'static Example> {
    EXAMPLES.iter().filter(|example| example.of == of).collect()
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;
    use crate::args::Cli;

    #[test]
    fn every_example_is_a_command_that_is_understood() {
        for example in &EXAMPLES {
            let words = example.typed.split('\'').enumerate();
            let words = words.flat_map(|(at, part)| match at % 2 {
                0 => part
                    .split_whitespace()
                    .map(str::to_owned)
                    .collect::<Vec<_>>(),
                _ => vec![part.to_owned()],
            });
            let words: Vec<_> = words.collect();
            assert_eq!(
                words[1..=example.of.len()],
                *example.of,
                "{}",
                example.typed
            );
            assert!(Cli::try_parse_from(&words).is_ok(), "{}", example.typed);
        }
        let mut command = Cli::command();
        command.build();
    }

    #[test]
    fn exit_codes_are_those_that_are_used() {
        use run::{ExitStatus, Signal};
        let used = [
            ExitStatus::Done,
            ExitStatus::SomeFailed,
            ExitStatus::CouldNotRun,
            ExitStatus::Stopped(Signal::HangUp),
            ExitStatus::Stopped(Signal::Interrupt),
            ExitStatus::Stopped(Signal::Terminate),
        ];
        assert_eq!(used.map(ExitStatus::code), EXIT_CODES.map(|(code, _)| code));
    }
}
