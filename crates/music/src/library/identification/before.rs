//! What was found out before a person decided otherwise: kept with the decision, and put back when that is taken back,
//! without asking anybody.

use sqlite::{Db, Tx, params};

use super::{Finding, are_due_again, clear_song};
use crate::error::Result;
use crate::id::PassageId;
use crate::library::edits;
use crate::library::shown_flavor;

/// The reasoning of a person's decision that is `excluded`, with what was found out `before`.
pub(crate) const BEFORE: &str = "json_set(excluded.reasoning, '$.before', \
    CASE WHEN accession_identifications.state IN ('chosen', 'rejected') \
        THEN json_extract(accession_identifications.reasoning, '$.before') \
        ELSE json_object('state', accession_identifications.state, 'level', accession_identifications.level, \
            'confidence', accession_identifications.confidence, \
            'start_ticks', accession_identifications.start_time_ticks, \
            'end_ticks', accession_identifications.end_time_ticks, \
            'song', json((SELECT json_object('recording_mbid', p.recording_mbid, 'source', p.mbid_source, \
                    'confidence', p.mbid_confidence, 'album_mbid', (SELECT a.album_mbid FROM passage_albums l \
                        JOIN albums a ON a.guid = l.album_id WHERE l.passage_id = p.guid LIMIT 1)) \
                FROM passages p WHERE p.guid = accession_identifications.passage_id AND p.song_id IS NOT NULL)), \
            'reasoning', json(accession_identifications.reasoning)) END)";

/// The decision about the passage `?1`, with the song that it had before, if that is still known.
const SONG_BEFORE: &str = "accession_identifications i \
    JOIN songs s ON s.recording_mbid = i.reasoning ->> '$.before.song.recording_mbid' \
    WHERE i.passage_id = ?1 AND i.state IN ('chosen', 'rejected')";

/// Takes back that a person decided what a passage is.
///
/// # Errors
///
/// When the database cannot be written.
pub(crate) fn forget(db: &Db, finding: Finding, beside: Vec<PassageId>) -> Result<()> {
    db.try_write("undo decision", move |tx| {
        clear_song(tx, &finding)?;
        link_again(tx, &finding.passage)?;
        // What had a song that is not known any more is asked for again, with the candidates that it had.
        tx.execute(
            "UPDATE accession_identifications AS i SET \
                recording_mbid = (SELECT p.recording_mbid FROM passages p WHERE p.guid = i.passage_id), \
                state = CASE WHEN b.state = 'identified' AND NOT b.has_song THEN 'retry_later' ELSE b.state END, \
                level = b.level, confidence = b.confidence, reasoning = b.reasoning, \
                start_time_ticks = coalesce(b.start_ticks, i.start_time_ticks), \
                end_time_ticks = coalesce(b.end_ticks, i.end_time_ticks) \
             FROM (SELECT passage_id, reasoning ->> '$.before.state' AS state, reasoning ->> '$.before.level' AS level, \
                    reasoning ->> '$.before.confidence' AS confidence, reasoning -> '$.before.reasoning' AS reasoning, \
                    reasoning ->> '$.before.start_ticks' AS start_ticks, \
                    reasoning ->> '$.before.end_ticks' AS end_ticks, \
                    (SELECT p.song_id FROM passages p WHERE p.guid = passage_id) IS NOT NULL AS has_song \
                   FROM accession_identifications WHERE passage_id = ?1 AND reasoning ->> '$.before.state' IS NOT NULL) b \
             WHERE i.passage_id = b.passage_id",
            params![finding.passage],
        )?;
        tx.execute(
            "DELETE FROM accession_identifications WHERE passage_id = ?1 AND state IN ('chosen', 'rejected')",
            params![finding.passage],
        )?;
        are_due_again(tx, &beside)?;
        edits::apply(tx, &finding.file)
    })
}

/// Gives a passage the song, the album, the names and the reasons that it had before a person decided.
fn link_again(tx: &Tx<'_>, passage: &PassageId) -> Result<()> {
    tx.execute(
        &format!(
            "INSERT INTO passage_songs (passage_id, song_id, start_time_ticks, end_time_ticks) \
             SELECT i.passage_id, s.guid, 0, (SELECT p.end_time_ticks - p.start_time_ticks FROM passages p \
                WHERE p.guid = i.passage_id) FROM {SONG_BEFORE}"
        ),
        params![passage],
    )?;
    tx.execute(
        &format!(
            "INSERT INTO passage_albums (passage_id, album_id) SELECT i.passage_id, a.guid FROM albums a, {SONG_BEFORE} \
                AND a.album_mbid = i.reasoning ->> '$.before.song.album_mbid'"
        ),
        params![passage],
    )?;
    tx.execute(
        &format!(
            "UPDATE passages SET song_id = b.song_id, recording_mbid = b.recording_mbid, mbid_source = b.source, \
                mbid_confidence = b.confidence, identity_confidence = b.confidence, \
                title = b.title, title_source = 'musicbrainz', title_confidence = b.confidence, \
                artist = b.artist, artist_source = 'musicbrainz', artist_confidence = b.confidence, \
                album = coalesce(b.album, passages.album), \
                album_source = CASE WHEN b.album IS NULL THEN passages.album_source ELSE 'musicbrainz' END, \
                album_confidence = CASE WHEN b.album IS NULL THEN passages.album_confidence ELSE b.confidence END, \
                updated_at = CURRENT_TIMESTAMP \
             FROM (SELECT i.passage_id, s.guid AS song_id, s.recording_mbid, s.title, s.artist_name AS artist, \
                    i.reasoning ->> '$.before.song.source' AS source, \
                    i.reasoning ->> '$.before.song.confidence' AS confidence, \
                    (SELECT a.title FROM albums a \
                     WHERE a.album_mbid = i.reasoning ->> '$.before.song.album_mbid') AS album \
                   FROM {SONG_BEFORE}) b WHERE passages.guid = b.passage_id"
        ),
        params![passage],
    )?;
    tx.execute(
        &format!(
            "INSERT INTO import_provenance (id, passage_id, source_type, data_extracted, confidence, timestamp) \
             SELECT lower(hex(randomblob(16))), i.passage_id, 'identify ' || (e.value ->> 'source'), e.value, \
                e.value ->> 'confidence', unixepoch() \
             FROM json_each((SELECT reasoning FROM accession_identifications WHERE passage_id = ?1), \
                '$.before.reasoning.candidates[0].evidence') e, {SONG_BEFORE}"
        ),
        params![passage],
    )?;
    shown_flavor::prefer_chosen(tx, passage)
}
