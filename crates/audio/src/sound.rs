//! Everything about a file's sound that later stages measure with, taken from the one decoding.
//!
//! | series | every | used for |
//! |---|---|---|
//! | A-weighted mean square of the mono mix | 20 ms | lead-in and lead-out points |
//! | K-weighted power | 100 ms | loudness by EBU R128 |
//! | true peak | 100 ms | the same |
//! | least and greatest sample | 100 ms | the waveform overview |
//! | contour: level without clicks and rumble, stereo width, timbre | 20, 20, 93 ms | boundaries |
//!
//! Together with [`Levels`](crate::levels::Levels) that is some 900 bytes a second, 32 MB for ten hours.

#![expect(
    clippy::inline_always,
    reason = "a loop is compiled for wider vectors only where it stands in the function that is compiled for them"
)]

mod filter;
mod peak;

use std::ops::Range;

use crate::contour::{self, Contour, Spectra};
use crate::levels::PER_SECOND;
use crate::polarity::Polarities;
use crate::vector::{Loop, greatest_of, widest};
use filter::{Kind, LANES, Weighting};
use peak::TruePeak;

/// Windows of 20 ms in one of 100 ms.
const FINE: usize = 5;

/// Windows of loudness, peak and waveform in a second.
pub const COARSE_PER_SECOND: u32 = PER_SECOND / FINE as u32;

/// Pieces of 2.5 ms in a window of 20 ms, of which the contour takes the median.
const PIECES: usize = 8;

/// What a stretch of 100 ms sounds like.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Moment {
    /// K-weighted mean square, summed over the channels with their weights (ITU-R BS.1770-4).
    pub power: f32,
    /// Greatest absolute value between and at the samples of any channel; 1.0 is full scale.
    pub peak: f32,
    /// Least sample of any channel.
    pub least: f32,
    /// Greatest sample of any channel.
    pub greatest: f32,
}

/// The series of one file.
#[derive(Debug)]
pub struct Sound {
    sample_rate: u32,
    channels: Vec<Channel>,
    /// The weightings of the mix, the first channel, the side and the second channel, and then of four channels each.
    weightings: Vec<Weighting>,
    weighted: Vec<f32>,
    moments: Vec<Moment>,
    moment: Moment,
    mix: Vec<f32>,
    side: Vec<f32>,
    polarities: Polarities,
    a_energy: f64,
    side_energy: f64,
    /// A-weighted energy and frames of the pieces of the window that is being filled.
    pieces: [(f64, u64); PIECES],
    contour: Contour,
    spectra: Spectra,
    /// Frames in the 20 ms, and in the 100 ms, that are being filled.
    fine: u64,
    coarse: u64,
    frames: u64,
}

#[derive(Debug)]
struct Channel {
    peak: TruePeak,
    weight: f64,
    k_energy: f64,
}

impl Sound {
    /// The series of audio of which none has come yet.
    pub fn new(sample_rate: u32, channels: u16) -> Self {
        let sample_rate = sample_rate.max(1);
        Self {
            sample_rate,
            channels: (0..channels)
                .map(|at| Channel {
                    peak: TruePeak::new(sample_rate),
                    weight: weight(at, channels),
                    k_energy: 0.0,
                })
                .collect(),
            weightings: weightings(sample_rate, channels),
            weighted: Vec::new(),
            moments: Vec::new(),
            moment: Moment::default(),
            mix: Vec::new(),
            side: Vec::new(),
            polarities: Polarities::default(),
            a_energy: 0.0,
            side_energy: 0.0,
            pieces: [(0.0, 0); PIECES],
            contour: Contour::default(),
            spectra: Spectra::new(),
            fine: 0,
            coarse: 0,
            frames: 0,
        }
    }

    /// Takes in the next samples, one slice a channel, all of one length.
    pub fn push(&mut self, planes: &[&[f32]]) {
        let Some(length) = planes.iter().map(|plane| plane.len()).min() else {
            return;
        };
        let mut from = 0;
        while from < length {
            let end = self.end_of_window();
            let room = usize::try_from(end - self.frames).unwrap_or(usize::MAX);
            let to = length.min(from.saturating_add(room));
            let signs = self.polarities.signs(planes, from..to);
            mix(planes, &signs, from..to, &mut self.mix, &mut self.side);
            self.weigh(planes, from, to);
            for (channel, plane) in self.channels.iter_mut().zip(planes) {
                let samples = &plane[from..to];
                let (least, greatest) = widest(Extremes(samples));
                self.moment.least = self.moment.least.min(least);
                self.moment.greatest = self.moment.greatest.max(greatest);
                let peak = channel.peak.push(samples);
                self.moment.peak = self.moment.peak.max(peak);
            }
            let count = (to - from) as u64;
            self.fine += count;
            self.coarse += count;
            self.frames += count;
            from = to;
            if self.frames == end {
                self.close_window();
            }
        }
    }

