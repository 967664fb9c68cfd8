//! What a person said about passages, and how every writer honours it.
//!
//! An edit is bound to the sound of a file and a position in it, so no new analysis, tag, path or database makes it
//! void. Where a file is cut by a person, `cut_of` is asked before the file is cut; everything else is put over what
//! was computed by `apply`, the last statement of every writer of passages.

use serde::{Deserialize, Serialize};
use sqlite::{Db, Row, RowResult, Snapshot, Tx, params};

use crate::error::{Error, Result};
use crate::id::{FileId, PassageId};
use audio::Ticks;

/// What an edit is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Field {
    /// Where a file is cut into passages.
    Cut,
    /// Until when the passage before may still sound.
    LeadIn,
    /// From when the next passage may sound.
    LeadOut,
    /// Where a fade-in ends.
    FadeIn,
    /// Where a fade-out begins.
    FadeOut,
    /// The title.
    Title,
    /// The artist.
    Artist,
    /// The album.
    Album,
    /// Which recording a passage is, if it is one that is known.
    Match,
}

impl Field {
    /// As it is stored.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::LeadIn => "lead_in",
            Self::LeadOut => "lead_out",
            Self::FadeIn => "fade_in",
            Self::FadeOut => "fade_out",
            Self::Title => "title",
            Self::Artist => "artist",
            Self::Album => "album",
            Self::Match => "match",
        }
    }

    /// The field of a stored word.
    pub fn from_word(word: &str) -> Option<Self> {
        [
            Self::Cut,
            Self::LeadIn,
            Self::LeadOut,
            Self::FadeIn,
            Self::FadeOut,
            Self::Title,
            Self::Artist,
            Self::Album,
            Self::Match,
        ]
        .into_iter()
        .find(|field| field.word() == word)
    }
}

/// Who made an edit that was made here.
pub const PERSON: &str = "person";

/// An edit to be kept. As JSON it is a line of an exported file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NewEdit {
    /// The file's `audio_md5`, or its SHA-256 where that is all that is known.
    pub sound: String,
    /// What it is about.
    pub field: Field,
    /// Where the passage started, in ticks; 0 for a cut.
    pub start_ticks: i64,
    /// Where the passage ended, in ticks; the file's end for a cut.
    pub end_ticks: i64,
    /// What the person said.
    pub value: String,
    /// Who said it: `person`, or the database it was taken over from.
    pub source: String,
}

impl NewEdit {
    /// Whether it is about a passage with these bounds: they share more than half of the longer one.
    pub(crate) fn is_about(&self, start: Ticks, end: Ticks) -> bool {
        let shared = self.end_ticks.min(end.0) - self.start_ticks.max(start.0);
        shared.saturating_mul(2) > (self.end_ticks - self.start_ticks).max(end.0 - start.0)
    }

    /// What is wrong with an edit that somebody else wrote.
    pub(crate) fn check(&self) -> Result<(), String> {
        let is_hex = self.sound.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hex || !matches!(self.sound.len(), 32 | 64) {
            return Err(format!(
                "`{}` is no digest, expected 32 or 64 hexadecimal digits",
                self.sound
            ));
        }
        if self.start_ticks < 0 || self.start_ticks >= self.end_ticks {
            return Err(format!(
                "`{}` to `{}` ticks, expected a start before the end",
                self.start_ticks, self.end_ticks
            ));
        }
        let is_sound = match self.field {
            Field::Cut => spans_of(&self.value).is_some(),
            Field::LeadIn | Field::LeadOut | Field::FadeIn | Field::FadeOut => self
                .value
                .parse()
                .is_ok_and(|at: i64| (self.start_ticks..=self.end_ticks).contains(&at)),
            Field::Match => self.value.is_empty() || uuid::Uuid::parse_str(&self.value).is_ok(),
            Field::Title | Field::Artist | Field::Album => true,
        };
        if is_sound {
            Ok(())
        } else {
            Err(format!(
                "`{}` is no value for `{}`",
                self.value,
                self.field.word()
            ))
        }
    }
}

