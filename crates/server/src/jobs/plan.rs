//! What an import of a folder would do, before anything is done.

use std::path::Path;
use std::sync::Mutex;

use music::{Event, Import, import};
use run::{Cancel, Progress};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::Refusal;
use crate::folder::Folder;
use crate::jobs::Jobs;

/// Files of one kind that are named. A guess: enough to tell what kind of files they are.
const EXAMPLES: usize = 5;

/// What an import would do. Numbers count files.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub(crate) struct Plan {
    /// The folder below the root folder; empty for the root folder itself.
    folder: String,
    /// They look like audio.
    found: u64,
    /// They would be heard for the first time.
    new: u64,
    /// They would be heard again, as they have changed.
    changed: u64,
    /// They are as recorded.
    unchanged: u64,
    /// Their content is another file's.
    duplicates: u64,
    /// They are known, and were found at a new path.
    moved: u64,
    /// They are known, and no longer there; their passages stay.
    gone: u64,
    /// What would not be taken in, by reason.
    left_out: Vec<LeftOut>,
    /// What a person should know before.
    warnings: Vec<String>,
}

/// What would not be taken in for one reason.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct LeftOut {
    reason: String,
    count: u64,
    /// The first of them, by path.
    examples: Vec<String>,
}

impl Jobs {
    /// What an import of `folder` would do now. Reads files where sizes meet, and writes nothing.
    pub(crate) fn plan(&self, folder: &Path, stop: &Cancel) -> Result<Plan, Refusal> {
        let folder = Folder::find(self.library.root(), folder)?;
        let dry_run = Import {
            only: None,
            session: None,
            folder: folder.absolute,
            jobs: self.workers,
            prune: false,
            dry_run: true,
            force: false,
        };
        let told = Mutex::new(Plan {
            folder: folder.below,
            ..Plan::default()
        });
        let progress = Progress::new(self.workers);
        import(&self.library, &dry_run, stop, &progress, &|event| {
            if let Ok(mut told) = told.lock() {
                told.hear(event);
            }
        })?;
        Ok(told.into_inner().unwrap_or_default())
    }
}

impl Plan {
    fn hear(&mut self, event: &Event) {
        match event {
            Event::Planned {
                found,
                to_analyse,
                new,
                unchanged,
                duplicates,
                moved,
                missing,
            } => {
                self.found = *found as u64;
                self.new = *new as u64;
                self.changed = to_analyse.saturating_sub(*new) as u64;
                self.unchanged = *unchanged as u64;
                self.duplicates = *duplicates as u64;
                self.moved = *moved as u64;
                self.gone = *missing as u64;
            }
            Event::LeftOut { group, reason } => self.left_out.push(LeftOut {
                reason: (*reason).to_owned(),
                count: group.count as u64,
                examples: group.examples.iter().take(EXAMPLES).cloned().collect(),
            }),
            Event::FileFailed { path, reason, .. }
            | Event::FileMisleading { path, reason }
            | Event::FileNoAudio { path, reason } => self.leave_out(reason, path),
            Event::Warning { message, .. } => self.warnings.push(message.clone()),
            _ => {}
        }
    }

    fn leave_out(&mut self, reason: &str, path: &str) {
        let known = self.left_out.iter_mut().find(|one| one.reason == reason);
        if let Some(known) = known {
            known.count += 1;
            if known.examples.len() < EXAMPLES {
                known.examples.push(path.to_owned());
            }
            return;
        }
        self.left_out.push(LeftOut {
            reason: reason.to_owned(),
            count: 1,
            examples: vec![path.to_owned()],
        });
    }
}
