//! What makes an import, or a question to a library, impossible as a whole.
//!
//! One file that cannot be taken in is no error but a [`run::Fault`].

use std::path::PathBuf;

use thiserror::Error;

/// Why a command on a library could not run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The folder to import is not there, or not a folder.
    #[error("cannot read the folder `{path}`: {reason}")]
    Folder {
        /// The folder asked for.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// The folder to import is not inside the root folder.
    #[error("`{folder}` is not inside the root folder `{root}`")]
    OutsideRoot {
        /// The folder asked for.
        folder: PathBuf,
        /// The library's root folder.
        root: PathBuf,
    },
    /// A library was to be made of a folder without any audio.
    #[error("found no audio file in `{folder}`, so no library was made{}", left_out_there(*.left_out))]
    NothingToTakeIn {
        /// The folder.
        folder: PathBuf,
        /// How many things in it could be audio and are not looked at, such as links.
        left_out: usize,
    },
    /// A library was to be made in a folder that belongs to another one.
    #[error("`{folder}` lies in the library at `{root}`")]
    LibraryAbove {
        /// The folder.
        folder: PathBuf,
        /// The root folder of the library that it lies in.
        root: PathBuf,
    },
    /// A library was to be made of a folder that holds another one.
    #[error("there is a library in `{folder}` already, at `{below}`")]
    LibraryBelow {
        /// The folder.
        folder: PathBuf,
        /// The root folder of the library in it.
        below: PathBuf,
    },
    /// There is no library yet where one was to be read.
    #[error("there is no library at `{path}`")]
    NoLibrary {
        /// Where the database was looked for.
        path: PathBuf,
    },
    /// A database of something else where a library was expected.
    #[error("`{path}` is no library: {reason}")]
    NotALibrary {
        /// The database.
        path: PathBuf,
        /// What was expected, and what was found.
        reason: String,
    },
    /// A file is in the place of one that was to be written.
    #[error("`{path}` is there already")]
    Taken {
        /// The file.
        path: PathBuf,
    },
    /// Another process has a database open that is to be copied or replaced as a whole.
    #[error("another process is using `{path}`")]
    InUse {
        /// The database.
        path: PathBuf,
    },
    /// Most files of the library seem to be gone, which is more often an unmounted disk.
    #[error(
        "{gone} of the {known} files that the library knows are not in `{root}`; nothing was pruned"
    )]
    PruneEverything {
        /// The folder that was scanned.
        root: PathBuf,
        /// How many files the library knows there.
        known: usize,
        /// How many of them are not there.
        gone: usize,
        /// Whether the same command prunes them where it is forced to.
        by_force: bool,
    },
    /// A library's files lie in one folder, and another one is to be taken in as if it were that.
    #[error(
        "`{folder}` holds none of the {known} files of this library, which lie in `{root}`; nothing was taken in"
    )]
    AnotherRoot {
        /// The folder that was named.
        folder: PathBuf,
        /// Where the files lie.
        root: PathBuf,
        /// How many files the library knows.
        known: usize,
    },
    /// Nothing in the library answers to this name.
    #[error("the library has no file or passage `{name}`")]
    NotFound {
        /// What was asked for.
        name: String,
        /// What is called much the same.
        like: Vec<String>,
    },
    /// Several things in the library answer to this name.
    #[error("`{name}` could be any of {}", .candidates.join(", "))]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// Some of the paths or ids that fit.
        candidates: Vec<String>,
    },
    /// A file of several passages, or of none, where one was to be named.
    #[error("`{name}` has {passages} passages")]
    NotOnePassage {
        /// What was asked for.
        name: String,
        /// How many there are.
        passages: usize,
    },
    /// A passage that was never described.
    #[error("`{name}` has not been described")]
    NoFlavor {
        /// What was asked for.
        name: String,
    },
    /// A setting nobody knows.
    #[error("there is no setting `{key}`")]
    UnknownSetting {
        /// The key asked for.
        key: String,
        /// The setting with the nearest name, if one is near.
        like: Option<&'static str>,
    },
    /// A value that a setting cannot take.
    #[error("`{value}` is no value for `{key}`: expected {expected}")]
    BadSetting {
        /// The setting.
        key: &'static str,
        /// The value given.
        value: String,
        /// What would have been right.
        expected: String,
    },
    /// No request can be made at all.
    #[error("cannot ask any service: {reason}")]
    Service {
        /// What is wrong.
        reason: String,
    },
    /// Requests cannot even be prepared.
    #[error("cannot ask any service: {0}")]
    Unprepared(web::Error),
    /// No service could say what was needed.
    #[error("{reason}")]
    Unanswered {
        /// Why not.
        reason: String,
    },
    /// A passage without a candidate was to be accepted.
    #[error("the passage `{passage}` has no candidate")]
    NoCandidate {
        /// Its id.
        passage: String,
    },
    /// The last passage of a file was to be joined with the next one.
    #[error("the passage `{passage}` is the last of its file, so there is none to join it with")]
    NothingToJoin {
        /// Its id.
        passage: String,
    },
    /// A position that does not fit into its file.
    #[error("`{given}` does not fit, expected {expected}")]
    Misplaced {
        /// What was asked for.
        given: String,
        /// What would have been right.
        expected: String,
    },
    /// A name that cannot be kept.
    #[error("this cannot be the {field}: expected {expected}")]
    BadText {
        /// `title`, `artist` or `album`.
        field: &'static str,
        /// What would have been right.
        expected: String,
    },
    /// A cut was to be taken back that a later one has within it.
    #[error(
        "edit {edit} is part of what was said later, which would stay: take back {}{} first",
        named("edit", .later),
        of_decisions(.decisions)
    )]
    BuiltUpon {
        /// Its number.
        edit: i64,
        /// The cuts that were made later and are in force, the latest first.
        later: Vec<i64>,
        /// The decisions that led to those, the latest first.
        decisions: Vec<i64>,
    },
    /// A line of a file of edits that is none.
    #[error("line {line} is no edit: {reason}")]
    BadEdit {
        /// Its number, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// What the receiver of a bundle would refuse.
    #[error("the bundle would be refused: {}", .reasons.join("; "))]
    Refused {
        /// Why, at most twenty reasons.
        reasons: Vec<String>,
    },
    /// A file that does not get into a bundle.
    #[error("cannot bring `{path}` into the bundle: {reason}")]
    Bundle {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// A line of an inventory that names no sound.
    #[error(
        "line {line} of the inventory is `{found}`, expected an `audio_md5` of 32 hexadecimal digits"
    )]
    BadInventory {
        /// Its number, from 1.
        line: usize,
        /// What stands there.
        found: String,
    },
    /// A file that was to be heard again and could not be.
    #[error("`{path}` cannot be heard now: {reason}")]
    Unheard {
        /// Its path in the library.
        path: String,
        /// Why.
        reason: String,
    },
    /// A file that is spoken about, and has been replaced by another one that was not heard yet.
    #[error(
        "the audio of `{path}` is not what it was at the last import: import it first, and say it about what is there now"
    )]
    OtherAudio {
        /// Its path in the library.
        path: String,
    },
    /// A dump that cannot be read to its end.
    #[error("cannot read the dump `{path}`: {reason}")]
    Dump {
        /// The dump.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A folder or a bucket that cannot be used.
    #[error("cannot use `{place}`: {reason}")]
    Place {
        /// Its address.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// A line of a list of files that names none.
    #[error("line {line} of the list is wrong, expected {expected}")]
    BadList {
        /// Its number, from 1.
        line: usize,
        /// What would have been right.
        expected: String,
    },
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlite::Error),
    /// Writing what was asked for failed.
    #[error("cannot write the output: {0}")]
    Output(#[from] std::io::Error),
}

/// Why a library cannot be used now, whatever is asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Another program holds the write lock; it is to be tried again.
    Locked,
    /// There is no space left for the database.
    Full,
    /// The database was moved, deleted or replaced.
    Gone,
    /// The database may not be written.
    ReadOnly,
    /// The database is damaged, or no database any more.
    Damaged,
    /// The system cannot read or write it.
    Unreachable,
    /// It was closed, since the program ends.
    Closed,
}

