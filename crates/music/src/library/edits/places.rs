//! Which passages a person's word is about.

use sqlite::{Db, Snapshot, Tx, params};

use super::{Field, NewEdit, edit_concerns, first_counts, is_evidence};
use crate::error::{Error, Result};
use crate::id::{FileId, PassageId};
use crate::library::values::common_names;
use audio::Ticks;

/// A passage and where a person's word about it is bound to.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) file: FileId,
    pub(crate) path: String,
    pub(crate) sound: String,
    pub(crate) start: Ticks,
    pub(crate) end: Ticks,
}

/// Where a passage is.
pub(crate) fn place_of(snapshot: &Snapshot<'_>, passage: &PassageId) -> Result<Option<Place>> {
    Ok(snapshot.query_optional(
        "SELECT f.guid, f.path, coalesce(nullif(a.audio_md5, ''), f.hash), p.start_time_ticks, p.end_time_ticks \
         FROM passages p JOIN files f ON f.guid = p.file_id LEFT JOIN accession_files a ON a.file_id = f.guid \
         WHERE p.guid = ?1",
        params![passage],
        |row| {
            Ok(Place {
                file: row.get(0)?,
                path: row.get(1)?,
                sound: row.get(2)?,
                start: Ticks(row.get(3)?),
                end: Ticks(row.get(4)?),
            })
        },
    )?)
}

/// The passages of a file with their bounds in order of time, and the file's length, where that is known.
pub(crate) type FileBounds = (Vec<(PassageId, Ticks, Ticks)>, Option<Ticks>);

/// Reads where the passages of a file lie.
pub(crate) fn bounds_of(db: &Db, file: &FileId) -> Result<FileBounds> {
    db.read(|snapshot| {
        let passages = snapshot.query_all(
            "SELECT guid, start_time_ticks, end_time_ticks FROM passages WHERE file_id = ?1 ORDER BY start_time_ticks",
            params![file],
            |row| Ok((row.get(0)?, Ticks(row.get(1)?), Ticks(row.get(2)?))),
        )?;
        let length = snapshot.query_optional(
            "SELECT duration_ticks FROM files WHERE guid = ?1",
            params![file],
            |row| row.get::<_, Option<i64>>(0),
        )?;
        Ok((passages, length.flatten().map(Ticks)))
    })
}

/// Has a file heard and cut again; with `by_nobody`, whoever cut it no longer counts.
pub(crate) fn cut_anew(tx: &Tx<'_>, file: &FileId, by_nobody: bool) -> Result<()> {
    tx.execute(
        "UPDATE accession_files SET analysis_version = 0, cut_by = CASE WHEN ?2 THEN NULL ELSE cut_by END \
         WHERE file_id = ?1",
        params![file, by_nobody],
    )?;
    Ok(())
}

/// The passages of all files that have a sound, by a name of it.
fn places_of_sound(db: &Db, sound: &str) -> Result<Vec<(PassageId, Place)>> {
    db.read(|snapshot| {
        Ok(snapshot.query_all(
            "SELECT p.guid, f.guid, f.path, p.start_time_ticks, p.end_time_ticks FROM passages p \
             JOIN files f ON f.guid = p.file_id LEFT JOIN accession_files a ON a.file_id = f.guid \
             WHERE a.audio_md5 = ?1 OR f.hash = ?1 ORDER BY f.path, p.start_time_ticks",
            params![sound],
            |row| {
                let place = Place {
                    file: row.get(1)?,
                    path: row.get(2)?,
                    sound: sound.to_owned(),
                    start: Ticks(row.get(3)?),
                    end: Ticks(row.get(4)?),
                };
                Ok((row.get(0)?, place))
            },
        )?)
    })
}

