//! What the library already knows about the files on the disk.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use run::{Fault, Retry};
use serde::{Deserialize, Serialize};
use sqlite::{Db, Row, RowResult, params};

use crate::error::Result;
use crate::id::FileId;
use crate::library::values::{ScannedFile, Sheets};
use audio::decode::{AudioDigest, AudioMd5, AudioXxh3};

/// Bumped when what is made of a file changes, so that files are analysed again.
pub const ANALYSIS_VERSION: u32 = 8;

/// Bumped when only what is told of passages that stay where they are changes (leads, fades, loudness, flavor, the
/// waveform), so that files are heard again, but not cut, fingerprinted or named again.
pub const DESCRIPTION_VERSION: u32 = 3;

/// WKMP's words for the state of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileStatus {
    /// Everything about the file is recorded.
    Complete,
    /// The content is that of another file, whose passages stand for both.
    Duplicate,
    /// The file holds no sound.
    NoAudio,
    /// Anything else: begun by another program and not finished.
    Unfinished,
}

impl FileStatus {
    /// The word in `files.status`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Complete => "INGEST COMPLETE",
            Self::Duplicate => "DUPLICATE HASH",
            Self::NoAudio => "NO AUDIO",
            Self::Unfinished => "PENDING",
        }
    }

    fn from_word(word: &str) -> Self {
        [Self::Complete, Self::Duplicate, Self::NoAudio]
            .into_iter()
            .find(|status| status.word() == word)
            .unwrap_or(Self::Unfinished)
    }
}

/// A row of `files`, as far as it tells whether the file has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFile {
    /// Its id.
    pub id: FileId,
    /// Its path in the library.
    pub path: String,
    /// SHA-256 of its content; `None` where no hash was ever made.
    pub hash: Option<String>,
    /// Its status.
    pub status: FileStatus,
    /// The digest of its encoded audio, where it was made.
    pub audio_md5: Option<AudioMd5>,
    /// The quick one of its digests.
    audio_xxh3: Option<AudioXxh3>,
    /// Whether it was asked for its digest; foreign formats have none.
    was_digested: bool,
    size: Option<u64>,
    modified_text: String,
    modified_ns: Option<i64>,
    analysis_version: Option<u32>,
    description_version: Option<u32>,
    changed_ns: Option<i64>,
    tags_digest: Option<String>,
    sheets: Option<String>,
    sheets_content: Option<String>,
    /// Whether it is an original that is linked with a copy which has no row.
    pub(crate) has_torn_links: bool,
}

/// What may have changed of a file whose size and modification time are as recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touched {
    /// Nothing.
    No,
    /// Its folder's cue sheets, or something about the file that the system noticed, to no effect on what is recorded.
    InVain,
    /// The cue sheets that can mean it.
    Sheets,
    /// Perhaps its content: only its hash tells.
    Content,
}

impl KnownFile {
    /// Whether the row says all there is to say about its content.
    pub fn is_settled(&self) -> bool {
        self.status != FileStatus::Unfinished
            && self.hash.is_some()
            && self
                .analysis_version
                .is_none_or(|version| version >= ANALYSIS_VERSION)
    }

    /// Whether its passages are described as they would be now; what another program described stays as it is.
    pub fn is_described(&self) -> bool {
        self.status != FileStatus::Complete
            || self.analysis_version.is_none()
            || self.description_version.unwrap_or(1) >= DESCRIPTION_VERSION
    }

    /// Whether its sound was taken in before sounds had names.
    pub fn lacks_digest(&self) -> bool {
        self.status == FileStatus::Complete && self.analysis_version.is_some() && !self.was_digested
    }

    /// The digests of its encoded audio, where they were made.
    pub fn audio(&self) -> Option<AudioDigest> {
        let xxh3 = self.audio_xxh3;
        self.audio_md5.map(|md5| AudioDigest { md5, xxh3 })
    }

    /// Whether the row is about this sound, be it that another version, or a person's cut, has it heard again.
    pub fn stands_for_sound(&self, sound: Option<AudioMd5>) -> bool {
        sound.is_some() && self.audio_md5 == sound && self.status == FileStatus::Complete
    }

    /// Whether the row holds a content of its own, with or without sound.
    pub fn is_original(&self) -> bool {
        matches!(self.status, FileStatus::Complete | FileStatus::NoAudio)
    }

