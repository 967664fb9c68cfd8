//! Cuts an album rip anew where its release explains the audio better than silence did.
//!
//! Passages are merged or split only at gaps and at spots that are really quiet, and only where
//! nearly every track's length then agrees with the release: with that of a disc, a side or any other
//! run of tracks. A medley that is one track of its release and called like it is one passage.

use crate::catalogue::Release;
use crate::id::PassageId;
use crate::identify::rip::{self, Alignment, Span};
use crate::identify::text::{Likeness, Title};
use crate::library::due::Item;
use crate::library::identification::State;
use audio::Ticks;

/// Fewer tracks than these could fit by chance, unless the file is called like them.
const FEWEST_TRACKS: usize = 4;

/// A track whose length is off by no more than this agrees, in ms.
const AGREES_MS: u64 = 3_000;

const TICKS_PER_MS: i64 = Ticks::PER_SECOND / 1_000;

/// A passage's place in ms.
pub fn span(item: &Item) -> Span {
    let ms = |ticks: i64| ((ticks + TICKS_PER_MS / 2) / TICKS_PER_MS).max(0) as u64;
    Span {
        start: ms(item.start),
        end: ms(item.end),
    }
}

/// What of a release a file of `sound_ms` may hold, each as the indices of its tracks: a disc, the release as a whole, and
/// any tracks in a row that are about as long as the file. That is a side of a record, which the catalogue may have as the
/// middle of a disc, and a medley that it has as several tracks.
pub fn parts(release: &Release, sound_ms: u64) -> Vec<Vec<usize>> {
    let whole: Vec<_> = (0..release.tracks.len()).collect();
    let count = release.discs();
    let mut parts: Vec<Vec<usize>> = (1..=count)
        .map(|disc| {
            let on_it = |at: &usize| release.tracks[*at].disc == disc;
            whole.iter().copied().filter(on_it).collect()
        })
        .collect();
    let rows: Vec<Vec<usize>> = parts
        .iter()
        .flat_map(|disc| rows(release, disc, sound_ms))
        .filter(|row| !parts.contains(row))
        .collect();
    parts.extend(rows);
    if count > 1 {
        parts.push(whole);
    }
    parts
}

/// Tracks in a row on `disc`, two or more, that are about as long as `sound_ms` together.
fn rows(release: &Release, disc: &[usize], sound_ms: u64) -> Vec<Vec<usize>> {
    let mut rows = Vec::new();
    for from in 0..disc.len() {
        let mut length = 0;
        for to in from..disc.len() {
            let Some(track) = release.tracks[disc[to]].length_ms else {
                break;
            };
            length += track;
            let count = to + 1 - from;
            let off = OFF_EACH_MS * count as u64;
            if length > sound_ms + off {
                break;
            }
            if count > 1 && length.abs_diff(sound_ms) <= off {
                rows.push(disc[from..=to].to_vec());
            }
        }
    }
    rows
}

/// A side of a record is off by no more than this for each of its tracks, in ms: pauses of some seconds between them, speed
/// that is off by one in a hundred.
const OFF_EACH_MS: u64 = 6_000;

/// Lengths of some tracks of a release; none if one is not known.
pub fn lengths(release: &Release, tracks: &[usize]) -> Option<Vec<u64>> {
    tracks
        .iter()
        .map(|at| release.tracks[*at].length_ms)
        .collect()
}

/// From the first sound of a file to its last, in ms.
pub fn sound_of(spans: &[Span]) -> u64 {
    let ends = spans.first().zip(spans.last());
    ends.map_or(0, |(first, last)| last.end.saturating_sub(first.start))
}

