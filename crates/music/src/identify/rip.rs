//! Fits a file that holds a whole album to the tracks of a release.
//!
//! Silence found passages; a release may know better. A dynamic programme walks along the tracks
//! and decides for each where it ends: in a gap that was found, at another quiet spot (which splits
//! a passage), or past gaps (which merges some). A boundary is never put where the audio is not
//! quiet, other than as a guess that says so.

use crate::library::values::QuietSpot;

/// A passage that silence found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Where it starts, in ms.
    pub start: u64,
    /// Where it ends, in ms.
    pub end: u64,
}

/// Where a track ends and the next one starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boundary {
    /// In a gap between passages.
    Gap {
        /// Where sound ends, in ms.
        end: u64,
        /// Where it goes on, in ms.
        start: u64,
    },
    /// At another quiet spot, in ms.
    Quiet(u64),
    /// Where the release would have it, in ms, though nothing can be heard there.
    Guess(u64),
}

impl Boundary {
    fn end(self) -> u64 {
        match self {
            Self::Gap { end, .. } | Self::Quiet(end) | Self::Guess(end) => end,
        }
    }

    fn start(self) -> u64 {
        match self {
            Self::Gap { start, .. } | Self::Quiet(start) | Self::Guess(start) => start,
        }
    }
}

/// A release laid over a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Alignment {
    /// The tracks' spans, one a track.
    pub tracks: Vec<Span>,
    /// Between the tracks, one fewer than those.
    pub boundaries: Vec<Boundary>,
    /// Tracks at the end of the release that the file does not hold.
    pub missing: usize,
    /// How far the tracks' lengths are off, on average, in seconds.
    pub mean_error: f64,
    /// What the walk cost; the lower the better, and below 0 where gaps are found as foretold.
    pub cost: f64,
}

impl Alignment {
    /// Whether every boundary can be heard.
    pub fn is_heard(&self) -> bool {
        !self
            .boundaries
            .iter()
            .any(|boundary| matches!(boundary, Boundary::Guess(_)))
    }

    /// How well the release explains the file, 0 to 1.
    pub fn quality(&self) -> f64 {
        let guesses = self
            .boundaries
            .iter()
            .filter(|boundary| matches!(boundary, Boundary::Guess(_)))
            .count();
        let of_all = (self.tracks.len() + self.missing).max(1) as f64;
        let heard = 1.0 - guesses as f64 / of_all;
        let there = self.tracks.len() as f64 / of_all;
        heard * there * (-self.mean_error / 12.0).exp()
    }
}

/// A track is never taken for so much longer or shorter than the release says, in ms.
const WINDOW: u64 = 15_000;

/// Ways kept after each track.
const BEAM: usize = 160;

/// What a gap where a track should end speaks for the release: by chance there is hardly ever one.
const GAP_GAIN: f64 = 4.0;
const GUESS_COST: f64 = 4.0;
const MISSING_COST: f64 = 12.0;

/// A way up to the end of some track.
#[derive(Debug, Clone, Copy)]
struct Way {
    boundary: Boundary,
    cost: f64,
    error: f64,
    /// The way it goes on from, in the step before.
    from: usize,
}

/// Lays tracks of `lengths` (ms) over `spans`; `None` if that makes no sense.
///
/// `spots` are in order. Costs well under a millisecond for an album.
pub fn align(spans: &[Span], spots: &[QuietSpot], lengths: &[u64]) -> Option<Alignment> {
    let (first, last) = (spans.first()?, spans.last()?);
    if lengths.is_empty() {
        return None;
    }
    let places = places(spans, spots);
    let begin = Way {
        boundary: Boundary::Gap {
            end: first.start,
            start: first.start,
        },
        cost: 0.0,
        error: 0.0,
        from: 0,
    };
    let mut steps = vec![vec![begin]];
    let mut best: Option<(f64, usize, usize)> = None;
    for (at, length) in lengths.iter().enumerate() {
        let before = steps.last()?;
        // The file may end with this track.
        for (from, way) in before.iter().enumerate() {
            let missing = lengths.len() - at - 1;
            let Some(cost) = last_cost(way, last.end, *length) else {
                continue;
            };
            let skipped = skipped(&places, way.boundary.start(), last.end);
            let cost = way.cost + cost + skipped + missing as f64 * MISSING_COST;
            if best.is_none_or(|(least, ..)| cost < least) {
                best = Some((cost, at, from));
            }
        }
        let ways = extend(before, &places, *length, last.end);
        if ways.is_empty() {
            break;
        }
        steps.push(ways);
    }
    let (cost, at, from) = best?;
    Some(trace(&steps, spans, lengths, (cost, at, from)))
}

