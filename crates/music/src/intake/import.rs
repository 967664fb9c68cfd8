//! The chain: a folder goes in, rows come out.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use run::{Cancel, Progress};

use crate::error::{Error, Result};
use crate::event::{Completed, Event};
use crate::id::{FileId, PassageId, SessionId};
use crate::intake::chain::{Chain, Terms, solved};
use crate::intake::hearing::{Hearing, OnDisk, Worker};
use crate::intake::only::Only;
use crate::intake::plan::{Extent, Plan, Scope, Task, is_as_recorded, plan};
use crate::intake::recognise::Rejected;
use crate::intake::scan::{Scan, file_at, scan};
use crate::intake::take_in::{Taken, claim_back};
use crate::library::Library;
use crate::library::former;
use crate::library::known::Known;
use crate::library::record;
use crate::library::settings::Settings;
use crate::library::values::{is_below, name_of};

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
    /// What its row in `import_sessions` is called; none for a new name.
    pub session: Option<SessionId>,
    /// Which files of the folder are looked at; none for all.
    pub only: Option<Only>,
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
    let hearing = OnDisk::new(library.root(), library.settings());
    let chain = Chain::new(
        library,
        &hearing,
        import.terms(library.settings()),
        cancel,
        progress,
        tell,
    );
    let folder = library_folder(library.root(), &import.folder)?;
    progress.phase("scan");
    let mut scan = scan(library.root(), &import.folder, cancel)?;
    let only = import.only.as_ref().filter(|only| !only.is_all());
    if let Some(only) = only {
        only.of(&mut scan, &folder);
    }
    chain.tell_left_out(&scan.left_out);
    progress.phase("plan");
    let scope = Scope {
        folder: &folder,
        is_whole: only.is_none(),
        force: import.force,
        jobs: import.jobs,
        hearing: &hearing,
        cancel,
    };
    let known = known_for(library, &scan, &scope)?;
    let mut plan = plan(scan, &known, &scope);
    if cancel.is_requested() {
        // What was not looked at any more is neither gone nor moved.
        plan.missing.clear();
        plan.moves.clear();
    }
    tell(&plan.told());
    refuse_to_prune_everything(import, &plan, &known)?;
    if import.prune && !folder.is_empty() && !plan.missing.is_empty() {
        for (gone, new) in
            keep_what_may_be_elsewhere(library.root(), &folder, &mut plan, &known, cancel)?
        {
            let message = format!(
                "not pruned: the new file `{new}` may be it; an import of the whole library tells"
            );
            chain.warn(Some(&gone), message);
        }
    }
    chain.announce(&plan);
    if import.dry_run {
        chain.tell_plan(&plan, &known);
    }
    let bytes = plan.tasks.iter().map(|task| task.file.size()).sum();
    progress.expect(plan.tasks.len() as u64, bytes);
    if !import.dry_run && !cancel.is_requested() {
        chain.will_solve(solved(&plan, &known, &folder));
        chain.carry_out(plan, &known)?;
        chain.end()?;
    }
    Ok(chain.completed())
}

/// What has to be known for a plan: everything, since files come from everywhere in the library; but of a folder in which
/// all is as recorded, no more than its own rows, so that looking for news costs what the folder does.
fn known_for(library: &Library, scan: &Scan, scope: &Scope<'_>) -> Result<Known> {
    if !scope.folder.is_empty() && !scope.force {
        let below = Known::below(library.db(), scope.folder)?;
        if is_as_recorded(scan, &below, scope) {
            return Ok(below);
        }
    }
    Known::load(library.db())
}

impl Import {
    /// As its row in `import_sessions` has them.
    fn parameters(&self, settings: &Settings) -> serde_json::Value {
        let mut parameters = serde_json::json!({
            "folder": self.folder.display().to_string(),
            "jobs": self.jobs,
            "force": self.force,
            "prune": self.prune,
            "heard_with": settings.heard_with,
        });
        if let Some(only) = &self.only {
            parameters["only"] = serde_json::json!(only);
        }
        parameters
    }

