//! Whether marks fit the sound.
//!
//! A cue sheet is believed before what is heard: tracks may touch, and then nothing is heard between them. But where pauses
//! are clear and the sheet's tracks begin elsewhere, in the middle of sound, it is the sheet of another rip or of another
//! album. Times that are off all alike (a pregap that was or was not counted, a turntable that ran faster) can be put
//! right, as then every track begins at a pause; a sheet whose tracks do not is not followed. Either is
//! listed for review.

use super::{Gap, Segmentation};
use crate::levels::PER_SECOND;
use crate::marks::{Mark, Marks, Origin};

/// A pause that hearing is this sure of is clear: of boundaries of that confidence nine in ten are right (`BENCHMARKS.md`).
const CLEAR: f64 = 0.8;

/// A dip that is no less likely a boundary than this explains a mark beside it. A guess.
const PERHAPS: f64 = 0.05;

/// A mark belongs to a pause that it is no further away from, in seconds: rips are cut at frames of 1/75 s, encoders add a
/// tenth, and the edges of a fade are a matter of opinion.
const BESIDE_SECONDS: f64 = 1.0;

/// How sure a boundary is that the sheet and the sound do not agree about: low, so that a person is asked.
const DOUBTFUL: f64 = 0.5;

/// Turntables and tape decks run this much too fast or too slow at most; worn out ones more.
const MOST_RATE: f64 = 0.03;

/// Times are off by no more than this all together, in seconds: a long lead-in. A guess.
const MOST_SHIFT_SECONDS: f64 = 30.0;

/// A track's length in the sheet and in the sound differ by no more than this where pauses were not counted, in seconds
/// and as a share: usual pauses are 2 s long.
const LENGTH_SECONDS: f64 = 3.0;
const LENGTH_SHARE: f64 = 0.03;

/// Fewer marks than these agree or disagree with pauses by chance.
const FEWEST: usize = 2;

/// What the pauses say about marks.
pub(super) enum Verdict {
    /// Nothing against them.
    Fit,
    /// A pause is clear where no track begins, and a track begins where there is no pause.
    Doubtful,
    /// Most pauses are elsewhere, and these are the marks put right.
    Moved(Marks, String),
    /// Most pauses are elsewhere.
    Wrong,
}

/// A pause, in seconds.
#[derive(Clone, Copy)]
struct Pause {
    from: f64,
    to: f64,
}

impl Pause {
    fn of(gap: &Gap) -> Self {
        let second = |window: usize| window as f64 / f64::from(PER_SECOND);
        Self {
            from: second(gap.from),
            to: second(gap.to),
        }
    }

    fn is_beside(&self, at: f64) -> bool {
        (self.from - BESIDE_SECONDS..=self.to + BESIDE_SECONDS).contains(&at)
    }
}

