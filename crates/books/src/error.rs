//! The one error type of the crate: why a command cannot run, or cannot go on.

use std::io;
use std::path::{Path, PathBuf};

use web::{Class, Classified};

use crate::page::PageError;

/// What can go wrong with a run, its files, or GRIN.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of the run, or a credential file.
    #[error("cannot {what} `{}`: {error}", path.display())]
    File {
        /// What was tried: `read`, `write`, `make`, ..
        what: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A file is not what it should be.
    #[error("`{}` is not understood: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A setting makes no sense.
    #[error("invalid {setting} `{value}`: expected {}", setting.expected())]
    Setting {
        /// Which setting.
        setting: Setting,
        /// What it is.
        value: String,
    },
    /// A name that no run can have.
    #[error(
        "invalid run name `{name}`: only letters, digits, `-` and `_` can be in it; `{possible}` is possible"
    )]
    RunName {
        /// The name.
        name: String,
        /// What is left of it.
        possible: String,
    },
    /// A setting is missing.
    #[error("no {0} is set")]
    Missing(Setting),
    /// There is no such run.
    #[error("there is no run at `{}`", path.display())]
    NoRun {
        /// Its directory.
        path: PathBuf,
    },
    /// A run whose database was never made.
    #[error("the run at `{}` has no database yet", path.display())]
    NoDatabase {
        /// The run's directory.
        path: PathBuf,
    },
    /// A run was begun with other settings.
    #[error("the run `{run}` was begun with other settings: {difference}")]
    OtherSettings {
        /// The run.
        run: String,
        /// Each setting with both values.
        difference: String,
    },
    /// Local storage was to be made in a folder that is not there.
    #[error("the storage folder `{}` cannot be made: there is no folder `{}`", path.display(), parent.display())]
    StorageAway {
        /// The folder of the storage.
        path: PathBuf,
        /// Where it was to be made.
        parent: PathBuf,
    },
    /// Another process works on the run.
    #[error("another session is running for `{run}`")]
    Busy {
        /// The run.
        run: String,
    },
    /// Archives in a local folder may be those of a run whose books cannot be asked.
    #[error("archives in `{}` may be those of the run `{run}`, too: {reason}", folder.display())]
    Shared {
        /// The folder.
        folder: PathBuf,
        /// The other run.
        run: String,
        /// Why its books cannot be asked.
        reason: String,
    },
    /// A local folder is empty in which archives or texts are said to be stored, or a bucket has none of the run.
    #[error("`{place}` is empty, and books are said to be stored in it; {}", if *is_bucket {
        "is it the bucket that they are in?"
    } else {
        "is its disk mounted?"
    })]
    Emptied {
        /// The folder, or the bucket and what the names of the run begin with.
        place: String,
        /// Which of them it is.
        is_bucket: bool,
    },
    /// Another run of the same name stores in the same local folder.
    #[error("the run `{run}` in `{}` stores in `{}`, too, under the same name", directory.display(), folder.display())]
    SameName {
        /// The name of both.
        run: String,
        /// The directory of the other one.
        directory: PathBuf,
        /// The folder.
        folder: PathBuf,
    },
    /// Another run of the same name stores in the same buckets, or did so.
    #[error("another run `{run}` stores in `{place}` under the same name, or did so")]
    OtherRun {
        /// The name of both.
        run: String,
        /// The bucket, and what the names of both begin with.
        place: String,
    },
    /// The database's file was removed, or another one put in its place, while it was in use.
    #[error("`{}` was removed or replaced while it was in use; what was recorded since is not in it", path.display())]
    Moved {
        /// Where it was.
        path: PathBuf,
    },
    /// The database.
    #[error(transparent)]
    Database(#[from] sqlite::Error),
    /// The server of the database, or the way to it.
    #[error("the database `{database}` cannot be used: {reason}")]
    Server {
        /// Its address, without a password.
        database: String,
        /// What was said.
        reason: String,
        /// What may help.
        fault: ServerFault,
    },
    /// The run's schema on a server was made by a newer version.
    #[error(
        "the run in `{database}` was made by a newer version: its schema is {found}, this program knows {supported}"
    )]
    NewerServer {
        /// The address and the schema.
        database: String,
        /// The version of the schema.
        found: i64,
        /// The one that is known.
        supported: i64,
    },
    /// A row of the database that is not as it should be.
    #[error("the database holds {found} in column {column} of a row, expected {expected}")]
    Unexpected {
        /// The column, from 0.
        column: usize,
        /// What should be there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// Another process has begun the same on another machine, since this one was silent for too long.
    #[error("another machine has taken the run over, since nothing was recorded for minutes")]
    TakenOver,
    /// A database that is to be written to from the start.
    #[error("`{database}` holds a run already, expected an empty database")]
    NotEmpty {
        /// Where it is.
        database: String,
    },
    /// What a run on a server cannot do.
    #[error("a run on a database server has no {0}")]
    NotOnServer(&'static str),
    /// What only a run on a server can do.
    #[error("a run in a file has no {0}")]
    OnlyOnServer(&'static str),
    /// GRIN, or the way to it.
    #[error(transparent)]
    Web(#[from] web::Error),
    /// A list page.
    #[error(transparent)]
    Page(#[from] PageError),
    /// A page that leads back, or away.
    #[error("{reason}")]
    Loop {
        /// What was noticed.
        reason: String,
    },
    /// A page that names the books of an earlier one: the link that led to it was wrong.
    #[error("its next link leads to a page that names the same books as page {page}")]
    Repeated {
        /// The earlier page, from 1.
        page: usize,
    },
    /// A page that has no book in common with the pages before it, though it was asked for from one of their books on.
    #[error("the list has changed since the page before: none of the books there is on this one")]
    Shifted,
    /// More books than can be believed are no longer in the list, nor found by their barcodes.
    #[error(
        "{books} of the {of} books known before are gone from the catalogue, too many to believe it"
    )]
    Vanishing {
        /// Books that are gone.
        books: u64,
        /// Books known before.
        of: u64,
    },
    /// An answer that is no table of books.
    #[error("the answer is no list of books: {reason}")]
    Answer {
        /// What is wrong with it.
        reason: String,
    },
    /// GRIN has another version of an archive than the one that had begun to come.
    #[error("GRIN's archive changed while it came")]
    Changed,
    /// An archive ended early.
    #[error("the archive ended after {received} of {expected} bytes")]
    Short {
        /// Bytes that came.
        received: u64,
        /// Bytes that were announced.
        expected: u64,
    },
    /// The passphrase of archives.
    #[error(transparent)]
    Passphrase(#[from] crate::decrypt::DecryptError),
    /// There is no passphrase of archives.
    #[error("there is no passphrase for archives at `{}`", path.display())]
    NoPassphrase {
        /// Where it was looked for first.
        path: PathBuf,
    },
    /// The storage.
    #[error(transparent)]
    Storage(#[from] blob::Error),
    /// Signing in, or staying signed in.
    #[error("cannot sign in: {reason}")]
    SignIn {
        /// What was said.
        reason: String,
    },
    /// Writing an export.
    #[error("cannot write the export: {0}")]
    Output(#[source] io::Error),
    /// The work was asked to stop while it waited for an answer.
    #[error("stopped while waiting for an answer")]
    Stopped,
    /// A file cannot be written where it was wanted.
    #[error(transparent)]
    Unwritable(#[from] run::output::OutputError),
    /// A part of the program ended that should not have.
    #[error("{0} ended before its work was done")]
    Gone(&'static str),
}

/// What may help against a fault of a database server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerFault {
    /// Nothing but a person.
    Final,
    /// Another try at once: two transactions were in each other's way.
    Conflict,
    /// A new connection, perhaps after a while.
    Lost,
    /// The same; the server itself says that it is on its way up or down.
    NotUp,
}

/// A setting that a person gives, by a flag, a file or the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Setting {
    /// The library's directory in GRIN.
    LibraryDirectory,
    /// The kind of storage.
    Storage,
    /// A bucket of the storage.
    Bucket,
    /// One `key=value` of the storage.
    StoragePair,
    /// The key of such a pair.
    StorageKey,
    /// A key of such a pair that would put a secret into files that are copied.
    StorageSecret,
    /// The folder of local storage.
    StoragePath,
    /// A folder of local storage that contradicts another one.
    OtherStoragePath,
    /// The share of a disk that may be filled.
    DiskShare,
    /// The name of a run.
    RunName,
    /// The name of a run on a server.
    RunNameOnServer,
    /// The address of a database.
    Database,
    /// How the connection to a database is protected.
    DatabaseProtection,
    /// The address of GRIN.
    BaseUrl,
    /// A number of requests a second.
    RateLimit,
    /// The file by which commands keep that number together.
    SharedRate,
    /// A setting of a run as a file or the environment names it.
    Named,
}

impl Setting {
    /// What it should be, for an error's text.
    fn expected(self) -> &'static str {
        match self {
            Self::LibraryDirectory => "letters, digits, `-` and `_`",
            Self::Storage => "`local`, `s3`, `r2`, `minio` or `gcs`",
            Self::Bucket => "the name of a bucket",
            Self::StoragePair => "`key=value`",
            Self::StorageKey => {
                "`bucket_raw`, `bucket_meta`, `bucket_full`, `base_path`, `endpoint_url` or `credentials_file`"
            }
            Self::StorageSecret => "no key of access",
            Self::StoragePath => "a folder",
            Self::OtherStoragePath => "the folder given before",
            Self::DiskShare => "a share from 0 to 1",
            Self::RunName => "a name with letters, digits, `-` or `_`",
            Self::RunNameOnServer => "a name of at most 53 bytes",
            Self::Database => "an address such as `postgres://user@host/name`",
            Self::DatabaseProtection => "`sslmode` `disable`, `require` or `verify-full`",
            Self::BaseUrl => "an address that begins with `https://` or `http://`",
            Self::RateLimit => "requests a second, 0 for no limit",
            Self::SharedRate => "a new file, or one that an earlier command made for this",
            Self::Named => "a setting of a run",
        }
    }
}

impl std::fmt::Display for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::LibraryDirectory => "library directory",
            Self::Storage => "storage",
            Self::Bucket => "bucket",
            Self::StoragePair | Self::StorageKey | Self::StorageSecret => "storage setting",
            Self::StoragePath | Self::OtherStoragePath => "folder of local storage",
            Self::DiskShare => "disk space threshold",
            Self::RunName | Self::RunNameOnServer => "run name",
            Self::Database | Self::DatabaseProtection => "database",
            Self::BaseUrl => "address of GRIN",
            Self::RateLimit => "rate limit",
            Self::SharedRate => "file of a shared rate",
            Self::Named => "setting",
        })
    }
}

