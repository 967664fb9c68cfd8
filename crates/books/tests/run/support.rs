//! A run in a temporary folder, and what its database holds.

use std::sync::Mutex;

use books::collect::Collect;
use books::enrich::Enrich;
use books::grin::{CredentialPlaces, GrinOptions};
use books::run::StorageKind;
use books::{CollectCompleted, EnrichCompleted, Event, Run, RunOptions, Session, SessionOptions};
use run::Cancel;
use rusqlite::Connection;
use tempfile::TempDir;
use testkit::grin::{FakeCatalogue, FakeGrin, listed, stored};

/// A run, and the GRIN it is of.
pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) grin: FakeGrin,
    /// What stands before GRIN, if anything does.
    pub(crate) before: Option<String>,
    pub(crate) retries: u32,
    pub(crate) events: Mutex<Vec<Event>>,
    pub(crate) cancel: Cancel,
}

impl World {
    pub(crate) fn new(catalogue: FakeCatalogue) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let grin = FakeGrin::start(catalogue).unwrap();
        grin.write_credentials(folder.path()).unwrap();
        Self {
            folder,
            grin,
            before: None,
            retries: 2,
            events: Mutex::default(),
            cancel: Cancel::new(),
        }
    }

    pub(crate) fn run(&self) -> Run {
        let options = RunOptions {
            library_directory: Some("X".into()),
            storage: Some(StorageKind::S3),
            log_dir: Some(self.folder.path().join("logs").display().to_string()),
            ..RunOptions::default()
        };
        Run::begin(&self.folder.path().join("output"), "R", &options).unwrap()
    }

    fn session(&self) -> Session {
        let options = SessionOptions {
            with_others: false,
            library: None,
            credentials: CredentialPlaces::in_folder(self.folder.path()),
            grin: GrinOptions {
                base_url: self.before.clone().unwrap_or_else(|| self.grin.url()),
                requests_per_second: 0.0,
                shared_rate: None,
                retries: self.retries,
            },
        };
        Session::open(self.run(), &options, &self.cancel).unwrap()
    }

    fn heard(&self, event: &Event) {
        self.events.lock().unwrap().push(event.clone());
    }

    pub(crate) fn collect(&self, options: &Collect) -> CollectCompleted {
        self.session()
            .collect(options, &|event| self.heard(event))
            .unwrap()
    }

    pub(crate) fn collect_all(&self) -> CollectCompleted {
        self.collect(&Collect {
            books_per_page: 1000,
            ..Collect::default()
        })
    }

    pub(crate) fn enrich(&self, options: &Enrich) -> EnrichCompleted {
        self.session()
            .enrich(options, &|event| self.heard(event))
            .unwrap()
    }

    pub(crate) fn sql(&self) -> Connection {
        Connection::open(self.run().database()).unwrap()
    }

    pub(crate) fn count(&self, what: &str) -> u64 {
        let sql = format!("SELECT count(*) FROM {what}");
        self.sql().query_row(&sql, [], |row| row.get(0)).unwrap()
    }

    /// Books as a list page tells them, in the order of rows.
    pub(crate) fn stored(&self) -> Vec<[String; 10]> {
        stored(&self.run().database()).unwrap()
    }

    /// The catalogue is in the database, every book and every column, and nothing else.
    pub(crate) fn assert_complete(&self, books: u64) {
        let expected: Vec<_> = (0..books).map(|number| listed(number, 0)).collect();
        assert!(self.stored() == expected, "the catalogue differs");
        assert_eq!(self.count("processed"), books);
    }
}
