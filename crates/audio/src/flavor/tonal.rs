//! Key and mode, from how much of each pitch class sounds.
//!
//! The peaks of long spectra (0.74 s) between 40 Hz and 3.9 kHz are folded into one
//! octave (Fujishima's pitch class profile, 1999), after the tuning of the
//! passage has been found. They count less and less towards both ends, so that nothing
//! comes or goes all at once where a piece is played a semitone higher. A peak also counts, less and less, for the tones whose
//! second, third and fourth partial it may be (Gómez, 2006). The same is kept apart
//! for the bass, and for how the passage begins and ends: where a piece comes from
//! and where it comes home to says as much of its key as all that lies between.
//! What each of these weighs is fitted on music whose key is known
//! ([`weights`](super::weights)). How well a key fits is told by the correlation with
//! the mean of Temperley's profiles (2001, from the Kostka-Payne corpus) and of
//! Krumhansl and Kessler's (1982).

#![expect(
    clippy::inline_always,
    reason = "a loop is compiled for wider vectors only where it stands in the function that is compiled for them"
)]

use std::collections::VecDeque;
use std::ops::Range;

use realfft::num_complex::Complex;

use super::weights::Weights;
use crate::fingerprint::RATE;
use crate::frames::{Frames, Window};
use crate::vector::{Loop, greatest_of, widest};

const FRAME: usize = 8192;
const HOP: usize = 4096;

/// Peaks are looked for from here to here.
const LOWEST_HERTZ: f64 = 38.0;
const HIGHEST_HERTZ: f64 = 4300.0;

/// From where to where peaks count more and more, and from where to where less and less, in octaves above the lowest C: 39
/// to 65 Hz, and 2.6 to 3.9 kHz. Of nine settings this is the one that told no more keys wrong on rendered songs and kept
/// most keys of tracks that were played faster or slower: `BENCHMARKS.md`.
const FADE_IN: [f64; 2] = [1.25, 2.0];
const FADE_OUT: [f64; 2] = [7.3, 7.9];

/// Bins of an octave while the tuning is not known: 10 cents each.
const FINE: usize = 120;
const FINE_PER_CLASS: usize = FINE / 12;

/// Peaks below this share of a frame's greatest are noise.
const LEAST_PEAK: f32 = 0.01;

/// Frames with less power than this are silence.
const SILENT: f32 = 1e-7;

/// How far below a peak its tone lies where the peak is the first to the fourth partial, in octaves.
const PARTIAL_OCTAVES: [f64; 4] = [0.0, 1.0, 1.584_962_500_721_156, 2.0];

/// How much less each partial counts than the one before.
const PARTIAL_WEIGHT: f64 = 0.6;

/// The bass is what lies below middle C, in octaves above the lowest C.
const BASS_OCTAVES: f64 = 4.0;

/// So many frames (2.6 s) are how a passage begins, and as many how it ends.
const ENDS: usize = 6;

/// A frame belongs to the beginning or the end if its greatest peak is at least this share of the usual one: what comes
/// before is a breath, and what follows is reverberation.
const SOUNDS: f32 = 0.15;

/// Frames that are kept until the usual peak is known, of which the beginning is chosen.
const EARLY: usize = 24;

/// What the difference of two scores is worth as one of correlations, which is what `major_over_minor` was before there
/// were scores, and what the characteristics' curves are made for: the slope between the two on the training songs.
const OF_SCORES: f64 = 0.071;

/// All, the bass; the end, its bass; the beginning and its bass.
pub(super) const VIEWS: usize = 6;

/// How much each degree of the scale sounds, from the tonic on.
const MAJOR: [[f64; 12]; 2] = [
    [
        0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400,
    ],
    [
        6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88,
    ],
];
const MINOR: [[f64; 12]; 2] = [
    [
        0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330,
    ],
    [
        6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17,
    ],
];

