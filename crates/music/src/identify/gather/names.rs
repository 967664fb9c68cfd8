//! Questions about single passages that no release has settled.

use crate::catalogue::Recording;
use crate::identify::ask::{CachedServices, Named, around};
use crate::identify::evidence::Verdict;
use crate::identify::features::{Reading, readings, ways};
use crate::identify::text::{
    Likeness, Title, both_scripts, is_cut, is_nobody, other_spelling, uncut,
};
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
    // Everything that has a name is asked about, several in a question, before anything is asked about twice.
    let named: Vec<Named> = items
        .iter()
        .zip(pools.iter())
        .filter(|(item, _)| item.due && !item.state.is_some_and(State::is_decided))
        .filter(|(item, pool)| item.alone && !pool.is_settled(item))
        .filter_map(|(item, _)| plainly_named(item))
        .collect();
    let asked = asker.ask_named(&named).await;
    let asked = match asked {
        Ok(()) => ask_otherwise(asker, items, pools).await,
        other => other,
    };
    // Where an album is in no catalogue its titles are not either; a few questions more show it.
    let mut left = 4 + items.len() / 4;
    for (item, pool) in items.iter().zip(pools.iter_mut()) {
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
    if let Err(trouble) = asked {
        // Who was to be asked about with others was not.
        for (item, pool) in items.iter().zip(pools) {
            if item.due && !pool.is_settled(item) {
                pool.trouble.get_or_insert_with(|| trouble.clone());
            }
        }
    }
}

/// Asks about the names of several files read in other ways, several in a question, where nothing has them as they stand.
async fn ask_otherwise(
    asker: &CachedServices<'_>,
    items: &[Item],
    pools: &mut [Pool],
) -> Result<(), Trouble> {
    let mut open = Vec::new();
    for (item, pool) in items.iter().zip(pools.iter_mut()) {
        if !item.due || !item.alone || item.state.is_some_and(State::is_decided) {
            continue;
        }
        if let Some(named) = plainly_named(item).filter(|named| asker.knows(named)) {
            add_found(item, pool, &asker.named(&named).await?);
        }
        if !is_named(&pool.verdict(item)) && !pool.is_settled(item) {
            open.push((item, pool, other_names(item)));
        }
    }
    if open.len() < 2 {
        // One is asked about by itself.
        return Ok(());
    }
    let all: Vec<Named> = open.iter().flat_map(|(.., names)| names.clone()).collect();
    asker.ask_named(&all).await?;
    for (item, pool, names) in open {
        for named in names.iter().filter(|named| asker.knows(named)) {
            add_found(item, pool, &asker.named(named).await?);
        }
    }
    Ok(())
}

/// Title and artist in other readings: they have changed places, the title holds both, or a field has cut them off.
fn other_names(item: &Item) -> Vec<Named> {
    let heard = &item.heard;
    let plain = plainly_named(item);
    let is_plain = |named: &Named| {
        let plain = plain.as_ref();
        plain.is_some_and(|plain| plain.title == named.title && plain.artist == named.artist)
    };
    let cut = plain
        .as_ref()
        .map(|named| (uncut(&named.title), uncut(&named.artist)));
    let cut = cut.map(|(title, artist)| (title.to_owned(), artist.to_owned()));
    let ways = ways(heard).into_iter();
    let ways = ways.filter_map(|way| Some((way.title, way.artist?)));
    let mut names: Vec<Named> = Vec::new();
    for (title, artist) in ways.chain(cut) {
        let named = Named {
            artist,
            title,
            length_ms: heard.length_ms,
        };
        if !is_plain(&named) && !names.contains(&named) {
            names.push(named);
        }
    }
    names
}

