//! Decides what to do with each file before anything is done.
//!
//! Most files need nothing, and that must cost nothing: size and time are
//! compared, no file is opened. Only a new or changed file that has the very
//! size of another one may be its copy, or a known file under a new name; those
//! are hashed here, so that which copy is the original never depends on which
//! worker was faster.

mod homes;
mod sheets;
mod sounds;

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use run::Cancel;

use crate::event::Event;
use crate::id::FileId;
use crate::intake::hash::ContentHash;
use crate::intake::hearing::Hearing;
use crate::intake::scan::{Refused, Scan};
use crate::library::known::{Known, KnownFile, Touched};
use crate::library::values::{Move, Problem, ScannedFile, folder_of, is_below};
use audio::decode::{AudioDigest, AudioMd5, AudioXxh3};
use homes::Homes;
use sounds::{digest_where_sounds_may_meet, hash_where_sizes_meet};

/// A file to be analysed.
#[derive(Debug)]
pub struct Task {
    /// The file.
    pub file: ScannedFile,
    /// The row it already has.
    pub id: Option<FileId>,
    /// Its content's name, where it had to be known beforehand.
    pub hash: Option<ContentHash>,
    /// The names of its sound, where these had to be known beforehand.
    pub audio: Option<AudioDigest>,
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
    /// Rows of known sounds with new tags, and the paths at which those are: before their tags are read, so that what lies
    /// at their former paths now finds these free.
    pub renamed: Vec<(FileId, String)>,
    /// Rows whose path another content took over, or whose place a moved original took.
    pub absorbed: Vec<FileId>,
    /// Files to be analysed, in path order.
    pub tasks: Vec<Task>,
    /// Copies of files known or to be analysed, in path order.
    pub copies: Vec<Copy>,
    /// Rows whose files are gone, in path order.
    pub missing: Vec<KnownFile>,
    /// Rows whose files are gone from a part of the library and may lie in another one: they stay, whatever is pruned.
    pub elsewhere: Vec<KnownFile>,
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
    let sounds = OnceCell::new();
    let candidates = hash_where_sizes_meet(candidates, (known, &sounds), scope, &mut plan);
    let gone = gone(known, scope, &present, &scan.unreadable);
    let candidates =
        digest_where_sounds_may_meet(candidates, &gone, (known, &sounds), scope, &mut plan);

    let homes = Homes::find(known, (&present, &in_place), &gone, &candidates, scope);
    homes.settle(candidates, known, (&in_place, &neighbours), &mut plan);
    plan.add_copies(known, &in_place);
    plan
}

/// Whether a scan found nothing but what `known` has of its folder, and all of that. A copy may have its original
/// anywhere, so a folder with one is not told by its own rows.
pub fn is_as_recorded(scan: &Scan, known: &Known, scope: &Scope<'_>) -> bool {
    let is_known = |file: &ScannedFile| {
        known.files.get(file.path()).is_some_and(|row| {
            row.is_original()
                && row.is_settled()
                && row.is_described()
                && !row.lacks_digest()
                && row.looks_like(file)
                && row.touched(file, || scope.hearing.tags_digest(file)) == Touched::No
        })
    };
    scan.refused.is_empty()
        && scan.unreadable.is_empty()
        && known.problems.is_empty()
        && known.files.len() == scan.files.len()
        && scan.files.iter().all(is_known)
}

impl Task {
    /// What is left to do with a file that is as recorded.
    fn again(file: &ScannedFile, row: &KnownFile, extent: Extent) -> Self {
        Self {
            file: file.clone(),
            id: Some(row.id.clone()),
            hash: None,
            audio: None,
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
#[derive(Clone)]
struct Candidate<'a> {
    file: ScannedFile,
    row: Option<&'a KnownFile>,
    hash: Option<ContentHash>,
    /// The quick name of its sound, where it was made along with the hash.
    xxh3: Option<AudioXxh3>,
    audio: Option<AudioDigest>,
}

impl<'a> Candidate<'a> {
    fn new(file: ScannedFile, row: Option<&'a KnownFile>) -> Self {
        Self {
            file,
            row,
            hash: None,
            xxh3: None,
            audio: None,
        }
    }

    /// The name that sounds are known by.
    fn audio_md5(&self) -> Option<AudioMd5> {
        self.audio.map(|audio| audio.md5)
    }

    /// What is to be done with it.
    fn task(self, id: Option<FileId>, extent: Extent, neighbours: usize) -> Task {
        Task {
            file: self.file,
            id,
            hash: self.hash,
            audio: self.audio,
            neighbours,
            extent,
            copies: Vec::new(),
        }
    }

    /// Whether its row's sound is still what lies here, with other tags or in another container.
    fn is_same_sound(&self) -> bool {
        !self.is_same_content()
            && self
                .row
                .is_some_and(|row| row.stands_for_sound(self.audio_md5()))
    }

    /// Whether its row's content is still what lies here.
    fn is_same_content(&self) -> bool {
        match (self.row, &self.hash) {
            (Some(row), Some(hash)) => row.hash.as_deref() == Some(hash.as_str()),
            _ => false,
        }
    }

    /// Whether its row's content is certainly no longer here, though its sound may be.
    fn is_overwritten(&self) -> bool {
        let other_size = self
            .row
            .and_then(KnownFile::size)
            .is_some_and(|size| size != self.file.size());
        other_size || (self.hash.is_some() && !self.is_same_content())
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
