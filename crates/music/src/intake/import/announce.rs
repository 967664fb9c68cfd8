//! What an import says before it begins: what it found, and in a dry run what it would do.

use super::Chain;
use crate::error::{Error, Result};
use crate::event::{Change, Event};
use crate::intake::plan::{Extent, Plan};
use crate::library::known::Known;

impl Chain<'_> {
    /// Tells what is going to be done, and what cannot be.
    pub(super) fn announce(&self, plan: &Plan, known: &Known) -> Result<()> {
        let found = plan.found();
        let mut tally = self.tally();
        tally.files.found = found as u64;
        tally.files.missing = plan.missing.len() as u64;
        let moved: Vec<_> = plan
            .moves
            .iter()
            .filter(|m| m.from != m.to.path())
            .collect();
        tally.files.moved = moved.len() as u64;
        tally.files.unchanged = plan.unchanged as u64;
        drop(tally);
        (self.tell)(&Event::Planned {
            found,
            to_analyse: plan.tasks.len(),
            new: plan.tasks.iter().filter(|task| task.id.is_none()).count(),
            unchanged: plan.unchanged,
            duplicates: plan.copies.len(),
            moved: moved.len(),
            missing: plan.missing.len(),
        });
        for one in moved {
            (self.tell)(&Event::FileMoved {
                from: one.from.clone(),
                to: one.to.path().to_owned(),
            });
        }
        let nothing_there = found == 0 && !plan.missing.is_empty();
        if self.import.prune && nothing_there && !self.import.force {
            return Err(Error::PruneEverything {
                root: self.import.folder.clone(),
                known: known.files.len(),
            });
        }
        for row in &plan.missing {
            (self.tell)(&Event::FileMissing {
                path: row.path.clone(),
                pruned: self.import.prune && !self.import.dry_run,
            });
        }
        for problem in plan.known_problems.iter().chain(&plan.problems) {
            self.problem(problem.clone());
        }
        if self.import.dry_run {
            self.tell_plan(plan, known);
        }
        let bytes = plan.tasks.iter().map(|task| task.file.size()).sum();
        self.progress.expect(plan.tasks.len() as u64, bytes);
        Ok(())
    }

    /// Tells file by file what would be done.
    fn tell_plan(&self, plan: &Plan, known: &Known) {
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