/// The best of several releases, by index, with its alignment; fewer guesses and gaps unexplained win.
pub fn best_edition<'a>(
    spans: &[Span],
    spots: &[QuietSpot],
    editions: impl IntoIterator<Item = &'a [u64]>,
) -> Option<(usize, Alignment)> {
    editions
        .into_iter()
        .enumerate()
        .filter_map(|(at, lengths)| Some((at, align(spans, spots, lengths)?)))
        .min_by(|(_, a), (_, b)| a.cost.total_cmp(&b.cost))
}

/// Where a track may end, in order, with what ending there costs and what passing it does.
struct Place {
    boundary: Boundary,
    take: f64,
    pass: f64,
}

fn places(spans: &[Span], spots: &[QuietSpot]) -> Vec<Place> {
    let gaps = spans.windows(2).map(|pair| {
        let seconds = pair[1].start.saturating_sub(pair[0].end) as f64 / 1000.0;
        Place {
            boundary: Boundary::Gap {
                end: pair[0].end,
                start: pair[1].start,
            },
            take: -GAP_GAIN,
            // Music has rests; long ones are rare.
            pass: (0.5 + seconds * 0.9).min(6.0),
        }
    });
    let in_gap = |at: u64| {
        spans
            .windows(2)
            .any(|pair| (pair[0].end.saturating_sub(300)..=pair[1].start + 300).contains(&at))
    };
    let quiet = spots
        .iter()
        .filter(|spot| !in_gap(spot.at))
        .map(|spot| Place {
            boundary: Boundary::Quiet(spot.at),
            // Music is full of shallow ones.
            take: ((7.0 - spot.depth_db) / 2.5).clamp(-3.0, 2.0),
            pass: 0.0,
        });
    let mut places: Vec<_> = gaps.chain(quiet).collect();
    places.sort_by_key(|place| place.boundary.start());
    places
}

/// How far a track from `from` to `to` is from its length, in seconds; what lies in gaps may
/// belong to it or not.
fn error(from: Boundary, to: Boundary, length: u64) -> f64 {
    let shortest = to.end().saturating_sub(from.start());
    let longest = to.start().saturating_sub(from.end());
    let off = if length < shortest {
        shortest - length
    } else {
        length.saturating_sub(longest)
    };
    off as f64 / 1000.0
}

fn error_cost(error: f64) -> f64 {
    0.15 * error + (error / 4.0).powi(2).min(12.0)
}

fn skipped(places: &[Place], from: u64, to: u64) -> f64 {
    let first = places.partition_point(|place| place.boundary.start() <= from);
    places[first..]
        .iter()
        .take_while(|place| place.boundary.start() < to)
        .map(|place| place.pass)
        .sum()
}

/// What it costs that the last track goes on to the end of the sound. A release's last track may
/// hold silence that nobody keeps.
fn last_cost(way: &Way, end: u64, length: u64) -> Option<f64> {
    let found = end.checked_sub(way.boundary.start())?;
    let off = found.abs_diff(length);
    if found == 0 || off > WINDOW.max(length / 6) {
        return None;
    }
    let off = off as f64 / 1000.0;
    let off = if found < length { off * 0.6 } else { off };
    Some(error_cost(off))
}

fn extend(before: &[Way], places: &[Place], length: u64, end: u64) -> Vec<Way> {
    let mut ways: Vec<Way> = Vec::new();
    for (from, way) in before.iter().enumerate() {
        let start = way.boundary.start();
        let window = WINDOW.min(length * 4 / 10);
        let (low, high) = (start + length - window, start + length + window);
        let first = places.partition_point(|place| place.boundary.start() <= start);
        let mut passed = 0.0;
        for place in &places[first..] {
            let at = place.boundary.start();
            if at > high + 3_000 || at >= end {
                break;
            }
            if at >= low {
                let error = error(way.boundary, place.boundary, length);
                ways.push(Way {
                    boundary: place.boundary,
                    cost: way.cost + passed + place.take + error_cost(error),
                    error: way.error + error,
                    from,
                });
            }
            passed += place.pass;
        }
        let guess = start + length;
        if guess < end {
            ways.push(Way {
                boundary: Boundary::Guess(guess),
                cost: way.cost + skipped(places, start, guess) + GUESS_COST,
                error: way.error,
                from,
            });
        }
    }
    // Of the ways that meet, the cheapest goes on.
    ways.sort_by(|a, b| {
        let place = (a.boundary.start() / 100).cmp(&(b.boundary.start() / 100));
        place.then(a.cost.total_cmp(&b.cost))
    });
    ways.dedup_by_key(|way| way.boundary.start() / 100);
    ways.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    ways.truncate(BEAM);
    ways
}

