//! Whose archives lie in a local folder that several runs share: their names say nothing about a run, so the books of each
//! run decide.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use blob::Key;

use crate::catalogue::Catalogue;
use crate::catalogue::stored;
use crate::error::Error;
use crate::run::{CONFIG, Run, SessionLock};
use crate::sync::Storage;
use crate::sync::owner::stores_in;

/// Other runs that store in the same local folder. While this exists none of them can be worked on.
pub(super) struct Others {
    runs: Vec<Other>,
    _locks: Vec<SessionLock>,
}

struct Other {
    name: String,
    catalogue: Catalogue,
}

impl Others {
    /// Those of `run`; none where the names of archives begin with that of their run.
    ///
    /// # Errors
    ///
    /// [`Error::Shared`] for a run whose books cannot be asked.
    pub(super) fn of(run: &Run, storage: &Storage) -> Result<Self, Error> {
        let (mut runs, mut locks) = (Vec::new(), Vec::new());
        let output = run.directory().parent().unwrap_or(Path::new(""));
        let Some(base) = storage.base() else {
            return Ok(Self {
                runs,
                _locks: locks,
            });
        };
        let mut names = names_in(base);
        names.extend(names_beside(output, base));
        names.remove(&run.config().run_name);
        for name in names {
            let shared = |error: &dyn std::fmt::Display| Error::Shared {
                folder: base.to_owned(),
                run: name.clone(),
                reason: error.to_string(),
            };
            let other = Run::open(output, &name).map_err(|error| shared(&error))?;
            locks.push(other.lock().map_err(|error| shared(&error))?);
            let catalogue = match Catalogue::of_run_to_read(&other) {
                // It has collected nothing, so it has stored nothing.
                Err(Error::NoDatabase { .. }) => continue,
                opened => opened.map_err(|error| shared(&error))?,
            };
            runs.push(Other { name, catalogue });
        }
        Ok(Self {
            runs,
            _locks: locks,
        })
    }

    /// For each of these books, the run that has it as well, if any does.
    pub(super) fn owners(&self, barcodes: &[String]) -> Result<Vec<Option<&str>>, Error> {
        let mut owners = vec![None; barcodes.len()];
        for run in &self.runs {
            let held = stored::held(&run.catalogue, barcodes)?;
            for (owner, barcode) in owners.iter_mut().zip(barcodes) {
                if owner.is_none() && held.contains(barcode) {
                    *owner = Some(run.name.as_str());
                }
            }
        }
        Ok(owners)
    }
}

/// The book that an archive is of.
pub(super) fn barcode_of(key: &Key) -> Option<&str> {
    key.as_str().rsplit('/').next()?.strip_suffix(".tar.gz")
}

/// Runs of which there is something besides archives in a local folder.
fn names_in(base: &Path) -> BTreeSet<String> {
    let folders = ["full", "meta", "staging"].map(|room| base.join(room));
    folders
        .iter()
        .flat_map(|folder| folders_in(folder))
        .collect()
}

/// Runs in the folder `output` that are set to store in `base`.
fn names_beside(output: &Path, base: &Path) -> BTreeSet<String> {
    let mut names = folders_in(output);
    names.retain(|name| {
        if !output.join(name).join(CONFIG).exists() {
            return false;
        }
        // Settings that cannot be read may name this folder.
        Run::open(output, name).map_or(true, |run| stores_in(&run, base))
    });
    names
}

fn folders_in(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.path().is_dir());
    folders
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect()
}
