//! The rows of a file's passages.

use std::sync::LazyLock;

use sqlite::{Tx, params};

use super::names::{Marked, Names};
use super::sound::{self, SoundColumns};
use super::{CutBy, FileRecord, FileRow, PassageRecord};
use crate::error::Result;
use crate::id::{FileId, PassageId};
use crate::library::shown_flavor;
use audio::Ticks;
use audio::tags::Tags;

/// What of a file's record has to be put into words for its columns. That is done before the lock is asked for.
pub(super) struct Worded {
    /// The ids of its passages, as JSON.
    ids: String,
    /// Its tags, as JSON, if it has any.
    pub(super) tags: Option<String>,
    /// For each passage.
    sounds: Vec<SoundColumns>,
}

impl Worded {
    pub(super) fn of(record: &FileRecord) -> Self {
        let ids: Vec<_> = record.passages.iter().map(|passage| &passage.id).collect();
        let is_whole_file = record.passages.len() == 1;
        let tagged_gain = record.tags.track_gain_db.filter(|_| is_whole_file);
        let sound_of = |passage: &PassageRecord| {
            let place = (passage.start, passage.end);
            SoundColumns::of(&passage.sound, place, &passage.lead_settings, tagged_gain)
        };
        Self {
            ids: serde_json::to_string(&ids).expect("ids are plain text"),
            tags: json_of(&record.tags),
            sounds: record.passages.iter().map(sound_of).collect(),
        }
    }
}

/// Tags as the columns keep them; `None` where there are none.
pub(super) fn json_of(tags: &Tags) -> Option<String> {
    (!tags.is_empty())
        .then(|| serde_json::to_string(tags).expect("tags are plain text and numbers"))
}

/// Passages that keep their ids are updated in place, so that what hangs on them stays.
pub(super) fn replace_passages(
    tx: &Tx<'_>,
    FileRow { id: file, is_new }: &FileRow,
    record: &FileRecord,
    worded: &Worded,
) -> Result<()> {
    if !is_new {
        tx.execute(
            "DELETE FROM passages WHERE file_id = ?1 AND instr(?2, '\"' || guid || '\"') = 0",
            params![file, worded.ids],
        )?;
    }
    if let Some(audio) = &record.audio {
        sound::write_overview(tx, file, audio, *is_new)?;
    }
    for (passage, columns) in record.passages.iter().zip(&worded.sounds) {
        upsert_passage(tx, file, record, passage, columns)?;
        if !is_new {
            // A new passage has no song yet, and so no other flavor than its own.
            shown_flavor::prefer_chosen(tx, &passage.id)?;
            forget_provenance(tx, &passage.id)?;
        }
        write_fingerprint(tx, passage)?;
        sound::write_sound(tx, &passage.id, &passage.sound, columns)?;
        write_provenance(tx, worded.tags.as_deref(), &passage.id)?;
    }
    Ok(())
}

