//! Answers questions about a library; writes nothing.

mod passage;

use serde::Serialize;
use sqlite::{Db, Row, RowResult, Snapshot, params};

pub use audio::loudness::REPLAY_GAIN_LUFS;
pub use passage::{Autocue, PassageDetails, each_described, each_passage};
pub(crate) use passage::{if_readable, is_of_a_duplicate, passage};

use crate::error::{Error, Result};
use crate::id::{FileId, PassageId};
use crate::library::Library;
use crate::library::names;
use audio::Ticks;
use passage::{PASSAGE, passage_details, seconds};

/// What is in a library.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// The database file.
    pub database: String,
    /// The root folder.
    pub root: String,
    /// Rows of `files` by status.
    pub files: Vec<Count>,
    /// Complete files by format.
    pub formats: Vec<Count>,
    /// Rows of `passages`.
    pub passages: u64,
    /// Passages with a fingerprint.
    pub fingerprints: u64,
    /// Passages with a song.
    pub identified: u64,
    /// Seconds of audio in complete files.
    pub audio_seconds: f64,
    /// Files that are recorded and not whole.
    pub damaged: Vec<ListedProblem>,
    /// Files that could not be taken in.
    pub problems: Vec<ListedProblem>,
    /// Files that were taken in under a name that promises something else.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub misnamed: Vec<ListedProblem>,
    /// What could be audio and was not looked at by the last import, by reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<Count>,
    /// Files whose content is another one's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<Copy>,
    /// Files with the audio of another one and other tags; `original` is the one that goes out where one does.
    pub same_audio: Vec<Copy>,
    /// Whether those are duplicates (`once`) or each their own (`each`), by the settings.
    pub same_audio_are: &'static str,
    /// The last run that came to its end.
    pub last_run: Option<LastRun>,
}

/// A file whose content is another one's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Copy {
    /// Its path in the library.
    pub path: String,
    /// The path of the one that is recorded.
    pub original: String,
}

/// How many rows have one value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Count {
    /// The value.
    pub name: String,
    /// How many.
    pub count: u64,
}

/// A file with which something is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ListedProblem {
    /// Its path in the library.
    pub path: String,
    /// `failed`, `misleading`, `damaged` or `misnamed`.
    pub kind: String,
    /// The stage that found it.
    pub stage: String,
    /// What it is.
    pub reason: String,
}

/// A run as `import_sessions` keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastRun {
    /// `COMPLETED` or `CANCELLED`.
    pub state: String,
    /// When it began, UTC.
    pub started_at: String,
    /// When it ended, UTC.
    pub ended_at: Option<String>,
    /// What it did.
    pub operation: String,
}

/// Everything about one file.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FileDetails {
    /// Its id.
    pub id: FileId,
    /// Its path in the library.
    pub path: String,
    /// Its status, in WKMP's words.
    pub status: String,
    /// SHA-256 of its content.
    pub hash: String,
    /// Its size in bytes.
    pub size_bytes: Option<u64>,
    /// When it was changed, UTC.
    pub modified: String,
    /// Its format.
    pub format: Option<String>,
    /// In Hz.
    pub sample_rate: Option<u32>,
    /// Number of channels.
    pub channels: Option<u16>,
    /// Its length in seconds.
    pub seconds: Option<f64>,
    /// Its length in sample frames.
    pub frames: Option<u64>,
    /// What is wrong with it.
    pub damage: Option<String>,
    /// Paths of the files with the same content.
    pub copies: Vec<String>,
    /// What its tags say.
    pub tags: Option<serde_json::Value>,
    /// How its boundaries were decided.
    pub segmentation: Option<serde_json::Value>,
    /// Its passages.
    pub passages: Vec<PassageDetails>,
    /// Its passages whose rows cannot be read.
    #[serde(skip_serializing_if = "is_zero")]
    pub unreadable_passages: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A file or a passage, as asked for.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Shown {
    /// A file.
    File(Box<FileDetails>),
    /// A passage.
    Passage(Box<PassageDetails>),
}

