//! What a person decided about things in doubt: kept by sound and position, so that it outlives rows and analyses.

use serde::Serialize;
use sqlite::{Db, Tx, params};

use crate::error::{Error, Result};
use crate::id::FileId;
use crate::library::edits;
use audio::Ticks;

/// The boundaries that a person decided about, as `(file_id, at_ticks, is_settled)`. One that another analysis puts
/// within a second of where it was is the same, as it is for passages that a person cut.
pub(crate) fn decided_boundaries() -> String {
    format!(
        "SELECT b.file_id, b.at_ticks, max(v.is_settled) AS is_settled \
         FROM accession_verdicts v CROSS JOIN accession_boundaries b ON b.file_id IN ({FILES}) \
            AND abs(b.at_ticks - v.start_ticks) <= 28224000 AND {} \
         WHERE v.subject = 'boundary' AND v.undone_at IS NULL AND b.confidence < 0.85 GROUP BY b.file_id, b.at_ticks",
        edits::concerns("v", "b.file_id")
    )
}

/// The passages about whose recording a person decided, as `(passage_id, is_settled)`. A decision belongs to the passage
/// that shares more than three quarters of its time, as edits do.
pub(crate) fn decided_matches() -> String {
    format!(
        "SELECT p.guid AS passage_id, max(v.is_settled) AS is_settled \
         FROM accession_verdicts v CROSS JOIN passages p ON p.file_id IN ({FILES}) AND {} \
            AND (min(v.end_ticks, p.end_time_ticks) - max(v.start_ticks, p.start_time_ticks)) * 4 \
                > 3 * max(v.end_ticks - v.start_ticks, p.end_time_ticks - p.start_time_ticks) \
         WHERE v.subject = 'match' AND v.undone_at IS NULL GROUP BY p.guid",
        edits::concerns("v", "p.file_id")
    )
}

/// The files that have the sound of the decision in hand.
const FILES: &str = "SELECT file_id FROM accession_files WHERE audio_md5 = v.sound UNION \
    SELECT guid FROM files WHERE hash = v.sound";

/// What a decision is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Whether a file is cut at one place.
    Boundary,
    /// Which recording a passage is.
    Match,
}

impl Subject {
    /// As it is stored.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Boundary => "boundary",
            Self::Match => "match",
        }
    }
}

/// A decision, ready to be written.
#[derive(Debug, Clone)]
pub(crate) struct NewVerdict {
    pub(crate) sound: String,
    pub(crate) file: FileId,
    pub(crate) subject: Subject,
    pub(crate) start: Ticks,
    pub(crate) end: Ticks,
    pub(crate) verb: &'static str,
    /// Whether it needs no look any more; else it was put off.
    pub(crate) is_settled: bool,
    /// The edits that it led to.
    pub(crate) edits: Vec<i64>,
}

/// Keeps a decision; its number. An earlier one about the same gives way.
pub(crate) fn write(db: &Db, verdict: NewVerdict) -> Result<i64> {
    db.try_write("record decision", move |tx| {
        let subject = verdict.subject.word();
        tx.execute(
            "UPDATE accession_verdicts SET undone_at = CURRENT_TIMESTAMP WHERE sound = ?1 AND subject = ?2 \
                AND start_ticks = ?3 AND end_ticks = ?4 AND is_settled = 0 AND undone_at IS NULL \
                AND coalesce(file_id, ?5) = ?5",
            params![verdict.sound, subject, verdict.start.0, verdict.end.0, verdict.file],
        )?;
        let ids = tx.returning(
            "INSERT INTO accession_verdicts (sound, subject, start_ticks, end_ticks, verb, is_settled, edits, file_id) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) RETURNING verdict_id",
            params![
                verdict.sound,
                subject,
                verdict.start.0,
                verdict.end.0,
                verdict.verb,
                verdict.is_settled,
                serde_json::json!(verdict.edits).to_string(),
                verdict.file,
            ],
            |row| row.get(0),
        )?;
        Ok(ids.first().copied().unwrap_or_default())
    })
}

/// The edits that a decision led to, as far as they are still in force; `None` for one that is not.
pub(crate) fn edits_of(db: &Db, verdict: i64) -> Result<Option<Vec<i64>>> {
    db.read(|snapshot| {
        let is_there = snapshot.query_optional(
            "SELECT 1 FROM accession_verdicts WHERE verdict_id = ?1 AND undone_at IS NULL",
            params![verdict],
            |_| Ok(()),
        )?;
        let edits = snapshot.query_all(
            "SELECT e.edit_id FROM accession_verdicts v, json_each(v.edits) j \
             JOIN accession_edits e ON e.edit_id = j.value WHERE v.verdict_id = ?1 AND e.undone_at IS NULL",
            params![verdict],
            |row| row.get(0),
        )?;
        Ok::<_, Error>(is_there.map(|()| edits))
    })
}

/// The decisions in force that led to one of these edits, the latest first.
pub(crate) fn that_led_to(db: &Db, edits: &[i64]) -> Result<Vec<i64>> {
    let edits = serde_json::json!(edits).to_string();
    db.read(|snapshot| {
        Ok::<_, Error>(snapshot.query_all(
            "SELECT DISTINCT v.verdict_id FROM accession_verdicts v, json_each(v.edits) j \
             WHERE v.undone_at IS NULL AND j.value IN (SELECT value FROM json_each(?1)) ORDER BY 1 DESC",
            params![edits],
            |row| row.get(0),
        )?)
    })
}

/// Takes a decision back; what it led to is not its business.
pub(crate) fn undo(tx: &Tx<'_>, verdict: i64) -> Result<()> {
    tx.execute(
        "UPDATE accession_verdicts SET undone_at = CURRENT_TIMESTAMP WHERE verdict_id = ?1 AND undone_at IS NULL",
        params![verdict],
    )?;
    Ok(())
}

/// The numbers of the edits of a sound that were made after the one numbered `last`.
pub(crate) fn edits_since(db: &Db, sound: &str, last: i64) -> Result<Vec<i64>> {
    db.read(|snapshot| {
        Ok::<_, Error>(snapshot.query_all(
            "SELECT edit_id FROM accession_edits WHERE sound = ?1 AND edit_id > ?2 AND undone_at IS NULL",
            params![sound, last],
            |row| row.get(0),
        )?)
    })
}
