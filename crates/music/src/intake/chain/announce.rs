//! What a run says before it does anything: what it found, and in a dry run what it would do.

use std::path::Path;

use super::Chain;
use crate::event::{Change, Event};
use crate::intake::plan::{Extent, Plan};
use crate::library::known::Known;

impl Chain<'_> {
    /// Counts and tells what is going to be done, and what cannot be.
    pub(crate) fn announce(&self, plan: &Plan) {
        let moved: Vec<_> = plan
            .moves
            .iter()
            .filter(|m| m.from != m.to.path())
            .collect();
        let mut tally = self.tally();
        tally.files.found += plan.found() as u64;
        tally.files.missing += (plan.missing.len() + plan.elsewhere.len()) as u64;
        tally.files.moved += moved.len() as u64;
        tally.files.unchanged += plan.unchanged as u64;
        drop(tally);
        for one in moved {
            (self.tell)(&Event::FileMoved {
                from: one.from.clone(),
                to: one.to.path().to_owned(),
            });
        }
        let is_pruned = self.terms.prune && !self.terms.dry_run;
        let pruned = plan.missing.iter().map(|row| (row, is_pruned));
        for (row, pruned) in pruned.chain(plan.elsewhere.iter().map(|row| (row, false))) {
            (self.tell)(&Event::FileMissing {
                path: row.path.clone(),
                pruned,
            });
        }
        for problem in plan.known_problems.iter().chain(&plan.problems) {
            self.problem(problem.clone());
        }
    }

    /// The root folder of the library.
    pub(crate) fn root(&self) -> &Path {
        self.library.root()
    }

    /// Takes note that what is missing may lie on a disk that is not mounted.
    pub(crate) fn may_be_unmounted(&self) {
        self.tally().may_be_unmounted = true;
    }

    /// Whether the database was lost, so that nothing can be recorded any more.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.get().is_some()
    }

    /// Counts files that are as recorded and need no plan.
    pub(crate) fn found_unchanged(&self, files: u64) {
        let mut tally = self.tally();
        tally.files.found += files;
        tally.files.unchanged += files;
    }

    /// Counts files that are there and were not heard yet.
    pub(crate) fn found_unheard(&self, files: u64) {
        self.tally().files.found += files;
    }

    /// Counts and tells a record of a file that cannot be used; the library remembers nothing of it.
    pub(crate) fn unusable(&self, place: &str, record: &str, reason: &str) {
        let mut tally = self.tally();
        tally.files.found += 1;
        tally.files.failed += 1;
        drop(tally);
        (self.tell)(&Event::FileFailed {
            path: format!("{place}/{record}"),
            stage: "record",
            reason: reason.to_owned(),
            retry: run::Retry::Later,
        });
    }

    /// Tells file by file what would be done.
    pub(crate) fn tell_plan(&self, plan: &Plan, known: &Known) {
        for task in &plan.tasks {
            let known = known.files.get(task.file.path());
            (self.tell)(&Event::FilePlanned {
                path: task.file.path().to_owned(),
                change: match (task.extent, known) {
                    (Extent::Whole, None) => Change::New,
                    (Extent::Whole, Some(row)) if !row.looks_like(&task.file) => Change::Changed,
                    (Extent::Tags, _) => Change::Tags,
                    (Extent::Whole | Extent::Description | Extent::Digest, _) => Change::Again,
                },
                bytes: task.file.size(),
            });
        }
        for copy in &plan.copies {
            (self.tell)(&Event::FileDuplicate {
                path: copy.file.path().to_owned(),
                original: copy.original.clone(),
            });
        }
    }
}
