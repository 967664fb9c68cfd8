//! How alike the quiet of two dips is.
//!
//! The noise of a record, a tape or a studio's gap is the same in all the gaps of a file, in level and in timbre, while the
//! rests of its music are quiet each in its own way. A dip is seldom that noise alone: a track may fall below it before it
//! begins, or fade into it. So of every dip the steadiest part is compared.

use super::candidates::{Candidate, Curve};
use super::features::UNKNOWN;
use super::timbres::{self, Bands, distance};
use crate::contour::Contour;

/// Quiet whose level differs by less than this is alike, in dB: that of noise averaged over 0.3 s moves by half of it.
const ALIKE_LEVEL_DB: f32 = 1.0;

/// The same of its timbre, band by band: of noise over a second, a band's level has a deviation of 0.6 dB to 1.5 dB.
const ALIKE_TIMBRE_DB: f32 = 1.5;

/// Within this of its usual level quiet is steady, in dB: three deviations of 20 ms of noise.
const STEADY_DB: f32 = 2.0;

/// The shortest steady quiet, in windows: 0.2 s, two spectra.
const SHORTEST: usize = 10;

/// The steadiest part of a dip and of the noise that belongs to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quiet {
    /// Its level in dBFS.
    level: f32,
    /// Its timbre; `None` where nothing is steady.
    bands: Option<Bands>,
    /// Its length in windows.
    pub windows: usize,
}

impl Quiet {
    pub(super) fn of(dip: &Candidate, curve: &Curve, contour: &Contour) -> Self {
        let (first, last) = dip.reach;
        let levels = &curve.fine[first..last.min(curve.fine.len())];
        let level = usual(levels);
        let (from, to) = longest(levels, |other| (other - level).abs() < STEADY_DB);
        let is_long = to - from >= SHORTEST;
        Self {
            level,
            bands: is_long
                .then(|| timbres::bands_between(contour, first + from, first + to))
                .flatten(),
            windows: to - from,
        }
    }

    /// 1 where both are one noise, 0 where they are not.
    pub(super) fn likeness(&self, other: &Self) -> f32 {
        let apart = self.level - other.level;
        likeness(apart, self.bands.as_ref(), other.bands.as_ref())
    }
}

/// How much one noise two quiet places are, given how far apart their levels are in dB, and the timbre of each.
pub(super) fn likeness(apart: f32, one: Option<&Bands>, other: Option<&Bands>) -> f32 {
    let level = apart / ALIKE_LEVEL_DB;
    if level.abs() > 3.0 {
        return 0.0;
    }
    match distance(one, other) {
        UNKNOWN => 0.0,
        apart => (-level.powi(2) - (apart / ALIKE_TIMBRE_DB).powi(2)).exp(),
    }
}

/// The mean of the levels of the decibel that most of them have.
fn usual(levels: &[f32]) -> f32 {
    let whole = |level: f32| level.round() as i32;
    let mut sorted: Vec<i32> = levels.iter().map(|level| whole(*level)).collect();
    sorted.sort_unstable();
    let most = sorted.chunk_by(|a, b| a == b).max_by_key(|same| same.len());
    let Some(most) = most.and_then(|same| same.first()) else {
        return 0.0;
    };
    let near = levels
        .iter()
        .filter(|level| (whole(**level) - most).abs() <= 1);
    near.clone().sum::<f32>() / near.count() as f32
}

/// The longest run of levels that are so.
fn longest(levels: &[f32], is_so: impl Fn(f32) -> bool) -> (usize, usize) {
    let (mut best, mut begun) = ((0, 0), 0);
    for at in 0..=levels.len() {
        if levels.get(at).is_none_or(|level| !is_so(*level)) {
            if at - begun > best.1 - best.0 {
                best = (begun, at);
            }
            begun = at + 1;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contour::{BANDS, SPECTRA_PER_SECOND, TONALITY};
    use crate::levels::PER_SECOND;

    /// Ten seconds of sound, half a second that dies away far below the noise, noise of this level in dBFS for the rest of
    /// `quiet` seconds, and sound again; every spectrum of the noise the same.
    fn contour(noise: i16, quiet: usize, dies_away: bool) -> (Curve, Contour, Candidate) {
        let second = PER_SECOND as usize;
        let (from, to) = (10 * second, (10 + quiet) * second);
        let levels: Vec<i16> = (0..to + 10 * second)
            .map(|at| match at {
                _ if at < from || at >= to => -2000 - 100 * (at % 7) as i16,
                _ if dies_away && at < from + second / 2 => -9000 - 40 * (at - from) as i16,
                // Noise moves by half a decibel to either side.
                _ => noise * 100 + 50 - 25 * (at % 5) as i16,
            })
            .collect();
        let spectra = (0..(levels.len() as f64 / f64::from(PER_SECOND) * SPECTRA_PER_SECOND)
            as usize)
            .map(|at| {
                let window = (at as f64 / SPECTRA_PER_SECOND * f64::from(PER_SECOND)) as usize;
                let mut timbre = [90; TONALITY + 1];
                if (from..to).contains(&window) {
                    for (band, byte) in timbre[..BANDS].iter_mut().enumerate() {
                        *byte = 60 - 2 * band as u8;
                    }
                }
                timbre
            })
            .collect();
        let contour = Contour {
            widths: vec![0; levels.len()],
            levels,
            spectra,
        };
        let dip = Candidate {
            from,
            to: if dies_away { from + second / 2 } else { to },
            level: -90.0,
            before: -22.0,
            after: -22.0,
            reach: (from, to),
        };
        (Curve::of(&contour), contour, dip)
    }

    #[test]
    fn the_noise_after_a_track_that_died_away_below_it_is_that_of_the_other_gaps() {
        let of = |noise, quiet, dies_away| {
            let (curve, contour, dip) = contour(noise, quiet, dies_away);
            Quiet::of(&dip, &curve, &contour)
        };
        let plain = of(-65, 2, false);
        let died_away = of(-65, 3, true);
        assert!((100..130).contains(&died_away.windows), "{died_away:?}");
        assert!(plain.likeness(&died_away) > 0.9);
        let other = of(-68, 2, false);
        assert!(plain.likeness(&other) < 0.01);
        // A quiet of 0.1 s is none.
        let (curve, contour, dip) = contour(-65, 2, false);
        let short = Candidate {
            reach: (dip.from, dip.from + 5),
            ..dip
        };
        assert!(Quiet::of(&short, &curve, &contour).likeness(&plain) < 0.01);
    }
}
