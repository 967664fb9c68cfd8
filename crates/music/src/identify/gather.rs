//! Gathers what speaks for which recording, for the passages of one album.
//!
//! As few questions as possible, since `MusicBrainz` takes one a second. What fingerprints say costs
//! it nothing. A release answers for all of its tracks at once, and so does a search for the recordings
//! of an album by name. Single recordings are asked about only where none of that has settled it, and
//! once more can be learnt.

mod fit;
mod names;
mod pool;
mod releases;

use crate::catalogue::{Recording, Release, ReleaseName};
use crate::identify::ask::{CachedServices, Named};
use crate::identify::evidence::Verdict;
use crate::identify::recut;
use crate::identify::text::{AlbumName, Albums, is_nobody};
use crate::library::due::Item;
use crate::library::identification::State;
use crate::library::values::Level;
use crate::services::Trouble;

use fit::fit;
use pool::Pool;

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
pub async fn gather(asker: &CachedServices<'_>, items: Vec<Item>, brisk: bool) -> Album {
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
    let releases = releases::ask(asker, &items, &mut pools).await;
    let (items, mut pools, is_recut) = match by_recut(asker, &items, &releases).await {
        Some((items, pools)) => (items, pools, true),
        None => (items, pools, false),
    };
    names::ask(asker, &items, &mut pools).await;
    let mut gathered = Vec::with_capacity(items.len());
    for (item, pool) in items.iter().zip(pools) {
        gathered.push(settle(asker, item, pool, &releases).await);
    }
    contest(&items, &mut gathered);
    Album {
        items,
        gathered,
        is_recut,
    }
}

/// Asks about lone files of many folders together: their titles, several in a question.
///
/// Files that a fingerprint or an id settles need no such question.
///
/// # Errors
///
/// When a service does not answer.
pub async fn ask_ahead(asker: &CachedServices<'_>, items: &[&Item]) -> Result<(), Trouble> {
    let prints: Vec<_> = items
        .iter()
        .filter(|item| item.due)
        .filter_map(|item| item.fingerprint.clone())
        .collect();
    asker.ask_fingerprints(&prints).await?;
    let named = items
        .iter()
        .filter(|item| item.due && !item.state.is_some_and(State::is_decided));
    let named: Vec<Named> = named
        .filter(|item| item.tags.recording_mbid.is_none() && item.tags.release_mbid.is_none())
        .filter(|item| item.heard.found_ids.is_empty())
        .filter(|item| {
            let mut pool = Pool::default();
            let matches = item
                .fingerprint
                .as_ref()
                .and_then(|print| asker.known_matches(print));
            pool.add_matches(&matches.unwrap_or_default());
            !pool.is_settled(item)
        })
        .filter_map(|item| names::plainly_named(item))
        .collect();
    let twins: Vec<_> = items
        .iter()
        .filter(|item| item.due && !item.state.is_some_and(State::is_decided))
        .flat_map(|item| {
            let mut pool = Pool::default();
            let known = item
                .fingerprint
                .as_ref()
                .and_then(|print| asker.known_matches(print));
            pool.add_matches(&known.unwrap_or_default());
            pool.perhaps_merged(item)
        })
        .collect();
    asker.ask_current(&twins).await?;
    asker.ask_named(&named).await
}

/// A recording that several files of a folder claim is that of those which are called so: a fingerprint of silence, or of
/// what many tracks begin with, is linked with one song and found for many.
fn contest(items: &[Item], gathered: &mut [Gathered]) {
    let claim = |one: &Gathered| {
        let verdict = one
            .verdict
            .as_ref()
            .filter(|verdict| verdict.level >= Level::Medium)?;
        let best = verdict.candidates.first()?;
        Some((
            best.recording_mbid.clone(),
            best.has(&["title: another", "names: the path says others"]),
        ))
    };
    let claims: Vec<_> = gathered.iter().map(claim).collect();
    for (at, own) in claims.iter().enumerate() {
        let Some((mbid, true)) = own else {
            continue;
        };
        let is_rival = |(other, claim): (usize, &Option<(String, bool)>)| {
            let differs = items[other].heard.title != items[at].heard.title;
            other != at && differs && claim.as_ref().is_some_and(|(theirs, _)| theirs == mbid)
        };
        if claims.iter().enumerate().any(is_rival) {
            gathered[at].recording = None;
            if let Some(verdict) = &mut gathered[at].verdict {
                verdict.doubt();
            }
        }
    }
}