/// An edit in the library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Edit {
    /// Its number.
    pub id: i64,
    /// What it says.
    #[serde(flatten)]
    pub said: NewEdit,
    /// When it was made, UTC.
    pub made_at: String,
    /// The file it is about, if the library has that sound.
    pub path: Option<String>,
}

/// A person's cut of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PersonCut {
    /// The edit's number.
    pub(crate) edit: i64,
    /// The passages in order: start and end.
    pub(crate) spans: Vec<(Ticks, Ticks)>,
}

/// The sound of the file `?1`, as edits name it.
const SOUND: &str = "(SELECT coalesce(nullif(a.audio_md5, ''), f.hash) FROM files f \
    LEFT JOIN accession_files a ON a.file_id = f.guid WHERE f.guid = ?1)";

/// What a person said last about a field of the row of `passages` in hand, for the file `?1`.
///
/// An edit belongs to the passage that it shares most of its time with: bounds may move a little by another analysis.
fn said(field: Field) -> String {
    format!(
        "(SELECT e.value FROM accession_edits e WHERE e.sound = {SOUND} AND e.field = '{}' AND e.undone_at IS NULL \
            AND (min(e.end_ticks, passages.end_time_ticks) - max(e.start_ticks, passages.start_time_ticks)) * 2 \
                > max(e.end_ticks - e.start_ticks, passages.end_time_ticks - passages.start_time_ticks) \
          ORDER BY e.edit_id DESC LIMIT 1)",
        field.word()
    )
}

/// Puts a person's word over what was computed for the passages of a file.
pub(crate) fn apply(tx: &Tx<'_>, file: &FileId) -> Result<()> {
    for (column, field) in [
        ("title", Field::Title),
        ("artist", Field::Artist),
        ("album", Field::Album),
    ] {
        let said = said(field);
        tx.execute(
            &format!(
                "UPDATE passages SET {column} = nullif({said}, ''), {column}_source = '{PERSON}', \
                    {column}_confidence = 1.0 WHERE file_id = ?1 AND {said} IS NOT NULL"
            ),
            params![file],
        )?;
    }
    for (first, second, first_said, second_said) in [
        ("lead_in", "lead_out", Field::LeadIn, Field::LeadOut),
        ("fade_in", "fade_out", Field::FadeIn, Field::FadeOut),
    ] {
        // A point lies in its passage, and the first of two is never behind the second: what was computed gives way.
        let inside = |said: &str| {
            format!("max(start_time_ticks, min(end_time_ticks, CAST({said} AS INTEGER)))")
        };
        let (first_said, second_said) = (inside(&said(first_said)), inside(&said(second_said)));
        tx.execute(
            &format!(
                "UPDATE passages SET \
                    {first}_start_ticks = coalesce({first_said}, \
                        min({first}_start_ticks, coalesce({second_said}, {first}_start_ticks))), \
                    {second}_start_ticks = max(coalesce({second_said}, {second}_start_ticks), \
                        coalesce({first_said}, start_time_ticks)) \
                 WHERE file_id = ?1 AND ({first_said} IS NOT NULL OR {second_said} IS NOT NULL)"
            ),
            params![file],
        )?;
    }
    apply_matches(tx, file)
}

/// What a person said a passage is counts as decided; the next identification fetches what is known of it.
fn apply_matches(tx: &Tx<'_>, file: &FileId) -> Result<()> {
    let said = said(Field::Match);
    tx.execute(
        &format!(
            "INSERT INTO accession_identifications (passage_id, state, recording_mbid, confidence, level, reasoning, \
                                                    start_time_ticks, end_time_ticks) \
             SELECT guid, CASE said WHEN '' THEN 'rejected' ELSE 'chosen' END, nullif(said, ''), said <> '', \
                    CASE said WHEN '' THEN 'none' ELSE 'high' END, \
                    json_object('chosen', nullif(said, ''), 'candidates', json_array()), start_time_ticks, end_time_ticks \
             FROM (SELECT guid, start_time_ticks, end_time_ticks, {said} AS said FROM passages WHERE file_id = ?1) \
             WHERE said IS NOT NULL \
             ON CONFLICT (passage_id) DO UPDATE SET state = excluded.state, recording_mbid = excluded.recording_mbid, \
                confidence = excluded.confidence, level = excluded.level, reasoning = excluded.reasoning, \
                identified_at = CURRENT_TIMESTAMP \
             WHERE accession_identifications.state <> excluded.state \
                OR accession_identifications.recording_mbid IS NOT excluded.recording_mbid"
        ),
        params![file],
    )?;
    Ok(())
}