    /// Takes in the next samples of the same audio as 11,025 Hz mono.
    pub fn push_mono(&mut self, samples: &[i16]) {
        self.spectra.push(samples, &mut self.contour.spectra);
    }

    /// Runs part of a window through the weightings, piece by piece.
    fn weigh(&mut self, planes: &[&[f32]], from: usize, to: usize) {
        let rate = u64::from(self.sample_rate);
        let pieces_per_second = u64::from(PER_SECOND) * PIECES as u64;
        let first = self.weighted.len() as u64 * PIECES as u64;
        let mut begin = from;
        for (at, piece) in self.pieces.iter_mut().enumerate() {
            let end = ((first + at as u64 + 1) * rate + pieces_per_second / 2) / pieces_per_second;
            let frame = self.frames + (begin - from) as u64;
            let room = usize::try_from(end.saturating_sub(frame)).unwrap_or(usize::MAX);
            let is_last = at + 1 == PIECES;
            let stop = if is_last {
                to
            } else {
                to.min(begin.saturating_add(room))
            };
            if stop == begin {
                continue;
            }
            let signals = Signals {
                mix: &self.mix[begin - from..stop - from],
                side: self.side.get(begin - from..stop - from),
                planes,
                range: begin..stop,
            };
            for (group, weighting) in self.weightings.iter_mut().enumerate() {
                let energies = weighting.energies(signals.group(group));
                for (lane, energy) in energies.into_iter().enumerate() {
                    match (group, lane) {
                        (0, 0) => {
                            self.a_energy += energy;
                            piece.0 += energy;
                        }
                        (0, 2) if signals.side.is_none() => {}
                        (0, 2) => {
                            self.side_energy += energy;
                            piece.0 += energy;
                        }
                        _ => {
                            let channel =
                                channel_of(group, lane).and_then(|at| self.channels.get_mut(at));
                            if let Some(channel) = channel {
                                channel.k_energy += energy;
                            }
                        }
                    }
                }
            }
            piece.1 += (stop - begin) as u64;
            begin = stop;
        }
    }

    /// What boundaries are looked for in.
    pub fn contour(&self) -> &Contour {
        &self.contour
    }

    /// Ends the audio: windows that are not full count for what they hold.
    pub fn finish(&mut self) {
        for channel in &mut self.channels {
            let peak = channel.peak.finish();
            self.moment.peak = self.moment.peak.max(peak);
        }
        if self.fine > 0 {
            self.close_window();
        }
        if self.coarse > 0 {
            self.close_moment();
        }
    }

    /// A-weighted mean squares of the mono mix, every 20 ms.
    pub fn weighted(&self) -> &[f32] {
        &self.weighted
    }

    /// What every 100 ms sounds like.
    pub fn moments(&self) -> &[Moment] {
        &self.moments
    }

    fn end_of_window(&self) -> u64 {
        let rate = u64::from(self.sample_rate);
        let per_second = u64::from(PER_SECOND);
        ((self.weighted.len() as u64 + 1) * rate + per_second / 2) / per_second
    }

    fn close_window(&mut self) {
        self.weighted.push(finite(self.a_energy / self.fine as f64));
        self.contour
            .levels
            .push(contour::level(median(&self.pieces)));
        // A full-scale sample's last bit has 1e-9 of its energy; below that is no side to tell of.
        let width = 255.0 * self.side_energy / (self.a_energy + self.side_energy).max(1e-9);
        self.contour.widths.push(width as u8);
        self.pieces = [(0.0, 0); PIECES];
        self.fine = 0;
        self.a_energy = 0.0;
        self.side_energy = 0.0;
        if self.weighted.len().is_multiple_of(FINE) {
            self.close_moment();
        }
    }

    fn close_moment(&mut self) {
        let mut power = 0.0;
        for channel in &mut self.channels {
            power += channel.weight * channel.k_energy / self.coarse as f64;
            channel.k_energy = 0.0;
        }
        self.moment.power = finite(power);
        self.moments.push(std::mem::take(&mut self.moment));
        self.coarse = 0;
    }
}

