//! The row of a file, and what else there is one of for each file.

use sqlite::{Tx, params};

use super::FileRecord;
use crate::error::Result;
use crate::id::FileId;
use crate::library::edits;
use crate::library::known::{ANALYSIS_VERSION, DESCRIPTION_VERSION, timestamp};
use crate::library::marks::{self, StoredMark};
use audio::Ticks;

macro_rules! insert_file {
    () => {
        "INSERT INTO files (guid, path, hash, duration_ticks, format, sample_rate, channels, file_size_bytes, \
                            modification_time, artist, title, album, track_number, year, status, matching_hashes) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, NULL) ON CONFLICT (path) "
    };
}

const NEW_FILE: &str = concat!(insert_file!(), "DO NOTHING");

const KNOWN_FILE: &str = concat!(
    insert_file!(),
    "DO UPDATE SET \
        hash = excluded.hash, duration_ticks = excluded.duration_ticks, format = excluded.format, \
        sample_rate = excluded.sample_rate, channels = excluded.channels, \
        file_size_bytes = excluded.file_size_bytes, modification_time = excluded.modification_time, \
        artist = excluded.artist, title = excluded.title, album = excluded.album, \
        track_number = excluded.track_number, year = excluded.year, status = excluded.status, \
        matching_hashes = CASE WHEN hash = excluded.hash THEN matching_hashes END, \
        updated_at = CURRENT_TIMESTAMP \
     RETURNING guid"
);

/// The row of a file.
pub(super) struct FileRow {
    pub(super) id: FileId,
    /// It was not there before, so that nothing is stored about it which would have to go.
    pub(super) is_new: bool,
}

pub(super) fn write_file(tx: &Tx<'_>, record: &FileRecord) -> Result<FileRow> {
    let FileRecord { file, tags, .. } = record;
    let audio = record.audio.as_ref();
    let duration = audio
        .map(|audio| Ticks::from_frames(audio.frames, audio.sample_rate).0)
        .filter(|ticks| *ticks > 0);
    let modified = timestamp(file.modified_ns());
    let values = params![
        record.id,
        file.path(),
        record.hash,
        duration,
        audio.map(|audio| &audio.format),
        audio.map(|audio| audio.sample_rate),
        audio.map(|audio| audio.channels),
        file.size(),
        modified,
        tags.artist,
        tags.title,
        tags.album,
        tags.track,
        tags.year,
        record.status.word(),
    ];
    // Without what `RETURNING` costs, where most files are new.
    if tx.execute(NEW_FILE, values)? == 1 {
        let id = record.id.clone();
        return Ok(FileRow { id, is_new: true });
    }
    // The id in the row wins over ours: another program may have made the row meanwhile.
    let ids = tx.returning(KNOWN_FILE, values, |row| row.get(0))?;
    let id = ids.into_iter().next().unwrap_or_else(|| record.id.clone());
    Ok(FileRow { id, is_new: false })
}

pub(super) fn write_details(
    tx: &Tx<'_>,
    FileRow { id, is_new }: &FileRow,
    record: &FileRecord,
    tags: Option<&str>,
) -> Result<()> {
    let audio = record.audio.as_ref();
    tx.execute(
        "INSERT INTO accession_files (file_id, modified_ns, analysis_version, container, codec, frames, \
                                      damaged_frames, damage, segmentation, tags, description_version, decoder, \
                                      misnamed, changed_ns, tags_digest, sheets, sheets_content, audio_md5, cut_by, \
                                      audio_xxh3) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20) \
         ON CONFLICT (file_id) DO UPDATE SET \
            modified_ns = excluded.modified_ns, analysis_version = excluded.analysis_version, \
            container = excluded.container, codec = excluded.codec, frames = excluded.frames, \
            damaged_frames = excluded.damaged_frames, damage = excluded.damage, \
            segmentation = excluded.segmentation, tags = excluded.tags, \
            description_version = excluded.description_version, decoder = excluded.decoder, \
            misnamed = excluded.misnamed, changed_ns = excluded.changed_ns, tags_digest = excluded.tags_digest, \
            sheets = excluded.sheets, sheets_content = excluded.sheets_content, \
            audio_md5 = excluded.audio_md5, cut_by = excluded.cut_by, audio_xxh3 = excluded.audio_xxh3",
        params![
            id,
            record.file.modified_ns(),
            ANALYSIS_VERSION,
            audio.map(|audio| &audio.container),
            audio.map(|audio| &audio.codec),
            audio.map(|audio| audio.frames),
            audio.map_or(0, |audio| audio.damaged_frames),
            audio.and_then(|audio| audio.damage.as_ref()),
            audio.map(|audio| &audio.segmentation),
            tags,
            DESCRIPTION_VERSION,
            audio.and_then(|audio| audio.decoder.as_ref()),
            record.misnamed,
            record.file.changed_ns(),
            record.tags_digest,
            record.file.sheets_state(),
            record.file.sheets_content(),
            // Empty: it has none that can be read, and need not be asked again.
            audio.map(|_| record.audio_md5.map(|md5| md5.to_string()).unwrap_or_default()),
            audio.map(|_| record.cut_by.word()),
            record.audio_xxh3.map(|xxh3| xxh3.to_string()),
        ],
    )?;
    let marks = StoredMark::all_of(record.marks.as_ref());
    if !is_new || !marks.is_empty() {
        marks::write(tx, id, &marks)?;
    }
    record.audio_md5.map_or(Ok(()), |md5| {
        edits::name_by_sound(tx, &record.hash, &md5.to_string())
    })
}