/// What is in the library.
///
/// # Errors
///
/// When the database cannot be read.
pub fn status(library: &Library) -> Result<Status> {
    let same_audio_are = if library.settings().same_audio_once {
        "once"
    } else {
        "each"
    };
    library.db().read(|snapshot| {
        let number = |sql| snapshot.query_row(sql, params![], |row| row.get::<_, u64>(0));
        Ok(Status {
            database: library.path().display().to_string(),
            root: library.root().display().to_string(),
            files: counts(snapshot, "SELECT coalesce(status, 'PENDING'), sum(rows) FROM \
                    (SELECT status, count(*) AS rows FROM files GROUP BY status) GROUP BY 1 ORDER BY 2 DESC, 1")?,
            formats: counts(
                snapshot,
                "SELECT coalesce(format, '?'), sum(rows) FROM (SELECT format, count(*) AS rows FROM files \
                 WHERE status = 'INGEST COMPLETE' GROUP BY format) GROUP BY 1 ORDER BY 2 DESC, 1",
            )?,
            passages: number("SELECT count(*) FROM passages")?,
            fingerprints: number("SELECT count(*) FROM accession_fingerprints")?,
            identified: number("SELECT count(*) FROM passages WHERE song_id IS NOT NULL")?,
            audio_seconds: snapshot.query_row(
                "SELECT coalesce(sum(duration_ticks), 0) FROM files \
                 WHERE status = 'INGEST COMPLETE' AND typeof(duration_ticks) = 'integer'",
                params![],
                |row| row.get(0).map(|ticks| Ticks(ticks).seconds()),
            )?,
            damaged: snapshot.query_all(
                "SELECT f.path, 'damaged', 'decode', a.damage FROM accession_files a \
                 JOIN files f ON f.guid = a.file_id WHERE a.damage IS NOT NULL ORDER BY f.path",
                params![],
                listed_problem,
            )?,
            problems: snapshot.query_all(
                "SELECT path, kind, stage, reason FROM accession_problems ORDER BY path",
                params![],
                listed_problem,
            )?,
            misnamed: snapshot.query_all(
                "SELECT f.path, 'misnamed', 'scan', a.misnamed FROM accession_files a \
                 JOIN files f ON f.guid = a.file_id WHERE a.misnamed IS NOT NULL ORDER BY f.path",
                params![],
                listed_problem,
            )?,
            left_out: counts(
                snapshot,
                "SELECT json_extract(value, '$.why'), json_extract(value, '$.count') FROM \
                    json_each((SELECT CASE WHEN json_valid(file_classification_data) THEN file_classification_data END FROM import_sessions \
                               ORDER BY started_at DESC, rowid DESC LIMIT 1), '$.left_out')",
            )?,
            copies: snapshot.query_all(
                "SELECT d.path, o.path FROM files d JOIN files o ON o.hash = d.hash AND o.status <> 'DUPLICATE HASH' \
                 WHERE d.status = 'DUPLICATE HASH' ORDER BY 1, 2",
                params![],
                |row| {
                    Ok(Copy {
                        path: row.get(0)?,
                        original: row.get(1)?,
                    })
                },
            )?,
            same_audio: passage::of_same_audio(snapshot)?,
            same_audio_are,
            last_run: snapshot.query_optional(
                "SELECT CASE WHEN json_valid(state) THEN json_extract(state, '$') ELSE state END, started_at, ended_at, current_operation FROM import_sessions \
                 ORDER BY started_at DESC, rowid DESC LIMIT 1",
                params![],
                |row| {
                    Ok(LastRun {
                        state: row.get(0)?,
                        started_at: row.get(1)?,
                        ended_at: row.get(2)?,
                        operation: row.get(3)?,
                    })
                },
            )?,
        })
    })
}

fn counts(snapshot: &Snapshot<'_>, sql: &str) -> Result<Vec<Count>, sqlite::Error> {
    snapshot.query_all(sql, params![], |row| {
        Ok(Count {
            name: if_readable(row, 0)?.unwrap_or_else(|| "?".to_owned()),
            count: row.get(1)?,
        })
    })
}

fn listed_problem(row: &Row<'_>) -> RowResult<ListedProblem> {
    Ok(ListedProblem {
        path: row.get(0)?,
        kind: row.get(1)?,
        stage: row.get(2)?,
        reason: row.get(3)?,
    })
}

/// The root folder that the last run used, for commands that were told none.
///
/// # Errors
///
/// When the database cannot be read.
pub fn last_root(db: &Db) -> Result<Option<String>> {
    db.read(|snapshot| {
        Ok(snapshot.query_optional(
            "SELECT root_folder FROM import_sessions ORDER BY started_at DESC, rowid DESC LIMIT 1",
            params![],
            |row| row.get(0),
        )?)
    })
}

