//! Brings records into batches that can be planned by themselves, and has the chain carry them out.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use run::{Cancel, LibraryPath, Progress, for_each};

use super::elsewhere::Elsewhere;
use super::index::{Index, Listing, State};
use crate::error::Result;
use crate::event::Event;
use crate::heard::name::{RecordName, key_of};
use crate::heard::place::Place;
use crate::heard::record::{HeardFile, HearingSettings, MAX_PACKED, Outcome};
use crate::intake::chain::Chain;
use crate::intake::plan::{Scope, plan};
use crate::intake::scan::Scan;
use crate::library::Library;
use crate::library::known::Known;

/// Records planned and written together: enough that a question to the library for all of them costs little for each,
/// and with 30 kB for a usual one in memory they are 15 MB.
const BATCH: usize = 512;

/// Packed bytes of a batch, for records of files of many hours: unpacked they have some three times as many.
const BATCH_BYTES: u64 = 16 << 20;

/// What collecting works with.
pub(super) struct Batches<'a, 'c> {
    pub(super) library: &'a Library,
    pub(super) index: &'a mut Index,
    /// What waits, by size.
    pub(super) by_size: Vec<usize>,
    pub(super) listing: Option<&'a Listing>,
    pub(super) places: &'a [Place],
    pub(super) elsewhere: &'a Elsewhere<'c>,
    pub(super) settings: &'a HearingSettings,
    pub(super) chain: &'a Chain<'c>,
    pub(super) jobs: usize,
    pub(super) cancel: &'a Cancel,
    pub(super) progress: &'a Progress,
    pub(super) tell: &'a (dyn Fn(&Event) + Sync),
}

/// A record that was read, with its number in the index.
type Read = (usize, Arc<HeardFile>);

impl Batches<'_, '_> {
    /// Records everything that waits. With `more_to_come`, files are held back that may be copies of files that were not
    /// heard yet, so that the original does not depend on who was heard first.
    ///
    /// # Errors
    ///
    /// When the database cannot be used.
    pub(super) fn collect(&mut self, more_to_come: bool) -> Result<()> {
        let unchanged = self.pass_over_recorded()?;
        let mut waiting = self.waiting(more_to_come);
        (self.tell)(&Event::Planned {
            found: waiting.len() + unchanged,
            to_analyse: waiting.len(),
            new: waiting.len(),
            unchanged,
            duplicates: 0,
            moved: 0,
            missing: 0,
        });
        let bytes = waiting.iter().map(|at| self.index.entries[*at].name.size);
        self.progress.expect(waiting.len() as u64, bytes.sum());
        let by_size = |at: &usize| self.index.entries[*at].name.size;
        waiting.sort_by_key(|at| (by_size(at), *at));
        self.by_size.clone_from(&waiting);
        let groups = batches(&waiting, |at| {
            let entry = &self.index.entries[at];
            (entry.name.size, u64::from(entry.bytes))
        });
        let put_off = self.record_all(groups)?;
        // Files whose path held something else before: what that was has had its chance to be found elsewhere.
        for batch in put_off.chunks(BATCH) {
            if self.has_ended() {
                return Ok(());
            }
            let read = self.reader().read(&self.wanted(batch));
            self.record(read, false)?;
        }
        Ok(())
    }

    /// Records one group after the other, and reads the next records while it writes; returns those that are put off.
    fn record_all(&mut self, groups: Vec<&[usize]>) -> Result<Vec<usize>> {
        let mut put_off = Vec::new();
        let mut parts = Vec::new();
        let mut groups = groups.into_iter();
        let reader = self.reader();
        let ahead = Reader {
            jobs: ahead(self.places, self.jobs),
            ..reader
        };
        let mut read = Vec::new();
        loop {
            while parts.is_empty()
                && !self.has_ended()
                && let Some(group) = groups.next()
            {
                parts = self.in_families(group);
                parts.reverse();
            }
            if self.has_ended() || (parts.is_empty() && read.is_empty()) {
                return Ok(put_off);
            }
            let next = self.wanted(&parts.pop().unwrap_or_default());
            let now = std::mem::take(&mut read);
            let (recorded, following) = std::thread::scope(|scope| {
                let reading = scope.spawn(|| ahead.read(&next));
                let recorded = self.record(now, true);
                (recorded, reading.join())
            });
            put_off.extend(recorded?);
            read = match following {
                Ok(following) => following,
                Err(panic) => std::panic::resume_unwind(panic),
            };
        }
    }

