//! What is known of the recordings that one passage may be.

use std::collections::{BTreeMap, HashMap};

use crate::catalogue::Match;
use crate::catalogue::Recording;
use crate::identify::album::Sibling;
use crate::identify::evidence::{Candidate, Context, Verdict, decide};
use crate::identify::text::{Title, normalise};
use crate::library::due::Item;
use crate::library::identification::State;
use crate::library::values::Print;
use crate::services::Trouble;

/// Fingerprints that are alike by less than this are those of other music, says `AcoustID`.
const LEAST_ALIKE: f64 = 0.5;

/// Candidates of one passage.
#[derive(Debug, Default)]
pub(super) struct Pool {
    pub(super) candidates: BTreeMap<String, Candidate>,
    /// Ids that `AcoustID` knows nothing of but the number of people.
    pub(super) nameless: Vec<(String, Print)>,
    /// What most people say the sound is.
    pub(super) best_print: Option<Print>,
    pub(super) trouble: Option<Trouble>,
}

impl Pool {
    /// Takes a recording in, or what is fuller about one that is known.
    pub(super) fn add(&mut self, recording: &Recording) -> &mut Candidate {
        let candidate = self.candidates.entry(recording.mbid.clone()).or_default();
        let known = &mut candidate.recording;
        let is_fuller = |new: &Recording, old: &Recording| {
            let told = |one: &Recording| {
                let names = one
                    .credits
                    .iter()
                    .any(|credit| !credit.sort_name.is_empty());
                (!one.works.is_empty(), names, !one.credits.is_empty())
            };
            old.mbid.is_empty() || told(new) > told(old)
        };
        if is_fuller(recording, known) {
            let old = std::mem::replace(known, recording.clone());
            known.length_ms = known.length_ms.or(old.length_ms);
            if known.isrcs.is_empty() {
                known.isrcs = old.isrcs;
            }
            for release in old.releases {
                add_release(known, release);
            }
        } else {
            for release in &recording.releases {
                add_release(known, release.clone());
            }
            known.length_ms = known.length_ms.or(recording.length_ms);
            if known.remark.is_empty() {
                known.remark.clone_from(&recording.remark);
            }
        }
        candidate
    }

    /// Takes in what a fingerprint was matched with.
    pub(super) fn add_matches(&mut self, matches: &[Match]) {
        let found = matches.iter().filter(|found| found.score >= LEAST_ALIKE);
        for found in found {
            let all = found.recordings.iter().map(|one| one.sources).sum();
            for linked in &found.recordings {
                let print = Print {
                    score: found.score,
                    sources: linked.sources,
                    sources_of_all: all,
                };
                if linked.recording.title.is_empty() {
                    self.nameless.push((linked.recording.mbid.clone(), print));
                } else {
                    let candidate = self.add(&linked.recording);
                    candidate.print = Some(better(candidate.print, print));
                }
                self.best_print = Some(better(self.best_print, print));
            }
        }
    }

    /// Says of a recording what people said of an id that is merged into it.
    pub(super) fn add_print(&mut self, recording: &Recording, print: Print) {
        let candidate = self.add(recording);
        candidate.print = Some(match candidate.print {
            Some(known) if (known.score - print.score).abs() < 1e-9 => Print {
                sources: known.sources + print.sources,
                ..known
            },
            known => better(known, print),
        });
        let all = candidate.print.unwrap_or(print);
        self.best_print = Some(better(self.best_print, all));
    }

    /// Recordings that `AcoustID` has the same names and lengths for as for the likeliest, itself among
    /// them, that no answer of `MusicBrainz` has named yet: it may have merged one into the other.
    ///
    /// None where the likeliest is known to be there, and sure.
    pub(super) fn perhaps_merged(&self, item: &Item) -> Vec<String> {
        let verdict = self.verdict(item);
        let best = verdict.candidates.first();
        let Some(best) = best.and_then(|best| self.candidates.get(&best.recording_mbid)) else {
            return Vec::new();
        };
        let is_in_doubt = !is_confirmed(&best.recording) || !verdict.is_settled();
        if !item.due || best.print.is_none() || !is_in_doubt {
            return Vec::new();
        }
        let twins: Vec<_> = self
            .candidates
            .values()
            .filter(|one| one.print.is_some() && is_same_performance(one, best))
            .collect();
        if twins.len() < 2 {
            return Vec::new();
        }
        let unconfirmed = twins.iter().filter(|one| !is_confirmed(&one.recording));
        unconfirmed.map(|one| one.recording.mbid.clone()).collect()
    }

