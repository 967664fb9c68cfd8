//! Lays releases under the passages of an album, and tells each passage what it may be.

use crate::catalogue::Release;
use crate::identify::album::{self, Fit};
use crate::identify::evidence::Context;
use crate::identify::text::Title;
use crate::identify::{recut, rip};
use crate::library::due::Item;

use super::pool::{Pool, add_context};

/// Adds what a release says of each passage; the share of the passages that are on it.
pub(super) fn fit(items: &[Item], pools: &mut [Pool], release: &Release) -> f64 {
    let found = if items.iter().all(|item| item.alone) {
        fit_files(items, pools, release)
    } else {
        fit_rip(items, release).unwrap_or_else(|| fit_files(items, pools, release))
    };
    let discs = release.discs();
    let names: Vec<_> = release
        .tracks
        .iter()
        .map(|track| Title::parse(&track.title).name)
        .collect();
    for (at, item) in items.iter().enumerate() {
        let Some(number) = found.tracks[at] else {
            continue;
        };
        let track = &release.tracks[number];
        let mut recording = track.recording.clone();
        recording.releases = vec![release.name.clone()];
        let context = Context {
            release: release.name.clone(),
            artist: release.artist.clone(),
            title: track.title.clone(),
            length_ms: track.length_ms,
            others: found.others(at),
            misnamed: found.others_misnamed(at),
            loose: found.others_loose(at),
            has_slipped: found.slipped[at],
            siblings: items.len() - 1,
            is_others_chosen: found.is_others_chosen(at),
            in_place: album::is_placed(&item.heard, track, discs),
            lacks_disc: item.heard.disc.is_some_and(|disc| disc > discs),
            has_twin: names.iter().filter(|name| **name == names[number]).count() > 1,
        };
        add_context(pools[at].add(&recording), context);
    }
    found.share()
}

fn fit_files(items: &[Item], pools: &[Pool], release: &Release) -> Fit {
    let siblings: Vec<_> = items
        .iter()
        .zip(pools)
        .map(|(item, pool)| pool.sibling(item))
        .collect();
    album::fit(&siblings, release)
}

/// A track that a passage is the whole of agrees up to this many ms.
const AGREES: u64 = 3_000;

/// Lays a release, or one disc or side of it, under the passages of a file.
fn fit_rip(items: &[Item], release: &Release) -> Option<Fit> {
    let is_one_file = items.iter().all(|item| item.path == items[0].path);
    if !is_one_file || items.len() < 2 {
        return None;
    }
    let spans: Vec<_> = items.iter().map(recut::span).collect();
    let mut best: Option<(Fit, f64)> = None;
    for tracks in recut::parts(release, recut::sound_of(&spans)) {
        let lengths = recut::lengths(release, &tracks);
        let spots = &items[0].spots;
        let Some(found) = lengths.and_then(|lengths| rip::align(&spans, spots, &lengths)) else {
            continue;
        };
        let mut fit = Fit::of_none(items.len());
        // A passage is a track if it is the whole of it.
        for (number, track) in found.tracks.iter().enumerate() {
            let Some(at) = spans.iter().position(|span| span == track) else {
                continue;
            };
            let length = release.tracks[tracks[number]].length_ms.unwrap_or_default();
            fit.tracks[at] = Some(tracks[number]);
            fit.supported[at] = length.abs_diff(track.end - track.start) <= AGREES;
        }
        if best.as_ref().is_none_or(|(_, cost)| found.cost < *cost) {
            best = Some((fit, found.cost));
        }
    }
    best.map(|(fit, _)| fit)
}
