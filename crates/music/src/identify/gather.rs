//! Gathers what speaks for which recording, for the passages of one album.
//!
//! As few questions as possible, since `MusicBrainz` takes one a second: a release answers for all
//! of its tracks at once, so releases are asked for first, and single recordings only where no
//! release has settled them.

use std::collections::{BTreeMap, HashMap};

use crate::identify::album::{self, Sibling};
use crate::identify::ask::Asker;
use crate::identify::catalogue::{Recording, Release, ReleaseName};
use crate::identify::evidence::{
    Candidate, Evidence, Level, Source, Verdict, by_fingerprint, by_search, by_tag_id, decide,
};
use crate::identify::text::{Title, artist_similarity, title_similarity};
use crate::identify::{recut, rip};
use crate::library::due::Item;
use crate::library::identification::State;
use crate::services::Trouble;

/// Releases looked up for one album.
const MOST_RELEASES: usize = 4;

/// From this quality on, no other edition is asked for if the ids agree.
const GOOD_FIT: f64 = 0.85;

/// What was gathered about one passage.
#[derive(Debug, Default)]
pub struct Gathered {
    /// What is left after weighing.
    pub verdict: Option<Verdict>,
    /// The likeliest recording, in full.
    pub recording: Option<Recording>,
    /// The album it is on.
    pub album: Option<ReleaseName>,
    /// Why something is missing.
    pub trouble: Option<Trouble>,
}

/// Candidates of one passage.
#[derive(Debug, Default)]
struct Pool {
    candidates: BTreeMap<String, Candidate>,
    trouble: Option<Trouble>,
}

impl Pool {
    /// Of several reasons of one source, the best counts.
    fn add(&mut self, recording: &Recording, evidence: Evidence) {
        let candidate = self.candidates.entry(recording.mbid.clone()).or_default();
        let known = &mut candidate.recording;
        // What MusicBrainz itself says is fuller than what AcoustID remembers of it.
        if known.mbid.is_empty() || (known.credits.is_empty() && !recording.credits.is_empty()) {
            *known = recording.clone();
        } else if !recording.works.is_empty() && known.works.is_empty() {
            let releases = std::mem::take(&mut known.releases);
            *known = recording.clone();
            if known.releases.is_empty() {
                known.releases = releases;
            }
        }
        let same = candidate
            .evidence
            .iter_mut()
            .find(|one| one.source == evidence.source);
        match same {
            Some(one) if one.confidence < evidence.confidence => *one = evidence,
            Some(_) => {}
            None => candidate.evidence.push(evidence),
        }
    }

    fn verdict(&self, item: &Item) -> Verdict {
        decide(&item.heard, self.candidates.values().cloned().collect())
    }
}

/// The passages of one album, with what was gathered about each.
#[derive(Debug)]
pub struct Album {
    /// The passages.
    pub items: Vec<Item>,
    /// One for each.
    pub gathered: Vec<Gathered>,
    /// The file was cut anew: the passages are not those that are stored.
    pub is_recut: bool,
}

/// Gathers for the passages of one album: files of one folder that say they belong together.
///
/// `brisk`: once a service is down, nobody else is asked either.
pub async fn gather(asker: &Asker<'_>, items: Vec<Item>, brisk: bool) -> Album {
    let mut pools: Vec<Pool> = items.iter().map(|_| Pool::default()).collect();
    by_fingerprints(asker, &items, &mut pools).await;
    if let (true, Some(trouble)) = (brisk, asker.services.troubles().into_iter().next()) {
        let left = |(item, pool): (&Item, &Pool)| Gathered {
            verdict: Some(pool.verdict(item)),
            trouble: Some(trouble.clone()),
            ..Gathered::default()
        };
        let gathered = items.iter().zip(&pools).map(left).collect();
        return Album {
            items,
            gathered,
            is_recut: false,
        };
    }
    let releases = by_releases(asker, &items, &mut pools).await;
    let (items, mut pools, is_recut) = match by_recut(asker, &items, &releases).await {
        Some((items, pools)) => (items, pools, true),
        None => (items, pools, false),
    };
    by_ids(asker, &items, &mut pools, &releases).await;
    by_searches(asker, &items, &mut pools).await;
    let mut gathered = Vec::with_capacity(items.len());
    for (item, pool) in items.iter().zip(pools) {
        gathered.push(settle(asker, item, pool, &releases).await);
    }
    Album {
        items,
        gathered,
        is_recut,
    }
}

