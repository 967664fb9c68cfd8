//! How often identification is right, on a `MusicBrainz` where everything is known.
//!
//! Three worlds by three hands, all functions of a number: one of editions, remasters, live versions,
//! box sets and namesakes under files with good, poor, wrong and no tags; a hard one made from
//! public reports of wrong matches; and one of collectors' shelves, on which nothing is fitted. The
//! services answer on the loopback in their real shapes. Another part lays album rips under twenty
//! editions each.

pub mod calibrate;
mod report;
mod rips;
pub mod train;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use music::identify::{OutagePolicy, identify};
use music::library::answers::Answers;
use music::library::due::Scope;
use music::services::{Endpoints, Patience, Services};
use music::{DATABASE, Library};
use run::Cancel;
use serde_json::Value;
use sqlite::params;
use testkit::services::{
    FakeServices, KEY, MadeFile, Service, World, files_of, hard, seed, shelves,
};

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
    /// Situations of each kind in the hard world.
    pub situations: usize,
    /// Times each situation of the world of shelves.
    pub shelves: usize,
    /// Album rips.
    pub rips: u64,
    /// Tell every wrong answer.
    pub verbose: bool,
}

/// A file and what became of it.
#[derive(Debug, Clone)]
pub(crate) struct Judged {
    /// Its kind: how it is tagged, or which situation it is.
    pub(crate) kind: String,
    pub(crate) file: MadeFile,
    /// The level that was stored.
    pub(crate) level: String,
    /// How sure, 0 to 1.
    pub(crate) confidence: f64,
    /// The recording it was given.
    pub(crate) recording: Option<String>,
    pub(crate) reasoning: Value,
    /// Whether `music review` shows it.
    pub(crate) is_in_review: bool,
    /// Whether what it was given is another song altogether, and not another recording of its song.
    pub(crate) is_another_song: bool,
}

impl Judged {
    /// The candidate that came first, whether it was taken or not.
    pub(crate) fn first(&self) -> Option<&str> {
        self.reasoning["candidates"][0]["recording_mbid"].as_str()
    }

    pub(crate) fn is_answered(&self) -> bool {
        self.recording.is_some()
    }

    pub(crate) fn is_right(&self) -> bool {
        self.recording == self.file.truth
    }
}

/// Files of one kind, and how many questions they cost `MusicBrainz`.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) kind: String,
    pub(crate) files: usize,
    pub(crate) questions: usize,
    /// Asked when all of it was identified once more.
    pub(crate) again: usize,
}

/// Measures, and prints how it went.
///
/// # Errors
///
/// When a library cannot be made or no socket be opened.
pub fn run(plan: &Plan) -> Result<()> {
    if plan.folders > 0 {
        let (judged, asked) = first_world(plan.seed, plan.albums, plan.folders)?;
        printer::result("world of editions and namesakes");
        report::print(&judged, &asked, plan.verbose);
    }
    if plan.situations > 0 {
        let (judged, asked) = hard_world(plan.seed, plan.situations)?;
        printer::result("world of reported errors");
        report::print(&judged, &asked, plan.verbose);
    }
    if plan.shelves > 0 {
        let (judged, asked) = shelves_world(plan.seed, plan.shelves)?;
        printer::result("world of collectors' shelves");
        report::print(&judged, &asked, plan.verbose);
    }
    if plan.rips > 0 {
        rips::rips(plan.rips, plan.verbose);
    }
    Ok(())
}

/// The world of editions, identified in one library.
pub(crate) fn first_world(
    seed: u64,
    albums: usize,
    folders: usize,
) -> Result<(Vec<Judged>, Vec<Asked>)> {
    let mut world = World::generate(seed, albums);
    let files = files_of(&mut world, seed + 1, folders);
    let kinds = files
        .into_iter()
        .map(|file| (format!("{:?}", file.tagging), file));
    let mut groups: BTreeMap<String, Vec<MadeFile>> = BTreeMap::new();
    for (kind, file) in kinds {
        groups.entry(kind).or_default().push(file);
    }
    judge_all(world, groups)
}

/// The hard world, each kind in a library of its own so that its questions can be counted.
pub(crate) fn hard_world(seed: u64, situations: usize) -> Result<(Vec<Judged>, Vec<Asked>)> {
    judge_kinds(hard::generate(seed, situations))
}