/// Writes a passage, or what is new about one that is there already.
///
/// As long as the sound is the same, a name that somebody else found out stays: the tags and marks that an analysis
/// reads have nothing better. A person's word is put over it afterwards.
static UPSERT: LazyLock<String> = LazyLock::new(|| {
    let keeps = |name: &str| {
        format!("?20 AND coalesce({name}_source, 'tags') NOT IN ('tags', 'marks', 'person')")
    };
    let names: String = ["title", "artist", "album"]
        .map(|name| {
            let keeps = keeps(name);
            format!(
                "{name} = CASE WHEN {keeps} THEN {name} ELSE excluded.{name} END, \
                 {name}_source = CASE WHEN {keeps} THEN {name}_source ELSE excluded.{name}_source END, "
            )
        })
        .concat();
    format!(
        "INSERT INTO passages (guid, file_id, start_time_ticks, end_time_ticks, title, artist, album, \
                               title_source, artist_source, album_source, decode_status, status, \
                               import_session_id, import_timestamp, import_strategy, import_version, \
                               fade_in_start_ticks, lead_in_start_ticks, lead_out_start_ticks, fade_out_start_ticks, \
                               musical_flavor_vector, flavor_source_blend, import_metadata) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'successful', 'INGEST COMPLETE', \
                 ?11, unixepoch(), ?12, ?13, ?14, ?15, ?16, ?17, ?18, json_array('Accession'), ?19) \
         ON CONFLICT (guid) DO UPDATE SET {names} \
            start_time_ticks = excluded.start_time_ticks, end_time_ticks = excluded.end_time_ticks, \
            fade_in_start_ticks = excluded.fade_in_start_ticks, lead_in_start_ticks = excluded.lead_in_start_ticks, \
            lead_out_start_ticks = excluded.lead_out_start_ticks, \
            fade_out_start_ticks = excluded.fade_out_start_ticks, \
            musical_flavor_vector = excluded.musical_flavor_vector, \
            flavor_source_blend = excluded.flavor_source_blend, import_metadata = excluded.import_metadata, \
            decode_status = excluded.decode_status, \
            status = excluded.status, import_session_id = excluded.import_session_id, \
            import_timestamp = excluded.import_timestamp, import_strategy = excluded.import_strategy, \
            import_version = excluded.import_version, updated_at = CURRENT_TIMESTAMP"
    )
});

fn upsert_passage(
    tx: &Tx<'_>,
    file: &FileId,
    record: &FileRecord,
    passage: &PassageRecord,
    sound: &SoundColumns,
) -> Result<()> {
    let label = passage.label.as_ref();
    let marked = label.map(|label| Marked {
        title: label.title.as_deref(),
        performer: label.performer.as_deref(),
        album: passage.album.as_deref(),
    });
    // The tags of an album rip name the album, and none of its tracks, also where a track has no mark.
    let is_rip = record.passages.iter().any(|one| one.label.is_some());
    let marked = marked.or_else(|| is_rip.then(Marked::default));
    let names = Names::of(&record.tags, marked);
    tx.execute(
        &UPSERT,
        params![
            passage.id,
            file,
            passage.start.0,
            passage.end.0,
            names.title.0,
            names.artist.0,
            names.album.0,
            names.title.1,
            names.artist.1,
            names.album.1,
            record.session,
            strategy(record),
            concat!("accession ", env!("CARGO_PKG_VERSION")),
            sound.fade_in,
            sound.lead_in,
            sound.lead_out,
            sound.fade_out,
            sound.flavor,
            sound.import_metadata,
            record.is_same_sound,
        ],
    )?;
    Ok(())
}

/// How the passage came about, in a word.
const fn strategy(record: &FileRecord) -> &'static str {
    match record.cut_by {
        CutBy::Whole => "single",
        cut_by => cut_by.word(),
    }
}

/// What was measured of a passage that somebody cut anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measured {
    /// It still holds.
    Holds,
    /// It holds if the passage lies where it lay.
    HoldsUnmoved,
    /// It is to be measured again.
    Outdated,
}

