//! Ties passages to their `MusicBrainz` recordings: what services on the network say, weighed.
//!
//! | module | does |
//! |---|---|
//! | [`library::due`](crate::library::due) | reads which passages are due, folder by folder |
//! | [`services`](crate::services) | asks the network, politely |
//! | [`ask`], [`library::answers`](crate::library::answers) | ask nothing twice |
//! | [`gather`](mod@gather) | collects what speaks for which recording |
//! | [`text`], [`features`], [`model`], [`evidence`], [`album`], [`rip`], [`recut`] | weigh it; pure functions |
//! | [`beside`] | does it while an import runs |
//! | [`flavor`], [`covers`] | fetch how recordings sound and what albums look like |
//! | [`library::identification`](crate::library::identification) | writes it, one transaction a file |
//!
//! Nothing here is needed to play: a service that does not answer leaves a mark to try again.

pub mod album;
pub mod ask;
pub mod beside;
pub mod covers;
pub mod decide;
pub mod evidence;
pub mod features;
pub mod flavor;
pub mod gather;
pub mod model;
pub mod paths;
pub mod recut;
pub mod rip;
pub mod text;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use tokio::runtime::{Builder, Runtime};

use crate::error::{Error, Result};
use crate::identify::ask::CachedServices;
use crate::identify::gather::{Album, ask_ahead, gather};
use crate::library::Library;
use crate::library::answers::{Answer, Answers};
use crate::library::due::{self, Item, Scope};
use crate::library::identification::{self, Cut, Finding, Song, State};
use crate::library::shown_flavor;
use crate::library::values::Level;
use crate::services::{Patience, Services, Trouble};

/// Folders whose lone files are asked about together: enough to fill questions about several titles,
/// and few enough that what a stop throws away is little.
const FOLDERS_AHEAD: usize = 32;

/// Passages of a folder without album tags are one album only up to this many.
const LARGEST_ALBUM: usize = 60;

/// What happens during identification. As JSON an object whose `event` names it.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum IdentifyEvent {
    /// What became of a passage.
    PassageIdentified {
        /// Its id.
        passage_id: String,
        /// The path of its file.
        path: String,
        /// What became of it.
        state: State,
        /// How sure.
        level: Level,
        /// The same as a number.
        confidence: f64,
        /// What it is.
        #[serde(skip_serializing_if = "Option::is_none")]
        recording_mbid: Option<String>,
        /// Its artist and title in words.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// A service that is not asked any more, or that left a question open.
    ServiceFailed {
        /// Which, and why.
        message: String,
        /// It is `AcoustID`, and does not want the key: with another one it may answer.
        key_refused: bool,
    },
    /// The last event.
    IdentifyCompleted(Box<Identified>),
}

/// How identification went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Identified {
    /// Passages that were due.
    pub passages: u64,
    /// Identified surely.
    pub high: u64,
    /// Identified, with less confidence.
    pub medium: u64,
    /// Left in doubt.
    pub doubtful: u64,
    /// Known to nobody.
    pub none: u64,
    /// To be tried again.
    pub retry_later: u64,
    /// Not reached.
    pub not_reached: u64,
    /// Files cut anew where their releases say; the next import hears them again.
    pub cut_anew: u64,
    /// Requests sent.
    pub requests: u64,
    /// What was wrong with services.
    pub troubles: Vec<String>,
}

/// Passages to be tried again: written together, for there is nothing in one that another run could not find out.
#[derive(Debug, Default)]
struct Later {
    findings: Vec<Finding>,
}

impl Later {
    /// So many are written at once.
    const BATCH: usize = 1000;

    /// Keeps the finding, unless the passage has its mark already.
    fn add(&mut self, library: &Library, item: &Item, finding: Finding) -> Result<()> {
        if item.state != Some(State::RetryLater) {
            self.findings.push(finding);
        }
        if self.findings.len() >= Self::BATCH {
            self.write(library, Vec::new())?;
        }
        Ok(())
    }