/// Compares marks with the gaps that hearing alone finds.
pub(super) fn judge(marks: &Marks, gaps: &[Gap]) -> Verdict {
    let pauses = |is_meant: &dyn Fn(&Gap) -> bool| -> Vec<Pause> {
        gaps.iter()
            .filter(|gap| is_meant(gap))
            .map(Pause::of)
            .collect()
    };
    let perhaps = pauses(&|gap| gap.cut || gap.confidence >= PERHAPS);
    let clear = pauses(&|gap| gap.cut && gap.confidence >= CLEAR);
    let starts: Vec<f64> = marks.tracks.iter().skip(1).map(|mark| mark.start).collect();
    let is_stray = |at: &&f64| !perhaps.iter().any(|pause| pause.is_beside(**at));
    let is_missed = |pause: &&Pause| !starts.iter().any(|at| pause.is_beside(*at));
    let stray = starts.iter().filter(is_stray).count();
    let missed = clear.iter().filter(is_missed).count();
    if stray == 0 || missed == 0 {
        return Verdict::Fit;
    }
    let are_few = missed < FEWEST || stray < FEWEST;
    if are_few || missed * 2 < clear.len() || stray * 2 < starts.len() {
        return Verdict::Doubtful;
    }
    let cuts = pauses(&|gap| gap.cut);
    if let Some((shift, rate)) = moved(&starts, &cuts) {
        let text = if (rate - 1.0).abs() < 0.002 {
            format!("all its times are {:.1} s {}", shift.abs(), early(shift))
        } else {
            format!(
                "its times run {:.1} % {}",
                100.0 * (rate - 1.0).abs(),
                slow(rate)
            )
        };
        let put_right = |mark: &Mark| Mark {
            start: (shift + rate * mark.start).max(0.0),
            end: mark.end.map(|end| (shift + rate * end).max(0.0)),
            ..mark.clone()
        };
        let tracks = marks.tracks.iter().map(put_right).collect();
        return Verdict::Moved(
            Marks {
                tracks,
                ..marks.clone()
            },
            text,
        );
    }
    if is_as_long(&starts, &cuts) {
        let first = marks.tracks.first().cloned();
        let others = marks.tracks.iter().skip(1).zip(&cuts);
        let moved = others.map(|(mark, pause)| Mark {
            start: pause.to,
            end: None,
            ..mark.clone()
        });
        let first = first.map(|mark| Mark { end: None, ..mark });
        let tracks = first.into_iter().chain(moved).collect();
        let text = "its times leave the pauses out".to_owned();
        return Verdict::Moved(
            Marks {
                tracks,
                ..marks.clone()
            },
            text,
        );
    }
    Verdict::Wrong
}

fn early(shift: f64) -> &'static str {
    if shift > 0.0 { "early" } else { "late" }
}

fn slow(rate: f64) -> &'static str {
    if rate > 1.0 { "fast" } else { "slow" }
}

/// By how many seconds, and times what, every start lies at the end of a pause of its own; the least change that does it.
fn moved(starts: &[f64], pauses: &[Pause]) -> Option<(f64, f64)> {
    if starts.len() < FEWEST {
        return None;
    }
    let (first, last) = (*starts.first()?, *starts.last()?);
    let ends = || pauses.iter().map(|pause| pause.to);
    // As a whole only, or by the ends of the first and the last one.
    let shifts = ends().map(|end| (end - first, 1.0));
    let both = ends().flat_map(|end| ends().map(move |other| (end, other)));
    let rates = both.filter_map(|(end, other)| {
        let rate = (other - end) / (last - first);
        Some((end - rate * first, rate)).filter(|_| starts.len() > FEWEST && rate.is_finite())
    });
    let change = |(shift, rate): &(f64, f64)| shift.abs() + 1e3 * (rate - 1.0).abs();
    let is_small = |(shift, rate): &(f64, f64)| {
        shift.abs() <= MOST_SHIFT_SECONDS && (rate - 1.0).abs() <= MOST_RATE
    };
    let mut found: Vec<(f64, f64)> = shifts.chain(rates).filter(is_small).collect();
    found.sort_by(|a, b| change(a).total_cmp(&change(b)));
    found.into_iter().find(|(shift, rate)| {
        let places: Vec<Option<usize>> = starts
            .iter()
            .map(|start| {
                let at = shift + rate * start;
                pauses
                    .iter()
                    .position(|pause| (pause.from..=pause.to + BESIDE_SECONDS / 2.0).contains(&at))
            })
            .collect();
        let have_own = places.windows(2).all(|two| two[0] != two[1]);
        have_own && places.iter().all(Option::is_some)
    })
}

/// Whether the tracks between the first start and the last are as long as the sheet says, one by one, with or without the
/// pause before them.
fn is_as_long(starts: &[f64], pauses: &[Pause]) -> bool {
    let agrees = |(marked, heard): (&[f64], &[Pause])| {
        let [length, sounds, all] = [
            marked[1] - marked[0],
            heard[1].from - heard[0].to,
            heard[1].to - heard[0].to,
        ];
        let near = |heard: f64| (heard - length).abs() <= LENGTH_SECONDS.max(LENGTH_SHARE * length);
        near(sounds) || near(all)
    };
    starts.len() > FEWEST
        && starts.len() == pauses.len()
        && (starts[0] - pauses[0].to).abs() <= MOST_SHIFT_SECONDS
        && starts.windows(2).zip(pauses.windows(2)).all(agrees)
}

