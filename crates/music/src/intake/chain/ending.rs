//! What a run tells and keeps when things go wrong, and when it is over.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};

use run::Usage;
use sqlite::Db;

use super::{Chain, Tally};
use crate::error::{Error, Result};
use crate::event::Group;
use crate::event::{Completed, Event, FileCounts};
use crate::id::FileId;
use crate::intake::plan::Plan;
use crate::intake::scan::left_out::{self, LeftOut};
use crate::library::known::Known;
use crate::library::record::{self, RunEnd, SessionRecord};
use crate::library::values::{Problem, is_below};

/// Where known files are once the plan's moves are done.
pub(super) fn homes(plan: &Plan, known: &Known) -> HashMap<String, FileId> {
    let stay = known
        .files
        .values()
        .map(|row| (row.path.clone(), row.id.clone()));
    let moved = plan
        .moves
        .iter()
        .map(|m| (m.to.path().to_owned(), m.id.clone()));
    stay.chain(moved).collect()
}

/// Problems of the last time whose files are not there any more.
pub(crate) fn solved(plan: &Plan, known: &Known, folder: &str) -> Vec<String> {
    let present: HashSet<&str> = plan
        .tasks
        .iter()
        .map(|task| task.file.path())
        .chain(plan.copies.iter().map(|copy| copy.file.path()))
        .chain(
            plan.known_problems
                .iter()
                .chain(&plan.problems)
                .map(|problem| problem.path.as_str()),
        )
        .collect();
    let mut solved: Vec<_> = known
        .problems
        .keys()
        .filter(|path| is_below(path, folder) && !present.contains(path.as_str()))
        .cloned()
        .collect();
    solved.sort();
    solved
}

fn not_reached(files: &FileCounts) -> u64 {
    let reached = files.recorded
        + files.unchanged
        + files.duplicate
        + files.no_audio
        + files.failed
        + files.misleading;
    files.found.saturating_sub(reached)
}

/// Files by what became of them, as JSON, and what was left out, by reason.
fn counts(files: &FileCounts, left_out: &[Group]) -> String {
    let mut counts = serde_json::to_value(files).expect("counts are numbers");
    if !left_out.is_empty() {
        counts["left_out"] = serde_json::to_value(left_out).expect("groups are words and numbers");
    }
    counts.to_string()
}

impl Chain<'_> {
    /// Problems of the last time that the run's end takes away.
    pub(crate) fn will_solve(&self, solved: Vec<String>) {
        self.tally().solved = solved;
    }

    /// Tells what could be audio and is not looked at, a line for each reason.
    pub(crate) fn tell_left_out(&self, left_out: &[LeftOut]) {
        let groups = left_out::groups(left_out);
        for group in &groups {
            (self.tell)(&Event::LeftOut {
                group: group.clone(),
                reason: group.why.words(),
            });
        }
        self.tally().left_out = groups;
    }

    pub(crate) fn warn(&self, path: Option<&str>, message: String) {
        (self.tell)(&Event::Warning {
            path: path.map(str::to_owned),
            message,
        });
    }

    /// Counts, tells and remembers a file that could not be taken in.
    pub(super) fn problem(&self, problem: Problem) {
        let path = problem.path.clone();
        let fault = problem.fault.clone();
        let event = if problem.misleading {
            Event::FileMisleading {
                path,
                reason: fault.reason,
            }
        } else {
            Event::FileFailed {
                path,
                stage: fault.stage,
                reason: fault.reason,
                retry: fault.retry,
            }
        };
        let mut tally = self.tally();
        if problem.misleading {
            tally.files.misleading += 1;
        } else {
            tally.files.failed += 1;
        }
        tally.problems.push(problem);
        drop(tally);
        (self.tell)(&event);
    }

    /// The tally; a worker that panicked left it whole, since it is changed in single steps.
    pub(super) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes one unit of work; the last one carries the run's end with it, so
    /// that a run takes no write lock but those of its files.
    pub(super) fn write_last_with_the_end<T>(
        &self,
        write: impl FnOnce(&Db, Option<RunEnd>) -> Result<T>,
    ) -> Result<T> {
        let is_last =
            self.left.load(Ordering::Relaxed) > 0 && self.left.fetch_sub(1, Ordering::Relaxed) == 1;
        let end = is_last.then(|| self.run_end());
        let kept = end.as_ref().map(|end| end.problems.len());
        let written = write(self.library.db(), end);
        match (&written, kept) {
            (Ok(_), Some(kept)) => {
                let mut tally = self.tally();
                tally.problems.drain(..kept);
                tally.ended = true;
            }
            // Whoever calls takes a failed unit off what is left, as if it had never come to its write.
            (Err(_), _) => {
                self.left.fetch_add(1, Ordering::Relaxed);
            }
            _ => {}
        }
        written
    }

    /// Keeps the run and its problems, if no file's write has carried them.
    ///
    /// # Errors
    ///
    /// When the database was lost on the way, or is now.
    pub(crate) fn end(&self) -> Result<()> {
        if let Some(lost) = self.lost.get() {
            return Err(lost.clone().into());
        }
        let tally = self.tally();
        if tally.ended && tally.problems.is_empty() {
            return Ok(());
        }
        drop(tally);
        match record::end_run(self.library.db(), self.run_end()) {
            // Whoever asked to stop is not kept waiting for the sake of a summary.
            Err(Error::Database(locked @ sqlite::Error::Locked { .. }))
                if self.cancel.is_requested() =>
            {
                self.warn(None, locked.to_string());
                Ok(())
            }
            ended => ended,
        }
    }

    /// The run and its problems, as they stand.
    pub(super) fn run_end(&self) -> RunEnd {
        let tally = self.tally();
        let (problems, solved, files) = (tally.problems.clone(), tally.solved.clone(), tally.files);
        let left_out = tally.left_out.clone();
        drop(tally);
        let stopped = self.cancel.is_requested();
        let done = files.found - not_reached(&files);
        let session = SessionRecord {
            id: self.session.clone(),
            state: if stopped { "CANCELLED" } else { "COMPLETED" },
            root: self.library.root().display().to_string(),
            parameters: self.terms.parameters.to_string(),
            done,
            total: files.found,
            operation: format!("{} files recorded, {} failed", files.recorded, files.failed),
            counts: counts(&files, &left_out),
            started_at: self.started_at.clone(),
        };
        RunEnd {
            session,
            problems,
            solved,
        }
    }

    /// How it went.
    pub(crate) fn completed(&self) -> Completed {
        let tally = self.tally();
        let mut files = tally.files;
        let left_out = tally.left_out.clone();
        files.not_reached = not_reached(&files);
        Completed {
            state: match (self.terms.dry_run, self.cancel.is_requested()) {
                (_, true) => "stopped",
                (true, false) => "planned",
                (false, false) => "completed",
            },
            left_out,
            may_be_unmounted: tally.may_be_unmounted,
            files,
            passages: tally.passages,
            audio_seconds: tally.audio_seconds,
            usage: Usage::since(self.started),
            writes: self.library.db().report(),
        }
    }
}