impl Error {
    /// Why the library cannot be used now, if that is what went wrong.
    pub fn trouble(&self) -> Option<Trouble> {
        let Self::Database(error) = self else {
            return None;
        };
        Some(match error {
            sqlite::Error::Locked { .. } | sqlite::Error::Blocked { .. } => Trouble::Locked,
            sqlite::Error::DiskFull { .. } => Trouble::Full,
            sqlite::Error::Moved { .. } => Trouble::Gone,
            sqlite::Error::ReadOnly { .. } => Trouble::ReadOnly,
            sqlite::Error::Corrupt { .. } | sqlite::Error::NotADatabase { .. } => Trouble::Damaged,
            sqlite::Error::Io { .. } | sqlite::Error::CannotOpen { .. } => Trouble::Unreachable,
            sqlite::Error::Closed { .. } => Trouble::Closed,
            _ => return None,
        })
    }

    /// Nothing is called `name`, nor anything like it.
    pub(crate) fn not_found(name: impl Into<String>) -> Self {
        Self::NotFound {
            name: name.into(),
            like: Vec::new(),
        }
    }

    /// An error of the engine about a whole file, where a person can do something about it.
    pub(crate) fn of_file(error: sqlite::Error) -> Self {
        match error {
            sqlite::Error::Exists { path } => Self::Taken { path },
            sqlite::Error::InUse { path } => Self::InUse { path },
            other => Self::Database(other),
        }
    }
}

/// Some things by their numbers, such as `edits 5 and 7`.
fn named(what: &str, numbers: &[i64]) -> String {
    let plural = if numbers.len() == 1 { "" } else { "s" };
    let numbers: Vec<_> = numbers.iter().map(i64::to_string).collect();
    format!("{what}{plural} {}", numbers.join(" and "))
}

fn of_decisions(numbers: &[i64]) -> String {
    if numbers.is_empty() {
        return String::new();
    }
    format!(" ({})", named("decision", numbers))
}

fn left_out_there(count: usize) -> String {
    match count {
        0 => String::new(),
        one_or_more => format!(" ({one_or_more} links and the like in it are not followed)"),
    }
}

/// The result of a command on a library.
pub type Result<T, E = Error> = std::result::Result<T, E>;
