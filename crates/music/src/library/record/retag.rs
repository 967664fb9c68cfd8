//! Writes what is new about a file whose sound is known: its tags, its path, its digest. Nothing else changes.

use sqlite::{Db, Tx, params};

use super::names::{Marked, Names};
use super::{RunEnd, forget_problem, forget_provenance, json_of, write_end, write_provenance};
use crate::error::Result;
use crate::id::{FileId, PassageId};
use crate::library::edits;
use crate::library::known::timestamp;
use crate::library::marks::StoredMark;
use crate::library::values::ScannedFile;
use audio::decode::AudioDigest;
use audio::tags::Tags;

/// A known sound in a file with new tags, in another container, or at another path.
#[derive(Debug, Clone)]
pub(crate) struct RetagRecord {
    /// The row that stands for the sound.
    pub(crate) id: FileId,
    /// Where the file lies now.
    pub(crate) file: ScannedFile,
    /// SHA-256 of its content.
    pub(crate) hash: String,
    /// The digests of its encoded audio.
    pub(crate) audio: AudioDigest,
    /// What its content is, where its name says something else.
    pub(crate) misnamed: Option<String>,
    /// Short name for everything it has written in itself.
    pub(crate) tags_digest: String,
    /// What its tags say now.
    pub(crate) tags: Tags,
    /// Its passages, each with its mark.
    pub(crate) passages: Vec<(PassageId, Option<StoredMark>)>,
}

/// Writes new tags of a known sound in one transaction, and the run's end if it is the last one.
///
/// # Errors
///
/// When the database cannot be written; then nothing of it is.
pub(crate) fn record_retag(db: &Db, record: RetagRecord, end: Option<RunEnd>) -> Result<FileId> {
    let text = json_of(&record.tags);
    db.try_write("record tags", move |tx| {
        let RetagRecord { id, file, tags, .. } = &record;
        // Another file that is on its way to a new path itself may still stand here.
        tx.execute(
            "UPDATE files SET path = '/moving/' || guid WHERE path = ?2 AND guid <> ?1",
            params![id, file.path()],
        )?;
        tx.execute(
            "UPDATE files SET path = ?2, hash = ?3, file_size_bytes = ?4, modification_time = ?5, artist = ?6, \
                title = ?7, album = ?8, track_number = ?9, year = ?10, updated_at = CURRENT_TIMESTAMP, \
                matching_hashes = CASE WHEN hash = ?3 THEN matching_hashes END WHERE guid = ?1",
            params![
                id,
                file.path(),
                record.hash,
                file.size(),
                timestamp(file.modified_ns()),
                tags.artist,
                tags.title,
                tags.album,
                tags.track,
                tags.year,
            ],
        )?;
        // What the tags say now may tell what a passage is; what was found stays until something else is.
        tx.execute(&is_due_again(), params![id, text])?;
        tx.execute(
            "UPDATE accession_files SET modified_ns = ?2, tags = ?3, audio_md5 = ?4, misnamed = ?5, changed_ns = ?6, \
                tags_digest = ?7, sheets = ?8, sheets_content = ?9, audio_xxh3 = coalesce(?10, audio_xxh3) \
                WHERE file_id = ?1",
            params![
                id,
                file.modified_ns(),
                text,
                record.audio.md5.to_string(),
                record.misnamed,
                file.changed_ns(),
                record.tags_digest,
                file.sheets_state(),
                file.sheets_content(),
                record.audio.xxh3.map(|xxh3| xxh3.to_string()),
            ],
        )?;
        for (passage, mark) in &record.passages {
            let marked = mark.as_ref().map(|mark| Marked {
                title: mark.title.as_deref(),
                performer: mark.performer.as_deref(),
                album: mark.album.as_deref(),
            });
            let names = Names::of(tags, marked);
            for (column, (name, source)) in [
                ("title", names.title),
                ("artist", names.artist),
                ("album", names.album),
            ] {
                tx.execute(
                    &format!(
                        "UPDATE passages SET {column} = ?2, {column}_source = ?3, updated_at = CURRENT_TIMESTAMP \
                         WHERE guid = ?1 AND coalesce({column}_source, 'tags') IN ('tags', 'marks', 'person')"
                    ),
                    params![passage, name, source],
                )?;
            }
            forget_provenance(tx, passage)?;
            write_provenance(tx, text.as_deref(), passage)?;
        }
        edits::apply(tx, id)?;
        forget_problem(tx, file.path())?;
        end.map_or(Ok(()), |end| write_end(tx, &end))?;
        Ok(record.id)
    })
}

/// Tags by which a passage is identified.
const EVIDENCE: [&str; 15] = [
    "title",
    "artist",
    "album",
    "album_artist",
    "track",
    "disc",
    "year",
    "original_year",
    "subtitle",
    "genre",
    "isrc",
    "recording_mbid",
    "release_mbid",
    "composers",
    "performers",
];

/// Marks the passages of a file that are to be identified again, since their tags say something else now; not those whose
/// tags name the very recording that was found.
fn is_due_again() -> String {
    let differs = EVIDENCE.map(|name| format!("a.tags -> '$.{name}' IS NOT ?2 -> '$.{name}'"));
    format!(
        "UPDATE accession_identifications AS i SET state = 'retry_later' \
         FROM passages p JOIN accession_files a ON a.file_id = p.file_id \
         WHERE p.guid = i.passage_id AND p.file_id = ?1 AND i.state IN ('none', 'doubtful', 'identified') \
            AND (i.state <> 'identified' OR i.recording_mbid IS NOT ?2 ->> '$.recording_mbid') \
            AND ({})",
        differs.join(" OR ")
    )
}

/// Marks the passages of a file that moved and that names of files and folders spoke for, or nothing did, since they may say
/// something else now.
pub(super) fn is_due_by_new_names(tx: &Tx<'_>, id: &FileId) -> Result<()> {
    tx.execute(
        "UPDATE accession_identifications AS i SET state = 'retry_later' \
         FROM passages p \
         WHERE p.guid = i.passage_id AND p.file_id = ?1 \
            AND (i.state IN ('none', 'doubtful') \
                OR i.state = 'identified' \
                    AND (i.reasoning -> '$.heard.is_by_path' IS NOT NULL \
                        OR i.reasoning -> '$.heard.is_album_by_folder' IS NOT NULL \
                        OR i.reasoning -> '$.heard.said_versions' IS NOT NULL))",
        params![id],
    )?;
    Ok(())
}

/// Writes the digest of a file that was analysed before there was one, or that it has none.
///
/// # Errors
///
/// When the database cannot be written.
pub(crate) fn record_sound(
    db: &Db,
    id: FileId,
    audio: Option<AudioDigest>,
    end: Option<RunEnd>,
) -> Result<FileId> {
    db.try_write("record digest", move |tx| {
        let digest = audio.map(|audio| audio.md5.to_string());
        let digest = digest.unwrap_or_default();
        let quick = audio.and_then(|audio| audio.xxh3);
        tx.execute(
            "UPDATE accession_files SET audio_md5 = ?2, audio_xxh3 = ?3 WHERE file_id = ?1",
            params![id, digest, quick.map(|xxh3| xxh3.to_string())],
        )?;
        tx.execute(
            "UPDATE accession_edits SET sound = ?2 \
             WHERE ?2 <> '' AND sound = (SELECT hash FROM files WHERE guid = ?1)",
            params![id, digest],
        )?;
        end.map_or(Ok(()), |end| write_end(tx, &end))?;
        Ok(id)
    })
}