/// What goes through the weightings at once, all of one length.
struct Signals<'a> {
    mix: &'a [f32],
    /// There is none of a single channel.
    side: Option<&'a [f32]>,
    planes: &'a [&'a [f32]],
    range: Range<usize>,
}

impl<'a> Signals<'a> {
    /// The inputs of a group of weightings; where there is nothing to weigh the mix is, and what comes of it is dropped.
    fn group(&self, group: usize) -> [&'a [f32]; LANES] {
        std::array::from_fn(|lane| match (group, lane) {
            (0, 0) => self.mix,
            (0, 2) => self.side.unwrap_or(self.mix),
            _ => channel_of(group, lane)
                .and_then(|at| self.planes.get(at))
                .map_or(self.mix, |plane| &plane[self.range.clone()]),
        })
    }
}

/// The channel that a lane of a group weighs; `None` for those of the mix and the side.
fn channel_of(group: usize, lane: usize) -> Option<usize> {
    match (group, lane) {
        (0, 1) => Some(0),
        (0, 3) => Some(1),
        (0, _) => None,
        _ => Some(2 + (group - 1) * LANES + lane),
    }
}

/// The weightings for so many channels, in groups of [`LANES`].
fn weightings(sample_rate: u32, channels: u16) -> Vec<Weighting> {
    let first = Weighting::new(sample_rate, [Kind::A, Kind::K, Kind::A, Kind::K]);
    let others = usize::from(channels).saturating_sub(2).div_ceil(LANES);
    std::iter::once(first)
        .chain((0..others).map(|_| Weighting::new(sample_rate, [Kind::K; LANES])))
        .collect()
}

/// The mean of all channels, those behind the first multiplied by their sign, and half the difference of the first two;
/// nothing is the difference of one channel.
fn mix(
    planes: &[&[f32]],
    signs: &[f32],
    range: Range<usize>,
    mix: &mut Vec<f32>,
    side: &mut Vec<f32>,
) {
    mix.resize(range.len(), 0.0);
    side.resize(if planes.len() > 1 { range.len() } else { 0 }, 0.0);
    mix.copy_from_slice(&planes[0][range.clone()]);
    if let [first, second, others @ ..] = planes {
        widest(Halves {
            left: &first[range.clone()],
            right: &second[range.clone()],
            sign: signs[1],
            sum: mix,
            side,
        });
        for (plane, sign) in others.iter().zip(&signs[2..]) {
            for (sum, sample) in mix.iter_mut().zip(&plane[range.clone()]) {
                *sum += sign * sample;
            }
        }
        let share = 1.0 / planes.len() as f32;
        for sum in mix.iter_mut() {
            *sum *= share;
        }
    }
}

/// Makes the sum of two channels, and half their difference.
struct Halves<'a> {
    left: &'a [f32],
    right: &'a [f32],
    sign: f32,
    sum: &'a mut [f32],
    side: &'a mut [f32],
}

impl Loop for Halves<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let inputs = self.left.iter().zip(self.right);
        let outputs = self.sum.iter_mut().zip(self.side);
        for ((left, right), (sum, side)) in inputs.zip(outputs) {
            *sum = left + self.sign * right;
            *side = (left - self.sign * right) * 0.5;
        }
    }
}

/// The median of the mean squares of those pieces that hold anything, the lower one of two.
fn median(pieces: &[(f64, u64); PIECES]) -> f64 {
    let mut means = [f64::INFINITY; PIECES];
    let mut count = 0;
    for (energy, frames) in pieces {
        if *frames > 0 && energy.is_finite() {
            means[count] = energy / *frames as f64;
            count += 1;
        }
    }
    means.sort_unstable_by(f64::total_cmp);
    if count == 0 {
        0.0
    } else {
        means[(count - 1) / 2]
    }
}

/// The weight of a channel in loudness, for the usual orders of 1 to 8 channels: LFE none, surround 1.5 dB more.
fn weight(channel: u16, channels: u16) -> f64 {
    match (channels, channel) {
        (6.., 3) => 0.0,
        (4, 2 | 3) | (5, 3 | 4) | (6.., 4..) => 1.41,
        _ => 1.0,
    }
}

/// The least and the greatest of samples and 0. A NaN loses every comparison.
struct Extremes<'a>(&'a [f32]);

impl Loop for Extremes<'_> {
    type Output = (f32, f32);

    #[inline(always)]
    fn run(self) -> (f32, f32) {
        let depth = greatest_of(self.0, |sample| -sample);
        (0.0 - depth, greatest_of(self.0, |sample| sample))
    }
}