/// The passages as the best of the releases would have them, if that is another cut and a good one.
pub fn recut<'a>(items: &[Item], releases: impl Iterator<Item = &'a Release>) -> Option<Vec<Item>> {
    let first = items.first()?;
    let is_one_file = items
        .iter()
        .all(|item| item.path == first.path && !item.alone);
    // A person and marks that fit know better than a release.
    let is_free = |item: &Item| {
        item.due && !item.is_cut_by_authority && !item.state.is_some_and(State::is_decided)
    };
    if !is_one_file || !items.iter().all(is_free) {
        return None;
    }
    let spans: Vec<_> = items.iter().map(span).collect();
    let sound = sound_of(&spans);
    let called = first.tags.title.as_deref().map(Title::parse);
    let tracks = |release: &'a Release| {
        let all = release.tracks.iter().enumerate();
        let is_as_long = move |length: u64| length.abs_diff(sound) <= OFF_EACH_MS;
        let single = all.filter(move |(_, track)| track.length_ms.is_some_and(is_as_long));
        let single = single.map(|(at, _)| vec![at]);
        single.chain(parts(release, sound))
    };
    let laid = |release: &Release, tracks: &[usize]| {
        let lengths = lengths(release, tracks)?;
        let found = rip::align(&spans, &first.spots, &lengths)?;
        let is_called = called
            .as_ref()
            .is_some_and(|called| is_called(called, release, tracks));
        is_good(&found, &lengths, is_called).then_some((found, is_called))
    };
    let found = releases.flat_map(|release| {
        let laid = tracks(release).filter_map(|tracks| laid(release, &tracks));
        laid.collect::<Vec<_>>()
    });
    // What the file is called says more than a row of lengths, of which there are many.
    let (found, _) = found.min_by(|(a, is_a), (b, is_b)| {
        let called = is_b.cmp(is_a);
        called.then(a.cost.total_cmp(&b.cost))
    })?;
    (found.tracks != spans).then(|| cut(items, &found))
}

/// Whether a file that is called so is called like these tracks: like the one, or like all of them one after the other.
fn is_called(called: &Title, release: &Release, tracks: &[usize]) -> bool {
    let titles: Vec<_> = tracks
        .iter()
        .map(|at| release.tracks[*at].title.as_str())
        .collect();
    let together = Title::parse(&titles.join(" / "));
    called.relation(&together).name >= Likeness::Misspelt
}

fn is_good(found: &Alignment, lengths: &[u64], is_called: bool) -> bool {
    let agree = found
        .tracks
        .iter()
        .zip(lengths)
        .filter(|(track, length)| (track.end - track.start).abs_diff(**length) <= AGREES_MS)
        .count();
    found.is_heard()
        && found.missing == 0
        && (found.tracks.len() >= FEWEST_TRACKS || is_called)
        && agree * 5 >= found.tracks.len() * 4
}

/// Passages that stay keep everything, those that change keep their id where most of them stays.
fn cut(items: &[Item], found: &Alignment) -> Vec<Item> {
    let mut former: Vec<&Item> = items.iter().collect();
    let kept: Vec<Option<Item>> = found
        .tracks
        .iter()
        .map(|track| {
            let at = former.iter().position(|item| span(item) == *track)?;
            Some(former.remove(at).clone())
        })
        .collect();
    let ticks = |ms: u64, of: fn(&Item) -> i64, of_span: fn(Span) -> u64| {
        let known = items.iter().find(|item| of_span(span(item)) == ms);
        known.map_or(ms as i64 * TICKS_PER_MS, of)
    };
    kept.into_iter()
        .zip(&found.tracks)
        .map(|(kept, track)| {
            if let Some(kept) = kept {
                return kept;
            }
            let shared = |item: &&Item| {
                let old = span(item);
                old.end
                    .min(track.end)
                    .saturating_sub(old.start.max(track.start))
            };
            let most = former
                .iter()
                .enumerate()
                .max_by_key(|(_, item)| shared(item));
            let at = most.filter(|(_, item)| {
                let old = span(item);
                shared(item) * 2 > (old.end - old.start).max(track.end - track.start)
            });
            let at = at.map(|(at, _)| at);
            let (id, state) = at.map_or_else(
                || (PassageId::random(), None),
                |at| {
                    let old = former.remove(at);
                    (old.id.clone(), old.state)
                },
            );
            let mut item = items[0].clone();
            item.id = id;
            item.state = state;
            item.recording = None;
            item.fingerprint = None;
            item.start = ticks(track.start, |item| item.start, |span| span.start);
            item.end = ticks(track.end, |item| item.end, |span| span.end);
            item.heard.length_ms = track.end - track.start;
            if found.tracks.len() == 1 {
                item.hear_as_whole();
            }
            item
        })
        .collect()
}