/// The passages as a release would have them, if nearly all of them are then known.
async fn by_recut(
    asker: &Asker<'_>,
    items: &[Item],
    releases: &[(Release, f64)],
) -> Option<(Vec<Item>, Vec<Pool>)> {
    let items = recut::recut(items, releases.iter().map(|(release, _)| release))?;
    let mut pools: Vec<Pool> = items.iter().map(|_| Pool::default()).collect();
    by_fingerprints(asker, &items, &mut pools).await;
    let siblings = siblings(&items, &pools);
    for (release, _) in releases {
        fit(&items, &siblings, &mut pools, release);
    }
    let known = items
        .iter()
        .zip(&pools)
        .filter(|(item, pool)| pool.verdict(item).level >= Level::Medium)
        .count();
    (known * 5 >= items.len() * 4).then_some((items, pools))
}

async fn by_fingerprints(asker: &Asker<'_>, items: &[Item], pools: &mut [Pool]) {
    let due: Vec<_> = items
        .iter()
        .filter(|item| item.due)
        .filter_map(|item| item.fingerprint.clone())
        .collect();
    let trouble = asker.ask_fingerprints(&due).await.err();
    for (item, pool) in items.iter().zip(pools) {
        let Some(print) = &item.fingerprint else {
            continue;
        };
        let Some(matches) = asker.known_matches(print) else {
            pool.trouble.clone_from(&trouble);
            continue;
        };
        for found in &matches {
            let all = found.recordings.iter().map(|one| one.sources).sum();
            for linked in found
                .recordings
                .iter()
                .filter(|one| !one.recording.title.is_empty())
            {
                let evidence = by_fingerprint(found.score, linked.sources, all);
                pool.add(&linked.recording, evidence);
            }
        }
    }
}

/// Looks up the releases that most speaks for, and fits them to the files.
async fn by_releases(asker: &Asker<'_>, items: &[Item], pools: &mut [Pool]) -> Vec<(Release, f64)> {
    let mut wanted = likely_releases(items, pools);
    let mut found: Vec<(Release, f64)> = Vec::new();
    let mut searched = false;
    let siblings = siblings(items, pools);
    while found.len() < MOST_RELEASES {
        let best = found
            .iter()
            .map(|(_, quality)| *quality)
            .fold(0.0, f64::max);
        if best >= GOOD_FIT && agree(items, pools, &found) {
            break;
        }
        let Some(mbid) = wanted.pop() else {
            if searched || best >= GOOD_FIT && found.len() > 1 {
                break;
            }
            searched = true;
            wanted = searched_releases(asker, items, pools).await;
            wanted.retain(|mbid| found.iter().all(|(one, _)| one.name.mbid != *mbid));
            if wanted.is_empty() {
                break;
            }
            continue;
        };
        match asker.release(&mbid).await {
            Ok(Some(release)) => {
                let quality = fit(items, &siblings, pools, &release);
                found.push((release, quality));
            }
            Ok(None) => {}
            Err(trouble) => {
                for pool in pools.iter_mut() {
                    pool.trouble.get_or_insert_with(|| trouble.clone());
                }
                break;
            }
        }
    }
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    found
}

