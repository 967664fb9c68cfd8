//! The chain: a folder goes in, rows come out.

mod announce;
mod ending;
mod families;
mod folders;
mod tally;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Instant;

use audio::decode::AudioMd5;
use run::{Cancel, Fault, Progress, for_each};

use crate::error::{Error, Result};
use crate::event::{Completed, Event};
use crate::id::{FileId, SessionId};
use crate::intake::hash::ContentHash;
use crate::intake::plan::{Copy, Extent, Plan, Scope, Task, plan};
use crate::intake::recognise::{Rejected, misnamed};
use crate::intake::scan::{file_at, scan};
use crate::intake::take_in::{Content, Setting, Taken, take_in};
use crate::library::Library;
use crate::library::former;
use crate::library::known::{FileStatus, Known};
use crate::library::record::{
    self, CutBy, DescriptionRecord, FileRecord, Reconciliation, RetagRecord,
};
use crate::library::values::Problem;
use audio::decode::Decoders;
use audio::tags::{Neighbours, Tags};
use ending::{homes, solved};
use families::Families;
use folders::Folders;
use tally::{Counted, Tally};

/// What to import, and how.
#[derive(Debug, Clone)]
pub struct Import {
    /// The folder, at or below the library's root.
    pub folder: PathBuf,
    /// Files worked on at once.
    pub jobs: usize,
    /// Remove the rows of files that are gone.
    pub prune: bool,
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
    /// Analyse again what is recorded already.
    pub force: bool,
}

/// Takes a folder into a library and returns how it went, for the caller to tell as the last event.
///
/// Every file is one unit of work: its whole result is one transaction. Asked to
/// stop, it finishes the files in hand. Run again, it goes on where it ended.
///
/// # Errors
///
/// When the folder cannot be listed or the database cannot be used. A file that
/// cannot be taken in is no error: it is counted, told as an event, and remembered.
pub fn import(
    library: &Library,
    import: &Import,
    cancel: &Cancel,
    progress: &Progress,
    tell: &(dyn Fn(&Event) + Sync),
) -> Result<Completed> {
    if !import.dry_run {
        let asked = cancel.clone();
        library.db().hurry_when(move || asked.is_requested());
    }
    let chain = Chain::new(library, import, cancel, progress, tell);
    let folder = library_folder(library.root(), &import.folder)?;
    progress.phase("scan");
    let scan = scan(library.root(), &import.folder, cancel)?;
    chain.tell_left_out(&scan.left_out);
    let known = Known::load(library.db())?;
    progress.phase("plan");
    let scope = Scope {
        root: library.root(),
        folder: &folder,
        force: import.force,
        jobs: import.jobs,
        decoders: &chain.decoders,
        cancel,
    };
    let mut plan = plan(scan, &known, &scope);
    if cancel.is_requested() {
        // What was not looked at any more is neither gone nor moved.
        plan.missing.clear();
        plan.moves.clear();
    }
    chain.announce(&plan, &known)?;
    if !import.dry_run && !cancel.is_requested() {
        let homes = homes(&plan, &known);
        chain.tally().solved = solved(&plan, &known, &folder);
        let mut families = chain.reconcile(&mut plan, &known)?;
        progress.phase("import");
        chain
            .left
            .store(plan.tasks.len() + plan.copies.len(), Ordering::Relaxed);
        chain.take_in_all(&mut plan.tasks);
        chain.link_copies(&plan.copies, &homes, &mut families);
        chain.end()?;
    }
    Ok(chain.completed())
}

/// Hears one file of the library again and records it, without anything else of an import.
pub(crate) fn take_in_again(
    library: &Library,
    path: &str,
    id: &FileId,
    progress: &Progress,
) -> Result<()> {
    let unheard = |reason: String| Error::Unheard {
        path: path.to_owned(),
        reason,
    };
    let file = file_at(library.root(), path).map_err(|error| unheard(error.to_string()))?;
    let task = Task {
        file,
        id: Some(id.clone()),
        hash: None,
        audio_md5: None,
        neighbours: 1,
        extent: Extent::Whole,
        copies: Vec::new(),
    };
    progress.phase("import");
    let session = SessionId::random();
    let setting = Setting {
        settings: library.settings(),
        session: &session,
        progress,
        worker: 0,
        decoders: &library.settings().decoders(),
        neighbours: &Neighbours::default(),
    };
    let failed = |rejected: Rejected| unheard(rejected.fault.reason);
    let content = Content::of(&task, setting.decoders).map_err(failed)?;
    let digest = content.digest();
    let former = former::load(library.db(), Some(id), &[&digest, content.hash.as_str()])?;
    match take_in(&task, Some(content), former, &setting) {
        Taken::Record { record, .. } => record::record_file(library.db(), *record, None).map(drop),
        Taken::Failed(rejected) => Err(failed(rejected)),
        Taken::Described(_) | Taken::Retagged { .. } | Taken::Digested { .. } => Ok(()),
    }
}

