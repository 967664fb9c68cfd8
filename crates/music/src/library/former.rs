//! What is known of a file from before, when it is analysed again.

use audio::Ticks;
use audio::decode::AudioMd5;
use sqlite::{Db, params};

use crate::error::Result;
use crate::id::{FileId, PassageId};
use crate::library::edits::{self, PersonCut};
use crate::library::marks::{self, StoredMark};
use crate::library::record::CutBy;

/// What is known of a file, and of its sound, when it is analysed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Former {
    /// Its passages, whose ids stay where they are still there.
    pub(crate) passages: Vec<FormerPassage>,
    /// SHA-256 of its content.
    pub(crate) hash: Option<String>,
    /// The digest of its encoded audio.
    pub(crate) audio_md5: Option<AudioMd5>,
    /// A release said where to cut it.
    pub(crate) is_cut_by_release: bool,
    /// A person cut it.
    pub(crate) is_cut_by_person: bool,
    /// How long its sound is.
    pub(crate) seconds: Option<f64>,
    /// What its head added in dB when it was decoded, if anything.
    pub(crate) output_gain_db: Option<f64>,
    /// What marks said of it.
    pub(crate) marks: Vec<StoredMark>,
    /// Where a person said that it is to be cut: the first that fits it counts.
    pub(crate) cuts: Vec<PersonCut>,
    /// The file whose place it takes, with what was said about that.
    pub(crate) takes_place_of: Option<FileId>,
    /// Edits in force of the sound that it had.
    pub(crate) edits: u64,
    /// The number of the last edit of all.
    pub(crate) last_edit: i64,
}

impl Former {
    /// Whether a content with this hash, or this sound, is that which was recorded.
    pub(crate) fn is_same_sound(&self, hash: &str, audio_md5: Option<AudioMd5>) -> bool {
        let same_audio = self.audio_md5.is_some() && self.audio_md5 == audio_md5;
        same_audio || self.hash.as_deref() == Some(hash)
    }

    /// Whether it is known by anything that another content would not have.
    pub(crate) fn knows_sound(&self) -> bool {
        self.audio_md5.is_some() || self.hash.as_ref().is_some_and(|hash| hash.len() == 64)
    }

    /// What to tell of the edits of the former sound, where that is gone.
    pub(crate) fn edits_left_behind(&self, is_same_sound: bool) -> Option<String> {
        (self.edits > 0 && !is_same_sound).then(|| {
            format!(
                "its audio is not what it was: {} of a person's edits of the former audio no longer apply",
                self.edits
            )
        })
    }
}

/// Where a passage lay when its file was analysed before.
#[derive(Debug, Clone)]
pub(crate) struct FormerPassage {
    pub(crate) id: PassageId,
    pub(crate) start: Ticks,
    pub(crate) end: Ticks,
}

/// What is known of the file at a path, and what a person said about the sound in it, by the names that it has.
///
/// # Errors
///
/// When the database cannot be read.
pub(crate) fn load(db: &Db, file: Option<&FileId>, path: &str, sounds: &[&str]) -> Result<Former> {
    db.read(|snapshot| {
        let mut former = Former {
            last_edit: edits::last(snapshot)?,
            ..Former::default()
        };
        if !sounds.is_empty() {
            if file.is_none() {
                former.takes_place_of = edits::owner_gone(snapshot, path, sounds)?;
            }
            let owner = file.or(former.takes_place_of.as_ref());
            former.cuts = edits::cuts_of(snapshot, owner, path, sounds)?;
        }
        let Some(file) = file else {
            return Ok(former);
        };
        former.passages = snapshot.query_all(
            "SELECT guid, start_time_ticks, end_time_ticks FROM passages WHERE file_id = ?1 ORDER BY start_time_ticks",
            params![file],
            |row| {
                Ok(FormerPassage {
                    id: row.get(0)?,
                    start: Ticks(row.get(1)?),
                    end: Ticks(row.get(2)?),
                })
            },
        )?;
        let row = snapshot.query_optional(
            "SELECT f.hash, a.audio_md5, a.cut_by, EXISTS (SELECT 1 FROM passages p \
                WHERE p.file_id = f.guid AND p.import_strategy = 'release'), f.duration_ticks, \
                (SELECT count(*) FROM accession_edits e WHERE e.sound = a.audio_md5 AND e.file_id = f.guid \
                    AND e.undone_at IS NULL), \
                CASE WHEN json_valid(a.tags) THEN json_extract(a.tags, '$.output_gain_db') END \
             FROM files f LEFT JOIN accession_files a ON a.file_id = f.guid WHERE f.guid = ?1",
            params![file],
            |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get::<_, Option<String>>(1)?,
                    row.get::<_, Option<String>>(2)?,
                    row.get::<_, bool>(3)?,
                    row.get::<_, Option<i64>>(4)?,
                    row.get(5)?,
                    row.get(6)?,
                ))
            },
        )?;
        if let Some((hash, md5, cut_by, has_release, length, edits, gain)) = row {
            former.edits = edits;
            former.output_gain_db = gain;
            former.hash = Some(hash);
            former.seconds = length.map(|ticks| Ticks(ticks).seconds());
            former.audio_md5 = md5.as_deref().and_then(AudioMd5::from_hex);
            former.is_cut_by_release = has_release || cut_by.as_deref() == Some(CutBy::Release.word());
            former.is_cut_by_person = cut_by.as_deref() == Some(CutBy::Person.word());
        }
        former.marks = marks::load(snapshot, file)?;
        Ok(former)
    })
}
