//! Writes what passages were found to be: songs, artists, works, albums, and all that links them.
//!
//! Everything about the passages of one file is one transaction, the answers it came from
//! included. An earlier identification is replaced; a person's word is not.

mod before;

use audio::Ticks;
use sqlite::{Db, Tx, params};

use crate::catalogue::{Recording, ReleaseName};
use crate::error::Result;
use crate::id::{FileId, PassageId};
use crate::library::answers::Answer;
use crate::library::due::Item;
use crate::library::edits::{self, NewEdit};
use crate::library::record::{CutBy, Measured, write_cut};
use crate::library::shown_flavor;
use crate::library::values::{Evidence, Level};
pub(crate) use before::{BEFORE, forget};

/// What became of a passage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It has a song.
    Identified,
    /// Somebody should look at the candidates.
    Doubtful,
    /// Nobody knows it.
    None,
    /// A service did not answer.
    RetryLater,
    /// A person said what it is.
    Chosen,
    /// A person said what it is not.
    Rejected,
}

impl State {
    /// As it is stored.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Identified => "identified",
            Self::Doubtful => "doubtful",
            Self::None => "none",
            Self::RetryLater => "retry_later",
            Self::Chosen => "chosen",
            Self::Rejected => "rejected",
        }
    }

    /// The state of a stored word.
    pub fn from_word(word: &str) -> Option<Self> {
        [
            Self::Identified,
            Self::Doubtful,
            Self::None,
            Self::RetryLater,
            Self::Chosen,
            Self::Rejected,
        ]
        .into_iter()
        .find(|state| state.word() == word)
    }

    /// Whether a person decided.
    pub const fn is_decided(self) -> bool {
        matches!(self, Self::Chosen | Self::Rejected)
    }
}

/// What a passage was found to be.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The passage.
    pub passage: PassageId,
    /// Its file.
    pub file: FileId,
    /// What marks and tags call it.
    pub said: Said,
    /// Where it started then, in ticks.
    pub start: i64,
    /// Where it ended then, in ticks.
    pub end: i64,
    /// What became of it.
    pub state: State,
    /// How sure it is.
    pub level: Level,
    /// The same as a number.
    pub confidence: f64,
    /// Why, as JSON.
    pub reasoning: String,
    /// What it is, if it has a song.
    pub song: Option<Song>,
}