    fn has_ended(&self) -> bool {
        self.cancel.is_requested() || self.chain.is_lost()
    }

    fn waiting(&self, more_to_come: bool) -> Vec<usize> {
        let open = match self.listing.filter(|_| more_to_come) {
            Some(listing) => listing.open_sizes(self.index),
            None => HashSet::new(),
        };
        let entries = self.index.entries.iter().enumerate();
        entries
            .filter(|(_, entry)| entry.state == State::Waiting)
            .filter(|(_, entry)| !more_to_come || !entry.name.retry)
            .filter(|(_, entry)| !open.contains(&entry.name.size))
            .map(|(at, _)| at)
            .collect()
    }

    /// Passes over records of files that are in the library as the records' names say, without reading them.
    fn pass_over_recorded(&mut self) -> Result<usize> {
        let mut unchanged = 0;
        Known::each(self.library.db(), |row| {
            let Some(at) = self.index.waiting(&row.path) else {
                return;
            };
            let name = self.index.entries[at].name;
            let is_only = self.index.is_only(at);
            if is_only && row.is_recorded_as(|file| name.is_of(file, self.settings)) {
                self.index.entries[at].state = State::Done;
                unchanged += 1;
            }
        })?;
        self.chain.found_unchanged(unchanged as u64);
        Ok(unchanged)
    }

    /// A batch as it is; one that is too large, since many files have the same size, in parts that hold whole families,
    /// in order of paths.
    fn in_families(&self, group: &[usize]) -> Vec<Vec<usize>> {
        if group.len() <= BATCH {
            return vec![group.to_vec()];
        }
        let mut named = Vec::with_capacity(group.len());
        for part in group.chunks(BATCH) {
            for (at, heard) in self.read(part) {
                let content = match &heard.outcome {
                    Outcome::Heard { record, .. } => record.hash.clone(),
                    Outcome::Failed { .. } => String::new(),
                };
                named.push((content, heard.file.path().to_owned(), at));
            }
        }
        named.sort_unstable();
        let families = named.chunk_by(|a, b| !a.0.is_empty() && a.0 == b.0);
        let mut parts: Vec<Vec<usize>> = vec![Vec::new()];
        for family in families {
            if parts.last().is_none_or(|part| part.len() >= BATCH) {
                parts.push(Vec::new());
            }
            for family in family.chunks(BATCH) {
                if let Some(part) = parts.last_mut() {
                    part.extend(family.iter().map(|(_, _, at)| *at));
                }
                if parts.last().is_some_and(|part| part.len() >= 2 * BATCH) {
                    parts.push(Vec::new());
                }
            }
        }
        parts.retain(|part| !part.is_empty());
        parts
    }

    /// Plans and carries out what was read. With `put_off`, returns the records of files that take the place of another
    /// content, which are left for later.
    fn record(&mut self, batch: Vec<Answer>, put_off: bool) -> Result<Vec<usize>> {
        // Some may have been recorded with others since they were read.
        let is_waiting = |answer: &Answer| {
            let entry = &self.index.entries[answer.0.at];
            entry.state == State::Waiting
        };
        let mut read = self.usable(batch.into_iter().filter(is_waiting).collect());
        if read.is_empty() {
            return Ok(Vec::new());
        }
        let mut known = self.known(&read)?;
        let mut later = Vec::new();
        if put_off {
            read.retain(|(at, heard)| {
                let overwrites = overwrites(&known, heard);
                later.extend(overwrites.then_some(*at));
                !overwrites
            });
        }
        // Files that the library knows by what was read now: what became of them decides who moved and who is a copy.
        loop {
            let more = self.related(&read, &known);
            if more.is_empty() || read.len() + more.len() > 8 * BATCH {
                break;
            }
            let more = self.read(&more);
            if more.is_empty() {
                break;
            }
            read.extend(more);
            known = self.known(&read)?;
        }
        for (at, _) in &read {
            self.index.entries[*at].state = State::Done;
        }
        later.retain(|at| self.index.entries[*at].state == State::Waiting);
        self.carry_out(read, &known)?;
        Ok(later)
    }