/// Edits that named a file by its content name it by its sound, once that is known.
pub(crate) fn name_by_sound(tx: &Tx<'_>, hash: &str, audio_md5: &str) -> Result<()> {
    tx.execute(
        "UPDATE accession_edits SET sound = ?2 WHERE sound = ?1",
        params![hash, audio_md5],
    )?;
    tx.execute(
        "UPDATE accession_verdicts SET sound = ?2 WHERE sound = ?1",
        params![hash, audio_md5],
    )?;
    Ok(())
}

/// Has a file heard again whose cut a person changed while it was heard.
pub(crate) fn mind_newer_cut(tx: &Tx<'_>, file: &FileId, known: i64) -> Result<()> {
    tx.execute(
        &format!(
            "UPDATE accession_files SET analysis_version = 0 WHERE file_id = ?1 AND EXISTS (SELECT 1 \
                FROM accession_edits WHERE sound = {SOUND} AND field = 'cut' AND edit_id > ?2)"
        ),
        params![file, known],
    )?;
    Ok(())
}

/// Where a person said that a sound is to be cut.
pub(crate) fn cut_of(snapshot: &Snapshot<'_>, sound: &[&str]) -> Result<Option<PersonCut>> {
    let found = snapshot.query_optional(
        "SELECT edit_id, value FROM accession_edits WHERE sound IN (?1, ?2) AND field = 'cut' AND undone_at IS NULL \
         ORDER BY edit_id DESC LIMIT 1",
        params![sound.first(), sound.last()],
        |row| Ok((row.get(0)?, row.get::<_, String>(1)?)),
    )?;
    Ok(found.and_then(|(edit, value)| {
        let spans = spans_of(&value)?;
        Some(PersonCut { edit, spans })
    }))
}

/// The number of the last edit, undone ones included: 0 without any.
pub(crate) fn last(snapshot: &Snapshot<'_>) -> Result<i64> {
    Ok(snapshot.query_row(
        "SELECT coalesce(max(edit_id), 0) FROM accession_edits",
        params![],
        |row| row.get(0),
    )?)
}

/// Passages as the value of a cut has them: in order, none empty, none before the end of the one before.
pub(crate) fn spans_of(value: &str) -> Option<Vec<(Ticks, Ticks)>> {
    let pairs: Vec<(i64, i64)> = serde_json::from_str(value).ok()?;
    let is_sound = !pairs.is_empty()
        && pairs.iter().all(|(start, end)| *start >= 0 && start < end)
        && pairs.windows(2).all(|two| two[0].1 <= two[1].0);
    is_sound.then(|| {
        pairs
            .into_iter()
            .map(|(start, end)| (Ticks(start), Ticks(end)))
            .collect()
    })
}

/// The value of a cut.
pub(crate) fn value_of(spans: &[(Ticks, Ticks)]) -> String {
    serde_json::to_string(spans).expect("ticks are numbers")
}

/// Keeps edits. Those that are in force already are not kept twice.
pub(crate) fn write(tx: &Tx<'_>, edits: &[NewEdit]) -> Result<u64> {
    let mut written = 0;
    for edit in edits {
        written += tx.execute(
            "INSERT INTO accession_edits (sound, field, start_ticks, end_ticks, value, source) \
             SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE NOT EXISTS (SELECT 1 FROM accession_edits WHERE sound = ?1 \
                AND field = ?2 AND start_ticks = ?3 AND end_ticks = ?4 AND value = ?5 AND undone_at IS NULL \
                AND edit_id = (SELECT max(edit_id) FROM accession_edits WHERE sound = ?1 AND field = ?2 \
                    AND start_ticks = ?3 AND end_ticks = ?4 AND undone_at IS NULL))",
            params![
                edit.sound,
                edit.field.word(),
                edit.start_ticks,
                edit.end_ticks,
                edit.value,
                edit.source
            ],
        )?;
    }
    Ok(written)
}