/// The file or passage called `name`: an id, the beginning of one (8 characters or more), or a
/// path, absolute, in the library, or the end of one.
///
/// # Errors
///
/// When nothing or more than one thing fits, or the database cannot be read.
pub fn show(library: &Library, name: &str) -> Result<Shown> {
    let passages = names::with_id(library.db(), "SELECT guid, guid FROM passages WHERE", name)?;
    let mut files = names::with_id(library.db(), "SELECT guid, path FROM files WHERE", name)?;
    if passages.is_empty() && files.is_empty() {
        files = names::paths_ending(library, name)?;
    }
    let mut candidates: Vec<_> = passages
        .iter()
        .chain(&files)
        .map(|(_, label)| label.clone())
        .collect();
    candidates.sort();
    match (passages.as_slice(), files.as_slice()) {
        ([], []) => Err(Error::not_found(name)),
        ([(id, _)], []) => Ok(Shown::Passage(Box::new(passage(library.db(), id)?))),
        ([], [(id, _)]) => Ok(Shown::File(Box::new(file(library.db(), id)?))),
        _ => Err(Error::Ambiguous {
            name: name.to_owned(),
            candidates,
        }),
    }
}

/// The file called `name`, or the one that holds the passage called so, as for [`show`].
///
/// # Errors
///
/// As [`show`].
pub fn file_of(library: &Library, name: &str) -> Result<Box<FileDetails>> {
    let path = match show(library, name)? {
        Shown::File(file) => return Ok(file),
        Shown::Passage(passage) => passage.path,
    };
    match show(library, &path)? {
        Shown::File(file) => Ok(file),
        Shown::Passage(_) => Err(Error::not_found(path)),
    }
}

fn file(db: &Db, id: &str) -> Result<FileDetails> {
    db.read(|snapshot| {
        let (mut file, family): (FileDetails, Option<String>) = snapshot.query_row(
            "SELECT f.guid, f.path, coalesce(f.status, 'PENDING'), f.hash, f.file_size_bytes, f.modification_time, \
                    f.format, f.sample_rate, f.channels, f.duration_ticks, a.frames, a.damage, a.tags, \
                    a.segmentation, f.matching_hashes \
             FROM files f LEFT JOIN accession_files a ON a.file_id = f.guid WHERE f.guid = ?1",
            params![id],
            |row| Ok((file_details(row)?, if_readable(row, 14)?)),
        )?;
        let sql = format!("{PASSAGE} WHERE p.file_id = ?1 ORDER BY p.start_time_ticks");
        snapshot.query_each(&sql, params![id], |row| {
            match passage_details(row) {
                Ok(passage) => file.passages.push(passage),
                Err(_) => file.unreadable_passages += 1,
            }
            Ok::<(), Error>(())
        })?;
        let no_songs = passage::no_songs(snapshot, "SELECT guid FROM passages WHERE file_id = ?1", id)?;
        for passage in &mut file.passages {
            passage.is_no_song = no_songs.contains(&passage.id);
        }
        let family = family.filter(|ids| serde_json::from_str::<Vec<String>>(ids).is_ok());
        file.copies = snapshot.query_all(
            "SELECT path FROM files WHERE guid IN (SELECT value FROM json_each(?1)) ORDER BY path",
            params![family.unwrap_or_else(|| "[]".to_owned())],
            |row| row.get(0),
        )?;
        Ok(file)
    })
}

fn file_details(row: &Row<'_>) -> RowResult<FileDetails> {
    let json = |at| -> RowResult<_> {
        let text: Option<String> = if_readable(row, at)?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    };
    let text = |at| -> RowResult<String> { Ok(if_readable(row, at)?.unwrap_or_default()) };
    Ok(FileDetails {
        id: row.get(0)?,
        path: row.get(1)?,
        status: text(2)?,
        hash: text(3)?,
        size_bytes: if_readable(row, 4)?,
        modified: text(5)?,
        format: if_readable(row, 6)?,
        sample_rate: if_readable(row, 7)?,
        channels: if_readable(row, 8)?,
        seconds: seconds(row, 9)?,
        frames: if_readable(row, 10)?,
        damage: if_readable(row, 11)?,
        copies: Vec::new(),
        tags: json(12)?,
        segmentation: json(13)?,
        passages: Vec::new(),
        unreadable_passages: 0,
    })
}

/// The path of the file that a passage lies in.
///
/// # Errors
///
/// When the database cannot be read.
pub(crate) fn path_of(db: &Db, passage: &PassageId) -> Result<Option<String>> {
    db.read(|snapshot| {
        Ok(snapshot.query_optional(
            "SELECT f.path FROM passages p JOIN files f ON f.guid = p.file_id WHERE p.guid = ?1",
            params![passage],
            |row| row.get(0),
        )?)
    })
}

