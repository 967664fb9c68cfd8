//! A library: one SQLite file in the WKMP schema, and the root folder its paths start from.

pub mod adopt;
pub mod answers;
pub mod backup;
pub(crate) mod belongings;
pub mod browse;
pub(crate) mod bundle;
pub mod check;
mod columns;
pub mod covers;
pub(crate) mod descriptions;
pub mod due;
pub mod edits;
pub(crate) mod former;
pub mod identification;
pub mod jobs;
pub mod known;
pub mod lists;
pub(crate) mod marks;
pub mod names;
pub mod port;
pub mod query;
pub mod record;
pub mod review;
pub mod search;
pub mod settings;
pub mod shown_flavor;
pub mod values;
pub mod verdicts;

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlite::{Column, Db, Migration, Newer, Options, Schema, State, Warning};

use run::{KeptClosed, Scratch};

use crate::error::{Error, Result};
use crate::library::settings::Settings;

/// The database's name in the root folder.
pub const DATABASE: &str = "wkmp.db";

/// How long files join a transaction where nothing else is done than recording them: all that wait, of whose pages most are
/// the same. A third more files a second than with the engine's 3 ms; 100 ms gave no more.
const RECORDED_TOGETHER: Duration = Duration::from_millis(50);

/// Marks a library that we made: "Acmu". Those that WKMP made bear no mark.
const APPLICATION_ID: i32 = i32::from_be_bytes(*b"Acmu");

/// The WKMP part of the schema. A newer version only warns, as WKMP's own services do.
const WKMP: Schema = Schema {
    component: "wkmp",
    version: 1,
    ddl: include_str!("../sql/wkmp.sql"),
    columns: columns::COLUMNS,
    migrations: &[],
    newer: Newer::Warn,
};

/// The version of our own part of the schema: a library of a newer one is refused.
pub const SCHEMA_VERSION: u32 = ACCESSION.version;

/// Our own part. A file that a newer Accession has written is refused.
const ACCESSION: Schema = Schema {
    component: "accession_music",
    version: 8,
    ddl: include_str!("../sql/accession.sql"),
    columns: &[
        Column {
            table: "accession_files",
            name: "description_version",
            definition: "INTEGER",
        },
        Column {
            table: "accession_files",
            name: "decoder",
            definition: "TEXT",
        },
        Column {
            table: "accession_files",
            name: "misnamed",
            definition: "TEXT",
        },
        Column {
            table: "accession_files",
            name: "changed_ns",
            definition: "INTEGER",
        },
        Column {
            table: "accession_files",
            name: "tags_digest",
            definition: "TEXT",
        },
        Column {
            table: "accession_files",
            name: "sheets",
            definition: "TEXT",
        },
        Column {
            table: "accession_files",
            name: "sheets_content",
            definition: "TEXT",
        },
        Column {
            table: "accession_files",
            name: "audio_md5",
            definition: "TEXT",
        },
        Column {
            table: "accession_files",
            name: "audio_xxh3",
            definition: "TEXT",
        },
        Column {
            table: "accession_files",
            name: "cut_by",
            definition: "TEXT CHECK (cut_by IS NULL OR cut_by IN ('person', 'marks', 'release', 'silence', 'whole'))",
        },
        Column {
            table: "accession_edits",
            name: "file_id",
            definition: "TEXT",
        },
        Column {
            table: "accession_edits",
            name: "file_path",
            definition: "TEXT",
        },
        Column {
            table: "accession_verdicts",
            name: "file_id",
            definition: "TEXT",
        },
    ],
    migrations: &[
        Migration {
            version: 4,
            // Keys without a value, which WKMP's services read as an empty text that is no number.
            sql: "DELETE FROM settings WHERE value IS NULL AND key IN ( \
              'ai_processing_thread_count', 'ai_database_lock_retry_ms', 'ai_database_max_lock_wait_ms', \
              'silence_threshold_dB', 'silence_min_duration_ticks', 'minimum_passage_audio_duration_ticks', \
              'lead_in_threshold_dB', 'lead_out_threshold_dB', 'acoustid_api_key', 'acoustid_base_url', \
              'musicbrainz_base_url', 'acousticbrainz_base_url', 'cover_art_base_url', \
              'musicbrainz_requests_per_second', 'service_contact', 'flavor_source')",
        },
        Migration {
            version: 6,
            // Edits were of a sound alone; where one file has it, they are that file's.
            sql: "UPDATE accession_edits SET file_id = (SELECT min(guid) FROM ( \
                  SELECT file_id AS guid FROM accession_files WHERE audio_md5 = sound UNION \
                  SELECT guid FROM files WHERE hash = sound AND status <> 'DUPLICATE HASH') HAVING count(*) = 1)",
        },
        Migration {
            version: 7,
            // The one that has the albums, too, does its work.
            sql: "DROP INDEX IF EXISTS idx_accession_passages_artist",
        },
    ],
    newer: Newer::Refuse,
};

