//! Decides what to do with each file before anything is done.
//!
//! Most files need nothing, and that must cost nothing: size and time are
//! compared, no file is opened. Only a new or changed file that has the very
//! size of another one may be its copy, or a known file under a new name; those
//! are hashed here, so that which copy is the original never depends on which
//! worker was faster.

mod sheets;
mod sounds;

use std::collections::{HashMap, HashSet};

use run::Cancel;

use crate::event::Event;
use crate::id::FileId;
use crate::intake::hash::ContentHash;
use crate::intake::hearing::Hearing;
use crate::intake::scan::{Refused, Scan};
use crate::library::known::{FileStatus, Known, KnownFile, Touched};
use crate::library::values::{Move, Problem, ScannedFile, common_names, folder_of, is_below};
use audio::decode::AudioMd5;
use sounds::{digest_where_sounds_may_meet, hash_where_sizes_meet, note_copies};

/// A file to be analysed.
#[derive(Debug)]
pub struct Task {
    /// The file.
    pub file: ScannedFile,
    /// The row it already has.
    pub id: Option<FileId>,
    /// Its content's name, where it had to be known beforehand.
    pub hash: Option<ContentHash>,
    /// The name of its sound, where that had to be known beforehand.
    pub audio_md5: Option<AudioMd5>,
    /// Audio files in its folder, itself among them.
    pub neighbours: usize,
    /// How much of it is to be done.
    pub extent: Extent,
    /// Where the same content lies as well: a cue sheet beside a copy is a cue sheet of the file.
    pub copies: Vec<ScannedFile>,
}

/// What there is to do with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// It is as recorded, but its passages are to be described anew.
    Description,
    /// Its sound is as recorded, but its tags, its container or its path are new.
    Tags,
    /// It is as recorded, but its sound has no name yet.
    Digest,
}

/// A file whose content is another one's.
#[derive(Debug)]
pub struct Copy {
    /// The copy.
    pub file: ScannedFile,
    /// The row it already has.
    pub id: Option<FileId>,
    /// The content both have.
    pub hash: ContentHash,
    /// Path of the original.
    pub original: String,
}

/// What an import is going to do.
#[derive(Debug, Default)]
pub struct Plan {
    /// Files whose content is as recorded, be it at a new path or with a new time.
    pub unchanged: usize,
    /// Files that could not be taken in before and have not changed since.
    pub known_problems: Vec<Problem>,
    /// Files that the scan refused, or that turned out to be no audio while planning.
    pub problems: Vec<Problem>,
    /// Known contents at new paths or with new times.
    pub moves: Vec<Move>,
    /// Rows whose path another content took over, or whose place a moved original took.
    pub absorbed: Vec<FileId>,
    /// Files to be analysed, in path order.
    pub tasks: Vec<Task>,
    /// Copies of files known or to be analysed, in path order.
    pub copies: Vec<Copy>,
    /// Rows whose files are gone, in path order.
    pub missing: Vec<KnownFile>,
}

/// What is planned for.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// The scanned folder in the library; empty for the root itself.
    pub folder: &'a str,
    /// The scan is all there is in the folder. Where it is a part, what it lacks may be there all the same.
    pub is_whole: bool,
    /// Analyse everything again.
    pub force: bool,
    /// Threads for hashing.
    pub jobs: usize,
    /// Tells what is in the files.
    pub(crate) hearing: &'a dyn Hearing,
    /// Asks the hashing to stop.
    pub cancel: &'a Cancel,
}

impl Scope<'_> {
    /// Whether the scan says what became of the file at a path.
    fn covers(&self, path: &str, present: &HashSet<String>) -> bool {
        is_below(path, self.folder) && (self.is_whole || present.contains(path))
    }
}

