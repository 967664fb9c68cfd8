//! How often identification is right, on a `MusicBrainz` where everything is known.
//!
//! The world, its editions, remasters, live versions, box sets and namesakes, and the files with good,
//! poor, wrong and no tags are functions of a number; the services answer on the loopback in their
//! real shapes. A second part lays album rips under twenty editions each.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Context, Result};
use music::identify::{Manner, identify, rip};
use music::library::answers::Answers;
use music::library::due::Scope;
use music::services::{Endpoints, Patience, Services};
use music::{DATABASE, Library};
use run::{Cancel, Usage};
use sqlite::params;
use testkit::services::{FakeServices, KEY, MadeFile, MadeRip, World, files_of, rip_of, seed};

use crate::printer;

/// What to measure.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The number that everything is a function of.
    pub seed: u64,
    /// Albums of the world; with what belongs to them there are some three releases for each.
    pub albums: usize,
    /// Folders of files.
    pub folders: usize,
    /// Album rips.
    pub rips: u64,
    /// Tell every wrong answer.
    pub verbose: bool,
}

/// What became of a passage: its level, and the recording it was given.
type Found = (String, Option<String>);

/// Measures, and prints the confusion matrix.
///
/// # Errors
///
/// When a library cannot be made or no socket be opened.
pub fn run(plan: &Plan) -> Result<()> {
    let mut world = World::generate(plan.seed, plan.albums);
    let files = files_of(&mut world, plan.seed + 1, plan.folders);
    printer::result(&format!(
        "{} releases, {} recordings, {} files",
        world.releases.len(),
        world.recordings.len(),
        files.len()
    ));
    let fake = FakeServices::start(world)?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join(DATABASE);
    Library::open(&path, folder.path())?.close()?;
    seed(&path, &files).context("cannot write the files")?;
    let library = Library::open(&path, folder.path())?;
    for (key, value) in fake.settings() {
        music::library::settings::set(library.db(), key, Some(&value))?;
    }
    let before = library.db().report().transactions;
    let began = Instant::now();
    let endpoints = Endpoints {
        acoustid_rate: 0.0,
        musicbrainz_rate: 0.0,
        ..Endpoints::load(library.db(), Some(web_secret(KEY)))?
    };
    let services = Services::new(&endpoints)?;
    let answers = Answers::new(library.db().clone(), false);
    let patience = Patience::new(Cancel::new());
    let job = (&Scope::default(), Manner::Thorough);
    let report = identify(&library, &services, &answers, &patience, job, &|_| {})?;
    let found: BTreeMap<String, Found> = library
        .db()
        .read(|snapshot| {
            snapshot.query_all(
                "SELECT f.path, coalesce(i.level, 'none'), p.recording_mbid FROM passages p \
                 JOIN files f ON f.guid = p.file_id \
                 LEFT JOIN accession_identifications i ON i.passage_id = p.guid",
                params![],
                |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))),
            )
        })
        .map_err(|error: sqlite::Error| error)?
        .into_iter()
        .collect();
    matrix(&files, &found, plan.verbose);
    printer::result(&format!(
        "{} requests for {} passages, {} transactions, {:.1} s without waiting for turns",
        report.requests,
        report.passages,
        library.db().report().transactions - before,
        began.elapsed().as_secs_f64()
    ));
    if plan.rips > 0 {
        rips(plan.rips, plan.verbose);
    }
    Ok(())
}

fn web_secret(text: &str) -> web::Secret {
    web::Secret::new(text)
}

