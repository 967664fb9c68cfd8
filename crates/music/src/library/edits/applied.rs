//! Puts what a person said over what was computed.

use std::sync::LazyLock;

use sqlite::{Db, Tx, params};

use super::{Field, PERSON, is_evidence};
use crate::error::Result;
use crate::id::{FileId, PassageId};
use crate::library::identification::BEFORE;
use audio::Ticks;
use audio::decode::AudioMd5;

/// The sound of the file `?1`, as edits name it.
const SOUND: &str = "(SELECT coalesce(nullif(a.audio_md5, ''), f.hash) FROM files f \
    LEFT JOIN accession_files a ON a.file_id = f.guid WHERE f.guid = ?1)";

/// Changes nothing about the edits of the file `?1`, and so counts them. No index has the column.
static SAME: LazyLock<String> =
    LazyLock::new(|| format!("UPDATE accession_edits SET source = source WHERE sound = {SOUND}"));

/// Whether anything was ever said about the sound of a file: one look, where there mostly is nothing. Transactions do not
/// read, so it is a change to nothing.
pub(crate) fn is_edited(tx: &Tx<'_>, file: &FileId) -> Result<bool> {
    Ok(tx.execute(&SAME, params![file])? > 0)
}

/// A lead or fade that a person said lies at most this far outside its passage, so that bounds which another analysis
/// moved by a little do not make it void: what boundaries are compared by, too (`decision::NEAR`).
pub(super) const NEAR: i64 = Ticks::PER_SECOND;

/// Whether the row `row` (of edits or verdicts) counts for a file, whose id is the expression `file`: it was said about
/// that file, or about one that no longer has this sound, whose heir every copy is.
pub(crate) fn concerns(row: &str, file: &str) -> String {
    format!(
        "({row}.file_id IS NULL OR {row}.file_id = {file} OR NOT EXISTS (SELECT 1 FROM files g \
            LEFT JOIN accession_files b ON b.file_id = g.guid WHERE g.guid = {row}.file_id \
            AND g.status <> 'DUPLICATE HASH' AND (b.audio_md5 = {row}.sound OR g.hash = {row}.sound)))"
    )
}

/// The same of an edit: one that was said about a file which is not taken in yet waits for that.
pub(crate) fn edit_concerns(row: &str, file: &str, path: &str) -> String {
    format!(
        "({row}.file_id IS NOT NULL OR {row}.file_path IS NULL OR {row}.file_path = {path}) AND {}",
        concerns(row, file)
    )
}

/// The path of the file `?1`.
const PATH: &str = "(SELECT path FROM files WHERE guid = ?1)";

/// What a person said last about a field of the row of `passages` in hand, for the file `?1`; what was said about this
/// very file goes before what was said about another one of its sound.
///
/// An edit belongs to the passage that it shares more than three quarters of the longer one's time with: bounds may move by
/// another analysis, and a name of one song is none of two that were joined, were it the longer one. What was said about a
/// passage that was divided is about the part that most of it became, a position about the part in which it lies.
fn said(field: Field) -> String {
    said_as("value", field)
}

/// The same with another column of the edit.
fn said_as(column: &str, field: Field) -> String {
    let share = |passage: &str| {
        format!(
            "(min(e.end_ticks, {passage}.end_time_ticks) - max(e.start_ticks, {passage}.start_time_ticks))"
        )
    };
    let is_about = |passage: &str| {
        format!(
            "{} * 4 > 3 * max(e.end_ticks - e.start_ticks, {passage}.end_time_ticks - {passage}.start_time_ticks)",
            share(passage)
        )
    };
    let (of_q, of_this) = (share("q"), share("passages"));
    let is_more = if field.is_point() {
        String::new()
    } else {
        format!(
            " OR {of_q} > {of_this} OR {of_q} = {of_this} AND q.start_time_ticks < passages.start_time_ticks"
        )
    };
    let is_part = format!(
        "{of_this} * 4 > 3 * (passages.end_time_ticks - passages.start_time_ticks) AND NOT EXISTS ( \
            SELECT 1 FROM passages q WHERE q.file_id = ?1 AND ({}{is_more}))",
        is_about("q")
    );
    let is_about = is_about("passages");
    let is_word = if field == Field::Match {
        format!("AND NOT {}", is_evidence("e"))
    } else {
        String::new()
    };
    let lies_there = if field.is_point() {
        format!(
            "AND CAST(e.value AS INTEGER) BETWEEN passages.start_time_ticks - {NEAR} AND passages.end_time_ticks + {NEAR}"
        )
    } else {
        String::new()
    };
    format!(
        "(SELECT e.{column} FROM accession_edits e WHERE e.sound = {SOUND} AND e.field = '{}' AND e.undone_at IS NULL \
            AND {} {is_word} {lies_there} AND ({is_about} OR {is_part}) \
          ORDER BY e.file_id IS ?1 DESC, {is_about} DESC, e.made_at DESC, e.edit_id DESC LIMIT 1)",
        field.word(),
        edit_concerns("e", "?1", PATH),
    )
}

