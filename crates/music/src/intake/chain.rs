//! What a run does with a plan: rows are brought to where their files are, files heard and recorded, copies linked.

mod announce;
mod ending;
mod families;
mod folders;
mod record;
mod tally;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Instant;

use run::{Cancel, Fault, Progress, for_each};

use crate::error::{Error, Result};
use crate::event::Event;
use crate::id::{FileId, SessionId};
use crate::intake::hash::ContentHash;
use crate::intake::hearing::{Hearing, Worker, hear_guarded};
use crate::intake::plan::{Extent, Plan, Task};
use crate::intake::recognise::Rejected;
use crate::intake::take_in::Taken;
use crate::library::Library;
use crate::library::former;
use crate::library::known::Known;
use crate::library::record::Reconciliation;
use crate::library::values::Problem;
use ending::homes;
pub(crate) use ending::solved;
use families::Families;
use folders::Folders;
use tally::Tally;

/// What a run was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    /// What a run of this kind is called while it takes files in.
    pub(crate) phase: &'static str,
    /// Files worked on at once, as it is told.
    pub(crate) jobs: usize,
    /// Files under way at once: more than are worked on where most of them wait for the writer.
    pub(crate) under_way: usize,
    /// Remove the rows of files that are gone.
    pub(crate) prune: bool,
    /// Say what would be done, and do nothing.
    pub(crate) dry_run: bool,
    /// One plan is all of the run, so that its end is written with the last file.
    pub(crate) is_one_plan: bool,
    /// The name of the run's row.
    pub(crate) session: SessionId,
    /// What was asked for, as the run's row keeps it.
    pub(crate) parameters: serde_json::Value,
}

/// A run of the chain: what it works with, and what came of it so far.
pub(crate) struct Chain<'a> {
    library: &'a Library,
    hearing: &'a dyn Hearing,
    terms: Terms,
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
}

impl<'a> Chain<'a> {
    pub(crate) fn new(
        library: &'a Library,
        hearing: &'a dyn Hearing,
        terms: Terms,
        cancel: &'a Cancel,
        progress: &'a Progress,
        tell: &'a (dyn Fn(&Event) + Sync),
    ) -> Self {
        let session = terms.session.clone();
        let chain = Self {
            library,
            hearing,
            terms,
            cancel,
            progress,
            tell,
            session,
            started: Instant::now(),
            started_at: jiff::Timestamp::now()
                .strftime("%Y-%m-%d %H:%M:%S")
                .to_string(),
            left: AtomicUsize::new(0),
            tally: Mutex::default(),
            lost: OnceLock::new(),
        };
        tell(&Event::ImportStarted {
            root: library.root().display().to_string(),
            database: library.path().display().to_string(),
            jobs: chain.terms.jobs,
        });
        for message in &library.settings().warnings {
            chain.warn(None, message.clone());
        }
        for warning in library.db().warnings() {
            chain.warn(None, warning.to_string());
        }
        chain
    }

    /// Does what was planned, and returns when all of it is recorded or told.
    ///
    /// # Errors
    ///
    /// When rows cannot be brought to where their files are. What goes wrong with a file is counted and told.
    pub(crate) fn carry_out(&self, mut plan: Plan, known: &Known) -> Result<()> {
        let homes = homes(&plan, known);
        let mut families = self.reconcile(&mut plan, known)?;
        self.progress.phase(self.terms.phase);
        let more_to_come = usize::from(!self.terms.is_one_plan);
        let left = plan.tasks.len() + plan.copies.len() + more_to_come;
        self.left.store(left, Ordering::Relaxed);
        self.take_in_all(&mut plan.tasks);
        self.link_copies(&plan.copies, &homes, &mut families);
        self.tally().outcomes.clear();
        Ok(())
    }