    pub(super) fn verdict(&self, item: &Item) -> Verdict {
        let mut heard = item.heard.clone();
        heard.best_print = self.best_print;
        let mut candidates: Vec<_> = self.candidates.values().cloned().collect();
        count_performances(&mut candidates);
        decide(&heard, &with_codes(candidates, heard.isrc.as_deref()))
    }

    /// Whether more answers could change nothing that matters.
    pub(super) fn is_settled(&self, item: &Item) -> bool {
        if !item.due {
            return true;
        }
        let verdict = self.verdict(item);
        verdict.is_settled() && !verdict.is_claim_open()
    }

    /// The passage with what fingerprints and ids say of it.
    pub(super) fn sibling(&self, item: &Item) -> Sibling {
        let mut likely: HashMap<String, f64> = HashMap::new();
        for (mbid, candidate) in &self.candidates {
            if let Some(print) = candidate.print {
                let share = print.sources as f64 / print.sources_of_all.max(1) as f64;
                likely.insert(mbid.clone(), print.score * share);
            }
        }
        // A person's word about one file says which release the others are of.
        let chosen = item.recording.clone();
        let chosen = chosen.filter(|_| item.state == Some(State::Chosen));
        likely.extend(chosen.iter().map(|chosen| (chosen.clone(), 1.0)));
        // An id is worth a look at its track; names may contradict it.
        for id in item.heard.ids() {
            likely.entry(id.clone()).or_insert(0.4);
        }
        Sibling {
            chosen,
            ..Sibling::new(&item.heard, likely)
        }
    }
}

/// Lengths within this many ms are those of one performance: catalogues round, and count pauses or not.
const SAME_LENGTH: u64 = 3_000;

/// Whether two recordings have the same names, are the same version, and are as long.
fn is_same_performance(one: &Candidate, other: &Candidate) -> bool {
    let (a, b) = (&one.recording, &other.recording);
    let are_as_long = match (a.length_ms, b.length_ms) {
        (Some(a), Some(b)) => a.abs_diff(b) <= SAME_LENGTH,
        _ => true,
    };
    let title = |recording: &Recording| {
        let mut title = Title::parse(&recording.title).with_remark(&recording.remark);
        // A new master is the same performance.
        title.versions.remove("remaster");
        title
    };
    are_as_long && normalise(&a.artist) == normalise(&b.artist) && {
        let (a, b) = (title(a), title(b));
        (a.name, a.versions, a.qualifiers) == (b.name, b.versions, b.qualifiers)
    }
}

/// Counts for each candidate the people who mean its performance.
fn count_performances(candidates: &mut [Candidate]) {
    let printed: Vec<_> = candidates
        .iter()
        .filter_map(|one| Some((one.clone(), one.print?)))
        .collect();
    for one in candidates.iter_mut().filter(|one| one.print.is_some()) {
        one.people_of_performance = printed
            .iter()
            .filter(|(other, _)| is_same_performance(one, other))
            .map(|(_, print)| print.sources)
            .sum();
    }
}

/// Whether `MusicBrainz` itself has told of a recording: `AcoustID` knows no sort names.
fn is_confirmed(recording: &Recording) -> bool {
    let mut credits = recording.credits.iter();
    credits.any(|credit| !credit.sort_name.is_empty())
}

fn better(known: Option<Print>, print: Print) -> Print {
    let rank = |print: &Print| {
        (
            print.score >= 0.8,
            print.sources,
            (print.score * 1000.0) as u64,
        )
    };
    match known {
        Some(known) if rank(&known) >= rank(&print) => known,
        _ => print,
    }
}

fn add_release(recording: &mut Recording, release: crate::catalogue::ReleaseName) {
    match recording
        .releases
        .iter_mut()
        .find(|known| known.mbid == release.mbid)
    {
        Some(known) if known.date.is_none() && release.date.is_some() => *known = release,
        Some(_) => {}
        None => recording.releases.push(release),
    }
}

/// Counts who has the ISRC.
fn with_codes(mut candidates: Vec<Candidate>, isrc: Option<&str>) -> Vec<Candidate> {
    if let Some(isrc) = isrc {
        let has = |one: &Candidate| one.recording.isrcs.iter().any(|code| code == isrc);
        let count = candidates.iter().filter(|one| has(one)).count();
        for one in &mut candidates {
            one.of_code = count;
        }
    }
    candidates
}

/// Adds a release that a candidate was found on, once.
pub(super) fn add_context(candidate: &mut Candidate, context: Context) {
    let known = candidate
        .contexts
        .iter_mut()
        .find(|known| known.release.mbid == context.release.mbid);
    match known {
        Some(known) if known.others <= context.others => *known = context,
        Some(_) => {}
        None => candidate.contexts.push(context),
    }
}