/// The passages as a release would have them, if nearly all of them are then known.
async fn by_recut(
    asker: &CachedServices<'_>,
    items: &[Item],
    releases: &[Release],
) -> Option<(Vec<Item>, Vec<Pool>)> {
    let items = recut::recut(items, releases.iter())?;
    let mut pools: Vec<Pool> = items.iter().map(|_| Pool::default()).collect();
    by_fingerprints(asker, &items, &mut pools).await;
    for release in releases {
        fit(&items, &mut pools, release);
    }
    let known = items
        .iter()
        .zip(&pools)
        .filter(|(item, pool)| pool.verdict(item).level >= Level::Medium)
        .count();
    (known * 5 >= items.len() * 4).then_some((items, pools))
}

async fn by_fingerprints(asker: &CachedServices<'_>, items: &[Item], pools: &mut [Pool]) {
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
        match asker.known_matches(print) {
            Some(matches) => pool.add_matches(&matches),
            None => pool.trouble.clone_from(&trouble),
        }
    }
}

/// Weighs, and gets the likeliest recording in full.
async fn settle(
    asker: &CachedServices<'_>,
    item: &Item,
    pool: Pool,
    releases: &[Release],
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
        let context = best.contexts.iter().max_by_key(|context| {
            let named = item
                .heard
                .album
                .as_deref()
                .map_or(Albums::Different, |ours| {
                    let theirs = AlbumName::parse(&context.release.title, &context.release.remark);
                    AlbumName::parse(ours, "").relation(&theirs)
                });
            (named, context.others)
        });
        let is_album = |name: &ReleaseName| album_of(item, &with_releases(name)).is_some();
        gathered.album = context
            .filter(|context| context.others > 0 || is_album(&context.release))
            .map(|context| context.release.clone())
            .or_else(|| album_of(item, &best.recording));
        // Who made it is all that a song needs; a release that was looked up tells the works, too.
        let in_full = releases
            .iter()
            .flat_map(|release| &release.tracks)
            .map(|track| &track.recording)
            .find(|one| one.mbid == best.recording.mbid && !one.works.is_empty());
        if let Some(recording) = in_full {
            gathered.recording = Some(recording.clone());
        } else if best.recording.credits.is_empty() {
            match asker.recording(&best.recording.mbid).await {
                Ok(found) => gathered.recording = found,
                Err(trouble) => gathered.trouble = Some(trouble),
            }
        } else {
            gathered.recording = Some(best.recording.clone());
        }
    }
    gathered.verdict = Some(verdict);
    gathered
}

fn with_releases(name: &ReleaseName) -> Recording {
    Recording {
        releases: vec![name.clone()],
        ..Recording::default()
    }
}

/// The release that the tags mean, if the recording is on one of that name.
fn album_of(item: &Item, recording: &Recording) -> Option<ReleaseName> {
    let wanted = AlbumName::parse(item.heard.album.as_deref()?, "");
    let is_it = |release: &&ReleaseName| {
        wanted.relation(&AlbumName::parse(&release.title, &release.remark)) >= Albums::Similar
    };
    let mut fitting: Vec<_> = recording.releases.iter().filter(is_it).collect();
    fitting.sort_by(|a, b| a.date.cmp(&b.date).then_with(|| a.mbid.cmp(&b.mbid)));
    let by_id = item.tags.release_mbid.as_deref();
    fitting
        .iter()
        .find(|release| Some(release.mbid.as_str()) == by_id)
        .or_else(|| fitting.first())
        .map(|release| (*release).clone())
}

/// The artist of an album: who the tags say, or who made most of its tracks.
fn artist_of(items: &[Item]) -> Option<String> {
    let named = |name: &&str| !is_nobody(name);
    let of_album = items
        .iter()
        .find_map(|item| item.tags.album_artist.as_deref().filter(named));
    if let Some(artist) = of_album {
        return Some(artist.to_owned());
    }
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for artist in items
        .iter()
        .filter_map(|item| item.heard.artist.as_deref())
        .filter(named)
    {
        match counts.iter_mut().find(|(known, _)| *known == artist) {
            Some((_, count)) => *count += 1,
            None => counts.push((artist, 1)),
        }
    }
    let (artist, count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    (count * 2 > items.len()).then(|| artist.to_owned())
}