    fn write(&mut self, library: &Library, answers: Vec<Answer>) -> Result<()> {
        let findings = std::mem::take(&mut self.findings);
        identification::record(library.db(), None, findings, answers)
    }
}

impl Identified {
    /// This run and the one that went on where it ended.
    #[must_use]
    pub fn followed_by(self, rest: Self) -> Self {
        Self {
            passages: self.passages + rest.passages,
            high: self.high + rest.high,
            medium: self.medium + rest.medium,
            doubtful: self.doubtful + rest.doubtful,
            none: self.none + rest.none,
            cut_anew: self.cut_anew + rest.cut_anew,
            ..rest
        }
    }

    fn count(&mut self, finding: &Finding) {
        match (finding.state, finding.level) {
            (State::Identified | State::Chosen, Level::High) => self.high += 1,
            (State::Identified | State::Chosen, _) => self.medium += 1,
            (State::Doubtful, _) => self.doubtful += 1,
            (State::None | State::Rejected, _) => self.none += 1,
            (State::RetryLater, _) => self.retry_later += 1,
        }
    }

    /// Passages that something became of.
    fn done(&self) -> u64 {
        self.high + self.medium + self.doubtful + self.none + self.retry_later
    }
}

/// How to go about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutagePolicy {
    /// Whatever can be found out is, also without a service that is down.
    Thorough,
    /// Once a service is down, the rest is left for later.
    Brisk,
    /// Once a service is down, the rest is left to whoever comes after this run, without a mark.
    Ahead,
}

/// Identifies what is due in `scope`.
///
/// Asked to stop, it writes what it has and ends.
///
/// # Errors
///
/// When the database cannot be used. A service that fails is no error: it is told, and the
/// passages concerned are marked to be tried again.
pub fn identify(
    library: &Library,
    services: &Services,
    answers: &Answers,
    patience: &Patience,
    (scope, manner): (&Scope, OutagePolicy),
    tell: &dyn Fn(&IdentifyEvent),
) -> Result<Identified> {
    let asker = CachedServices {
        services,
        answers,
        patience,
    };
    let folders = due::due_folders(library.db(), scope)?;
    let mut run = Run::new(library, &asker, scope, manner, tell)?;
    run.report.passages = folders.values().map(|count| *count as u64).sum();
    let folders: Vec<_> = folders.into_keys().collect();
    for some in folders.chunks(FOLDERS_AHEAD) {
        run.ask_ahead(some)?;
        for folder in some {
            if patience.cancel.is_requested() {
                break;
            }
            run.folder(folder)?;
        }
    }
    run.finish()
}

