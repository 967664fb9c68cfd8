//! Writes what was found out: the only place with statements that change a library.
//!
//! Everything about one file is one unit of work, so one write lock, whatever
//! its number of passages. What must be known beforehand (which rows a file has
//! already) is read before; inside are only INSERT, UPDATE and DELETE.

mod file;
mod names;
mod passages;
mod retag;
mod sound;

use serde::{Deserialize, Serialize};
use sqlite::{Db, Tx, params};

use crate::error::Result;
use crate::id::{FileId, PassageId, SessionId};
use crate::library::belongings::{self, Belongings};
use crate::library::edits;
use crate::library::known::{ANALYSIS_VERSION, FileStatus, timestamp};
use crate::library::values::ScannedFile;
use crate::library::values::{Move, Problem};
use audio::Ticks;
use audio::analyse::PassageSound;
use audio::decode::{AudioDigest, AudioMd5, AudioXxh3};
use audio::leads::LeadSettings;
use audio::marks::{Mark, Marks};
use audio::overview::Overview;
use audio::tags::Tags;

use file::{FileRow, write_details, write_file};
pub(crate) use names::{Marked, Name, Names};
pub(crate) use passages::{Measured, write_cut};
use passages::{Worded, forget_provenance, json_of, replace_passages, write_provenance};
pub(crate) use retag::{RetagRecord, record_retag, record_sound};
pub use sound::BoundaryRecord;
pub(crate) use sound::{DescribedPassage, DescriptionRecord, record_description};

/// Everything about one file, ready to be written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FileRecord {
    /// The id it has, or is to have.
    #[serde(skip, default = "FileId::random")]
    pub id: FileId,
    /// Where it lies.
    pub file: ScannedFile,
    /// SHA-256 of its content.
    pub hash: String,
    /// The digest of its encoded audio, where it could be made.
    pub audio_md5: Option<AudioMd5>,
    /// The quick one of its digests.
    #[serde(default)]
    pub audio_xxh3: Option<AudioXxh3>,
    /// What it is.
    pub status: FileStatus,
    /// What was heard; `None` for a copy.
    pub audio: Option<AudioRecord>,
    /// What its tags say.
    pub tags: Tags,
    /// Its passages.
    pub passages: Vec<PassageRecord>,
    /// What its content is, where its name says something else.
    pub misnamed: Option<String>,
    /// Short name for everything it has written in itself; `None` where that was not read.
    pub tags_digest: Option<String>,
    /// Who cut it into them.
    pub cut_by: CutBy,
    /// What a cue sheet or chapters say of it, whether or not it is cut there.
    pub marks: Option<Marks>,
    /// Whether its sound is that which was recorded before, so that names others found out still hold.
    #[serde(skip)]
    pub is_same_sound: bool,
    /// The number of the last edit that was known when it was cut.
    #[serde(skip)]
    pub known_edit: i64,
    /// The file that is gone and whose place it takes, with what was said about that.
    #[serde(skip)]
    pub takes_place_of: Option<FileId>,
    /// The run that recorded it.
    #[serde(skip, default = "SessionId::random")]
    pub session: SessionId,
}

impl FileRecord {
    /// The digests of its encoded audio, where they could be made.
    pub(crate) fn audio_digest(&self) -> Option<AudioDigest> {
        let xxh3 = self.audio_xxh3;
        self.audio_md5.map(|md5| AudioDigest { md5, xxh3 })
    }
}

/// Who cut a file into passages, in the order of their authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CutBy {
    /// A person.
    Person,
    /// A cue sheet or chapters that fit the sound.
    Marks,
    /// The release that its tracks' lengths fit.
    Release,
    /// Its silences.
    Silence,
    /// Nobody: it is one passage, or none.
    Whole,
}

impl CutBy {
    /// As it is stored.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Marks => "marks",
            Self::Release => "release",
            Self::Silence => "silence",
            Self::Whole => "whole",
        }
    }
}

/// What decoding a file found out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AudioRecord {
    /// As in `files.format`.
    pub format: String,
    /// The container's short name.
    pub container: String,
    /// The codec's short name.
    pub codec: String,
    /// The program that decoded it, where it was not this one.
    pub decoder: Option<String>,
    /// In Hz.
    pub sample_rate: u32,
    /// Number of channels.
    pub channels: u16,
    /// Length in sample frames.
    pub frames: u64,
    /// Frames that could not be decoded.
    pub damaged_frames: u64,
    /// What is wrong with the file, if anything.
    pub damage: Option<String>,
    /// The file ends before its time: what was recorded is not the whole of it.
    pub is_cut_off: bool,
    /// How its boundaries were decided, as JSON.
    pub segmentation: String,
    /// Its waveform.
    pub overview: Overview,
    /// Where it is cut, or might have been.
    pub boundaries: Vec<BoundaryRecord>,
}