/// The edits that count for a passage of a file; cuts are about the file and not among them.
pub(crate) fn in_force(db: &Db, file: &FileId) -> Result<Vec<i64>> {
    let fields = [
        Field::LeadIn,
        Field::LeadOut,
        Field::FadeIn,
        Field::FadeOut,
        Field::Title,
        Field::Artist,
        Field::Album,
        Field::Match,
    ];
    let selects = fields.map(|field| {
        let edit = said_as("edit_id", field);
        format!("SELECT {edit} AS edit_id FROM passages WHERE file_id = ?1")
    });
    let all = selects.join(" UNION ");
    db.read(|snapshot| {
        Ok(snapshot.query_all(
            &format!("SELECT edit_id FROM ({all}) WHERE edit_id IS NOT NULL"),
            params![file],
            |row| row.get(0),
        )?)
    })
}

/// Puts a person's word over what was computed for the passages of a file.
pub(crate) fn apply(tx: &Tx<'_>, file: &FileId) -> Result<()> {
    if !is_edited(tx, file)? {
        return Ok(());
    }
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

/// Has a passage identified again that nobody decided about, since there is other evidence now; what is known of it stays
/// until then. Where evidence only came, that is what has no song yet.
pub(crate) fn reconsider(tx: &Tx<'_>, passage: &PassageId, has_less: bool) -> Result<()> {
    tx.execute(
        "UPDATE accession_identifications SET state = 'retry_later' \
         WHERE passage_id = ?1 AND (state IN ('none', 'doubtful') OR ?2 AND state = 'identified')",
        params![passage, has_less],
    )?;
    Ok(())
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
             FROM (SELECT guid, start_time_ticks, end_time_ticks, {said} AS said FROM passages \
                   WHERE file_id = ?1) \
             WHERE said IS NOT NULL \
             ON CONFLICT (passage_id) DO UPDATE SET state = excluded.state, recording_mbid = excluded.recording_mbid, \
                confidence = excluded.confidence, level = excluded.level, reasoning = {BEFORE}, \
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
    for sql in [
        "UPDATE accession_edits SET sound = ?2 WHERE sound = ?1",
        "UPDATE accession_verdicts SET sound = ?2 WHERE sound = ?1",
    ] {
        tx.execute(sql, params![hash, audio_md5])?;
    }
    Ok(())
}

/// A file that is there now, or again, takes what was said about it in its absence or before. Copies that had that
/// meanwhile are cut and named without it by the next import, and what they are is found out anew.
pub(crate) fn come_home(tx: &Tx<'_>, file: &FileId) -> Result<()> {
    let is_back = "file_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM files g WHERE g.guid = accession_edits.file_id)";
    let own = format!("sound = {SOUND} AND file_path = {PATH}");
    tx.execute(
        &format!("UPDATE accession_edits SET file_id = ?1 WHERE {own} AND file_id IS NULL"),
        params![file],
    )?;
    let taken = tx.execute(
        &format!("UPDATE accession_edits SET file_id = ?1 WHERE {own} AND {is_back}"),
        params![file],
    )?;
    if taken > 0 {
        let heirs = format!(
            "SELECT file_id FROM accession_files WHERE file_id <> ?1 AND audio_md5 <> '' AND audio_md5 = {SOUND}"
        );
        tx.execute(
            &format!(
                "DELETE FROM accession_identifications WHERE state IN ('chosen', 'rejected') \
                    AND passage_id IN (SELECT guid FROM passages WHERE file_id IN ({heirs}))"
            ),
            params![file],
        )?;
        tx.execute(
            &format!(
                "UPDATE accession_files SET analysis_version = 0, cut_by = NULL WHERE file_id IN ({heirs})"
            ),
            params![file],
        )?;
    }
    Ok(())
}

/// A file takes what was said about one that is gone, unless that has been taken since.
pub(crate) fn take_place(tx: &Tx<'_>, file: &FileId, gone: &FileId) -> Result<()> {
    for (table, and_path) in [
        ("accession_edits", format!(", file_path = {PATH}")),
        ("accession_verdicts", String::new()),
    ] {
        tx.execute(
            &format!(
                "UPDATE {table} SET file_id = ?1{and_path} WHERE file_id = ?2 \
                    AND NOT EXISTS (SELECT 1 FROM files g WHERE g.guid = ?2)"
            ),
            params![file, gone],
        )?;
    }
    Ok(())
}

/// Has what was said about a file, whose row is to be removed or to have the sound `now`, go to the other files of the sound
/// that it has yet; those are put in order by [`apply`] once that is done. With each, whether it is to be cut anew.
pub(crate) fn leave_to_heirs(
    tx: &Tx<'_>,
    file: &FileId,
    now: Option<AudioMd5>,
) -> Result<Vec<(FileId, bool)>> {
    let edits = "SELECT 1 FROM accession_edits e WHERE e.sound = audio_md5 AND e.file_id = ?1 AND e.undone_at IS NULL";
    Ok(tx.returning(
        &format!(
            "UPDATE accession_files SET analysis_version = \
                CASE WHEN EXISTS ({edits} AND e.field = 'cut') THEN 0 ELSE analysis_version END \
             WHERE file_id <> ?1 AND audio_md5 <> '' AND audio_md5 = {SOUND} AND audio_md5 IS NOT ?2 AND EXISTS ({edits}) \
             RETURNING file_id, analysis_version = 0"
        ),
        params![file, now.map(|md5| md5.to_string())],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?)
}

/// The cuts of the file `?1` by a person, undone ones included; more conditions may follow.
fn a_cut() -> String {
    format!(
        "SELECT 1 FROM accession_edits e WHERE e.sound = {SOUND} AND e.field = 'cut' AND {}",
        edit_concerns("e", "?1", PATH)
    )
}

/// Begins to write a cut that was made of the file's passages as they were after the edit `known`; `false` where another
/// one was written since.
pub(crate) fn begin_cut(tx: &Tx<'_>, file: &FileId, known: i64) -> Result<bool> {
    let begun = tx.execute(
        &format!(
            "UPDATE accession_files SET cut_by = 'person' WHERE file_id = ?1 AND NOT EXISTS ({} AND e.edit_id > ?2)",
            a_cut()
        ),
        params![file, known],
    )?;
    Ok(begun > 0)
}

/// Has a file heard again whose cut a person changed while it was heard, or that was cut as was said about another file
/// which has come home since; whether it is.
pub(crate) fn mind_newer_cut(tx: &Tx<'_>, file: &FileId, known: i64) -> Result<bool> {
    let cut = a_cut();
    let marked = tx.execute(
        &format!(
            "UPDATE accession_files SET analysis_version = 0 WHERE file_id = ?1 AND (EXISTS ({cut} AND e.edit_id > ?2) \
                OR cut_by = 'person' AND NOT EXISTS ({cut} AND e.undone_at IS NULL))"
        ),
        params![file, known],
    )?;
    Ok(marked > 0)
}

/// What was said about a passage of the file `?1` with the bounds `?2` and `?3`, and goes with it to `?4` and `?5`, which
/// the file's passages have already: what was said about a part of it that is another passage now is about that. A lead
/// or fade that lies outside the new bounds stays where it was, for the case that they go back.
fn goes_along() -> String {
    format!(
        "e.sound = {SOUND} AND e.field <> 'cut' AND {} AND (e.field NOT IN ('lead_in', 'lead_out', 'fade_in', 'fade_out') \
            OR CAST(e.value AS INTEGER) BETWEEN ?4 - {NEAR} AND ?5 + {NEAR}) \
         AND (min(e.end_ticks, ?3) - max(e.start_ticks, ?2)) * 4 > 3 * max(e.end_ticks - e.start_ticks, ?3 - ?2) \
         AND (e.start_ticks = ?2 AND e.end_ticks = ?3 OR NOT EXISTS (SELECT 1 FROM passages p \
            WHERE p.file_id = ?1 AND NOT (p.start_time_ticks = ?4 AND p.end_time_ticks = ?5) \
            AND (min(e.end_ticks, p.end_time_ticks) - max(e.start_ticks, p.start_time_ticks)) * 4 \
                > 3 * max(e.end_ticks - e.start_ticks, p.end_time_ticks - p.start_time_ticks)))",
        edit_concerns("e", "?1", PATH)
    )
}

/// Moves what was said about a passage of a file to its new bounds, as a cut of a person has them that is about to be
/// written, and remembers where it lay: [`moved_by_cut`] says by which cut.
pub(crate) fn move_with_cut(
    tx: &Tx<'_>,
    file: &FileId,
    from: (Ticks, Ticks),
    to: (Ticks, Ticks),
) -> Result<()> {
    along(
        tx,
        "INSERT INTO accession_edit_moves (cut_id, edit_id, start_ticks, end_ticks) \
         SELECT 0, e.edit_id, e.start_ticks, e.end_ticks FROM accession_edits e \
         WHERE NOT (e.start_ticks = ?4 AND e.end_ticks = ?5) AND",
        (file, from, to),
    )?;
    move_to(tx, file, from, to)
}

/// What was moved in this transaction was moved by the last cut of the file.
pub(crate) fn moved_by_cut(tx: &Tx<'_>, file: &FileId) -> Result<()> {
    // One that was in force before has moved some of it already: where that lay first counts.
    tx.execute(
        &format!(
            "UPDATE OR IGNORE accession_edit_moves SET cut_id = coalesce((SELECT max(e.edit_id) FROM accession_edits e \
                WHERE e.sound = {SOUND} AND e.field = 'cut' AND e.undone_at IS NULL AND {}), 0) WHERE cut_id = 0",
            edit_concerns("e", "?1", PATH)
        ),
        params![file],
    )?;
    tx.execute(
        "DELETE FROM accession_edit_moves WHERE cut_id = 0",
        params![],
    )?;
    Ok(())
}

/// Moves what was said about a passage of a file to its new bounds.
pub(crate) fn move_to(
    tx: &Tx<'_>,
    file: &FileId,
    from: (Ticks, Ticks),
    to: (Ticks, Ticks),
) -> Result<()> {
    along(
        tx,
        "UPDATE accession_edits AS e SET start_ticks = ?4, end_ticks = ?5 WHERE",
        (file, from, to),
    )
}

/// Runs a statement, which is to end in a condition, on what goes along with a passage of a file from bounds to bounds.
fn along(
    tx: &Tx<'_>,
    statement: &str,
    (file, from, to): (&FileId, (Ticks, Ticks), (Ticks, Ticks)),
) -> Result<()> {
    tx.execute(
        &format!("{statement} {}", goes_along()),
        params![file, from.0.0, from.1.0, to.0.0, to.1.0],
    )?;
    Ok(())
}

/// Has what cuts moved that are undone lie where it was said, the last cut first.
pub(crate) fn move_back(tx: &Tx<'_>, edits: &[i64]) -> Result<()> {
    let mut edits = edits.to_vec();
    edits.sort_unstable();
    for edit in edits.iter().rev() {
        let is_undone = "EXISTS (SELECT 1 FROM accession_edits c WHERE c.edit_id = ?1 AND c.undone_at IS NOT NULL)";
        tx.execute(
            &format!(
                "UPDATE accession_edits AS e SET start_ticks = m.start_ticks, end_ticks = m.end_ticks \
                 FROM accession_edit_moves m WHERE m.cut_id = ?1 AND m.edit_id = e.edit_id AND {is_undone}"
            ),
            params![edit],
        )?;
        tx.execute(
            &format!("DELETE FROM accession_edit_moves WHERE cut_id = ?1 AND {is_undone}"),
            params![edit],
        )?;
    }
    Ok(())
}

/// Titles that a person said in another program, as edits.
const USER_TITLES: &str = "INSERT INTO accession_edits (sound, field, start_ticks, end_ticks, value, source, file_path, file_id, made_at) \
     SELECT coalesce(nullif(a.audio_md5, ''), f.hash), 'title', p.start_time_ticks, p.end_time_ticks, p.user_title, \
            'wkmp', f.path, f.guid, CURRENT_TIMESTAMP \
     FROM passages p JOIN files f ON f.guid = p.file_id LEFT JOIN accession_files a ON a.file_id = f.guid \
     WHERE p.user_title IS NOT NULL AND";

/// A title that a person said in another program gives way to the one that they say next; it becomes an edit, so that it
/// counts again where that one is taken back.
pub(crate) fn supersede_user_title(tx: &Tx<'_>, passage: &PassageId) -> Result<()> {
    tx.execute(&format!("{USER_TITLES} p.guid = ?1"), params![passage])?;
    tx.execute(
        "UPDATE passages SET user_title = NULL WHERE guid = ?1 AND user_title IS NOT NULL",
        params![passage],
    )?;
    Ok(())
}

/// What a person called the passages of a file in another program outlives its row, as all that was said about it.
pub(crate) fn keep_user_titles(tx: &Tx<'_>, file: &FileId) -> Result<()> {
    tx.execute(
        &format!("{USER_TITLES} p.file_id = ?1 AND p.user_title <> ''"),
        params![file],
    )?;
    Ok(())
}