/// A run of identification: what it works with, and what came of it so far.
pub(crate) struct Run<'a> {
    library: &'a Library,
    asker: &'a CachedServices<'a>,
    scope: &'a Scope,
    manner: OutagePolicy,
    tell: &'a dyn Fn(&IdentifyEvent),
    /// The one thread that waits for the network.
    pub(crate) runtime: Runtime,
    later: Later,
    report: Identified,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        library: &'a Library,
        asker: &'a CachedServices<'a>,
        scope: &'a Scope,
        manner: OutagePolicy,
        tell: &'a dyn Fn(&IdentifyEvent),
    ) -> Result<Self> {
        Ok(Self {
            library,
            asker,
            scope,
            manner,
            tell,
            runtime: runtime()?,
            later: Later::default(),
            report: Identified::default(),
        })
    }

    /// Asks about the lone files of some folders together.
    fn ask_ahead(&self, folders: &[String]) -> Result<()> {
        let mut items = Vec::new();
        for folder in folders {
            if self.asker.patience.cancel.is_requested()
                || !self.asker.services.troubles().is_empty()
            {
                return Ok(());
            }
            let of_folder = items_of(self.library, folder, self.scope)?;
            let lone = albums(of_folder)
                .into_iter()
                .filter(|album| album.len() == 1);
            items.extend(lone.flatten());
        }
        let items: Vec<_> = items.iter().collect();
        // A service that is down is noticed again, and told, where its answer is missed.
        let _ = self.runtime.block_on(ask_ahead(self.asker, &items));
        Ok(())
    }

    /// Identifies what is due right in a folder, album by album.
    pub(crate) fn folder(&mut self, folder: &str) -> Result<()> {
        let items = items_of(self.library, folder, self.scope)?;
        let troubles = self.asker.services.troubles();
        if self.manner != OutagePolicy::Thorough && !troubles.is_empty() {
            return self.pass_over(&items, &troubles);
        }
        for album in albums(items) {
            let brisk = self.manner != OutagePolicy::Thorough;
            let album = self.runtime.block_on(gather(self.asker, album, brisk));
            if self.asker.patience.cancel.is_requested() {
                return Ok(());
            }
            self.write(album)?;
        }
        self.tell_troubles(false);
        Ok(())
    }

    /// Tells what is wrong with services since it was told last.
    pub(crate) fn tell_troubles(&self, at_the_end: bool) {
        for trouble in self.asker.services.untold(at_the_end) {
            (self.tell)(&IdentifyEvent::ServiceFailed {
                message: trouble.to_string(),
                key_refused: matches!(
                    trouble,
                    Trouble::Refused {
                        service: "AcoustID",
                        ..
                    }
                ),
            });
        }
    }

    /// Marks what cannot be found out now, if that is for this run to do.
    fn pass_over(&mut self, items: &[Item], troubles: &[Trouble]) -> Result<()> {
        self.tell_troubles(false);
        if self.manner == OutagePolicy::Ahead {
            return Ok(());
        }
        for item in items.iter().filter(|item| item.due && !is_settled(item)) {
            self.report.retry_later += 1;
            let finding = decide::later(item, troubles);
            self.later.add(self.library, item, finding)?;
        }
        Ok(())
    }

    /// Writes the due passages of an album, one transaction a file.
    fn write(&mut self, album: Album) -> Result<()> {
        let mut cut = album.is_recut.then(|| Cut::of(&album.items));
        self.report.cut_anew += u64::from(album.is_recut);
        let mut files: BTreeMap<&str, Vec<Finding>> = BTreeMap::new();
        for (item, gathered) in album.items.iter().zip(album.gathered) {
            if !item.due {
                continue;
            }
            let Some(finding) = decide::finding(item, gathered) else {
                continue;
            };
            let is_later = cut.is_none() && finding.state == State::RetryLater;
            if is_later && self.manner == OutagePolicy::Ahead {
                continue;
            }
            self.report.count(&finding);
            (self.tell)(&told(item, &finding));
            if is_later {
                self.later.add(self.library, item, finding)?;
            } else {
                files.entry(&item.path).or_default().push(finding);
            }
        }
        for findings in files.into_values() {
            let answers = self.asker.answers.take_unwritten();
            identification::record(self.library.db(), cut.take(), findings, answers)?;
        }
        Ok(())
    }

    /// What became of it so far, when another run goes on.
    pub(crate) fn ahead(self) -> Identified {
        Identified {
            passages: self.report.done(),
            ..self.report
        }
    }

    /// Writes what is left.
    fn finish(mut self) -> Result<Identified> {
        self.tell_troubles(true);
        // What was answered and served nobody yet is kept all the same.
        self.later
            .write(self.library, self.asker.answers.take_unwritten())?;
        let services = self.asker.services;
        let done = self.report.done();
        if done > 0 {
            // A passage that is another recording now sounds otherwise, too.
            shown_flavor::settle(self.library)?;
        }
        Ok(Identified {
            requests: services.requests(),
            troubles: services.troubles().iter().map(Trouble::to_string).collect(),
            not_reached: self.report.passages.saturating_sub(done),
            ..self.report
        })
    }
}