/// Right and wrong answers by level and by how well files are tagged.
fn matrix(files: &[MadeFile], found: &BTreeMap<String, Found>, verbose: bool) {
    let mut cells: BTreeMap<(String, &str), [u64; 2]> = BTreeMap::new();
    let (mut identifiable, mut answered, mut unknown, mut unknown_none) = (0, 0, 0, 0);
    for file in files {
        let (level, mbid) = found.get(&file.path).cloned().unwrap_or_default();
        let level = match level.as_str() {
            "high" if mbid.is_some() => "high",
            "medium" if mbid.is_some() => "medium",
            "low" => "low",
            _ => "none",
        };
        let is_right = match level {
            "high" | "medium" => mbid == file.truth,
            // No answer is right for what nobody knows.
            _ => file.truth.is_none(),
        };
        let cell = cells
            .entry((format!("{:?}", file.tagging), level))
            .or_default();
        cell[usize::from(!is_right)] += 1;
        let is_answered = matches!(level, "high" | "medium");
        if file.identifiable {
            identifiable += 1;
            answered += u64::from(is_answered);
        }
        if file.truth.is_none() {
            unknown += 1;
            unknown_none += u64::from(!is_answered);
        }
        if verbose && (is_answered && !is_right || file.identifiable && !is_answered) {
            printer::note(&format!("{level} {mbid:?} {file:?}"));
        }
    }
    printer::result("tags      level   right  wrong (or no answer)");
    let mut sums: BTreeMap<&str, [u64; 2]> = BTreeMap::new();
    for ((tagging, level), [right, wrong]) in &cells {
        printer::result(&format!("{tagging:<9} {level:<6} {right:>6} {wrong:>6}"));
        let sum = sums.entry(level).or_default();
        sum[0] += right;
        sum[1] += wrong;
    }
    for level in ["high", "medium"] {
        let [right, wrong] = sums.get(level).copied().unwrap_or_default();
        printer::result(&format!(
            "{level}: {:.2} % of {} right",
            share(right, right + wrong),
            right + wrong
        ));
    }
    printer::result(&format!(
        "identifiable passages at medium or better: {:.2} % of {identifiable}",
        share(answered, identifiable)
    ));
    printer::result(&format!(
        "unknown audio without an answer: {:.2} % of {unknown}",
        share(unknown_none, unknown)
    ));
}

fn share(part: u64, all: u64) -> f64 {
    100.0 * part as f64 / all.max(1) as f64
}

/// Album rips among twenty editions each.
fn rips(count: u64, verbose: bool) {
    let made: Vec<_> = (0..count).map(rip_of).collect();
    let (mut exact, mut edition) = (0, 0);
    let (mut error, mut boundaries) = (0.0, 0_u64);
    let mut slowest = 0.0_f64;
    let began = Instant::now();
    let usage = Usage::since(began).cpu_seconds;
    for rip in &made {
        let start = Instant::now();
        let Some((at, found)) = lay(rip) else {
            continue;
        };
        slowest = slowest.max(start.elapsed().as_secs_f64());
        edition += u64::from(at == rip.right);
        if verbose && at != rip.right {
            printer::note(&format!("edition {at} of {rip:?}"));
        }
        exact += u64::from(found.tracks.len() == rip.starts.len() + 1);
        for (start, _) in rip.starts.iter().filter(|(_, heard)| *heard) {
            let nearest = found.tracks[1..]
                .iter()
                .map(|track| track.start.abs_diff(*start))
                .min();
            // A boundary that was not found is as far off as it can be.
            error += nearest.unwrap_or(30_000).min(30_000) as f64 / 1000.0;
            boundaries += 1;
        }
    }
    let cpu = Usage::since(began).cpu_seconds - usage;
    printer::result(&format!(
        "{count} rips among 20 editions: exact number of tracks {:.1} %, right edition {:.1} %, mean error of \
         {boundaries} boundaries that can be heard {:.3} s, {:.2} ms of CPU each, {:.2} ms at most",
        share(exact, count),
        share(edition, count),
        error / boundaries.max(1) as f64,
        cpu * 1000.0 / count as f64,
        slowest * 1000.0
    ));
}

fn lay(rip: &MadeRip) -> Option<(usize, rip::Alignment)> {
    let spans: Vec<_> = rip
        .spans
        .iter()
        .map(|(start, end)| rip::Span {
            start: *start,
            end: *end,
        })
        .collect();
    let spots: Vec<_> = rip
        .spots
        .iter()
        .map(|(at, depth_db)| rip::QuietSpot {
            at: *at,
            depth_db: *depth_db,
        })
        .collect();
    let editions = rip
        .editions
        .iter()
        .map(|edition| edition.lengths.as_slice());
    rip::best_edition(&spans, &spots, editions)
}