async fn by_ids(asker: &CachedServices<'_>, item: &Item, pool: &mut Pool) -> Result<(), Trouble> {
    for id in item.heard.ids() {
        if let Some(candidate) = pool.candidates.get_mut(id) {
            candidate.ids.push(id.clone());
        } else if let Some(recording) = asker.recording(id).await? {
            pool.add(&recording).ids.push(id.clone());
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
    merged(asker, item, pool).await?;
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

/// Ids that were merged into others are taken for those: which of several recordings of one performance
/// are still there is one question, and what became of those that are not is one for each.
async fn merged(asker: &CachedServices<'_>, item: &Item, pool: &mut Pool) -> Result<(), Trouble> {
    let twins = pool.perhaps_merged(item);
    asker.ask_current(&twins).await?;
    for id in twins {
        let current = asker.known_current(&id).flatten();
        if let Some(recording) = current {
            pool.add(&recording);
            continue;
        }
        let Some(recording) = asker.recording(&id).await? else {
            continue;
        };
        if recording.mbid == id {
            pool.add(&recording);
        } else if let Some(print) = pool.candidates.remove(&id).and_then(|one| one.print) {
            pool.add_print(&recording, print);
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
    // With others at least, or as one of an album.
    let named = plainly_named(item);
    let is_asked = named.is_some() || item.heard.album.is_some();
    if let Some(named) = named.filter(|_| !pool.is_settled(item)) {
        // Who is alone is asked about at once with others, which costs little; whoever was not, is asked about now.
        if item.alone && (*left > 0 || asker.knows(&named) || !asker.has_asked(&named)) {
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
            || *left == 0 && (is_asked || searches > 0)
        {
            break;
        }
        searches += 1;
        *left = left.saturating_sub(1);
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

/// Ways to ask for a title that is not known under its artist, the likeliest first: the ways that say
/// enough to be asked about together, and the title alone.
fn other_queries(item: &Item) -> Vec<String> {
    let Some(title) = item.heard.title.as_deref() else {
        return Vec::new();
    };
    let length = around(item.heard.length_ms);
    let artist = item
        .heard
        .artist
        .as_deref()
        .filter(|artist| !is_nobody(artist));
    let mut ways = Vec::new();
    let mut of_length = |title: &str, artist: &str| {
        let (title, artist) = (words(title), words(artist));
        ways.push(format!(
            "recording:({title}) AND artist:({artist}) AND {length}"
        ));
    };
    for named in other_names(item) {
        of_length(&named.title, &named.artist);
    }
    if let Some(album) = item.heard.album.as_deref() {
        // The artist is somebody else: the composer, the game, a guest.
        ways.push(format!(
            "recording:({}) AND release:({})",
            words(title),
            words(album)
        ));
    }
    if let Some(artist) = artist {
        // The catalogue has it without its length, or with another.
        ways.push(format!(
            "recording:({}) AND artist:({})",
            words(title),
            words(artist)
        ));
        if title.chars().filter(|c| c.is_alphanumeric()).count() < LEAST_ASKED {
            // Signs are in no index.
            ways.push(format!("artist:({}) AND {length}", words(artist)));
        } else if let Some(near) = nearly(title) {
            ways.push(format!(
                "recording:({near}) AND artist:({}) AND {length}",
                words(artist)
            ));
        }
    }
    let alone = match both_scripts(title) {
        Some((one, other)) => {
            let (one, other) = (phrase(&one), phrase(&other));
            format!("(recording:{one} OR recording:{other}) AND {length}")
        }
        None => format!("recording:{} AND {length}", phrase(title)),
    };
    match ways.len() {
        0 => vec![alone],
        1 => vec![ways.remove(0), alone],
        _ => vec![format!("({})", ways.join(") OR (")), alone],
    }
}

/// Titles of fewer letters than this are asked for by their artist and length alone.
const LEAST_ASKED: usize = 2;

/// The words of a title, long ones with a slip: `Fuehrer` is `Führer`, and `SOS` is written `S.O.S.` as well.
fn nearly(title: &str) -> Option<String> {
    let plain = words(title);
    if plain.starts_with('"') {
        return None;
    }
    let is_abbreviated =
        |word: &str| (2..=5).contains(&word.len()) && word.chars().all(|c| c.is_ascii_uppercase());
    let near = plain.split(' ').map(|word| {
        if let Some(other) = other_spelling(word) {
            format!("({word} OR {other})")
        } else if is_abbreviated(word) {
            let letters: Vec<String> = word.chars().map(|c| c.to_string()).collect();
            format!("({word} OR \"{}\")", letters.join("."))
        } else if word.chars().count() >= 5 && word.chars().all(char::is_alphabetic) {
            format!("{word}~")
        } else {
            word.to_owned()
        }
    });
    let near = near.collect::<Vec<_>>().join(" ");
    (near != plain).then_some(near)
}

/// Takes in what has something of the title, in one way to read it.
fn add_found(item: &Item, pool: &mut Pool, found: &[Recording]) {
    let readings: Vec<Reading> = readings(&item.heard);
    for recording in found {
        let halves = both_scripts(&recording.title).map(|(one, other)| [one, other]);
        let titles: Vec<_> = std::iter::once(&recording.title)
            .chain(halves.iter().flatten())
            .map(|title| Title::parse(title))
            .collect();
        let is_like = |reading: &Reading| {
            let mut titles = titles.iter();
            titles.any(|title| reading.title.relation(title).name > Likeness::Different)
        };
        let ours = item.heard.title.as_deref().unwrap_or_default();
        if readings.iter().any(is_like) || is_cut(ours, &recording.title) {
            pool.add(recording);
        }
    }
}