    fn carry_out(&self, read: Vec<Read>, known: &Known) -> Result<()> {
        let records: Vec<_> = read.into_iter().map(|(_, heard)| heard).collect();
        let mut files: Vec<_> = records
            .iter()
            .map(|heard| self.elsewhere.file(heard))
            .collect();
        files.sort_by(|a, b| a.path().cmp(b.path()));
        self.elsewhere.hold(records);
        let scope = Scope {
            folder: "",
            is_whole: false,
            force: false,
            jobs: self.jobs,
            hearing: self.elsewhere,
            cancel: self.cancel,
        };
        let scan = Scan {
            files,
            ..Scan::default()
        };
        let mut plan = plan(scan, known, &scope);
        // What is gone is told at the end, when all that may have moved has been found.
        plan.missing.clear();
        self.chain.announce(&plan);
        self.chain.carry_out(plan, known)
    }

    /// What the library knows of these files by path, content and sound, and of what else has the contents it knows there.
    fn known(&self, read: &[Read]) -> Result<Known> {
        let (mut paths, mut contents, mut sounds) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        for (_, heard) in read {
            paths.push(heard.file.path().to_owned());
            if let Outcome::Heard { record, .. } = &heard.outcome {
                contents.insert(record.hash.clone());
                sounds.extend(record.audio_md5.map(|md5| md5.to_string()));
            }
        }
        let sounds: Vec<_> = sounds.into_iter().collect();
        let contents: Vec<_> = contents.into_iter().collect();
        Known::about(self.library.db(), &paths, &contents, &sounds)
    }

    /// Records that wait of files that the library knows by the contents and sounds of these, and of files as large as
    /// what was at the path of one of these.
    fn related(&self, read: &[Read], known: &Known) -> Vec<usize> {
        let held: HashSet<usize> = read.iter().map(|(at, _)| *at).collect();
        let at_hand: HashMap<&str, &HeardFile> = read
            .iter()
            .map(|(_, heard)| (heard.file.path(), heard.as_ref()))
            .collect();
        let mut more = BTreeSet::new();
        for row in known.files.values() {
            match at_hand.get(row.path.as_str()) {
                None => more.extend(self.index.waiting(&row.path)),
                Some(heard) if overwrites(known, heard) => {
                    if let Some(size) = row.size() {
                        more.extend(self.waiting_of_size(size).take(BATCH));
                    }
                }
                Some(_) => {}
            }
        }
        more.retain(|at| !held.contains(at));
        more.into_iter().collect()
    }

    fn waiting_of_size(&self, size: u64) -> impl Iterator<Item = usize> {
        let entry = |at: usize| &self.index.entries[at];
        let first = self
            .by_size
            .partition_point(|at| entry(*at).name.size < size);
        let as_large = self.by_size[first..].iter().copied();
        as_large
            .take_while(move |at| entry(*at).name.size == size)
            .filter(move |at| entry(*at).state == State::Waiting)
    }

    /// Reads records; one that cannot be used is told, counted, and does not wait any more.
    fn read(&self, batch: &[usize]) -> Vec<Read> {
        self.usable(self.reader().read(&self.wanted(batch)))
    }

    fn wanted(&self, batch: &[usize]) -> Vec<Wanted> {
        let wanted = |at: &usize| {
            let entry = &self.index.entries[*at];
            (entry.state == State::Waiting).then_some(Wanted {
                at: *at,
                place: entry.place,
                name: entry.name,
            })
        };
        batch.iter().filter_map(wanted).collect()
    }

    fn usable(&self, batch: Vec<Answer>) -> Vec<Read> {
        let mut read = Vec::with_capacity(batch.len());
        for (wanted, answer) in batch {
            match answer {
                Ok(heard) => read.push((wanted.at, heard)),
                Err(reason) => {
                    let place = self.places.get(usize::from(wanted.place));
                    let place = place.map(ToString::to_string).unwrap_or_default();
                    self.chain.unusable(&place, &wanted.name.path(), &reason);
                }
            }
        }
        read
    }
}

impl<'a> Batches<'a, '_> {
    fn reader(&self) -> Reader<'a> {
        Reader {
            places: self.places,
            settings: self.settings,
            jobs: self.jobs,
            cancel: self.cancel,
        }
    }
}

/// Records read at once while others are written. Reading from a folder is work for processors, of which half are left to
/// the writer; reading from a store is waiting.
fn ahead(places: &[Place], jobs: usize) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if places.iter().all(|place| place.folder().is_some()) {
        jobs.min(cores.div_ceil(2))
    } else {
        jobs
    }
}

