//! A root folder with songs by number, imported as often as a test likes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, UNIX_EPOCH};

use music::{Completed, Event, Import, Library};
use run::{Cancel, Progress};
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;
use testkit::synth::wav::{Depth, write};
use testkit::synth::{Pcm, concatenate, noise};

pub(crate) struct Root {
    folder: TempDir,
}

/// What an import said.
pub(crate) struct Done {
    pub(crate) completed: Completed,
    pub(crate) events: Vec<Value>,
}

impl Root {
    pub(crate) fn empty() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
        }
    }

    /// With a song for each name, the first being number 1; all of them are imported.
    pub(crate) fn with(names: &[&str]) -> Self {
        let root = Self::empty();
        for (number, name) in (1..).zip(names) {
            root.song(name, number);
        }
        root.import();
        root
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Writes the song of a number: all of one length, each with its own content.
    pub(crate) fn song(&self, name: &str, number: u64) {
        self.sound(name, number, 1, 3.0);
    }

    pub(crate) fn sound(&self, name: &str, number: u64, passages: u64, seconds: f64) {
        let path = self.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let pieces: Vec<Pcm> = (0..passages)
            .map(|piece| noise(number * 100 + piece, -12.0, seconds, 8_000, 1))
            .collect();
        write(&path, &concatenate(&pieces, 2.0), Depth::Int16).unwrap();
    }

    pub(crate) fn copy(&self, from: &str, to: &str) {
        std::fs::create_dir_all(self.join(to).parent().unwrap()).unwrap();
        std::fs::copy(self.join(from), self.join(to)).unwrap();
    }

    pub(crate) fn rename(&self, from: &str, to: &str) {
        std::fs::create_dir_all(self.join(to).parent().unwrap()).unwrap();
        std::fs::rename(self.join(from), self.join(to)).unwrap();
    }

    pub(crate) fn remove(&self, name: &str) {
        std::fs::remove_file(self.join(name)).unwrap();
    }

    pub(crate) fn touch(&self, name: &str) {
        let file = std::fs::File::options()
            .write(true)
            .open(self.join(name))
            .unwrap();
        file.set_modified(UNIX_EPOCH + Duration::from_secs(1_234_567_890))
            .unwrap();
    }

    pub(crate) fn import(&self) -> Done {
        self.import_with(|_| ())
    }

    pub(crate) fn import_with(&self, change: impl FnOnce(&mut Import)) -> Done {
        self.try_import(change).unwrap()
    }

    pub(crate) fn try_import(&self, change: impl FnOnce(&mut Import)) -> music::Result<Done> {
        let mut import = Import {
            only: None,
            session: None,
            folder: self.path(),
            jobs: 8,
            prune: false,
            dry_run: false,
            force: false,
        };
        change(&mut import);
        let library = Library::open(&self.join(music::DATABASE), &self.path())?;
        let events = Mutex::new(Vec::new());
        let tell = |event: &Event| {
            events
                .lock()
                .unwrap()
                .push(serde_json::to_value(event).unwrap());
        };
        let progress = Progress::new(import.jobs);
        let completed = music::import(&library, &import, &Cancel::new(), &progress, &tell);
        let findings = music::library::check::check(&library)?;
        library.close()?;
        let completed = completed?;
        // Whatever happened, the library is whole; files that are gone are the test's own doing.
        assert_eq!(
            (findings.integrity, findings.foreign_keys, findings.orphans),
            Default::default()
        );
        let files = completed.files;
        let parts = files.recorded
            + files.unchanged
            + files.duplicate
            + files.no_audio
            + files.failed
            + files.misleading
            + files.not_reached;
        assert_eq!(files.found, parts, "{files:?}");
        Ok(Done {
            completed,
            events: events.into_inner().unwrap(),
        })
    }

    pub(crate) fn open(&self) -> Connection {
        Connection::open(self.join(music::DATABASE)).unwrap()
    }

    /// Pairs of a query, by the first one.
    pub(crate) fn pairs(&self, sql: &str) -> BTreeMap<String, String> {
        let db = self.open();
        let mut statement = db.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// The id of each file, by its path.
    pub(crate) fn ids(&self) -> BTreeMap<String, String> {
        self.pairs("SELECT path, guid FROM files")
    }

    /// The passages' ids of each file that has any, by its path.
    pub(crate) fn passages(&self) -> BTreeMap<String, String> {
        self.pairs(
            "SELECT f.path, group_concat(p.guid) FROM files f JOIN passages p ON p.file_id = f.guid GROUP BY f.path",
        )
    }

    /// Each file as `path status`, with the paths of its copies.
    pub(crate) fn families(&self) -> Vec<String> {
        let pairs = self.pairs(
            "SELECT f.path || ' ' || f.status, coalesce((SELECT group_concat(path) FROM (SELECT o.path FROM files o, \
             json_each(f.matching_hashes) j WHERE j.value = o.guid ORDER BY 1)), '') FROM files f",
        );
        pairs
            .into_iter()
            .map(|(file, copies)| format!("{file}: {copies}").trim_end().to_owned())
            .collect()
    }
}

impl Done {
    /// What was counted, without zeros: `recorded 2, unchanged 1`.
    pub(crate) fn counts(&self) -> String {
        let files = serde_json::to_value(self.completed.files).unwrap();
        let names = [
            "recorded",
            "unchanged",
            "duplicate",
            "no_audio",
            "failed",
            "misleading",
            "moved",
            "missing",
            "pruned",
        ];
        let counts = names.iter().filter_map(|name| {
            let count = files[name].as_u64().unwrap();
            (count > 0).then(|| format!("{name} {count}"))
        });
        counts.collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn told(&self, name: &str) -> Vec<&Value> {
        self.events
            .iter()
            .filter(|event| event["event"] == name)
            .collect()
    }
}

/// Makes a path longer than the system takes in one piece, out of two halves that it does.
pub(crate) fn too_deep(folder: &Path) {
    let half = |name: &str| {
        let steps = vec!["d".repeat(200); 11];
        let path = folder.join(name).join(steps.join("/"));
        std::fs::create_dir_all(&path).unwrap();
        path
    };
    let upper = half("upper");
    std::fs::write(half("lower").join("lost.mp3"), "x").unwrap();
    std::fs::rename(folder.join("lower"), upper.join("lower")).unwrap();
}