/// What a passage's harmony is like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tonality {
    /// The tonic, 0 for C; `None` where nothing sounds.
    pub(super) key: Option<usize>,
    /// How well the best key fits, -1 to 1.
    pub(super) strength: f64,
    /// How much better the best major key fits than the best minor key, -2 to 2.
    pub(super) major_over_minor: f64,
    /// How much of each pitch class sounds, from C on; sums to 1 unless nothing sounds.
    pub(super) classes: [f64; 12],
}

pub(super) struct Tones {
    frames: Frames,
    octave: Octave,
}

/// How much sounds at each place in the octave.
type Places = [f32; FINE];

/// A frame: its greatest peak, and how much of it sounds at each place, in all and in the bass.
#[derive(Clone)]
struct Frame {
    greatest: f32,
    all: Box<Places>,
    bass: Box<Places>,
}

/// How much sounds at each place in the octave, over all frames, and in those at both ends.
struct Octave {
    magnitudes: Vec<f32>,
    shares: [f64; FINE],
    bass: [f64; FINE],
    /// Sum and number of the greatest peaks.
    usual: (f64, u64),
    first: Vec<Frame>,
    last: VecDeque<Frame>,
}

impl Tones {
    pub(super) fn new() -> Self {
        Self {
            frames: Frames::new(FRAME, HOP, Window::Hann),
            octave: Octave {
                magnitudes: Vec::new(),
                shares: [0.0; FINE],
                bass: [0.0; FINE],
                usual: (0.0, 0),
                first: Vec::new(),
                last: VecDeque::new(),
            },
        }
    }

    /// Takes in the next samples, 1.0 being full scale.
    pub(super) fn push(&mut self, samples: &[f32]) {
        let octave = &mut self.octave;
        self.frames.push(samples, |bins| octave.frame(bins));
    }

    /// What all frames together say.
    pub(super) fn tonality(&self) -> Tonality {
        self.octave.tonality()
    }

    /// What speaks for keys: pitch classes from C on, of each of the views.
    pub(super) fn views(&self) -> [[f64; 12]; VIEWS] {
        self.octave.views()
    }
}

/// The magnitudes of bins; a full-scale sine has 1.
struct Magnitudes<'a>(&'a [Complex<f32>], &'a mut [f32]);

impl Loop for Magnitudes<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        const SCALE: f32 = 4.0 / FRAME as f32;
        for (magnitude, bin) in self.1.iter_mut().zip(self.0) {
            *magnitude = (bin.re * bin.re + bin.im * bin.im).sqrt() * SCALE;
        }
    }
}

/// The greatest of magnitudes.
struct Greatest<'a>(&'a [f32]);

impl Loop for Greatest<'_> {
    type Output = f32;

    #[inline(always)]
    fn run(self) -> f32 {
        greatest_of(self.0, |magnitude| magnitude)
    }
}

/// The bins of a range that are no lower than a limit, and higher than their neighbours.
struct Peaks<'a>(&'a [f32], Range<usize>, f32);

impl Loop for Peaks<'_> {
    type Output = Vec<usize>;

    /// Most bins are below the limit, so groups of them are passed over together.
    #[inline(always)]
    fn run(self) -> Vec<usize> {
        const GROUP: usize = 16;
        let Self(magnitudes, range, limit) = self;
        let mut peaks = Vec::new();
        let mut from = range.start;
        while from < range.end {
            let to = range.end.min(from + GROUP);
            let mut is_any = false;
            for here in &magnitudes[from..to] {
                is_any |= *here >= limit;
            }
            for at in if is_any { from..to } else { to..to } {
                let here = magnitudes[at];
                if here >= limit && here >= magnitudes[at - 1] && here > magnitudes[at + 1] {
                    peaks.push(at);
                }
            }
            from = to;
        }
        peaks
    }
}