/// The id and the flavor, as JSON, of every passage that has one, one at a time.
///
/// # Errors
///
/// When the database cannot be read.
pub(crate) fn each_flavor(db: &Db, mut each: impl FnMut(&str, &str)) -> Result<()> {
    db.read(|snapshot| {
        snapshot.query_each(
            "SELECT passage_id, flavor FROM accession_sounds",
            params![],
            |row| {
                let text = |at| row.get_ref(at).map(|value| value.as_str().ok());
                let id = text(0).map_err(sqlite::Error::from)?;
                let flavor = text(1).map_err(sqlite::Error::from)?;
                // What is not text is nobody's flavor.
                if let Some((id, flavor)) = id.zip(flavor) {
                    each(id, flavor);
                }
                Ok(())
            },
        )
    })
}

/// The id and the flavor, as JSON, of some `count` passages, evenly taken from all that have one.
///
/// # Errors
///
/// When the database cannot be read.
pub(crate) fn some_flavors(db: &Db, count: usize, mut each: impl FnMut(&str, &str)) -> Result<()> {
    db.read(|snapshot| {
        let (first, last): (i64, i64) = snapshot.query_row(
            "SELECT coalesce(min(rowid), 0), coalesce(max(rowid), -1) FROM accession_sounds",
            params![],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let step = ((last - first) / i64::try_from(count.max(1)).unwrap_or(i64::MAX)).max(1);
        let mut at = first;
        for _ in 0..count {
            let found = snapshot.query_optional(
                "SELECT rowid, passage_id, flavor FROM accession_sounds WHERE rowid >= ?1 ORDER BY rowid LIMIT 1",
                params![at],
                |row| Ok((row.get(0)?, if_readable(row, 1)?, if_readable(row, 2)?)),
            )?;
            let Some((row, id, flavor)) = found else {
                break;
            };
            let row: i64 = row;
            let text: (Option<String>, Option<String>) = (id, flavor);
            if let Some((id, flavor)) = text.0.zip(text.1) {
                each(&id, &flavor);
            }
            at = row.saturating_add(step);
        }
        Ok(())
    })
}

/// The number of the last row of a flavor: no fewer than there are.
///
/// # Errors
///
/// When the database cannot be read.
pub(crate) fn last_flavor(db: &Db) -> Result<i64> {
    db.read(|snapshot| {
        Ok(snapshot.query_row(
            "SELECT coalesce(max(rowid), 0) FROM accession_sounds",
            params![],
            |row| row.get(0),
        )?)
    })
}

/// Where a passage is, and what it is called.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) id: PassageId,
    pub(crate) path: String,
    pub(crate) title: Option<String>,
    pub(crate) artist: Option<String>,
    pub(crate) start: Ticks,
    pub(crate) end: Ticks,
}

/// Where each of these passages is; `None` for one that was removed, or whose row cannot be read.
///
/// # Errors
///
/// When the database cannot be read.
pub(crate) fn places<'a>(
    db: &Db,
    ids: impl Iterator<Item = &'a str>,
) -> Result<Vec<Option<Place>>> {
    let place = |row: &Row<'_>| -> RowResult<Place> {
        Ok(Place {
            id: row.get(0)?,
            path: row.get(1)?,
            title: if_readable(row, 2)?,
            artist: if_readable(row, 3)?,
            start: Ticks(row.get(4)?),
            end: Ticks(row.get(5)?),
        })
    };
    db.read(|snapshot| {
        ids.map(|id| {
            let found = snapshot.query_optional(
                "SELECT p.guid, f.path, coalesce(p.user_title, p.title), p.artist, p.start_time_ticks, p.end_time_ticks \
                 FROM passages p JOIN files f ON f.guid = p.file_id WHERE p.guid = ?1",
                params![id],
                |row| Ok(place(row).ok()),
            )?;
            Ok(found.flatten())
        })
        .collect()
    })
}

/// The flavor of one passage, as JSON.
///
/// # Errors
///
/// When the database cannot be read.
pub(crate) fn flavor(db: &Db, passage: &str) -> Result<Option<String>> {
    db.read(|snapshot| {
        Ok(snapshot.query_optional(
            "SELECT flavor FROM accession_sounds WHERE passage_id = ?1",
            params![passage],
            |row| row.get(0),
        )?)
    })
}

/// The overview of a file in a version, if it was heard in that.
///
/// # Errors
///
/// When the database cannot be read.
pub(crate) fn overview(db: &Db, file: &FileId, version: u32) -> Result<Option<Vec<u8>>> {
    db.read(|snapshot| {
        Ok(snapshot.query_optional(
            "SELECT points FROM accession_overviews WHERE file_id = ?1 AND version = ?2",
            params![file, version],
            |row| row.get(0),
        )?)
    })
}