/// The world of shelves, in the same way; weights are never fitted on it.
fn shelves_world(seed: u64, times: usize) -> Result<(Vec<Judged>, Vec<Asked>)> {
    judge_kinds(shelves::generate(seed, times))
}

fn judge_kinds((world, files): (World, Vec<hard::HardFile>)) -> Result<(Vec<Judged>, Vec<Asked>)> {
    let mut groups: BTreeMap<String, Vec<MadeFile>> = BTreeMap::new();
    for one in files {
        groups
            .entry(one.kind.to_owned())
            .or_default()
            .push(one.file);
    }
    judge_all(world, groups)
}

fn judge_all(
    world: World,
    groups: BTreeMap<String, Vec<MadeFile>>,
) -> Result<(Vec<Judged>, Vec<Asked>)> {
    let fake = FakeServices::start(world)?;
    let mut judged = Vec::new();
    let mut asked = Vec::new();
    for (kind, files) in groups {
        let (of_kind, questions) = judge(&fake, &kind, &files)?;
        judged.extend(of_kind);
        asked.push(questions);
    }
    Ok((judged, asked))
}

fn questions(fake: &FakeServices) -> usize {
    let requests = fake.requests();
    requests
        .iter()
        .filter(|one| one.service == Service::MusicBrainz)
        .count()
}

/// Identifies files in a library of their own.
fn judge(fake: &FakeServices, kind: &str, files: &[MadeFile]) -> Result<(Vec<Judged>, Asked)> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join(DATABASE);
    Library::open(&path, folder.path())?.close()?;
    seed(&path, files).context("cannot write the files")?;
    let library = Library::open(&path, folder.path())?;
    for (key, value) in fake.settings() {
        music::library::settings::set(library.db(), key, Some(&value))?;
    }
    let endpoints = Endpoints {
        acoustid_rate: 0.0,
        musicbrainz_rate: 0.0,
        ..Endpoints::load(library.db(), Some(web::Secret::new(KEY)))?
    };
    let mut counts = [0; 2];
    for count in &mut counts {
        let before = questions(fake);
        let services = Services::new(&endpoints)?;
        let answers = Answers::new(library.db().clone(), false);
        let patience = Patience::new(Cancel::new());
        let job = (&Scope::default(), OutagePolicy::Thorough);
        identify(&library, &services, &answers, &patience, job, &|_| {})?;
        *count = questions(fake) - before;
    }
    let mut found = stored(&library)?;
    let doubts = music::library::review::doubtful_matches(&library)?;
    let doubts: BTreeSet<String> = doubts.into_iter().map(|doubt| doubt.path).collect();
    let work = |id: &String| Some(&fake.world().recording(id)?.work_mbid);
    let judged = files.iter().map(|file| {
        let (level, confidence, recording, reasoning) =
            found.remove(&file.path).unwrap_or_default();
        Judged {
            kind: kind.to_owned(),
            is_in_review: doubts.contains(&file.path),
            is_another_song: recording.is_some()
                && recording.as_ref().and_then(work) != file.truth.as_ref().and_then(work),
            file: file.clone(),
            level,
            confidence,
            recording,
            reasoning: serde_json::from_str(&reasoning).unwrap_or_default(),
        }
    });
    let asked = Asked {
        kind: kind.to_owned(),
        files: files.len(),
        questions: counts[0],
        again: counts[1],
    };
    Ok((judged.collect(), asked))
}

/// Level, confidence, recording and reasoning, as they are stored.
type Stored = (String, f64, Option<String>, String);

fn stored(library: &Library) -> Result<BTreeMap<String, Stored>> {
    let rows = library.db().read(|snapshot| {
        snapshot.query_all(
            "SELECT f.path, coalesce(i.level, 'none'), coalesce(i.confidence, 0), p.recording_mbid, \
                    coalesce(i.reasoning, '{}') \
             FROM passages p JOIN files f ON f.guid = p.file_id \
             LEFT JOIN accession_identifications i ON i.passage_id = p.guid",
            params![],
            |row| {
                let found = (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
                Ok((row.get::<_, String>(0)?, found))
            },
        )
    });
    let rows = rows.map_err(|error: sqlite::Error| error)?;
    Ok(rows.into_iter().collect())
}

fn share(part: u64, all: u64) -> f64 {
    100.0 * part as f64 / all.max(1) as f64
}