/// What identification adds.
const IDENTIFY: Schema = Schema {
    component: "accession_identify",
    version: 4,
    ddl: include_str!("../sql/identify.sql"),
    columns: &[Column {
        table: "accession_flavors",
        name: "submission",
        definition: "INTEGER NOT NULL DEFAULT 0",
    }],
    migrations: &[Migration {
        version: 3,
        // Decisions that were made before there was a table of edits.
        sql: "INSERT INTO accession_edits (sound, field, start_ticks, end_ticks, value, source, made_at) \
              SELECT f.hash, 'match', p.start_time_ticks, p.end_time_ticks, \
                     CASE i.state WHEN 'chosen' THEN coalesce(i.recording_mbid, '') ELSE '' END, 'person', \
                     i.identified_at \
              FROM accession_identifications i JOIN passages p ON p.guid = i.passage_id \
              JOIN files f ON f.guid = p.file_id \
              WHERE i.state IN ('chosen', 'rejected') AND length(f.hash) = 64",
    }],
    newer: Newer::Refuse,
};

/// What files are found by.
const SEARCH: Schema = Schema {
    component: "accession_search",
    version: 1,
    ddl: include_str!("../sql/search.sql"),
    columns: &[],
    migrations: &[],
    newer: Newer::Refuse,
};

/// What a server keeps of the jobs that it was asked for.
const JOBS: Schema = Schema {
    component: "accession_jobs",
    version: 2,
    ddl: include_str!("../sql/jobs.sql"),
    columns: &[],
    migrations: &[Migration {
        version: 2,
        // A job may wait now.
        sql: "ALTER TABLE accession_jobs RENAME TO accession_jobs_1; \
              DROP INDEX idx_accession_jobs_started; \
              CREATE TABLE accession_jobs ( \
                  job_id TEXT PRIMARY KEY, \
                  folder TEXT NOT NULL, \
                  state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'completed', 'cancelled', 'failed')), \
                  started_at TEXT NOT NULL, \
                  ended_at TEXT, \
                  report TEXT \
              ); \
              INSERT INTO accession_jobs SELECT job_id, folder, state, started_at, ended_at, report \
                  FROM accession_jobs_1 ORDER BY rowid; \
              DROP TABLE accession_jobs_1;",
    }],
    newer: Newer::Refuse,
};

/// An open library.
#[derive(Debug, Clone)]
pub struct Library {
    db: Db,
    root: PathBuf,
    path: PathBuf,
    settings: Settings,
    scratch: Option<std::sync::Arc<Scratch>>,
    /// Looking into a folder must not open its own files; let go of after `db`.
    _kept: std::sync::Arc<KeptClosed>,
}

impl Library {
    /// Opens the library at `path`, and makes it where there is none.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened or made, is no database, or a newer program wrote it.
    pub fn open(path: &Path, root: &Path) -> Result<Self> {
        Self::open_with(path, root, options)
    }

    /// The same for a run that only records, thousands of files in a row: more of them share a transaction, and others wait
    /// for the lock up to 50 ms.
    ///
    /// # Errors
    ///
    /// As of [`open`](Self::open).
    pub fn open_to_record(path: &Path, root: &Path) -> Result<Self> {
        Self::open_with(path, root, |path, settings| {
            options(path, settings)
                .group_limit(RECORDED_TOGETHER)
                .copies_aside(true)
        })
    }

    fn open_with(
        path: &Path,
        root: &Path,
        options: impl Fn(&Path, &Settings) -> Options,
    ) -> Result<Self> {
        let mut db = options(path, &Settings::default()).open()?;
        let settings = Settings::load(&db)?;
        // How long to wait for the lock is stored in the file itself.
        if !settings.waits_by_default() {
            db.close()?;
            db = options(path, &settings).open()?;
        }
        Ok(Self {
            db,
            root: root.to_owned(),
            path: path.to_owned(),
            settings,
            scratch: None,
            _kept: KeptClosed::of(path).into(),
        })
    }

