//! Reads which passages are to be identified, with what is known of them.

use std::collections::BTreeMap;

use serde::Deserialize;
use sqlite::{Db, Row, RowResult, params};

use crate::catalogue::Fingerprint;
use crate::error::Result;
use crate::id::{FileId, PassageId};
use crate::library::edits;
use crate::library::identification::{Said, State};
use crate::library::marks::{self, StoredMark};
use crate::library::record::{Marked, Name, Names};
use crate::library::values::QuietSpot;
use crate::library::values::folder_of;
use crate::library::values::{FoundId, Heard};
use audio::Ticks;
use audio::tags::Tags;

/// Shorter sound than this is like too many others to have its fingerprint looked up.
const SHORTEST_MS: u64 = 7_000;

/// Which passages.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Those of files in this folder of the library and below; empty for all.
    pub folder: String,
    /// Only these, whatever was found before.
    pub passages: Vec<PassageId>,
    /// Those that nobody knew, too, and those in doubt.
    pub retry: bool,
}

/// A passage of a folder.
#[derive(Debug, Clone)]
pub struct Item {
    /// Its id.
    pub id: PassageId,
    /// Its file.
    pub file: FileId,
    /// Path of its file.
    pub path: String,
    /// Gaps of its file that were not cut, if it has several passages.
    pub spots: Vec<QuietSpot>,
    /// Where it starts, in ticks.
    pub start: i64,
    /// Where it ends, in ticks.
    pub end: i64,
    /// Its fingerprint.
    pub fingerprint: Option<Fingerprint>,
    /// What is known of it.
    pub heard: Heard,
    /// Tags of its file.
    pub tags: Tags,
    /// Whether it is the only passage of its file, so that the tags are its own.
    pub alone: bool,
    /// What was found before.
    pub state: Option<State>,
    /// The recording found or chosen before.
    pub recording: Option<String>,
    /// Whether it is to be identified now.
    pub due: bool,
    /// A person or marks say where its file is cut.
    pub is_cut_by_authority: bool,
    /// What marks and tags call it.
    pub said: Said,
}

/// Folders with something to do, and how many passages that is.
///
/// # Errors
///
/// When the database cannot be read.
pub fn due_folders(db: &Db, scope: &Scope) -> Result<BTreeMap<String, usize>> {
    let mut folders = BTreeMap::new();
    db.read(|snapshot| {
        let sql = format!("SELECT f.path, p.guid, {DUE} {FROM} WHERE {COMPLETE}");
        snapshot.query_each(&sql, params![scope.retry], |row| {
            let (path, id, due) = read_due(row)
                .map_err(|error| crate::error::Error::Output(std::io::Error::other(error)))?;
            if is_wanted(scope, &path, &id, due) {
                *folders.entry(folder_of(&path).to_owned()).or_default() += 1;
            }
            Ok::<_, crate::error::Error>(())
        })
    })?;
    Ok(folders)
}

fn read_due(row: &Row<'_>) -> RowResult<(String, PassageId, bool)> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
}

/// New ones, those whose boundaries moved, those to be tried again, and those whose title an
/// analysis has set back to that of the tags.
const DUE: &str = "(i.state IS NULL \
    OR (i.state NOT IN ('chosen', 'rejected') \
        AND (i.start_time_ticks <> p.start_time_ticks OR i.end_time_ticks <> p.end_time_ticks)) \
    OR i.state = 'retry_later' \
    OR (i.state IN ('identified', 'chosen') \
        AND (p.song_id IS NULL OR coalesce(p.title_source, 'tags') IN ('tags', 'marks'))) \
    OR (i.state = 'chosen' AND i.recording_mbid IS NOT p.recording_mbid) \
    OR (?1 AND i.state IN ('none', 'doubtful')))";

const FROM: &str = "FROM passages p JOIN files f ON f.guid = p.file_id \
    LEFT JOIN accession_files a ON a.file_id = f.guid \
    LEFT JOIN accession_fingerprints fp ON fp.passage_id = p.guid \
    LEFT JOIN accession_identifications i ON i.passage_id = p.guid";