/// The word for who marked.
pub(super) fn called(origin: Origin) -> &'static str {
    match origin {
        Origin::Chapters => "the chapters",
        Origin::CueSheet | Origin::EmbeddedCueSheet => "the cue sheet",
    }
}

impl Segmentation {
    /// With every boundary as one that a person is asked about, and why.
    pub(super) fn doubted(mut self, why: &str) -> Self {
        for boundary in self.boundaries.iter_mut().filter(|one| one.is_cut) {
            boundary.confidence = boundary.confidence.min(DOUBTFUL);
            boundary.reason = format!("{}; {why}", boundary.reason);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gaps of 2 s before these starts, as sure as can be.
    fn gaps(starts: &[f64]) -> Vec<Gap> {
        let window = |second: f64| (second * f64::from(PER_SECOND)) as usize;
        let gap = |start: &f64| Gap {
            from: window(start - 2.0),
            to: window(*start),
            dbfs: -90.0,
            confidence: 0.99,
            cut: true,
        };
        starts.iter().map(gap).collect()
    }

    fn marks(starts: &[f64]) -> Marks {
        let mark = |start: &f64| Mark {
            start: *start,
            ..Mark::default()
        };
        Marks {
            origin: Origin::CueSheet,
            album: None,
            tracks: [0.0].iter().chain(starts).map(mark).collect(),
        }
    }

    /// What is left of marks at these starts: the starts as they are put right.
    fn judged(starts: &[f64], heard: &[f64]) -> Result<Vec<f64>, &'static str> {
        match judge(&marks(starts), &gaps(heard)) {
            Verdict::Fit => Err("fit"),
            Verdict::Doubtful => Err("doubtful"),
            Verdict::Wrong => Err("wrong"),
            Verdict::Moved(marks, _) => {
                Ok(marks.tracks.iter().skip(1).map(|mark| mark.start).collect())
            }
        }
    }

    #[test]
    fn marks_that_pauses_agree_with_or_say_nothing_about_fit() {
        let heard = [100.0, 230.0, 310.0, 460.0];
        assert_eq!(judged(&[100.0, 230.5, 309.0, 457.5], &heard), Err("fit"));
        // Tracks that touch, where nothing is heard, and pauses within a track.
        assert_eq!(
            judged(&[100.0, 180.0, 230.0, 310.0, 460.0], &heard),
            Err("fit")
        );
        assert_eq!(judged(&[50.0, 150.0, 270.0], &[]), Err("fit"));
        assert_eq!(judged(&[100.0, 310.0], &heard), Err("fit"));
    }

    #[test]
    fn times_that_are_all_off_alike_are_put_right() {
        let heard = [100.0, 230.0, 310.0, 460.0];
        let close = |starts: &[f64], name: &str| {
            let found = judged(starts, &heard).unwrap_or_else(|is| panic!("{name}: {is}"));
            for (found, truth) in found.iter().zip(heard) {
                assert!((found - truth).abs() < 0.6, "{name}: {found} for {truth}");
            }
        };
        close(&heard.map(|at| at + 2.2), "later");
        close(&heard.map(|at| at + 8.0), "much later");
        close(&heard.map(|at| at - 8.0), "earlier");
        close(&heard.map(|at| at * 1.015), "slower");
        close(&[96.0, 224.0, 302.0, 450.0], "without the pauses");
    }

    #[test]
    fn the_sheet_of_another_album_is_wrong() {
        let heard = [42.0, 84.0, 127.0, 169.0];
        assert_eq!(judged(&[31.0, 64.0, 100.0, 141.0], &heard), Err("wrong"));
        assert_eq!(judged(&[60.0, 150.0], &heard), Err("wrong"));
        assert_eq!(judged(&[60.0], &[100.0]), Err("doubtful"));
        assert_eq!(
            judged(&[60.0], &heard),
            Err("doubtful"),
            "one is not enough"
        );
    }
}
