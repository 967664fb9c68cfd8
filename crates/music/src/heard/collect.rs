//! Brings records of what was heard elsewhere into a library, as an import of the same files would have.
//!
//! Records are planned and written by the import's own chain, some hundreds at a time, so that memory does not grow with
//! their number. A batch holds everything that can belong together: files of equal size, since only those can be copies
//! of each other, and the files that the library knows by the same content or the same sound. Nothing is remembered
//! between runs but the library itself: a file that is recorded as its record's name says is not read again.

mod batch;
mod elsewhere;
mod index;
mod settle;

use std::time::Duration;

use run::{Cancel, Progress};

use crate::error::{Error, Result};
use crate::event::{Completed, Event};
use crate::heard::place::Place;
use crate::heard::record::HearingSettings;
use crate::heard::source::Source;
use crate::id::SessionId;
use crate::intake::chain::{Chain, Terms};
use crate::intake::import::are_unmounted;
use crate::intake::plan::Plan;
use crate::library::Library;
use crate::library::known::Known;
use batch::Batches;
use elsewhere::Elsewhere;
use index::{Index, Listing};

/// The object that says that hearing is over.
pub const FINISHED: &str = "hearing.finished";

/// How long a collector that follows waits before it looks for new records. Listing a million of them is a thousand
/// requests, so it is not shorter; what is heard in it is recorded in less than a second.
const PAUSE: Duration = Duration::from_secs(5);

/// Files that wait for the writer at once, so that enough of them share a transaction.
const UNDER_WAY: usize = 32;

/// What to collect.
#[derive(Debug)]
pub struct Collect<'a> {
    /// Where the records are.
    pub records: &'a [Place],
    /// Where the files are that were heard. With it, what it lacks counts as gone, and only records of what it holds
    /// now are taken; without it, the newest record of each file is taken, and nothing is gone.
    pub source: Option<&'a Source>,
    /// Files recorded at once.
    pub jobs: usize,
    /// Remove the rows of files that are gone.
    pub prune: bool,
    /// Go on until [`FINISHED`] lies in every place of records.
    pub follow: bool,
}

/// Records what was heard, and returns how it went, for the caller to tell as the last event.
///
/// Asked to stop, it finishes the files in hand. Run again, after whatever ended it, it goes on where it ended.
///
/// # Errors
///
/// When records or the source cannot be listed, or the database cannot be used. A record that cannot be used is told and
/// counted as a file that failed.
pub fn collect(
    library: &Library,
    collect: &Collect<'_>,
    cancel: &Cancel,
    progress: &Progress,
    tell: &(dyn Fn(&Event) + Sync),
) -> Result<Completed> {
    let asked = cancel.clone();
    library.db().hurry_when(move || asked.is_requested());
    let settings = HearingSettings::of(library.settings());
    progress.phase("scan");
    let (listing, left_out) = collect
        .source
        .map(|source| Listing::of(source, &settings, cancel))
        .transpose()?
        .unzip();
    let elsewhere = Elsewhere::new(library.root(), listing.as_ref());
    let chain = Chain::new(library, &elsewhere, collect.terms(), cancel, progress, tell);
    if let Some(left_out) = left_out {
        chain.tell_left_out(&left_out);
    }
    let mut index = Index::default();
    loop {
        // Asked before the records are listed: what is stored before the object is there is in the listing.
        let is_last = !collect.follow || is_finished(collect.records)?;
        progress.phase("scan");
        index.update(collect.records, listing.as_ref(), cancel)?;
        let mut batches = Batches {
            library,
            index: &mut index,
            by_size: Vec::new(),
            listing: listing.as_ref(),
            places: collect.records,
            elsewhere: &elsewhere,
            settings: &settings,
            chain: &chain,
            jobs: collect.jobs,
            cancel,
            progress,
            tell,
        };
        batches.collect(!is_last)?;
        if is_last || cancel.is_requested() || chain.is_lost() || cancel.sleep(PAUSE) {
            break;
        }
    }
    let source = collect.source.zip(listing.as_ref());
    if let Some(source) = source.filter(|_| !cancel.is_requested() && !chain.is_lost()) {
        part_with_what_is_gone(library, source, &index, &chain, collect.prune)?;
    }
    chain.end()?;
    Ok(chain.completed())
}

impl Collect<'_> {
    fn terms(&self) -> Terms {
        let records: Vec<_> = self.records.iter().map(ToString::to_string).collect();
        Terms {
            phase: "record",
            jobs: self.jobs,
            under_way: self.jobs.max(UNDER_WAY),
            prune: self.prune,
            dry_run: false,
            is_one_plan: false,
            session: SessionId::random(),
            parameters: serde_json::json!({
                "records": records,
                "source": self.source.map(|source| source.place().to_string()),
                "jobs": self.jobs,
                "prune": self.prune,
            }),
        }
    }
}

/// Says that hearing into a place is over.
///
/// # Errors
///
/// When that cannot be stored.
pub fn finish(place: &Place) -> Result<()> {
    place
        .put(FINISHED, Vec::new())
        .map_err(|error| place.failed(&error))
}

/// Whether no record lies in any of these places.
///
/// # Errors
///
/// When one cannot be listed.
pub fn is_empty(places: &[Place]) -> Result<bool> {
    for place in places {
        if index::has_records(place)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_finished(places: &[Place]) -> Result<bool> {
    for place in places {
        if !place.has(FINISHED).map_err(|error| place.failed(&error))? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Tells which rows have no file any more, removes them if that is asked for, and counts what was not heard yet.
fn part_with_what_is_gone(
    library: &Library,
    (source, listing): (&Source, &Listing),
    index: &Index,
    chain: &Chain<'_>,
    prune: bool,
) -> Result<()> {
    let mut plan = Plan::default();
    let mut rows = 0_usize;
    Known::each(library.db(), |row| {
        rows += 1;
        if !listing.holds(&row.path) {
            plan.missing.push(row);
        }
    })?;
    let problems = Known::problem_paths(library.db())?;
    chain.will_solve(
        problems
            .into_iter()
            .filter(|path| !listing.holds(path))
            .collect(),
    );
    if prune && are_unmounted(plan.missing.len(), rows, listing.is_empty()) {
        return Err(Error::PruneEverything {
            root: source.place().to_string().into(),
            known: rows,
            gone: plan.missing.len(),
            by_force: false,
        });
    }
    plan.missing.sort_by(|a, b| a.path.cmp(&b.path));
    chain.announce(&plan);
    chain.found_unheard(index.unheard(listing));
    // Families of what is removed are made without it.
    let hashes: Vec<String> = plan
        .missing
        .iter()
        .filter_map(|row| row.hash.clone())
        .collect();
    let known = Known::about(library.db(), &[], &hashes, &[])?;
    chain.carry_out(plan, &known)
}