/// A record that is to be read.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    /// Its number in the index.
    at: usize,
    place: u16,
    name: RecordName,
}

/// What came of one, or why it cannot be used.
type Answer = (Wanted, Result<Arc<HeardFile>, String>);

/// Reads records, and needs nothing of what writing changes.
#[derive(Clone, Copy)]
struct Reader<'a> {
    places: &'a [Place],
    settings: &'a HearingSettings,
    jobs: usize,
    cancel: &'a Cancel,
}

impl Reader<'_> {
    /// Reads records in their order; asked to stop, fewer.
    fn read(&self, batch: &[Wanted]) -> Vec<Answer> {
        let slots: Vec<_> = batch
            .iter()
            .map(|wanted| (*wanted, Mutex::new(None)))
            .collect();
        for_each(self.jobs, &slots, self.cancel, |_, (wanted, slot)| {
            let read = self.read_one(wanted);
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
        });
        let answers = slots.into_iter().filter_map(|(wanted, slot)| {
            let answer = slot.into_inner().unwrap_or_else(PoisonError::into_inner)?;
            Some((wanted, answer.map(Arc::new)))
        });
        answers.collect()
    }

    fn read_one(&self, wanted: &Wanted) -> Result<HeardFile, String> {
        let place = self.places.get(usize::from(wanted.place));
        let place = place.ok_or("its place is unknown")?;
        let bytes = place
            .get(&wanted.name.path(), MAX_PACKED)
            .map_err(|error| error.to_string())?;
        let heard = HeardFile::decode(&bytes).map_err(|error| error.to_string())?;
        check(&heard, &wanted.name, self.settings)?;
        Ok(heard)
    }
}

/// Whether a record is what its name says, of a file that a library can hold, heard as this one wants it.
fn check(heard: &HeardFile, name: &RecordName, settings: &HearingSettings) -> Result<(), String> {
    let path = heard.file.path();
    if heard.fault().is_none() {
        path.parse::<LibraryPath>()
            .map_err(|error| error.to_string())?;
    }
    let file = &heard.file;
    if (key_of(path), file.size(), file.modified_ns()) != (name.key, name.size, name.modified_ns) {
        return Err(format!("it is about another file, `{path}`"));
    }
    if heard.settings != *settings {
        return Err(format!(
            "`{path}` was heard with other settings than those of this library"
        ));
    }
    Ok(())
}

/// Whether a file lies where the library knows another content.
fn overwrites(known: &Known, heard: &HeardFile) -> bool {
    let row = known.files.get(heard.file.path());
    let content = match &heard.outcome {
        Outcome::Heard { record, .. } => Some(&record.hash),
        Outcome::Failed { .. } => None,
    };
    row.is_some_and(|row| row.hash.is_some() && row.hash.as_ref() != content)
}

/// Cuts a list that is sorted by size where sizes differ, into parts that are as long as they may be. A part is longer
/// only where all in it have one size.
fn batches(sorted: &[usize], of: impl Fn(usize) -> (u64, u64)) -> Vec<&[usize]> {
    let mut parts = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    let mut at = 0;
    while at < sorted.len() {
        let size = of(sorted[at]).0;
        let mut end = at;
        let mut more = 0;
        while end < sorted.len() && of(sorted[end]).0 == size {
            more += of(sorted[end]).1;
            end += 1;
        }
        if at > start && (end - start > BATCH || bytes + more > BATCH_BYTES) {
            parts.push(&sorted[start..at]);
            (start, bytes) = (at, 0);
        }
        bytes += more;
        at = end;
    }
    if start < sorted.len() {
        parts.push(&sorted[start..]);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_keep_files_of_one_size_together() {
        let size = |at: usize| (at as u64 / 300, 1);
        let all: Vec<usize> = (0..1_500).collect();
        let parts = batches(&all, size);
        let lengths: Vec<_> = parts.iter().map(|part| part.len()).collect();
        assert_eq!(lengths, [300, 300, 300, 300, 300]);
        let one_size = batches(&all, |_| (7, 1));
        assert_eq!(one_size.len(), 1);
        let heavy = batches(&all[..4], |at| (at as u64, BATCH_BYTES));
        assert_eq!(heavy.len(), 4);
        assert_eq!(parts.concat(), all);
    }
}