/// Whether an id or a fingerprint speaks for what the best release says, for most files: then other
/// editions would only say the same.
fn agree(items: &[Item], pools: &[Pool], found: &[(Release, f64)]) -> bool {
    let Some((best, _)) = found.iter().max_by(|a, b| a.1.total_cmp(&b.1)) else {
        return false;
    };
    let on_it = |mbid: &str| best.tracks.iter().any(|track| track.recording.mbid == mbid);
    let agreeing = items
        .iter()
        .zip(pools)
        .filter(|(item, pool)| {
            let by_id = item.alone && item.tags.recording_mbid.as_deref().is_some_and(on_it);
            by_id
                || pool.candidates.values().any(|candidate| {
                    on_it(&candidate.recording.mbid)
                        && candidate
                            .evidence
                            .iter()
                            .any(|one| one.source == Source::AcoustId && one.confidence >= 0.7)
                })
        })
        .count();
    agreeing * 2 > items.len()
}

fn siblings(items: &[Item], pools: &[Pool]) -> Vec<Sibling> {
    let sibling = |(item, pool): (&Item, &Pool)| {
        let mut likely: HashMap<_, _> = pool
            .candidates
            .values()
            .filter_map(|candidate| {
                let best = candidate.evidence.iter().map(|one| one.confidence);
                Some((
                    candidate.recording.mbid.clone(),
                    best.max_by(f64::total_cmp)?,
                ))
            })
            .collect();
        if let Some(id) = item.tags.recording_mbid.clone().filter(|_| item.alone) {
            likely.insert(id, 0.9);
        }
        Sibling {
            heard: item.heard.clone(),
            likely,
        }
    };
    items.iter().zip(pools).map(sibling).collect()
}

/// Adds what a release says of each file; how well it fits.
fn fit(items: &[Item], siblings: &[Sibling], pools: &mut [Pool], release: &Release) -> f64 {
    let fits = if items.iter().all(|item| item.alone) {
        album::fit(siblings, release)
    } else {
        match fit_rip(items, release) {
            Some(fit) => fit,
            None => album::fit(siblings, release),
        }
    };
    let found = album::evidence(&fits, release);
    for (pool, found) in pools.iter_mut().zip(found) {
        if let Some((at, evidence)) = found {
            let track = &release.tracks[at];
            let mut recording = track.recording.clone();
            // The track's own length is nearer to the truth than that of the recording.
            recording.length_ms = track.length_ms.or(recording.length_ms);
            recording.releases = vec![release.name.clone()];
            pool.add(&recording, evidence);
        }
    }
    fits.quality
}

/// Lays a release, or one disc of it, under the passages of a file.
fn fit_rip(items: &[Item], release: &Release) -> Option<album::Fit> {
    let is_one_file = items.iter().all(|item| item.path == items[0].path);
    if !is_one_file || items.len() < 2 {
        return None;
    }
    let spans: Vec<_> = items.iter().map(recut::span).collect();
    let mut best: Option<(album::Fit, f64)> = None;
    for tracks in recut::discs(release) {
        let lengths = recut::lengths(release, &tracks);
        let spots = &items[0].spots;
        let Some(found) = lengths.and_then(|lengths| rip::align(&spans, spots, &lengths)) else {
            continue;
        };
        // A passage is a track if it is the whole of it.
        let mut matched = vec![None; items.len()];
        let mut agree = 0;
        for (number, track) in found.tracks.iter().enumerate() {
            let Some(at) = spans.iter().position(|span| span == track) else {
                continue;
            };
            let of_release = tracks[number];
            let apart = release.tracks[of_release]
                .length_ms
                .unwrap_or_default()
                .abs_diff(track.end - track.start);
            agree += usize::from(apart <= 3_000);
            matched[at] = Some((of_release, (1.0 - apart as f64 / 20_000.0).max(0.3)));
        }
        let fit = album::Fit {
            quality: found.quality(),
            lengths_agree: agree,
            tracks: matched,
        };
        if best.as_ref().is_none_or(|(_, cost)| found.cost < *cost) {
            best = Some((fit, found.cost));
        }
    }
    best.map(|(fit, _)| fit)
}

