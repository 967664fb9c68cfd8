//! Brings what was found out about a file to its write, and tells what came of it.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use audio::decode::AudioDigest;
use audio::tags::Tags;
use run::Fault;

use super::tally::Counted;
use super::{Chain, Families};
use crate::error::Result;
use crate::event::Event;
use crate::id::FileId;
use crate::intake::copies_reason;
use crate::intake::import::take_in_again;
use crate::intake::plan::{Copy, Plan};
use crate::intake::recognise::Rejected;
use crate::library::former;
use crate::library::known::{FileStatus, Known};
use crate::library::record::{self, CutBy, DescriptionRecord, FileRecord, Recorded, RetagRecord};
use crate::library::values::Problem;

impl Chain<'_> {
    /// Records the new tags of a known sound.
    pub(super) fn record_retag(&self, record: RetagRecord) -> Result<FileId, Rejected> {
        let path = record.file.path().to_owned();
        self.count_unchanged(1);
        let recorded =
            self.write_last_with_the_end(|db, end| record::record_retag(db, record, end));
        let file_id = recorded.map_err(|error| {
            self.count_unchanged(-1);
            self.database_fault(error)
        })?;
        self.tally().files.retagged += 1;
        (self.tell)(&Event::FileRetagged {
            path,
            file_id: file_id.clone(),
        });
        Ok(file_id)
    }

    /// Records the digest of a sound that had none.
    pub(super) fn record_digest(
        &self,
        id: FileId,
        audio: Option<AudioDigest>,
    ) -> Result<FileId, Rejected> {
        self.count_unchanged(1);
        self.write_last_with_the_end(|db, end| record::record_sound(db, id, audio, end))
            .map_err(|error| {
                self.count_unchanged(-1);
                self.database_fault(error)
            })
    }

    fn count_unchanged(&self, change: i64) {
        let mut tally = self.tally();
        tally.files.unchanged = tally.files.unchanged.saturating_add_signed(change);
    }

    pub(super) fn record(&self, record: FileRecord) -> Result<FileId, Rejected> {
        let counted = Counted::of(&record);
        self.tally().add(&counted);
        let path = record.file.path().to_owned();
        let damage = record.audio.as_ref().and_then(|audio| audio.damage.clone());
        let recorded = self.write_last_with_the_end(|db, end| record::record_file(db, record, end));
        let Recorded {
            id: file_id,
            is_outdated,
        } = recorded.map_err(|error| {
            self.tally().take_back(&counted);
            self.database_fault(error)
        })?;
        if is_outdated {
            self.make_newer_cut(&path, &file_id);
        }
        if counted.is_silent {
            (self.tell)(&Event::FileNoAudio {
                path,
                reason: silence(
                    counted.audio_seconds,
                    self.library.settings().silence.minimum_audio.seconds(),
                ),
            });
            return Ok(file_id);
        }
        if let Some(reason) = damage {
            (self.tell)(&Event::FileDamaged {
                path: path.clone(),
                reason,
            });
        }
        (self.tell)(&counted.recorded(path, file_id.clone()));
        Ok(file_id)
    }

    /// Cuts a file as a person said while it was heard. Where that fails, it is marked for the next import.
    fn make_newer_cut(&self, path: &str, file: &FileId) {
        if let Err(error) = take_in_again(self.library, path, file, false) {
            let message = format!("a person cut it meanwhile, and it was not heard again: {error}");
            self.warn(Some(path), message);
        }
    }

    /// Cuts files as was said about others of their sound, which are gone. Where that fails, the next import does it.
    pub(super) fn cut_heirs(&self, heirs: &[FileId], plan: &Plan, known: &Known) {
        for heir in heirs {
            let is_heard_anyway = plan.tasks.iter().any(|task| task.id.as_ref() == Some(heir));
            let row = known.files.values().find(|row| row.id == *heir);
            if let Some(row) = row.filter(|_| !is_heard_anyway)
                && self
                    .library
                    .place(&row.path)
                    .is_some_and(|path| path.exists())
                && let Err(error) = take_in_again(self.library, &row.path, heir, false)
            {
                let message =
                    format!("it is to be cut as was said about a file that is gone: {error}");
                self.warn(Some(&row.path), message);
            }
        }
    }

    /// Records new descriptions of a file's passages.
    pub(super) fn record_again(
        &self,
        path: &str,
        record: DescriptionRecord,
    ) -> Result<FileId, Rejected> {
        let counted = Counted::again(&record);
        self.tally().add(&counted);
        let recorded =
            self.write_last_with_the_end(|db, end| record::record_description(db, record, end));
        let file_id = recorded.map_err(|error| {
            self.tally().take_back(&counted);
            self.database_fault(error)
        })?;
        (self.tell)(&counted.recorded(path.to_owned(), file_id.clone()));
        Ok(file_id)
    }

    /// Records copies, now that their originals are; one transaction each.
    pub(super) fn link_copies(
        &self,
        copies: &[Copy],
        homes: &HashMap<String, FileId>,
        families: &mut Families,
    ) {
        for copy in copies {
            if self.cancel.is_requested() || self.lost.get().is_some() {
                return;
            }
            let outcome = self.tally().outcomes.get(&copy.original).cloned();
            let original = match outcome {
                Some(outcome) => outcome,
                None => match homes.get(&copy.original) {
                    Some(id) => Ok(id.clone()),
                    // The original was not reached, so neither is the copy.
                    None => continue,
                },
            };
            let linked = original
                .map_err(|fault| Fault {
                    reason: copies_reason(&fault.reason, &copy.original),
                    ..fault
                })
                .and_then(|original| self.link_copy(copy, &original, families));
            if let Err(fault) = linked {
                self.left.fetch_sub(1, Ordering::Relaxed);
                self.problem(Problem::of(&copy.file, copy.id.clone(), fault, false));
            }
        }
    }

    /// What to tell of a person's edits of a file at whose path another content lies, which is `hash`.
    pub(super) fn edits_left(&self, file: &FileId, path: &str, hash: &str) -> Option<String> {
        let former = former::load(self.library.db(), Some(file), path, &[]).ok()?;
        former.edits_left_behind(former.is_same_sound(hash, None))
    }

    fn link_copy(
        &self,
        copy: &Copy,
        original: &FileId,
        families: &mut Families,
    ) -> Result<(), Fault> {
        let record = FileRecord {
            id: copy.id.clone().unwrap_or_else(FileId::random),
            file: copy.file.clone(),
            hash: copy.hash.as_str().to_owned(),
            status: FileStatus::Duplicate,
            audio: None,
            audio_md5: None,
            audio_xxh3: None,
            tags: Tags::default(),
            passages: Vec::new(),
            misnamed: self.hearing.misnamed(&copy.file),
            tags_digest: None,
            cut_by: CutBy::Whole,
            marks: None,
            is_same_sound: false,
            known_edit: i64::MAX,
            takes_place_of: None,
            session: self.session.clone(),
        };
        if let Some(reason) = &record.misnamed {
            (self.tell)(&Event::FileMisnamed {
                path: copy.file.path().to_owned(),
                reason: reason.clone(),
            });
        }
        let left = match &copy.id {
            Some(id)
                if self
                    .edits_left(id, copy.file.path(), copy.hash.as_str())
                    .is_some() =>
            {
                Some(format!(
                    "it is a copy of `{}` now: a person's edits of it no longer apply",
                    copy.original
                ))
            }
            _ => None,
        };
        let family = families.join(copy.hash.as_str(), original, &record.id);
        self.tally().files.duplicate += 1;
        self.write_last_with_the_end(|db, end| record::record_copy(db, record, family, end))
            .map_err(|error| {
                self.tally().files.duplicate -= 1;
                self.database_fault(error).fault
            })?;
        if let Some(message) = left {
            self.warn(Some(copy.file.path()), message);
        }
        (self.tell)(&Event::FileDuplicate {
            path: copy.file.path().to_owned(),
            original: copy.original.clone(),
        });
        Ok(())
    }
}

/// Why a file without a passage has none.
fn silence(seconds: f64, minimum: f64) -> String {
    if seconds < minimum {
        return format!(
            "it is {:.0} ms long, and a passage has {:.0} ms of sound or more",
            seconds * 1000.0,
            minimum * 1000.0
        );
    }
    format!(
        "less than {:.0} ms of sound in {seconds:.1} s",
        minimum * 1000.0
    )
}