/// The passages that an edit is about; those of its file for a cut.
pub(crate) fn places_about(db: &Db, said: &NewEdit) -> Result<Vec<(PassageId, Place)>> {
    let mut found = places_of_sound(db, &said.sound)?;
    if let Some(file) = said
        .file
        .as_ref()
        .filter(|file| found.iter().any(|(_, place)| place.path == **file))
    {
        found.retain(|(_, place)| place.path == *file);
    }
    if said.field == Field::Cut {
        return Ok(found);
    }
    let of_each_file = found.chunk_by(|(_, one), (_, other)| one.file == other.file);
    Ok(of_each_file
        .flat_map(|passages| about(said, passages))
        .collect())
}

/// The passages of a file that an edit is about, as `applied::said` has it.
fn about(said: &NewEdit, passages: &[(PassageId, Place)]) -> Vec<(PassageId, Place)> {
    let strictly = passages
        .iter()
        .filter(|(_, place)| said.is_about(place.start, place.end));
    let strictly: Vec<_> = strictly.cloned().collect();
    if !strictly.is_empty() {
        return strictly;
    }
    let share =
        |place: &Place| place.end.0.min(said.end_ticks) - place.start.0.max(said.start_ticks);
    let parts = passages.iter().filter(|(_, place)| {
        share(place).saturating_mul(4) > (place.end.0 - place.start.0).saturating_mul(3)
    });
    if said.field.is_point() {
        return parts.cloned().collect();
    }
    let most = parts.rev().max_by_key(|(_, place)| share(place));
    most.cloned().into_iter().collect()
}