/// Plans an import of what `scan` found into a library that holds `known`.
pub fn plan(scan: Scan, known: &Known, scope: &Scope<'_>) -> Plan {
    let mut plan = Plan {
        problems: scan.refused.into_iter().map(refused).collect(),
        ..Plan::default()
    };
    let neighbours = neighbours(&scan.files);
    let present: HashSet<String> = scan.files.iter().map(|f| f.path().to_owned()).collect();
    let mut in_place = HashMap::new();
    let mut candidates = Vec::new();
    let (mut touched, mut resheeted) = (Vec::new(), HashSet::new());
    for file in scan.files {
        let row = known.files.get(file.path());
        let problem = known.problems.get(file.path());
        if let Some(problem) = problem.filter(|problem| problem.still_holds(&file) && !scope.force)
        {
            let id = row.map(|row| row.id.clone());
            let fault = problem.fault.clone();
            plan.known_problems
                .push(Problem::of(&file, id, fault, problem.misleading));
        } else if let Some(row) =
            row.filter(|row| row.is_settled() && row.looks_like(&file) && !scope.force)
        {
            match row.touched(&file, || scope.hearing.tags_digest(&file)) {
                Touched::No => {}
                Touched::InVain => touched.push((row, file.clone())),
                Touched::Sheets => {
                    resheeted.extend(row.hash.clone());
                    touched.push((row, file.clone()));
                }
                Touched::Content => {
                    candidates.push(Candidate::new(file, Some(row)));
                    continue;
                }
            }
            let extent = match (row.is_described(), row.lacks_digest()) {
                (false, _) => Some(Extent::Description),
                (true, true) => Some(Extent::Digest),
                (true, false) => None,
            };
            plan.tasks
                .extend(extent.map(|extent| Task::again(&file, row, extent)));
            in_place.insert(file.path().to_owned(), file);
        } else {
            candidates.push(Candidate::new(file, row));
        }
    }
    plan.hear_under_new_sheets(known, &in_place, &resheeted, &neighbours);
    plan.unchanged = in_place.len() - plan.tasks.len();
    plan.moves
        .extend(touched.into_iter().map(|(row, file)| Move {
            id: row.id.clone(),
            from: row.path.clone(),
            to: file,
        }));
    let candidates = hash_where_sizes_meet(candidates, known, scope, &mut plan);
    let gone = gone(known, scope, &present, &scan.unreadable);
    let mut candidates = digest_where_sounds_may_meet(candidates, &gone, scope, &mut plan);
    note_copies(&mut candidates, known, &in_place);

    let mut homes = Homes::find(known, (&present, &in_place), &gone, &candidates, scope);
    homes.move_into_copies(known, &in_place, &mut plan);
    // A row that already stands for a content stays its original.
    candidates.sort_by_key(|candidate| {
        (
            !candidate.stays_original(),
            !candidate.is_same_sound(),
            candidate.file.path().to_owned(),
        )
    });
    for candidate in candidates {
        let neighbours = neighbours.get(folder_of(candidate.file.path())).copied();
        homes.settle(candidate, neighbours.unwrap_or(1), scope.force, &mut plan);
    }
    homes.finish(&gone, &mut plan);
    plan.add_copies(known, &in_place);
    plan
}

impl Task {
    /// What is left to do with a file that is as recorded.
    fn again(file: &ScannedFile, row: &KnownFile, extent: Extent) -> Self {
        Self {
            file: file.clone(),
            id: Some(row.id.clone()),
            hash: None,
            audio_md5: None,
            neighbours: 1,
            extent,
            copies: Vec::new(),
        }
    }
}

/// Rows below the folder whose files are not there, though their folders could be listed; by path.
fn gone<'a>(
    known: &'a Known,
    scope: &Scope<'_>,
    present: &HashSet<String>,
    unreadable: &[String],
) -> Vec<&'a KnownFile> {
    let is_hidden = |row: &KnownFile| unreadable.iter().any(|folder| is_below(&row.path, folder));
    let mut gone: Vec<&KnownFile> = known
        .files
        .values()
        .filter(|row| is_below(&row.path, scope.folder) && !present.contains(&row.path))
        .filter(|row| !is_hidden(row))
        .filter(|row| scope.is_whole || !scope.hearing.is_there(&row.path))
        .collect();
    gone.sort_by(|a, b| a.path.cmp(&b.path));
    gone
}

impl Plan {
    /// What is going to be done, as it is told.
    pub(crate) fn told(&self) -> Event {
        let moved = self.moves.iter().filter(|m| m.from != m.to.path());
        Event::Planned {
            found: self.found(),
            to_analyse: self.tasks.len(),
            new: self.tasks.iter().filter(|task| task.id.is_none()).count(),
            unchanged: self.unchanged,
            duplicates: self.copies.len(),
            moved: moved.count(),
            missing: self.missing.len(),
        }
    }

    /// Files that look like audio, whatever is to become of them.
    pub fn found(&self) -> usize {
        self.unchanged
            + self.known_problems.len()
            + self.problems.len()
            + self.tasks.len()
            + self.copies.len()
    }
}

fn refused(refused: Refused) -> Problem {
    Problem {
        path: refused.path,
        size: 0,
        modified_ns: 0,
        id: None,
        fault: refused.fault,
        misleading: refused.misleading,
    }
}

/// A new or changed file while its fate is open.
struct Candidate<'a> {
    file: ScannedFile,
    row: Option<&'a KnownFile>,
    hash: Option<ContentHash>,
    audio_md5: Option<AudioMd5>,
    /// Files that are copies of what its row stands for are still in place: one of them takes the row over.
    has_copies: bool,
}

