//! Counts down the files of each folder, so that somebody can be told when one is taken in.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::intake::plan::Task;
use crate::library::values::folder_of;

/// Files that are left to do, by the folder they lie in.
#[derive(Debug)]
pub(super) struct Folders(Mutex<HashMap<String, usize>>);

impl Folders {
    /// Those of `tasks`.
    pub(super) fn of(tasks: &[Task]) -> Self {
        let mut left = HashMap::new();
        for task in tasks {
            *left
                .entry(folder_of(task.file.path()).to_owned())
                .or_default() += 1;
        }
        Self(Mutex::new(left))
    }

    /// A file is done, well or not. Its folder if that was the last one there.
    pub(super) fn finished(&self, task: &Task) -> Option<String> {
        let folder = folder_of(task.file.path());
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = left.get_mut(folder)?;
        *count -= 1;
        if *count > 0 {
            return None;
        }
        left.remove_entry(folder).map(|(folder, _)| folder)
    }
}