/// Releases named by tags or fingerprints, the likeliest last.
fn likely_releases(items: &[Item], pools: &[Pool]) -> Vec<String> {
    let mut votes: HashMap<String, f64> = HashMap::new();
    let album = items.iter().find_map(|item| item.heard.album.as_deref());
    for (item, pool) in items.iter().zip(pools) {
        if let Some(mbid) = &item.tags.release_mbid {
            *votes.entry(mbid.clone()).or_default() += 3.0;
        }
        let mut of_passage: HashMap<&str, f64> = HashMap::new();
        for candidate in pool.candidates.values() {
            let weight = candidate
                .evidence
                .iter()
                .map(|one| one.confidence)
                .fold(0.0, f64::max);
            for release in &candidate.recording.releases {
                let named = album.map_or(1.0, |album| {
                    let alike =
                        title_similarity(&Title::parse(album), &Title::parse(&release.title));
                    if alike >= 0.9 { 2.0 } else { 0.6 }
                });
                let vote = of_passage.entry(&release.mbid).or_default();
                *vote = vote.max(weight * named);
            }
        }
        for (mbid, vote) in of_passage {
            *votes.entry(mbid.to_owned()).or_default() += vote;
        }
    }
    // One file says little of which of a hundred compilations it is from.
    let enough = if items.len() >= 3 { 1.5 } else { 0.5 };
    let mut votes: Vec<_> = votes
        .into_iter()
        .filter(|(_, vote)| *vote >= enough)
        .collect();
    votes.sort_by(|a, b| a.1.total_cmp(&b.1).then_with(|| b.0.cmp(&a.0)));
    votes.into_iter().map(|(mbid, _)| mbid).collect()
}

/// Releases found by the album's name, the likeliest last.
async fn searched_releases(asker: &Asker<'_>, items: &[Item], pools: &mut [Pool]) -> Vec<String> {
    let Some(album) = items.iter().find_map(|item| item.heard.album.as_deref()) else {
        return Vec::new();
    };
    let is_unknown = |name: &str| {
        let name = name.to_lowercase();
        name.contains("unknown") || name.starts_with("various") || name == "va"
    };
    if is_unknown(album) {
        return Vec::new();
    }
    let of_album = items
        .iter()
        .find_map(|item| item.tags.album_artist.as_deref());
    let of_track = items.iter().find_map(|item| item.heard.artist.as_deref());
    let artist = of_album.or(of_track).filter(|artist| !is_unknown(artist));
    let name = Title::parse(album).name;
    let found = match asker.search_releases(artist, &name).await {
        Ok(found) => found,
        Err(trouble) => {
            for pool in pools.iter_mut() {
                pool.trouble.get_or_insert_with(|| trouble.clone());
            }
            return Vec::new();
        }
    };
    let ours = Title::parse(album);
    let mut scored: Vec<_> = found
        .into_iter()
        .filter_map(|release| {
            let theirs = Title::parse(&release.name.title);
            let alike = title_similarity(&ours, &theirs);
            let by = artist.map_or(1.0, |artist| artist_similarity(artist, &release.artist));
            let more = release.tracks.abs_diff(items.len() as u64) as f64;
            let version = f64::from(u8::from(ours.versions == theirs.versions)) * 0.1;
            let score = alike * by + version - (more * 0.02).min(0.3);
            (alike >= 0.75 && by >= 0.7).then_some((score, release.name.mbid))
        })
        .collect();
    scored.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(&a.1)));
    scored.into_iter().map(|(_, mbid)| mbid).collect()
}

/// Ids in the tags, looked up where no release has told about them.
async fn by_ids(
    asker: &Asker<'_>,
    items: &[Item],
    pools: &mut [Pool],
    releases: &[(Release, f64)],
) {
    for (item, pool) in items.iter().zip(pools) {
        let Some(mbid) = item
            .tags
            .recording_mbid
            .as_deref()
            .filter(|_| item.alone && item.due)
        else {
            continue;
        };
        let on_release = releases
            .iter()
            .flat_map(|(release, _)| &release.tracks)
            .find(|track| track.recording.mbid == mbid);
        let recording = match on_release {
            Some(track) => Ok(Some(track.recording.clone())),
            None => asker.recording(mbid).await,
        };
        match recording {
            Ok(Some(recording)) => {
                let evidence = by_tag_id(&item.heard, &recording);
                pool.add(&recording, evidence);
            }
            Ok(None) => {}
            Err(trouble) => pool.trouble = Some(trouble),
        }
    }
}