    /// What may have changed of `file`, which [looks like](Self::looks_like) it was recorded. `digest` says what is written
    /// in a file now; it is asked only where the system noticed a change. What was never recorded is unknown, and no
    /// change.
    pub fn touched(&self, file: &ScannedFile, digest: impl FnOnce() -> Option<String>) -> Touched {
        // Windows does not tell, which is no change: a library that is used there and elsewhere in turn stays as it is.
        let has_changed = file.changed_ns() != 0
            && self
                .changed_ns
                .is_some_and(|changed| changed != file.changed_ns());
        if has_changed
            && self
                .tags_digest
                .as_ref()
                .is_none_or(|recorded| digest().as_ref() != Some(recorded))
        {
            return Touched::Content;
        }
        match &self.sheets {
            Some(sheets) if *sheets != file.sheets_state() => {
                let content = file.sheets_content();
                if self.sheets_content.as_ref() == Some(&content) {
                    Touched::InVain
                } else {
                    Touched::Sheets
                }
            }
            _ if has_changed => Touched::InVain,
            _ => Touched::No,
        }
    }

    /// Whether nothing is left to be said of it, and `is_of` says that a file of its path, size, time and sheets is meant.
    pub(crate) fn is_recorded_as(&self, is_of: impl FnOnce(&ScannedFile) -> bool) -> bool {
        let (Some(size), Some(modified_ns)) = (self.size, self.modified_ns) else {
            return false;
        };
        self.is_settled()
            && self.is_described()
            && !self.lacks_digest()
            && is_of(&ScannedFile {
                path: self.path.clone(),
                absolute: PathBuf::new(),
                size,
                modified_ns,
                changed_ns: self.changed_ns.unwrap_or_default(),
                beside: Arc::default(),
                sheets: Some(Sheets {
                    state: self.sheets.clone().unwrap_or_default(),
                    content: String::new(),
                }),
            })
    }

    /// Its size in bytes, as recorded.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// Whether `file` has the size and the time that were recorded.
    ///
    /// Rows that WKMP wrote know the time in whole seconds only.
    pub fn looks_like(&self, file: &ScannedFile) -> bool {
        self.has_stamp(file.size(), file.modified_ns())
    }

    /// Whether a file with this size in bytes and this time of its last change, in ns since 1970, looks as recorded.
    pub(crate) fn has_stamp(&self, size: u64, modified_ns: i64) -> bool {
        self.size == Some(size)
            && match self.modified_ns {
                Some(recorded) => is_same_time(recorded, modified_ns),
                None => self.modified_text == timestamp(modified_ns),
            }
    }
}

/// A row of `accession_problems`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownProblem {
    /// Why the file could not be taken in.
    pub fault: Fault,
    /// Whether its name promised something else.
    pub misleading: bool,
    size: u64,
    modified_ns: i64,
    analysis_version: u32,
}

impl KnownProblem {
    /// Whether trying `file` again would give the same.
    pub fn still_holds(&self, file: &ScannedFile) -> bool {
        self.fault.retry == Retry::WhenChanged
            && self.size == file.size()
            && is_same_time(self.modified_ns, file.modified_ns())
            && self.analysis_version == ANALYSIS_VERSION
    }
}

/// Whether two times are the same as far as every system can tell: Windows and network folders of its kind (SMB) know a
/// time in steps of 100 ns, cut off, and Linux in steps of 1 ns.
fn is_same_time(one_ns: i64, other_ns: i64) -> bool {
    const STEP_NS: i64 = 100;
    one_ns.div_euclid(STEP_NS) == other_ns.div_euclid(STEP_NS)
}

/// What the library knows, by path.
#[derive(Debug, Default)]
pub struct Known {
    /// Rows of `files`.
    pub files: HashMap<String, KnownFile>,
    /// Rows of `accession_problems`.
    pub problems: HashMap<String, KnownProblem>,
}

/// Known sounds by the quick one of their names.
pub type KnownSounds = HashMap<AudioXxh3, AudioMd5>;

impl Known {
    /// The sounds that have both names.
    pub fn sounds(&self) -> KnownSounds {
        let rows = self.files.values();
        rows.filter_map(|row| row.audio_xxh3.zip(row.audio_md5))
            .collect()
    }

    fn of(files: Vec<KnownFile>, problems: Vec<(String, KnownProblem)>) -> Self {
        let files = files.into_iter();
        Self {
            files: files.map(|file| (file.path.clone(), file)).collect(),
            problems: problems.into_iter().collect(),
        }
    }

