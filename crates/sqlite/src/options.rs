//! How a database is opened: the builder, and the order of the steps from a path to a [`Db`].

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::connect;
use crate::create;
use crate::db::Db;
use crate::error::Error;
use crate::home::Home;
use crate::report::Meter;
use crate::schema::Schema;
use crate::schema::{owner, upgrade};

/// When a commit reaches the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// At the next checkpoint: a power cut may lose the last commits and never damages the file.
    #[default]
    Normal,
    /// Before the commit is acknowledged: for work that is dear to repeat.
    Full,
}

/// Sizes that trade memory and disk for speed.
#[derive(Clone, Copy, Debug)]
pub struct Tuning {
    /// Page cache of each connection in KiB.
    pub cache_kib: u32,
    /// Bytes of the file read through a memory map. 0 by default: with a map, a failing disk or a removed stick is a
    /// signal that kills the process, and not an error.
    pub mmap_bytes: u64,
    /// Page size in bytes, for files that are created.
    pub page_size: u32,
    /// The WAL is cut back to this many bytes when it starts over.
    pub wal_limit_bytes: u64,
    /// After this many pages in the WAL, the writer copies them to the file. More make bulk writing faster, since a page
    /// that changes often is copied less often, and make the pause of a copy longer: tens of milliseconds per 1,000.
    /// After a copy the WAL starts over, and the transaction that starts it waits for the disk once.
    pub checkpoint_pages: u32,
    /// The file never grows beyond this many pages, [`Error::DiskFull`] comes first; 0 for SQLite's own limit.
    pub max_pages: u32,
}

impl Default for Tuning {
    fn default() -> Self {
        Tuning {
            cache_kib: 16 * 1024,
            mmap_bytes: 0,
            page_size: 4096,
            wal_limit_bytes: 64 * 1024 * 1024,
            checkpoint_pages: 4000,
            max_pages: 0,
        }
    }
}

/// How to open a database; [`Options::open`] does it.
#[derive(Clone, Debug)]
#[must_use = "nothing is opened before `open`"]
pub struct Options {
    settings: Settings,
    schemas: Vec<Schema>,
    create: bool,
}

/// What connections and the writer need to know for as long as the database is open.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) path: PathBuf,
    pub(crate) synchronous: Synchronous,
    pub(crate) max_lock_wait: Duration,
    pub(crate) max_blocked: Duration,
    pub(crate) application_id: Option<i32>,
    pub(crate) private: bool,
    /// The file that was opened for writing.
    pub(crate) home: Option<Home>,
    pub(crate) busy_timeout: Duration,
    pub(crate) group_limit: Duration,
    pub(crate) readers: usize,
    pub(crate) tuning: Tuning,
}

impl Settings {
    /// Fails if the file that was opened for writing is no longer at its path.
    pub(crate) fn check_home(&self) -> Result<(), Error> {
        self.home.as_ref().map_or(Ok(()), Home::check)
    }
}

