//! What another player is handed of a library: files with their sound, passages, recordings and flavors.

use std::collections::BTreeMap;

use audio::Ticks;
use audio::tags::Tags;
use sqlite::{Db, Row, RowResult, Snapshot, params};

use crate::error::{Error, Result};
use crate::id::{FileId, PassageId};
use crate::library::edits::{self, NewEdit};
use crate::library::values::FoundId;

/// A file that was taken in whole.
#[derive(Debug, Clone)]
pub(crate) struct BundleFile {
    pub(crate) id: FileId,
    pub(crate) path: String,
    pub(crate) audio_md5: Option<String>,
    pub(crate) format: Option<String>,
    pub(crate) length: Option<Ticks>,
    pub(crate) tags: Tags,
    /// Who cut it: `person`, `marks`, `release`, `silence` or `whole`.
    pub(crate) cut_by: Option<String>,
    /// Whose word a cut by hand is: `person`, or the database it was taken over from.
    pub(crate) cut_source: Option<String>,
    pub(crate) overview: Option<Vec<u8>>,
    /// Whether a person, or another program's user, said something about this very file that stands.
    pub(crate) is_said_about: bool,
    pub(crate) passages: Vec<BundlePassage>,
}

/// A passage of a file.
#[derive(Debug, Clone)]
pub(crate) struct BundlePassage {
    pub(crate) id: PassageId,
    pub(crate) start: Ticks,
    pub(crate) end: Ticks,
    pub(crate) lead_in: Option<Ticks>,
    pub(crate) lead_out: Option<Ticks>,
    pub(crate) title: Option<String>,
    pub(crate) artist: Option<String>,
    pub(crate) album: Option<String>,
    /// The recording it was identified as, with confidence enough for a song.
    pub(crate) recording: Option<String>,
    /// Whether a person said which recording it is.
    pub(crate) is_chosen: bool,
    /// Where another program has the recording from, where nobody has asked a service about the passage yet.
    pub(crate) found_by: Option<String>,
    pub(crate) lufs: Option<f64>,
    /// What was measured of it, as JSON.
    pub(crate) heard: Option<String>,
}

impl BundlePassage {
    /// The passage as what other programs found says it is, where nothing else does: what Vaino had goes back to it.
    fn or_found(mut self, found: &[NewEdit]) -> Self {
        if self.recording.is_none()
            && let Some(found) = FoundId::of(found, self.start, self.end).pop()
        {
            let by = found.source.split_once(':').map(|(_, by)| by.to_owned());
            self.found_by = by.or(Some(found.source));
            self.recording = Some(found.recording_mbid);
        }
        self
    }
}

/// What is known of a recording.
#[derive(Debug, Clone, Default)]
pub(crate) struct BundleRecording {
    pub(crate) title: Option<String>,
    /// Id, name and weight of each artist.
    pub(crate) artists: Vec<(String, String, f64)>,
    /// Id, title and date of each release that a passage of it is on.
    pub(crate) releases: Vec<(String, String, Option<String>)>,
    /// What `AcousticBrainz` says of it, as JSON.
    pub(crate) flavor: Option<String>,
}

/// Files in the order of their paths, as one consistent state, with the recordings of their passages.
pub(crate) type Everything = (Vec<BundleFile>, BTreeMap<String, BundleRecording>);

