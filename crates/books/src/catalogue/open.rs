//! The run's database: its tables, and how it is opened.

use std::path::{Path, PathBuf};

use sqlite::{Column, Db, Newer, Options, Schema, Tuning, WriteReport};

use crate::catalogue::columns::{COLUMNS, IS_DECRYPTED};
use crate::catalogue::server::Server;
use crate::catalogue::store::Store;
use crate::error::Error;
use crate::run::{Place, Run};

/// A run's database, open.
#[derive(Clone, Debug)]
pub struct Catalogue {
    pub(super) store: Store,
    /// Which file its path led to when it was opened.
    file: Option<FileId>,
}

/// What tells a file from another one of the same name; nothing where the system keeps open files in their places.
type FileId = (u64, u64);

/// Columns that databases of other versions and tools may lack.
const ADDED: [Column; COLUMNS.len() + 3] = added();

const fn added() -> [Column; COLUMNS.len() + 3] {
    const LAST: usize = COLUMNS.len() - 1;
    let mut all = [Column {
        table: "books",
        name: "barcode",
        definition: "TEXT",
    }; COLUMNS.len() + 3];
    let mut index = 1;
    while index < COLUMNS.len() {
        all[index].name = COLUMNS[index].name;
        all[index].definition = match index {
            IS_DECRYPTED => "BOOLEAN DEFAULT FALSE",
            // The two times that every book has.
            LAST => "TEXT NOT NULL DEFAULT ''",
            index if index + 1 == LAST => "TEXT NOT NULL DEFAULT ''",
            _ => "TEXT",
        };
        index += 1;
    }
    all[COLUMNS.len()] = Column {
        table: "failed",
        name: "error_message",
        definition: "TEXT",
    };
    all[COLUMNS.len() + 1] = Column {
        table: "book_status_history",
        name: "metadata",
        definition: "TEXT",
    };
    all[COLUMNS.len() + 2] = Column {
        table: "accession_collection",
        name: "part",
        definition: "INTEGER NOT NULL DEFAULT 0",
    };
    all
}

/// Marks a database that we made: "Acbk". Those of other tools bear no mark.
const APPLICATION_ID: i32 = i32::from_be_bytes(*b"Acbk");

/// The version of the schema of a run's database: one of a newer version is refused.
pub const SCHEMA_VERSION: u32 = SCHEMA.version;

const SCHEMA: Schema = Schema {
    component: "books",
    version: 1,
    ddl: include_str!("../../sql/schema.sql"),
    columns: &ADDED,
    migrations: &[],
    newer: Newer::Refuse,
};

/// The engine's defaults but for one: caches, maps and larger pages give nothing that `sqlite-large` could measure.
fn options(path: &Path) -> Options {
    let tuning = Tuning {
        // A page of books changes some hundred pages of the file; copying them back after every transaction would write
        // most of them many times.
        checkpoint_pages: 8_000,
        ..Tuning::default()
    };
    Options::new(path)
        .schema(SCHEMA)
        .application_id(APPLICATION_ID)
        .tuning(tuning)
}

impl Catalogue {
    /// Opens the database of a run, wherever it is, and makes or completes it where needed.
    ///
    /// # Errors
    ///
    /// [`Error::Database`], [`Error::Server`].
    pub fn of_run(run: &Run) -> Result<Self, Error> {
        match run.server()? {
            Some(address) => Ok(Self::served(Server::open(address, run.config(), true)?)),
            None => Self::open(&run.database()),
        }
    }

    /// Opens the database of a run for a command that only reads.
    ///
    /// # Errors
    ///
    /// [`Error::NoDatabase`] if it was never made, [`Error::Database`], [`Error::Server`].
    pub fn of_run_to_read(run: &Run) -> Result<Self, Error> {
        if let Some(address) = run.server()? {
            return Ok(Self::served(Server::open(address, run.config(), false)?));
        }
        let path = run.database();
        // A file without a byte is as good as none.
        if std::fs::metadata(&path).map_or(0, |file| file.len()) == 0 {
            return Err(Error::NoDatabase {
                path: run.directory().to_owned(),
            });
        }
        Self::open_to_read(&path)
    }

    /// Opens another database for the run than its own: on a server, or in a file.
    ///
    /// # Errors
    ///
    /// [`Error::Database`], [`Error::Server`].
    pub fn elsewhere(run: &Run, place: &Place) -> Result<Self, Error> {
        match place {
            Place::File(path) => Self::open(path),
            Place::Server(url) => {
                let address = run.address(url)?;
                Ok(Self::served(Server::open(address, run.config(), true)?))
            }
        }
    }

    /// Opens a database file, and makes or completes it where needed. What others put there stays.
    ///
    /// # Errors
    ///
    /// [`Error::Database`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        Ok(Self::of(options(path).open()?))
    }

    /// Opens it for a command that only reads; columns and tables that are missing are added if the disk allows it.
    ///
    /// # Errors
    ///
    /// [`Error::Database`].
    pub fn open_to_read(path: &Path) -> Result<Self, Error> {
        let db = match options(path).create(false).open() {
            Err(sqlite::Error::ReadOnly { .. }) => options(path).open_read_only()?,
            other => other?,
        };
        Ok(Self::of(db))
    }

    fn of(db: Db) -> Self {
        let file = file_id(db.path());
        Self {
            store: Store::File(db),
            file,
        }
    }

    fn served(server: Server) -> Self {
        Self {
            store: Store::Server(server),
            file: None,
        }
    }

    /// Makes sure that the file is still where it was: what is written to one that was removed or replaced is lost.
    ///
    /// # Errors
    ///
    /// [`Error::Moved`].
    pub(crate) fn check_in_place(&self) -> Result<(), Error> {
        let Store::File(db) = &self.store else {
            return Ok(());
        };
        let path = db.path();
        if file_id(path) == self.file {
            return Ok(());
        }
        Err(Error::Moved {
            path: PathBuf::from(path),
        })
    }

    /// The database's file; none on a server.
    pub fn path(&self) -> Option<&Path> {
        match &self.store {
            Store::File(db) => Some(db.path()),
            Store::Server(_) => None,
        }
    }

    /// Where the database is, for people.
    pub fn shown(&self) -> String {
        match &self.store {
            Store::File(db) => db.path().display().to_string(),
            Store::Server(server) => server.shown(),
        }
    }

    /// Closes it; what writing took.
    ///
    /// # Errors
    ///
    /// [`Error::Database`].
    pub fn close(self) -> Result<WriteReport, Error> {
        match self.store {
            Store::File(db) => Ok(db.close()?),
            Store::Server(server) => Ok(server.close()),
        }
    }
}

#[cfg(unix)]
fn file_id(path: &Path) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt;
    let found = std::fs::metadata(path).ok()?;
    Some((found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn file_id(_: &Path) -> Option<FileId> {
    None
}
