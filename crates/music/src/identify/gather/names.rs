//! Questions about single passages that no release has settled.

use crate::catalogue::Recording;
use crate::identify::ask::{CachedServices, Named, around};
use crate::identify::evidence::Verdict;
use crate::identify::features::{Reading, readings};
use crate::identify::text::{Likeness, Title, is_nobody};
use crate::library::due::Item;
use crate::library::identification::State;
use crate::library::values::Level;
use crate::services::Trouble;
use crate::services::musicbrainz::{phrase, words};

use super::pool::Pool;

/// Searches for one passage at most. The plain one answers for most; then the title alone, and a
/// title read otherwise. A guess.
const MOST_SEARCHES: usize = 3;

/// Title and artist that can be asked for as they stand.
pub(super) fn plainly_named(item: &Item) -> Option<Named> {
    let title = item.heard.title.clone()?;
    let artist = item
        .heard
        .artist
        .clone()
        .filter(|artist| !is_nobody(artist))?;
    Some(Named {
        artist,
        title,
        length_ms: item.heard.length_ms,
    })
}

/// Asks about whatever is not settled: ids, then names.
pub(super) async fn ask(asker: &CachedServices<'_>, items: &[Item], pools: &mut [Pool]) {
    // Where an album is in no catalogue its titles are not either; a few questions show it.
    let mut left = 4 + items.len() / 2;
    for (item, pool) in items.iter().zip(pools) {
        if !item.due || item.state.is_some_and(State::is_decided) {
            continue;
        }
        let asked = async {
            by_ids(asker, item, pool).await?;
            by_names(asker, item, pool, &mut left).await
        };
        if let Err(trouble) = asked.await {
            pool.trouble = Some(trouble);
        }
    }
}

async fn by_ids(asker: &CachedServices<'_>, item: &Item, pool: &mut Pool) -> Result<(), Trouble> {
    if let Some(id) = &item.heard.recording_mbid {
        if !pool.candidates.contains_key(id) {
            if let Some(recording) = asker.recording(id).await? {
                pool.add(&recording).is_tagged = true;
            }
        } else if let Some(candidate) = pool.candidates.get_mut(id) {
            candidate.is_tagged = true;
        }
    }
    // The ids that most people name, until it is settled.
    pool.nameless
        .sort_by(|a, b| b.1.sources.cmp(&a.1.sources).then_with(|| a.0.cmp(&b.0)));
    for (id, print) in std::mem::take(&mut pool.nameless) {
        if pool.is_settled(item) {
            break;
        }
        if let Some(recording) = asker.recording(&id).await? {
            pool.add_print(&recording, print);
        }
    }
    for id in pool.perhaps_merged() {
        if pool.is_settled(item) {
            break;
        }
        let found = asker.recording(&id).await?;
        let Some(recording) = found.filter(|recording| recording.mbid != id) else {
            continue;
        };
        let former = pool.candidates.remove(&id);
        if let Some(print) = former.and_then(|one| one.print) {
            pool.add_print(&recording, print);
        }
    }
    if let Some(isrc) = item
        .heard
        .isrc
        .as_deref()
        .filter(|_| !pool.is_settled(item))
    {
        let has = |one: &Recording| one.isrcs.iter().any(|code| code == isrc);
        if !pool.candidates.values().any(|one| has(&one.recording)) {
            let found = asker
                .search_recordings(&format!("isrc:{}", words(isrc)))
                .await?;
            for recording in found.recordings.iter().filter(|one| has(one)) {
                pool.add(recording);
            }
        }
    }
    Ok(())
}

async fn by_names(
    asker: &CachedServices<'_>,
    item: &Item,
    pool: &mut Pool,
    left: &mut usize,
) -> Result<(), Trouble> {
    let mut searches = 0;
    if let Some(named) = plainly_named(item).filter(|_| !pool.is_settled(item)) {
        // Who is alone is asked about at once with others, which costs little.
        if item.alone && (*left > 0 || asker.knows(&named)) {
            searches += 1;
            *left = left.saturating_sub(1);
            let found = asker.named(&named).await?;
            add_found(item, pool, &found);
        }
    }
    for query in other_queries(item) {
        let verdict = pool.verdict(item);
        if verdict.level >= Level::Medium
            || is_named(&verdict)
            || searches >= MOST_SEARCHES
            || *left == 0
        {
            break;
        }
        searches += 1;
        *left -= 1;
        let found = asker.search_recordings(&query).await?;
        add_found(item, pool, &found.recordings);
    }
    Ok(())
}

/// Whether something of that title and artist is known: then only another version of it is missing.
fn is_named(verdict: &Verdict) -> bool {
    verdict.candidates.iter().any(|one| {
        let mut reasons = one.reasons.iter();
        reasons.any(|reason| reason.noticed == "names: title and artist are the same")
    })
}

/// Ways to ask for a title that is not known under its artist, the likeliest first.
fn other_queries(item: &Item) -> Vec<String> {
    let Some(title) = item.heard.title.as_deref() else {
        return Vec::new();
    };
    let length = around(item.heard.length_ms);
    let mut queries = Vec::new();
    let artist = item
        .heard
        .artist
        .as_deref()
        .filter(|artist| !is_nobody(artist));
    if let Some((before, after)) = title.split_once(" - ") {
        queries.push(format!(
            "recording:({}) AND artist:({}) AND {length}",
            words(after),
            words(before)
        ));
    }
    match (artist, item.heard.album.as_deref()) {
        (None, Some(album)) => queries.push(format!(
            "recording:({}) AND release:({})",
            words(title),
            words(album)
        )),
        (Some(artist), _) => {
            // Under another name of the artist, or without a length.
            queries.push(format!("recording:{} AND {length}", phrase(title)));
            queries.push(format!(
                "recording:({}) AND artist:({})",
                words(title),
                words(artist)
            ));
            queries.push(format!(
                "recording:({}) AND artist:({}) AND {length}",
                words(artist),
                words(title)
            ));
        }
        (None, None) => queries.push(format!("recording:{} AND {length}", phrase(title))),
    }
    queries
}

/// Takes in what has something of the title, in one way to read it.
fn add_found(item: &Item, pool: &mut Pool, found: &[Recording]) {
    let readings: Vec<Reading> = readings(&item.heard);
    for recording in found {
        let title = Title::parse(&recording.title);
        let is_like = |reading: &Reading| reading.title.relation(&title).name > Likeness::Different;
        if readings.iter().any(is_like) {
            pool.add(recording);
        }
    }
}