/// Moves what was said about a passage to its new bounds.
pub(crate) fn move_to(
    tx: &Tx<'_>,
    sound: &str,
    (from_start, from_end): (Ticks, Ticks),
    (to_start, to_end): (Ticks, Ticks),
) -> Result<()> {
    tx.execute(
        "UPDATE accession_edits SET start_ticks = ?4, end_ticks = ?5 WHERE sound = ?1 AND field <> 'cut' \
            AND (min(end_ticks, ?3) - max(start_ticks, ?2)) * 2 > max(end_ticks - start_ticks, ?3 - ?2)",
        params![sound, from_start.0, from_end.0, to_start.0, to_end.0],
    )?;
    Ok(())
}

/// Takes edits back.
pub(crate) fn undo(tx: &Tx<'_>, ids: &[i64]) -> Result<()> {
    for id in ids {
        tx.execute(
            "UPDATE accession_edits SET undone_at = CURRENT_TIMESTAMP WHERE edit_id = ?1 AND undone_at IS NULL",
            params![id],
        )?;
    }
    Ok(())
}

/// All edits in force, in the order in which they were made.
///
/// # Errors
///
/// When the database cannot be read.
pub fn list(db: &Db) -> Result<Vec<Edit>> {
    db.read(|snapshot| {
        Ok::<_, Error>(snapshot.query_all(
            "SELECT e.edit_id, e.sound, e.field, e.start_ticks, e.end_ticks, e.value, e.source, e.made_at, \
                    (SELECT min(f.path) FROM files f LEFT JOIN accession_files a ON a.file_id = f.guid \
                     WHERE f.status <> 'DUPLICATE HASH' AND (a.audio_md5 = e.sound OR f.hash = e.sound)) \
             FROM accession_edits e WHERE e.undone_at IS NULL ORDER BY e.edit_id",
            params![],
            edit,
        )?)
    })
    .map(|edits| edits.into_iter().flatten().collect())
}

/// `None` for a field that only a newer program knows.
fn edit(row: &Row<'_>) -> RowResult<Option<Edit>> {
    let word: String = row.get(2)?;
    let Some(field) = Field::from_word(&word) else {
        return Ok(None);
    };
    Ok(Some(Edit {
        id: row.get(0)?,
        said: NewEdit {
            sound: row.get(1)?,
            field,
            start_ticks: row.get(3)?,
            end_ticks: row.get(4)?,
            value: row.get(5)?,
            source: row.get(6)?,
        },
        made_at: row.get(7)?,
        path: row.get(8)?,
    }))
}

/// An edit about one passage.
pub(crate) fn about(
    sound: &str,
    field: Field,
    (start, end): (Ticks, Ticks),
    value: String,
) -> NewEdit {
    NewEdit {
        sound: sound.to_owned(),
        field,
        start_ticks: start.0,
        end_ticks: end.0,
        value,
        source: PERSON.to_owned(),
    }
}

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

/// Notes that the cut that a file has is a person's.
pub(crate) fn cut_by_person(tx: &Tx<'_>, file: &FileId) -> Result<()> {
    tx.execute(
        "UPDATE accession_files SET cut_by = 'person' WHERE file_id = ?1",
        params![file],
    )?;
    Ok(())
}

/// The passages of all files that have a sound, by a name of it.
pub(crate) fn places_of_sound(db: &Db, sound: &str) -> Result<Vec<(PassageId, Place)>> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_is_read_back_as_written_and_nonsense_is_none() {
        let spans = vec![(Ticks(0), Ticks(5)), (Ticks(5), Ticks(9))];
        assert_eq!(spans_of(&value_of(&spans)), Some(spans));
        for wrong in ["", "[]", "[[5,5]]", "[[0,6],[5,9]]", "[[-1,2]]", "{}"] {
            assert_eq!(spans_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn fields_are_known_by_their_words() {
        for field in [Field::Cut, Field::LeadIn, Field::Match, Field::Album] {
            assert_eq!(Field::from_word(field.word()), Some(field));
            assert_eq!(
                serde_json::to_string(&field).unwrap(),
                format!("\"{}\"", field.word())
            );
        }
        assert_eq!(Field::from_word("mood"), None);
    }
}