    /// Reads what is known of the files at some paths, with some contents, or with some sounds; of the contents it knows
    /// at those paths, all files.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub(crate) fn about(
        db: &Db,
        paths: &[String],
        contents: &[String],
        sounds: &[String],
    ) -> Result<Self> {
        let (paths, contents, sounds) = (list(paths), list(contents), list(sounds));
        db.read(|snapshot| {
            let chosen = format!(
                "{FILES} WHERE f.guid IN ( \
                    SELECT guid FROM files WHERE path IN (SELECT value FROM json_each(?1)) \
                    UNION SELECT guid FROM files WHERE hash IN (SELECT value FROM json_each(?2)) \
                    UNION SELECT guid FROM files WHERE length(hash) = 64 AND hash IN ( \
                        SELECT hash FROM files WHERE path IN (SELECT value FROM json_each(?1))) \
                    UNION SELECT file_id FROM accession_files \
                        WHERE audio_md5 IN (SELECT value FROM json_each(?3)))"
            );
            let files = snapshot.query_all(&chosen, params![paths, contents, sounds], file)?;
            let chosen = format!("{PROBLEMS} WHERE path IN (SELECT value FROM json_each(?1))");
            let problems = snapshot.query_all(&chosen, params![paths], problem)?;
            Ok(Self::of(files, problems))
        })
    }

    /// Reads what is known of the files below a folder of the library.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub(crate) fn below(db: &Db, folder: &str) -> Result<Self> {
        // `0` comes right behind `/`.
        let (from, to) = (format!("{folder}/"), format!("{folder}0"));
        db.read(|snapshot| {
            let chosen = format!("{FILES} WHERE f.path >= ?1 AND f.path < ?2");
            let files = snapshot.query_all(&chosen, params![from, to], file)?;
            let chosen = format!("{PROBLEMS} WHERE path >= ?1 AND path < ?2");
            let problems = snapshot.query_all(&chosen, params![from, to], problem)?;
            Ok(Self::of(files, problems))
        })
    }

    /// Reads every row of `files`, one by one.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub(crate) fn each(db: &Db, mut each: impl FnMut(KnownFile)) -> Result<()> {
        db.read(|snapshot| {
            snapshot.query_each(FILES, params![], |row| {
                each(file(row).map_err(sqlite::Error::from)?);
                Ok(())
            })
        })
    }

    /// Reads the paths of files that could not be taken in.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub(crate) fn problem_paths(db: &Db) -> Result<Vec<String>> {
        db.read(|snapshot| {
            Ok(snapshot.query_all(
                "SELECT path FROM accession_problems ORDER BY path",
                params![],
                |row| row.get(0),
            )?)
        })
    }

    /// Reads what is known.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn load(db: &Db) -> Result<Self> {
        db.read(|snapshot| {
            let files = snapshot.query_all(FILES, params![], file)?;
            let problems = snapshot.query_all(PROBLEMS, params![], problem)?;
            Ok(Self::of(files, problems))
        })
    }
}

/// Rows of `files` with what is known of them.
const FILES: &str = "SELECT f.guid, f.path, f.hash, f.status, f.file_size_bytes, f.modification_time, \
            a.modified_ns, a.analysis_version, a.description_version, a.changed_ns, a.tags_digest, \
            a.sheets, a.sheets_content, a.audio_md5, a.audio_xxh3, \
            f.status <> 'DUPLICATE HASH' AND json_valid(f.matching_hashes) AND EXISTS ( \
                SELECT 1 FROM json_each(f.matching_hashes) j \
                WHERE NOT EXISTS (SELECT 1 FROM files o WHERE o.guid = j.value)) \
     FROM files f LEFT JOIN accession_files a ON a.file_id = f.guid";

/// Rows of `accession_problems`.
const PROBLEMS: &str = "SELECT path, kind, stage, reason, retry, file_size_bytes, modified_ns, analysis_version \
     FROM accession_problems";

/// A list as a statement takes it.
fn list(texts: &[String]) -> String {
    serde_json::Value::from(texts).to_string()
}