impl Octave {
    fn frame(&mut self, bins: &[Complex<f32>]) {
        let bin = f64::from(RATE) / FRAME as f64;
        let first = (LOWEST_HERTZ / bin) as usize;
        let last = (HIGHEST_HERTZ / bin) as usize;
        self.magnitudes.resize(last + 2, 0.0);
        widest(Magnitudes(&bins[..last + 2], &mut self.magnitudes));
        let greatest = widest(Greatest(&self.magnitudes[first..=last]));
        if greatest * greatest < SILENT {
            return;
        }
        let (mut octave, mut bass) = ([0.0_f64; FINE], [0.0_f64; FINE]);
        for at in widest(Peaks(
            &self.magnitudes,
            first..last + 1,
            greatest * LEAST_PEAK,
        )) {
            let [before, here, after] = [
                self.magnitudes[at - 1],
                self.magnitudes[at],
                self.magnitudes[at + 1],
            ];
            let [a, b, c] = [before, here, after].map(|m| f64::from(m.max(1e-9)).ln());
            let offset = (0.5 * (a - c) / (a - 2.0 * b + c)).clamp(-0.5, 0.5);
            let octaves = ((at as f64 + offset) * bin / C0_HERTZ).log2();
            let mut weight = f64::from(here / greatest) * counts(octaves);
            if octaves < BASS_OCTAVES {
                bass[place_in_octave(octaves)] += weight;
            }
            for below in PARTIAL_OCTAVES {
                octave[place_in_octave(octaves - below)] += weight;
                weight *= PARTIAL_WEIGHT;
            }
        }
        let sum: f64 = octave.iter().sum();
        if sum > 0.0 {
            for (slot, value) in self.shares.iter_mut().zip(&octave) {
                *slot += value / sum;
            }
            for (slot, value) in self.bass.iter_mut().zip(&bass) {
                *slot += value / sum;
            }
            let part = |of: [f64; FINE]| Box::new(of.map(|value| (value / sum) as f32));
            self.keep(Frame {
                greatest,
                all: part(octave),
                bass: part(bass),
            });
        }
    }

    /// Keeps a frame for the beginning and for the end, if it is loud enough for the one or the other.
    fn keep(&mut self, frame: Frame) {
        self.usual.0 += f64::from(frame.greatest);
        self.usual.1 += 1;
        if self.first.len() < EARLY {
            self.first.push(frame.clone());
        }
        let usual = (self.usual.0 / self.usual.1 as f64) as f32;
        if frame.greatest >= usual * SOUNDS {
            if self.last.len() == ENDS {
                self.last.pop_front();
            }
            self.last.push_back(frame);
        }
    }

    /// Pitch classes of all, of the bass, and of both at the end and at the beginning; each without its mean, and of length 1.
    fn views(&self) -> [[f64; 12]; VIEWS] {
        let usual = (self.usual.0 / self.usual.1.max(1) as f64) as f32;
        let sounds = |frame: &&Frame| frame.greatest >= usual * SOUNDS;
        let first: Vec<&Frame> = self.first.iter().filter(sounds).take(ENDS).collect();
        let sum = |places: &mut dyn Iterator<Item = &Places>| {
            let mut sum = [0.0; FINE];
            for frame in places {
                for (slot, value) in sum.iter_mut().zip(frame) {
                    *slot += f64::from(*value);
                }
            }
            sum
        };
        let tuning = self.tuning();
        [
            self.shares,
            self.bass,
            sum(&mut self.last.iter().map(|frame| &*frame.all)),
            sum(&mut self.last.iter().map(|frame| &*frame.bass)),
            sum(&mut first.iter().map(|frame| &*frame.all)),
            sum(&mut first.iter().map(|frame| &*frame.bass)),
        ]
        .map(|places| upright(folded(&places, tuning)))
    }

    fn tonality(&self) -> Tonality {
        let classes = self.classes();
        if classes.iter().all(|share| *share <= 0.0) {
            return Tonality {
                key: None,
                strength: 0.0,
                major_over_minor: 0.0,
                classes,
            };
        }
        let views = self.views();
        let mut best = [(f64::MIN, 0); 2];
        for tonic in 0..12 {
            for (best, weights) in best.iter_mut().zip(&Weights::built_in().keys) {
                let score = score(&views, tonic, weights);
                if score > best.0 {
                    *best = (score, tonic);
                }
            }
        }
        let [major, minor] = best;
        let over = major.0 - minor.0;
        let (key, degrees) = if over >= 0.0 {
            (major.1, &MAJOR)
        } else {
            (minor.1, &MINOR)
        };
        Tonality {
            key: Some(key),
            strength: correlation(&classes, &profile(degrees), key),
            // Never 0 for what was told to be minor, whatever it is rounded to.
            major_over_minor: (over * OF_SCORES).clamp(-2.0, 2.0)
                - f64::from(u8::from(over < 0.0)) * 1e-4,
            classes,
        }
    }

