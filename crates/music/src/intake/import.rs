//! The chain: a folder goes in, rows come out.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use run::{Cancel, Progress};

use crate::error::{Error, Result};
use crate::event::{Completed, Event};
use crate::id::{FileId, PassageId, SessionId};
use crate::intake::at_work::AtWork;
use crate::intake::chain::{Chain, Terms, solved};
use crate::intake::hearing::{Hearing, OnDisk, Worker};
use crate::intake::only::Only;
use crate::intake::plan::{Extent, Plan, Scope, Task, is_as_recorded, plan};
use crate::intake::recognise::{self, Rejected};
use crate::intake::scan::{Scan, file_at, scan};
use crate::intake::take_in::{Taken, claim_back};
use crate::library::Library;
use crate::library::former;
use crate::library::known::{Known, KnownFile};
use crate::library::query;
use crate::library::record;
use crate::library::settings::Settings;
use crate::library::values::{Problem, is_below, name_of};

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
    let _at_work = (!import.dry_run).then(|| be_at_work(&chain, library));
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
    refuse_another_root(library, &known)?;
    let mut plan = plan(scan, &known, &scope);
    if import.dry_run {
        look_into(&mut plan, cancel);
    }
    if cancel.is_requested() {
        // What was not looked at any more is neither gone nor moved.
        plan.missing.clear();
        plan.moves.clear();
    }
    tell(&plan.told());
    check_pruning(&chain, import, &mut plan, &known, &folder)?;
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

/// Tells other imports of this one, and warns where there is one that does.
fn be_at_work(chain: &Chain<'_>, library: &Library) -> Option<AtWork> {
    let begun = AtWork::begin(library.path()).ok()?;
    if begun.is_none() {
        let message = "another import of this library is at work: files that neither has taken in yet are heard by both; it is \
                       quicker to let one of them end first";
        chain.warn(None, message.to_owned());
    }
    begun
}

/// Refuses to prune what is more likely on a disk that is not mounted, and takes note of that where nothing is pruned.
///
/// # Errors
///
/// [`Error::PruneEverything`].
fn check_pruning(
    chain: &Chain<'_>,
    import: &Import,
    plan: &mut Plan,
    known: &Known,
    folder: &str,
) -> Result<()> {
    let is_pruned = import.prune && !import.force;
    if let Err(refused) = prune_most(import, plan, known, folder) {
        if is_pruned {
            return Err(refused);
        }
        chain.may_be_unmounted();
    }
    if is_pruned {
        for (folder, rows) in keep_what_may_be_unmounted(chain.root(), plan) {
            let message = format!(
                "not pruned: {rows} of its files, since it is there and empty, as where a disk is not mounted; where they are gone, \
                 remove the folder"
            );
            chain.warn(Some(&folder), message);
        }
    }
    Ok(())
}

/// Puts files that are no audio, or cannot be read, among the problems, as hearing them would: by their first bytes.
fn look_into(plan: &mut Plan, cancel: &Cancel) {
    for task in std::mem::take(&mut plan.tasks) {
        let is_new = matches!(task.extent, Extent::Whole | Extent::Tags) && task.hash.is_none();
        let looked = if is_new && !cancel.is_requested() {
            recognise::is_audio(&task.file)
        } else {
            Ok(())
        };
        match looked {
            Ok(()) => plan.tasks.push(task),
            Err(Rejected { fault, misleading }) => {
                let problem = Problem::of(&task.file, task.id, fault, misleading);
                plan.problems.push(problem);
            }
        }
    }
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

/// Of a library no more than so many files may be gone at once where others are there: as many as a person loses track of.
/// A guess.
const FEW: usize = 10;

/// Even all files may be gone where they were no more than these, and others are there. A guess.
const HARDLY_ANY: usize = 2;

/// Whether files that are gone are more likely on a disk that is not mounted: `gone` of those `known`, and whether the
/// folder `is_empty`.
pub(crate) fn are_unmounted(gone: usize, known: usize, is_empty: bool) -> bool {
    let are_all = gone == known && gone > HARDLY_ANY;
    let are_most = gone > FEW && gone > known - gone;
    gone > 0 && (is_empty || are_all || are_most)
}

/// What is gone is more often on a disk that is not mounted.
fn prune_most(import: &Import, plan: &Plan, known: &Known, folder: &str) -> Result<()> {
    let (gone, paths) = (plan.missing.len(), known.files.keys());
    let known = paths.filter(|path| is_below(path, folder)).count();
    if are_unmounted(gone, known, plan.found() == 0) {
        return Err(Error::PruneEverything {
            root: import.folder.clone(),
            known,
            gone,
            by_force: true,
        });
    }
    Ok(())
}

/// Of a library that has a root folder already, another one that holds none of its files is another library's, as long as
/// they lie where they were. Folders in one another share their files.
fn refuse_another_root(library: &Library, known: &Known) -> Result<()> {
    let Some(root) = query::last_root(library.db())?.map(PathBuf::from) else {
        return Ok(());
    };
    let folder = library.root();
    let share = root.starts_with(folder) || folder.starts_with(&root);
    let are_in = |place: &Path| known.files.keys().any(|path| place.join(path).exists());
    if share || known.files.is_empty() || are_in(folder) || !are_in(&root) {
        return Ok(());
    }
    Err(Error::AnotherRoot {
        folder: folder.to_owned(),
        root,
        known: known.files.len(),
    })
}

/// Keeps the rows of files whose folder is there and empty, which is how the place of a disk looks that is not mounted; a
/// folder of one file is emptied by removing it. Those folders, and how many files each has lost.
fn keep_what_may_be_unmounted(root: &Path, plan: &mut Plan) -> BTreeMap<String, usize> {
    let empty_above = |row: &KnownFile| {
        let mut above = Path::new(&row.path).ancestors().skip(1);
        let folder = above.find(|folder| root.join(folder).is_dir())?;
        let mut entries = std::fs::read_dir(root.join(folder)).into_iter().flatten();
        let is_empty = folder != Path::new("") && entries.next().is_none();
        is_empty.then(|| folder.display().to_string())
    };
    let folders: Vec<Option<String>> = plan.missing.iter().map(empty_above).collect();
    let mut empty: BTreeMap<String, usize> = BTreeMap::new();
    for folder in folders.iter().flatten() {
        *empty.entry(folder.clone()).or_default() += 1;
    }
    empty.retain(|_, lost| *lost > 1);
    for (row, folder) in std::mem::take(&mut plan.missing).into_iter().zip(folders) {
        let is_kept = folder.is_some_and(|folder| empty.contains_key(&folder));
        let rows = if is_kept {
            &mut plan.elsewhere
        } else {
            &mut plan.missing
        };
        rows.push(row);
    }
    empty
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