fn file(row: &Row<'_>) -> RowResult<KnownFile> {
    let digest: Option<String> = row.get(13)?;
    let quick: Option<String> = row.get(14)?;
    let hash: String = row.get(2)?;
    let status: Option<String> = row.get(3)?;
    Ok(KnownFile {
        id: row.get(0)?,
        path: row.get(1)?,
        hash: (hash.len() == 64).then_some(hash),
        status: FileStatus::from_word(&status.unwrap_or_default()),
        size: row.get(4)?,
        modified_text: row.get(5)?,
        modified_ns: row.get(6)?,
        analysis_version: row.get(7)?,
        description_version: row.get(8)?,
        changed_ns: row.get(9)?,
        tags_digest: row.get(10)?,
        sheets: row.get(11)?,
        sheets_content: row.get(12)?,
        audio_md5: digest.as_deref().and_then(AudioMd5::from_hex),
        audio_xxh3: quick.as_deref().and_then(AudioXxh3::from_hex),
        was_digested: digest.is_some(),
        has_torn_links: row.get::<_, Option<bool>>(15)?.unwrap_or(false),
    })
}

fn problem(row: &Row<'_>) -> RowResult<(String, KnownProblem)> {
    let kind: String = row.get(1)?;
    let stage: String = row.get(2)?;
    let retry = if row.get(4)? {
        Retry::Later
    } else {
        Retry::WhenChanged
    };
    let reason: String = row.get(3)?;
    let problem = KnownProblem {
        fault: Fault {
            retry,
            ..Fault::in_item(stage_name(&stage), reason)
        },
        misleading: kind == "misleading",
        size: row.get(5)?,
        modified_ns: row.get(6)?,
        analysis_version: row.get(7)?,
    };
    Ok((row.get(0)?, problem))
}

/// The stages of the chain, in order.
pub const STAGES: [&str; 9] = [
    "scan",
    "hash",
    "tags",
    "decode",
    "segment",
    "fingerprint",
    "describe",
    "record",
    "identify",
];

pub(crate) fn stage_name(stored: &str) -> &'static str {
    STAGES
        .into_iter()
        .find(|stage| *stage == stored)
        .unwrap_or("decode")
}

/// A time as WKMP stores it: UTC, whole seconds, no zone.
pub(crate) fn timestamp(nanoseconds: i64) -> String {
    jiff::Timestamp::from_nanosecond(i128::from(nanoseconds))
        .unwrap_or_default()
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc_text_of_whole_seconds() {
        assert_eq!(timestamp(1_700_000_000_999_999_999), "2023-11-14 22:13:20");
        assert_eq!(timestamp(0), "1970-01-01 00:00:00");
        assert_eq!(timestamp(i64::MIN), "1677-09-21 00:12:43");
    }

    #[test]
    fn a_file_seen_from_windows_and_from_linux_is_the_same() {
        let on_linux = ScannedFile {
            path: "a.flac".to_owned(),
            absolute: PathBuf::new(),
            size: 1,
            modified_ns: 1_700_000_000_123_456_789,
            changed_ns: 1_700_000_000_987_654_321,
            beside: Arc::default(),
            sheets: None,
        };
        let row = KnownFile {
            id: FileId::random(),
            path: on_linux.path.clone(),
            hash: None,
            status: FileStatus::Complete,
            audio_md5: None,
            audio_xxh3: None,
            was_digested: true,
            size: Some(on_linux.size),
            modified_text: String::new(),
            modified_ns: Some(on_linux.modified_ns),
            analysis_version: Some(ANALYSIS_VERSION),
            description_version: None,
            changed_ns: Some(on_linux.changed_ns),
            tags_digest: None,
            sheets: None,
            sheets_content: None,
            has_torn_links: false,
        };
        let not_asked = || unreachable!("the system noticed no change");
        // Windows knows steps of 100 ns and does not tell when anything else about the file changed.
        let on_windows = ScannedFile {
            modified_ns: 1_700_000_000_123_456_700,
            changed_ns: 0,
            ..on_linux.clone()
        };
        for file in [&on_linux, &on_windows] {
            assert!(row.looks_like(file));
            assert_eq!(row.touched(file, not_asked), Touched::No);
        }
        let later = ScannedFile {
            modified_ns: 1_700_000_000_123_456_800,
            ..on_windows
        };
        assert!(!row.looks_like(&later));
    }

    #[test]
    fn status_words_are_wkmps() {
        for status in [
            FileStatus::Complete,
            FileStatus::Duplicate,
            FileStatus::NoAudio,
            FileStatus::Unfinished,
        ] {
            assert_eq!(FileStatus::from_word(status.word()), status);
        }
        assert_eq!(FileStatus::from_word("PROCESSING"), FileStatus::Unfinished);
    }
}