    /// The pitch classes, in the tuning in which most of the sound falls near a class; they sum to 1 unless nothing sounds.
    fn classes(&self) -> [f64; 12] {
        let classes = folded(&self.shares, self.tuning());
        let total: f64 = classes.iter().sum();
        if total <= 0.0 {
            return [0.0; 12];
        }
        classes.map(|class| class / total)
    }

    /// How far the tuning lies above A at 440 Hz, in places of the octave.
    fn tuning(&self) -> f64 {
        let (mut real, mut imaginary) = (0.0, 0.0);
        for (at, value) in self.shares.iter().enumerate() {
            let angle =
                std::f64::consts::TAU * (at % FINE_PER_CLASS) as f64 / FINE_PER_CLASS as f64;
            real += value * angle.cos();
            imaginary += value * angle.sin();
        }
        imaginary.atan2(real) / std::f64::consts::TAU * FINE_PER_CLASS as f64
    }
}

/// The places of each pitch class, in a tuning.
fn folded(places: &[f64; FINE], tuning: f64) -> [f64; 12] {
    let mut classes = [0.0; 12];
    for (at, value) in places.iter().enumerate() {
        let class = ((at as f64 - tuning) / FINE_PER_CLASS as f64)
            .round()
            .rem_euclid(12.0) as usize;
        classes[class % 12] += value;
    }
    classes
}

/// Without the mean, and of length 1: what the correlation compares. Nothing stays nothing.
fn upright(classes: [f64; 12]) -> [f64; 12] {
    let total: f64 = classes.iter().sum();
    let centred = classes.map(|class| class / total.max(1e-9) - total / total.max(1e-9) / 12.0);
    let length = centred
        .iter()
        .map(|value| value * value)
        .sum::<f64>()
        .sqrt();
    centred.map(|value| value / (length + 1e-6))
}

/// How much speaks for a key: its tonic, and the weights of its mode, degree by degree, and a constant.
pub(super) fn score(views: &[[f64; 12]; VIEWS], tonic: usize, weights: &[f64]) -> f64 {
    let products = turned(views, tonic).zip(weights);
    products.map(|(x, weight)| x * weight).sum()
}

/// What a key is told from: the views as the degrees of its tonic, and a constant.
pub(super) fn turned(
    views: &[[f64; 12]; VIEWS],
    tonic: usize,
) -> impl Iterator<Item = f64> + use<'_> {
    let degrees = views
        .iter()
        .flat_map(move |view| (0..12).map(move |degree| view[(tonic + degree) % 12]));
    degrees.chain([1.0])
}

/// How much a peak so many octaves above the lowest C counts, 0 to 1.
fn counts(octaves: f64) -> f64 {
    let risen = (octaves - FADE_IN[0]) / (FADE_IN[1] - FADE_IN[0]);
    let left = (FADE_OUT[1] - octaves) / (FADE_OUT[1] - FADE_OUT[0]);
    risen.min(left).clamp(0.0, 1.0)
}

/// The bin of the octave for so many octaves above the lowest C, of which there are at least -4 and at most 12.
fn place_in_octave(octaves: f64) -> usize {
    // Without a division and a call for what is left of it: the number is positive, and a cast cuts.
    let bins = ((octaves + 4.0) * FINE as f64 + 0.5) as usize;
    bins % FINE
}

/// The lowest C, with A at 440 Hz.
const C0_HERTZ: f64 = 16.351_597_831_287_414;

/// The mean of profiles, each brought to a sum of 1.
fn profile(of: &[[f64; 12]; 2]) -> [f64; 12] {
    let [a, b] = of.map(|profile| profile.map(|degree| degree / profile.iter().sum::<f64>()));
    std::array::from_fn(|degree| f64::midpoint(a[degree], b[degree]))
}

