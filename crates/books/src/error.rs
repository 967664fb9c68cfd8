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
    #[error("`{value}` is no {what}{hint}")]
    Setting {
        /// What it should be.
        what: &'static str,
        /// What it is.
        value: String,
        /// Advice on its own line, or nothing.
        hint: &'static str,
    },
    /// A setting is missing.
    #[error("`{what}` is not set\nhint: {hint}")]
    Missing {
        /// Its name.
        what: &'static str,
        /// Where to set it.
        hint: &'static str,
    },
    /// There is no such run.
    #[error("there is no run at `{}`\nhint: `accession books collect --run-name ..` starts one", path.display())]
    NoRun {
        /// Its directory.
        path: PathBuf,
    },
    /// A run was begun with other settings.
    #[error(
        "the run `{run}` was begun with other settings: {difference}\nhint: leave these settings out to go on, or choose another --run-name for another collection"
    )]
    OtherSettings {
        /// The run.
        run: String,
        /// Each setting with both values.
        difference: String,
    },
    /// Another process works on the run.
    #[error("another session is running for `{run}`\nhint: wait for it to end, or stop it")]
    Busy {
        /// The run.
        run: String,
    },
    /// The database.
    #[error(transparent)]
    Database(#[from] sqlite::Error),
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
    /// An answer that is no table of books.
    #[error("the answer is no list of books: {reason}")]
    Answer {
        /// What is wrong with it.
        reason: String,
    },
    /// Signing in, or staying signed in.
    #[error("cannot sign in: {reason}\nhint: `accession books auth setup` signs in anew")]
    SignIn {
        /// What was said.
        reason: String,
    },
    /// Writing an export.
    #[error("cannot write the export: {0}")]
    Output(#[source] io::Error),
    /// A part of the program ended that should not have.
    #[error("{0} ended before its work was done")]
    Gone(&'static str),
}

impl Error {
    pub(crate) fn file(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::File {
            what,
            path: path.to_owned(),
            error,
        }
    }

    /// Whether this is about one request, so that the run keeps what it has and says what is missing.
    pub(crate) fn is_about_request(&self) -> bool {
        matches!(
            self,
            Error::Web(_)
                | Error::Page(_)
                | Error::Loop { .. }
                | Error::Repeated { .. }
                | Error::Answer { .. }
                | Error::SignIn { .. }
        )
    }
}

impl Classified for Error {
    fn class(&self) -> Class {
        match self {
            Error::Web(error) | Error::Page(PageError::Web(error)) => error.class(),
            // What came is not what was asked for; servers in trouble do that, and get over it.
            Error::Page(PageError::Unwanted | PageError::NoBarcodes { .. }) => Class::Final,
            Error::Page(_) | Error::Answer { .. } | Error::Loop { .. } => Class::Transient,
            _ => Class::Final,
        }
    }
}
