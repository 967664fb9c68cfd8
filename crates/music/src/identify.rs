//! Ties passages to their `MusicBrainz` recordings: what services on the network say, weighed.
//!
//! | module | does |
//! |---|---|
//! | [`load`] | reads which passages are due, folder by folder |
//! | [`services`] | asks the network, politely |
//! | [`ask`], [`answers`] | ask nothing twice |
//! | [`gather`](mod@gather) | collects what speaks for which recording |
//! | [`text`], [`evidence`], [`album`], [`rip`], [`recut`] | weigh it; pure functions |
//! | [`flavor`] | fetches how recordings sound |
//! | [`store`] | writes it, one transaction a file |
//!
//! Nothing here is needed to play: a service that does not answer leaves a mark to try again.

pub mod album;
pub mod answers;
pub mod ask;
pub mod beside;
pub mod catalogue;
pub mod decide;
pub mod evidence;
pub mod flavor;
pub mod gather;
pub mod load;
pub mod recut;
pub mod rip;
pub mod services;
pub mod store;
pub mod text;

pub use services::acousticbrainz;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::identify::answers::Answers;
use crate::identify::ask::Asker;
use crate::identify::evidence::Level;
use crate::identify::gather::{Album, gather};
use crate::identify::load::{Item, Scope};
use crate::identify::services::{Patience, Services, Trouble};
use crate::identify::store::{Cut, Finding, Song, State};
use crate::library::Library;

/// Passages of a folder without album tags are one album only up to this many.
const LARGEST_ALBUM: usize = 60;

/// What happens during identification. As JSON an object whose `event` names it.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Told {
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
    /// A service that is not asked any more.
    ServiceFailed {
        /// Which, and why.
        message: String,
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
            self.write(library)?;
        }
        Ok(())
    }

    fn write(&mut self, library: &Library) -> Result<()> {
        store::record(
            library.db(),
            None,
            std::mem::take(&mut self.findings),
            Vec::new(),
        )
    }
}

/// How to go about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Whatever can be found out is, also without a service that is down.
    Thorough,
    /// Once a service is down, the rest is left for later.
    Brisk,
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
    (scope, manner): (&Scope, Manner),
    tell: &dyn Fn(&Told),
) -> Result<Identified> {
    let folders = load::due_folders(library.db(), scope)?;
    let mut report = Identified {
        passages: folders.values().map(|count| *count as u64).sum(),
        ..Identified::default()
    };
    let runtime = runtime()?;
    let asker = Asker {
        services,
        answers,
        patience,
    };
    let mut told = 0;
    let mut later = Later::default();
    for folder in folders.keys() {
        if patience.cancel.is_requested() {
            break;
        }
        let items = load::items(library.db(), folder, scope)?;
        if manner == Manner::Brisk && !services.troubles().is_empty() {
            for item in items.iter().filter(|item| item.due && !is_settled(item)) {
                report.retry_later += 1;
                later.add(library, item, decide::later(item, &services.troubles()))?;
            }
            continue;
        }
        for album in albums(items) {
            let brisk = manner == Manner::Brisk;
            let album = runtime.block_on(gather(&asker, album, brisk));
            if patience.cancel.is_requested() {
                break;
            }
            write(library, answers, album, &mut later, (&mut report, tell))?;
        }
        let troubles = services.troubles();
        for trouble in &troubles[told.min(troubles.len())..] {
            tell(&Told::ServiceFailed {
                message: trouble.to_string(),
            });
        }
        told = troubles.len();
    }
    later.write(library)?;
    // What was answered and served nobody yet is kept all the same.
    store::record(library.db(), None, Vec::new(), answers.take_unwritten())?;
    report.requests = services.requests();
    report.troubles = services.troubles().iter().map(Trouble::to_string).collect();
    let done = report.high + report.medium + report.doubtful + report.none + report.retry_later;
    report.not_reached = report.passages.saturating_sub(done);
    Ok(report)
}

/// The one thread that waits for the network.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::Service {
            reason: error.to_string(),
        })
}

fn is_settled(item: &Item) -> bool {
    item.state.is_some_and(State::is_decided)
}

/// Items that say they belong together: one album, or one file that holds one.
fn albums(items: Vec<Item>) -> Vec<Vec<Item>> {
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
    groups
        .into_values()
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

/// Writes the due passages of an album, one transaction a file.
fn write(
    library: &Library,
    answers: &Answers,
    album: Album,
    later: &mut Later,
    (report, tell): (&mut Identified, &dyn Fn(&Told)),
) -> Result<()> {
    let cut = album.is_recut.then(|| Cut::of(&album.items));
    let mut files: BTreeMap<&str, Vec<Finding>> = BTreeMap::new();
    for (item, gathered) in album.items.iter().zip(album.gathered) {
        if !item.due {
            continue;
        }
        let Some(finding) = decide::finding(item, gathered) else {
            continue;
        };
        count(report, &finding);
        let recording = finding.song.as_ref().map(|song: &Song| &song.recording);
        tell(&Told::PassageIdentified {
            passage_id: item.id.to_string(),
            path: item.path.clone(),
            state: finding.state,
            level: finding.level,
            confidence: finding.confidence,
            recording_mbid: recording.map(|recording| recording.mbid.clone()),
            name: recording.map(|one| format!("{} - {}", one.artist, one.title)),
        });
        if cut.is_none() && finding.state == State::RetryLater {
            later.add(library, item, finding)?;
        } else {
            files.entry(&item.path).or_default().push(finding);
        }
    }
    let mut cut = cut;
    for findings in files.into_values() {
        let answers = answers.take_unwritten();
        store::record(library.db(), cut.take(), findings, answers)?;
    }
    Ok(())
}

fn count(report: &mut Identified, finding: &Finding) {
    match (finding.state, finding.level) {
        (State::Identified | State::Chosen, Level::High) => report.high += 1,
        (State::Identified | State::Chosen, _) => report.medium += 1,
        (State::Doubtful, _) => report.doubtful += 1,
        (State::None | State::Rejected, _) => report.none += 1,
        (State::RetryLater, _) => report.retry_later += 1,
    }
}