    /// Opens an existing library for reading only; nothing is written, not even a missing table.
    ///
    /// # Errors
    ///
    /// When there is none, or it cannot be read.
    pub fn open_read_only(path: &Path, root: &Path) -> Result<Self> {
        match path.try_exists() {
            Ok(true) => {}
            Ok(false) => {
                return Err(Error::NoLibrary {
                    path: path.to_owned(),
                });
            }
            // In a folder that may not be looked into there may be one.
            Err(error) => {
                return Err(Error::Database(sqlite::Error::CannotOpen {
                    path: path.to_owned(),
                    reason: error.to_string(),
                }));
            }
        }
        let db = options(path, &Settings::default()).open_read_only()?;
        if db.warnings().iter().any(is_incomplete) {
            return Self::completed_copy(&db, path, root);
        }
        let settings = Settings::load(&db).unwrap_or_default();
        Ok(Self {
            db,
            root: root.to_owned(),
            path: path.to_owned(),
            settings,
            scratch: None,
            _kept: KeptClosed::of(path).into(),
        })
    }

    /// A library that is thrown away: what a dry run compares with where there is none yet at `path`.
    ///
    /// # Errors
    ///
    /// When no temporary file can be made.
    pub fn scratch(path: &Path, root: &Path) -> Result<Self> {
        let folder = Scratch::new()?;
        let mut library = Self::open(&folder.path().join(DATABASE), root)?;
        path.clone_into(&mut library.path);
        library.scratch = Some(std::sync::Arc::new(folder));
        Ok(library)
    }

    /// A library that lacks tables, because only WKMP has written to it so far, is read from a
    /// copy that has them; the library itself stays as it is.
    fn completed_copy(db: &Db, path: &Path, root: &Path) -> Result<Self> {
        let folder = Scratch::new()?;
        let copy = folder.path().join(DATABASE);
        db.backup(&copy)?;
        let mut library = Self::open(&copy, root)?;
        path.clone_into(&mut library.path);
        library.scratch = Some(std::sync::Arc::new(folder));
        Ok(library)
    }

    /// The root folder that the library at `path` was last used with; `None` where it does not say.
    pub fn last_root(path: &Path) -> Option<PathBuf> {
        let db = options(path, &Settings::default()).open_read_only().ok()?;
        query::last_root(&db).ok().flatten().map(PathBuf::from)
    }

    /// Where a path below the root folder really leads, links and all; `None` where that is elsewhere.
    ///
    /// # Errors
    ///
    /// When there is nothing at the path, or it cannot be looked at.
    pub(crate) fn real(&self, path: &Path) -> std::io::Result<Option<PathBuf>> {
        let root = self.root().canonicalize()?;
        let real = root.join(path).canonicalize()?;
        Ok(real.starts_with(&root).then_some(real))
    }

    /// The same library for somebody who waits for an answer: what is written through it waits for other programs no longer
    /// than `limit`.
    #[must_use]
    pub fn with_patience(&self, limit: Duration) -> Self {
        Self {
            db: self.db.with_patience(limit),
            ..self.clone()
        }
    }

    /// Finishes all writing and closes the database; without this, dropping does the same silently.
    ///
    /// # Errors
    ///
    /// When the database cannot be brought to rest.
    pub fn close(self) -> Result<()> {
        self.db.close()?;
        Ok(())
    }

    /// The database.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// Whether the database that was opened is still at its path.
    ///
    /// # Errors
    ///
    /// When it is not, or that cannot be found out.
    pub fn check_home(&self) -> Result<()> {
        Ok(self.db.check_home()?)
    }

    /// The state that the database is in; see [`Db::state`].
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn state(&self) -> Result<State> {
        Ok(self.db.state()?)
    }

    /// The folder that the library's paths start from.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a file of the library lies; `None` for a path that somebody else wrote and that leads out of it.
    pub(crate) fn place(&self, path: &str) -> Option<PathBuf> {
        let path = path.parse::<run::LibraryPath>().ok()?;
        Some(path.below(&self.root))
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The settings in force when the library was opened.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}

fn is_incomplete(warning: &Warning) -> bool {
    matches!(warning, Warning::OlderSchema { .. })
}

fn options(path: &Path, settings: &Settings) -> Options {
    Options::new(path)
        .schema(WKMP)
        .schema(ACCESSION)
        .schema(IDENTIFY)
        .schema(SEARCH)
        .schema(JOBS)
        .application_id(APPLICATION_ID)
        // It holds the key for AcoustID.
        .private(true)
        .busy_timeout(settings.lock_retry)
        .max_lock_wait(settings.max_lock_wait)
}

#[cfg(test)]
mod tests {
    use sqlite::params;