/// One passage, ready to be written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PassageRecord {
    /// The id it has, or is to have.
    #[serde(skip, default = "PassageId::random")]
    pub id: PassageId,
    /// Where it starts in the file.
    pub start: Ticks,
    /// Where it ends in the file.
    pub end: Ticks,
    /// Chromaprint's algorithm number and the fingerprint as fpcalc prints it.
    pub fingerprint: Option<(u8, String)>,
    /// How it sounds.
    pub sound: PassageSound,
    /// What its leads were measured by. Passages that were heard elsewhere get it from what their file was heard by.
    #[serde(skip)]
    pub lead_settings: LeadSettings,
    /// What a cue sheet or a chapter says about it.
    pub label: Option<Mark>,
    /// The album's title by the cue sheet.
    pub album: Option<String>,
}

/// Writes everything about one file in one transaction, and the run's end if it is the last one.
///
/// # Errors
///
/// When the database cannot be written; then nothing of it is.
pub fn record_file(db: &Db, record: FileRecord, end: Option<RunEnd>) -> Result<Recorded> {
    let worded = Worded::of(&record);
    let belongings = if record.is_same_sound {
        Belongings::default()
    } else {
        belongings::of(db, &record.id, record.audio_md5)?
    };
    db.try_write("record file", move |tx| {
        let row = write_file(tx, &record)?;
        let id = row.id.clone();
        belongings.leave(tx, &id)?;
        // A new row had no sound before.
        let heirs = if record.is_same_sound || row.is_new {
            Vec::new()
        } else {
            edits::leave_to_heirs(tx, &id, record.audio_md5)?
        };
        write_details(tx, &row, &record, worded.tags.as_deref())?;
        replace_passages(tx, &row, &record, &worded)?;
        for (heir, _) in &heirs {
            edits::apply(tx, heir)?;
        }
        if let Some(gone) = &record.takes_place_of {
            edits::take_place(tx, &id, gone)?;
        }
        let is_edited = edits::is_edited(tx, &id)?;
        if is_edited {
            edits::come_home(tx, &id)?;
            edits::apply(tx, &id)?;
        }
        // A cut that is taken back leaves no edit, and a file that is to be cut without it.
        let is_outdated = (is_edited || record.cut_by == CutBy::Person)
            && edits::mind_newer_cut(tx, &id, record.known_edit)?;
        forget_problem(tx, record.file.path())?;
        end.map_or(Ok(()), |end| write_end(tx, &end))?;
        Ok(Recorded { id, is_outdated })
    })
}

/// What became of a file's record.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The id of its row.
    pub id: FileId,
    /// A person changed where it is cut while it was heard: it is to be heard again.
    pub is_outdated: bool,
}

/// All files of a content, as they are in the library when they are linked.
#[derive(Debug)]
pub struct Family {
    /// SHA-256 of the content.
    pub hash: String,
    /// Those who have it as yet, and are to be linked with nobody.
    pub leaving: Vec<FileId>,
}

/// Writes a copy and links it with its family, both ways, in one transaction.
///
/// # Errors
///
/// When the database cannot be written; then nothing of it is.
pub fn record_copy(
    db: &Db,
    record: FileRecord,
    family: Family,
    end: Option<RunEnd>,
) -> Result<FileId> {
    let worded = Worded::of(&record);
    let belongings = belongings::of(db, &record.id, None)?;
    db.try_write("record duplicate", move |tx| {
        let row = write_file(tx, &record)?;
        let id = row.id.clone();
        belongings.leave(tx, &id)?;
        write_details(tx, &row, &record, worded.tags.as_deref())?;
        replace_passages(tx, &row, &record, &worded)?;
        forget_problem(tx, record.file.path())?;
        link_family(tx, &family)?;
        end.map_or(Ok(()), |end| write_end(tx, &end))?;
        Ok(id)
    })
}