/// `folder` as the library's paths have it; empty for the root itself.
fn library_folder(root: &Path, folder: &Path) -> Result<String> {
    let inside = folder.strip_prefix(root).map_err(|_| Error::OutsideRoot {
        folder: folder.to_owned(),
        root: root.to_owned(),
    })?;
    let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
    Ok(parts.join("/"))
}

/// A run of the chain: what it works with, and what came of it so far.
struct Chain<'a> {
    library: &'a Library,
    import: &'a Import,
    cancel: &'a Cancel,
    progress: &'a Progress,
    tell: &'a (dyn Fn(&Event) + Sync),
    session: SessionId,
    started: Instant,
    started_at: String,
    /// Units of work that have not come to their write yet.
    left: AtomicUsize,
    tally: Mutex<Tally>,
    /// Why nothing can be recorded any more.
    lost: OnceLock<sqlite::Error>,
    decoders: Decoders,
    neighbours: Neighbours,
}

impl<'a> Chain<'a> {
    fn new(
        library: &'a Library,
        import: &'a Import,
        cancel: &'a Cancel,
        progress: &'a Progress,
        tell: &'a (dyn Fn(&Event) + Sync),
    ) -> Self {
        let chain = Self {
            library,
            import,
            cancel,
            progress,
            tell,
            session: SessionId::random(),
            started: Instant::now(),
            started_at: jiff::Timestamp::now()
                .strftime("%Y-%m-%d %H:%M:%S")
                .to_string(),
            left: AtomicUsize::new(0),
            tally: Mutex::default(),
            lost: OnceLock::new(),
            decoders: library.settings().decoders(),
            neighbours: Neighbours::default(),
        };
        tell(&Event::ImportStarted {
            root: library.root().display().to_string(),
            database: library.path().display().to_string(),
            jobs: import.jobs,
        });
        for message in &library.settings().warnings {
            chain.warn(None, message.clone());
        }
        for warning in library.db().warnings() {
            chain.warn(None, warning.to_string());
        }
        chain
    }

    /// Brings known rows to where their files are now; one transaction, or none.
    fn reconcile(&self, plan: &mut Plan, known: &Known) -> Result<Families> {
        let mut removed = std::mem::take(&mut plan.absorbed);
        if self.import.prune {
            removed.extend(plan.missing.iter().map(|row| row.id.clone()));
            self.tally().files.pruned = plan.missing.len() as u64;
        }
        // A file that is only analysed again keeps its content, and its family.
        let leaving = plan.tasks.iter().filter(|task| {
            let row = known.files.get(task.file.path());
            let hash = task.hash.as_ref().map(ContentHash::as_str);
            hash.is_none() || row.and_then(|row| row.hash.as_deref()) != hash
        });
        let leaving = leaving.filter_map(|task| task.id.as_ref());
        let (families, changed) = Families::without(known, removed.iter().chain(leaving));
        let changes = Reconciliation {
            moves: std::mem::take(&mut plan.moves),
            removed,
            families: changed,
        };
        if !changes.is_empty() {
            let nothing_follows = plan.tasks.is_empty() && plan.copies.is_empty();
            let end = nothing_follows.then(|| self.run_end());
            record::reconcile(self.library.db(), changes, end)?;
            if nothing_follows {
                let mut tally = self.tally();
                tally.problems.clear();
                tally.ended = true;
            }
        }
        Ok(families)
    }

    /// Hashes, hears and records every new or changed file; one transaction each.
    fn take_in_all(&self, tasks: &mut [Task]) {
        // A long file begun last would keep one worker busy while the others idle.
        let bytes: u64 = tasks.iter().map(|task| task.file.size()).sum();
        let long = bytes / (8 * self.import.jobs.max(1) as u64);
        tasks.sort_by_key(|task| std::cmp::Reverse(task.file.size().max(long)));
        let folders = Folders::of(tasks);
        for_each(self.import.jobs, tasks, self.cancel, |worker, task| {
            if self.lost.get().is_some() {
                return;
            }
            let failed = self.take_in_one(worker, task);
            self.progress.finished(worker, task.file.size(), failed);
            if let Some(folder) = folders.finished(task) {
                (self.tell)(&Event::FolderTakenIn { folder });
            }
        });
    }