    use super::*;

    fn columns_of(db: &Db, table: &'static str) -> Vec<(String, bool)> {
        db.read(|snapshot| -> Result<_> {
            Ok(snapshot.query_all(
                "SELECT name, hidden <> 0 FROM pragma_table_xinfo(?1) ORDER BY name",
                params![table],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?)
        })
        .unwrap()
    }

    #[test]
    fn every_declared_column_is_that_of_the_schema() {
        let sql: String = include_str!("../sql/wkmp.sql")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        for column in columns::COLUMNS {
            let declared = format!(" {} {},", column.name, column.definition);
            assert!(
                sql.contains(&declared)
                    || sql.contains(&format!("{} );", declared.trim_end_matches(','))),
                "{declared}"
            );
        }
    }

    #[test]
    fn a_library_made_by_wkmp_gets_what_it_lacks_and_keeps_what_it_has() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(DATABASE);
        let old = "CREATE TABLE files (guid TEXT PRIMARY KEY, path TEXT NOT NULL UNIQUE, hash TEXT NOT NULL, \
                   modification_time TIMESTAMP NOT NULL, created_at TIMESTAMP, updated_at TIMESTAMP, extra TEXT);
                   INSERT INTO files (guid, path, hash, modification_time) VALUES ('g', 'a.mp3', '', '2025-01-01 00:00:00');";
        let seed = Schema {
            component: "seed",
            version: 1,
            ddl: old,
            columns: &[],
            migrations: &[],
            newer: Newer::Warn,
        };
        drop(Options::new(&path).schema(seed).open().unwrap());

        let upgraded = Library::open(&path, folder.path()).unwrap();
        let fresh_folder = tempfile::tempdir().unwrap();
        let fresh =
            Library::open(&fresh_folder.path().join(DATABASE), fresh_folder.path()).unwrap();
        let mut expected = columns_of(fresh.db(), "files");
        expected.push(("extra".to_owned(), false));
        expected.sort();
        assert_eq!(columns_of(upgraded.db(), "files"), expected);
        let paths = upgraded
            .db()
            .read(|snapshot| {
                snapshot.query_all("SELECT path FROM files", params![], |row| {
                    row.get::<_, String>(0)
                })
            })
            .unwrap_or_else(|error: sqlite::Error| panic!("{error}"));
        assert_eq!(paths, ["a.mp3"]);
    }

    #[test]
    fn the_players_old_query_reads_seconds() {
        let folder = tempfile::tempdir().unwrap();
        let library = Library::open(&folder.path().join(DATABASE), folder.path()).unwrap();
        library
            .db()
            .try_write("seed", |tx| -> Result<()> {
                tx.execute("INSERT INTO files (guid, path, hash, modification_time, duration_ticks) VALUES ('f', 'a.mp3', '', '', 282240000)", params![])?;
                tx.execute("INSERT INTO passages (guid, file_id, start_time_ticks, end_time_ticks, lead_out_start_ticks) VALUES ('p', 'f', 14112000, 282240000, 254016000)", params![])?;
                Ok(())
            })
            .unwrap();
        let query = "SELECT p.guid, f.path, p.start_time, p.end_time, p.lead_in_point, p.lead_out_point, \
                     p.fade_in_point, p.fade_out_point, p.fade_in_curve, p.fade_out_curve, f.duration \
                     FROM passages p JOIN files f ON p.file_id = f.guid WHERE p.guid = ?";
        let row: (f64, f64, Option<f64>, Option<f64>, f64) = library
            .db()
            .read(|snapshot| -> Result<_> {
                Ok(snapshot.query_row(query, params!["p"], |row| {
                    Ok((
                        row.get(2)?,
                        row.get(3)?,
                        row.get(4)?,
                        row.get(5)?,
                        row.get(10)?,
                    ))
                })?)
            })
            .unwrap();
        assert_eq!(row, (0.5, 10.0, None, Some(9.0), 10.0));
    }
}
