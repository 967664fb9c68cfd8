//! What `--version` tells with `-v`: where the program was built from, and the versions of what is in it.

use std::ffi::OsStr;

use music::intake::CODECS;
use music::library::SCHEMA_VERSION;
use music::library::known::{ANALYSIS_VERSION, DESCRIPTION_VERSION};

/// The commit and its date, where the build told them: `script/release` does.
const COMMIT: Option<&str> = option_env!("ACCESSION_COMMIT");

/// The processor, the system and the C library that the program is for: `x86_64 on linux, musl`.
pub(crate) fn system() -> String {
    let library = if cfg!(target_env = "musl") {
        ", musl"
    } else {
        ""
    };
    format!(
        "{} on {}{library}",
        std::env::consts::ARCH,
        std::env::consts::OS
    )
}

/// How what is heard has changed so far: files that another version heard are heard again.
pub(crate) fn analysis() -> String {
    format!("{ANALYSIS_VERSION}.{DESCRIPTION_VERSION}")
}

/// Lines to go below the program's name and version.
pub(crate) fn contents() -> String {
    let commit = COMMIT.filter(|commit| !commit.is_empty());
    let lines = [
        ("built for", system()),
        ("commit", commit.unwrap_or("not told").to_owned()),
        ("SQLite", sqlite::sqlite_version().to_owned()),
        ("analysis", analysis()),
        (
            "schema",
            format!("music {SCHEMA_VERSION}, books {}", books::SCHEMA_VERSION),
        ),
        (
            "decodes",
            format!("{}; others with ffmpeg", CODECS.join(", ")),
        ),
    ];
    lines
        .map(|(what, said)| format!("  {what:<10} {said}\n"))
        .concat()
}

/// Whether the arguments ask for more than a number: `-v`, `-Vv`, `--verbose`.
pub(crate) fn is_wanted(mut arguments: impl Iterator<Item = impl AsRef<OsStr>>) -> bool {
    arguments.any(|argument| {
        let argument = argument.as_ref().to_string_lossy();
        let letters = argument.strip_prefix('-').unwrap_or_default();
        argument == "--verbose" || (!letters.starts_with('-') && letters.contains('v'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_is_told_only_where_it_is_asked_for() {
        let wanted = |line: &str| is_wanted(line.split(' '));
        for line in ["-V -v", "-vV", "--verbose --version", "--version -vv"] {
            assert!(wanted(line), "{line}");
        }
        for line in ["-V", "--version", "--version serve v", "--format v"] {
            assert!(!wanted(line), "{line}");
        }
    }
}