/// Cuts a file anew; passages that are not among these go.
///
/// The file is heard again by whoever cut it, or by the next import, which keeps this cut.
pub(crate) fn write_cut(
    tx: &Tx<'_>,
    file: &FileId,
    by: CutBy,
    passages: &[(PassageId, Ticks, Ticks, Measured)],
) -> Result<()> {
    let ids: Vec<_> = passages.iter().map(|(id, ..)| id).collect();
    tx.execute(
        "DELETE FROM passages WHERE file_id = ?1 AND guid NOT IN (SELECT value FROM json_each(?2))",
        params![
            file,
            serde_json::to_string(&ids).expect("ids are plain text")
        ],
    )?;
    tx.execute(
        "UPDATE accession_files SET analysis_version = 0, cut_by = ?2 WHERE file_id = ?1",
        params![file, by.word()],
    )?;
    for (id, start, end, measured) in passages {
        if *measured == Measured::Holds {
            continue;
        }
        let written = tx.execute(
            "INSERT INTO passages (guid, file_id, start_time_ticks, end_time_ticks, decode_status, status, \
                                   import_timestamp, import_strategy, import_version) \
             VALUES (?1, ?2, ?3, ?4, 'successful', 'INGEST COMPLETE', unixepoch(), ?5, ?6) \
             ON CONFLICT (guid) DO UPDATE SET start_time_ticks = excluded.start_time_ticks, \
                end_time_ticks = excluded.end_time_ticks, fade_in_start_ticks = NULL, lead_in_start_ticks = NULL, \
                lead_out_start_ticks = NULL, fade_out_start_ticks = NULL, \
                musical_flavor_vector = NULL, flavor_source_blend = NULL, import_metadata = NULL, \
                import_strategy = excluded.import_strategy, updated_at = CURRENT_TIMESTAMP \
                WHERE ?7 OR start_time_ticks <> excluded.start_time_ticks OR end_time_ticks <> excluded.end_time_ticks",
            params![
                id,
                file,
                start.0,
                end.0,
                by.word(),
                concat!("accession ", env!("CARGO_PKG_VERSION")),
                *measured == Measured::Outdated
            ],
        )?;
        if written > 0 {
            for table in ["accession_fingerprints", "accession_sounds"] {
                tx.execute(
                    &format!("DELETE FROM {table} WHERE passage_id = ?1"),
                    params![id],
                )?;
            }
        }
    }
    Ok(())
}

fn write_fingerprint(tx: &Tx<'_>, passage: &PassageRecord) -> Result<()> {
    match &passage.fingerprint {
        Some((algorithm, text)) => tx.execute(
            "INSERT INTO accession_fingerprints (passage_id, algorithm, duration_ticks, fingerprint) \
             VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (passage_id) DO UPDATE SET algorithm = excluded.algorithm, \
                duration_ticks = excluded.duration_ticks, fingerprint = excluded.fingerprint",
            params![passage.id, algorithm, passage.end.0 - passage.start.0, text],
        )?,
        None => tx.execute(
            "DELETE FROM accession_fingerprints WHERE passage_id = ?1",
            params![passage.id],
        )?,
    };
    Ok(())
}

/// The sign keeps SQLite from the index of `source_type`, which leads to the tags of all passages there are.
const FORGET_TAGS: &str =
    "DELETE FROM import_provenance WHERE passage_id = ?1 AND +source_type = 'tags'";

/// Removes what the tags said.
pub(super) fn forget_provenance(tx: &Tx<'_>, passage: &PassageId) -> Result<()> {
    tx.execute(FORGET_TAGS, params![passage])?;
    Ok(())
}

/// Writes what the tags say, as [`json_of`] makes it, where nothing is written of them.
pub(super) fn write_provenance(tx: &Tx<'_>, tags: Option<&str>, passage: &PassageId) -> Result<()> {
    if let Some(tags) = tags {
        tx.execute(
            "INSERT INTO import_provenance (id, passage_id, source_type, data_extracted, timestamp) \
             VALUES (?1, ?2, 'tags', ?3, unixepoch())",
            params![
                PassageId::random().as_str(),
                passage,
                tags,
            ],
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use sqlite::params;

    use super::FORGET_TAGS;
    use crate::library::Library;

    #[test]
    fn what_a_file_said_before_is_found_without_looking_at_all_others() {
        let folder = tempfile::tempdir().unwrap();
        let library = Library::open(&folder.path().join("wkmp.db"), folder.path()).unwrap();
        let steps: crate::Result<Vec<String>> = library.db().read(|snapshot| {
            let explain = format!("EXPLAIN QUERY PLAN {FORGET_TAGS}");
            Ok(snapshot.query_all(&explain, params!["x"], |row| row.get(3))?)
        });
        let steps = steps.unwrap().join("; ");
        assert!(steps.contains("passage_id=?"), "{steps}");
    }
}