impl Error {
    pub(crate) fn setting(setting: Setting, value: impl Into<String>) -> Self {
        Self::Setting {
            setting,
            value: value.into(),
        }
    }

    pub(crate) fn server(
        database: &str,
        reason: &dyn std::fmt::Display,
        fault: ServerFault,
    ) -> Self {
        Self::Server {
            database: database.to_owned(),
            reason: reason.to_string(),
            fault,
        }
    }

    pub(crate) fn file(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::File {
            what,
            path: path.to_owned(),
            error,
        }
    }

    /// Whether the services answer, and let this person do nothing: for every book the same.
    pub(crate) fn is_about_access(&self) -> bool {
        matches!(
            self,
            Error::Web(web::Error::Status {
                status: 401 | 403,
                ..
            }) | Error::SignIn { .. }
        )
    }

    /// Whether this is about one request, so that the run keeps what it has and says what is missing.
    pub(crate) fn is_about_request(&self) -> bool {
        matches!(
            self,
            Error::Web(_)
                | Error::Page(_)
                | Error::Loop { .. }
                | Error::Repeated { .. }
                | Error::Shifted
                | Error::Answer { .. }
                | Error::SignIn { .. }
        )
    }
}

/// The beginning of a text that is not what was asked for, as an error tells it.
pub(crate) fn beginning(text: &str) -> String {
    text.chars().take(60).collect()
}

impl Classified for Error {
    fn class(&self) -> Class {
        match self {
            Error::Web(error) | Error::Page(PageError::Web(error)) => error.class(),
            // What came is not what was asked for; servers in trouble do that, and get over it.
            Error::Page(PageError::Unwanted | PageError::NoBarcodes { .. }) => Class::Final,
            Error::Page(_)
            | Error::Answer { .. }
            | Error::Loop { .. }
            | Error::Changed
            | Error::Short { .. } => Class::Transient,
            _ => Class::Final,
        }
    }
}