fn correlation(classes: &[f64; 12], profile: &[f64; 12], tonic: usize) -> f64 {
    let mean = |values: &[f64; 12]| values.iter().sum::<f64>() / 12.0;
    let (a, b) = (mean(classes), mean(profile));
    let (mut both, mut one, mut other) = (0.0, 0.0, 0.0);
    for degree in 0..12 {
        let x = classes[(tonic + degree) % 12] - a;
        let y = profile[degree] - b;
        both += x * y;
        one += x * x;
        other += y * y;
    }
    if one > 0.0 {
        both / (one * other).sqrt()
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Chords of sines with two overtones, as semitones above C4; two seconds each.
    fn chords(chords: &[[i32; 3]], detune_cents: f64) -> Tonality {
        let mut tones = Tones::new();
        for chord in chords {
            let samples: Vec<f32> = (0..RATE * 2)
                .map(|i| {
                    let seconds = f64::from(i) / f64::from(RATE);
                    let voice = |semitone: &i32| {
                        let hertz = 261.625_565
                            * 2_f64.powf((f64::from(*semitone) + detune_cents / 100.0) / 12.0);
                        (1..=3)
                            .map(|n| {
                                (std::f64::consts::TAU * hertz * f64::from(n) * seconds).sin()
                                    / f64::from(n * n)
                            })
                            .sum::<f64>()
                    };
                    (chord.iter().map(voice).sum::<f64>() / 6.0) as f32
                })
                .collect();
            tones.push(&samples);
        }
        tones.tonality()
    }

    const I: [i32; 3] = [0, 4, 7];
    const IV: [i32; 3] = [0, 5, 9];
    const V: [i32; 3] = [-1, 2, 7];

    #[test]
    fn a_cadence_is_in_its_key_in_any_tuning() {
        for cents in [-30.0, 0.0, 20.0] {
            let found = chords(&[I, IV, V, I], cents);
            assert_eq!(found.key, Some(0), "{cents}");
            assert!(
                found.major_over_minor > 0.0 && found.strength > 0.6,
                "{found:?}"
            );
            assert!((found.classes.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        }
    }

    /// All that sounds fits F better, which most of it is the chord of; but it begins and ends in C.
    #[test]
    fn where_a_piece_begins_and_ends_speaks_for_its_key() {
        let found = chords(&[I, I, IV, IV, IV, IV, IV, IV, V, I, I], 0.0);
        assert_eq!(found.key, Some(0), "{found:?}");
        assert!(found.major_over_minor > 0.0, "{found:?}");
        let profile = profile(&MAJOR);
        let fits = |tonic| correlation(&found.classes, &profile, tonic);
        assert!(fits(5) > fits(0), "{} for F, {} for C", fits(5), fits(0));
    }

    /// The highest tone lies at 3,322 Hz, and at 3,520 Hz a semitone higher; the lowest at 51.9 and 55 Hz.
    #[test]
    fn what_lies_at_the_border_does_not_go_all_at_once() {
        let classes = |shift: i32| {
            chords(
                &[[44, 0, 7], [-28, 4, 12]].map(|chord| chord.map(|tone| tone + shift)),
                0.0,
            )
            .classes
        };
        let (here, above) = (classes(0), classes(1));
        for class in 0..12 {
            let (a, b) = (here[class], above[(class + 1) % 12]);
            assert!(
                (a - b).abs() < 0.03,
                "degree {class} has {a:.3}, and {b:.3} a semitone higher"
            );
        }
    }

    #[test]
    fn a_minor_cadence_is_minor() {
        // A minor: i, iv, v, i.
        let found = chords(&[[-3, 0, 4], [-7, -3, 2], [-5, -1, 4], [-3, 0, 4]], 0.0);
        assert_eq!(found.key, Some(9));
        assert!(found.major_over_minor < 0.0);
    }

    #[test]
    fn silence_has_no_key() {
        let mut tones = Tones::new();
        tones.push(&vec![0.0; 40_000]);
        assert_eq!(tones.tonality().key, None);
    }
}
