//! Which row belongs to which file, from the strongest sign of being the same to the weakest: a file that is as its row
//! says; one at its row's path with new tags; an equal content somewhere else; an equal sound at its path; an equal sound
//! somewhere else.

use std::collections::{HashMap, HashSet};

use super::{Candidate, Copy, Extent, Plan, Scope, Task};
use crate::id::FileId;
use crate::intake::hash::ContentHash;
use crate::library::known::{FileStatus, Known, KnownFile};
use crate::library::values::{Move, ScannedFile, folder_of};
use audio::decode::AudioMd5;

/// Which content lives where.
pub(super) struct Homes<'a> {
    /// Rows whose files are not there.
    gone: Vec<&'a KnownFile>,
    /// Paths of the originals in place, or to come, by hash.
    originals: HashMap<String, String>,
    /// Originals whose content no longer lies at their path, by hash.
    homeless: HashMap<&'a str, Vec<&'a KnownFile>>,
    /// The same, by their sounds.
    homeless_sounds: HashMap<AudioMd5, Vec<&'a KnownFile>>,
    /// What originals in the library hold, or held.
    contents: HashSet<&'a str>,
    /// Those among them whose originals got new tags in this run.
    left: HashSet<&'a str>,
    /// Rows that got a new path, or stay where they are with new tags.
    claimed: HashSet<FileId>,
    /// Rows whose path another row's content has moved to.
    evicted: Vec<FileId>,
    /// Whether everything is analysed again.
    force: bool,
}

/// What is in place, and how many files lie in each folder.
type Around<'w> = (&'w HashMap<String, ScannedFile>, &'w HashMap<String, usize>);

