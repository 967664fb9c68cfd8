//! Chromaprint fingerprints, equal to what `fpcalc` prints.
//!
//! AcoustID compares fingerprints bit by bit, so every stage has to be
//! Chromaprint's own. What comes after resampling (spectrum, chroma, classifiers,
//! compression) is the crate `rusty-chromaprint`; its resampler is not
//! Chromaprint's, and alone makes up 0.7 % of differing bits, so ours is in
//! [`resample`]. Algorithm: "TEST2", the default; see Lukáš Lalinský, "How does
//! Chromaprint work?", <https://oxygene.sk/2011/01/how-does-chromaprint-work/>.

mod resample;

use rusty_chromaprint::{Configuration, FingerprintCompressor, Fingerprinter};

pub use resample::Mono11k;

/// Sample rate of the audio that fingerprints are made of, in Hz.
pub const RATE: u32 = 11_025;

/// How much of a passage is used, in seconds: `fpcalc`'s default, and what AcoustID's index holds.
pub const SECONDS: u32 = 120;

/// Shorter passages get no fingerprint: they match almost anything.
const SHORTEST_SECONDS: u32 = 10;

/// A Chromaprint fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    raw: Vec<u32>,
}

impl Fingerprint {
    /// Chromaprint's number of the algorithm: 1, "TEST2".
    pub const ALGORITHM: u8 = 1;

    /// One number per 0.1238 s, as `fpcalc -raw` prints them.
    pub fn raw(&self) -> &[u32] {
        &self.raw
    }

    /// The compressed form, as `fpcalc` prints it and AcoustID takes it.
    pub fn encode(&self) -> String {
        let configuration = Configuration::preset_test2();
        let compressed = FingerprintCompressor::from(&configuration).compress(&self.raw);
        base64(&compressed)
    }
}

/// The fingerprint of a passage, from its audio at 11,025 Hz mono; the first 120 s count.
///
/// `None` for less than 10 s.
pub fn fingerprint(samples: &[i16]) -> Option<Fingerprint> {
    let samples = &samples[..samples.len().min((RATE * SECONDS) as usize)];
    if samples.len() < (RATE * SHORTEST_SECONDS) as usize {
        return None;
    }
    let mut printer = Fingerprinter::new(&Configuration::preset_test2());
    printer
        .start(RATE, 1)
        .expect("11,025 Hz mono needs no resampling and cannot be refused");
    printer.consume(samples);
    printer.finish();
    let raw = printer.fingerprint().to_vec();
    (!raw.is_empty()).then_some(Fingerprint { raw })
}

/// Base 64 with the URL-safe alphabet and without padding (RFC 4648, section 5).
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let word = group
            .iter()
            .fold(0u32, |word, byte| word << 8 | u32::from(*byte))
            << (8 * (3 - group.len()));
        for digit in 0..=group.len() {
            text.push(char::from(
                ALPHABET[(word >> (18 - 6 * digit)) as usize & 63],
            ));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        let cases = [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("fooba", "Zm9vYmE"),
        ];
        for (plain, encoded) in cases {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
        assert_eq!(base64(&[0xfb, 0xff]), "-_8");
    }

    #[test]
    fn a_passage_needs_ten_seconds() {
        let noise: Vec<i16> = (0..RATE as usize * 11)
            .map(|i| ((i * i * 31) % 20_011) as i16 - 10_000)
            .collect();
        assert!(fingerprint(&noise).is_some());
        assert!(fingerprint(&noise[..RATE as usize * 10 - 1]).is_none());
        assert!(fingerprint(&[]).is_none());
    }
}
