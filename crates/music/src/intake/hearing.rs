//! Where the chain learns what is in a file: from the file itself, or from what was heard of it elsewhere.
//!
//! Planning and recording are the same in both cases, and know only this.

use std::path::Path;

use audio::decode::{AudioDigest, AudioXxh3, Decoders};
use audio::tags::{self, Neighbours};
use run::{Fault, LibraryPath, Progress};

use crate::error::Result;
use crate::id::SessionId;
use crate::intake::hash::ContentHash;
use crate::intake::plan::{Extent, Task};
use crate::intake::recognise::{self, Rejected};
use crate::intake::take_in::{Content, Setting, Taken, take_in};
use crate::library::former::Former;
use crate::library::known::KnownSounds;
use crate::library::settings::Settings;
use crate::library::values::ScannedFile;

/// Who hears.
#[derive(Clone, Copy)]
pub(crate) struct Worker<'a> {
    /// The run.
    pub(crate) session: &'a SessionId,
    /// Where to say what is being done.
    pub(crate) progress: &'a Progress,
    /// Its number.
    pub(crate) number: usize,
}

/// Reads what the library knows of a file and of a sound, by the names that the sound has.
pub(crate) type Recall<'a> = &'a dyn Fn(&[&str]) -> Result<Former>;

/// Tells what is in files.
pub(crate) trait Hearing: Sync {
    /// The name of a file's whole content; with it the quick name of its sound, where sounds are known that it may be
    /// one of and the name costs no second reading.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is no audio.
    fn content_hash(
        &self,
        file: &ScannedFile,
        known: &KnownSounds,
    ) -> Result<(ContentHash, Option<AudioXxh3>), Rejected>;

    /// The names of its sound, by the quick one alone (`xxh3`, where it was made already) where `known` has it; `None` where it has none.
    fn audio_digest(
        &self,
        file: &ScannedFile,
        xxh3: Option<AudioXxh3>,
        known: &KnownSounds,
    ) -> Option<AudioDigest>;

    /// A short name for what is written in it and a little of its sound; `None` where that cannot be read.
    fn tags_digest(&self, file: &ScannedFile) -> Option<String>;

    /// What its content is, where its name says something else.
    fn misnamed(&self, file: &ScannedFile) -> Option<String>;

    /// Whether a file that the library knows, and the scan did not cover, is still there.
    fn is_there(&self, path: &str) -> bool;

    /// Finds out what a task asks about its file.
    ///
    /// # Errors
    ///
    /// When the database cannot be read. A file that cannot be heard is [`Taken::Failed`].
    fn take_in(&self, task: &Task, recall: Recall<'_>, worker: Worker<'_>) -> Result<Taken>;
}

/// The files themselves.
#[derive(Debug)]
pub(crate) struct OnDisk<'a> {
    root: &'a Path,
    settings: &'a Settings,
    decoders: Decoders,
    neighbours: Neighbours,
}

/// [`Hearing::take_in`], where a panic is the file's failure.
///
/// # Errors
///
/// When the database cannot be read.
pub(crate) fn hear_guarded(
    hearing: &dyn Hearing,
    task: &Task,
    recall: Recall<'_>,
    worker: Worker<'_>,
) -> Result<Taken> {
    let guarded = std::panic::AssertUnwindSafe(|| hearing.take_in(task, recall, worker));
    std::panic::catch_unwind(guarded).unwrap_or_else(|_| {
        Ok(Taken::Failed(Rejected {
            fault: Fault::in_item(
                "decode",
                "the analysis gave up on this file, which is a defect worth reporting",
            ),
            misleading: false,
        }))
    })
}

impl<'a> OnDisk<'a> {
    /// Files below `root`, heard as `settings` say.
    pub(crate) fn new(root: &'a Path, settings: &'a Settings) -> Self {
        Self {
            root,
            settings,
            decoders: settings.decoders(),
            neighbours: Neighbours::default(),
        }
    }

    /// The same, where `neighbours` know how to come by the other files of a folder.
    pub(crate) fn with_neighbours(self, neighbours: Neighbours) -> Self {
        Self { neighbours, ..self }
    }
}

impl Hearing for OnDisk<'_> {
    fn content_hash(
        &self,
        file: &ScannedFile,
        known: &KnownSounds,
    ) -> Result<(ContentHash, Option<AudioXxh3>), Rejected> {
        if known.is_empty() {
            return recognise::recognise(file).map(|hash| (hash, None));
        }
        recognise::recognise_both(file)
    }

    fn audio_digest(
        &self,
        file: &ScannedFile,
        xxh3: Option<AudioXxh3>,
        known: &KnownSounds,
    ) -> Option<AudioDigest> {
        let path = file.absolute();
        if !known.is_empty() {
            let xxh3 = match xxh3 {
                Some(xxh3) => xxh3,
                None => self.decoders.audio_xxh3(path).ok()?,
            };
            if let Some(md5) = known.get(&xxh3) {
                return Some(AudioDigest {
                    md5: *md5,
                    xxh3: Some(xxh3),
                });
            }
        }
        self.decoders.audio_digest(path).ok()
    }

    fn tags_digest(&self, file: &ScannedFile) -> Option<String> {
        let read = tags::read(file.absolute(), &self.neighbours, &self.decoders);
        read.ok().map(|written| written.digest())
    }

    fn misnamed(&self, file: &ScannedFile) -> Option<String> {
        recognise::misnamed(file)
    }

    fn is_there(&self, path: &str) -> bool {
        let path = path.parse::<LibraryPath>();
        path.is_ok_and(|path| run::is_listed_file(&path.below(self.root)))
    }

    fn take_in(&self, task: &Task, recall: Recall<'_>, worker: Worker<'_>) -> Result<Taken> {
        let setting = Setting {
            settings: self.settings,
            session: worker.session,
            progress: worker.progress,
            worker: worker.number,
            decoders: &self.decoders,
            neighbours: &self.neighbours,
        };
        let content = match task.extent {
            Extent::Whole | Extent::Tags => {
                let path = task.file.path();
                worker.progress.working(worker.number, path, "hash");
                match Content::of(task, &self.decoders) {
                    Ok(content) => Some(content),
                    Err(not_audio) => return Ok(Taken::Failed(not_audio)),
                }
            }
            Extent::Description | Extent::Digest => None,
        };
        let digest = content.as_ref().map(Content::digest).unwrap_or_default();
        let names = content
            .as_ref()
            .map(|content| [digest.as_str(), content.hash.as_str()]);
        let former = recall(names.as_ref().map_or(&[][..], |names| names))?;
        Ok(take_in(task, content, former, &setting))
    }
}