impl<'a> Homes<'a> {
    pub(super) fn find(
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
        let heard: HashSet<AudioMd5> = candidates.iter().filter_map(Candidate::audio_md5).collect();
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
            gone: gone.to_vec(),
            originals,
            homeless,
            homeless_sounds,
            contents: originals_of(known).collect(),
            left: HashSet::new(),
            claimed: HashSet::new(),
            evicted: Vec::new(),
            force: scope.force,
        }
    }

    /// An original that is gone lives on in a copy that is still there.
    fn move_into_copies(
        &mut self,
        known: &'a Known,
        in_place: &HashMap<String, ScannedFile>,
        plan: &mut Plan,
    ) {
        for copy in copies_in_place(known, in_place) {
            let hash = copy.hash.as_deref().unwrap_or_default();
            if !self.originals.contains_key(hash)
                && let Some(row) = self.claim(hash)
            {
                self.originals.insert(hash.to_owned(), copy.path.clone());
                self.evicted.push(copy.id.clone());
                plan.moves.push(move_of(row, &in_place[&copy.path]));
            }
        }
    }

    /// Says what is to be done with every candidate, and with what its row leaves behind.
    pub(super) fn settle(
        mut self,
        mut open: Vec<Candidate<'a>>,
        known: &'a Known,
        (in_place, neighbours): Around<'_>,
        plan: &mut Plan,
    ) {
        open.sort_by(|one, other| one.file.path().cmp(other.file.path()));
        let around = |path: &str| neighbours.get(folder_of(path)).copied().unwrap_or(1);
        open.retain(|candidate| !self.is_as_recorded(candidate, plan));
        let mut known_sounds = Vec::new();
        open.retain(|candidate| {
            let is_new =
                (candidate.hash.as_ref()).is_none_or(|hash| !self.contents.contains(hash.as_str()));
            !(is_new && self.keeps_sound(candidate, &mut known_sounds, plan))
        });
        self.move_into_copies(known, in_place, plan);
        open.retain(|candidate| !self.is_known_content(candidate, plan));
        open.retain(|candidate| !self.keeps_sound(candidate, &mut known_sounds, plan));
        self.claim_sounds(&mut open, &mut known_sounds, plan);
        let mut known_again = Vec::new();
        for (candidate, row) in known_sounds {
            let own = candidate.row.map(|own| own.id.clone());
            self.evicted.extend(own.filter(|own| *own != row.id));
            let path = candidate.file.path();
            if row.path != path {
                plan.renamed.push((row.id.clone(), path.to_owned()));
            }
            let neighbours = around(path);
            let extent = if self.force || !row.is_settled() {
                Extent::Whole
            } else {
                Extent::Tags
            };
            known_again.push(candidate.task(Some(row.id.clone()), extent, neighbours));
        }
        for candidate in open {
            if !self.is_copy(&candidate, plan) {
                self.settle_in(&candidate);
                let (own, neighbours) = (
                    candidate.row.map(|row| row.id.clone()),
                    around(candidate.file.path()),
                );
                plan.tasks
                    .push(candidate.task(own, Extent::Whole, neighbours));
            }
        }
        self.hear_copies_left_alone(known, in_place, &around, plan);
        self.finish(known_again, plan);
    }

    /// Whether a file is what its row says, touched at most.
    fn is_as_recorded(&self, candidate: &Candidate<'a>, plan: &mut Plan) -> bool {
        let own = candidate
            .row
            .filter(|row| candidate.is_same_content() && row.is_settled() && !self.force);
        if let Some(row) = own {
            plan.unchanged += 1;
            plan.moves.push(move_of(row, &candidate.file));
        }
        own.is_some()
    }

    /// Whether a file is one with its row's sound, which it then stays; it goes to `kept`.
    fn keeps_sound(
        &mut self,
        candidate: &Candidate<'a>,
        kept: &mut Vec<(Candidate<'a>, &'a KnownFile)>,
        plan: &mut Plan,
    ) -> bool {
        let own = candidate
            .row
            .filter(|row| candidate.is_same_sound() && !self.claimed.contains(&row.id));
        let Some(row) = own else { return false };
        if !self.is_copy(candidate, plan) {
            self.claimed.insert(row.id.clone());
            self.left.extend(row.hash.as_deref());
            self.settle_in(candidate);
            kept.push((candidate.clone(), row));
        }
        true
    }

    /// Whether a file is a copy of one that is there, or a known one at another path.
    fn is_known_content(&mut self, candidate: &Candidate<'a>, plan: &mut Plan) -> bool {
        let Some(hash) = &candidate.hash else {
            return false;
        };
        if self.is_copy(candidate, plan) {
            return true;
        }
        let Some(moved) = self.claim(hash.as_str()) else {
            return false;
        };
        self.settle_in(candidate);
        let own = candidate.row.map(|row| row.id.clone());
        self.evicted.extend(own.filter(|own| *own != moved.id));
        plan.unchanged += 1;
        plan.moves.push(move_of(moved, &candidate.file));
        true
    }

    /// Whether a file is a copy of one that is there, or that is to be taken in.
    fn is_copy(&self, candidate: &Candidate<'a>, plan: &mut Plan) -> bool {
        let Some(hash) = &candidate.hash else {
            return false;
        };
        let original = self
            .originals
            .get(hash.as_str())
            .filter(|original| *original != candidate.file.path());
        plan.copies.extend(original.map(|original| Copy {
            file: candidate.file.clone(),
            id: candidate.row.map(|row| row.id.clone()),
            hash: hash.clone(),
            original: original.clone(),
        }));
        original.is_some()
    }

    /// A file is the original of its content from now on.
    fn settle_in(&mut self, candidate: &Candidate<'a>) {
        if let Some(hash) = &candidate.hash {
            let path = candidate.file.path().to_owned();
            self.originals.insert(hash.as_str().to_owned(), path);
        }
    }

    fn claim(&mut self, hash: &str) -> Option<&'a KnownFile> {
        let rows = self.homeless.get_mut(hash)?;
        let row = std::iter::from_fn(|| rows.pop()).find(|row| !self.claimed.contains(&row.id))?;
        self.claimed.insert(row.id.clone());
        Some(row)
    }

    /// Rows whose files are gone go to files of their sound: of several, to the one that is called most like them.
    fn claim_sounds(
        &mut self,
        open: &mut Vec<Candidate<'a>>,
        found: &mut Vec<(Candidate<'a>, &'a KnownFile)>,
        plan: &mut Plan,
    ) {
        let mut rows = std::mem::take(&mut self.homeless_sounds);
        rows.retain(|_, rows| {
            rows.retain(|row| !self.claimed.contains(&row.id));
            !rows.is_empty()
        });
        let deepest = (rows.values().flatten())
            .map(|row| row.path.split('/').count())
            .max();
        for names in (0..=deepest.unwrap_or(0)).rev() {
            let mut by_end: HashMap<AudioMd5, HashMap<&str, Vec<&'a KnownFile>>> = HashMap::new();
            for (sound, rows) in &rows {
                for row in rows.iter().rev() {
                    if let Some(end) = end_of(&row.path, names) {
                        by_end
                            .entry(*sound)
                            .or_default()
                            .entry(end)
                            .or_default()
                            .push(row);
                    }
                }
            }
            if by_end.is_empty() {
                continue;
            }
            open.retain(|candidate| {
                let ends = candidate
                    .audio_md5()
                    .and_then(|sound| by_end.get_mut(&sound));
                let rows = ends
                    .zip(end_of(candidate.file.path(), names))
                    .and_then(|(ends, end)| ends.get_mut(end));
                let Some(row) = rows.and_then(Vec::pop) else {
                    return true;
                };
                if !self.is_copy(candidate, plan) {
                    self.claimed.insert(row.id.clone());
                    self.settle_in(candidate);
                    found.push((candidate.clone(), row));
                }
                false
            });
            for rows in rows.values_mut() {
                rows.retain(|row| !self.claimed.contains(&row.id));
            }
        }
    }

    /// The first copy of a content whose original is another one now is heard itself: it is nobody's copy any more.
    fn hear_copies_left_alone(
        &mut self,
        known: &'a Known,
        in_place: &HashMap<String, ScannedFile>,
        around: &impl Fn(&str) -> usize,
        plan: &mut Plan,
    ) {
        for copy in copies_in_place(known, in_place) {
            let Some(hash) = copy.hash.as_deref().and_then(ContentHash::parse) else {
                continue;
            };
            let is_there = self.originals.contains_key(hash.as_str())
                || self.contents.contains(hash.as_str()) && !self.left.contains(hash.as_str());
            if is_there {
                continue;
            }
            let file = in_place[&copy.path].clone();
            self.originals
                .insert(hash.as_str().to_owned(), copy.path.clone());
            plan.unchanged = plan.unchanged.saturating_sub(1);
            plan.tasks.push(Task {
                neighbours: around(file.path()),
                file,
                id: Some(copy.id.clone()),
                hash: Some(hash),
                audio: None,
                extent: Extent::Whole,
                copies: Vec::new(),
            });
        }
    }

    fn finish(self, known_again: Vec<Task>, plan: &mut Plan) {
        let claimed = self.claimed;
        plan.absorbed = self
            .evicted
            .into_iter()
            .filter(|id| !claimed.contains(id))
            .collect();
        // A row that was claimed is another file's now; only that file's own task keeps it.
        for task in &mut plan.tasks {
            task.id = task.id.take().filter(|id| !claimed.contains(id));
        }
        for copy in &mut plan.copies {
            copy.id = copy.id.take().filter(|id| !claimed.contains(id));
        }
        plan.tasks.extend(known_again);
        plan.tasks.sort_by(|a, b| a.file.path().cmp(b.file.path()));
        plan.copies.sort_by(|a, b| a.file.path().cmp(b.file.path()));
        plan.missing = self
            .gone
            .into_iter()
            .filter(|row| !claimed.contains(&row.id))
            .cloned()
            .collect();
    }
}

fn move_of(row: &KnownFile, to: &ScannedFile) -> Move {
    Move {
        id: row.id.clone(),
        from: row.path.clone(),
        to: to.clone(),
    }
}

/// What the originals of a library hold, by hash.
fn originals_of(known: &Known) -> impl Iterator<Item = &str> {
    let rows = known.files.values().filter(|row| row.is_original());
    rows.filter_map(|row| row.hash.as_deref())
}

/// Copies that lie where the library has them, by path.
fn copies_in_place<'a>(
    known: &'a Known,
    in_place: &HashMap<String, ScannedFile>,
) -> Vec<&'a KnownFile> {
    let rows = known.files.values();
    let mut copies: Vec<_> = rows
        .filter(|row| row.status == FileStatus::Duplicate && in_place.contains_key(&row.path))
        .collect();
    copies.sort_by(|a, b| a.path.cmp(&b.path));
    copies
}

/// The last `names` names of a path, where it has so many.
fn end_of(path: &str, names: usize) -> Option<&str> {
    let Some(behind) = names.checked_sub(1) else {
        return Some("");
    };
    let mut starts = path.rmatch_indices('/').map(|(at, _)| at + 1).chain([0]);
    starts.nth(behind).map(|at| &path[at..])
}
