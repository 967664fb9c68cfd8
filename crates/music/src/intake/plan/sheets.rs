//! What cue sheets beside files and their copies, and tags edited behind the clock's back, mean for a plan.

use std::collections::{HashMap, HashSet};

use super::{Extent, Plan, Task};
use crate::intake::hash::ContentHash;
use crate::library::known::{FileStatus, Known};
use crate::library::values::ScannedFile;
use crate::library::values::folder_of;

impl Plan {
    /// Originals in place are heard again where the sheets beside them, or beside a copy, say something else now.
    pub(super) fn hear_under_new_sheets(
        &mut self,
        known: &Known,
        in_place: &HashMap<String, ScannedFile>,
        hashes: &HashSet<String>,
        neighbours: &HashMap<String, usize>,
    ) {
        if hashes.is_empty() {
            return;
        }
        for (path, file) in in_place {
            let Some(row) = known.files.get(path).filter(|row| row.is_original()) else {
                continue;
            };
            if !row.hash.as_ref().is_some_and(|hash| hashes.contains(hash)) {
                continue;
            }
            self.tasks.retain(|task| task.file.path() != path);
            self.tasks.push(Task {
                file: file.clone(),
                id: Some(row.id.clone()),
                hash: row.hash.as_deref().and_then(ContentHash::parse),
                audio: row.audio(),
                neighbours: neighbours.get(folder_of(path)).copied().unwrap_or(1),
                extent: Extent::Whole,
                copies: Vec::new(),
            });
        }
    }

    /// Tells each task where else its content lies.
    pub(super) fn add_copies(&mut self, known: &Known, in_place: &HashMap<String, ScannedFile>) {
        let mut copies: HashMap<&str, Vec<&ScannedFile>> = HashMap::new();
        for copy in &self.copies {
            copies
                .entry(copy.hash.as_str())
                .or_default()
                .push(&copy.file);
        }
        let duplicates = known
            .files
            .values()
            .filter(|row| row.status == FileStatus::Duplicate);
        for row in duplicates {
            if let (Some(file), Some(hash)) = (in_place.get(&row.path), &row.hash) {
                copies.entry(hash).or_default().push(file);
            }
        }
        for task in &mut self.tasks {
            let hash = task.hash.as_ref().map(ContentHash::as_str);
            let found = hash.and_then(|hash| copies.get(hash)).into_iter().flatten();
            task.copies = found.map(|file| (*file).clone()).collect();
            task.copies.sort_by(|a, b| a.path().cmp(b.path()));
        }
    }
}