fn told(item: &Item, finding: &Finding) -> IdentifyEvent {
    let recording = finding.song.as_ref().map(|song: &Song| &song.recording);
    IdentifyEvent::PassageIdentified {
        passage_id: item.id.to_string(),
        path: item.path.clone(),
        state: finding.state,
        level: finding.level,
        confidence: finding.confidence,
        recording_mbid: recording.map(|recording| recording.mbid.clone()),
        name: recording.map(|one| format!("{} - {}", one.artist, one.title)),
    }
}

/// What is known of a folder's passages; a title that says nothing is none, and then names of paths are asked.
pub(crate) fn items_of(library: &Library, folder: &str, scope: &Scope) -> Result<Vec<Item>> {
    let mut items = due::items(library.db(), folder, scope)?;
    for item in &mut items {
        let title = item.heard.title.take();
        let track = item.heard.track;
        let artist = item.heard.artist.as_deref();
        let is_loose = item.heard.album.is_none()
            && track.is_none()
            && artist.is_some_and(|artist| !text::is_nobody(artist));
        item.heard.title = title.filter(|title| {
            !text::is_placeholder(title)
                || text::is_number_of_its_own(title, track)
                || is_loose && text::is_perhaps_meant(title)
        });
        paths::hear(item);
    }
    tell_samplers(&mut items);
    Ok(items)
}

/// Artists of whom an album has at least so many, where it is a sampler. A guess: of fewer it may be theirs together.
const LEAST_OF_SAMPLER: usize = 3;

/// Notes which albums have a track of nearly everybody, and no artist of their own.
fn tell_samplers(items: &mut [Item]) {
    let mut by_album: BTreeMap<String, (BTreeSet<String>, usize)> = BTreeMap::new();
    let album_of = |item: &Item| {
        let heard = &item.heard;
        let is_nobodys = heard.album_artist.as_deref().is_none_or(text::is_nobody);
        let album = heard.album.as_deref().filter(|_| is_nobodys && item.alone);
        album.map(text::normalise)
    };
    for item in items.iter() {
        if let (Some(album), Some(artist)) = (album_of(item), &item.heard.artist) {
            let (artists, files) = by_album.entry(album).or_default();
            artists.insert(text::normalise(artist));
            *files += 1;
        }
    }
    for item in items {
        let told = album_of(item).and_then(|album| by_album.get(&album));
        item.heard.is_album_of_many = told.is_some_and(|(artists, files)| {
            artists.len() >= LEAST_OF_SAMPLER && artists.len() * 2 > *files
        });
    }
}

/// The one thread that waits for the network.
pub(crate) fn runtime() -> Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::Service {
            reason: error.to_string(),
        })
}

fn is_settled(item: &Item) -> bool {
    item.state.is_some_and(State::is_decided)
}

/// Items that say they belong together and something is due of: one album, or one file that holds one.
fn albums(items: Vec<Item>) -> Vec<Vec<Item>> {
    of_one_album(items)
        .into_iter()
        .filter(|group| group.iter().any(|item| item.due))
        .flat_map(|group| {
            if group.len() <= LARGEST_ALBUM {
                return vec![group];
            }
            // A folder full of everything: nobody belongs to anybody.
            group.into_iter().map(|item| vec![item]).collect()
        })
        .filter(|group| group.iter().any(|item| item.due))
        .collect()
}

/// Items of a folder by album, or by the file that holds one.
pub(crate) fn of_one_album(items: Vec<Item>) -> Vec<Vec<Item>> {
    let mut groups: BTreeMap<String, Vec<Item>> = BTreeMap::new();
    for item in items {
        let name = if item.alone {
            item.heard
                .album
                .as_deref()
                .map(text::normalise)
                .unwrap_or_default()
        } else {
            format!("/{}", item.path)
        };
        groups.entry(name).or_default().push(item);
    }
    groups.into_values().collect()
}
