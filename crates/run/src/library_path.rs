//! A path inside a library, which cannot lead out of it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::native_path::{literal_path, plain_path};

/// The path of a file inside a library's root folder, with `/` between its parts.
///
/// A path from a database may have been written by anyone. This one is parsed
/// where it is read: it has no root, no drive, no `..` and no NUL, so that
/// joined to a folder it stays below that folder (as far as its symbolic links
/// do). Everything else that a file can be called, it can be called here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LibraryPath(String);

/// A text that is not the path of a file inside a library.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid library path {path:?}: expected a path below the root folder, {expected}")]
pub struct InvalidLibraryPath {
    /// The text.
    pub path: String,
    expected: &'static str,
}

impl LibraryPath {
    /// The path as text, with `/` between its parts.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where the file is if the library's root folder is `root`, as this system writes paths.
    pub fn below(&self, root: &Path) -> PathBuf {
        // Onto a literal path parts are joined one by one, with the separator of Windows.
        plain_path(&literal_path(root).join(&self.0))
    }

    /// The name of the file, without its folders.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

/// Whether `path` begins with a drive, as in `C:/x`. On Windows `C:x` is on a
/// drive too; elsewhere it is the name of a file.
fn has_drive(path: &str) -> bool {
    let mut chars = path.chars();
    let letter = chars.next().is_some_and(|c| c.is_ascii_alphabetic());
    let colon = chars.next() == Some(':');
    letter && colon && (cfg!(windows) || matches!(chars.next(), Some('/' | '\\')))
}

/// What separates the parts of a path on this system.
fn is_separator(c: char) -> bool {
    c == '/' || (cfg!(windows) && c == '\\')
}

fn expected(path: &str) -> Option<&'static str> {
    if path
        .split(is_separator)
        .all(|part| matches!(part, "" | "."))
    {
        Some("with the name of a file")
    } else if path.contains('\0') {
        Some("without a NUL character")
    } else if path.starts_with(is_separator) || has_drive(path) {
        Some("not an absolute one")
    } else if path.split(is_separator).any(|part| part == "..") {
        Some("without `..`")
    } else {
        None
    }
}

impl TryFrom<String> for LibraryPath {
    type Error = InvalidLibraryPath;

    fn try_from(path: String) -> Result<Self, Self::Error> {
        match expected(&path) {
            None => Ok(Self(path)),
            Some(expected) => Err(InvalidLibraryPath { path, expected }),
        }
    }
}

impl FromStr for LibraryPath {
    type Err = InvalidLibraryPath;

    fn from_str(path: &str) -> Result<Self, Self::Err> {
        path.to_owned().try_into()
    }
}

impl From<LibraryPath> for String {
    fn from(path: LibraryPath) -> Self {
        path.0
    }
}

impl AsRef<str> for LibraryPath {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LibraryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(path: &str) -> Result<LibraryPath, InvalidLibraryPath> {
        path.parse()
    }

    #[test]
    fn what_leads_out_of_the_library_is_refused() {
        let bad = [
            "",
            ".",
            "./",
            "/",
            "/x.flac",
            "//server/x",
            "..",
            "../x",
            "a/../../x",
            "a/..",
            "a\0b",
            "C:/x",
            "c:\\x",
        ];
        for path in bad {
            assert!(parse(path).is_err(), "{path:?}");
        }
        let error = parse("../x").unwrap_err().to_string();
        assert_eq!(
            error,
            "invalid library path \"../x\": expected a path below the root folder, without `..`"
        );
    }

    #[test]
    fn whatever_else_a_file_is_called_is_accepted() {
        for path in [
            "a.mp3",
            "a/b/c.flac",
            "..a/b..",
            "...",
            "雨/é\n.mp3",
            "./x",
            "a//b",
            " ",
        ] {
            assert_eq!(parse(path).unwrap().as_str(), path);
        }
        assert_eq!(parse("a/b.mp3").unwrap().file_name(), "b.mp3");
    }

    #[test]
    #[cfg(unix)]
    fn what_only_other_systems_take_for_special_is_a_name() {
        for path in ["A: Side.mp3", "C:x", "..\\x", "\\x"] {
            assert_eq!(parse(path).unwrap().as_str(), path);
        }
    }

    proptest! {
        #[test]
        fn a_path_that_is_accepted_stays_below_the_root(path in "[a./\\\\:\\x00]{0,12}") {
            if let Ok(path) = parse(&path) {
                let root = Path::new("/music");
                let below = path.below(root);
                prop_assert!(below.starts_with(root));
                prop_assert!(below.components().all(|part| part.as_os_str() != ".."));
            }
        }
    }
}