impl<'a> Candidate<'a> {
    fn new(file: ScannedFile, row: Option<&'a KnownFile>) -> Self {
        Self {
            file,
            row,
            hash: None,
            audio_md5: None,
            has_copies: false,
        }
    }

    /// Whether its row's sound is still what lies here, with other tags or in another container.
    fn is_same_sound(&self) -> bool {
        !self.is_same_content()
            && !self.has_copies
            && self
                .row
                .is_some_and(|row| row.stands_for_sound(self.audio_md5))
    }

    /// Whether its row's content is still what lies here.
    fn is_same_content(&self) -> bool {
        match (self.row, &self.hash) {
            (Some(row), Some(hash)) => row.hash.as_deref() == Some(hash.as_str()),
            _ => false,
        }
    }

    fn stays_original(&self) -> bool {
        self.is_same_content() && self.row.is_some_and(KnownFile::is_original)
    }

    /// Whether its row's content is certainly no longer here.
    fn is_overwritten(&self) -> bool {
        if self.is_same_sound() {
            return false;
        }
        let other_size = self
            .row
            .and_then(KnownFile::size)
            .is_some_and(|size| size != self.file.size());
        other_size || (self.hash.is_some() && !self.is_same_content())
    }
}

/// Which content lives where.
struct Homes<'a> {
    /// Paths of the originals in place, or to come, by hash.
    originals: HashMap<String, String>,
    /// Originals whose content no longer lies at their path, by hash.
    homeless: HashMap<&'a str, Vec<&'a KnownFile>>,
    /// The same, by their sounds.
    homeless_sounds: HashMap<AudioMd5, Vec<&'a KnownFile>>,
    /// Rows that got a new path.
    claimed: HashSet<FileId>,
    /// Rows whose path another row's content has moved to.
    evicted: Vec<FileId>,
}