/// A broken float file may hold anything; a level is a number or silence.
fn finite(value: f64) -> f32 {
    if value.is_finite() { value as f32 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hertz: f64, rate: u32, seconds: f64, amplitude: f64) -> Vec<f32> {
        (0..(f64::from(rate) * seconds) as usize)
            .map(|i| {
                let phase = std::f64::consts::TAU * hertz * i as f64 / f64::from(rate);
                (amplitude * phase.sin()) as f32
            })
            .collect()
    }

    fn heard(planes: &[&[f32]], rate: u32, piece: usize) -> Sound {
        let mut sound = Sound::new(rate, planes.len() as u16);
        let length = planes[0].len();
        for from in (0..length).step_by(piece) {
            let to = length.min(from + piece);
            let part: Vec<&[f32]> = planes.iter().map(|plane| &plane[from..to]).collect();
            sound.push(&part);
        }
        sound.finish();
        sound
    }

    #[test]
    fn a_tone_of_1_khz_passes_both_weightings_as_the_standards_say() {
        for rate in [32_000, 44_100, 48_000, 96_000] {
            let tone = tone(1000.0, rate, 2.0, 1.0);
            let sound = heard(&[&tone, &tone], rate, 1000);
            let a = sound.weighted()[50];
            assert!((10.0 * a.log10() + 3.01).abs() < 0.05, "{rate}: {a}");
            // BS.1770: a full-scale 997 Hz tone in one channel is -3.01 LKFS, with the offset of -0.691.
            let k = 10.0 * f64::from(sound.moments()[10].power).log10() - 0.691;
            assert!(k.abs() < 0.05, "{rate}: {k}");
        }
    }

    #[test]
    fn a_weighting_follows_its_table() {
        // IEC 61672-1, table 3.
        for (hertz, decibels) in [
            (31.5, -39.4),
            (100.0, -19.1),
            (500.0, -3.2),
            (2000.0, 1.2),
            (4000.0, 1.0),
        ] {
            let tone = tone(hertz, 48_000, 3.0, 1.0);
            let sound = heard(&[&tone], 48_000, 4096);
            let windows = &sound.weighted()[50..150];
            let mean = windows.iter().sum::<f32>() / windows.len() as f32;
            let gain = 10.0 * mean.log10() + 3.01;
            assert!((gain - decibels).abs() < 0.3, "{hertz} Hz: {gain}");
        }
    }

    #[test]
    fn nothing_depends_on_the_size_of_blocks() {
        let tone = tone(441.0, 44_100, 1.03, 0.8);
        let whole = heard(&[&tone], 44_100, tone.len());
        assert_eq!((whole.weighted().len(), whole.moments().len()), (52, 11));
        for piece in [7, 441, 1152] {
            let parts = heard(&[&tone], 44_100, piece);
            for (a, b) in whole.weighted().iter().zip(parts.weighted()) {
                assert!((a - b).abs() < 1e-5);
            }
            for (a, b) in whole.moments().iter().zip(parts.moments()) {
                assert!((a.power - b.power).abs() < 1e-5 && (a.peak - b.peak).abs() < 0.01);
                assert_eq!((a.least, a.greatest), (b.least, b.greatest));
            }
        }
    }

    #[test]
    fn the_peak_between_samples_is_found() {
        // A quarter of the sample rate, an eighth of a period off: every sample is at 0.7071.
        let between: Vec<f32> = (0..44_100)
            .map(|i| {
                (std::f64::consts::FRAC_PI_2 * f64::from(i) + std::f64::consts::FRAC_PI_4).sin()
                    as f32
            })
            .collect();
        let sound = heard(&[&between], 44_100, 1000);
        // It begins all of a sudden, which rings a little.
        let peak = sound
            .moments()
            .iter()
            .map(|moment| moment.peak)
            .fold(0.0, f32::max);
        assert!((0.98..1.2).contains(&peak), "{peak}");
        assert!(sound.moments()[5].greatest < 0.7072);
    }

    #[test]
    fn nonsense_is_silence() {
        let nonsense = vec![f32::NAN; 9000];
        let sound = heard(&[&nonsense], 44_100, 1000);
        for moment in sound.moments() {
            assert_eq!((moment.power, moment.peak), (0.0, 0.0));
        }
        assert!(sound.weighted().iter().all(|level| *level == 0.0));
    }
}