fn forget_problem(tx: &Tx<'_>, path: &str) -> Result<()> {
    tx.execute(
        "DELETE FROM accession_problems WHERE path = ?1",
        params![path],
    )?;
    Ok(())
}

/// Writes to each member who the others are; a member left alone has none. The ids are those of the rows: what this run
/// knows of them may be what another program has recorded otherwise meanwhile.
fn link_family(tx: &Tx<'_>, family: &Family) -> Result<()> {
    let leaving = serde_json::to_string(&family.leaving).expect("ids are plain text");
    tx.execute(
        "WITH family AS MATERIALIZED ( \
            SELECT guid FROM files WHERE hash = ?1 AND guid NOT IN (SELECT value FROM json_each(?2)) ORDER BY path) \
         UPDATE files SET updated_at = CURRENT_TIMESTAMP, matching_hashes = ( \
            SELECT nullif(json_group_array(other.guid), '[]') FROM family other WHERE other.guid <> files.guid) \
         WHERE guid IN (SELECT guid FROM family)",
        params![family.hash, leaving],
    )?;
    Ok(())
}

/// Changes to rows whose files were moved, overwritten or removed.
#[derive(Debug, Default)]
pub struct Reconciliation {
    /// Rows with a new path or time.
    pub moves: Vec<Move>,
    /// Rows with a new path and everything else as it was: their files have changed, and are looked at next.
    pub renamed: Vec<(FileId, String)>,
    /// Rows to be removed.
    pub removed: Vec<FileId>,
    /// Families of equal files as they are afterwards.
    pub families: Vec<Family>,
}

impl Reconciliation {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.moves.is_empty()
            && self.renamed.is_empty()
            && self.removed.is_empty()
            && self.families.is_empty()
    }
}

/// Brings the rows of known files to where the files are, in one transaction, with the run's end if nothing follows.
/// Returns the files that are to be cut as was said about others, which are gone.
///
/// # Errors
///
/// When the database cannot be written; then nothing of it is.
pub fn reconcile(db: &Db, changes: Reconciliation, end: Option<RunEnd>) -> Result<Vec<FileId>> {
    let removed = changes.removed.iter();
    let left: Vec<_> = removed
        .map(|id| Ok((id.clone(), belongings::of(db, id, None)?)))
        .collect::<Result<_>>()?;
    db.try_write("reconcile files", move |tx| {
        let mut to_cut = Vec::new();
        for (id, belongings) in &left {
            belongings.leave(tx, id)?;
            edits::keep_user_titles(tx, id)?;
            let heirs = edits::leave_to_heirs(tx, id, None)?;
            tx.execute("DELETE FROM files WHERE guid = ?1", params![id])?;
            for (heir, is_cut) in heirs {
                edits::apply(tx, &heir)?;
                to_cut.extend(is_cut.then_some(heir));
            }
        }
        // Two files may have changed places: every path is vacated before any is taken.
        let moved = changes.moves.iter().filter(|moved| moved.from != moved.to.path());
        let renamed = changes.renamed.iter().map(|(id, _)| id);
        for id in moved.map(|moved| &moved.id).chain(renamed) {
            tx.execute("UPDATE files SET path = '/moving/' || guid WHERE guid = ?1", params![id])?;
        }
        for (id, path) in &changes.renamed {
            tx.execute("UPDATE files SET path = ?2 WHERE guid = ?1", params![id, path])?;
        }
        for Move { id, from, to } in &changes.moves {
            if *from != to.path() {
                retag::is_due_by_new_names(tx, id)?;
            }
            tx.execute(
                "UPDATE files SET path = ?2, file_size_bytes = ?3, modification_time = ?4, \
                    updated_at = CURRENT_TIMESTAMP WHERE guid = ?1",
                params![id, to.path(), to.size(), timestamp(to.modified_ns())],
            )?;
            tx.execute(
                "INSERT INTO accession_files (file_id, modified_ns, analysis_version, changed_ns, sheets, sheets_content) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
                 ON CONFLICT (file_id) DO UPDATE SET modified_ns = excluded.modified_ns, \
                    changed_ns = excluded.changed_ns, sheets = excluded.sheets, sheets_content = excluded.sheets_content",
                params![
                    id,
                    to.modified_ns(),
                    ANALYSIS_VERSION,
                    to.changed_ns(),
                    to.sheets_state(),
                    to.sheets_content(),
                ],
            )?;
            forget_problem(tx, to.path())?;
        }
        for family in &changes.families {
            link_family(tx, family)?;
        }
        end.map_or(Ok(()), |end| write_end(tx, &end))?;
        to_cut.retain(|id| !changes.removed.contains(id));
        Ok(to_cut)
    })
}