impl<'a> Homes<'a> {
    fn find(
        known: &'a Known,
        (present, in_place): (&HashSet<String>, &HashMap<String, ScannedFile>),
        gone: &[&'a KnownFile],
        candidates: &[Candidate<'a>],
        scope: &Scope<'_>,
    ) -> Self {
        let asked: HashSet<&str> = candidates
            .iter()
            .filter_map(|c| c.hash.as_ref())
            .map(ContentHash::as_str)
            .collect();
        let heard: HashSet<AudioMd5> = candidates.iter().filter_map(|c| c.audio_md5).collect();
        let is_asked = |row: &&KnownFile| {
            row.hash.as_deref().is_some_and(|hash| asked.contains(hash))
                || row.audio_md5.is_some_and(|md5| heard.contains(&md5))
        };
        let elsewhere = known
            .files
            .values()
            .filter(|row| !scope.covers(&row.path, present))
            .filter(is_asked);
        let (there, lost): (Vec<_>, Vec<_>) =
            elsewhere.partition(|row| scope.hearing.is_there(&row.path));
        let touched = candidates
            .iter()
            .filter(|c| c.is_same_content())
            .filter_map(|c| c.row);
        let settled = known
            .files
            .values()
            .filter(|row| in_place.contains_key(&row.path));
        let mut originals = HashMap::new();
        for row in settled.chain(there).chain(touched) {
            if let (true, Some(hash)) = (row.is_original(), &row.hash) {
                originals.insert(hash.clone(), row.path.clone());
            }
        }
        let overwritten = candidates
            .iter()
            .filter(|c| c.is_overwritten())
            .filter_map(|c| c.row);
        let mut homeless: HashMap<&str, Vec<&KnownFile>> = HashMap::new();
        let mut homeless_sounds: HashMap<AudioMd5, Vec<&KnownFile>> = HashMap::new();
        for row in gone.iter().copied().chain(lost).chain(overwritten) {
            if let (true, Some(hash)) = (row.is_original(), &row.hash) {
                homeless.entry(hash).or_default().push(row);
            }
            if let Some(md5) = row.audio_md5.filter(|md5| row.stands_for_sound(Some(*md5))) {
                homeless_sounds.entry(md5).or_default().push(row);
            }
        }
        Self {
            originals,
            homeless,
            homeless_sounds,
            claimed: HashSet::new(),
            evicted: Vec::new(),
        }
    }

    /// An original that is gone lives on in a copy that is still there.
    fn move_into_copies(
        &mut self,
        known: &Known,
        in_place: &HashMap<String, ScannedFile>,
        plan: &mut Plan,
    ) {
        let mut copies: Vec<&KnownFile> = known
            .files
            .values()
            .filter(|row| row.status == FileStatus::Duplicate && in_place.contains_key(&row.path))
            .collect();
        copies.sort_by(|a, b| a.path.cmp(&b.path));
        for copy in copies {
            let hash = copy.hash.as_deref().unwrap_or_default();
            if !self.originals.contains_key(hash)
                && let Some(row) = self.claim(hash)
            {
                self.originals.insert(hash.to_owned(), copy.path.clone());
                self.evicted.push(copy.id.clone());
                plan.moves.push(Move {
                    id: row.id.clone(),
                    from: row.path.clone(),
                    to: in_place[&copy.path].clone(),
                });
            }
        }
    }

    fn settle(
        &mut self,
        candidate: Candidate<'a>,
        neighbours: usize,
        force: bool,
        plan: &mut Plan,
    ) {
        let same_content = candidate.is_same_content();
        let same_sound = candidate.is_same_sound();
        let Candidate {
            file,
            row,
            hash,
            audio_md5,
            ..
        } = candidate;
        let path = file.path().to_owned();
        let id = row.map(|row| row.id.clone());
        if let Some(row) = row.filter(|row| same_content && row.is_settled() && !force) {
            plan.unchanged += 1;
            plan.moves.push(Move {
                id: row.id.clone(),
                from: row.path.clone(),
                to: file,
            });
            return;
        }
        if let Some(hash) = &hash {
            let original = self
                .originals
                .get(hash.as_str())
                .filter(|original| **original != path);
            if let Some(original) = original.cloned() {
                plan.copies.push(Copy {
                    file,
                    id,
                    hash: hash.clone(),
                    original,
                });
                return;
            }
            self.originals.insert(hash.as_str().to_owned(), path);
            if let Some(moved) = self.claim(hash.as_str()) {
                self.evicted.extend(id.filter(|id| *id != moved.id));
                plan.unchanged += 1;
                plan.moves.push(Move {
                    id: moved.id.clone(),
                    from: moved.path.clone(),
                    to: file,
                });
                return;
            }
        }
        let own = row.filter(|row| same_sound && !self.claimed.contains(&row.id));
        let known_by_sound = match own {
            Some(row) => {
                self.claimed.insert(row.id.clone());
                Some(row)
            }
            None => audio_md5
                .filter(|_| !force)
                .and_then(|md5| self.claim_sound(md5, file.path())),
        };
        let extent = match known_by_sound {
            Some(known) => {
                self.evicted.extend(id.clone().filter(|id| *id != known.id));
                Extent::Tags
            }
            None => Extent::Whole,
        };
        plan.tasks.push(Task {
            file,
            id: known_by_sound.map(|known| known.id.clone()).or(id),
            hash,
            audio_md5,
            neighbours,
            extent,
            copies: Vec::new(),
        });
    }

    fn claim(&mut self, hash: &str) -> Option<&'a KnownFile> {
        let rows = self.homeless.get_mut(hash)?;
        let row = std::iter::from_fn(|| rows.pop()).find(|row| !self.claimed.contains(&row.id))?;
        self.claimed.insert(row.id.clone());
        Some(row)
    }

    /// A row of this sound whose file is gone: of several, the one that was called most like `path`.
    fn claim_sound(&mut self, sound: AudioMd5, path: &str) -> Option<&'a KnownFile> {
        let rows = self.homeless_sounds.get_mut(&sound)?;
        rows.retain(|row| !self.claimed.contains(&row.id));
        let common = |row: &KnownFile| common_names(&row.path, path, |one, other| one == other);
        let at = (0..rows.len()).max_by_key(|at| common(rows[*at]))?;
        let row = rows.remove(at);
        self.claimed.insert(row.id.clone());
        Some(row)
    }

    fn finish(self, gone: &[&KnownFile], plan: &mut Plan) {
        let claimed = self.claimed;
        plan.absorbed = self
            .evicted
            .into_iter()
            .filter(|id| !claimed.contains(id))
            .collect();
        // A row that was claimed is another file's now; only that file's own task keeps it.
        for task in plan
            .tasks
            .iter_mut()
            .filter(|task| task.extent != Extent::Tags)
        {
            task.id = task.id.take().filter(|id| !claimed.contains(id));
        }
        for copy in &mut plan.copies {
            copy.id = copy.id.take().filter(|id| !claimed.contains(id));
        }
        plan.tasks.sort_by(|a, b| a.file.path().cmp(b.file.path()));
        plan.copies.sort_by(|a, b| a.file.path().cmp(b.file.path()));
        plan.missing = gone
            .iter()
            .filter(|row| !claimed.contains(&row.id))
            .map(|row| (*row).clone())
            .collect();
    }
}

fn neighbours(files: &[ScannedFile]) -> HashMap<String, usize> {
    let mut neighbours: HashMap<String, usize> = HashMap::new();
    for file in files {
        *neighbours
            .entry(folder_of(file.path()).to_owned())
            .or_default() += 1;
    }
    neighbours
}