impl Options {
    /// The database at `path`, with the defaults named at each method.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Options {
            settings: Settings {
                path: path.as_ref().to_path_buf(),
                synchronous: Synchronous::Normal,
                max_lock_wait: Duration::from_secs(30),
                max_blocked: Duration::from_mins(2),
                application_id: None,
                private: false,
                home: None,
                busy_timeout: Duration::from_millis(250),
                group_limit: Duration::from_millis(3),
                readers: 4,
                tuning: Tuning::default(),
            },
            schemas: Vec::new(),
            create: true,
        }
    }

    /// Adds a component's schema; several components can share a file.
    pub fn schema(mut self, schema: Schema) -> Self {
        self.schemas.push(schema);
        self
    }

    /// When a commit reaches the disk; [`Synchronous::Normal`] unless said.
    pub fn synchronous(mut self, synchronous: Synchronous) -> Self {
        self.settings.synchronous = synchronous;
        self
    }

    /// How long a unit waits for other processes before [`Error::Locked`]; 30 s unless said.
    pub fn max_lock_wait(mut self, limit: Duration) -> Self {
        self.settings.max_lock_wait = limit;
        self
    }

    /// How long other processes may hold the lock without a pause before every unit fails with [`Error::Blocked`]; 2
    /// minutes unless said. A job of many units would otherwise wait for each of them.
    pub fn max_blocked(mut self, limit: Duration) -> Self {
        self.settings.max_blocked = limit;
        self
    }

    /// Marks files that are created as those of one program, as `file` shows it, and refuses those with another mark
    /// and unmarked ones that hold tables of others only with [`Error::Foreign`].
    pub fn application_id(mut self, id: i32) -> Self {
        self.settings.application_id = Some(id);
        self
    }

    /// Lets only its owner read a file that is created, where the system knows owners; everyone whom the umask lets unless
    /// said.
    pub fn private(mut self, private: bool) -> Self {
        self.settings.private = private;
        self
    }

    /// How long SQLite itself polls for the lock within one attempt; 250 ms unless said.
    pub fn busy_timeout(mut self, limit: Duration) -> Self {
        self.settings.busy_timeout = limit;
        self
    }

    /// After this time no further unit joins a transaction; 3 ms unless said, zero commits each unit alone.
    pub fn group_limit(mut self, limit: Duration) -> Self {
        self.settings.group_limit = limit;
        self
    }

    /// How many reads can run at a time; 4 unless said. Connections are opened when first needed.
    pub fn readers(mut self, readers: usize) -> Self {
        self.settings.readers = readers.max(1);
        self
    }

    /// Sizes of caches, pages and the WAL.
    pub fn tuning(mut self, tuning: Tuning) -> Self {
        self.settings.tuning = tuning;
        self
    }

    /// Whether a missing file is created; yes unless said.
    pub fn create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    /// Opens the database for reading and writing, creating or upgrading it where needed.
    ///
    /// A missing file is built beside its place and appears at once, complete. An existing file is first compared with
    /// the schemas by reading; only if something is missing is the write lock taken, once.
    pub fn open(mut self) -> Result<Db, Error> {
        self.make_absolute()?;
        let mut settings = self.settings;
        create::remove_abandoned(&settings.path);
        if !create::exists(&settings.path)? {
            if !self.create {
                return Err(Error::CannotOpen {
                    path: settings.path,
                    reason: "there is no such file".into(),
                });
            }
            create::fresh(&settings, &self.schemas)?;
        }
        let meter = Arc::new(Meter::default());
        let home = Home::of(&settings.path)?;
        let mut connection = connect::writer(&settings)?;
        // Whatever was opened in between, it is what the path named before and after.
        home.check()?;
        owner::check(&connection, &settings, &self.schemas)?;
        connect::prepare(&connection, &settings)?;
        settings.home = Some(home);
        let warnings =
            upgrade::bring_up_to_date(&mut connection, &settings, &self.schemas, &meter)?;
        connect::end_upgrade(&connection, &settings.path)?;
        Db::start(settings, connection, meter, warnings)
    }

    /// Opens the database for reading only; nothing is created, upgraded or locked.
    ///
    /// Nothing is left behind either: where the file may be written, the last reader removes the WAL and its shared
    /// memory, and finishes what a killed process left in them. On read-only media, and where only reading is allowed and
    /// nobody has the file open, it is opened as immutable.
    pub fn open_read_only(mut self) -> Result<Db, Error> {
        self.make_absolute()?;
        let settings = self.settings;
        if !create::exists(&settings.path)? {
            return Err(Error::CannotOpen {
                path: settings.path,
                reason: "there is no such file".into(),
            });
        }
        let (connection, access) = connect::probe_reader(&settings)?;
        owner::check(&connection, &settings, &self.schemas)?;
        let warnings = upgrade::compare_read_only(&connection, &settings.path, &self.schemas)?;
        Ok(Db::read_only(settings, connection, access, warnings))
    }

    /// A relative path would name another file after a change of directory; readers open late.
    fn make_absolute(&mut self) -> Result<(), Error> {
        let path = std::path::absolute(&self.settings.path)
            .map_err(|error| Error::io(&self.settings.path, &error))?;
        self.settings.path = path;
        Ok(())
    }
}