/// One run, as `import_sessions` keeps it.
#[derive(Debug)]
pub struct SessionRecord {
    /// Its id.
    pub id: SessionId,
    /// WKMP's word for how it ended.
    pub state: &'static str,
    /// The root folder.
    pub root: String,
    /// What it was asked for, as JSON.
    pub parameters: String,
    /// Files dealt with.
    pub done: u64,
    /// Files found.
    pub total: u64,
    /// How it ended, in words.
    pub operation: String,
    /// Files by what became of them, as JSON.
    pub counts: String,
    /// When it began, UTC.
    pub started_at: String,
}

/// How a run ended.
#[derive(Debug)]
pub struct RunEnd {
    /// The run.
    pub session: SessionRecord,
    /// The files it could not take in.
    pub problems: Vec<Problem>,
    /// Paths of problems that are none any more.
    pub solved: Vec<String>,
}

/// Writes a run's end in a transaction of its own.
///
/// # Errors
///
/// When the database cannot be written.
pub fn end_run(db: &Db, end: RunEnd) -> Result<()> {
    db.try_write("end run", move |tx| write_end(tx, &end))
}

fn write_end(tx: &Tx<'_>, end: &RunEnd) -> Result<()> {
    write_session(tx, &end.session, &end.problems)?;
    for path in &end.solved {
        forget_problem(tx, path)?;
    }
    for problem in &end.problems {
        write_problem(tx, problem)?;
    }
    Ok(())
}

fn write_session(tx: &Tx<'_>, session: &SessionRecord, problems: &[Problem]) -> Result<()> {
    let errors: Vec<_> = problems
        .iter()
        .take(1_000)
        .map(|problem| {
            serde_json::json!({
                "file_path": problem.path,
                "error_code": problem.fault.stage.to_uppercase() + "_ERROR",
                "error_message": problem.fault.reason,
            })
        })
        .collect();
    tx.execute(
        "INSERT INTO import_sessions (session_id, state, root_folder, parameters, progress_current, \
            progress_total, progress_percentage, current_operation, errors, started_at, ended_at, \
            file_classification_data) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, datetime('now'), ?11) \
         ON CONFLICT (session_id) DO UPDATE SET state = excluded.state, \
            progress_current = excluded.progress_current, progress_percentage = excluded.progress_percentage, \
            current_operation = excluded.current_operation, errors = excluded.errors, \
            ended_at = excluded.ended_at, file_classification_data = excluded.file_classification_data",
        params![
            session.id,
            serde_json::to_string(session.state).expect("a word is text"),
            session.root,
            session.parameters,
            session.done,
            session.total,
            100.0 * session.done as f64 / session.total.max(1) as f64,
            session.operation,
            serde_json::to_string(&errors).expect("errors are plain text"),
            session.started_at,
            session.counts,
        ],
    )?;
    Ok(())
}

fn write_problem(tx: &Tx<'_>, problem: &Problem) -> Result<()> {
    let Problem { fault, .. } = problem;
    if let (Some(id), run::Retry::WhenChanged) = (&problem.id, fault.retry) {
        // What was recorded is of a content that is no longer there.
        tx.execute(
            "UPDATE files SET status = 'PENDING' WHERE guid = ?1",
            params![id],
        )?;
        tx.execute(
            "UPDATE passages SET decode_status = 'failed' WHERE file_id = ?1",
            params![id],
        )?;
    }
    tx.execute(
        "INSERT INTO accession_problems (path, kind, stage, reason, retry, file_size_bytes, modified_ns, \
                                         analysis_version) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
         ON CONFLICT (path) DO UPDATE SET kind = excluded.kind, stage = excluded.stage, \
            reason = excluded.reason, retry = excluded.retry, file_size_bytes = excluded.file_size_bytes, \
            modified_ns = excluded.modified_ns, analysis_version = excluded.analysis_version, \
            seen_at = CURRENT_TIMESTAMP",
        params![
            problem.path,
            if problem.misleading { "misleading" } else { "failed" },
            fault.stage,
            fault.reason,
            fault.retry == run::Retry::Later,
            problem.size,
            problem.modified_ns,
            ANALYSIS_VERSION,
        ],
    )?;
    Ok(())
}