fn trace(
    steps: &[Vec<Way>],
    spans: &[Span],
    lengths: &[u64],
    (cost, at, from): (f64, usize, usize),
) -> Alignment {
    let mut boundaries = Vec::new();
    let mut way = steps[at][from];
    let mut step = at;
    let mut error = way.error;
    while step > 0 {
        boundaries.push(way.boundary);
        step -= 1;
        way = steps[step][way.from];
    }
    boundaries.reverse();
    let (first, last) = (spans[0].start, spans[spans.len() - 1].end);
    let starts = std::iter::once(first).chain(boundaries.iter().map(|boundary| boundary.start()));
    let ends = boundaries
        .iter()
        .map(|boundary| boundary.end())
        .chain(std::iter::once(last));
    let tracks: Vec<_> = starts
        .zip(ends)
        .map(|(start, end)| Span { start, end })
        .collect();
    let final_track = tracks[tracks.len() - 1];
    error += (final_track.end - final_track.start).abs_diff(lengths[at]) as f64 / 1000.0;
    Alignment {
        mean_error: error / tracks.len() as f64,
        missing: lengths.len() - tracks.len(),
        tracks,
        boundaries,
        cost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Passages of these lengths (ms) with gaps of one second.
    fn spans(lengths: &[u64]) -> Vec<Span> {
        let mut at = 500;
        lengths
            .iter()
            .map(|length| {
                let span = Span {
                    start: at,
                    end: at + length,
                };
                at += length + 1_000;
                span
            })
            .collect()
    }

    #[test]
    fn passages_that_are_tracks_stay_as_they_are() {
        let spans = spans(&[180_000, 240_000, 200_000]);
        let found = align(&spans, &[], &[181_000, 241_000, 203_000]).unwrap();
        assert_eq!(found.tracks, spans);
        assert_eq!(found.missing, 0);
        assert!(found.is_heard());
        assert!(found.quality() > 0.85, "{found:?}");
    }

    #[test]
    fn a_rest_is_merged_and_a_segue_is_split_at_the_quiet_spot() {
        // The second track has a rest in it, the third and fourth run into each other.
        let spans = spans(&[180_000, 100_000, 139_000, 360_000]);
        let split = spans[3].start + 161_300;
        let spots = [
            QuietSpot {
                at: spans[3].start + 90_000,
                depth_db: 9.0,
            },
            QuietSpot {
                at: split,
                depth_db: 14.0,
            },
        ];
        let found = align(&spans, &spots, &[181_000, 240_500, 160_000, 200_000]).unwrap();
        assert_eq!(found.tracks.len(), 4);
        assert_eq!(found.tracks[1].start, spans[1].start);
        assert_eq!(found.tracks[1].end, spans[2].end);
        assert_eq!(found.boundaries[2], Boundary::Quiet(split));
        assert!(found.is_heard());
    }

    #[test]
    fn where_nothing_is_quiet_a_boundary_is_a_guess() {
        let spans = spans(&[180_000, 360_000]);
        let found = align(&spans, &[], &[181_000, 160_000, 200_000]).unwrap();
        assert_eq!(found.tracks.len(), 3);
        assert!(!found.is_heard());
    }

    #[test]
    fn the_edition_with_the_right_tracks_wins() {
        let spans = spans(&[180_000, 240_000, 200_000, 150_000]);
        let editions: [&[u64]; 3] = [
            &[181_000, 241_000, 201_000, 151_000, 300_000, 290_000],
            &[181_000, 241_000, 201_000, 151_000],
            &[241_000, 181_000, 201_000, 151_000],
        ];
        let (at, _) = best_edition(&spans, &[], editions).unwrap();
        assert_eq!(at, 1);
    }
}