/// The file that a new one at `path` takes the place of, where several of its sound are gone about each of which something
/// was said: the one that was called most like it. Where only one is gone, all of its sound are its heirs.
pub(crate) fn owner_gone(
    snapshot: &Snapshot<'_>,
    path: &str,
    sounds: &[&str],
) -> Result<Option<FileId>> {
    let gone = snapshot.query_all(
        "SELECT e.file_id, max(coalesce(e.file_path, '')) FROM accession_edits e \
         WHERE e.sound IN (?1, ?2) AND e.undone_at IS NULL AND e.file_id IS NOT NULL \
            AND NOT EXISTS (SELECT 1 FROM files g WHERE g.guid = e.file_id) \
         GROUP BY e.file_id ORDER BY 2 DESC",
        params![sounds.first(), sounds.last()],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    if gone.len() < 2 {
        return Ok(None);
    }
    let like = |(_, former): &(FileId, String)| common_names(former, path, str::eq);
    Ok(gone.into_iter().max_by_key(like).map(|(id, _)| id))
}

/// The paths of the files that have a sound.
pub(crate) fn paths_of(snapshot: &Snapshot<'_>, sound: &str) -> Result<Vec<String>> {
    Ok(snapshot.query_all(
        "SELECT f.path FROM files f LEFT JOIN accession_files a ON a.file_id = f.guid \
         WHERE f.status <> 'DUPLICATE HASH' AND (a.audio_md5 = ?1 OR f.hash = ?1) ORDER BY f.path",
        params![sound],
        |row| row.get(0),
    )?)
}

/// The edits in force that count for a file: its own, and those that it inherits.
pub(crate) fn concerning(db: &Db, place: &Place) -> Result<Vec<i64>> {
    db.read(|snapshot| {
        let concerns = edit_concerns("e", "?2", "?3");
        Ok(snapshot.query_all(
            &format!(
                "SELECT e.edit_id FROM accession_edits e WHERE e.sound = ?1 AND e.undone_at IS NULL AND {concerns}"
            ),
            params![place.sound, place.file, place.path],
            |row| row.get(0),
        )?)
    })
}

/// The cuts of a file that were said after the cut `edit` and count before it, the first of all first.
pub(crate) fn cuts_over(db: &Db, place: &Place, edit: i64) -> Result<Vec<i64>> {
    let cuts: Vec<(i64, String)> = db.read(|snapshot| {
        let (concerns, order) = (
            edit_concerns("e", "?2", "?3"),
            first_counts("e", "?2", "?3"),
        );
        Ok::<_, Error>(snapshot.query_all(
            &format!(
                "SELECT e.edit_id, e.made_at FROM accession_edits e WHERE e.sound = ?1 AND e.field = 'cut' \
                    AND e.undone_at IS NULL AND {concerns} ORDER BY {order}"
            ),
            params![place.sound, place.file, place.path],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?)
    })?;
    let Some(at) = cuts.iter().position(|(id, _)| *id == edit) else {
        return Ok(Vec::new());
    };
    let said = |(id, made_at): &(i64, String)| (made_at.clone(), *id);
    let later = cuts[..at].iter().filter(|cut| said(cut) > said(&cuts[at]));
    Ok(later.map(|(id, _)| *id).collect())
}

/// Ids that other programs found for passages of a file, of each program's sources the last word about a passage.
pub(crate) fn evidence_of(snapshot: &Snapshot<'_>, file: &FileId) -> Result<Vec<NewEdit>> {
    let (concerns, is_evidence) = (edit_concerns("e", "f.guid", "f.path"), is_evidence("e"));
    Ok(snapshot.query_all(
        &format!(
            "SELECT e.sound, e.start_ticks, e.end_ticks, e.value, e.source FROM files f \
             LEFT JOIN accession_files a ON a.file_id = f.guid \
             JOIN accession_edits e ON e.sound = coalesce(nullif(a.audio_md5, ''), f.hash) AND e.field = 'match' \
             WHERE f.guid = ?1 AND e.undone_at IS NULL AND {is_evidence} AND {concerns} \
                AND NOT EXISTS (SELECT 1 FROM accession_edits l WHERE l.sound = e.sound AND l.field = 'match' \
                    AND l.undone_at IS NULL AND l.source = e.source AND l.file_id IS e.file_id \
                    AND l.start_ticks = e.start_ticks AND l.end_ticks = e.end_ticks \
                    AND (l.made_at, l.edit_id) > (e.made_at, e.edit_id)) \
             ORDER BY e.source, e.edit_id"
        ),
        params![file],
        |row| {
            Ok(NewEdit {
                sound: row.get(0)?,
                field: Field::Match,
                start_ticks: row.get(1)?,
                end_ticks: row.get(2)?,
                value: row.get::<_, String>(3)?.to_lowercase(),
                source: row.get(4)?,
                file: None,
                made_at: None,
            })
        },
    )?)
}

/// What a person said of a file's passages, what counts first.
pub(crate) fn said_of(db: &Db, place: &Place) -> Result<Vec<NewEdit>> {
    let mut said: Vec<_> = super::list(db)?.into_iter().map(|edit| edit.said).collect();
    said.retain(|edit| {
        edit.sound == place.sound
            && edit.field != Field::Cut
            && !edit.is_evidence()
            && edit.file.as_ref().is_none_or(|file| *file == place.path)
    });
    // Of two in one second, the one that was written later.
    said.reverse();
    said.sort_by(|one, other| other.made_at.cmp(&one.made_at));
    Ok(said)
}

/// Where a lead or fade of a passage lies by what was measured or said.
pub(crate) fn point_of(db: &Db, passage: &PassageId, field: Field) -> Result<Option<Ticks>> {
    let column = match field {
        Field::LeadIn => "lead_in_start_ticks",
        Field::LeadOut => "lead_out_start_ticks",
        Field::FadeIn => "fade_in_start_ticks",
        Field::FadeOut => "fade_out_start_ticks",
        Field::Cut | Field::Title | Field::Artist | Field::Album | Field::Match => return Ok(None),
    };
    db.read(|snapshot| {
        let found = snapshot.query_optional(
            &format!("SELECT {column} FROM passages WHERE guid = ?1"),
            params![passage],
            |row| row.get::<_, Option<i64>>(0),
        )?;
        Ok(found.flatten().map(Ticks))
    })
}