const COMPLETE: &str = "f.status = 'INGEST COMPLETE'";

/// All passages of the files right in a folder, in the order of paths and positions.
///
/// # Errors
///
/// When the database cannot be read.
pub fn items(db: &Db, folder: &str, scope: &Scope) -> Result<Vec<Item>> {
    let sql = format!(
        "SELECT p.guid, f.path, p.start_time_ticks, p.end_time_ticks, fp.fingerprint, a.tags, \
                (SELECT count(*) FROM passages o WHERE o.file_id = f.guid) = 1, i.state, \
                coalesce(i.recording_mbid, p.recording_mbid), {DUE}, p.file_id, a.segmentation, \
                coalesce(a.cut_by IN ('person', 'marks'), 0) \
         {FROM} WHERE {COMPLETE} AND f.path >= ?2 AND (?3 = '' OR f.path < ?3) \
         ORDER BY f.path, p.start_time_ticks"
    );
    let (from, to) = if folder.is_empty() {
        (String::new(), String::new())
    } else {
        // `0` follows `/`.
        (format!("{folder}/"), format!("{folder}0"))
    };
    db.read(|snapshot| {
        let all = snapshot.query_all(&sql, params![scope.retry, from, to], item)?;
        let mut items: Vec<_> = all
            .into_iter()
            .filter(|item| folder_of(&item.path) == folder)
            .collect();
        for file in items.chunk_by_mut(|a, b| a.file == b.file) {
            let marks = marks::load(snapshot, &file[0].file)?;
            let found = edits::evidence_of(snapshot, &file[0].file)?;
            for item in file {
                item.heard.found_ids = FoundId::of(&found, Ticks(item.start), Ticks(item.end));
                item.due = is_wanted(scope, &item.path, &item.id, item.due);
                let mark = StoredMark::of_passage(&marks, Ticks(item.start), Ticks(item.end));
                item.hear_marks(mark, !marks.is_empty());
            }
        }
        Ok(items)
    })
}

impl Item {
    /// The passage is all of its file, and so the tags are its own.
    pub(crate) fn hear_as_whole(&mut self) {
        self.alone = true;
        self.heard
            .recording_mbid
            .clone_from(&self.tags.recording_mbid);
        self.hear_marks(None, false);
    }

    /// What marks and tags say of the passage, as evidence and as its names; marks know more.
    fn hear_marks(&mut self, mark: Option<&StoredMark>, has_marks: bool) {
        let tags = &self.tags;
        let marked = mark.map(|mark| Marked {
            title: mark.title.as_deref(),
            performer: mark.performer.as_deref(),
            album: mark.album.as_deref(),
        });
        // A track of a rip that has no mark does not have the rip's title.
        let marked = marked.or_else(|| (has_marks && !self.alone).then(Marked::default));
        let names = Names::of(tags, marked);
        let owned = |(name, source): Name<'_>| (name.map(str::to_owned), source);
        self.said = Said {
            title: owned(names.title),
            artist: owned(names.artist),
            album: owned(names.album),
        };
        let own = self.alone && mark.is_none();
        self.heard = Heard {
            title: names
                .title
                .0
                .filter(|_| mark.is_some() || own)
                .map(str::to_owned),
            artist: names
                .artist
                .0
                .map(str::to_owned)
                .or_else(|| tags.album_artist.clone()),
            album: names.album.0.map(str::to_owned),
            track: match mark {
                Some(mark) => mark.number,
                None => tags.track.filter(|_| own),
            },
            isrc: match mark {
                Some(mark) => mark.isrc.clone(),
                None => tags.isrc.clone().filter(|_| own),
            },
            year: tags.year.filter(|year| *year > 0),
            original_year: tags.original_year.filter(|year| *year > 0),
            composers: tags.composers.clone(),
            album_artist: tags.album_artist.clone(),
            performers: tags.performers.clone(),
            ..std::mem::take(&mut self.heard)
        };
    }
}