    fn terms(&self, settings: &Settings) -> Terms {
        Terms {
            phase: "import",
            jobs: self.jobs,
            under_way: self.jobs,
            prune: self.prune,
            dry_run: self.dry_run,
            is_one_plan: true,
            session: self.session.clone().unwrap_or_else(SessionId::random),
            parameters: self.parameters(settings),
        }
    }
}

/// An empty folder where there were files is more often a disk that is not mounted.
fn refuse_to_prune_everything(import: &Import, plan: &Plan, known: &Known) -> Result<()> {
    let nothing_there = plan.found() == 0 && !plan.missing.is_empty();
    if import.prune && nothing_there && !import.force {
        return Err(Error::PruneEverything {
            root: import.folder.clone(),
            known: known.files.len(),
        });
    }
    Ok(())
}

/// Keeps the rows of a part of the library whose files may have moved out of it: elsewhere lies a file that the library
/// does not know, of the same size or the same name. Returns the paths of both.
fn keep_what_may_be_elsewhere(
    root: &Path,
    folder: &str,
    plan: &mut Plan,
    known: &Known,
    cancel: &Cancel,
) -> Result<Vec<(String, String)>> {
    let everything = scan(root, root, cancel)?.files;
    let new = everything
        .iter()
        .filter(|file| !is_below(file.path(), folder) && !known.files.contains_key(file.path()));
    let (mut sizes, mut names) = (HashMap::new(), HashMap::new());
    for file in new {
        sizes.insert(file.size(), file.path());
        names.insert(name_of(file.path()), file.path());
    }
    let (mut missing, mut told) = (Vec::new(), Vec::new());
    for row in std::mem::take(&mut plan.missing) {
        let by_size = row.size().and_then(|size| sizes.get(&size));
        match by_size.or_else(|| names.get(name_of(&row.path))) {
            Some(new) => {
                told.push((row.path.clone(), (*new).to_owned()));
                plan.elsewhere.push(row);
            }
            None => missing.push(row),
        }
    }
    plan.missing = missing;
    Ok(told)
}

/// How often a file is heard whose cut a person changes each time it is heard; then the next import does it. A guess: two
/// are what a person can do on purpose.
const MOST_HEARINGS: usize = 3;

/// Hears one file of the library again and records it, without anything else of an import. Where a person's cut
/// `is_taken_back`, passages get the ids back that they had before it, as far as those are still there. Another sound in the
/// file's place is left to the next import, which tells what that means for what was said.
pub(crate) fn take_in_again(
    library: &Library,
    path: &str,
    id: &FileId,
    is_taken_back: bool,
) -> Result<()> {
    let progress = &Progress::new(1);
    let unheard = |reason: String| Error::Unheard {
        path: path.to_owned(),
        reason,
    };
    let file = file_at(library.root(), path).map_err(|error| unheard(error.to_string()))?;
    let task = Task {
        file,
        id: Some(id.clone()),
        hash: None,
        audio: None,
        neighbours: 1,
        extent: Extent::Whole,
        copies: Vec::new(),
    };
    progress.phase("import");
    let failed = |rejected: Rejected| unheard(rejected.fault.reason);
    let worker = Worker {
        session: &SessionId::random(),
        progress,
        number: 0,
    };
    let recall = |names: &[&str]| former::load(library.db(), Some(id), path, names);
    let hearing = OnDisk::new(library.root(), library.settings());
    for _ in 0..MOST_HEARINGS {
        match hearing.take_in(&task, &recall, worker)? {
            Taken::Record { mut record, .. } => {
                let former = || former::load(library.db(), Some(id), path, &[]);
                if !record.is_same_sound && former()?.knows_sound() {
                    return Err(unheard(
                        "its audio is not what it was, which an import is to take in first"
                            .to_owned(),
                    ));
                }
                if is_taken_back {
                    let mut former = former()?.passages;
                    for passage in &mut record.passages {
                        passage.id = claim_back(&mut former, passage.start, passage.end)
                            .unwrap_or_else(PassageId::random);
                    }
                }
                if !record::record_file(library.db(), *record, None)?.is_outdated {
                    break;
                }
            }
            Taken::Failed(rejected) => return Err(failed(rejected)),
            Taken::Described(_) | Taken::Retagged { .. } | Taken::Digested { .. } => break,
        }
    }
    Ok(())
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
