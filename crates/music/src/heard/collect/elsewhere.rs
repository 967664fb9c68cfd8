//! Tells the chain what is in files that were heard elsewhere.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use audio::decode::{AudioDigest, AudioXxh3};
use run::Fault;

use super::index::Listing;
use super::settle::settle;
use crate::error::Result;
use crate::heard::record::{HeardFile, Outcome};
use crate::intake::hash::ContentHash;
use crate::intake::hearing::{Hearing, Recall, Worker};
use crate::intake::plan::Task;
use crate::intake::recognise::Rejected;
use crate::intake::take_in::Taken;
use crate::library::known::KnownSounds;
use crate::library::record::FileRecord;
use crate::library::values::ScannedFile;

/// The records of the batch in hand, by the paths of their files.
#[derive(Debug)]
pub(super) struct Elsewhere<'a> {
    root: &'a Path,
    listing: Option<&'a Listing>,
    batch: RwLock<HashMap<String, Arc<HeardFile>>>,
}

impl<'a> Elsewhere<'a> {
    /// Nothing yet. What `listing` lacks is not there any more; without one, everything is.
    pub(super) fn new(root: &'a Path, listing: Option<&'a Listing>) -> Self {
        Self {
            root,
            listing,
            batch: RwLock::default(),
        }
    }

    /// Has these records at hand, and no others.
    pub(super) fn hold(&self, records: Vec<Arc<HeardFile>>) {
        let by_path = |heard: Arc<HeardFile>| (heard.file.path().to_owned(), heard);
        *self.batch.write().unwrap_or_else(PoisonError::into_inner) =
            records.into_iter().map(by_path).collect();
    }

    /// A file as the library knows it: it would lie below the library's root.
    pub(super) fn file(&self, heard: &HeardFile) -> ScannedFile {
        ScannedFile {
            absolute: self.root.join(heard.file.path()),
            ..heard.file.clone()
        }
    }

    fn heard(&self, file: &ScannedFile) -> Option<Arc<HeardFile>> {
        let batch = self.batch.read().unwrap_or_else(PoisonError::into_inner);
        batch.get(file.path()).cloned()
    }

    fn hash(&self, file: &ScannedFile) -> Result<ContentHash, Rejected> {
        let rejected = |fault, misleading| Err(Rejected { fault, misleading });
        let unknown = || Fault::retry_later("hash", "its record is not at hand");
        let Some(heard) = self.heard(file) else {
            return rejected(unknown(), false);
        };
        match (heard.fault(), &heard.outcome) {
            (None, Outcome::Heard { record, .. }) => {
                ContentHash::parse(&record.hash).ok_or_else(|| Rejected {
                    fault: Fault::in_item("hash", "its record has no SHA-256 of the content"),
                    misleading: false,
                })
            }
            (Some((fault, misleading)), _) => rejected(fault, misleading),
            (None, Outcome::Failed { .. }) => rejected(unknown(), false),
        }
    }

    fn with<T>(&self, file: &ScannedFile, tell: impl FnOnce(&FileRecord) -> T) -> Option<T> {
        match &self.heard(file)?.outcome {
            Outcome::Heard { record, .. } => Some(tell(record)),
            Outcome::Failed { .. } => None,
        }
    }
}

impl Hearing for Elsewhere<'_> {
    fn content_hash(
        &self,
        file: &ScannedFile,
        _: &KnownSounds,
    ) -> Result<(ContentHash, Option<AudioXxh3>), Rejected> {
        self.hash(file).map(|hash| (hash, None))
    }

    fn audio_digest(
        &self,
        file: &ScannedFile,
        _: Option<AudioXxh3>,
        _: &KnownSounds,
    ) -> Option<AudioDigest> {
        self.with(file, FileRecord::audio_digest).flatten()
    }

    fn tags_digest(&self, file: &ScannedFile) -> Option<String> {
        self.with(file, |record| record.tags_digest.clone())
            .flatten()
    }

    fn misnamed(&self, file: &ScannedFile) -> Option<String> {
        self.with(file, |record| record.misnamed.clone()).flatten()
    }

    fn is_there(&self, path: &str) -> bool {
        self.listing.is_none_or(|listing| listing.holds(path))
    }

    fn take_in(&self, task: &Task, recall: Recall<'_>, worker: Worker<'_>) -> Result<Taken> {
        worker
            .progress
            .working(worker.number, task.file.path(), "record");
        if let Err(rejected) = self.hash(&task.file) {
            return Ok(Taken::Failed(rejected));
        }
        let Some(heard) = self.heard(&task.file) else {
            let fault = Fault::retry_later("record", "its record is not at hand");
            return Ok(Taken::Failed(Rejected {
                fault,
                misleading: false,
            }));
        };
        let names = self.with(&task.file, |record| {
            let digest = record.audio_md5.map(|md5| md5.to_string());
            [digest.unwrap_or_default(), record.hash.clone()]
        });
        let names = names.unwrap_or_default();
        let former = recall(&[&names[0], &names[1]])?;
        let copies: Vec<_> = task
            .copies
            .iter()
            .filter_map(|copy| self.heard(copy))
            .collect();
        Ok(settle(task, &heard, &copies, former, worker.session).unwrap_or_else(Taken::Failed))
    }
}