/// A search for whatever is still in doubt and has a title and an artist.
async fn by_searches(asker: &Asker<'_>, items: &[Item], pools: &mut [Pool]) {
    for (item, pool) in items.iter().zip(pools) {
        let (Some(title), Some(artist)) = (&item.heard.title, &item.heard.artist) else {
            continue;
        };
        if !item.due || pool.verdict(item).level >= Level::Medium {
            continue;
        }
        match asker
            .search_recordings(artist, &Title::parse(title).name, item.heard.length_ms)
            .await
        {
            Ok(found) => {
                for recording in &found {
                    if let Some(evidence) = by_search(&item.heard, recording) {
                        pool.add(recording, evidence);
                    }
                }
            }
            Err(trouble) => pool.trouble = Some(trouble),
        }
    }
}

/// Weighs, and gets the likeliest recording in full.
async fn settle(
    asker: &Asker<'_>,
    item: &Item,
    pool: Pool,
    releases: &[(Release, f64)],
) -> Gathered {
    let verdict = pool.verdict(item);
    let mut gathered = Gathered {
        trouble: pool.trouble.clone(),
        ..Gathered::default()
    };
    if let (Some(State::Chosen), Some(chosen), true) = (item.state, &item.recording, item.due) {
        // A person has said what it is; only what hangs on that is written anew.
        match asker.recording(chosen).await {
            Ok(recording) => {
                gathered.album = recording.as_ref().and_then(|one| album_of(item, one));
                gathered.recording = recording;
                gathered.trouble = None;
            }
            Err(trouble) => gathered.trouble = Some(trouble),
        }
        gathered.verdict = Some(verdict);
        return gathered;
    }
    let best = verdict
        .candidates
        .first()
        .filter(|_| verdict.level >= Level::Medium)
        .and_then(|best| pool.candidates.get(&best.recording_mbid));
    if let (Some(best), true) = (best, item.due) {
        let on_release = releases.iter().find_map(|(release, _)| {
            let track = release
                .tracks
                .iter()
                .find(|track| track.recording.mbid == best.recording.mbid)?;
            Some((release, track))
        });
        match on_release {
            Some((release, track)) => {
                gathered.recording = Some(track.recording.clone());
                gathered.album = Some(release.name.clone());
            }
            None => match asker.recording(&best.recording.mbid).await {
                Ok(Some(recording)) => {
                    gathered.album = album_of(item, &recording);
                    gathered.recording = Some(recording);
                }
                // It is gone from MusicBrainz; what AcoustID remembers of it is no identification.
                Ok(None) => {}
                Err(trouble) => gathered.trouble = Some(trouble),
            },
        }
    }
    gathered.verdict = Some(verdict);
    gathered
}

/// The release that the tags mean, if the recording is on one of that name.
fn album_of(item: &Item, recording: &Recording) -> Option<ReleaseName> {
    let wanted = Title::parse(item.heard.album.as_deref()?);
    let mut fitting: Vec<_> = recording
        .releases
        .iter()
        .filter(|release| title_similarity(&wanted, &Title::parse(&release.title)) >= 0.9)
        .collect();
    fitting.sort_by(|a, b| a.date.cmp(&b.date).then_with(|| a.mbid.cmp(&b.mbid)));
    let by_id = item.tags.release_mbid.as_deref();
    fitting
        .iter()
        .find(|release| Some(release.mbid.as_str()) == by_id)
        .or_else(|| fitting.first())
        .map(|release| (*release).clone())
}