fn item(row: &Row<'_>) -> RowResult<Item> {
    let (start, end): (i64, i64) = (row.get(2)?, row.get(3)?);
    let length_ms = ((Ticks(end - start).seconds()) * 1000.0).round() as u64;
    let fingerprint: Option<String> = row.get(4)?;
    let tags: Option<String> = row.get(5)?;
    let tags: Tags = tags
        .and_then(|tags| serde_json::from_str(&tags).ok())
        .unwrap_or_default();
    let alone: bool = row.get(6)?;
    let state: Option<String> = row.get(7)?;
    let segmentation: Option<String> = row.get(11)?;
    let fingerprint = fingerprint
        .filter(|_| length_ms >= SHORTEST_MS)
        .map(|text| Fingerprint {
            seconds: (length_ms + 500) / 1000,
            text,
        });
    let heard = Heard {
        length_ms,
        disc: tags.disc,
        recording_mbid: tags.recording_mbid.clone().filter(|_| alone),
        ..Heard::default()
    };
    Ok(Item {
        id: row.get(0)?,
        file: row.get(10)?,
        path: row.get(1)?,
        spots: segmentation
            .filter(|_| !alone)
            .map(|text| quiet_spots(&text))
            .unwrap_or_default(),
        start,
        end,
        fingerprint,
        heard,
        tags,
        alone,
        state: state.as_deref().and_then(State::from_word),
        recording: row.get(8)?,
        due: row.get(9)?,
        is_cut_by_authority: row.get(12)?,
        said: Said::default(),
    })
}

/// Gaps that segmentation weighed: each is really quiet, whether it was cut or not.
fn quiet_spots(segmentation: &str) -> Vec<QuietSpot> {
    let Ok(found) = serde_json::from_str::<Weighed>(segmentation) else {
        return Vec::new();
    };
    let spot = |gap: &WeighedGap| QuietSpot {
        at: (f64::midpoint(gap.start_s, gap.end_s) * 1000.0)
            .max(0.0)
            .round() as u64,
        // Below the threshold of silence music is more than a little quieter than around it.
        depth_db: 10.0 + (found.silence_dbfs - gap.dbfs).max(0.0),
    };
    found.gaps.iter().map(spot).collect()
}

#[derive(Deserialize)]
struct Weighed {
    silence_dbfs: f64,
    #[serde(default)]
    gaps: Vec<WeighedGap>,
}

#[derive(Deserialize)]
struct WeighedGap {
    start_s: f64,
    end_s: f64,
    dbfs: f64,
}

fn is_wanted(scope: &Scope, path: &str, id: &PassageId, due: bool) -> bool {
    if !scope.passages.is_empty() {
        return scope.passages.contains(id);
    }
    let inside = scope.folder.is_empty()
        || path
            .strip_prefix(scope.folder.as_str())
            .is_some_and(|rest| rest.starts_with('/'));
    due && inside
}

/// The fingerprints of files that were just recorded.
///
/// # Errors
///
/// When the database cannot be read.
pub fn fingerprints_of(db: &Db, file: &FileId) -> Result<Vec<Fingerprint>> {
    let found = db
        .read(|snapshot| {
            snapshot.query_all(
                "SELECT fp.fingerprint, p.end_time_ticks - p.start_time_ticks FROM passages p \
             JOIN accession_fingerprints fp ON fp.passage_id = p.guid \
             LEFT JOIN accession_identifications i ON i.passage_id = p.guid \
             WHERE p.file_id = ?1 AND (i.state IS NULL OR i.state = 'retry_later')",
                params![file],
                |row| {
                    let ticks: i64 = row.get(1)?;
                    let length_ms = (Ticks(ticks).seconds() * 1000.0).round() as u64;
                    Ok((length_ms, row.get::<_, String>(0)?))
                },
            )
        })
        .map_err(|error: sqlite::Error| error)?;
    Ok(found
        .into_iter()
        .filter(|(length_ms, _)| *length_ms >= SHORTEST_MS)
        .map(|(length_ms, text)| Fingerprint {
            seconds: (length_ms + 500) / 1000,
            text,
        })
        .collect())
}