/// Reads everything that another player can use.
pub(crate) fn everything(db: &Db) -> Result<Everything> {
    db.read(|snapshot| {
        let mut files = snapshot.query_all(
            &format!(
                "SELECT f.guid, f.path, nullif(a.audio_md5, ''), f.format, f.duration_ticks, a.tags, a.cut_by, \
                        (SELECT e.source FROM accession_edits e WHERE e.sound IN (a.audio_md5, f.hash) \
                            AND e.field = 'cut' AND e.undone_at IS NULL AND {} \
                         ORDER BY e.file_id IS f.guid DESC, e.made_at DESC, e.edit_id DESC LIMIT 1), \
                        o.points, \
                        EXISTS (SELECT 1 FROM accession_edits e WHERE e.file_id = f.guid AND e.undone_at IS NULL \
                            AND e.sound IN (a.audio_md5, f.hash) AND NOT {}) \
                 FROM files f LEFT JOIN accession_files a ON a.file_id = f.guid \
                 LEFT JOIN accession_overviews o ON o.file_id = f.guid AND o.version = ?1 \
                 WHERE f.status = 'INGEST COMPLETE' ORDER BY f.path",
                edits::edit_concerns("e", "f.guid", "f.path"),
                edits::is_evidence("e")
            ),
            params![audio::overview::VERSION],
            file,
        )?;
        let mut recordings = BTreeMap::new();
        for file in &mut files {
            let passages: Vec<(BundlePassage, bool)> = snapshot.query_all(
                "SELECT p.guid, p.start_time_ticks, p.end_time_ticks, p.lead_in_start_ticks, p.lead_out_start_ticks, \
                        p.title, p.artist, p.album, \
                        CASE WHEN i.state = 'chosen' THEN i.recording_mbid WHEN p.song_id IS NOT NULL THEN p.recording_mbid END, \
                        coalesce(i.state = 'chosen', 0), s.integrated_lufs, s.flavor, coalesce(i.state, 'retry_later') \
                 FROM passages p LEFT JOIN accession_identifications i ON i.passage_id = p.guid \
                 LEFT JOIN accession_sounds s ON s.passage_id = p.guid \
                 WHERE p.file_id = ?1 ORDER BY p.start_time_ticks",
                params![file.id],
                |row| Ok((passage(row)?, row.get::<_, String>(12)? == "retry_later")),
            )?;
            let found = edits::evidence_of(snapshot, &file.id)?;
            file.passages = passages.into_iter().map(|(passage, is_open)| {
                if is_open { passage.or_found(&found) } else { passage }
            }).collect();
            for mbid in file.passages.iter().filter_map(|passage| passage.recording.as_ref()) {
                if !recordings.contains_key(mbid) {
                    recordings.insert(mbid.clone(), recording(snapshot, mbid)?);
                }
            }
        }
        Ok::<_, Error>((files, recordings))
    })
}

fn file(row: &Row<'_>) -> RowResult<BundleFile> {
    let tags: Option<String> = row.get(5)?;
    Ok(BundleFile {
        id: row.get(0)?,
        path: row.get(1)?,
        audio_md5: row.get(2)?,
        format: row.get(3)?,
        length: row.get::<_, Option<i64>>(4)?.map(Ticks),
        tags: tags
            .and_then(|tags| serde_json::from_str(&tags).ok())
            .unwrap_or_default(),
        cut_by: row.get(6)?,
        cut_source: row.get(7)?,
        overview: row.get(8)?,
        is_said_about: row.get(9)?,
        passages: Vec::new(),
    })
}

fn passage(row: &Row<'_>) -> RowResult<BundlePassage> {
    Ok(BundlePassage {
        id: row.get(0)?,
        start: Ticks(row.get(1)?),
        end: Ticks(row.get(2)?),
        lead_in: row.get::<_, Option<i64>>(3)?.map(Ticks),
        lead_out: row.get::<_, Option<i64>>(4)?.map(Ticks),
        title: row.get(5)?,
        artist: row.get(6)?,
        album: row.get(7)?,
        recording: row.get(8)?,
        is_chosen: row.get(9)?,
        found_by: None,
        lufs: row.get(10)?,
        heard: row.get(11)?,
    })
}

fn recording(snapshot: &Snapshot<'_>, mbid: &str) -> Result<BundleRecording, sqlite::Error> {
    let known = snapshot.query_optional(
        "SELECT s.title, f.flavor FROM songs s LEFT JOIN accession_flavors f \
            ON f.recording_mbid = s.recording_mbid AND f.source = 'AcousticBrainz' WHERE s.recording_mbid = ?1",
        params![mbid],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let (title, flavor) = known.unwrap_or_default();
    let artists = snapshot.query_all(
        "SELECT r.artist_mbid, r.name, l.weight FROM songs s JOIN song_artists l ON l.song_id = s.guid \
         JOIN artists r ON r.guid = l.artist_id WHERE s.recording_mbid = ?1 ORDER BY l.weight DESC, r.name",
        params![mbid],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    let releases = snapshot.query_all(
        "SELECT DISTINCT b.album_mbid, b.title, b.release_date FROM passages p \
         JOIN passage_albums l ON l.passage_id = p.guid JOIN albums b ON b.guid = l.album_id \
         WHERE p.recording_mbid = ?1 AND p.song_id IS NOT NULL ORDER BY b.release_date, b.title, b.album_mbid",
        params![mbid],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    Ok(BundleRecording {
        title,
        artists,
        releases,
        flavor,
    })
}
