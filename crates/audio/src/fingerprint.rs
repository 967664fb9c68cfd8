//! Chromaprint fingerprints of the first two minutes of a passage.
//!
//! AcoustID knows music by these fingerprints, so they must be those that `fpcalc` makes. Two parts:
//! [`Mono11k`] turns decoded blocks into Chromaprint's input, 16-bit mono at 11,025 Hz, once for the
//! whole file; [`fingerprint`] makes a fingerprint of any part of that stream. The second does what the crate
//! `rusty-chromaprint` (MIT) does, with the same result in less than half the time; its resampler would differ from
//! Chromaprint's by 0.7 % of all bits. `chromaprint-next` is exact but partly LGPL.

mod image;
mod mono;
mod resample;
mod text;

pub use mono::Mono11k;
pub(crate) use resample::bessel;

/// Samples per second that Chromaprint works on.
pub const RATE: u32 = 11_025;
/// Seconds of a passage that are used, as by `fpcalc` and all who submit to AcoustID.
pub const SECONDS: u32 = 120;
/// Shorter passages get no fingerprint: AcoustID's entries are of whole recordings, and what matches a
/// few seconds is chance.
pub const MIN_SECONDS: u32 = 10;

/// Chromaprint's number for the algorithm called TEST2, its default.
const ALGORITHM: u8 = 1;

/// A Chromaprint fingerprint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    raw: Vec<u32>,
    algorithm: u8,
}

impl Fingerprint {
    /// One number for each 0.124 s; what `fpcalc -raw` prints.
    pub fn raw(&self) -> &[u32] {
        &self.raw
    }

    /// Chromaprint's number of the algorithm; 1 is TEST2.
    pub const fn algorithm(&self) -> u8 {
        self.algorithm
    }

    /// The compressed text that `fpcalc` prints and AcoustID takes: URL-safe base64 without padding.
    pub fn encode(&self) -> String {
        text::encode(self.algorithm, &self.raw)
    }

    /// Reads what [`encode`](Self::encode) or `fpcalc` wrote; `None` if it is no fingerprint.
    pub fn decode(text: &str) -> Option<Self> {
        let (algorithm, raw) = text::decode(text)?;
        Some(Self { raw, algorithm })
    }
}

/// Makes the fingerprint of `samples`, mono at [`RATE`], of which at most [`SECONDS`] are used. `None`
/// under [`MIN_SECONDS`].
pub fn fingerprint(samples: &[i16]) -> Option<Fingerprint> {
    let used = samples.len().min((RATE * SECONDS) as usize);
    if used < (RATE * MIN_SECONDS) as usize {
        return None;
    }
    let raw = image::numbers(&samples[..used]);
    (!raw.is_empty()).then_some(Fingerprint {
        raw,
        algorithm: ALGORITHM,
    })
}

#[cfg(test)]
mod tests {
    use rusty_chromaprint::{Configuration, Fingerprinter};

    use super::*;

    fn noise(count: u32) -> Vec<i16> {
        let mut state = 1_u32;
        let next = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 17) as i16 - 16_384
        };
        (0..count).map(next).collect()
    }

    #[test]
    fn short_passages_have_none() {
        assert_eq!(fingerprint(&[]), None);
        assert_eq!(fingerprint(&noise(RATE * MIN_SECONDS - 1)), None);
        let print = fingerprint(&noise(RATE * MIN_SECONDS)).unwrap();
        assert_eq!((print.raw().len(), print.algorithm()), (59, 1));
    }

    /// What the library makes of the same samples.
    fn by_library(samples: &[i16]) -> Vec<u32> {
        let mut printer = Fingerprinter::new(&Configuration::preset_test2());
        printer.start(RATE, 1).unwrap();
        printer.consume(samples);
        printer.finish();
        printer.fingerprint().to_vec()
    }

    #[test]
    fn every_bit_is_that_of_the_library() {
        let chords = |count: u32| -> Vec<i16> {
            let sample = |at: u32| {
                let seconds = f64::from(at) / f64::from(RATE);
                let root =
                    110.0 * 2_f64.powf(f64::from([0, 5, 7, 3][at as usize / 9_000 % 4]) / 12.0);
                let tone = |ratio: f64| (std::f64::consts::TAU * root * ratio * seconds).sin();
                let swell = (1.0 - seconds * 1.7 % 1.0) * 9_000.0;
                (swell * (tone(1.0) + tone(1.5) + tone(4.0) + 0.1 * tone(12.1))) as i16
            };
            (0..count).map(sample).collect()
        };
        let quiet = |samples: Vec<i16>| samples.into_iter().map(|sample| sample / 3_000).collect();
        let with_a_pause = |mut samples: Vec<i16>| {
            samples[200_000..400_000].fill(0);
            samples
        };
        let minute = RATE * 60;
        for (name, samples) in [
            ("noise", noise(minute)),
            ("quiet noise", quiet(noise(minute))),
            ("chords", chords(minute)),
            ("quiet chords", quiet(chords(minute))),
            ("chords with a pause", with_a_pause(chords(minute))),
            ("a constant", vec![12_000; minute as usize]),
            ("silence", vec![0; minute as usize]),
        ] {
            let ours = fingerprint(&samples).unwrap();
            assert_eq!(ours.raw(), by_library(&samples), "{name}");
        }
    }

    #[test]
    fn only_the_first_two_minutes_count() {
        let long = noise(RATE * (SECONDS + 5));
        let two_minutes = &long[..(RATE * SECONDS) as usize];
        assert_eq!(fingerprint(&long), fingerprint(two_minutes));
    }
}