/// What a passage is called by marks and tags, and which of them say so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// The title.
    pub title: (Option<String>, Option<&'static str>),
    /// The artist.
    pub artist: (Option<String>, Option<&'static str>),
    /// The album.
    pub album: (Option<String>, Option<&'static str>),
}

/// A recording, and where the passage has it from.
#[derive(Debug, Clone)]
pub struct Song {
    /// The recording.
    pub recording: Recording,
    /// The album.
    pub album: Option<ReleaseName>,
    /// Who says so: the strongest source first, in the words of `mbid_source`.
    pub source: String,
    /// The reasons.
    pub evidence: Vec<Evidence>,
}

/// A file that is cut anew.
#[derive(Debug, Clone)]
pub struct Cut {
    file: FileId,
    passages: Vec<(PassageId, Ticks, Ticks, Measured)>,
}

impl Cut {
    /// The cut that leads to these passages, all of one file.
    ///
    /// # Panics
    ///
    /// Without any passage.
    pub fn of(items: &[Item]) -> Self {
        let place = |item: &Item| {
            let measured = match item.fingerprint {
                Some(_) => Measured::Holds,
                None => Measured::Outdated,
            };
            (
                item.id.clone(),
                Ticks(item.start),
                Ticks(item.end),
                measured,
            )
        };
        Self {
            file: items[0].file.clone(),
            passages: items.iter().map(place).collect(),
        }
    }
}

/// Writes a cut, findings and answers in one transaction.
///
/// # Errors
///
/// When the database cannot be written; then nothing of it is.
pub fn record(
    db: &Db,
    cut: Option<Cut>,
    findings: Vec<Finding>,
    answers: Vec<Answer>,
) -> Result<()> {
    if findings.is_empty() && answers.is_empty() {
        return Ok(());
    }
    db.try_write("record identification", move |tx| {
        if let Some(cut) = &cut {
            write_cut(tx, &cut.file, CutBy::Release, &cut.passages)?;
        }
        write_findings(tx, &findings)?;
        write_answers(tx, &answers)
    })
}

/// Writes what a person decided: as an edit, which stands for ever, and as the finding that follows from it.
///
/// # Errors
///
/// When the database cannot be written; then nothing of it is.
pub(crate) fn record_decision(
    db: &Db,
    edit: NewEdit,
    finding: Finding,
    beside: Vec<PassageId>,
    answers: Vec<Answer>,
) -> Result<()> {
    db.try_write("record decision", move |tx| {
        edits::write(tx, &[edit])?;
        write_findings(tx, &[finding])?;
        are_due_again(tx, &beside)?;
        write_answers(tx, &answers)
    })
}

/// Marks passages to be identified again, of which nobody has decided: they are of one album with one that somebody has.
fn are_due_again(tx: &Tx<'_>, passages: &[PassageId]) -> Result<()> {
    for passage in passages {
        tx.execute(
            "UPDATE accession_identifications SET state = 'retry_later' \
             WHERE passage_id = ?1 AND state IN ('none', 'doubtful', 'identified')",
            params![passage],
        )?;
    }
    Ok(())
}

/// Gives a passage that a person no longer names the names of its song, else those that marks and tags say.
pub(crate) fn rename(db: &Db, finding: Finding) -> Result<()> {
    db.try_write("undo names", move |tx| {
        let Finding { passage, said, .. } = &finding;
        for (column, of_song, (name, source)) in [
            ("title", "SELECT title FROM songs WHERE guid = passages.song_id", &said.title),
            ("artist", "SELECT artist_name FROM songs WHERE guid = passages.song_id", &said.artist),
            (
                "album",
                "SELECT a.title FROM albums a JOIN passage_albums l ON l.album_id = a.guid \
                 WHERE l.passage_id = passages.guid LIMIT 1",
                &said.album,
            ),
        ] {
            tx.execute(
                &format!(
                    "UPDATE passages SET {column} = coalesce(({of_song}), ?2), \
                        {column}_source = CASE WHEN ({of_song}) IS NULL THEN ?3 ELSE 'musicbrainz' END, \
                        {column}_confidence = CASE WHEN ({of_song}) IS NULL THEN NULL ELSE mbid_confidence END \
                     WHERE guid = ?1 AND {column}_source = 'person'"
                ),
                params![passage, name, source],
            )?;
        }
        edits::apply(tx, &finding.file)
    })
}

fn write_findings(tx: &Tx<'_>, findings: &[Finding]) -> Result<()> {
    for finding in findings {
        write_finding(tx, finding)?;
    }
    let mut files: Vec<_> = findings.iter().map(|finding| &finding.file).collect();
    files.sort();
    files.dedup();
    for file in files {
        edits::apply(tx, file)?;
    }
    Ok(())
}

/// Keeps answers, the newest one to each question.
pub(crate) fn write_answers(tx: &Tx<'_>, answers: &[Answer]) -> Result<()> {
    tx.insert_rows(
        "accession_answers",
        &["service", "question", "answer", "expires_at"],
        "ON CONFLICT (service, question) DO UPDATE SET answer = excluded.answer, \
             answered_at = excluded.answered_at, expires_at = excluded.expires_at",
        answers.iter().map(|answer| {
            let now = jiff::Timestamp::now().as_second();
            (
                answer.service,
                &answer.question,
                &answer.answer,
                now + answer.holds,
            )
        }),
    )?;
    Ok(())
}

fn write_finding(tx: &Tx<'_>, finding: &Finding) -> Result<()> {
    // A person may have decided while the network was asked.
    let is_person = finding.state.is_decided();
    let written = tx.execute(
        &format!("INSERT INTO accession_identifications (passage_id, state, recording_mbid, confidence, level, reasoning, \
                                                start_time_ticks, end_time_ticks) \
         SELECT guid, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM passages WHERE guid = ?1 \
         ON CONFLICT (passage_id) DO UPDATE SET state = excluded.state, \
            recording_mbid = excluded.recording_mbid, confidence = excluded.confidence, \
            level = excluded.level, \
            reasoning = CASE WHEN ?9 THEN {BEFORE} ELSE excluded.reasoning END, \
            start_time_ticks = excluded.start_time_ticks, end_time_ticks = excluded.end_time_ticks, \
            identified_at = CURRENT_TIMESTAMP \
            WHERE ?9 OR accession_identifications.state NOT IN ('chosen', 'rejected')"),
        params![
            finding.passage,
            finding.state.word(),
            finding.song.as_ref().map(|song| &song.recording.mbid),
            finding.confidence,
            finding.level.word(),
            finding.reasoning,
            finding.start,
            finding.end,
            is_person,
        ],
    )?;
    if written == 0 {
        return Ok(());
    }
    match (&finding.song, finding.state) {
        (Some(song), _) => write_song(tx, finding, song),
        // Nothing new is known: what was found before stays until it is.
        (None, State::RetryLater) => Ok(()),
        (None, _) => clear_song(tx, finding),
    }
}

fn write_song(tx: &Tx<'_>, finding: &Finding, song: &Song) -> Result<()> {
    let recording = &song.recording;
    let mut works = Vec::new();
    for work in &recording.works {
        works.extend(upsert(
            tx,
            "INSERT INTO works (guid, work_mbid, title) VALUES (?1, ?2, ?3) \
             ON CONFLICT (work_mbid) DO UPDATE SET title = excluded.title, updated_at = CURRENT_TIMESTAMP \
             RETURNING guid",
            &work.mbid,
            &work.title,
        )?);
    }
    let song_id = tx
        .returning(
            "INSERT INTO songs (guid, recording_mbid, work_id, title, artist_name) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (recording_mbid) DO UPDATE SET work_id = coalesce(excluded.work_id, work_id), \
                title = excluded.title, artist_name = excluded.artist_name, updated_at = CURRENT_TIMESTAMP \
             RETURNING guid",
            params![random(), recording.mbid, works.first(), recording.title, recording.artist],
            |row| row.get::<_, String>(0),
        )?
        .remove(0);
    for work in &works {
        tx.execute(
            "INSERT INTO song_works (song_id, work_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            params![song_id, work],
        )?;
    }
    write_artists(tx, &song_id, recording)?;
    link_passage(tx, finding, song, &song_id)
}

/// The artists of a song share its weight equally; one who is named twice gets two shares.
fn write_artists(tx: &Tx<'_>, song_id: &str, recording: &Recording) -> Result<()> {
    let credits: Vec<_> = recording
        .credits
        .iter()
        .filter(|credit| !credit.mbid.is_empty())
        .collect();
    if credits.is_empty() {
        return Ok(());
    }
    let mut weights: Vec<(String, f64)> = Vec::new();
    for credit in &credits {
        let ids = upsert(
            tx,
            "INSERT INTO artists (guid, artist_mbid, name) VALUES (?1, ?2, ?3) \
             ON CONFLICT (artist_mbid) DO UPDATE SET name = excluded.name, updated_at = CURRENT_TIMESTAMP \
             RETURNING guid",
            &credit.mbid,
            &credit.name,
        )?;
        let share = 1.0 / credits.len() as f64;
        for id in ids {
            match weights.iter_mut().find(|(known, _)| *known == id) {
                Some((_, weight)) => *weight += share,
                None => weights.push((id, share)),
            }
        }
    }
    let ids: Vec<_> = weights.iter().map(|(id, _)| id).collect();
    tx.execute(
        "DELETE FROM song_artists WHERE song_id = ?1 AND artist_id NOT IN (SELECT value FROM json_each(?2))",
        params![song_id, serde_json::to_string(&ids).expect("ids are plain text")],
    )?;
    for (id, weight) in &weights {
        tx.execute(
            "INSERT INTO song_artists (song_id, artist_id, weight) VALUES (?1, ?2, ?3) \
             ON CONFLICT (song_id, artist_id) DO UPDATE SET weight = excluded.weight",
            params![song_id, id, weight.min(1.0)],
        )?;
    }
    Ok(())
}

fn link_passage(tx: &Tx<'_>, finding: &Finding, song: &Song, song_id: &str) -> Result<()> {
    let passage = &finding.passage;
    tx.execute(
        "DELETE FROM passage_songs WHERE passage_id = ?1 AND song_id <> ?2",
        params![passage, song_id],
    )?;
    tx.execute(
        "INSERT INTO passage_songs (passage_id, song_id, start_time_ticks, end_time_ticks) VALUES (?1, ?2, 0, ?3) \
         ON CONFLICT (passage_id, song_id) DO UPDATE SET start_time_ticks = 0, end_time_ticks = excluded.end_time_ticks",
        params![passage, song_id, finding.end - finding.start],
    )?;
    let album = match &song.album {
        Some(album) => tx.returning(
            "INSERT INTO albums (guid, album_mbid, title, release_date) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (album_mbid) DO UPDATE SET title = excluded.title, \
                release_date = coalesce(excluded.release_date, release_date), updated_at = CURRENT_TIMESTAMP \
             RETURNING guid",
            params![random(), album.mbid, album.title, album.date],
            |row| row.get::<_, String>(0),
        )?,
        None => Vec::new(),
    };
    tx.execute(
        "DELETE FROM passage_albums WHERE passage_id = ?1 AND album_id <> ?2",
        params![passage, album.first().map_or("", String::as_str)],
    )?;
    for album in &album {
        tx.execute(
            "INSERT INTO passage_albums (passage_id, album_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            params![passage, album],
        )?;
    }
    tx.execute(
        "UPDATE passages SET song_id = ?2, recording_mbid = ?3, mbid_source = ?4, mbid_confidence = ?5, \
            identity_confidence = ?5, title = ?6, title_source = 'musicbrainz', title_confidence = ?5, \
            artist = ?7, artist_source = 'musicbrainz', artist_confidence = ?5, \
            album = coalesce(?8, album), \
            album_source = CASE WHEN ?8 IS NULL THEN album_source ELSE 'musicbrainz' END, \
            album_confidence = CASE WHEN ?8 IS NULL THEN album_confidence ELSE ?5 END, \
            updated_at = CURRENT_TIMESTAMP \
         WHERE guid = ?1",
        params![
            passage,
            song_id,
            song.recording.mbid,
            song.source,
            finding.confidence,
            song.recording.title,
            song.recording.artist,
            song.album.as_ref().map(|album| &album.title),
        ],
    )?;
    shown_flavor::prefer_chosen(tx, passage)?;
    write_provenance(tx, finding, &song.evidence)
}

/// Takes a passage's song away; what marks and tags say comes back.
fn clear_song(tx: &Tx<'_>, finding: &Finding) -> Result<()> {
    let passage = &finding.passage;
    tx.execute(
        "DELETE FROM passage_songs WHERE passage_id = ?1",
        params![passage],
    )?;
    tx.execute(
        "DELETE FROM passage_albums WHERE passage_id = ?1",
        params![passage],
    )?;
    let said = &finding.said;
    for (column, (name, source)) in [
        ("title", &said.title),
        ("artist", &said.artist),
        ("album", &said.album),
    ] {
        tx.execute(
            &format!(
                "UPDATE passages SET {column} = ?2, {column}_source = ?3, {column}_confidence = NULL \
                 WHERE guid = ?1 AND {column}_source IN ('musicbrainz', 'person')"
            ),
            params![passage, name, source],
        )?;
    }
    tx.execute(
        "UPDATE passages SET song_id = NULL, recording_mbid = NULL, mbid_source = NULL, mbid_confidence = NULL, \
            identity_confidence = ?2, updated_at = CURRENT_TIMESTAMP \
         WHERE guid = ?1",
        params![passage, finding.confidence],
    )?;
    write_provenance(tx, finding, &[])
}

fn write_provenance(tx: &Tx<'_>, finding: &Finding, evidence: &[Evidence]) -> Result<()> {
    tx.execute(
        "DELETE FROM import_provenance WHERE passage_id = ?1 AND source_type <> 'tags'",
        params![finding.passage],
    )?;
    for one in evidence {
        tx.execute(
            "INSERT INTO import_provenance (id, passage_id, source_type, data_extracted, confidence, timestamp) \
             VALUES (?1, ?2, ?3, ?4, ?5, unixepoch())",
            params![
                random(),
                finding.passage,
                format!("identify {}", one.source.word()),
                serde_json::to_string(one).expect("evidence is plain text and numbers"),
                one.confidence,
            ],
        )?;
    }
    Ok(())
}

fn upsert(tx: &Tx<'_>, sql: &str, mbid: &str, name: &str) -> Result<Vec<String>> {
    Ok(tx.returning(sql, params![random(), mbid, name], |row| row.get(0))?)
}

pub(crate) fn random() -> String {
    uuid::Uuid::new_v4().to_string()
}
/// The recording that a passage is, or most likely is.
///
/// # Errors
///
/// When the database cannot be read.
pub(crate) fn likeliest(db: &Db, passage: &PassageId) -> Result<Option<String>> {
    db.read(|snapshot| {
        let found = snapshot.query_optional(
            "SELECT coalesce(recording_mbid, CASE WHEN json_valid(reasoning) THEN json_extract(reasoning, '$.candidates[0].recording_mbid') END) \
             FROM accession_identifications WHERE passage_id = ?1",
            params![passage],
            |row| row.get::<_, Option<String>>(0),
        )?;
        Ok(found.flatten())
    })
}

/// Whether a passage counts as chosen to be a recording.
///
/// # Errors
///
/// When the database cannot be read.
pub(crate) fn is_chosen(db: &Db, passage: &PassageId, mbid: &str) -> Result<bool> {
    db.read(|snapshot| {
        Ok(snapshot.query_row(
            "SELECT EXISTS (SELECT 1 FROM accession_identifications WHERE passage_id = ?1 AND state = 'chosen' \
                AND recording_mbid = ?2)",
            params![passage, mbid],
            |row| row.get(0),
        )?)
    })
}

/// The recording that a passage is linked with.
pub(crate) fn linked(db: &Db, passage: &PassageId) -> Result<Option<String>> {
    db.read(|snapshot| {
        let found = snapshot.query_optional(
            "SELECT s.recording_mbid FROM passages p JOIN songs s ON s.guid = p.song_id WHERE p.guid = ?1",
            params![passage],
            |row| row.get::<_, Option<String>>(0),
        )?;
        Ok(found.flatten())
    })
}