    /// Returns whether the file failed.
    fn take_in_one(&self, worker: usize, task: &Task) -> bool {
        let setting = Setting {
            settings: self.library.settings(),
            session: &self.session,
            progress: self.progress,
            worker,
            decoders: &self.decoders,
            neighbours: &self.neighbours,
        };
        let guarded = std::panic::AssertUnwindSafe(|| self.find_out(task, &setting));
        let taken = std::panic::catch_unwind(guarded).unwrap_or_else(|_| {
            Ok(Taken::Failed(Rejected {
                fault: Fault::in_item(
                    "decode",
                    "the analysis gave up on this file, which is a defect worth reporting",
                ),
                misleading: false,
            }))
        });
        let outcome = match taken {
            Ok(Taken::Record { record, warnings }) => {
                if let Some(reason) = &record.misnamed {
                    (self.tell)(&Event::FileMisnamed {
                        path: task.file.path().to_owned(),
                        reason: reason.clone(),
                    });
                }
                for message in warnings {
                    self.warn(Some(task.file.path()), message);
                }
                self.record(*record)
            }
            Ok(Taken::Described(record)) => self.record_again(task.file.path(), *record),
            Ok(Taken::Retagged { record, warnings }) => {
                for message in warnings {
                    self.warn(Some(task.file.path()), message);
                }
                self.record_retag(*record)
            }
            Ok(Taken::Digested { id, audio_md5 }) => self.record_digest(id, audio_md5),
            Ok(Taken::Failed(not_audio)) => Err(not_audio),
            Err(error) => Err(self.database_fault(error)),
        };
        let result = outcome.map_err(|Rejected { fault, misleading }| {
            self.problem(Problem::of(
                &task.file,
                task.id.clone(),
                fault.clone(),
                misleading,
            ));
            fault
        });
        let failed = result.is_err();
        if failed {
            self.left.fetch_sub(1, Ordering::Relaxed);
        }
        self.tally()
            .outcomes
            .insert(task.file.path().to_owned(), result);
        failed
    }

    /// Reads a file, looks up what is known of it and its sound, and hears it where that does not settle it.
    fn find_out(&self, task: &Task, setting: &Setting<'_>) -> Result<Taken> {
        let content = match task.extent {
            Extent::Whole | Extent::Tags => {
                let path = task.file.path();
                setting.progress.working(setting.worker, path, "hash");
                match Content::of(task, setting.decoders) {
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
        let names = names.as_ref().map_or(&[][..], |names| names);
        let former = former::load(self.library.db(), task.id.as_ref(), names)?;
        Ok(take_in(task, content, former, setting))
    }

    /// Records the new tags of a known sound.
    fn record_retag(&self, record: RetagRecord) -> Result<FileId, Rejected> {
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
    fn record_digest(&self, id: FileId, audio_md5: Option<AudioMd5>) -> Result<FileId, Rejected> {
        self.count_unchanged(1);
        self.write_last_with_the_end(|db, end| record::record_sound(db, id, audio_md5, end))
            .map_err(|error| {
                self.count_unchanged(-1);
                self.database_fault(error)
            })
    }

    fn count_unchanged(&self, change: i64) {
        let mut tally = self.tally();
        tally.files.unchanged = tally.files.unchanged.saturating_add_signed(change);
    }

    fn record(&self, record: FileRecord) -> Result<FileId, Rejected> {
        let counted = Counted::of(&record);
        self.tally().add(&counted);
        let path = record.file.path().to_owned();
        let damage = record.audio.as_ref().and_then(|audio| audio.damage.clone());
        let recorded = self.write_last_with_the_end(|db, end| record::record_file(db, record, end));
        let file_id = recorded.map_err(|error| {
            self.tally().take_back(&counted);
            self.database_fault(error)
        })?;
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

    /// Records new descriptions of a file's passages.
    fn record_again(&self, path: &str, record: DescriptionRecord) -> Result<FileId, Rejected> {
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

    /// A database that fails is no fault of the file: the next run tries again.
    fn database_fault(&self, error: Error) -> Rejected {
        let fault = Fault::retry_later("record", &error);
        if let Error::Database(reason) = error
            && reason.is_final()
        {
            // The first reason stands; the others follow from it.
            let _ = self.lost.set(reason);
        }
        Rejected {
            fault,
            misleading: false,
        }
    }

    /// Records copies, now that their originals are; one transaction each.
    fn link_copies(
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
                    reason: format!(
                        "{} (as in `{}`, which has the same content)",
                        fault.reason, copy.original
                    ),
                    ..fault
                })
                .and_then(|original| self.link_copy(copy, original, families));
            if let Err(fault) = linked {
                self.left.fetch_sub(1, Ordering::Relaxed);
                self.problem(Problem::of(&copy.file, copy.id.clone(), fault, false));
            }
        }
    }

    fn link_copy(
        &self,
        copy: &Copy,
        original: FileId,
        families: &mut Families,
    ) -> Result<(), Fault> {
        let record = FileRecord {
            id: copy.id.clone().unwrap_or_else(FileId::random),
            file: copy.file.clone(),
            hash: copy.hash.as_str().to_owned(),
            status: FileStatus::Duplicate,
            audio: None,
            audio_md5: None,
            tags: Tags::default(),
            passages: Vec::new(),
            misnamed: misnamed(&copy.file),
            tags_digest: None,
            cut_by: CutBy::Whole,
            marks: None,
            is_same_sound: false,
            known_edit: i64::MAX,
            session: self.session.clone(),
        };
        if let Some(reason) = &record.misnamed {
            (self.tell)(&Event::FileMisnamed {
                path: copy.file.path().to_owned(),
                reason: reason.clone(),
            });
        }
        let family = families.join(copy.hash.as_str(), original, record.id.clone());
        self.tally().files.duplicate += 1;
        self.write_last_with_the_end(|db, end| record::record_copy(db, record, family, end))
            .map_err(|error| {
                self.tally().files.duplicate -= 1;
                self.database_fault(error).fault
            })?;
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