    /// Brings known rows to where their files are now; one transaction, or none.
    fn reconcile(&self, plan: &mut Plan, known: &Known) -> Result<Families> {
        let mut removed = std::mem::take(&mut plan.absorbed);
        let left = self.edits_of_overwritten(&removed, plan, known);
        if self.terms.prune {
            removed.extend(plan.missing.iter().map(|row| row.id.clone()));
            self.tally().files.pruned = plan.missing.len() as u64;
        }
        // A file that is only analysed again keeps its content, and its family.
        let rows = known.files.values();
        let hashes: HashMap<&FileId, Option<&str>> =
            if plan.tasks.is_empty() && plan.copies.is_empty() {
                HashMap::new()
            } else {
                rows.map(|row| (&row.id, row.hash.as_deref())).collect()
            };
        let is_other = |task: &&Task| !matches!(task.extent, Extent::Description | Extent::Digest);
        let tasks = plan.tasks.iter().filter(is_other);
        let tasks = tasks.map(|task| (&task.id, task.hash.as_ref()));
        let copies = plan.copies.iter().map(|copy| (&copy.id, Some(&copy.hash)));
        let leaving = tasks.chain(copies).filter_map(|(id, hash)| {
            let id = id.as_ref()?;
            let before = hashes.get(id).copied().flatten();
            let stays = hash.is_some() && before == hash.map(ContentHash::as_str);
            (!stays).then_some(id)
        });
        let (families, changed) = Families::without(known, removed.iter().chain(leaving));
        let changes = Reconciliation {
            moves: std::mem::take(&mut plan.moves),
            renamed: std::mem::take(&mut plan.renamed),
            removed,
            families: changed,
        };
        if !changes.is_empty() {
            let nothing_follows =
                self.terms.is_one_plan && plan.tasks.is_empty() && plan.copies.is_empty();
            let end = nothing_follows.then(|| self.run_end());
            let to_cut = crate::library::record::reconcile(self.library.db(), changes, end)?;
            for (path, message) in left {
                self.warn(Some(path), message);
            }
            self.cut_heirs(&to_cut, plan, known);
            if nothing_follows {
                let mut tally = self.tally();
                tally.problems.clear();
                tally.ended = true;
            }
        }
        Ok(families)
    }

    /// What to tell of a person's edits of files over which known ones were moved.
    fn edits_of_overwritten<'k>(
        &self,
        absorbed: &[FileId],
        plan: &Plan,
        known: &'k Known,
    ) -> Vec<(&'k str, String)> {
        let moves = plan.moves.iter().map(|moved| (&moved.id, moved.to.path()));
        let renamed = plan.renamed.iter().map(|(id, path)| (id, path.as_str()));
        let over = moves.chain(renamed).filter_map(|(id, path)| {
            let row = known
                .files
                .get(path)
                .filter(|row| absorbed.contains(&row.id))?;
            let new = known.files.values().find(|new| new.id == *id)?;
            let is_same_sound = row.audio_md5.is_some() && row.audio_md5 == new.audio_md5;
            (!is_same_sound).then_some((row, new.hash.as_deref().unwrap_or_default()))
        });
        over.filter_map(|(row, hash)| {
            let message = self.edits_left(&row.id, &row.path, hash)?;
            Some((row.path.as_str(), message))
        })
        .collect()
    }

    /// Hashes, hears and records every new or changed file; one transaction each.
    fn take_in_all(&self, tasks: &mut [Task]) {
        // A long file begun last would keep one worker busy while the others idle.
        let bytes: u64 = tasks.iter().map(|task| task.file.size()).sum();
        let long = bytes / (8 * self.terms.jobs.max(1) as u64);
        tasks.sort_by_key(|task| std::cmp::Reverse(task.file.size().max(long)));
        let folders = Folders::of(tasks);
        for_each(self.terms.under_way, tasks, self.cancel, |worker, task| {
            if self.lost.get().is_some() {
                return;
            }
            let failed = self.take_in_one(worker, task);
            self.progress.finished(worker, task.file.size(), failed);
            // In a part of a folder more may come from it.
            if let Some(folder) = folders.finished(task).filter(|_| self.terms.is_one_plan) {
                (self.tell)(&Event::FolderTakenIn { folder });
            }
        });
    }

    /// Returns whether the file failed.
    fn take_in_one(&self, worker: usize, task: &Task) -> bool {
        let worker = Worker {
            session: &self.session,
            progress: self.progress,
            number: worker,
        };
        let (id, path) = (task.id.as_ref(), task.file.path());
        let recall = |names: &[&str]| former::load(self.library.db(), id, path, names);
        let taken = hear_guarded(self.hearing, task, &recall, worker);
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
            Ok(Taken::Digested { id, audio }) => self.record_digest(id, audio),
            Ok(Taken::Failed(not_audio)) => Err(not_audio),
            Err(error) => Err(self.database_fault(error)),
        };
        let result = outcome.map_err(|Rejected { fault, misleading }| {
            // Once the database is lost, the run ends with the reason, which is no file's.
            if self.is_lost() {
                return fault;
            }
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
}
