//! How a database is to be opened.

use std::path::Path;
use std::time::Duration;

use crate::schema::Schema;
use crate::settings::{Settings, Synchronous, Tuning};

/// How to open a database; [`Options::open`] does it.
#[derive(Clone, Debug)]
#[must_use = "nothing is opened before `open`"]
pub struct Options {
    pub(crate) settings: Settings,
    pub(crate) schemas: Vec<Schema>,
    pub(crate) create: bool,
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
                copies_aside: false,
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

    /// How long a unit waits for other processes before [`crate::Error::Locked`]; 30 s unless said.
    pub fn max_lock_wait(mut self, limit: Duration) -> Self {
        self.settings.max_lock_wait = limit;
        self
    }

    /// How long other processes may hold the lock without a pause before every unit fails with [`crate::Error::Blocked`]; 2
    /// minutes unless said. A job of many units would otherwise wait for each of them.
    pub fn max_blocked(mut self, limit: Duration) -> Self {
        self.settings.max_blocked = limit;
        self
    }

    /// Marks files that are created as those of one program, as `file` shows it, and refuses those with another mark
    /// and unmarked ones that hold tables of others only with [`crate::Error::Foreign`].
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

    /// Whether another thread copies the WAL back to the file while the writer goes on, for units that come without a pause;
    /// no unless said. The WAL becomes some times as long.
    pub fn copies_aside(mut self, aside: bool) -> Self {
        self.settings.copies_aside = aside;
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
}
